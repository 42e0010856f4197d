"""Environment variables called as our options are, `RELOAD_CHECK_…`, that are none.

Pure: from an environment to sentences. A misspelt variable that nobody mentions is an option that
somebody believes to have set.
"""

from collections.abc import Mapping
from typing import Final

from ..types import printable
from .options import VARIABLES

__all__ = ["strange_variables"]

PREFIX: Final = "RELOAD_CHECK_"

_PACKAGE: Final = "RELOADCHECK_"
_LONGEST: Final = 60


def strange_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each variable called as ours are that nothing reads; never its value.

    `RELOAD_CHECK` alone, and the package's name for a prefix, are what people write at night.
    """
    alike = (PREFIX, _PACKAGE)
    strange = sorted(
        name
        for name in environ
        if (name.startswith(alike) or name == PREFIX[:-1]) and name not in VARIABLES
    )
    return tuple(f"environment variable {_shown(n)} is not known{_meant(n)}" for n in strange)


def _shown(name: str) -> str:
    return printable(name if len(name) <= _LONGEST else name[:_LONGEST] + "…")


def _meant(name: str) -> str:
    from difflib import get_close_matches  # only where there is something to say

    known = [variable.removeprefix(PREFIX) for variable in VARIABLES]
    wanted = name.removeprefix(PREFIX).removeprefix(_PACKAGE)
    close = ["ENABLED"] if name == PREFIX[:-1] else get_close_matches(wanted, known, 1)
    return f": did you mean {PREFIX}{close[0]}?" if close else ""

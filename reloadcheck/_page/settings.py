"""Is there to be a status page, and where? From arguments, overridden by an operator's environment.

Read by every door that is made, so it imports nothing that only a page needs.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._runtime.log import log
from ..exceptions import OptionError


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the page is, and the token that opens it."""

    path: str
    token: str = field(repr=False)


def settings_from(
    path: str | None, token: str | None, environ: Mapping[str, str] | None = None
) -> Settings | str | None:
    """Lay the environment over what the program says; None where there is to be no page.

    A sentence where there is none for want of a token. Raises `OptionError`.
    """
    environ = os.environ if environ is None else environ
    path = environ.get("RELOAD_CHECK_STATUS_PATH", path) or None
    token = environ.get("RELOAD_CHECK_STATUS_TOKEN", token) or None
    if path is None:
        return None
    if token is None:
        return (
            f"the status page at {path!r} is off: it needs a token, as status_token=… or in "
            "RELOAD_CHECK_STATUS_TOKEN"
        )
    plain = path.isascii() and path.isprintable() and not set(path) & set("?#%\\ ")
    segments = path.split("/")
    if not plain or segments[0] or not all(segments[1:]) or {".", ".."} & set(segments):
        raise OptionError(
            "status_path (RELOAD_CHECK_STATUS_PATH) must be a path such as /-/reloadcheck: ASCII, "
            "with a slash before each part and none at the end"
        )
    if not all("!" <= char <= "~" and char != "," for char in token):
        raise OptionError(
            "status_token (RELOAD_CHECK_STATUS_TOKEN) must be visible ASCII without a comma"
        )
    return Settings(path, token)


def chosen(path: str | None, token: str | None) -> Settings | None:
    """Give this process's settings; warn where a token is all that is missing."""
    settings = settings_from(path, token)
    if isinstance(settings, str):
        log(logging.WARNING, "%s", settings)
        return None
    return settings

"""Is there to be a status page, and where? From arguments, overridden by an operator's environment.

Read by every door that is made, so it imports nothing that only a page needs.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .._runtime.log import log
from ..exceptions import OptionError

PAGE_OPTIONS: Final = ("status_path", "status_token", "health_path")
"""What a door takes for its page, by the names that a framework's own settings have too."""

LEAST_TOKEN: Final = 12
"""How many characters a token has at least: a shorter one can be guessed by asking."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the page is, and the token that opens it; where the probes of an orchestrator are.

    Either path may be empty: then that part is off.
    """

    path: str = ""
    token: str = field(default="", repr=False)
    health: str = ""


_CLIENTS: Final = frozenset({"RELOAD_CHECK_STATUS_PATH", "RELOAD_CHECK_STATUS_URL"})
"""Where one of them is set, the token may be meant for asking another process."""


def settings_from(
    path: str | None,
    token: str | None,
    environ: Mapping[str, str],
    health: str | None = None,
) -> tuple[Settings | None, str | None]:
    """Lay the environment over what the program says; no settings where there is to be nothing.

    Beside them stands a sentence where a part is off though half of it was asked for. Raises
    `OptionError`.
    """
    path = environ.get("RELOAD_CHECK_STATUS_PATH", path) or ""
    token = environ.get("RELOAD_CHECK_STATUS_TOKEN", token) or ""
    health = environ.get("RELOAD_CHECK_HEALTH_PATH", health) or ""
    _check_path("status_path (RELOAD_CHECK_STATUS_PATH)", path, "/-/reloadcheck")
    _check_path("health_path (RELOAD_CHECK_HEALTH_PATH)", health, "/-/health")
    remark: str | None = None
    if path and not token:
        remark = (
            f"the status page at {path!r} is off: it needs a token, as status_token=… or in "
            "RELOAD_CHECK_STATUS_TOKEN"
        )
        path = ""
    elif token and not path and not _CLIENTS & environ.keys():
        remark = (
            "there is a token and no status page: it needs a path, as status_path=… or in "
            "RELOAD_CHECK_STATUS_PATH (an empty one there means: none is wanted)"
        )
    if path:
        _check_token(token)
    if path and health and f"{health}/".startswith(f"{path}/"):
        raise OptionError(
            "health_path (RELOAD_CHECK_HEALTH_PATH) must not be below status_path, which needs a "
            "token; /-/health beside it, for one"
        )
    settings = Settings(path, token if path else "", health) if path or health else None
    return settings, remark


def _check_path(name: str, path: str, example: str) -> None:
    if not path:
        return
    plain = path.isascii() and path.isprintable() and not set(path) & set("?#%\\; ")
    segments = path.split("/")
    if not plain or segments[0] or not all(segments[1:]) or {".", ".."} & set(segments):
        raise OptionError(
            f"{name} must be a path such as {example}: ASCII, with a slash before each part and "
            "none at the end"
        )


def _check_token(token: str) -> None:
    name = "status_token (RELOAD_CHECK_STATUS_TOKEN)"
    if not all("!" <= char <= "~" and char != "," for char in token):
        raise OptionError(f"{name} must be visible ASCII without a comma")
    if len(token) < LEAST_TOKEN:
        raise OptionError(
            f"{name} must have at least {LEAST_TOKEN} characters, as `openssl rand -hex 16` gives"
        )


def chosen(
    environ: Mapping[str, str], path: str | None, token: str | None, health: str | None = None
) -> Settings | None:
    """Return the settings of a door whose engine has this environment; warn of half a page."""
    settings, remark = settings_from(path, token, environ, health)
    if remark is not None:
        log(logging.WARNING, "%s", remark)
    return settings

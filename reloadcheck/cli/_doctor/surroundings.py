"""What runs the application: systemd, uWSGI, Python and the packages that this one needs."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

import yaml

from ..._engine.options import Options, options_from
from ..._engine.unknown_variables import strange_variables
from ..._page.settings import settings_from
from ...exceptions import OptionError
from .finding import Finding, failed, passed, warned
from .limits import own_groups
from .machine import Machine

__all__ = ["options", "python", "systemd", "uwsgi"]

_PROPERTIES: Final = (
    "PrivateTmp", "ProtectHome", "ProtectSystem", "InaccessiblePaths", "TemporaryFileSystem",
)  # fmt: skip
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?\s*(?:>=\s*([0-9.]+))?(.*)")
_OLDEST: Final = (3, 11)
_THREADS_SINCE: Final = (2, 0, 27)
"""The version from which uWSGI lets Python's threads run unasked, by its change log."""


def systemd(paths: Sequence[str], machine: Machine) -> list[Finding]:
    """Say what a systemd service that this runs in hides from it, or shows it a copy of."""
    check = "systemd"
    copies = machine.environ.get("CREDENTIALS_DIRECTORY")
    found = [
        warned(
            check,
            f"{path} is a credential: a copy that systemd made when the service started",
            "it changes with a restart only; read the original file for a live configuration",
        )
        for path in paths
        if copies and _is_below(path, copies)
    ]
    unit = _unit(machine)
    if unit is None:
        return found or [passed(check, "not run by one of its services")]
    told = machine.answer(("systemctl", "show", unit, *(f"--property={p}" for p in _PROPERTIES)))
    if told is None:
        return [*found, passed(check, f"run by {unit}; systemctl does not tell its settings here")]
    settings = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    found += [one for path in paths for one in _hidden(path, unit, settings)]
    shown = ", ".join(f"{k}={v}" for k, v in settings.items() if v not in ("", "no"))
    return found or [passed(check, f"run by {unit}{f' with {shown}' if shown else ''}")]


def uwsgi(machine: Machine) -> list[Finding]:
    """Say whether uWSGI, where this runs in it, lets threads run; nothing elsewhere."""
    server = machine.uwsgi()
    if server is None:
        return []
    check, given = "uwsgi", server.options
    threads = "enable-threads" in given or "threads" in given
    if not threads and _numbers(server.version) < _THREADS_SINCE:
        said = f"uWSGI {server.version} without threads: no engine ever runs, nothing is reloaded"
        return [failed(check, said, "enable-threads = true")]
    if given & {"lazy", "lazy-apps"}:
        forks = "each worker loads the application for itself"
    elif "py-call-uwsgi-fork-hooks" in given:
        forks = "workers are forked from a loaded application, with fork hooks"
    else:
        forks = (
            "workers are forked from a loaded application without fork hooks, so no engine may "
            "start at import"
        )
    return [passed(check, f"uWSGI {server.version} with threads; {forks}")]


def python() -> list[Finding]:
    """Say whether Python and the packages here are those that this package is made for."""
    found = [_python()]
    missing: list[str] = []
    shown: list[str] = []
    for name, least, is_extra in _requirements():
        try:
            have = version(name)
        except PackageNotFoundError:
            if not is_extra:
                missing.append(f"{name} is not installed")
            continue
        shown.append(f"{name} {have}")
        if _numbers(have) < _numbers(least):
            missing.append(f"{name} {have} is older than {least}")
    if missing:
        found.append(failed("packages", "; ".join(missing), "pip install --upgrade reloadcheck"))
    else:
        found.append(passed("packages", ", ".join(shown)))
    if yaml.__with_libyaml__:
        found.append(passed("yaml", "PyYAML has its C loader"))
    else:
        remedy = "install PyYAML from a wheel, or build it with libyaml's headers"
        found.append(warned("yaml", "PyYAML lacks its C loader: YAML is read slowly", remedy))
    return found


def options(given: Options | None, machine: Machine) -> list[Finding]:
    """Say what the options, or the variables that override them, switch off."""
    check = "options"
    try:
        chosen = options_from(Options(), None, machine.environ) if given is None else given
    except OptionError as error:
        return [failed(check, str(error), "correct it, or take it out of the environment")]
    found = [*_variables(machine)]
    if not chosen.enabled:
        remedy = "take out RELOAD_CHECK_ENABLED=false, or enabled=False"
        found.append(warned(check, "reloading is switched off: edits need a restart", remedy))
    if chosen.verify is None:
        remedy = "give verify a number of seconds"
        said = "verify is off: an edit that leaves no trace in the time stamps is never seen"
        found.append(warned(check, said, remedy))
    times = (
        f"window {chosen.window:g} s, settle {chosen.settle:g} s, patience {chosen.patience:g} s"
    )
    return found or [passed(check, times)]


def _variables(machine: Machine) -> Iterator[Finding]:
    """Say which variables nothing reads, and which half of a page is set without the other."""
    for said in strange_variables(machine.environ):
        yield warned("options", said, "correct its name, or take it out of the environment")
    try:
        _, remark = settings_from(None, None, machine.environ)
    except OptionError as error:
        yield failed("options", str(error), "correct it, or take it out of the environment")
        return
    if remark is not None:
        yield warned(
            "options", remark, "set both variables, unless the program gives the other one"
        )


def _unit(machine: Machine) -> str | None:
    groups = own_groups(machine)
    path = groups.get("", "/").strip("/") or groups.get("name=systemd", "/").strip("/")
    name = os.path.basename(path)
    return name if name.endswith(".service") else None


def _hidden(path: str, unit: str, settings: dict[str, str]) -> Iterator[Finding]:
    private = settings.get("PrivateTmp", "no") not in ("no", "")
    if private and any(_is_below(path, place) for place in ("/tmp", "/var/tmp")):
        said = (
            f"{unit} has a /tmp of its own (PrivateTmp): edits of {path} made outside do not show"
        )
        yield warned("systemd", said, "keep the configuration in /etc")
    homes = settings.get("ProtectHome", "no")
    hides_homes = homes in ("yes", "tmpfs")
    if hides_homes and any(_is_below(path, p) for p in ("/home", "/root", "/run/user")):
        said = f"{unit} does not see {path} (ProtectHome={homes})"
        yield failed("systemd", said, "keep the configuration in /etc")
    for name in ("InaccessiblePaths", "TemporaryFileSystem"):
        for place in settings.get(name, "").split():
            if _is_below(path, place.lstrip("-+").split(":")[0]):
                said = f"{unit} does not see {path} ({name}={place})"
                yield failed("systemd", said, "move the configuration, or take the path out")


def _is_below(path: str, place: str) -> bool:
    real = os.path.abspath(path)
    return real == place or real.startswith(place.rstrip("/") + "/")


def _python() -> Finding:
    have = f"{sys.implementation.name} {'.'.join(map(str, sys.version_info[:3]))}"
    if sys.version_info[:2] < _OLDEST:
        return failed("python", f"{have} is too old", "use Python 3.11 or newer")
    return passed("python", have)


def _requirements() -> Iterator[tuple[str, str, bool]]:
    """Return what this package needs: a name, the least version, and whether it is an extra."""
    try:
        told = requires("reloadcheck") or []
    except PackageNotFoundError:
        told = []
    for requirement in told:
        found = _REQUIREMENT.match(requirement)
        if found is None or found[1] == "reloadcheck":
            continue
        is_extra = "extra ==" in found[3]
        if not is_extra or any(f"'{e}'" in found[3] or f'"{e}"' in found[3] for e in _OWN_EXTRAS):
            yield found[1], found[2] or "0", is_extra


_OWN_EXTRAS: Final = ("pydantic", "msgspec")


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in re.findall(r"\d+", text)[:3])
    return numbers + (0,) * (3 - len(numbers))

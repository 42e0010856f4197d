"""The name of this worker on a board: its host, its process, and something drawn by chance.

`host/boot/pid/random`. The second part is another after each boot and in each space of process
numbers; the last begins with when the process did, so that a number used twice is told apart.
"""

import os
import secrets
import socket

from .process_start import begun

__all__ = ["here", "host_name", "login", "member_id", "process_of"]


def host_name() -> str:
    """Return the name that people know this host by."""
    return socket.gethostname() or "localhost"


def here() -> str:
    """Return below which name this host's records are, of values that wait for a restart."""
    return f"running/{host_name()}/"


def member_id() -> str:
    """Return a name that no other process has, not even one of the same number."""
    start = begun(os.getpid()) or "0"
    return f"{host_name()}/{_space()}/{os.getpid()}/{start}-{secrets.token_hex(4)}"


def process_of(name: str) -> tuple[str, int, str] | None:
    """Return of a name where its process numbers count, its number, and when it began."""
    place, _, rest = name.rpartition("/")
    place, _, pid = place.rpartition("/")
    if not place or not pid.isdecimal():
        return None
    return place, int(pid), rest.partition("-")[0]


def login() -> str:
    """Return who runs this, as `dora@web-1`: before sudo, where it is known."""
    name = os.environ.get("SUDO_USER") or os.environ.get("LOGNAME") or os.environ.get("USER")
    if not name:
        try:
            import pwd

            name = pwd.getpwuid(os.getuid()).pw_name
        except (ImportError, KeyError):
            name = str(os.getuid()) if hasattr(os, "getuid") else "somebody"
    return f"{name}@{host_name()}"


def _space() -> str:
    """Return what tells this boot and this space of process numbers from others."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as kernel:
            boot = kernel.read().strip()[:8]
        return f"{boot}-{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return secrets.token_hex(4)  # nobody can tell, so nobody is taken for gone

"""The name of this worker on a board: its host, its process, and something drawn by chance."""

import os
import secrets
import socket

__all__ = ["host_name", "login", "member_id"]


def host_name() -> str:
    """Return the name that people know this host by."""
    return socket.gethostname() or "localhost"


def member_id() -> str:
    """Return a name that no other process has, not even one of the same number."""
    return f"{host_name()}/{os.getpid()}/{secrets.token_hex(4)}"


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

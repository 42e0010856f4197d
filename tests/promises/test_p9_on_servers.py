"""P9 on real servers: what goes over the wire is the same, byte for byte, with and without us."""

import re
import socket
from pathlib import Path

import pytest

from tests.support import config, manners_asgi, manners_wsgi
from tests.support.servers import environment, gunicorn, serving, uvicorn

WSGI = "tests.support.manners_wsgi:app"
SERVERS = {
    "gunicorn sync": (gunicorn(WSGI), list(manners_wsgi.APPS)),
    "gunicorn with threads": (gunicorn(WSGI, "--threads", "4"), list(manners_wsgi.APPS)),
    "uvicorn": (uvicorn("tests.support.manners_asgi:app"), list(manners_asgi.APPS)),
}


@pytest.mark.parametrize(("command", "names"), SERVERS.values(), ids=SERVERS.keys())
def test_every_response_is_the_same_bytes(
    command: list[str], names: list[str], tmp_path: Path
) -> None:
    """Status, headers, framing, body, and where it breaks off: for GET, HEAD and POST."""
    file = tmp_path / "config.yaml"
    config.write(file, config.text(1))
    seen: set[bytes] = set()
    with serving(command, environment(file, tmp_path / "journal"), tmp_path) as server:
        for name in names:
            for method in ("GET", "HEAD", "POST"):
                bare = raw(server.port, method, f"/bare/{name}")
                assert raw(server.port, method, f"/wrapped/{name}") == bare
                seen.add(bare)
        assert "Traceback" in server.log
        assert "before the start" in server.log
    assert len(seen) > len(names)


def raw(port: int, method: str, path: str) -> bytes:
    """Return all the bytes of a response, less its date."""
    request = f"{method} {path}?query HTTP/1.1\r\nHost: rig\r\nContent-Length: 4\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"{request}Connection: close\r\n\r\nbody".encode())
        data = b""
        try:
            while piece := connection.recv(65_536):
                data += piece
        except ConnectionResetError:
            data += b"<reset>"
    return re.sub(rb"(?i)date: [^\r]*", b"", data)

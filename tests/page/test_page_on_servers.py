"""The status page behind real servers: what decodes to its path is it, and nothing else is."""

import socket
from pathlib import Path

import pytest

from tests.support.config import CANARY, text, write
from tests.support.servers import environment, gunicorn, serving, uvicorn

PATH, TOKEN = "/-/reloadcheck", "t0ken-On-Servers"
RIGHT = f"Authorization: Bearer {TOKEN}"

MISSPELT = [
    "/-/reloadcheck/", "/-//reloadcheck", "//-/reloadcheck", "/-/Reloadcheck", "/-/RELOADCHECK",
    "/-/reloadchec", "/-/reloadcheckx", "/-/reloadcheck%20", "/-/reloadcheck%00",
    "/-/reloadcheck;a",
    "/-/./reloadcheck", "/x/../-/reloadcheck", "/-/reloadcheck/.", "/-/reloadcheck%2F",
    "/-%252Freloadcheck", "/-/reloadcheck%0a", "/%EF%BC%8D/reloadcheck", "/-/reloadcheck/live/",
    "/-/reloadcheck/LIVE", "/-/reloadcheck.html",
]  # fmt: skip


def asked(port: int, target: str, *headers: str, method: str = "GET") -> tuple[int, bool, bytes]:
    """Send one request byte by byte as it is written; give status, whether it is the page, body."""
    lines = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode("utf-8"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    is_page = b"x-robots-tag" in head.lower()
    return int(head.split()[1]), is_page, body


@pytest.mark.parametrize("command", [uvicorn, gunicorn], ids=["uvicorn", "gunicorn"])
def test_only_the_right_request_gets_the_page(command: object, tmp_path: Path) -> None:
    """Spellings, methods, and tokens that are wrong, double or not ASCII are the application's."""
    config = tmp_path / "app.yaml"
    write(config, text(1))
    page = {"RELOAD_CHECK_STATUS_PATH": PATH, "RELOAD_CHECK_STATUS_TOKEN": TOKEN}
    environ = environment(config, tmp_path / "journal", **page)
    with serving(uvicorn() if command is uvicorn else gunicorn(), environ, tmp_path) as server:
        port = server.port
        told = asked(port, PATH, RIGHT)
        assert told[:2] == (200, True)
        assert CANARY.encode() not in told[2]
        for spelt in ("/-%2Freloadcheck", "/%2D/reloadcheck"):  # what decodes to it is not it
            assert not asked(port, spelt, RIGHT)[1]
        assert asked(port, PATH, RIGHT, method="HEAD") == (200, True, b"")
        assert asked(port, f"{PATH}/ready", RIGHT)[:2] == (200, True)
        assert asked(port, f"{PATH}?format=html", RIGHT, "Host: evil")[2].count(b"evil") == 0
        wrong = {spelt: asked(port, spelt, RIGHT)[1] for spelt in MISSPELT}
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
            wrong[method] = asked(port, PATH, RIGHT, "Content-Length: 0", method=method)[1]
        for token in ("", "Authorization: Bearer t0ken", "Authorization: Bearer tökén"):
            wrong[token] = asked(port, PATH, *([token] if token else []))[1]
        wrong["twice"] = asked(port, PATH, RIGHT, RIGHT)[1]
        wrong["one right"] = asked(port, PATH, RIGHT, "Authorization: Bearer x")[1]
        wrong["twice in the address"] = asked(port, f"{PATH}?token={TOKEN}&token={TOKEN}")[1]
        assert not [spelt for spelt, is_page in wrong.items() if is_page]
        assert len(wrong) == len(MISSPELT) + 12
        assert TOKEN not in server.log

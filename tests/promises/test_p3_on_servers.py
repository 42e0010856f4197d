"""P3 on real servers: bad edits under load, and servers that start on a bad file."""

import http.client
from pathlib import Path

import pytest

from tests.support import config
from tests.support.faults import FAULTS
from tests.support.load import Load, get, until, workers
from tests.support.servers import environment, gunicorn, serving, uvicorn

BROKEN = config.text(1).replace("number: 1\n", f"number: [{config.CANARY}\n", 1)
SENTENCE = "config.yaml:1:9: "
UNDER_LOAD = [
    "emptied",
    "missing",
    "a directory in its place",
    "cut in a quoted string",
    "a duplicate key",
    "a part that is missing",
    "a factory that raises",
]
SERVERS = {
    "uvicorn": uvicorn(),
    "gunicorn with threads": gunicorn("tests.support.wsgi_app:app", "--threads", "4"),
}


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS.keys())
def test_bad_edits_under_load_reach_nobody(command: list[str], tmp_path: Path) -> None:
    """Each worker says what is wrong, once, and serves on; each is healed by the next good edit."""
    file = tmp_path / "config.yaml"
    config.write(file, config.text(0))
    with serving(command, environment(file, tmp_path / "journal"), tmp_path) as server:
        everyone = set(workers(server.port))
        with Load(server.port) as load:
            for number, name in enumerate(UNDER_LOAD, start=1):
                fault = FAULTS[name]
                with fault.make(file):
                    server.logs("goes on serving: ", 2 * number)
                    for answer in workers(server.port, "/process").values():
                        assert fault.words in answer.said["error"]
                        assert f"{file}{fault.place}" in answer.said["error"]
                config.write(file, config.text(number))
                load.reaches(number, everyone)
        assert server.log.count("WARNING reloadcheck") == 2 * len(UNDER_LOAD)
        assert config.CANARY not in server.log
    assert (load.failures, [one for one in load.answers if one.torn]) == ([], [])
    assert {one.number for one in load.answers} == set(range(len(UNDER_LOAD) + 1))


def test_uvicorn_does_not_start_on_a_bad_file(tmp_path: Path) -> None:
    """Lifespan start-up fails with the sentence, in each of two workers, and for one with a status.

    (What the parent of several makes of it is uvicorn's affair, and differs between versions.)
    """
    file = tmp_path / "config.yaml"
    config.write(file, BROKEN)
    environ = environment(file, tmp_path / "journal")
    with serving(uvicorn(), environ, tmp_path, listen=False) as server:
        server.logs("Application startup failed", 2)
        assert server.log.count(f"ERROR:    {file}:1:9: ") == 2
        assert config.CANARY not in server.log
    alone = [word for word in uvicorn() if word not in ("--workers", "2")]
    with serving(alone, environ, tmp_path, listen=False) as server:
        assert server.process.wait(30) != 0
        assert SENTENCE in server.log


WITHOUT_LIFESPAN = {
    "uvicorn without lifespan": uvicorn("tests.support.asgi_app:app", "--lifespan", "off"),
    "gunicorn sync": gunicorn(),
}


@pytest.mark.parametrize("command", WITHOUT_LIFESPAN.values(), ids=WITHOUT_LIFESPAN.keys())
def test_without_lifespan_a_bad_file_is_a_503_that_heals(
    command: list[str], tmp_path: Path
) -> None:
    """Requests are told to come again, the log tells why, and a good edit is all it takes."""
    file = tmp_path / "config.yaml"
    config.write(file, BROKEN)
    with serving(command, environment(file, tmp_path / "journal"), tmp_path) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", "/")
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert (response.status, response.getheader("Retry-After")) == (503, "1")
        assert SENTENCE in server.log
        config.write(file, config.text(1))
        healed: set[int] = set()
        until(lambda: _healed(server.port, healed) == 2)
        assert config.CANARY not in server.log + body.decode()


def _healed(port: int, healed: set[int]) -> int:
    """Ask once more, count the workers that have answered with the good configuration."""
    try:
        answer = get(port)
    except http.client.HTTPException:  # still a 503
        return len(healed)
    assert answer.number == 1
    healed.add(answer.worker)
    return len(healed)

"""The servers: how each is started on a port, with how many workers, and what it does in the end.

Only what makes a server end soon with a response under way is set; all else is its default.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["ASGI", "SERVERS", "WSGI", "Kind"]

ASGI = "tests.servers.asgi_app:app"
WSGI = "tests.servers.wsgi_app:app"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of server; `command` gives its command line for a port.

    `early`: the app starts its engine before the server forks workers. `single`: each worker takes
    one request at a time, so that one with a response under way answers nothing else.
    """

    name: str
    command: Callable[[int], list[str]]
    workers: int = 2
    early: bool = False
    single: bool = False


def _module(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def _uvicorn(*options: str) -> Callable[[int], list[str]]:
    ending = ("--timeout-graceful-shutdown", "1", "--no-access-log")
    return lambda port: _module("uvicorn", ASGI, "--port", str(port), *ending, *options)


def _gunicorn(app: str, *options: str) -> Callable[[int], list[str]]:
    ending = ("--graceful-timeout", "1", "--no-control-socket")
    return lambda port: _module(
        "gunicorn", app, "-b", f"127.0.0.1:{port}", "-w", "2", *ending, *options
    )


def _granian(app: str, interface: str) -> Callable[[int], list[str]]:
    ending = ("--workers-kill-timeout", "1")
    return lambda port: _module(
        "granian", app, "--interface", interface, "--port", str(port), "--workers", "2", *ending
    )


def _uwsgi(*options: str) -> Callable[[int], list[str]]:
    run = "import sys, pyuwsgi; pyuwsgi.run(sys.argv[1:])"
    ending = ("--die-on-term", "--worker-reload-mercy", "1", "--disable-logging")
    serve = ("--master", "--processes", "2", "--module", WSGI, *ending)
    return lambda port: [
        *(sys.executable, "-c", run, "--http-socket", f"127.0.0.1:{port}"),
        *serve,
        *options,
    ]


SERVERS = (
    Kind("uvicorn", _uvicorn(), 1),
    Kind("uvicorn --workers 2", _uvicorn("--workers", "2")),
    Kind("uvicorn --reload", _uvicorn("--reload", "--reload-dir", "tests/servers"), 1),
    Kind("gunicorn sync", _gunicorn(WSGI), single=True),
    Kind("gunicorn sync --preload", _gunicorn(WSGI, "--preload"), early=True, single=True),
    Kind("gunicorn gthread", _gunicorn(WSGI, "--threads", "4")),
    Kind("gunicorn gthread --preload", _gunicorn(WSGI, "--threads", "4", "--preload"), early=True),
    Kind("gunicorn gevent", _gunicorn(WSGI, "-k", "gevent")),
    Kind("gunicorn gevent --preload", _gunicorn(WSGI, "-k", "gevent", "--preload"), early=True),
    Kind("gunicorn asgi", _gunicorn(ASGI, "-k", "asgi")),
    Kind("gunicorn uvicorn-worker", _gunicorn(ASGI, "-k", "uvicorn_worker.UvicornWorker")),
    Kind(
        "hypercorn",
        lambda port: _module(
            "hypercorn", ASGI, "-b", f"127.0.0.1:{port}", "-w", "2", "--graceful-timeout", "1"
        ),
    ),
    Kind("granian asgi", _granian(ASGI, "asgi")),
    Kind("granian wsgi", _granian(WSGI, "wsgi")),
    Kind("waitress", lambda port: _module("waitress", f"--listen=127.0.0.1:{port}", WSGI), 1),
    Kind("uwsgi", _uwsgi(), single=True),
    Kind("uwsgi --enable-threads", _uwsgi("--enable-threads"), single=True),
    Kind("uwsgi --threads 2", _uwsgi("--threads", "2")),
    Kind("uwsgi --lazy-apps", _uwsgi("--lazy-apps"), single=True),
    Kind("uwsgi with fork hooks", _uwsgi("--py-call-uwsgi-fork-hooks"), early=True, single=True),
    Kind(
        "daphne",
        lambda port: _module("daphne", "-p", str(port), "--application-close-timeout", "1", ASGI),
        1,
    ),
    Kind("werkzeug", lambda port: _module("tests.servers.werkzeug_site", str(port)), 1),
    Kind(
        "werkzeug --reload",
        lambda port: _module("tests.servers.werkzeug_site", str(port), "--reload"),
        1,
    ),
    Kind(
        "django runserver",
        lambda port: _module("tests.servers.django_site", "runserver", f"127.0.0.1:{port}"),
        1,
    ),
)
"""Every server that the README names."""

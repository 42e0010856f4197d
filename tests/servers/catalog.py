"""The servers: how each is started on a port, with how many workers, and what it does in the end.

Only what makes a server end soon with a response under way is set; all else is its default.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["ASGI", "SERVERS", "WSGI", "Kind", "gunicorn", "module", "uwsgi"]

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

    def __reduce__(self) -> tuple[Callable[[str], "Kind"], tuple[str]]:
        """Travel between processes by name."""
        return _named, (self.name,)


def _named(name: str) -> Kind:
    return next(kind for kind in SERVERS if kind.name == name)


def module(*words: str) -> list[str]:
    """Return the command line of a module of this Python."""
    return [sys.executable, "-m", *words]


def _uvicorn(*options: str) -> Callable[[int], list[str]]:
    ending = ("--timeout-graceful-shutdown", "1", "--no-access-log")
    return lambda port: module("uvicorn", ASGI, "--port", str(port), *ending, *options)


def gunicorn(app: str, *options: str) -> Callable[[int], list[str]]:
    """Return what starts gunicorn with two workers."""
    ending = ("--graceful-timeout", "1", "--no-control-socket")
    return lambda port: module(
        "gunicorn", app, "-b", f"127.0.0.1:{port}", "-w", "2", *ending, *options
    )


def _granian(app: str, interface: str) -> Callable[[int], list[str]]:
    ending = ("--workers-kill-timeout", "1")
    return lambda port: module(
        "granian", app, "--interface", interface, "--port", str(port), "--workers", "2", *ending
    )


def uwsgi(*options: str, app: str = WSGI) -> Callable[[int], list[str]]:
    """Return what starts uWSGI with a master and two workers."""
    run = "import sys, pyuwsgi; pyuwsgi.run(sys.argv[1:])"
    ending = ("--die-on-term", "--worker-reload-mercy", "1", "--disable-logging")
    serve = ("--master", "--processes", "2", "--module", app, *ending)
    return lambda port: [
        *(sys.executable, "-c", run, "--http-socket", f"127.0.0.1:{port}"),
        *serve,
        *options,
    ]


SERVERS = (
    Kind("uvicorn", _uvicorn(), 1),
    Kind("uvicorn --workers 2", _uvicorn("--workers", "2")),
    Kind("uvicorn --reload", _uvicorn("--reload", "--reload-dir", "tests/servers"), 1),
    Kind("gunicorn sync", gunicorn(WSGI), single=True),
    Kind("gunicorn sync --preload", gunicorn(WSGI, "--preload"), early=True, single=True),
    Kind("gunicorn gthread", gunicorn(WSGI, "--threads", "4")),
    Kind("gunicorn gthread --preload", gunicorn(WSGI, "--threads", "4", "--preload"), early=True),
    Kind("gunicorn gevent", gunicorn(WSGI, "-k", "gevent")),
    Kind("gunicorn gevent --preload", gunicorn(WSGI, "-k", "gevent", "--preload"), early=True),
    Kind("gunicorn asgi", gunicorn(ASGI, "-k", "asgi")),
    Kind("gunicorn uvicorn-worker", gunicorn(ASGI, "-k", "uvicorn_worker.UvicornWorker")),
    Kind(
        "hypercorn",
        lambda port: module(
            "hypercorn", ASGI, "-b", f"127.0.0.1:{port}", "-w", "2", "--graceful-timeout", "1"
        ),
    ),
    Kind("granian asgi", _granian(ASGI, "asgi")),
    Kind("granian wsgi", _granian(WSGI, "wsgi")),
    Kind("waitress", lambda port: module("waitress", f"--listen=127.0.0.1:{port}", WSGI), 1),
    Kind("uwsgi", uwsgi(), single=True),
    Kind("uwsgi --enable-threads", uwsgi("--enable-threads"), single=True),
    Kind("uwsgi --threads 2", uwsgi("--threads", "2")),
    Kind("uwsgi --lazy-apps", uwsgi("--lazy-apps"), single=True),
    Kind("uwsgi with fork hooks", uwsgi("--py-call-uwsgi-fork-hooks"), early=True, single=True),
    Kind(
        "daphne",
        lambda port: module("daphne", "-p", str(port), "--application-close-timeout", "1", ASGI),
        1,
    ),
    Kind("werkzeug", lambda port: module("tests.servers.werkzeug_site", str(port)), 1),
    Kind(
        "werkzeug --reload",
        lambda port: module("tests.servers.werkzeug_site", str(port), "--reload"),
        1,
    ),
    Kind(
        "django runserver",
        lambda port: module("tests.servers.django_site", "runserver", f"127.0.0.1:{port}"),
        1,
    ),
)
"""Every server that the README names."""

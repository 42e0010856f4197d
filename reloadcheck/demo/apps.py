"""Which examples the demo can run: their names, files and servers; is no application itself.

Plain values; imports nothing, so that a command line can name them.
"""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["APPS", "WORKERS", "Address", "App", "example", "example_named"]

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Address:
    """Where to serve, and the directory that holds the example."""

    host: str
    port: int
    directory: Path


@dataclass(frozen=True, slots=True)
class App:
    """One example: its file, the module to run with the words around it, and what it needs.

    Words may hold `{host}`, `{port}` and `{directory}`.
    """

    file: str
    server: str
    words: str
    needs: tuple[str, ...]

    def command(self, at: Address) -> list[str]:
        """Return what follows `python -m`."""
        given = {"host": at.host, "port": at.port, "directory": at.directory}
        return [word.format(**given) for word in self.words.split()]


def _asgi(name: str, *needs: str) -> App:
    words = (
        f"uvicorn {name}_orders:app --app-dir {{directory}} --host {{host}} --port {{port}} "
        f"--workers {WORKERS} --no-access-log --timeout-keep-alive 30"
    )
    return App(f"{name}_orders.py", "uvicorn", words, ("uvicorn", *needs))


def _wsgi(name: str, *needs: str) -> App:
    words = (
        f"gunicorn {name}_orders:app --chdir {{directory}} --bind {{host}}:{{port}} "
        f"--workers {WORKERS} --worker-class gthread --threads 8 --keep-alive 30 "
        "--graceful-timeout 5"
    )
    return App(f"{name}_orders.py", "gunicorn", words, ("gunicorn", *needs))


APPS = {
    "starlette": _asgi("starlette", "msgspec"),
    "fastapi": _asgi("fastapi", "fastapi", "pydantic"),
    "flask": _wsgi("flask", "flask", "msgspec"),
    "django": _wsgi("django", "django", "msgspec"),
}
"""By the names of their frameworks; each reads ORDERS_CONFIG, answers `/`, `/orders`, `/status`."""


def example(app: App) -> Path:
    """Find an example: beside this file in a wheel, under `examples` in a checkout."""
    return example_named(app.file)


def example_named(file: str) -> Path:
    """Find an example by the name of its file."""
    beside = Path(__file__).with_name(file)
    return beside if beside.exists() else Path(__file__).parents[2] / "examples" / file

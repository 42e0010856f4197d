"""The files that `reloadcheck init` writes: small and whole; and what to type next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["TEMPLATES", "Template"]


@dataclass(frozen=True, slots=True)
class Template:
    """The files of a kind of application, its engine, and what to do next."""

    app: str
    files: Mapping[str, str]
    then: tuple[str, ...]


_CONFIG: Final = """\
# Edit this file while the application runs: the next request sees it.
greeting: hello
limits:
  timeout: 2.5
"""

_SETTINGS: Final = '''\
"""What the configuration must look like: a file that does not fit never goes live."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    timeout: float = 2.5


@dataclass(frozen=True)
class Settings:
    greeting: str
    limits: Limits = Limits()
'''

_LIVE: Final = '''\
"""The live configuration, and what is built from it."""

from pathlib import Path

from reloadcheck import ReloadCheck
from settings import Settings

live = ReloadCheck(Path(__file__).with_name("config.yaml"), schema=Settings)
'''

_FASTAPI: Final = '''\
"""A FastAPI application that follows config.yaml."""

from typing import Annotated

from fastapi import Depends, FastAPI
from live import live
from settings import Settings

from reloadcheck.integrations.fastapi import ReloadCheckMiddleware, config_of

app = FastAPI()
app.add_middleware(ReloadCheckMiddleware, live=live)


@app.get("/")
def home(config: Annotated[Settings, Depends(config_of(live))]) -> dict[str, str]:
    return {"greeting": config.greeting}
'''

_FLASK: Final = '''\
"""A Flask application that follows config.yaml."""

from flask import Flask
from live import live

from reloadcheck.integrations.flask import FlaskReloadCheck, current_config

app = Flask(__name__)
FlaskReloadCheck(live, app)


@app.get("/")
def home() -> dict[str, str]:
    return {"greeting": current_config.greeting}
'''

_DJANGO: Final = '''\
"""A Django site in one file that follows config.yaml; move the settings into yours."""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

settings.configure(
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", "for development alone"),
    DEBUG="DJANGO_DEBUG" in os.environ,
    ALLOWED_HOSTS=["127.0.0.1", "localhost", "testserver"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["reloadcheck.integrations.django"],
    MIDDLEWARE=["reloadcheck.integrations.django.middleware.ReloadCheckMiddleware"],
    RELOAD_CHECK={
        "SOURCES": [Path(__file__).with_name("config.yaml")],
        "SCHEMA": "settings.Settings",
    },
)


def home(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"greeting": request.config.greeting})


urlpatterns = [path("", home)]
application = get_wsgi_application()

from reloadcheck.integrations.django import live as live  # noqa: E402 - after the settings

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
'''


def _then(serve: str, more: str) -> tuple[str, ...]:
    return (
        f"Next: {serve}",
        "      curl http://127.0.0.1:8000/   # edit config.yaml, and ask again",
        "      reloadcheck validate          # what a roll-out asks first",
        f"      {more}",
    )


TEMPLATES: Final[Mapping[str, Template]] = {
    "fastapi": Template(
        "live:live",
        {"config.yaml": _CONFIG, "settings.py": _SETTINGS, "live.py": _LIVE, "app.py": _FASTAPI},
        _then("uvicorn app:app", "reloadcheck doctor            # will edits arrive here?"),
    ),
    "flask": Template(
        "live:live",
        {"config.yaml": _CONFIG, "settings.py": _SETTINGS, "live.py": _LIVE, "app.py": _FLASK},
        _then("flask run -p 8000", "flask reloadcheck check       # builds what depends on it"),
    ),
    "django": Template(
        "app:live",
        {"config.yaml": _CONFIG, "settings.py": _SETTINGS, "app.py": _DJANGO},
        _then(
            "python app.py runserver 8000",
            "python app.py reloadcheck check   # builds what depends on it",
        ),
    ),
}

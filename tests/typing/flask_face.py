"""Programs that are only checked, never run: Flask's proxies have the types they stand for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_type

from flask import Flask

from reloadcheck import FrozenDict, ReloadCheck
from reloadcheck.integrations.flask import FlaskReloadCheck, config_of, current_config, resource_of


@dataclass(frozen=True)
class Settings:
    """A schema."""

    greeting: str


class Pool:
    """Something built."""


live = ReloadCheck("config.yaml", schema=Settings)


@live.resource("greeting")
def db(greeting: str) -> Iterator[Pool]:
    """Build with a generator."""
    yield Pool()


extension = FlaskReloadCheck(live)
config = config_of(live)
pool = resource_of(db)


def create_app() -> Flask:
    """Make an app."""
    app = Flask(__name__)
    extension.init_app(app)
    return app


def view() -> str:
    """Read everything."""
    assert_type(extension, FlaskReloadCheck[Settings])
    assert_type(extension.live, ReloadCheck[Settings])
    assert_type(config, Settings)
    assert_type(config.greeting, str)
    assert_type(pool, Pool)
    assert_type(config_of(ReloadCheck("config.yaml")), FrozenDict)
    greeting: str = current_config.greeting
    return greeting

"""An order service under gunicorn, kept by systemd: ``gunicorn -c gunicorn.conf.py app:app``."""

import os
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from reloadcheck import ReloadCheck
from reloadcheck.integrations.flask import FlaskReloadCheck, config_of


@dataclass(frozen=True)
class Settings:
    """The whole configuration."""

    greeting: str
    limit: int = 100


CONFIG = os.environ.get("ORDERS_CONFIG") or Path(__file__).with_name("config.yaml")
live = ReloadCheck(CONFIG, schema=Settings)
config = config_of(live)
app = Flask(__name__)
FlaskReloadCheck(live, app)


@app.get("/")
def home() -> str:
    """Greet as the file says now."""
    return f"{config.greeting}, at most {config.limit}\n"

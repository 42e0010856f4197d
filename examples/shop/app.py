"""A shop whose configuration is under a contract; `README.md` says what to try."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask, Response, jsonify

from reloadcheck import EnvReferences, ReloadCheck
from reloadcheck.integrations.flask import FlaskReloadCheck, config_of, resource_of

HERE = Path(os.environ.get("SHOP", Path(__file__).parent))


@dataclass(frozen=True)
class Server:
    """Where it listens."""

    bind: str


@dataclass(frozen=True)
class Database:
    """Where the products are, and how many connections may ask for them."""

    url: str | None
    pool_max: int
    pool_min: int = 1


@dataclass(frozen=True)
class Payment:
    """Who is paid, and how long that may take."""

    timeout: float
    api_key: str


@dataclass(frozen=True)
class Http:
    """How long others may take."""

    timeout: float


@dataclass(frozen=True)
class Log:
    """What is written down."""

    level: str


@dataclass(frozen=True)
class Settings:
    """The whole configuration."""

    server: Server
    database: Database
    payment: Payment
    http: Http
    log: Log
    flags: dict[str, bool] = field(default_factory=dict[str, bool])


@dataclass(frozen=True)
class Pool:
    """Stands for a pool of connections, so that the example needs no database."""

    size: int


live = ReloadCheck(
    HERE / "config.yaml",
    schema=Settings,
    contract=HERE / "contract.yaml",
    environment="production",
    references=[EnvReferences()],  # ${env:PAYMENT_KEY}
    trial=True,
    store=HERE / "shop.db",
    app="shop",
)


@live.resource("database")
def database_pool(database: Database) -> Iterator[Pool]:
    """Build the pool anew when its part of the configuration changes."""
    yield Pool(database.pool_max)


app = Flask(__name__)
FlaskReloadCheck(live, app)
config = config_of(live)
pool = resource_of(database_pool)


@app.get("/healthz")
def health() -> str:
    """Say that it lives; rehearsed on each edit."""
    return "fine"


@app.get("/products")
def products() -> Response:
    """Say what serves; rehearsed, too."""
    return jsonify(pool=pool.size, flags=dict(config.flags))


@app.post("/pay")
def pay() -> str:
    """Take money, unless the configuration keeps it from coming."""
    if config.payment.timeout < 1:  # nobody answers that fast
        live.mark("payment-failed")
    return "paid"

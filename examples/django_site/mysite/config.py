"""What `config.yaml` may say; a file that does not fit never reaches a request."""

from typing import Any

from pydantic import BaseModel, SecretStr


class Database(BaseModel, frozen=True):
    """The keys of Django's `DATABASES`, in small letters."""

    name: str
    user: str | None = None
    password: SecretStr | None = None
    host: str | None = None
    port: int | None = None
    options: dict[str, Any] | None = None


class Upstream(BaseModel, frozen=True):
    """A service that views ask."""

    url: str
    timeout: float = 2.0


class Settings(BaseModel, frozen=True):
    """The whole configuration."""

    greeting: str
    database: Database
    upstream: Upstream

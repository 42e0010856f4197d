"""The same surroundings on every machine: what steers programs is no part of a test's question.

Whoever runs the tests may have a proxy, a database's address, a narrow terminal, options of our own
or a repository's hook around them. What a test starts inherits none of that; what a test is about,
it sets itself.
"""

import os
from collections.abc import MutableMapping

__all__ = ["UMASK", "plain", "settle_in"]

UMASK = 0o022

_PREFIXES = (
    *("RELOAD_CHECK", "PG", "GIT_", "ETCD", "GUNICORN_", "UVICORN_", "FLASK_", "GRANIAN_"),
    *("HYPERCORN_", "UWSGI_", "CELERY_", "DJANGO_", "OTEL_", "LISTEN_", "CLICOLOR"),
)
_NAMES = {
    *("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "WEB_CONCURRENCY", "NOTIFY_SOCKET"),
    *("CREDENTIALS_DIRECTORY", "PROMETHEUS_MULTIPROC_DIR", "PYTHONIOENCODING", "PYTHONSAFEPATH"),
    *("PYTHONUNBUFFERED", "PYTHONWARNINGS", "XDG_RUNTIME_DIR"),
    *("ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
}
_INSTEAD = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def plain(environ: MutableMapping[str, str]) -> None:
    """Take from an environment what steers programs; git asks nobody's configuration there."""
    for name in [*environ]:
        if name.startswith(_PREFIXES) or name.upper() in _NAMES:
            del environ[name]
    environ.update(_INSTEAD)


def settle_in() -> None:
    """Make this process's surroundings plain, and those of all that it starts."""
    plain(os.environ)
    os.umask(UMASK)

"""Django's settings: what needs a restart. What does not is in `config.yaml`."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).parent.parent
SECRET_KEY = os.environ.get("SECRET_KEY", "only for this example")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"
USE_TZ = True

INSTALLED_APPS = ["reloadcheck.integrations.django"]
MIDDLEWARE = [
    "reloadcheck.integrations.django.middleware.ReloadCheckMiddleware",  # the first one
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]

# On PostgreSQL only the engine stands here; user, password, host and pool are in the file.
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}

RELOAD_CHECK = {
    "SOURCES": [os.environ.get("SITE_CONFIG", BASE_DIR / "config.yaml")],
    "SCHEMA": "mysite.config.Settings",
    "RESOURCES": ["mysite.resources"],
    "DATABASES": {"default": "database"},
}

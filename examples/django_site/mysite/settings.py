"""Django's settings: what needs a restart. What does not is in `config.yaml`."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).parent.parent
SECRET_KEY = os.environ.get("SECRET_KEY", "only for this example")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"
USE_TZ = True

INSTALLED_APPS = [
    "reloadcheck.integrations.django",
    "mysite",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "reloadcheck.integrations.django.middleware.ReloadCheckMiddleware",  # the first one
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"

# On PostgreSQL only the engine stands here; user, password, host and pool are in the file.
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}

RELOAD_CHECK = {
    "SOURCES": [os.environ.get("SITE_CONFIG", BASE_DIR / "config.yaml")],
    "SCHEMA": "mysite.config.Settings",
    "RESOURCES": ["mysite.resources"],
    "DATABASES": {"default": "database"},
}

"""Settings of the site that real servers and workers run.

RIG_CONFIG is the configuration file, SITE_FOLLOWS what follows it: `databases` or `caches`. It has
what most sites have: accounts, sessions, an admin, a model.
"""

import os

APP = "reloadcheck.integrations.django"
FOLLOWS = os.environ["SITE_FOLLOWS"]
REDIS = "django.core.cache.backends.redis.RedisCache"

SECRET_KEY = "for tests only"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.integrations_django.served"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "tests.integrations_django.shop",
    APP,  # the last one, for a site need not know that order could matter
]
MIDDLEWARE = [
    f"{APP}.middleware.ReloadCheckMiddleware",
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
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # many log in
STATIC_URL = "static/"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
CACHES = {"default": {"BACKEND": REDIS, "LOCATION": "redis://127.0.0.1:1/0"}}
USE_TZ = True
LOGGING_CONFIG = None
RELOAD_CHECK = {
    "SOURCES": [os.environ["RIG_CONFIG"]],
    "DATABASES": {"default": "database"} if FOLLOWS == "databases" else {},
    "CACHES": {"default": "cache"} if FOLLOWS == "caches" else {},
}

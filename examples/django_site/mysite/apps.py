"""The site as an application, so that it has models."""

from django.apps import AppConfig


class MySiteConfig(AppConfig):
    """The site itself."""

    name = "mysite"
    default_auto_field = "django.db.models.BigAutoField"

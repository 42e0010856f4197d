"""What the site keeps in its database."""

from datetime import datetime

from django.db import models


class Visit(models.Model):
    """Somebody was greeted, as the file said then."""

    greeting: "models.CharField[str, str]" = models.CharField(max_length=100)
    at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.greeting}, {self.at:%Y-%m-%d %H:%M}"

"""A model, whose metaclass asks for its connection while this is imported."""

from datetime import datetime

from django.db import models


class Order(models.Model):
    """What a request writes down: the number of the configuration that it was served with."""

    number: "models.IntegerField[int, int]" = models.IntegerField()
    made: "models.DateTimeField[datetime, datetime]" = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "shop"

    def __str__(self) -> str:
        return f"order {self.pk}"

"""`celery -A mysite worker`: each task is one unit of work on the site's own engine."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")

from reloadcheck.integrations.celery import CeleryReloadCheck
from reloadcheck.integrations.django import live

BROKER = os.environ.get("CELERY_BROKER_URL", "redis://localhost:6379/0")
app = Celery("mysite", broker=BROKER, backend=BROKER)
CeleryReloadCheck(live, app)  # before the tasks are declared
app.autodiscover_tasks()

"""`uvicorn mysite.asgi:application`; it does not start on a file that cannot be used."""

import os

from reloadcheck.integrations.django.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_asgi_application()

"""Settings with nothing in them but what Django's development server needs to serve the WSGI app.

`python -m tests.servers.django_site runserver …`.
"""

import os
import sys

SECRET_KEY = "only for tests"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1"]
WSGI_APPLICATION = "tests.servers.wsgi_app.app"
USE_TZ = True

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.servers.django_site"
    execute_from_command_line(sys.argv)

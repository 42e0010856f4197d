"""`python -m tests.integrations_django.manage …`: the commands of the site that servers run."""

import sys

from django.core.management import execute_from_command_line

from . import served

if __name__ == "__main__":
    assert served.wsgi is not None  # it has set Django up
    execute_from_command_line(["manage.py", *sys.argv[1:]])

"""Settings for Wagtail's own tests, with a runner that notes how each came out.

With doors, it is a site as ours are: the app, the middleware, and a database and a cache that take
what they are from a configuration file. Our app stands last, so that all of its models come first.
"""

import os
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

APP = "reloadcheck.integrations.django"
found: dict[str, Any] = vars(import_module("wagtail.test.settings"))
globals().update({name: value for name, value in found.items() if name.isupper()})
TEST_RUNNER = "reloadcheck_inside.django_runner.Runner"
if os.environ["TRANSPARENCY_DOORS"] == "site":
    file = Path(mkdtemp(prefix="reloadcheck-wagtail-"), "config.yaml")
    file.write_text("database: {name: ':memory:'}\ncache: {location: cache}\nlimits: {rate: 10}\n")
    INSTALLED_APPS = [*found["INSTALLED_APPS"], APP]
    MIDDLEWARE = [f"{APP}.middleware.ReloadCheckMiddleware", *found["MIDDLEWARE"]]
    RELOAD_CHECK = {
        "SOURCES": [file],
        "DATABASES": {"default": "database"},
        "CACHES": {"default": "cache"},
    }

"""Settings for Django's own tests: its SQLite ones, with a runner that notes how each came out."""

from importlib import import_module

globals().update(vars(import_module("test_sqlite")))
TEST_RUNNER = "reloadcheck_inside.django_runner.Runner"

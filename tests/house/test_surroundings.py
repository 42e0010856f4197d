"""A test's question is the same on every machine, whatever is set there."""

import os

from hypothesis import settings

from tests.support.surroundings import UMASK, plain

HOSTILE = {
    "RELOAD_CHECK_ENABLED": "off",
    "PGHOST": "elsewhere.test",
    "http_proxy": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "no_proxy": "*",
    "GIT_DIR": "/elsewhere/.git",
    "COLUMNS": "20",
    "FORCE_COLOR": "1",
    "GUNICORN_CMD_ARGS": "--workers 9",
    "PYTHONUNBUFFERED": "1",
}
KEPT = {"PATH": "/usr/bin", "HOME": "/root", "TMPDIR": "/tmp", "CI": "1", "LANG": "C.UTF-8"}


def test_what_steers_programs_is_taken_away_and_no_more() -> None:
    """Options, proxies, databases, a hook's repository, colours and widths; git asks nobody."""
    environ = {**HOSTILE, **KEPT}
    plain(environ)
    assert environ == {**KEPT, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def test_the_tests_run_in_plain_surroundings() -> None:
    """This process has them, so each program has that a test starts; files get usual rights."""
    environ = {**os.environ}
    plain(environ)
    assert environ == {**os.environ}
    mask = os.umask(UMASK)
    assert mask == UMASK


def test_the_same_examples_are_tried_everywhere() -> None:
    """In a CI and at home; and a machine that is slow today fails none of them."""
    now = settings.default
    assert now is not None
    assert (now.derandomize, now.deadline, now.database) == (True, None, None)

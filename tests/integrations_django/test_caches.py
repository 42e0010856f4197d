"""Django's caches, unit of work by unit of work: in memory, and on a real Valkey."""

import gc
import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import CacheHandler
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.locmem import LocMemCache
from redis import Redis

from reloadcheck import ReloadCheck
from reloadcheck.integrations.django.caches import follow, install, resource_name
from reloadcheck.integrations.django.settings import Part
from tests.support import config
from tests.support.engines import drained
from tests.support.load import Load, until, workers
from tests.support.servers import environment, gunicorn, serving, uvicorn
from tests.support.valkey import ValkeyServer

from . import ALL_SITES
from .site import held, loaded, rejected, set_up

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
SERVED = "tests.integrations_django.served"
REDIS = "django.core.cache.backends.redis.RedisCache"


class Site:
    """One engine and one of Django's cache handlers that follows it."""

    def __init__(self, file: Path, backend: str, *, early: bool = False) -> None:
        set_up()
        self.known = True
        self.file = file
        self.live = ReloadCheck(file, window=0, settle=0, drain=5)
        self.caches = CacheHandler({"default": {"BACKEND": backend}})
        self.before: Any = self.caches["default"] if early else None
        follow(self.live, {"default": Part("cache")}, self.caches)
        install(["default"], lambda _: self.live if self.known else None, self.caches)

    @property
    def cache(self) -> Any:
        """Return what `caches["default"]` gives here."""
        return self.caches["default"]

    def write(self, **part: object) -> None:
        """Write a configuration with this part."""
        lines = "".join(f"  {key}: {value}\n" for key, value in part.items())
        self.file.write_text(f"other: 1\ncache:\n{lines}")

    def close(self) -> None:
        """Leave nothing open."""
        self.caches.close_all()
        self.live.close()


def test_what_was_made_before_is_replaced(tmp_path: Path) -> None:
    """A model that asks for a cache while it is imported does not keep it from following."""
    site = Site(tmp_path / "config.yaml", LOCMEM, early=True)
    site.write(location="first", key_prefix="a")
    assert site.before.key_prefix == ""
    with site.live.lease():
        assert site.cache.key_prefix == "a"
    site.close()


def test_a_table_is_known_as_one_and_is_not_asked_before_it_is_there(tmp_path: Path) -> None:
    """Django's commands make the table that a version names; its database is tried by itself."""
    site = Site(tmp_path / "config.yaml", "django.core.cache.backends.db.DatabaseCache")
    is_table = isinstance(site.cache, BaseDatabaseCache)
    assert is_table
    assert site.live.status().state == "idle"
    site.write(location="entries")
    with site.live.lease():
        assert site.cache._table == "entries"
    site.close()


def test_what_a_test_overrides_does_not_follow(tmp_path: Path) -> None:
    """`override_settings(CACHES=…)` gives a test the cache that it asks for."""
    site = Site(tmp_path / "config.yaml", LOCMEM)
    site.write(location="first", key_prefix="a")
    site.caches.settings["default"] = {"BACKEND": LOCMEM, "KEY_PREFIX": "test"}
    assert site.cache.key_prefix == "test"
    site.close()


def test_before_there_is_anything_to_follow_it_is_as_declared(tmp_path: Path) -> None:
    """What an import uses is Django's own backend; the same object follows from then on."""
    site = Site(tmp_path / "config.yaml", LOCMEM)
    site.known = False
    made = site.cache
    made.set("early", 1)
    made.close()
    assert (made.key_prefix, made.get("early")) == ("", 1)
    site.known = True
    site.write(location="first", key_prefix="a")
    with site.live.lease():
        assert (made.key_prefix, made.get("early")) == ("a", None)
    site.close()


def test_a_cache_is_of_its_units_version(tmp_path: Path) -> None:
    """One unit of work keeps its backend over an edit; the next one gets another."""
    site = Site(tmp_path / "config.yaml", LOCMEM)
    site.write(location="first", key_prefix="a")
    with site.live.lease():
        site.cache.set("key", 1)
        site.write(location="second", key_prefix="b", timeout="null")
        loaded(site.live, 2)
        assert (site.cache.key_prefix, site.cache.get("key")) == ("a", 1)
        assert "key" in site.cache
        site.caches.close_all()
        assert site.cache.get("key") == 1
    with site.live.lease():
        assert (site.cache.key_prefix, site.cache.get("key")) == ("b", None)
        assert None is site.cache.default_timeout
    assert site.cache.key_prefix == "b"
    assert held(site.live) == 0
    site.close()


def test_a_replaced_backend_is_let_go_of_at_the_end(tmp_path: Path) -> None:
    """The end of a request drops the backend of an older version, and only that."""
    site = Site(tmp_path / "config.yaml", LOCMEM)
    site.write(location="fourth")
    with site.live.lease():
        backend = weakref.ref(site.cache.incr.__self__)
        site.caches.close_all()
        assert backend() is site.cache.incr.__self__
        site.write(location="fifth")
        loaded(site.live, 2)
        site.caches.close_all()
        gc.collect()
        assert None is backend()
    site.close()


def test_it_stands_for_its_backend(tmp_path: Path) -> None:
    """What is set on it is set on the backend, as on Django's own `cache`."""
    site = Site(tmp_path / "config.yaml", LOCMEM)
    site.write(location="third")
    cache = site.cache
    cache.version = 7
    assert cache.version == 7
    del cache.version
    with pytest.raises(AttributeError):
        _ = cache.version
    assert isinstance(cache.incr.__self__, LocMemCache)
    site.close()


def test_a_cache_that_does_not_answer_is_rejected(tmp_path: Path, valkey: ValkeyServer) -> None:
    """An edit that names no server, or a wrong password, changes nothing."""
    site = Site(tmp_path / "config.yaml", REDIS)
    site.write(location=valkey.url(7))
    with site.live.lease():
        site.cache.set("key", 1)
        site.cache.clear()
    site.write(location="redis://:secret-word@127.0.0.1:1/0")
    assert "secret-word" not in rejected(site.live)
    site.close()


class User:
    """A user of the Valkey server, whose password a test rotates."""

    def __init__(self, server: ValkeyServer, file: Path) -> None:
        self.admin: Any = Redis(port=server.port)
        self.file = file
        self.number = 0
        self.port = server.port

    def rotate(self) -> int:
        """Set for the user one more password, then write it and another database into the file."""
        self.number += 1
        rules = {"keys": ["*"], "commands": ["+@all"]}
        self.admin.acl_setuser("site", enabled=True, passwords=[f"+{self.number}-word"], **rules)
        url = f"redis://site:{self.number}-word@127.0.0.1:{self.port}/{self.number}"
        number, end = f"number: {self.number}\n", f"end: {self.number}\n"
        config.replace(self.file, f"{number}cache:\n  location: {url}\n{end}")
        return self.number

    def forget(self) -> None:
        """Have the server take the newest password only, as an operator does in the end."""
        self.admin.acl_setuser("site", enabled=True, passwords=[f"-{self.number - 1}-word"])

    def connected(self) -> int:
        """Count the user's connections."""
        return sum(client["user"] == "site" for client in self.admin.client_list())


@pytest.fixture
def user(tmp_path: Path, valkey: ValkeyServer) -> Iterator[User]:
    """A user with a first configuration; what it wrote is forgotten afterwards."""
    user = User(valkey, tmp_path / "config.yaml")
    user.rotate()
    yield user
    user.admin.flushall()
    user.admin.acl_deluser("site")
    user.admin.close()


def test_connections_are_of_a_version_and_close_with_it(user: User) -> None:
    """A request keeps its connection over a rotation; all threads share those of a version."""
    site = Site(user.file, REDIS)
    with site.live.lease() as snapshot:
        site.cache.set("key", 1)
        user.rotate()
        loaded(site.live, 2)
        user.forget()
        assert site.cache.get("key") == 1
        site.caches.close_all()
        assert snapshot.resources[resource_name("default")].backend().get("key") == 1
    drained(site.live)
    with site.live.lease():
        assert None is site.cache.get("key")
        until(lambda: user.connected() == 1)
    site.close()
    until(lambda: user.connected() == 0)


SITES = {"uvicorn": uvicorn(f"{SERVED}:asgi")}
if ALL_SITES in os.environ:
    SITES["gunicorn with threads"] = gunicorn(f"{SERVED}:wsgi", "--threads", "4")


@pytest.mark.parametrize("command", SITES.values(), ids=SITES.keys())
def test_a_rotated_password_fails_no_request(
    command: list[str], user: User, tmp_path: Path
) -> None:
    """A new password, the file, the old one taken away: every worker goes on, on the right data."""
    environ = environment(user.file, tmp_path / "journal", SITE_FOLLOWS="caches")
    with serving(command, environ, tmp_path) as server:
        everyone = set(workers(server.port))
        with Load(server.port, clients=4, pace=0.01) as load:
            load.reaches(user.number, everyone)
            for _ in range(2):
                load.reaches(user.rotate(), everyone)
                load.outlast()
                user.forget()
            most = user.connected()
    assert load.failures == [], server.log
    assert 0 < most <= 2 * 2 * 4
    seen = {(answer.number, answer.said["pool"], answer.said["again"]) for answer in load.answers}
    assert {(number, number, number) for number in (1, 2, 3)} == seen

"""Django's caches, unit of work by unit of work: in memory, and on a real Valkey."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import CacheHandler
from django.core.cache.backends.locmem import LocMemCache
from redis import Redis

from reloadcheck import ReloadCheck
from reloadcheck.integrations.django.caches import follow
from reloadcheck.integrations.django.settings import Part
from tests.rig.engines import drained
from tests.rig.load import until
from tests.rig.valkey import ValkeyServer

from .site import held, loaded, rejected, set_up

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
REDIS = "django.core.cache.backends.redis.RedisCache"


class Site:
    """One engine and one of Django's cache handlers that follows it."""

    def __init__(self, file: Path, backend: str) -> None:
        set_up()
        self.file = file
        self.live = ReloadCheck(file, window=0, settle=0, drain=5)
        self.caches = CacheHandler({"default": {"BACKEND": backend}})
        follow(self.live, {"default": Part("cache")}, self.caches)

    @property
    def cache(self) -> Any:
        """Give what `caches["default"]` gives here."""
        return self.caches["default"]

    def write(self, **part: object) -> None:
        """Write a configuration with this part."""
        lines = "".join(f"  {key}: {value}\n" for key, value in part.items())
        self.file.write_text(f"other: 1\ncache:\n{lines}")

    def close(self) -> None:
        """Leave nothing open."""
        self.caches.close_all()
        self.live.close()


def test_a_cache_is_of_its_units_version(tmp_path: Path) -> None:
    """One unit of work keeps its backend over an edit; the next one gets another."""
    site = Site(tmp_path / "config.yaml", LOCMEM)
    site.write(location="first", key_prefix="a")
    with site.live.lease():
        site.cache.set("key", 1)
        site.write(location="second", key_prefix="b", timeout="null")
        loaded(site.live, 2)
        assert ("a", 1) == (site.cache.key_prefix, site.cache.get("key"))
        assert "key" in site.cache
        site.caches.close_all()
        assert 1 == site.cache.get("key")
    with site.live.lease():
        assert ("b", None) == (site.cache.key_prefix, site.cache.get("key"))
        assert None is site.cache.default_timeout
    assert "b" == site.cache.key_prefix
    assert 0 == held(site.live)
    site.close()


def test_it_stands_for_its_backend(tmp_path: Path) -> None:
    """What is set on it is set on the backend, as on Django's own `cache`."""
    site = Site(tmp_path / "config.yaml", LOCMEM)
    site.write(location="third")
    cache = site.cache
    cache.version = 7
    assert 7 == cache.version
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


def test_a_valkeys_rotated_password_is_followed(tmp_path: Path, valkey: ValkeyServer) -> None:
    """Connections are of the request's version, and closed once nobody uses it any more."""
    admin: Any = Redis(port=valkey.port)
    site = Site(tmp_path / "config.yaml", REDIS)

    def rotate(word: str) -> None:
        rules = {"keys": ["*"], "commands": ["+@all"], "reset_passwords": True}
        admin.acl_setuser("site", enabled=True, passwords=[f"+{word}"], **rules)
        site.write(location=f"redis://site:{word}@127.0.0.1:{valkey.port}/7")

    def connected() -> int:
        return sum(client["user"] == "site" for client in admin.client_list())

    rotate("one")
    try:
        with site.live.lease():
            site.cache.set("key", 1)
            rotate("two")
            loaded(site.live, 2)
            assert 1 == site.cache.get("key")
            site.caches.close_all()
        drained(site.live)
        with site.live.lease():
            assert 1 == site.cache.get("key")
            until(lambda: connected() == 1)
        site.close()
        until(lambda: connected() == 0)
    finally:
        admin.acl_deluser("site")
        admin.close()

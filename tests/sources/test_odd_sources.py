"""What is told where the system answers a source as it seldom does: races, denials, forks."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownLambdaType=false

import errno
import os
import socket
import ssl
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from reloadcheck import sources
from reloadcheck.exceptions import ConfigError, OptionError, SourceError, TornError
from reloadcheck.sources import (
    DirectorySource,
    Disk,
    EnvReferences,
    EtcdSource,
    FileReferences,
    FileSource,
)
from reloadcheck.sources._http_exchange import _trouble, origin_of
from reloadcheck.sources._last_good import Copy, load_copy, save_copy
from reloadcheck.sources._os_reasons import refusal
from reloadcheck.types import Origin, Stamp, no_pause

HERE = os.stat("/")
DENIED = PermissionError(errno.EACCES, "denied")


class Answers:
    """A disk on which a stat of a path gives what a test has it give."""

    def __init__(self, **paths: Any) -> None:
        self.paths: dict[str, Any] = paths
        self.links: dict[str, str] = {}

    def stat(self, path: str | int) -> os.stat_result:
        """Return what is there, or raise it."""
        found: Any = self.paths.get(str(path), HERE)
        if callable(found):
            found = found()
        if isinstance(found, Exception):
            raise found
        given: Any = found
        return os.stat_result(given)

    def readlink(self, path: str) -> str:
        """Return where a link leads."""
        if path not in self.links:
            raise OSError(errno.EINVAL, "no link")
        return self.links[path]

    @property
    def disk(self) -> Disk:
        """Return it as a disk."""
        return Disk(stat=self.stat, lstat=self.stat, readlink=self.readlink)


def _paths(**found: Any) -> Disk:
    answers = Answers()
    answers.paths = {name.replace("_", "/"): value for name, value in found.items()}
    return answers.disk


# ---------------------------------------------------------------------------- in words


def test_why_a_path_cannot_be_used_is_told_as_far_as_the_system_tells() -> None:
    """Which directory denies it, whose the file is, or neither; a parent that is no directory."""
    gone = FileNotFoundError(errno.ENOENT, "gone")
    said = refusal("/a/b", DENIED, _paths(_a_b=gone, **{"_a_.": gone, "_.": gone}))
    assert said == "permission denied for the file"
    said = refusal("/a/b", DENIED, _paths(**{"_a_.": DENIED}))
    assert said == "permission denied for its directory /a"
    said = refusal("/a/b", DENIED, _paths())
    assert said.startswith(f"permission denied: mode {stat.S_IMODE(HERE.st_mode):04o}, owned by ")
    no_directory = NotADirectoryError(errno.ENOTDIR, "no directory")
    said = refusal("/a/b", no_directory, _paths())
    assert said == "does not exist: a parent of it is a file, not a directory"
    said = refusal("/a/b", no_directory, _paths(**{"_a_.": no_directory}))
    assert said == "does not exist: /a is a file, not a directory"
    odd = OSError(errno.EIO, "odd")
    assert refusal("/a/b", gone, _paths(_a=odd)) == "does not exist"


def test_a_system_without_users_tells_whose_a_file_is_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It knows of no user that this process runs as."""
    monkeypatch.delattr(os, "geteuid")
    assert refusal("/a/b", DENIED, _paths()).endswith(f"owned by {HERE.st_uid}:{HERE.st_gid}")


def test_trouble_with_a_server_is_told_in_words_of_ours() -> None:
    """A certificate, a name, a handshake, a connection."""
    error = ssl.SSLError(1, "quoted")
    error.reason = "WRONG_VERSION_NUMBER"
    assert _trouble(error) == "the TLS connection failed (WRONG_VERSION_NUMBER)"
    assert _trouble(socket.gaierror(-2, "x")) == "its host name cannot be resolved"
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    assert _trouble(refused) == "cannot be reached: connection refused"
    assert origin_of(urlsplit("https://a/x")) == ("https", "a", 443)
    assert origin_of(urlsplit("https://a:99999/x")) == ("https", "a", -1)


def test_sources_have_a_name_and_show_no_content(tmp_path: Path) -> None:
    """As messages and a debugger show them."""
    assert repr(FileSource("shop.yaml")) == "FileSource('shop.yaml')"
    assert repr(DirectorySource("secrets")) == "DirectorySource('secrets')"
    assert repr(FileReferences("secrets")) == "FileReferences('secrets')"
    assert repr(EnvReferences("APP_")) == "EnvReferences('APP_')"
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        sources.Nothing  # noqa: B018 - the look-up is what fails


# ------------------------------------------------------------------------------ a file


def test_a_file_that_is_another_at_each_look_is_torn(tmp_path: Path) -> None:
    """A volume that is swapped all the time: nothing is taken for its content, nor for missing."""
    turns = [0]

    def readlink(path: str) -> str:
        if not path.endswith("..data"):
            raise OSError(errno.EINVAL, "no link")
        turns[0] += 1
        return f"..gen{turns[0]}"

    def missing(path: str | int) -> os.stat_result:
        raise FileNotFoundError(errno.ENOENT, "gone", str(path))

    (tmp_path / "shop.yaml").symlink_to("..data/shop.yaml")
    disk = Disk(stat=missing, lstat=missing, readlink=readlink)
    source = FileSource(tmp_path / "shop.yaml", disk=disk)
    source._where = lambda: f"/gone/{readlink('..data')}"  # type: ignore[method-assign]
    with pytest.raises(TornError):
        source.stamp()


def test_a_file_that_leads_out_of_where_it_is_confined_has_no_place(tmp_path: Path) -> None:
    """It is told where it was to be, and not where it leads."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out.yaml").write_text("a: 1\n")
    (tmp_path / "in" / "shop.yaml").symlink_to("../out.yaml")
    source = FileSource(tmp_path / "in" / "shop.yaml", within=tmp_path / "in")
    assert source.place().resolved is None
    assert source.remarks() == ()


def test_an_optional_file_whose_directory_cannot_be_looked_at_is_no_empty_one(
    tmp_path: Path,
) -> None:
    """Nobody can tell whether it is there: what is live stays."""
    gone = FileNotFoundError(errno.ENOENT, "gone")
    answers = Answers(**{str(tmp_path / "d" / "x.yaml"): gone, str(tmp_path / "d"): DENIED})
    answers.paths[str(tmp_path / "d" / ".")] = DENIED
    source = FileSource(tmp_path / "d" / "x.yaml", optional=True, disk=answers.disk)
    with pytest.raises(SourceError, match="permission denied"):
        source.stamp()


def test_a_directory_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    """With the reason."""

    def names(path: str, most: int) -> list[str]:
        raise OSError(errno.EIO, "input/output error")

    with pytest.raises(SourceError):
        DirectorySource(tmp_path, disk=Disk(names=names)).stamp()


# -------------------------------------------------------------------------- references


def test_a_referred_file_that_is_swapped_at_each_look_is_told(tmp_path: Path) -> None:
    """It changed while it was being looked at; one that cannot be looked at has its reason."""
    (tmp_path / "password").write_text("canary")
    turns = [0]
    references = FileReferences(tmp_path, disk=Answers().disk)

    def where(name: str) -> str:
        turns[0] += 1
        return f"/gone/{turns[0]}"

    def missing(path: str | int) -> os.stat_result:
        raise FileNotFoundError(errno.ENOENT, "gone", str(path))

    def denied(path: str | int) -> os.stat_result:
        raise DENIED

    moving = FileReferences(tmp_path, disk=Disk(stat=missing))
    moving._where = where  # type: ignore[method-assign]
    with pytest.raises(SourceError, match="changed while it was being looked at"):
        moving.stamp("password")
    with pytest.raises(SourceError, match="permission denied"):
        FileReferences(tmp_path, disk=Disk(stat=denied)).stamp("password")
    assert references.kind == "file"


def test_a_variable_that_is_too_long_is_told_without_its_text() -> None:
    """By its name."""
    references = EnvReferences("APP_", {"APP_PASSWORD": "canary" * 10})
    with pytest.raises(ConfigError, match="variable APP_PASSWORD: holds more than 9") as caught:
        references.read("PASSWORD", references.stamp("PASSWORD"), 9)
    assert "canary" not in str(caught.value)


# --------------------------------------------------------------------- a copy and an etcd


def test_a_copy_that_cannot_be_put_in_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    """What was there stays."""
    (tmp_path / "copy").mkdir()
    copy = Copy("d", "yaml", b"a: 1", 5.0)
    with pytest.raises(OSError, match="directory"):
        save_copy(str(tmp_path / "copy"), "s", copy)
    assert os.listdir(tmp_path) == ["copy"]
    save_copy(str(tmp_path / "other"), "s", copy)
    assert load_copy(str(tmp_path / "other"), "s", lambda _: "d") == copy


class _Etcd:
    """A cluster that gives these keys."""

    def __init__(self, **keys: str) -> None:
        from base64 import b64encode

        self.kvs = [
            {
                "key": b64encode(name.encode()).decode(),
                "value": b64encode(value.encode()).decode(),
                "mod_revision": "3",
            }
            for name, value in keys.items()
        ]

    def call(self, path: str, body: object) -> dict[str, Any]:
        """Return all of them."""
        return {"kvs": self.kvs, "header": {"revision": "5", "cluster_id": "1"}}


def _source(cluster: _Etcd, **given: Any) -> EtcdSource:
    source = EtcdSource("http://127.0.0.1:1", **given)
    source._etcd = cluster  # type: ignore[assignment]
    source._quiet = SimpleNamespace(asked=lambda *_, **__: None, lasts=lambda: False)  # type: ignore[assignment]
    return source


def test_what_came_from_an_etcd_is_read_as_it_came() -> None:
    """Once something newer has come it is torn; too much of it is refused."""
    source = _source(_Etcd(shop="a: 1"), key="shop", format="yaml")
    stamp = source.stamp()
    assert [one.data for one in source.read(stamp, 100)] == [b"a: 1"]
    with pytest.raises(SourceError, match=r"is larger than max_bytes \(3 bytes\)"):
        source.read(stamp, 3)
    with pytest.raises(TornError, match="changed while it was being read"):
        source.read(Stamp("another"), 100)
    with pytest.raises(OptionError, match="format is one of"):
        EtcdSource("http://127.0.0.1:1", key="shop", format="xml")


def test_keys_below_a_prefix_are_told_by_their_own_name() -> None:
    """A key that is nowhere, by the prefix."""
    source = _source(_Etcd(**{"shop/db/url": "x", "shop/size": "5"}), prefix="shop/")
    layer = source.layer(source.read(source.stamp(), 100), {}, no_pause)
    assert layer.tree["db"] == {"url": "x"}
    assert layer.origin(("db", "url")) == Origin("etcd:shop/db/url")
    assert layer.origin(("db",)) == Origin("etcd:shop/db/url")
    assert layer.origin(("nowhere",)) == Origin("etcd:shop/")


def test_a_look_at_an_etcd_that_was_given_up_is_not_waited_for() -> None:
    """The next one fails at once; a forked child has a lock that nobody holds."""
    source = _source(_Etcd(shop="a: 1"), key="shop", format="yaml")
    held = source._used_by[1]
    with held, pytest.raises(SourceError, match="does not answer in time"):
        source.stamp()
    source._used_by = (-1, held)
    with held:
        assert source.stamp().value
    assert source._used_by[0] == os.getpid()

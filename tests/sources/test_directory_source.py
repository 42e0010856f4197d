"""A directory with one file per key: what becomes of names and texts, and its bounds.

Long because names, texts, bounds and times are each read from real directories.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reloadcheck._load.untyped import without_types
from reloadcheck.exceptions import ConfigSyntaxError, OptionError, SourceError, TornError
from reloadcheck.sources import DirectorySource, Disk
from reloadcheck.types import Layer, Source, Untyped

LIMIT = 1 << 20


def layer_of(source: Source, max_bytes: int = LIMIT) -> Layer:
    """Read and parse a source."""
    return source.layer(source.read(source.stamp(), max_bytes), {}, lambda: None)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Return a directory of secrets, with a subdirectory and what is hidden."""
    root = tmp_path / "secrets"
    (root / "database").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("hidden")
    (root / ".swp").write_text("hidden")
    (root / "empty").mkdir()
    (root / "tls.crt").write_text("one\ntwo\n")
    (root / "database" / "password").write_text("s3cr3t\n")
    return root


def test_files_are_keys_and_texts_are_values(secrets: Path) -> None:
    """Subdirectories nest; hidden names and empty directories add nothing."""
    source = DirectorySource(secrets)
    assert isinstance(source, Source)
    assert source.name == str(secrets)
    layer = layer_of(source)
    assert layer.tree == {"tls.crt": "one\ntwo", "database": {"password": "s3cr3t"}}
    assert str(layer.origin(("database", "password"))) == f"{secrets}/database/password"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", ""),
        (b"\n", ""),
        (b"a", "a"),
        (b"a\n", "a"),
        (b"a\n\n", "a\n"),
        (b"a\r\n", "a"),
        (b"a\r", "a\r"),
        (b" a: 1 ", " a: 1 "),
        (b"\xef\xbb\xbfa", "a"),
        ("p\u00e4ss\u2028".encode(), "p\u00e4ss\u2028"),
    ],
)
def test_a_text_is_verbatim_less_one_final_newline(secrets: Path, data: bytes, value: str) -> None:
    """Nothing is parsed, and nothing else is stripped but a byte order mark."""
    (secrets / "key").write_bytes(data)
    layer = layer_of(DirectorySource(secrets))
    assert layer.tree["key"] == value
    assert isinstance(layer.tree["key"], Untyped)
    assert without_types(layer, lambda: None).tree["key"] == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"one\ntwo\nkey\xff", "is not valid UTF-8"), (b"one\ntwo\nke\0y", "holds a NUL character")],
)
def test_what_is_no_text_is_refused_with_its_file_and_line(
    secrets: Path, data: bytes, reason: str
) -> None:
    """And without a byte of it in the message."""
    (secrets / "key").write_bytes(data)
    with pytest.raises(ConfigSyntaxError) as caught:
        layer_of(DirectorySource(secrets))
    assert str(caught.value) == f"{secrets}/key:3: {reason}"


def _edit(secrets: Path) -> None:
    (secrets / "database" / "password").write_text("0ther!\n")


def _add(secrets: Path) -> None:
    (secrets / "database" / "user").write_text("me")


def _remove(secrets: Path) -> None:
    (secrets / "database" / "password").unlink()


def _rename(secrets: Path) -> None:
    (secrets / "tls.crt").rename(secrets / "tls.pem")


@pytest.mark.parametrize("change", [_edit, _add, _remove, _rename])
def test_every_change_moves_the_stamp_and_has_to_settle(
    secrets: Path, change: Callable[[Path], None]
) -> None:
    """The new stamp is as young as the change, a removal included; a read under the old is torn."""
    source = DirectorySource(secrets)
    before = source.stamp()
    assert before.newest_ns is not None
    now_ns = before.newest_ns
    while now_ns == before.newest_ns:
        # Let the file system's clock tick, so that the change cannot look as old as the rest.
        (secrets.parent / "clock").touch()
        now_ns = os.stat(secrets.parent / "clock").st_ctime_ns
    change(secrets)
    after = source.stamp()
    assert after.value != before.value
    assert after.newest_ns is not None
    assert after.newest_ns >= now_ns
    with pytest.raises(TornError):
        source.read(before, LIMIT)


def test_what_is_hidden_does_not_move_the_stamp(secrets: Path) -> None:
    """An editor's swap file beside the keys starts no wait."""
    source = DirectorySource(secrets)
    before = source.stamp()
    (secrets / ".key.swp").write_text("x")
    assert source.stamp().value == before.value


def test_a_change_during_the_read_is_torn(secrets: Path) -> None:
    """Also of a file that was read before it."""

    def reading(descriptor: int, size: int) -> bytes:
        _add(secrets)
        return os.read(descriptor, size)

    source = DirectorySource(secrets, disk=Disk(read=reading))
    with pytest.raises(TornError):
        source.read(source.stamp(), LIMIT)


def test_the_bytes_are_bounded_in_sum_and_each(secrets: Path) -> None:
    """Eight and seven bytes fit into fifteen, not into fourteen."""
    assert layer_of(DirectorySource(secrets), 15).tree["tls.crt"] == "one\ntwo"
    with pytest.raises(SourceError) as caught:
        layer_of(DirectorySource(secrets), 14)
    assert str(caught.value) == f"{secrets}: is larger than max_bytes (14 bytes)"


def test_the_entries_are_bounded(secrets: Path) -> None:
    """A directory of everything is refused after a bounded part of the list, hidden names too."""
    asked: list[int] = []

    def names(_: str, most: int) -> list[str]:
        asked.append(most)
        return [f".{number}" for number in range(most)]

    with pytest.raises(SourceError, match="holds more than 10000 entries"):
        DirectorySource(secrets, disk=Disk(names=names)).stamp()
    assert asked == [10_001]
    assert len(Disk().names("/proc/self", 3)) == 3


def test_depth_is_bounded(secrets: Path) -> None:
    """A file may lie in 63 directories, which makes 64 keys, and not in 64."""
    deep = secrets.joinpath(*"d" * 63)
    deep.mkdir(parents=True)
    (deep / "key").write_text("x")
    DirectorySource(secrets).stamp()
    (deep / "d").mkdir()
    DirectorySource(secrets).stamp()
    (deep / "d" / "key").write_text("x")
    with pytest.raises(SourceError, match="nests deeper than 64 directories"):
        DirectorySource(secrets).stamp()


def test_a_directory_linked_into_itself_is_refused(secrets: Path) -> None:
    """It neither hangs nor recurses."""
    (secrets / "database" / "again").symlink_to(secrets / "database")
    with pytest.raises(SourceError, match="again: symbolic links form a loop"):
        DirectorySource(secrets).stamp()


def test_an_empty_directory_is_not_an_empty_configuration(tmp_path: Path) -> None:
    """An unmounted volume shows one."""
    source = DirectorySource(tmp_path)
    with pytest.raises(SourceError, match=f"^{tmp_path}: holds no files"):
        source.read(source.stamp(), LIMIT)


def test_what_is_no_directory_says_so(secrets: Path) -> None:
    """Missing, or a file."""
    with pytest.raises(SourceError) as caught:
        DirectorySource(secrets / "none").stamp()
    assert str(caught.value) == f"{secrets}/none: does not exist"
    with pytest.raises(SourceError) as caught:
        DirectorySource(secrets / "tls.crt").stamp()
    assert str(caught.value) == f"{secrets}/tls.crt: is a file, not a directory"


def test_an_entry_that_is_no_file_is_named(secrets: Path) -> None:
    """A FIFO would hang a careless reader."""
    os.mkfifo(secrets / "database" / "pipe")
    errors: list[SourceError] = []

    def look() -> None:
        try:
            DirectorySource(secrets).stamp()
        except SourceError as error:
            errors.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(30)
    assert [str(e) for e in errors] == [f"{secrets}/database/pipe: is a FIFO, not a file"]


def test_a_dangling_entry_is_named(secrets: Path) -> None:
    """With where it leads; the tries for files that merely moved do not hide it."""
    (secrets / "database" / "token").symlink_to("nowhere")
    with pytest.raises(SourceError) as caught:
        DirectorySource(secrets).stamp()
    assert str(caught.value) == (
        f"{secrets}/database/token: is a dangling symbolic link to nowhere"
    )


def test_a_name_that_is_not_utf8_is_refused(secrets: Path) -> None:
    """It could be a key of nothing."""
    with open(os.fsencode(secrets) + b"/k\xff", "wb"):
        pass
    with pytest.raises(SourceError, match="has a name that is not valid UTF-8"):
        DirectorySource(secrets).stamp()


def test_a_file_that_goes_between_list_and_look_is_not_missed(secrets: Path) -> None:
    """The list is simply taken again."""
    left = [1]

    def names(path: str, most: int) -> list[str]:
        listed = list(Disk().names(path, most))
        if left:
            left.pop()
            (secrets / "tls.crt").unlink()
        return listed

    assert layer_of(DirectorySource(secrets, disk=Disk(names=names))).tree == {
        "database": {"password": "s3cr3t"}
    }


def test_the_order_of_the_list_does_not_matter(secrets: Path) -> None:
    """File systems list in any order; equal files are an equal stamp and equal documents."""
    (secrets / "a").write_text("x")

    def backwards(path: str, most: int) -> list[str]:
        return sorted(Disk().names(path, most), reverse=True)

    def forwards(path: str, most: int) -> list[str]:
        return sorted(Disk().names(path, most))

    one = DirectorySource(secrets, disk=Disk(names=backwards))
    two = DirectorySource(secrets, disk=Disk(names=forwards))
    assert one.stamp() == two.stamp()
    assert one.read(one.stamp(), LIMIT) == two.read(two.stamp(), LIMIT)


def test_what_a_platform_puts_there_is_left_out(secrets: Path) -> None:
    """A pod's service account is no configuration, and its renewal moves nothing."""
    account = secrets / "kubernetes.io" / "serviceaccount"
    account.mkdir(parents=True)
    (account / "token").write_text("canary")
    (secrets / "tokens").mkdir()
    (secrets / "tokens" / "istio-token").write_text("canary")
    (secrets / "tokens" / "mine").write_text("x")
    source = DirectorySource(secrets)
    stamp = source.stamp()
    tree = layer_of(source).tree
    assert tree == {
        "tls.crt": "one\ntwo",
        "database": {"password": "s3cr3t"},
        "tokens": {"mine": "x"},
    }
    assert source.left_out() == ["kubernetes.io", "tokens/istio-token"]
    (account / "token").write_text("renewed")
    assert source.stamp() == stamp


def test_a_directory_of_nothing_but_a_platform_s_says_so(tmp_path: Path) -> None:
    """Else it would read as if the files were not seen."""
    (tmp_path / "kubernetes.io").mkdir()
    (tmp_path / "kubernetes.io" / "token").write_text("canary")
    source = DirectorySource(tmp_path)
    with pytest.raises(SourceError) as caught:
        source.read(source.stamp(), LIMIT)
    assert "holds no files of the application: kubernetes.io is the platform's" in str(caught.value)


def test_only_what_is_named_is_taken(secrets: Path) -> None:
    """Whole directories or single files below them; a platform's too, when it is asked for."""
    (secrets / "kubernetes.io").mkdir()
    (secrets / "kubernetes.io" / "token").write_text("t")
    (secrets / "database" / "user").write_text("me")
    one = DirectorySource(secrets, only=["database/user", "kubernetes.io"])
    assert layer_of(one).tree == {"database": {"user": "me"}, "kubernetes.io": {"token": "t"}}
    assert one.left_out() == []
    whole = DirectorySource(secrets, only=("database",))
    before = whole.stamp()
    assert layer_of(whole).tree == {"database": {"password": "s3cr3t", "user": "me"}}
    (secrets / "tls.crt").write_text("other")
    assert whole.stamp().value == before.value


def test_what_only_names_must_be_there(secrets: Path) -> None:
    """A secret that is not mounted is told by its place, and nothing is served without it."""
    with pytest.raises(SourceError) as caught:
        DirectorySource(secrets, only=["database", "smtp/password"]).stamp()
    assert str(caught.value) == (f"{secrets}/smtp/password: is not there, though only= names it")


@pytest.mark.parametrize("only", ["database", [], [""], ["/database"], ["a/../b"], ["."]])
def test_what_is_no_list_of_names_is_refused(secrets: Path, only: Any) -> None:
    """At construction: a text would be read as its letters."""
    with pytest.raises(OptionError, match="only is a list of names"):
        DirectorySource(secrets, only=only)


def test_a_name_nests_where_it_is_told_to(secrets: Path) -> None:
    """Docker's flat secrets are parts of a configuration; each is told by its own file."""
    (secrets / "smtp__auth__password").write_text("p\n")
    (secrets / "smtp__host").write_text("h\n")
    (secrets / "database" / "pool__size").write_text("5")
    layer = layer_of(DirectorySource(secrets, nested="__"))
    assert layer.tree == {
        "tls.crt": "one\ntwo",
        "database": {"password": "s3cr3t", "pool": {"size": "5"}},
        "smtp": {"auth": {"password": "p"}, "host": "h"},
    }
    assert str(layer.origin(("smtp", "auth", "password"))) == f"{secrets}/smtp__auth__password"
    assert str(layer.origin(("smtp",))) == f"{secrets}/smtp__auth__password"
    assert layer_of(DirectorySource(secrets)).tree["smtp__host"] == "h"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("database__password", "database.password: contradicts {}/database/password"),
        ("database", "contradicts"),
        ("__x", "names an empty key"),
        ("x____y", "names an empty key"),
        ("__".join("a" * 65), "nests deeper than 64 keys"),
    ],
)
def test_names_that_nest_to_nonsense_are_refused(tmp_path: Path, name: str, reason: str) -> None:
    """Two files for one key, a key inside a text, an empty one; each by its file."""
    root = tmp_path / "keys"
    (root / "database").mkdir(parents=True)
    (root / "database" / "password").write_text("canary")
    if name == "database":
        (root / "database" / "password").rename(root / "database__password")
        (root / "database").rmdir()
    (root / name).write_text("canary")
    with pytest.raises(ConfigSyntaxError) as caught:
        layer_of(DirectorySource(root, nested="__"))
    assert reason.format(root) in str(caught.value)
    assert str(caught.value).startswith(f"{root}/")
    assert "canary" not in str(caught.value)


def test_nothing_sets_no_keys_apart(secrets: Path) -> None:
    """It is a slip, and told at construction."""
    with pytest.raises(OptionError):
        DirectorySource(secrets, nested="")

"""One grammar of key paths: what is written anywhere is read everywhere."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloadcheck import RegistrationError, ReloadCheck, UsageError
from reloadcheck._config.key_path import key_path_of
from reloadcheck.testing import MemorySource
from reloadcheck.types import KeyPath, key_path_text

KEYS = st.one_of(
    st.integers(0, 99),
    st.text(max_size=20),
    st.sampled_from(["a.b", "a[1]", "\\", '"', "\\n", "\n", "\x1b", "\u202e", "a\\", "*", "0"]),
)


@given(st.lists(KEYS, min_size=1, max_size=5).map(tuple))
def test_what_is_shown_is_read_back(path: KeyPath) -> None:
    """Any key: with dots, quotes, brackets, backslashes, control characters, or none at all."""
    assert key_path_of(key_path_text(path)) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("database.url", ("database", "url")),
        ("hosts[1].name", ("hosts", 1, "name")),
        ('"a.b"[0]."c d"', ("a.b", 0, "c d")),
        ("services.*.timeout", ("services", "*", "timeout")),
        ("a-b.c_d", ("a-b", "c_d")),
    ],
)
def test_what_people_write(text: str, path: KeyPath) -> None:
    """Dotted, with indexes and quotes."""
    assert key_path_of(text) == path


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a]", 'a."b', "a[1]b"])
def test_what_is_no_key_path(text: str) -> None:
    """It is refused wherever it is written."""
    with pytest.raises(UsageError):
        key_path_of(text)
    with pytest.raises(RegistrationError, match="a path is dotted"):
        ReloadCheck("x.yaml").resource(text)


def test_a_resource_takes_the_paths_that_messages_write() -> None:
    """An item of a list, a key with a dot in it: the part itself, rebuilt when it changes."""
    source = MemorySource({"hosts": [{"name": "a"}, {"name": "b"}], "a.b": {"c": 1}})
    live: ReloadCheck[Any] = ReloadCheck(source, environ={})
    seen: list[tuple[object, object]] = []

    @live.resource("hosts[1].name", '"a.b".c')
    def made(name: str, c: int) -> object:
        seen.append((name, c))
        return object()

    live.start()
    source.edit({"hosts": [{"name": "x"}, {"name": "b"}], "a.b": {"c": 1}})
    live.check()
    source.edit({"hosts": [{"name": "x"}, {"name": "y"}], "a.b": {"c": 2}})
    live.check()
    assert seen == [("b", 1), ("y", 2)]
    live.close()

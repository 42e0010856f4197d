"""Where a key stands whose value is known: what names a wrong key points at it."""

import pytest

from reloadcheck.parsers import origin_at
from reloadcheck.types import Document

FOUND: list[tuple[str, str, tuple[str | int, ...], tuple[int, int] | None]] = [
    ("yaml", "a: 1\nb: 2\n", ("b",), (2, 1)),
    ("yaml", "databse:\n  host: x\n", ("databse",), (1, 1)),
    ("yaml", "databse:  # a remark: b\n\n  # more\n  host: x\n", ("databse",), (1, 1)),
    ("yaml", "a:\n  a:\n    a: 1\n", ("a", "a"), (2, 3)),
    ("yaml", "'a b': &x !!str 1\n", ("a b",), (1, 1)),
    ("yaml", '"a": {"b": [1, {"c": 2}]}\n', ("a", "b", 1, "c"), (1, 17)),
    ("yaml", "- b: 1\n- b: 2\n", (), None),
    ("yaml", "l:\n- b: 1\n- b: 2\n", ("l", 1, "b"), (3, 3)),
    ("yaml", "l: [b, b]\n", ("l", 1), None),
    ("yaml", "? a\n: 1\n", ("a",), (1, 3)),
    ("yaml", "x: &m {b: 1}\ny:\n  <<: *m\n", ("y", "b"), (1, 8)),
    ("yaml", "ab: a\nb:\n", ("b",), (2, 1)),
    ("yaml", "bb: 1\n", ("b",), None),
    ("yaml", "a: |\n  b: c\nb: 1\n", ("a",), (1, 1)),
    ("yaml", '"\\u0061": 1\n', ("a",), None),
    ("json", '{"a" :\n {"b": "b"}}', ("a",), (1, 2)),
    ("json", '{"a" :\n {"b": "b"}}', ("a", "b"), (2, 3)),
    ("toml", "a = 1\n[t.databse]  # b\nhost = 'x'\n", ("t", "databse"), None),
    ("toml", "[[l]]\nb = 1\n[[l]]\nb = 2\n", ("l", 1, "b"), (4, 1)),
    ("toml", "'b c' = 2\n", ("b c",), (1, 1)),
]


@pytest.mark.parametrize(("form", "text", "path", "place"), FOUND)
def test_a_key_is_found_before_its_value(
    form: str, text: str, path: tuple[str | int, ...], place: tuple[int, int] | None
) -> None:
    """In each format and style; None, rather than another key, where it cannot be told."""
    assert origin_at(Document("c", text.encode(), form), path).key == place

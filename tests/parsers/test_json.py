"""The JSON reader: what it refuses, and where."""

import json

import pytest

from reloadcheck.exceptions import ConfigSyntaxError
from reloadcheck.parsers import parse
from reloadcheck.types import Document

PLACES = {
    '{"a": 1,\n"a": 2}': "c.json:2:1: a: duplicate key; first on line 1",
    '{"a": {"b": [1, {"c": NaN}]}}': "c.json:1:23: a.b[1].c: "
    "a number must be finite, not infinite and not NaN",
    '{"a": [1, 2,\n 9223372036854775808]}': "c.json:2:2: a[2]: an integer must fit into 64 bits; "
    "put it in quotes to have it as text",
    '{"a": 01}': "c.json:1:8: a comma or } is expected here",
    '{"a": [1 2]}': "c.json:1:10: a: a comma or ] is expected here",
    '{"a": 1,}': "c.json:1:9: a key in double quotes is expected here",
    '{"a": [1,]}': "c.json:1:10: a[1]: a value is expected here",
    "{'a': 1}": "c.json:1:2: a key in double quotes is expected here",
    '{"a" 1}': "c.json:1:6: a colon is expected here",
    '{"a": 1} 2': "c.json:1:10: there is something after the end of the mapping",
    '{"a": {"b": 1': "c.json:1:14: a: breaks off here, where a comma or } is expected",
    '{"a": word}': "c.json:1:7: a: a value is expected here, in quotes if it is text",
    '{"a": "\\x"}': "c.json:1:7: a: an escape that JSON does not know",
    '{"a": "b\n"}': "c.json:1:7: a: the text that begins here does not end, "
    "or holds a control character",
    "=": "c.json:1:1: is not JSON: a mapping in { } is expected",
}


@pytest.mark.parametrize(("text", "sentence"), PLACES.items())
def test_a_refusal_names_the_place_and_the_key_path(text: str, sentence: str) -> None:
    """Whatever is refused is refused at its line and column, below its key path, in our words."""
    with pytest.raises(ConfigSyntaxError) as caught:
        parse(Document("c.json", text.encode(), "json"), lambda: None)
    assert sentence == str(caught.value)


def test_a_tree_is_what_the_library_gives() -> None:
    """Every kind of value and escape arrives as `json.loads` would have it."""
    text = r"""{"a": [1, -0, -0.0, 1e3, 1.5E-3, true, false, null, {}, []],
        "\u00e9\ud83d\ude00": "\"\\\/\b\f\n\r\t\u0000", "": {"": {"": ""}}}"""
    tree = parse(Document("c.json", text.encode(), "json"), lambda: None)
    assert repr(json.loads(text)) == repr(tree)

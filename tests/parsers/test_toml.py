"""The TOML reader: what it refuses, where, and at what cost."""

import tomllib

import pytest

from reloadcheck.exceptions import ConfigSyntaxError
from reloadcheck.parsers import parse
from reloadcheck.types import Document
from tests.support.lateness import least

PLACES = {
    "a = 1\na = 2": "c.toml:2:5: a: duplicate key; first on line 1",
    "a = 1\na = [\n1,\n2]\n": "c.toml:2:5: a: duplicate key; first on line 1",
    "[a]\nb = 1\n\n[a]\nc = 1": "c.toml:4:1: a: duplicate table; first on line 1",
    "a = {b = 1, b = 2}": "c.toml:1:17: a.b: duplicate key; first on line 1",
    "a = {b = 1}\n[a.c]\n": "c.toml:2:1: a.c: duplicate table",
    "[[a]]\nb = 1\n[[a]]\nb = inf": "c.toml:4:5: a[1].b: "
    "a number must be finite, not infinite and not NaN",
    "a = [1,\n 27:32:00]": "c.toml:2:4: a[1]: a comma is missing here, or the list or table is "
    "not closed",
    "a = 1979-02-30": "c.toml:1:5: a: is a date or time that does not exist",
    "[a]\nb = word": "c.toml:2:5: a.b: a value is expected here, in quotes if it is text",
    'a = "x': "c.toml:1:5: the text that begins here in quotes does not end",
    'a = """x\ny': "c.toml:1:5: the text that begins here in quotes does not end",
    "a = '''x\ny": "c.toml:1:5: the text that begins here in quotes does not end",
    "a = [1 2]": "c.toml:1:8: a[0]: a comma is missing here, or the list or table is not closed",
    "a = [1, 2": "c.toml:1:10: a comma is missing here, or the list or table is not closed",
    "a = 1 b = 2": "c.toml:1:7: a: the line should end here",
    "a\nb = 1": "c.toml:1:2: = is expected here",
    "[a\nb = 1": "c.toml:1:3: ] is expected here",
    "= 1": "c.toml:1:1: a key is expected here",
    'a = "\\q"': "c.toml:1:8: a: an escape that TOML does not know",
    '"\\q" = 1': "c.toml:1:1: an escape that TOML does not know",
    "x = 1\r\ny = 2\r\nx = 3\r\n": "c.toml:3:5: x: duplicate key; first on line 1",
}


@pytest.mark.parametrize(("text", "sentence"), PLACES.items())
def test_a_refusal_names_the_place_and_the_key_path(text: str, sentence: str) -> None:
    """Whatever is refused is refused at its line and column, below its key path, in our words."""
    with pytest.raises(ConfigSyntaxError) as caught:
        parse(Document("c.toml", text.encode(), "toml"), lambda: None)
    assert sentence == str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["a." * 500_000 + "a = 1", "[" + "a." * 500_000 + "a]", "a = {" + "a." * 500_000 + "a = 1}"],
)
def test_a_key_of_many_parts_costs_nothing(text: str) -> None:
    """A dotted key, which the library reads in quadratic time and space, is refused in 50 ms."""

    def refused() -> None:
        with pytest.raises(ConfigSyntaxError, match="deeper than 64"):
            parse(Document("c.toml", text.encode(), "toml"), lambda: None)

    assert least(refused, 0.05) < 0.05


EVERYTHING = r"""
title = '''
"a" 'b' \
   b'''
'a.b'."c\u0041" . d = {x = 1, y.z = [ [ 1 , 2 ], # ] " c
  [ '''it's''', "#\"]" ] ] }
[[t]]
n = 0x1_F
[[t.u]]
m = 1979-05-27 07:32:00Z
o = [07:32:00, 07:32:00.999, 1979-05-27, 1979-05-27T07:32:00]
[[t]]
"""


def test_a_tree_is_what_the_library_gives() -> None:
    """Every way to write a value arrives as `tomllib.loads` would have it."""
    text = EVERYTHING
    tree = parse(Document("c.toml", text.encode(), "toml"), lambda: None)
    assert repr(tomllib.loads(text)) == repr(tree)

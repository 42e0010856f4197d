"""The YAML reader: what it refuses, where, and at what cost.

Long because the documents that are refused stand beside where and why.
"""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
import yaml

from reloadcheck.exceptions import ConfigSyntaxError
from reloadcheck.parsers import parse
from reloadcheck.parsers._left_over import UNFILLED, UNRESOLVED
from reloadcheck.parsers._yaml_reasons import NO_KEY
from reloadcheck.types import Document, Tree
from tests.fuzz.targets import oracle, same
from tests.support.lateness import least


def read(text: str) -> Tree:
    """Read a YAML text."""
    return parse(Document("c.yaml", text.encode(), "yaml"), lambda: None)


def refused(text: str) -> str:
    """Return the sentence of the error with which a YAML text is refused."""
    with pytest.raises(ConfigSyntaxError) as caught:
        read(text)
    return str(caught.value)


def alias_bomb(levels: int) -> str:
    """Write lists of which each holds the one before nine times."""
    first = "a0: &a0 [x, x, x, x, x, x, x, x, x]"
    rest = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels))
    return "\n".join([first, *rest])


def merge_bomb(levels: int) -> str:
    """Write mappings of which each merges the one before twice."""
    first = "m0: &m0 {k: v}"
    rest = (f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}], k{n}: v}}" for n in range(1, levels))
    return "\n".join([first, *rest])


def block(levels: int) -> str:
    """Write block mappings inside each other."""
    return "".join(f"{' ' * level}a:\n" for level in range(levels))


BOMBS = {
    "aliases, 6 levels": alias_bomb(6),
    "aliases, 12 levels": alias_bomb(12),
    "merge keys, 25 levels": merge_bomb(25),
    "merge keys, 60 levels": merge_bomb(60),
    "merges of one large mapping": "a: &a {"
    + ", ".join(f"k{n}: v" for n in range(1000))
    + "}\nb: ["
    + "{<<: *a}, " * 200
    + "]",
}
DEEP = {
    "flow lists": "a: " + "[" * 1_000_000,
    "flow mappings": "a: " + "{a: " * 300_000,
    "block lists": "a:\n  " + "- " * 1_000_000,
    "block mappings": block(1000),
    "explicit keys": "? " * 1_000_000,
    "100 KB of brackets": "a: " + "[" * 100_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_before_anything_is_built_from_it(text: str) -> None:
    """What aliases and merge keys add beyond the budget costs neither 50 ms nor 20 MB."""
    tracemalloc.start()
    try:
        assert "add more than 100,000 nodes" in refused(text)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()
    assert least(lambda: refused(text), 0.05) < 0.05


def test_aliases_within_the_budget_are_shared_parts() -> None:
    """The budget is for what aliases add: a large document of its own nodes is none of it."""
    own = "\n".join(f"k{n}: [{', '.join(['x'] * 100)}]" for n in range(1500))
    tree = read(f"{own}\na: &a [1, 2]\nb: *a\nc: {{<<: {{d: *a}}, e: 1}}")
    assert len(tree) == 1503
    assert tree["b"] == [1, 2]
    assert tree["c"] == {"d": [1, 2], "e": 1}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_nesting_is_refused_at_once_where_it_gets_too_deep(text: str) -> None:
    """The reader stops at the sixty-fifth level, however much comes behind it, within 50 ms."""
    assert least(lambda: refused(text), 0.05) < 0.05
    sentence = refused(text)
    assert "deeper than 64" in sentence or "a key must be" in sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: " + "[" * 2000, "c.yaml:1:67: a" + "[0]" * 63 + ": is nested deeper than 64 levels"),
        ("a: " + "{b: " * 999 + "[" * 999, "c.yaml:1:256: a" + ".b" * 63 + ": is nested deeper"),
        ("a:\n " + "- " * 2000, "c.yaml:2:128: a" + "[0]" * 63 + ": is nested deeper"),
        ("a: [!x 1, " + "[" * 2000, "c.yaml:1:5: a[0]: a tag is not allowed here"),
        ("a: [1], }, " + "[" * 2000, "c.yaml:1:7: "),
        ("a: [1, }, " + "[" * 2000, "c.yaml:1:8: a value is missing here"),
    ],
    ids=["lists", "mappings", "block lists", "a tag before", "an end before", "a flaw before"],
)
def test_the_first_flaw_is_told_however_far_the_parser_looks_ahead(
    text: str, expected: str
) -> None:
    """What is refused, and where, is the same whether or not libyaml has a limit of its own."""
    assert refused(text).startswith(expected)


def test_nesting_does_not_kill_a_thread_with_a_small_stack() -> None:
    """Any depth, flow or block, is a clean error in a thread with 128 KiB of stack."""
    program = """
import threading
from reloadcheck.exceptions import ConfigSyntaxError
from reloadcheck.parsers import parse
from reloadcheck.types import Document

texts = ["a: " + "[" * 1_000_000, "a: " + "{a: " * 300_000, "? " * 9999]
texts.append("a:\\n  " + "- " * 1_000_000)
texts.append("".join(" " * level + "a:\\n" for level in range(1000)))
kept = []

def work():
    for text in texts:
        for format_ in ("yaml", "json", "toml"):
            try:
                parse(Document("c", text.encode(), format_), lambda: None)
            except ConfigSyntaxError as error:
                kept.append(error)
    json = '{"a": ' + "[" * 1_000_000
    toml = "a = " + "[" * 1_000_000
    for format_, text in ("json", json), ("toml", toml), ("toml", "a." * 500_000 + "a = 1"):
        try:
            parse(Document("c", text.encode(), format_), lambda: None)
        except ConfigSyntaxError as error:
            assert "deeper" in error.reason
            kept.append(error)

threading.stack_size(128 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(len(kept))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "18\n", "")


TAB = "a tab may stand only in quotes, comments and blocks of text"
NO_TAG = "a tag is not allowed here; put text that begins with ! in quotes"
TOP = "the top level must be a mapping, each key with a colon and a space after it"
PLACES = {
    "a: 1\nb:\n  c: 2\n  c: 3\n": "c.yaml:4:3: b.c: duplicate key; first on line 3",
    "a: 1\n'a': 2": "c.yaml:2:1: a: duplicate key; first on line 1",
    "1: a\ntrue: b": "c.yaml:2:1: this key is read as true or false; put it in quotes",
    "1: a\n0x1: b": "c.yaml:2:1: [1]: duplicate key; first on line 1",
    "a: {80: b, 8080: [1, 0x_]}": "c.yaml:1:22: a[8080][1]: cannot be read as an integer",
    "9223372036854775808: b": "c.yaml:1:1: an integer must fit into 64 bits; "
    "put it in quotes to have it as text",
    "a:\n  on: b": "c.yaml:2:3: a: this key is read as true or false; put it in quotes",
    "1.5: b": "c.yaml:1:1: this key is read as a number; put it in quotes",
    "~: b": "c.yaml:1:1: this key is read as null; put it in quotes",
    "2001-01-01: b": "c.yaml:1:1: this key is read as a date; put it in quotes",
    "a: {[b]: c}": "c.yaml:1:5: a: a key must be a single word or text; "
    "put text with { or [ in quotes",
    "a: *.example.com": "c.yaml:1:5: the name of an anchor or alias is missing; put text in quotes",
    'a: "C:\\Users"': "c.yaml:1:9: an escape that does not exist; single quotes take a \\ as it is",
    "a: 1\nb:2\n": f"c.yaml:2:1: {NO_KEY}",
    "a: |\nb\nc: 2\n": f"c.yaml:2:1: {NO_KEY}",
    "a: &x\n  b: [1, *x]": "c.yaml:2:10: a.b[1]: the anchor &x contains itself",
    "a: &x {<<: *x}": 'c.yaml:1:12: a."<<": the anchor &x contains itself',
    "a: *x": "c.yaml:1:4: a: there is no such anchor before this alias; put text in quotes",
    "a: &x 1\nb: &x 2": "c.yaml:2:4: b: this anchor is declared twice; "
    "put text that begins with & in quotes",
    "a: 1\n---\nb: 2": "c.yaml:2:1: holds more than one document",
    "a: 1\n...\n---\n": "c.yaml:3:1: holds more than one document",
    "a: !env HOME": f"c.yaml:1:4: a: {NO_TAG}",
    "a: !!set {b}": "c.yaml:1:4: a: the tag !!set is not allowed; only plain YAML is read",
    "a: !!omap [b: 1]": "c.yaml:1:4: a: the tag !!omap is not allowed; only plain YAML is read",
    "a: !!binary QQ==": "c.yaml:1:4: a: the tag !!binary is not allowed; only plain YAML is read",
    "a: ! 1": f"c.yaml:1:4: a: {NO_TAG}",
    "- a": f"c.yaml:1:1: {TOP}",
    "a:1": f"c.yaml:1:1: {TOP}",
    "a:\n  - 1\n  - 0x_": "c.yaml:3:5: a[1]: cannot be read as an integer",
    "a: !!bool maybe": "c.yaml:1:4: a: cannot be read as true or false",
    "a: !!timestamp soon": "c.yaml:1:4: a: is a date or time that does not exist",
    "a: 2001-02-30": "c.yaml:1:4: a: is a date or time that does not exist",
    "a: 2001-01-01T00:00:00+99:00": "c.yaml:1:4: a: is a date or time that does not exist",
    "a: <<": "c.yaml:1:4: a: << means something only as a key; put it in quotes",
    "a: [=]": "c.yaml:1:5: a[0]: = means something only as a key; put it in quotes",
    "a: &x =": "c.yaml:1:4: a: an anchor may not stand before =",
    "<<: 1": 'c.yaml:1:5: "<<": a merge key takes a mapping, or a list of mappings',
    "a: {<<: {}, <<: {}}": "c.yaml:1:13: a: there is more than one merge key; "
    "merge a list of mappings instead",
    "a: [1, 2": "c.yaml:1:4: the list that begins here is not closed, or a comma is missing",
    "a:\n\t": f"c.yaml:2:1: {TAB}",
    "a: [\n\n": "c.yaml:1:5: a value is missing here",
    "a: {b: 1": "c.yaml:1:4: the mapping that begins here is not closed, or a comma is missing",
    "a: 1\nb: 'x\nc: 2\n": "c.yaml:2:4: the text that begins here in quotes does not end",
    "a:\n\tb: 1": f"c.yaml:2:1: {TAB}",
    "a: b: c": "c.yaml:1:5: no key may stand here; put text with a colon in quotes",
    "a: @b": "c.yaml:1:4: no value may begin with @; put it in quotes",
    "a: `b`": "c.yaml:1:4: no value may begin with `; put it in quotes",
    "a: {{ b }}": f"c.yaml:1:4: a: {UNFILLED}",
    "a: 1\n{% if b %}\nc: 1\n{% endif %}": f"c.yaml:2:1: {UNFILLED}",
    "a: {{b: 1}: 2}": f"c.yaml:1:4: a: {UNFILLED}",
    "<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\n": f"c.yaml:1:1: {UNRESOLVED}",
    "b: 1\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\n": f"c.yaml:2:1: {UNRESOLVED}",
    "b: @\na: |\n  <<<<<<< HEAD\n  >>>>>>> x\n": "c.yaml:1:4: no value may begin with @; put it "
    "in quotes",
    "a: b\tc": f"c.yaml:1:5: {TAB}",
    "a: [b]\t# c": f"c.yaml:1:7: {TAB}",
    "a: |\t\n  b": f"c.yaml:1:5: {TAB}",
    "a: [[1, 0x_]]": "c.yaml:1:9: a[0][1]: cannot be read as an integer",
    "a: >-#b\n  c": "c.yaml:1:4: put a space before the # of this comment",
    "a: |2#b\n    c": "c.yaml:1:4: put a space before the # of this comment",
    "a: !!str\n  |#b\n   c": "c.yaml:2:3: put a space before the # of this comment",
    "a: &b # |\n  |#b\n   c": "c.yaml:2:3: put a space before the # of this comment",
    "a: !!str\n  |\t\n   c": f"c.yaml:2:4: {TAB}",
    "a: !!str\n  | \t# c\n   c": f"c.yaml:2:5: {TAB}",
    "a: [&b # it's\n\t'c']": f"c.yaml:2:1: {TAB}",
    'a: [!!str # "\n \t"b"]': f"c.yaml:2:2: {TAB}",
    "a: [b?c]": "c.yaml:1:5: put text with a question mark inside brackets in quotes",
    "a: &x:y#z\tb": f"c.yaml:1:10: {TAB}",
    "a: [!!str, b]": "c.yaml:1:5: put a space between this tag and the comma",
    "a: [b, &c !!str, d]": "c.yaml:1:8: put a space between this tag and the comma",
    "a: {b: !!str, c: d}": "c.yaml:1:8: put a space between this tag and the comma",
    "%YAML 1.1#\n---\na: 1": "c.yaml:1:1: no directive but %YAML 1.1 may stand here",
    "%TAG ! tag:yaml.org,2002:\n---\na: 1": "c.yaml:1:1: no directive but %YAML 1.1 may stand here",
    "a: é\r\nb: ☃\r\n\r\nc: @": "c.yaml:4:4: no value may begin with @; put it in quotes",
}


@pytest.mark.parametrize(("text", "sentence"), PLACES.items())
def test_a_refusal_names_the_place_and_the_key_path(text: str, sentence: str) -> None:
    """Whatever is refused is refused at its line and column, below its key path, in our words."""
    assert sentence == refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['touch {mark}']",
        "a: !!python/name:os.system",
        "!!python/object/new:os.system [touch {mark}]",
        "? !!python/object/apply:os.system ['touch {mark}']\n: 1",
    ],
)
def test_a_tag_executes_nothing(text: str, tmp_path: Path) -> None:
    """A Python tag is refused by its name and does nothing."""
    mark = tmp_path / "mark"
    assert "the tag !!python/" in refused(text.replace("{mark}", str(mark)))
    assert list(tmp_path.iterdir()) == []


def test_many_tag_directives_are_refused_at_once() -> None:
    """Directives, which libyaml compares with each other, do not take quadratic time."""
    text = "".join(f"%TAG !{n}! x\n" for n in range(60_000)) + "---\na: 1\n"
    assert "directives" in refused(text)
    assert least(lambda: refused(text), 0.05) < 0.05


SLOW = {
    "marks of comments": "a: 1\n" + "#\n" * 2_000_000,
    "marks of tags": "a: '" + "!" * 4_000_000 + "'",
    "digits that are no number": "a: " + "1" * 4_000_000 + "x",
    "digits and colons that are no number": "a: " + "1:" * 2_000_000 + "x",
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_a_large_text_of_marks_costs_a_few_times_a_plain_one(text: str) -> None:
    """What is looked at by its characters takes no second for four megabytes, nor one long go."""
    plain = "a: '" + "b" * 4_000_000 + "'"
    most = 4 * least(lambda: read(plain), 0.0)
    assert least(lambda: read(text), most) < most


LONG = {
    "a: " + "1" * 401: "a number may have at most 400 characters",
    "a: -0x" + "1f" * 300: "a number may have at most 400 characters",
    "a: 1." + "0" * 500 + "e+1": "a number may have at most 400 characters",
    "a: 1" + ":30" * 200: "a number may have at most 400 characters",
    "a: 2001-01-01 01:01:01." + "0" * 500 + " +1:00": "a number may have at most 400 characters",
}


@pytest.mark.parametrize(("text", "sentence"), LONG.items())
def test_a_number_that_is_too_long_is_refused_in_each_form(text: str, sentence: str) -> None:
    """Whatever the rules take for a number or a time is refused when it is too long for one."""
    assert sentence in refused(text)
    assert read(text + "g") == {"a": text[3:] + "g"}


def test_a_tag_is_looked_at_wherever_it_stands() -> None:
    """Texts are looked at in portions: what begins in one and ends in the next is found too."""
    for length in range(16 * 1024 - 12, 16 * 1024 + 2):
        filling = "#" + "x" * (length - 2) + "\n"
        assert "this tag" in refused(filling + "a: [!!str, b]")
        assert "this comment" in refused(filling + "a: |2#b\n    c")


def test_an_integer_is_a_key() -> None:
    """As in `yaml.safe_load`; the same digits in quotes are another key."""
    text = "ports: &p {80: http, 0x50A: x, -1: y, '80': z}\nmore: {<<: *p, 80: own}"
    tree = read(text)
    assert tree["ports"] == {80: "http", 0x50A: "x", -1: "y", "80": "z"}
    assert tree["more"] == {80: "own", 0x50A: "x", -1: "y", "80": "z"}
    assert yaml.safe_load(text) == tree


MERGES = {
    "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}": {"x": 1, "y": 3},
    "a: &a {x: 1}\nb: {y: 3, <<: *a}": {"x": 1, "y": 3},
    "a: &a {x: 1}\nc: &c {x: 2, z: 4}\nb: {<<: [*a, *c]}": {"x": 1, "z": 4},
    "a: &a {x: 1}\nc: &c {<<: *a, z: 4}\nb: {<<: *c}": {"x": 1, "z": 4},
    "a: &a [{x: 1}, {y: 1}]\nb: {<<: *a}": {"y": 1, "x": 1},
    'a: 1\nb: {"<<": 2}': {"<<": 2},
    "a: 1\nb: {=: 2}": {"=": 2},
    "a: &a {port: 1}\nc: &c {port: 2, n: 3}\nb: {<<: [*a, *c]}": {"port": 1, "n": 3},
    "a: &a {p: 1}\nc: &c {<<: *a, p: 2, n: 3}\nb: {<<: *c}": {"p": 2, "n": 3},
    "a: &a {p: 0}\nc: &c {<<: *a, p: 1}\nd: &d {<<: *a}\nb: {<<: [*d, *c]}": {"p": 0},
    "a: &a {p: 0}\nc: &c {<<: *a, p: 1}\nd: &d {<<: *a}\nb: {<<: [*c, *d]}": {"p": 1},
}


@pytest.mark.parametrize(("text", "expected"), MERGES.items())
def test_merge_keys_mean_what_yaml_means(text: str, expected: object) -> None:
    """Own keys win over merged ones, earlier mappings over later ones, in any position."""
    assert read(text)["b"] == expected
    assert same(oracle(text), read(text))

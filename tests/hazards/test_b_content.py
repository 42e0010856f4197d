"""Malicious and careless content, through a running engine: refused at its place, or usable.

What is accepted can be printed, dumped, pickled and compared, whatever is in it.

Long because the documents stand beside the verdict on each.
"""

import copy
import json
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reloadcheck import ConfigSyntaxError, FrozenDict, Outcome
from reloadcheck._config.digest import tree_digest
from reloadcheck._config.freeze import freeze
from reloadcheck.parsers import parse
from reloadcheck.types import Document
from tests.hazards.rig import ROOT, engine, replace

GOOD = "number: 1\n"
REFUSAL_SECONDS = 0.15
"""Seconds of a whole check that refuses; the parser's part is held to 50 ms in its own tests."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a good file."""
    path = tmp_path / "app.yaml"
    path.write_text(GOOD)
    return path


def alias_bomb(levels: int) -> str:
    """Write lists of which each holds the one before nine times."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def merge_bomb(levels: int) -> str:
    """Write mappings of which each merges the one before twice."""
    lines = ["m0: &m0 {k: v}"]
    lines += [f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}], k{n}: v}}" for n in range(1, levels)]
    return "\n".join(lines)


BOMBS = {
    "aliases": (alias_bomb(9), "aliases and merge keys add more than 100,000 nodes"),
    "aliases, 12 levels": (alias_bomb(12), "aliases and merge keys add more than 100,000 nodes"),
    "merge keys": (merge_bomb(30), "aliases and merge keys add more than 100,000 nodes"),
    "merge keys, 60 levels": (merge_bomb(60), "aliases and merge keys add more than 100,000 nodes"),
    "flow": ("a: " + "[" * 100_000, "is nested deeper than 64 levels"),
    "block": ("a:\n  " + "- " * 100_000, "is nested deeper than 64 levels"),
    "keys": ("? " * 100_000, "a key must be a single word or text"),
    "sixty-five": ("a: " + "[" * 64 + "]" * 64, "is nested deeper than 64 levels"),
    "itself": ("a: &loop {b: *loop}", "the anchor &loop contains itself"),
}


@pytest.mark.parametrize(("text", "reason"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_costs_a_check_nothing(path: Path, text: str, reason: str) -> None:
    """It is refused at its line while the last good one serves, and the next edit is live."""
    with engine(path) as live:
        before = live.snapshot
        path.write_text(text)
        begun = time.process_time()
        assert (live.check(), live.snapshot is before) == (Outcome.REJECTED, True)
        seconds = time.process_time() - begun  # of work, whatever else this machine does
        error = live.status().error or ""
        assert reason in error
        assert error.startswith(f"{path}:")
        assert seconds < REFUSAL_SECONDS
        path.write_text("number: 2\n")
        assert live.check() is Outcome.RELOADED


SMALL_STACKS = """
import sys, threading
from pathlib import Path
threading.stack_size(128 * 1024)
from reloadcheck import ConfigError, ReloadCheck
path = Path(sys.argv[1])
for text in ("a: " + "[" * 100_000, "a: " + "{a: " * 100_000, "a:\\n  " + "- " * 100_000,
             "a: " + "[" * 63 + "]" * 63):
    path.write_text(text)
    live = ReloadCheck(path, settle=0, environ={})
    try:
        live.start()
        print("loaded", live.snapshot.digest[:4] != "")
    except ConfigError as error:
        print(error.reason)
    live.close()
"""


def test_deep_nesting_kills_no_process_with_small_stacks(path: Path) -> None:
    """All threads of the engine have 128 KiB here; what is allowed to be deep loads in them too."""
    done = subprocess.run(
        [sys.executable, "-c", SMALL_STACKS, str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["is nested deeper than 64 levels"] * 3 + ["loaded True"]
    assert done.returncode == 0


def test_what_executes_elsewhere_executes_nothing(path: Path) -> None:
    """Python's tags, a second document, a root that is no mapping: refused with the line."""
    mark = path.with_name("mark")
    with engine(path) as live:
        for text, line in (
            (f"a: !!python/object/apply:os.system ['touch {mark}']", 1),
            (f"number: 2\n---\na: !!python/object/apply:os.system ['touch {mark}']", 2),
            (f"- !!python/object/apply:os.system ['touch {mark}']", 1),
            ("\n\n- a", 3),
        ):
            path.write_text(text)
            assert live.check() is Outcome.REJECTED
            assert (live.status().error or "").startswith(f"{path}:{line}:")
        assert not mark.exists()


DIFFERENT = {
    "1 and true": ("a: 1", "a: true"),
    "1 and 1.0": ("a: 1", "a: 1.0"),
    "0 and false": ("a: [0]", "a: [false]"),
    "0.0 and -0.0": ("a: 0.0", "a: -0.0"),
    "date and text": ("a: 2001-01-01", "a: '2001-01-01'"),
    "null and empty": ("a: ~", "a: ''"),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_python_calls_equal_is_an_edit(path: Path, one: str, other: str) -> None:
    """The comparison is typed: new version, other digest, one changed key."""
    path.write_text(one)
    with engine(path) as live:
        before = live.snapshot
        path.write_text(other)
        assert live.check() is Outcome.RELOADED
        assert live.snapshot.digest != before.digest


NO_NUMBERS = {
    ".nan": "must be finite",
    ".inf": "must be finite",
    "-.Inf": "must be finite",
    "9" * 10_000: "at most 400 characters",
    "1." + "9" * 10_000: "at most 400 characters",
    f"0x{'f' * 10_000}": "at most 400 characters",
    f"0x{'f' * 99}": "64 bits",
}


@pytest.mark.parametrize(("word", "reason"), NO_NUMBERS.items(), ids=lambda text: str(text)[:8])
def test_numbers_that_cannot_be_dumped_are_refused(path: Path, word: str, reason: str) -> None:
    """NaN, infinity and whatever does not fit into 64 bits."""
    with engine(path) as live:
        path.write_text(f"number: {word}\n")
        assert live.check() is Outcome.REJECTED
        error = live.status().error or ""
        assert error.startswith(f"{path}:1:9: number: ")
        assert reason in error


REPEATED = {
    "yaml": ("a: 1\nb: {c: 1,\n  c: 2}\n", ":3:3: b.c: duplicate key; first on line 2"),
    "json": ('{"a": 1,\n "a": 2}', ":2:2: a: duplicate key; first on line 1"),
    "toml": ("a = 1\na = 2\n", ":2:5: a: duplicate key; first on line 1"),
    "integer.yaml": ("1: a\n0x1: b\n", ":2:1: [1]: duplicate key; first on line 1"),
    "boolean.yaml": ("a: 1\non: b\n", ":2:1: this key is read as true or false"),
    "date.yaml": ("a: 1\nb: 2023-02-30\n", ":2:4: b: is a date or time that does not exist"),
    "date.toml": ("a = 1\nb = 2023-02-30\n", ":2:5: b: is a date or time that does not exist"),
}


@pytest.mark.parametrize(("name", "text", "told"), [(n, *more) for n, more in REPEATED.items()])
def test_what_means_two_things_or_none_is_refused_at_its_line(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    """A key that is there twice, or that is a number or a boolean; a date that never was."""
    path = tmp_path / (name if "." in name else f"app.{name}")
    good = {"yaml": "a: 1\n", "json": '{"a": 1}', "toml": "a = 1\n"}[path.suffix[1:]]
    path.write_text(good)
    with engine(path) as live:
        before = live.snapshot
        path.write_text(text)
        assert live.check() is Outcome.REJECTED
        assert (live.status().error or "").startswith(f"{path}{told}")
        assert live.snapshot is before
        path.write_text(good)
        assert live.check() is Outcome.UNCHANGED


ODD = """\
a: no
b: on
c: 010
d: 22:22
e: 1e3
f: 2001-12-14
g: 0o7
h: 1_000
i: ~
j: .5
k: 2001-12-14 21:59:43.10 -5
l: yes please
m: 1.0e+3
'1': x
'true': y
"""


def test_odd_scalars_mean_in_an_engine_what_the_library_says(path: Path) -> None:
    """To the type; and a text that looks like a number to others stays a text."""
    path.write_text(ODD)
    with engine(path) as live:
        expected = yaml.safe_load(ODD)
        config = live.snapshot.config
        assert config.to_dict() == expected
        assert [type(value) for value in config.values()] == [type(v) for v in expected.values()]
        assert (config.c, config.d, config.e) == (8, 22 * 60 + 22, "1e3")


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(), st.text(), st.sampled_from(["no", "010", "22:22", "1e3", "~", "0o7", "<<", "="]),
)  # fmt: skip
KEYS = st.one_of(
    st.text(max_size=8), st.sampled_from(["items", "get", "keys", "_x", "class", "a-b", "__dict__"])
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda part: st.lists(part, max_size=4) | st.dictionaries(KEYS, part, max_size=4),
        max_leaves=20,
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_every_accepted_config_can_be_used_up(tree: dict[str, Any]) -> None:
    """Printed, dumped, pickled, copied, compared, hashed, digested, and read key by key."""
    text = str(yaml.safe_dump(tree))  # pyright: ignore[reportUnknownMemberType] - its stubs
    loaded = yaml.safe_load(text)
    config = freeze(parse(Document("app.yaml", text.encode(), "yaml"), lambda: None))
    assert config == loaded
    assert config.to_dict() == loaded
    assert repr(config).startswith("FrozenDict(")
    assert json.loads(json.dumps(config, default=str)) == json.loads(
        json.dumps(loaded, default=str)
    )
    again = pickle.loads(pickle.dumps(config))
    assert (again, type(again)) == (config, FrozenDict)
    assert tree_digest(again) == tree_digest(config) == tree_digest(loaded)
    assert copy.deepcopy(config) == config
    assert hash(again) == hash(config)
    assert freeze(loaded, config) is config
    for key, value in loaded.items():
        assert config[key] == value
        taken = key in dir(FrozenDict) or (key.startswith("__") and key.endswith("__"))
        if key.isidentifier() and not taken:
            assert getattr(config, key) == value


def test_a_text_that_only_one_of_two_parsers_reads_is_refused() -> None:
    """A `#` inside plain text begins no comment, so the tab after it is one outside of quotes."""
    text = "a8: &n1\n    key0: 1.e!!pyth#on/name:os.system\t +400\n"
    with pytest.raises(yaml.YAMLError):
        yaml.load(text, yaml.SafeLoader)
    with pytest.raises(ConfigSyntaxError):
        parse(Document("app.yaml", text.encode(), "yaml"), lambda: None)


def test_the_encodings_have_one_verdict_in_a_running_engine(tmp_path: Path) -> None:
    """A byte order mark is no edit; other encodings and odd characters are refused, in each."""
    contents = {"yaml": b'a: "x"\n', "json": b'{"a": "x"}', "toml": b'a = "x"\n'}
    for suffix, content in contents.items():
        path = tmp_path / f"app.{suffix}"
        path.write_bytes(content)
        with engine(path) as live:
            before = live.snapshot
            replace(path, b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
            assert live.check() is Outcome.UNCHANGED
            assert live.snapshot is before
            for odd in (
                content.decode().encode("utf-16"), content + b"\xff", content.replace(b"x", b"\0"),
                content.replace(b"x", "\u2028".encode()), content.replace(b"x", "\x85".encode()),
                content.replace(b"x", rb"\ud800"), b"\xef\xbb\xbf" * 2 + content,
            ):  # fmt: skip
                replace(path, odd)
                assert live.check() is Outcome.REJECTED, (suffix, odd)
            assert live.snapshot is before
    assert threading.stack_size() == 0

"""Environment variables as a source: names, values, contradictions, and that they never drift."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import EnvReferences, ReloadCheck
from reloadcheck._load.untyped import without_types
from reloadcheck.exceptions import ConfigSyntaxError, OptionError
from reloadcheck.sources import EnvironSource
from reloadcheck.types import Layer, Source, Untyped

LIMIT = 1 << 20


def layer_of(environ: Mapping[str, str], below: Mapping[str, Any] | None = None) -> Layer:
    """Read and parse the variables of an environment under APP."""
    source = EnvironSource("APP", environ)
    return source.layer(source.read(source.stamp(), LIMIT), below or {}, lambda: None)


def refused(environ: Mapping[str, str], below: Mapping[str, Any] | None = None) -> str:
    """Return the sentence with which an environment is refused."""
    with pytest.raises(ConfigSyntaxError) as caught:
        layer_of(environ, below)
    return str(caught.value)


@pytest.mark.parametrize("prefix", ["APP", "APP_"])
def test_a_prefix_works_with_and_without_its_underscore(prefix: str) -> None:
    """Either way only variables under it count, in its own case."""
    environ = {"APP_A": "x", "APPLE": "x", "app_b": "x", "APP": "x", "PATH": "x"}
    source = EnvironSource(prefix, environ)
    assert isinstance(source, Source)
    assert source.name == "environment variables APP_*"
    assert source.layer(source.read(source.stamp(), LIMIT), {}, lambda: None).tree == {"a": "x"}


@pytest.mark.parametrize("prefix", ["", "_", "__"])
def test_a_prefix_is_needed(prefix: str) -> None:
    """The whole environment is no configuration."""
    with pytest.raises(OptionError):
        EnvironSource(prefix)


def test_two_underscores_nest_and_values_are_untyped_text() -> None:
    """What a text means is its field's affair; a single underscore belongs to the key."""
    environ = {"APP_DATABASE__POOL_SIZE": "20", "APP_DEBUG": " true ", "APP_NAME": "'a b'"}
    layer = layer_of(environ)
    assert layer.tree == {"database": {"pool_size": "20"}, "debug": " true ", "name": "'a b'"}
    assert layer.untyped
    assert {type(layer.tree["debug"]), type(layer.tree["database"]["pool_size"])} == {Untyped}


def test_without_a_schema_a_value_is_a_scalar() -> None:
    """Numbers and booleans are read as in a YAML file, and space is never stripped from any."""
    environ = {"APP_DATABASE__POOL_SIZE": "20", "APP_DEBUG": "true", "APP_NAME": " 5 "}
    layer = without_types(layer_of(environ), lambda: None)
    assert layer.tree == {"database": {"pool_size": 20}, "debug": True, "name": " 5 "}
    assert not layer.untyped
    assert str(layer.origin(("debug",))) == "environment variable APP_DEBUG"


def test_every_text_that_the_limits_forbid_is_told_with_its_variable() -> None:
    """All of them at once, none quoted, and without a foreign error in tow."""
    environ = {"APP_A__B": "9" * 25, "APP_C": "2031-02-31", "APP_D": "fine"}
    with pytest.raises(ConfigSyntaxError) as caught:
        without_types(layer_of(environ), lambda: None)
    assert [str(problem) for problem in caught.value.problems] == [
        "environment variable APP_A__B: a.b: an integer must fit into 64 bits; "
        "put it in quotes to have it as text",
        "environment variable APP_C: c: is a date or time that does not exist",
    ]
    assert caught.value.__context__ is None


def test_a_variable_over_a_list_is_a_list() -> None:
    """As JSON with its types, or set apart by commas, untyped as any other text of a variable."""
    below = {name: ["x"] for name in ("a", "b", "c", "d", "e")}
    environ = {
        "APP_A": '["a", 1, {"b": null}]',
        "APP_B": "a.example, b.example,",
        "APP_C": "",
        "APP_D": "null",
        "APP_E": "one",
    }
    tree = layer_of(environ, below).tree
    assert tree == {
        "a": ["a", 1, {"b": None}],
        "b": ["a.example", "b.example"],
        "c": [],
        "d": None,
        "e": ["one"],
    }
    assert [type(item) for item in tree["b"]] == [Untyped, Untyped]


def test_a_variable_over_a_mapping_is_laid_over_it() -> None:
    """As JSON; a null takes the mapping away, as it does in a file."""
    below = {"db": {"url": "x", "size": 5}, "gone": {"a": 1}}
    layer = layer_of({"APP_DB": ' {"size": 20}', "APP_GONE": "~"}, below)
    assert layer.tree == {"db": {"size": 20}, "gone": None}


@pytest.mark.parametrize(
    ("below", "text", "reason"),
    [
        (["x"], "[canary]", 'is no list: write a,b or a JSON list, as in ["a", "b"] (a value '),
        (["x"], '["canary"', 'is no list: write a,b or a JSON list, as in ["a", "b"] (a comma'),
        (["x"], '["canary"], "b": 1', 'is no list: write a,b or a JSON list, as in ["a", "b"]'),
        (["x"], "[" * 70, 'is no list: write a,b or a JSON list, as in ["a", "b"] (is nested'),
        ({"x": 1}, "canary", 'is no mapping: write a JSON object, as in {"a": 1} (a value is'),
        ({"x": 1}, '["canary"]', 'is no mapping: write a JSON object, as in {"a": 1}'),
        (
            {"x": 1},
            '{"a":1,"a":2}',
            'is no mapping: write a JSON object, as in {"a": 1} (duplicate',
        ),
    ],
)
def test_what_is_no_list_or_mapping_over_one_is_refused(
    below: object, text: str, reason: str
) -> None:
    """With what to write, and without the text."""
    sentence = refused({"APP_A": text}, {"a": below})
    assert sentence.startswith(f"environment variable APP_A: {reason}")
    assert "canary" not in sentence


SERVICE = {
    "APP_SERVICE_HOST": "10.3.0.7",
    "APP_SERVICE_PORT": "8000",
    "APP_SERVICE_PORT_HTTP": "8000",
    "APP_PORT": "tcp://10.3.0.7:8000",
    "APP_PORT_8000_TCP": "tcp://10.3.0.7:8000",
    "APP_PORT_8000_TCP_PROTO": "tcp",
    "APP_PORT_8000_TCP_PORT": "8000",
    "APP_PORT_8000_TCP_ADDR": "10.3.0.7",
}


def test_a_service_of_the_prefix_s_name_is_no_configuration() -> None:
    """Kubernetes tells every pod of each service by variables; none of them overrides a port."""
    assert layer_of(SERVICE | {"APP_HOST": "0.0.0.0"}, {"port": 5000}).tree == {"host": "0.0.0.0"}
    of_another = {name.replace("APP_", "APP_DB_"): value for name, value in SERVICE.items()}
    assert layer_of(SERVICE | of_another).tree == {}
    assert (
        layer_of({"APP_DB_PORT": SERVICE["APP_PORT"], "APP_DB_PORT_5432_TCP": "tcp://h:5432"}).tree
        == {}
    )


def test_what_only_looks_like_a_service_s_is_configuration() -> None:
    """A port that was set by hand beside a service, and keys of such names without one."""
    assert layer_of(SERVICE | {"APP_PORT": "5000"}).tree == {"port": "5000"}
    own = {
        "APP_SERVICE_HOST": "h",
        "APP_SERVICE_PORT": "1",
        "APP_PORT": "tcp://h:1",
        "APP_PORT_80_TCP": "no url",
    }
    assert set(layer_of(own).tree) == {"service_host", "service_port", "port", "port_80_tcp"}


def test_names_find_existing_keys_without_regard_to_case() -> None:
    """At each level, numbers too; what is new below comes in lower case."""
    below = {"dataBase": {"URL": "x", "ports": {80: "x"}}, "list": ["x"]}
    environ = {
        "APP_DATABASE__Url": "a",
        "APP_DATABASE__PORTS__80": "b",
        "APP_DATABASE__NEW__KEY": "c",
        "APP_LIST__0": "d",
    }
    assert layer_of(environ, below).tree == {
        "dataBase": {"URL": "a", "ports": {80: "b"}, "new": {"key": "c"}},
        "list": {"0": "d"},
    }


def test_an_ambiguous_name_is_refused() -> None:
    """With the variable and both keys that it could mean."""
    sentence = refused({"APP_DB__URL": "canary"}, {"db": {"url": "x", "URL": "y"}})
    assert sentence == (
        "environment variable APP_DB__URL: could mean either of the keys url and URL"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [("APP_DB", "APP_DB__URL"), ("APP_DB__URL", "APP_db__url"), ("APP_DB__A", "APP_DB__A__B__C")],
)
def test_two_variables_for_one_place_are_refused(first: str, second: str) -> None:
    """Whether they are the same key or one inside the other; both are named."""
    sentence = refused({first: "canary", second: "canary"})
    assert f"environment variable {first}" in sentence
    assert f"environment variable {second}" in sentence
    assert "canary" not in sentence


@pytest.mark.parametrize("variable", ["APP_", "APP_A____B", "APP_A__", "APP_A__B__"])
def test_an_empty_key_is_refused(variable: str) -> None:
    """It would be a slip of the finger taken for a key."""
    assert refused({variable: "x"}) == f"environment variable {variable}: names an empty key"


def test_depth_is_bounded() -> None:
    """As in a file."""
    assert "nests deeper than 64 keys" in refused({"APP_" + "__".join("a" * 65): "x"})


def test_bytes_are_bounded() -> None:
    """As in a file; the sentence names the prefix."""
    source = EnvironSource("APP", {"APP_A": "x" * 100})
    with pytest.raises(ConfigSyntaxError, match=r"^environment variables APP_\*: "):
        source.read(source.stamp(), 100)


def test_bytes_that_are_no_text_are_refused() -> None:
    """Python hands them over as lone surrogates."""
    sentence = refused({"APP_A": "canary\udcff"})
    assert sentence == "environment variable APP_A: is not valid UTF-8"


def test_origins_name_the_variable() -> None:
    """For the key, for what is inside its value, and for the mapping that it made."""
    layer = layer_of({"APP_DB__URL": "x", "APP_Z": "y"})
    shown = "environment variable APP_DB__URL"
    assert str(layer.origin(("db", "url"))) == shown
    assert str(layer.origin(("db", "url", "host"))) == shown
    assert str(layer.origin(("db",))) == shown
    assert str(layer.origin(("other",))) == "environment variables APP_*"


def test_the_variables_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first load: not at construction, and never again, whatever the process does."""
    source = EnvironSource("RC_TEST")
    monkeypatch.setenv("RC_TEST_A", "1")
    stamp = source.stamp()
    first = source.read(stamp, LIMIT)
    monkeypatch.setenv("RC_TEST_A", "2")
    monkeypatch.setenv("RC_TEST_B", "3")
    assert source.stamp() == stamp
    assert source.read(stamp, LIMIT) == first
    assert source.layer(first, {}, lambda: None).tree == {"a": "1"}


def test_the_order_of_the_environment_does_not_matter() -> None:
    """Equal variables are equal bytes, so that all workers show one digest."""
    one = EnvironSource("APP", {"APP_A": "1", "APP_B": "2"})
    two = EnvironSource("APP", {"APP_B": "2", "X": "3", "APP_A": "1"})
    assert one.read(one.stamp(), LIMIT) == two.read(two.stamp(), LIMIT)


def test_a_source_without_times_has_none() -> None:
    """There is nothing to wait for."""
    assert EnvironSource("APP", {}).stamp().newest_ns is None


def test_no_repr_shows_a_value() -> None:
    """Neither the source's nor its document's."""
    source = EnvironSource("APP", {"APP_A": "canary"})
    documents = source.read(source.stamp(), LIMIT)
    assert "canary" not in repr((source, documents))


def test_an_engine_with_an_environment_of_its_own_reads_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`environ=` holds for sources and references as well, save for those that have their own."""
    monkeypatch.setenv("RC_TEST_A", "the process's")
    file = tmp_path / "c.yaml"
    file.write_text("a: file\nb: file\nc: ${env:RC_TEST_A}\n")
    live = ReloadCheck(
        file,
        EnvironSource("RC_TEST"),
        EnvironSource("RC_OWN", {"RC_OWN_B": "its own"}),
        references=[EnvReferences()],
        environ={"RC_TEST_A": "the engine's", "RC_OWN_B": "the engine's"},
        settle=0,
    )
    with live.lease() as snapshot:
        found = dict(snapshot.config)
    live.close()
    assert found == {"a": "the engine's", "b": "its own", "c": "the engine's"}

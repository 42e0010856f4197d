"""Redaction: secrets are hidden by name and by look, and foreign sentences quote no value."""

import json
import linecache
import os
from collections.abc import Callable
from time import process_time
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import BaseModel, ConfigDict, SecretBytes, SecretStr

import reloadcheck
from reloadcheck._config.freeze import freeze
from reloadcheck._config.redact import MASK, scrub
from reloadcheck._runtime.foreign import placed
from tests.support.veiled import is_secret, redact

CANARY = "c4n4ry-Tr0ub4dor&3"


SECRET_KEYS = [
    "signingKey", "sentryDSN", "HTTPKey",
    "password", "passwd", "pwd", "passphrase", "db_password", "db-password", "dbPassword",
    "PGPASSWORD", "DB_PASSWORD", "token", "access_token", "accessToken", "refresh-tokens",
    "usertoken", "secret", "client_secret", "clientSecret", "secrets", "key", "keys",
    "api_key", "apiKey", "APIKey", "apikey", "access_key", "signing_key", "private",
    "private_key", "privatekey", "dsn", "sentry_dsn", "credentials", "credential", "creds",
    "jwt", "salt", "authorization", "bearer", "key2", "smtp.password",
]  # fmt: skip
ORDINARY_KEYS = [
    "keyspace", "monkey", "keyboard", "turkey", "tokenizer", "url", "host", "user", "name",
    "pool_size", "timeout", "passage", "compass", "author", "saltwater", "privateer",
    "dsnames", "greeting", "bearings", "secluded",
]  # fmt: skip


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_keys_that_look_secret(key: str) -> None:
    """A key names a secret by any usual spelling, and so does everything under it."""
    assert is_secret((key,))
    assert is_secret(("database", key, 0, "inner"))


@pytest.mark.parametrize("key", ORDINARY_KEYS)
def test_keys_that_do_not(key: str) -> None:
    """Part of a word is no word: ordinary keys stay readable."""
    assert not is_secret((key,))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"postgresql://app:{CANARY}@db/orders", True),
        (f"redis://:{CANARY}@cache:6379/0", True),
        (f"see amqp+ssl://u:{CANARY}@mq", True),
        ("https://example.org/a?b=c", False),
        ("https://example.org/@name", False),
        ("https://example.org:8443/@name", False),
        ("https://example.org/a:b@c and c@d", False),
        (f"postgresql://app:pa/ss#{CANARY}@db/orders", True),
        (f"host=db user=app password={CANARY}", True),
        (f"Server=db;Uid=app;Pwd = '{CANARY}';", True),
        (f"DefaultEndpointsProtocol=https;AccountKey={CANARY}", True),
        ("a rule: password=", False),
        ("size=5", False),
        ("user@example.org", False),
        (5, False),
        (None, False),
        (SecretStr("x"), True),
        (SecretBytes(b"x"), True),
    ],
)
def test_values_that_look_secret(value: object, expected: bool) -> None:
    """A URL with user info and pydantic's secret types are secrets whatever their key."""
    assert is_secret(("plain",), value) is expected


LARGE = {
    "letters": "a" * 1_000_000 + "@",
    "schemes": "a://" * 250_000 + "@",
    "names": "a://b:1/" * 125_000 + " @",
    "words": "a@ " * 300_000 + "://",
    "assignments": "pwd  " * 200_000 + "=",
}


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_a_large_value_is_judged_at_once(value: str) -> None:
    """A megabyte takes no quadratic time, in which nothing else could run."""
    begun = process_time()
    assert not is_secret(("plain",), value) or value.endswith("://@")
    assert process_time() - begun < 1


def test_keys_are_judged_once_however_many_values_are_below_them() -> None:
    """A hundred kilobytes of keys above thousands of values take no time; none so long is shown."""
    path = tuple("aB" * 90 + str(level) for level in range(60))
    begun = process_time()
    assert not any(is_secret((*path, number), number) for number in range(5000))
    assert is_secret(("a" * 1_000_000, 0), 0)
    assert process_time() - begun < 2


class Model(BaseModel):
    """A model with a secret of each kind."""

    model_config = ConfigDict(frozen=True, extra="allow")
    token: str = CANARY
    hidden: SecretStr = SecretStr(CANARY)
    urls: list[str] = [f"redis://:{CANARY}@x"]
    size: int = 5


def test_redact_hides_and_keeps() -> None:
    """Secrets become `***` at any depth and in any container; the rest reads as it is."""
    tree = {
        "database": {"password": CANARY, "pool": {"size": 5}, "url": f"pg://a:{CANARY}@h/d"},
        "secrets": {"a": {"b": CANARY}, "on": True, "n": None},
        "tokens": [CANARY, CANARY],
        "urls": (f"redis://:{CANARY}@x", "http://y"),
        "set": {"a"},
        "api_key": 123456,
        "model": Model(more={"password": CANARY}),  # type: ignore[call-arg]
        "hidden": SecretStr(CANARY),
        5: "five",
    }
    expected = {
        "database": {"password": MASK, "pool": {"size": 5}, "url": f"pg://{MASK}@h/d"},
        "secrets": MASK,
        "tokens": MASK,
        "urls": [f"redis://{MASK}@x", "http://y"],
        "set": ["a"],
        "api_key": MASK,
        "model": {
            "token": MASK,
            "hidden": MASK,
            "urls": [f"redis://{MASK}@x"],
            "size": 5,
            "more": {"password": MASK},
        },
        "hidden": MASK,
        5: "five",
    }
    assert redact(tree) == expected
    assert redact(freeze(tree)) == expected
    assert redact({"password": None, "use_password": False}) == {
        "password": None,
        "use_password": False,
    }
    assert redact({"l": [{"password": CANARY}]}) == {"l": [{"password": MASK}]}


URL = f"postgresql://app_user:{quote(CANARY)}@db-host.internal:54321/orders_db?sslmode=require"
CONFIG: dict[str, Any] = {
    "database": {"url": URL, "password": CANARY, "user": "bob", "pin": 4930},
    "list": ["short", "x", 'with "quotes" and \\ and \n line'],
    "hidden": SecretStr("another-secret-value"),
    "binary": b"binary-secret",
    "ratio": 1234.5,
    "on": True,
    "none": None,
}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            'password authentication failed for user "bob"',
            f'password authentication failed for user "{MASK}"',
        ),
        (f"cannot use {CANARY}!", f"cannot use {MASK}!"),
        (f"cannot use {CANARY[:9]}...", f"cannot use {MASK}..."),
        (f"cannot use ...{CANARY[4:]}", f"cannot use ...{MASK}"),
        (f"bad dsn {URL}", f"bad dsn {MASK}"),
        (f"bad dsn {quote(CANARY, safe='')}", f"bad dsn {MASK}"),
        (f"json {json.dumps(CONFIG['list'][2])}", f'json "{MASK}"'),
        (f"repr {CONFIG['list'][2]!r}", f"repr '{MASK}'"),
        ("pin 4930 is wrong", f"pin {MASK} is wrong"),
        ("pin 49302 is not it", "pin 49302 is not it"),
        ("ratio 1234.5 is wrong", f"ratio {MASK} is wrong"),
        ("hidden another-secret-value", f"hidden {MASK}"),
        ("bytes b'binary-secret'", f"bytes b'{MASK}'"),
        ("shortage of bobbins, True, None", "shortage of bobbins, True, None"),
        ("too short", f"too {MASK}"),
        ("x axis 'x'", f"x axis '{MASK}'"),
        (
            'connection to "db-host.internal", port 54321 failed: no database "orders_db"',
            f'connection to "{MASK}", port {MASK} failed: no database "{MASK}"',
        ),
        ("connection refused after 5 tries", "connection refused after 5 tries"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("frozen", [False, True])
def test_scrub(message: str, expected: str, frozen: bool) -> None:
    """What a sentence quotes is masked, its own words stay."""
    assert scrub(message, freeze(CONFIG) if frozen else CONFIG) == expected


def test_scrub_reads_models_and_single_values() -> None:
    """A validated model's values are known too, secret types included, and so is a bare one."""
    model = Model(more=["extra-value-1"])  # type: ignore[call-arg]
    assert scrub(f"a {CANARY} b extra-value-1", model) == f"a {MASK} b {MASK}"
    assert scrub(f"a {CANARY} b", CANARY) == f"a {MASK} b"
    assert scrub(f"a {CANARY} b", SecretStr(CANARY)) == f"a {MASK} b"


def test_scrub_is_bounded_and_closes_when_it_cannot_look() -> None:
    """A long sentence is cut; a configuration too large to search masks all of it."""
    assert len(scrub("word " * 10_000, {})) == 2000
    assert scrub("harmless", {"a": "x" * 2_000_000}) == MASK
    assert scrub("harmless", ["x"] * 200_000) == MASK
    assert scrub("harmless", ["x"] * 50_000) == "harmless"


def test_scrub_of_a_large_configuration_is_affordable() -> None:
    """A configuration of most of a megabyte costs no more than part of a second, once an error."""
    config = {f"key{n}": f"a value with words, number {n:06}" for n in range(20_000)}
    begun = process_time()
    assert scrub("failed: a value with words, number 004711 !", config) == f"failed: {MASK} !"
    assert process_time() - begun < 2


def _in_a_url(text: str) -> str:
    return repr(quote(text, safe=""))


@pytest.mark.parametrize("spell", [repr, json.dumps, _in_a_url])
def test_escaped_spellings_are_known(spell: Callable[[str], str]) -> None:
    """A value is masked however a message escapes it."""
    value = "a'b\"é\n/c"
    message = f"bad {spell(value)} here"
    quoting = message[4]
    assert scrub(message, {"v": value}) == f"bad {quoting}{MASK}{quoting} here"


def test_the_decoded_password_of_a_url_is_known() -> None:
    """A driver quotes the password as it sends it, not as the URL spells it."""
    config = {"url": f"pg://u:{quote('p@ss/w0rd&more')}@h/d"}
    assert scrub("no match for 'p@ss/w0rd&more'", config) == f"no match for '{MASK}'"


def test_a_broken_url_is_text() -> None:
    """What only looks like a URL is masked as it stands."""
    assert scrub("bad http://[half", {"u": "http://[half"}) == f"bad {MASK}"
    assert scrub("port", {"u": "http://h:99999999/x"}) == "port"


def test_to_name_a_line_reads_no_source() -> None:
    """What the libraries on the way are made of would be kept for good."""
    linecache.clearcache()
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("[")
    assert "JSONDecodeError (test_redact.py:" in placed(caught.value)
    assert linecache.cache == {}


def test_a_frameworks_line_is_not_taken_for_the_applications() -> None:
    """A factory of our own that fails inside a framework names no line, or the application's."""
    ours = os.path.join(os.path.dirname(reloadcheck.__file__), "integrations", "databases.py")
    names: dict[str, Any] = {}
    exec(compile("def connect():\n    1 / 0", "/lib/site-packages/framework.py", "exec"), names)
    exec(compile("def build():\n    connect()", ours, "exec"), names)
    with pytest.raises(ZeroDivisionError) as caught:
        names["build"]()
    assert placed(caught.value.with_traceback(caught.tb.tb_next)) == "ZeroDivisionError"
    exec(compile("def connect():\n    1 / 0", "/srv/site/config.py", "exec"), names)
    with pytest.raises(ZeroDivisionError) as caught:
        names["build"]()
    told = placed(caught.value.with_traceback(caught.tb.tb_next))
    assert told == "ZeroDivisionError (config.py:2)"


def test_an_application_may_lie_in_a_directory_of_our_name() -> None:
    """What was raised is named with the application's line, also in a checkout of this package."""
    names: dict[str, Any] = {}
    exec(compile("def build():\n    1 / 0", "/srv/reloadcheck/app.py", "exec"), names)
    with pytest.raises(ZeroDivisionError) as caught:
        names["build"]()
    built = caught.value.with_traceback(caught.tb.tb_next)
    assert placed(built) == "ZeroDivisionError (app.py:2)"

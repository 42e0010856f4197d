"""What an operator may see: every output asks one judge, by name, by look, by what is hidden."""

import base64
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import BaseModel, ConfigDict, HttpUrl, PostgresDsn, SecretStr

from reloadcheck._config.mask import MASK
from reloadcheck._config.veil import Veil
from reloadcheck._schema.schema import schema_of

CANARY = "c4n4ry-Tr0ub4dor"

SECRET = [
    "smtp.pass", "db_pass", "mysql.userpass", "redis.auth", "auth", "basic_auth", "passWord",
    "sshkey", "signingkey", "encryptionkey", "masterkey", "sessionkey", "dbpass", "PGPASS",
    "cookie", "session_id", "pepper", "pin", "seed_phrase", "mnemonic", "webhook_url",
    "headers.X-Api-Auth", "signature", "hmac", "passcode", "pass_word", "privkey", "storage_sas",
    "pat", "totp", "otp_seed", "wpa_psk", "passkey", "recovery_codes", "pin_code", "private",
    "webhooks.0.url", "credentials_file", "db_kennwort", "wachtwoord",
    "rootpw", "ldap.bindpw", "mot_de_passe", "mdp", "contraseña", "senha",
]  # fmt: skip
SHOWN = [
    "primary_key", "sort_key", "partition-key", "public_key", "public_key_path", "cache_key",
    "token_type", "token_url", "auth_url", "auth.type", "auth.host", "cookie_name", "cookie.domain",
    "password_policy", "secret_name", "key_prefix", "max_tokens", "bypass", "compass", "spinner",
    "author", "tokens_per_minute", "password_hashers", "private_network", "is_private", "key_id",
    "secret_ref", "message_key", "sharding_key", "webhook_timeout", "country_code",
    "signal", "session_timeout", "authentication", "pinned",
]  # fmt: skip


@pytest.mark.parametrize("key", SECRET)
def test_names_of_secrets(key: str) -> None:
    """Whatever a program calls its secrets, glued, short or by another word."""
    assert Veil().hides(tuple(key.split(".")), CANARY)


@pytest.mark.parametrize("key", SHOWN)
def test_names_that_are_none(key: str) -> None:
    """What is told about a secret is none, nor a key of a table, nor a part of a word."""
    assert not Veil().hides(tuple(key.split(".")), "something")


@pytest.mark.parametrize(
    ("key", "value", "hidden"),
    [
        ("max_tokens", 4096, False),
        ("tokens", 4096, False),
        ("password_min_length", 12, False),
        ("use_password", True, False),
        ("password", None, False),
        ("password", 12345678, True),
        ("pin", 4711, True),
        ("seed", 42, False),
        ("api_key", 123456, True),
        ("private_key_path", "/run/secrets/key.pem", False),
        ("private_key_path", CANARY, True),
    ],
)
def test_numbers_booleans_and_paths(key: str, value: object, hidden: bool) -> None:
    """A count is shown, a number that is a password is not; a path tells where, not what."""
    assert Veil().hides((key,), value) is hidden
    assert (Veil().redacted({key: value}) == {key: MASK}) is hidden


def test_names_of_the_application_itself() -> None:
    """`secrets` adds to what is hidden, `public` takes from it; what is in both is hidden."""
    veil = Veil(also=["license code", "both"], public=["token", "both", "primary-key"])
    assert veil.hides(("vendor-license-code",), "x")
    assert veil.hides(("both",), "x")
    assert not veil.hides(("Token",), "x")
    assert not veil.hides(("next_token",), "x")
    assert veil.hides(("password",), "x")


LOOKS = {
    f"postgresql://app:{CANARY}@db:5432/orders?sslmode=require": (
        f"postgresql://{MASK}@db:5432/orders?sslmode=require"
    ),
    f"https://acct.blob/x?sv=1&sig={CANARY}": f"https://acct.blob/x?sv=1&{MASK}",
    f"https://host/x?token=a&timeout=5#{CANARY}": f"https://host/x?timeout=5&{MASK}",
    f"https://hooks.example/services/T000/B000/{CANARY}": f"https://hooks.example/{MASK}",
    "https://api.example/bot123456:AAsecret/send": f"https://api.example/bot{MASK}/send",
    "https://example.org/a?b=c": "https://example.org/a?b=c",
    "https://example.org:8443/@name": "https://example.org:8443/@name",
    f"mysql -uroot -p{CANARY}": f"mysql -uroot -p{MASK}",
    f"PGPASSWORD={CANARY} psql": f"PGPASSWORD={MASK} psql",
    f"env SSHPASS={CANARY} sshpass -e ssh h": f"env SSHPASS={MASK} sshpass -e ssh h",
    f"sshpass -p {CANARY} ssh h": f"sshpass -p {MASK} ssh h",
    f"redis-cli -h cache -a {CANARY}": f"redis-cli -h cache -a {MASK}",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nx": MASK,
    f"dump --password {CANARY} --to x": f"dump --password {MASK} --to x",
    f"run --api-token={CANARY}": f"run --api-token={MASK}",
    f"curl -u app:{CANARY} http://h": f"curl -u app:{MASK} http://h",
    f"host=h user=u password={CANARY} port=1": f"host=h user=u password={MASK} port=1",
    f"machine h login me password {CANARY}": f"machine h login me password {MASK}",
    f"ALTER ROLE shop PASSWORD '{CANARY}'": f"ALTER ROLE shop PASSWORD {MASK}",
    f"CREATE USER a IDENTIFIED BY '{CANARY}'": f"CREATE USER a IDENTIFIED BY {MASK}",
    "your login password has expired": "your login password has expired",
    f"Server=x;Uid=a;Pwd='{CANARY}';": f"Server=x;Uid=a;Pwd={MASK};",
    "Authorization: Bearer abc.def.123": f"Authorization: Bearer {MASK}",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345": MASK,
    "AKIAIOSFODNN7EXAMPLE": MASK,
    "xoxb-1-2-abc": MASK,
    "sk_live_abc123": MASK,
    "AIzaSyA-abc": MASK,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig": MASK,
    "-----BEGIN EC PRIVATE KEY-----\nx": MASK,
    f"X-Api-Key: {CANARY}": f"X-Api-Key: {MASK}",
    f"curl -H 'Authorization: {CANARY}' http://h": f"curl -H 'Authorization: {MASK}' http://h",
    f'{{"password": "{CANARY}", "a": 1}}': f'{{"password": "{MASK}", "a": 1}}',
    f"Endpoint=sb://x/;SharedAccessKeyName=R;SharedAccessKey={CANARY}=": (
        f"Endpoint=sb://x/;SharedAccessKeyName=R;SharedAccessKey={MASK}"
    ),
    "whsec_abcdefghijklmnop": MASK,
    "shpat_0123456789abcdef0123": MASK,
    "glrt-abcdefghij0123456789": MASK,
    "sntrys_abcdefghijklmnopqrst": MASK,
    "lin_api_abcdefghijklmnopqrst": MASK,
    "ntn_abcdefghijklmnopqrst0123": MASK,
    "dapi0123456789abcdef0123456789abcdef": MASK,
    "key-0123456789abcdef0123456789abcdef": MASK,
    "GOCSPX-abcdefghijklmnopqr": MASK,
    "1//0abcdefghijklmnopqrstuvwxyz": MASK,
    "sbp_0123456789abcdef0123456789abcdef": MASK,
    "xapp-1-A0-1-abc": MASK,
    "123456789:ABCdefGHIjklMNOpqrSTUvwxYZ123456789": MASK,
    "opens at 12:30, port 8080:80": "opens at 12:30, port 8080:80",
    "the key: see the wiki": "the key: see the wiki",
    "gl-abcdefghij-0123456789": "gl-abcdefghij-0123456789",
    "the token expired": "the token expired",
    "basic authentication": "basic authentication",
    "a rule: password=": "a rule: password=",
    "size=5; mode=fast": "size=5; mode=fast",
}


@pytest.mark.parametrize("text", LOOKS)
def test_what_looks_secret_is_masked_and_no_more(text: str) -> None:
    """A URL in its credentials, a command in its password, a token by its shape."""
    assert Veil().text(text) == LOOKS[text]


def test_what_is_hidden_somewhere_is_hidden_everywhere() -> None:
    """Inside longer values, in lists, in another case, encoded; a number under another key."""
    encoded = [
        base64.b64encode(f"app:{CANARY}".encode()).decode(),
        base64.urlsafe_b64encode(CANARY.encode()).decode(),
        CANARY.encode().hex(),
        CANARY.encode().hex().upper(),
        CANARY.upper(),
        quote(f"x {CANARY}&"),
    ]
    tree: dict[str, Any] = {
        "password": CANARY,
        "pin": 48151623,
        "note": f"it is {CANARY}, do not tell",
        "list": ["a", CANARY, f"x{CANARY}x"],
        "other_number": 48151623,
        "in_text": "call 48151623 now",
        "header": f"Basic {encoded[0]}",
        "encoded": encoded,
        "plain": "nothing of it",
        "ports": [80, 8080],
    }
    veil = Veil()
    veil.learn(tree)
    shown = veil.redacted(tree)
    assert CANARY.lower() not in repr(shown).lower()
    assert "48151623" not in repr(shown)
    assert not any(code in repr(shown) for code in encoded)
    assert shown["note"] == f"it is {MASK}, do not tell"
    assert shown["in_text"] == f"call {MASK} now"
    assert (shown["plain"], shown["ports"], shown["list"][0]) == ("nothing of it", [80, 8080], "a")


def test_the_password_of_a_url_is_hidden_by_itself_too() -> None:
    """It is written in another place in clear, or decoded."""
    veil = Veil()
    veil.learn({"url": "postgresql://app:pa%20ss-word@db/x"})
    assert veil.redacted({"a": "pa%20ss-word", "b": "it is pa ss-word"}) == {
        "a": MASK,
        "b": f"it is {MASK}",
    }


@dataclass(frozen=True)
class Held:
    """What a schema may make."""

    url: HttpUrl
    dsn: PostgresDsn
    word: SecretStr


class Model(BaseModel):
    """The same by pydantic."""

    model_config = ConfigDict(frozen=True)
    url: HttpUrl
    dsn: PostgresDsn
    word: SecretStr


@pytest.mark.parametrize("schema", [Held, Model])
def test_types_of_a_schema_are_shown_as_they_are_written(schema: Any) -> None:
    """A URL type is its text less its credentials; a secret type is nothing."""
    tree = {"url": "https://h/x", "dsn": f"postgresql://a:{CANARY}@h/d", "word": CANARY}
    config = schema_of(schema).convert(tree)
    veil = Veil()
    veil.learn(config)
    shown = veil.redacted(config)
    assert str(shown["url"]) == "https://h/x"
    assert (shown["dsn"], shown["word"]) == (f"postgresql://{MASK}@h/d", MASK)


def test_a_large_configuration_is_judged_in_linear_time() -> None:
    """A hundred thousand keys, a thousand of them secret."""
    tree = {
        f"section_{number}": {f"name_{at}": f"value {number} {at}" for at in range(99)}
        | {"password": f"{CANARY}-{number}"}
        for number in range(1000)
    }
    veil = Veil()
    begun = time.process_time()
    veil.learn(tree)
    learnt = time.process_time() - begun
    assert veil.text(f"see {CANARY}-77 there") == f"see {MASK} there"
    assert learnt < 6


def test_the_argument_behind_an_option_is_hidden() -> None:
    """Of a command that is written as a list, and wherever it stands besides."""
    tree = {"command": ["mysql", "-h", "db", "--password", CANARY, "-v"], "note": f"is {CANARY}"}
    veil = Veil()
    veil.learn(tree)
    assert veil.redacted(tree) == {
        "command": ["mysql", "-h", "db", "--password", MASK, "-v"],
        "note": f"is {MASK}",
    }

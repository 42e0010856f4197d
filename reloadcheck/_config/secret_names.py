"""Which names of keys say that what they hold is secret.

Takes a key, gives how far its secrecy goes. Parts of words are no words (`keyspace`, `monkey`), and
what is said *about* a secret is none (`max_tokens`, `password_min_length`, `primary_key`).
"""

import re
from collections.abc import Collection, Sequence
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from typing import Final

__all__ = ["Names", "Reach"]

_LONGEST_NAME: Final = 200
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_HINT: Final = re.compile(
    r"pass|pw|kennwort|wachtwoord|contrase|senha|mdp|secret|cred|token|key|auth|bearer|dsn|jwt|otp|priv|salt|pepper|cookie|pin|phrase|"
    r"seed|mnemonic|webhook|hmac|signature|sas|pat|sig|session|psk|codes?",
    re.IGNORECASE,
)


class Reach(Enum):
    """How far it goes: not at all, the value itself, or all that is below the key."""

    NONE = 0
    VALUE = 1
    BELOW = 2


_WORDS: Final = frozenset({
    "authorization", "bearer", "contrase", "contrasena", "creds", "dsn", "jwt", "key", "keys",
    "otp", "totp", "psk", "mdp", "pw", "pwd", "salt", "senha", "pepper", "mnemonic", "webhook",
    "webhooks",
})  # fmt: skip
_LAST_WORDS: Final = frozenset({
    "auth", "cookie", "cookies", "hmac", "pass", "passe", "pat", "pin", "sas", "seed", "sig",
    "signature",
})  # fmt: skip
"""Secret as the last word of a name, and only for the value itself: `auth` may be a section."""

_STEM: Final = re.compile(
    r"passw(?:d|ord|rd)?|pass(?:phrase|code)|kennwort|wachtwoord|secret|credential|seedphrase|recoveryphrase|sessionid|(?:recovery|backup|pin|unlock|activation)codes?$|"
    r"(?:api|access|private|secret)keys?$|tokens?$"
)
_GLUED: Final = re.compile(
    r"(?:access|account|aes|api|app|client|crypto|db|deploy|encryption|host|license|master|pass|priv|"
    r"private|root|rsa|secret|server|service|session|shared|sign|signing|ssh|ssl|storage|tls)keys?$"
)
_GLUED_PASS: Final = re.compile(r"[a-z]+(?:pass|pw)$")
_NO_PASS: Final = frozenset({
    "bypass", "compass", "encompass", "overpass", "surpass", "trespass", "underpass",
})  # fmt: skip
_ABOUT: Final = frozenset({
    "age", "alg", "algorithm", "algorithms", "algo", "allowed", "attempts", "audience", "backend",
    "budget", "bytes", "cap", "class", "column", "cost", "count", "days", "disabled", "domain",
    "enabled", "encoding", "endpoint", "expires", "expiry", "field", "format", "func", "function",
    "hasher", "hashers", "header", "hours",
    "httponly", "interval", "issuer", "label", "leeway", "length", "lifetime", "limit", "limits",
    "max", "maximum", "method", "min", "minimum", "minutes", "mode", "ms", "name", "names",
    "optional", "pattern", "policy", "prefix", "provider", "providers", "quota", "rate", "realm",
    "ref", "refs", "regex", "required", "retries", "rotation", "rounds", "samesite", "schema",
    "scheme", "scope", "scopes", "seconds", "secure", "size", "strategy", "strength", "suffix",
    "timeout", "ttl", "type", "types", "uri", "url", "validators", "validity", "version", "window",
})  # fmt: skip
"""As the last word of a name they tell about a secret."""

_ADDRESSES: Final = frozenset({"endpoint", "uri", "url"})
_COUNTING: Final = frozenset({
    "avg", "completion", "input", "limit", "max", "maximum", "min", "minimum", "n", "num", "output",
    "prompt", "total",
})  # fmt: skip
"""In front of `tokens` or `keys` they count."""

_KINDS_OF_KEYS: Final = frozenset({
    "bucket", "cache", "clustering", "composite", "dedup", "foreign", "group", "grouping", "hash",
    "hot", "idx", "index", "join", "lookup", "message", "natural", "object", "order", "ordering",
    "partition", "primary", "public", "pub", "range", "routing", "row", "shard", "sharding", "sort",
    "sorting", "translation", "unique",
})  # fmt: skip
"""In front of `key` they tell of a key that opens nothing."""

_PLACES: Final = frozenset({"dir", "directory", "file", "filename", "path"})


class Names:
    """What an application's keys say; `also` are secret too, in any case, and `public` are not."""

    def __init__(self, also: Collection[str] = (), public: Collection[str] = ()) -> None:
        self._also = [(name.casefold(), _words(name)) for name in also]
        self._public = [(name.casefold(), _words(name)) for name in public]

    def reach(self, key: str) -> Reach:
        """Return how far the secrecy of what stands at a key goes."""
        # What is so long is no name, and might be judged again for each of a million values.
        if len(key) > _LONGEST_NAME or _is_among(key, self._also):
            return Reach.BELOW
        return Reach.NONE if _is_among(key, self._public) else _reach(key)


def counts(key: str) -> bool:
    """Return whether a number at a key is no secret whatever the key is: `tokens: 4096`."""
    words = _words(key)
    return bool(words) and words[-1] in ("tokens", "keys", "seed", "auth", "cookies")


def names_place(key: str) -> bool:
    """Return whether a key tells where a secret is found."""
    words = _words(key)
    return bool(words) and words[-1] in _PLACES


@lru_cache(maxsize=4096)
def _reach(key: str) -> Reach:
    words = _words(key)
    if not words or _HINT.search(key) is None:
        return Reach.NONE
    last = words[-1]
    if words == ("private",):
        return Reach.BELOW
    if len(words) > 1 and last in _ABOUT and not ("webhook" in words and last in _ADDRESSES):
        return Reach.NONE
    if "per" in words or (words[-2:] == ("key", "id") and "access" not in words):
        return Reach.NONE
    if last in ("tokens", "keys") and not _COUNTING.isdisjoint(words[:-1]):
        return Reach.NONE
    if "public" in words or "pub" in words:
        return Reach.NONE
    pairs = [first + second for first, second in pairwise(words)]
    if any(_names_one(words, at) for at in range(len(words))) or any(map(_STEM.search, pairs)):
        return Reach.BELOW
    is_pass = _GLUED_PASS.fullmatch(last) is not None and last not in _NO_PASS
    return Reach.VALUE if last in _LAST_WORDS or is_pass else Reach.NONE


def _names_one(words: Sequence[str], at: int) -> bool:
    word = words[at]
    if word in ("key", "keys"):
        return at == 0 or words[at - 1] not in _KINDS_OF_KEYS
    return word in _WORDS or bool(_STEM.search(word) or _GLUED.fullmatch(word))


def _words(key: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(key))


def _is_among(key: str, names: Sequence[tuple[str, tuple[str, ...]]]) -> bool:
    """Return whether a key is one of the names or has one among its words, in any spelling."""
    if not names:
        return False
    folded, spelled = key.casefold(), f" {' '.join(_words(key))} "
    return any(
        folded == name or (bool(words) and f" {' '.join(words)} " in spelled)
        for name, words in names
    )

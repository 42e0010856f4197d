"""A statement of leave: eight lines that say what may go live, then signatures over them.

Reads and writes the form; whether a signature holds is `signing`'s, whether it fits an edit
`approval`'s.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from .._runtime.clock import dated
from ..exceptions import UsageError
from ..types import KeyPath, printable
from .patterns import Spelled, as_it_is, pattern_of

FIELDS: Final = ("reloadcheck", "service", "environment", "from", "to", "keys", "until", "reason")
ANYTHING: Final = "any"
MOST_BYTES: Final = 64 * 2**10
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"
_ARMOUR: Final = re.compile(rf"{_BEGIN}[A-Za-z0-9+/=\s]*{_END}")
MOST_SIGNATURES: Final = 10
"""Each is verified by a program of its own."""


class UnsignedError(Exception):
    """A statement whose form or signature does not hold; its text says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as it was read; `signed` are its eight lines, `until` seconds since the epoch.

    `keys` is None where it says `any`, and so is `to`.
    """

    kind: str
    service: str
    environment: str
    base: str
    to: str | None
    keys: tuple[str, ...] | None
    until: float
    reason: str
    signed: bytes = field(repr=False)
    signatures: tuple[str, ...] = field(repr=False)

    def covers(self, path: KeyPath, spelled: Spelled = as_it_is) -> bool:
        """Return whether its keys cover a key path; `spelled` is how files may write a key."""
        if self.keys is None:
            return True
        return any(pattern_of(key, spelled).covers(path) for key in self.keys)


def statement_of(data: bytes, *, signed: bool = True) -> Statement:
    """Return a statement; raise `UnsignedError` for what is none.

    Where it need not be `signed`, its lines alone are one too.
    """
    if len(data) > MOST_BYTES:
        raise UnsignedError("it is too large for a statement")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise UnsignedError("it is not UTF-8") from None
    head, begin, rest = text.partition(_BEGIN)
    lines = head.split("\n")
    if "\r" in head or len(lines) != len(FIELDS) + 1 or lines[-1]:
        raise UnsignedError("a statement is eight lines that end in LF, then its signatures")
    values: list[str] = []
    for name, line in zip(FIELDS, lines, strict=False):
        key, colon, value = line.partition(": ")
        if key != name or not colon:
            raise UnsignedError(f"its line `{name}: …` is missing or in another place")
        values.append(value.strip())
    word = re.fullmatch(r"(approval|override) 1", values[0])
    if word is None:
        raise UnsignedError("it begins with neither `approval 1` nor `override 1`")
    until = instant_in(values[6])
    if until is None:
        raise UnsignedError("its `until:` is no time with an offset, as in 2026-12-01T18:00+01:00")
    if not all(value.isprintable() for value in values):
        raise UnsignedError("a line of it holds control characters")
    keys = None if values[5] == ANYTHING else tuple(re.split(r", *", values[5]))
    for key in keys or ():
        try:
            pattern_of(key)
        except UsageError:
            reason = f"its `keys:` names {printable(key)!r}, which is no key path"
            raise UnsignedError(reason) from None
    to = None if values[4] == ANYTHING else values[4]
    if keys is None and to is None:
        raise UnsignedError("it names neither the content nor the keys that it is for")
    if not values[7]:
        raise UnsignedError("it gives no reason")
    signatures = tuple(
        _BEGIN + part.split(_END)[0] + _END + "\n" for part in (begin + rest).split(_BEGIN)[1:]
    )
    left = _ARMOUR.sub("", begin + rest)
    if left.strip():
        raise UnsignedError("after its eight lines stands something that is no signature")
    if len(signatures) > MOST_SIGNATURES:
        raise UnsignedError(f"it has more than {MOST_SIGNATURES} signatures")
    if signed and not signatures:
        raise UnsignedError("nobody has signed it")
    _, service, environment, base, *_ = values
    what = service, environment, base, to, keys, until, values[7]
    return Statement(word[1], *what, head.encode(), signatures)


def statement_text(
    kind: str,
    service: str,
    environment: str,
    base: str,
    to: str,
    keys: Sequence[str],
    until: str,
    reason: str,
) -> str:
    """Return the eight lines that are signed."""
    values = (f"{kind} 1", service, environment, base, to, ", ".join(keys), until, reason)
    if any("\n" in value for value in values):
        raise ValueError("a line of a statement has no line break in it")
    return "".join(f"{name}: {value}\n" for name, value in zip(FIELDS, values, strict=True))


def instant_in(text: str) -> float | None:
    """Return the instant that a statement is good until; None for what has no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else dated(moment.timestamp())

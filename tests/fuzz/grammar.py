"""Write random documents in each format: mostly valid, full of corners, and then damaged.

Everything is decided by the `Random` given, so that a seed reproduces a document.
"""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from .merges import merge_text
from .tokens import slot_text, token_text

_WORDS: Final = r"""
no on off Yes y n N TRUE tRue false ~ null Null NULL nul
0 -0 +0 1 -1 +7 010 0o10 08 0x1F 0xg 0b101 0b2 1_000 1__0 _1 0x_
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809
1:30 22:22 1:60 -1:30 1e3 1E5 1e+3 1.5e3 1.5e+3 .5 -.5 5. 1.0 -0.0 1_0.5 1:30.5 . .. ._
1.e+400 .inf -.INF .nan .NaN 1.7976931348623157e+308 4.9e-324 0.1 100000000000000000000.0
2001-01-01 2001-1-1 2001-02-30 0000-01-01 2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43Z
2001-12-14T24:00:00Z 2001-01-01T00:00:00+24:00 12:30:45
= << a b key value a.b a-b http://x.y:80/?z C:\x x#y é ☃ 😀 - -- --- ... ? : [] {}
'' "" 'x' 'it''s' "a\nb" "\x41" "\u263a" "\ud800" "\0" '1' "true" '<<' '='
"""
SCALARS: Final = (
    *_WORDS.split(),
    "",
    "two words",
    "2001-12-14 21:59:43.10 -5",
    "a: b",
    "a #b",
    "'two\n  lines'",
    '"two\n  lines"',
    "|\n   one\n   two\n",
    ">-\n   one\n   two\n",
)
TAGS: Final = ("!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!", "!x", "!!map")
TAGS_RARE: Final = ("!!seq", "!!set", "!!omap", "!!binary", "!!merge", "!!python/none", "!<x>")
KEYS: Final = ("a", "b", "c", "key", "x-y", "'q'", '"d\\u0041"', "<<", "=", "1", "no", "~", "? a")


class _Yaml:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._anchors = 0

    def document(self) -> str:
        """Write a document, mostly with a mapping on top."""
        head = self._random.choice(["", "", "", "---\n", "%YAML 1.1\n---\n", "# c\n\n"])
        tail = self._random.choice(
            ["", "", "", "...\n", "# end", "\n\n", "---\n"][: 6 + self._rare()]
        )
        body = self._block(0) if self._random.random() < 0.8 else self._flow(0) + "\n"
        return head + body + tail

    def _rare(self) -> bool:
        return self._random.random() < 0.05

    def _key(self) -> str:
        keys = KEYS if self._rare() or self._random.random() < 0.2 else KEYS[:7]
        key = self._random.choice(keys)
        return f"{key}{self._random.randrange(9)}" if key in {"a", "b", "key"} else key

    def _block(self, depth: int) -> str:
        pad = "  " * depth
        lines: list[str] = []
        merged = False
        for _ in range(self._random.randrange(1, 5)):
            key = self._key()
            if key == "<<" and (merged or not self._anchors):
                continue
            merged = merged or key == "<<"
            value = self._alias_or_merge(depth) if key == "<<" else self._value(depth)
            lines.append(f"{pad}{key}:{value}\n")
        return "".join(lines) or f"{pad}z: 1\n"

    def _value(self, depth: int) -> str:
        roll = self._random.random()
        name = self._anchor()
        if depth < 4 and roll < 0.25:
            return f"{name}\n{self._block(depth + 1)}".rstrip("\n")
        if depth < 4 and roll < 0.4:
            pad = "  " * depth
            items = [self._scalar_or_flow(depth) for _ in range(self._random.randrange(1, 4))]
            return name + "".join(f"\n{pad}- {item}" for item in items)
        return f"{name} {self._scalar_or_flow(depth)}"

    def _anchor(self) -> str:
        if self._random.random() < 0.8:
            return ""
        self._anchors += 1
        return f" &n{self._anchors}"

    def _alias(self) -> str:
        return f"*n{self._random.randrange(1, self._anchors + 1 + self._rare())}"

    def _alias_or_merge(self, depth: int) -> str:
        if self._random.random() < 0.5:
            return " " + self._alias()
        parts = ", ".join([self._alias(), self._flow(depth + 2), self._alias()])
        return f" [{parts}]"

    def _scalar_or_flow(self, depth: int) -> str:
        roll = self._random.random()
        if roll < 0.15 and self._anchors:
            return self._alias()
        if roll < 0.3 and depth < 5:
            return self._flow(depth + 1)
        tag = ""
        if self._random.random() < 0.1:
            tag = self._random.choice(TAGS_RARE if self._rare() else TAGS) + " "
        return tag + self._random.choice(SCALARS)

    def _flow(self, depth: int) -> str:
        count = self._random.randrange(4)
        if self._random.random() < 0.5:
            parts = [self._scalar_or_flow(depth + 1) for _ in range(count)]
            return "[" + ", ".join(parts) + "]"
        parts = [f"{self._key()}: {self._scalar_or_flow(depth + 1)}" for _ in range(count)]
        return "{" + ", ".join(parts) + "}"


def yaml_text(random: Random) -> str:
    """Write a YAML document."""
    return _Yaml(random).document()


_JSON_WORDS: Final = r"""
0 -0 1 -1 01 1. .5 1.0 1e3 1E-3 1e999 -1.5e+300 9223372036854775808 9223372036854775807
true false null NaN Infinity -Infinity nul True
"" "x" "\n" "\u0000" "\ud83d\ude00" "\ud800" "\x" "é" "😀" "a\"b" "\\" "\/"
"""
JSON_SCALARS: Final = tuple(_JSON_WORDS.split())


def json_text(random: Random) -> str:
    """Write a JSON document."""

    def value(depth: int) -> str:
        roll = random.random()
        space = random.choice(["", "", " ", "\n", "\t"])
        if depth > 5 or roll < 0.5:
            return space + random.choice(JSON_SCALARS)
        parts = [value(depth + 1) for _ in range(random.randrange(4))]
        if roll < 0.7:
            return space + "[" + ",".join(parts) + space + "]"
        keys = [json.dumps(random.choice(["a", "b", "c", "d e", "é", ""])) for _ in parts]
        pairs = [f"{key}{space}:{part}" for key, part in zip(keys, parts, strict=True)]
        return space + "{" + ",".join(pairs) + space + "}"

    keys = random.sample("abcdefgh", random.randrange(5))
    return "{" + ",".join(f'"{key}":{value(0)}' for key in keys) + "}"


_TOML_WORDS: Final = r"""
0 -0 +1 01 1_000 1__0 0x1F 0o17 0b11 9223372036854775807 9223372036854775808 1.0 1e3
1.e3 .5 6.626e-34 1e400 inf -inf nan true false True 1979-05-27 1979-02-30 07:32:00
1979-05-27T07:32:00Z 1979-05-27T00:32:00.999999-07:00 1979-05-27t07:32:00
'' 'x' "x" "\n" "\u0041" "\U0001F600" "\ud800" "\x" 'a"b' "é"
"""
TOML_SCALARS: Final = (
    *_TOML_WORDS.split(),
    '""',
    "1979-05-27 07:32:00",
    '"""\nx "y" \\\n   z"""',
    '""""a"""""',
    "'''\n'x' \\'''",
    "''''a'''''",
    '"a # b"',
)


def toml_text(random: Random) -> str:
    """Write a TOML document."""

    def key() -> str:
        names = ["a", "b", "c", "d-e", "1", "'q r'", '"\\u0041"', '""', "a.b", "b . c", "a.'x'"]
        return random.choice(names)

    def value(depth: int) -> str:
        roll = random.random()
        if depth > 4 or roll < 0.6:
            return random.choice(TOML_SCALARS)
        parts = [value(depth + 1) for _ in range(random.randrange(4))]
        if roll < 0.8:
            gap = random.choice([", ", ",\n  ", " , # c ]\n"])
            return "[" + gap.join(parts) + random.choice(["", ",", "\n"]) + "]"
        return "{ " + ", ".join(f"{key()} = {part}" for part in parts) + " }"

    lines: list[str] = []
    for _ in range(random.randrange(8)):
        roll = random.random()
        comment = random.choice(["", "", " # c = [", "\r"])
        if roll < 0.2:
            lines.append(f"[{key()}]{comment}")
        elif roll < 0.35:
            lines.append(f"[[ {key()}]]{comment}")
        else:
            lines.append(f"{key()} = {value(0)}{comment}")
    return "\n".join(lines)


WRITERS: Final[Mapping[str, Callable[[Random], str]]] = {
    "json": json_text,
    "toml": toml_text,
    "yaml": lambda random: random.choice([yaml_text, token_text, slot_text, merge_text])(random),
}

_CRUMBS: Final = (
    *"[]{}:,#&*!|>'\"%@`\\-? \n\t=.",
    "\r\n",
    "\r",
    "\0",
    "\ufeff",
    "\u2028",
    "\x85",
    "<<: ",
    "---\n",
    "!!python/name:os.system ",
    "&n1 ",
    "*n1",
    "[" * 70,
    "- " * 70,
    "9" * 500,
    '"""',
    "[[a]]\n",
    '"\\ud800"',
)


def damaged(random: Random, text: str) -> bytes:
    """Cut, repeat, swap or insert something, now and then not even as text."""
    for _ in range(random.randrange(1, 4)):
        start = random.randrange(len(text) + 1)
        end = min(len(text), start + random.randrange(12))
        match random.randrange(4):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:end] + text[start:end] * random.choice([1, 2, 50]) + text[end:]
            case 2:
                text = text[:start] + random.choice(_CRUMBS) + text[start:]
            case _:
                text = text[:start]
    data = text.encode(errors="surrogatepass")
    if random.random() < 0.05:
        place = random.randrange(len(data) + 1)
        data = data[:place] + bytes([random.randrange(256)]) + data[place + 1 :]
    return data

"""Write YAML that no person writes: tokens in a random row, and any characters in one place.

These reach the corners in which the two parsers of PyYAML decide on single characters. Everything
is decided by the `Random` given.
"""

from random import Random
from typing import Final

_MARKS: Final = r"""
- ? : , [ ] { } --- ... :: -- ?? -? ?: :- ,: ]: }: :, :] :} ?, [- [? {?
"""
_TAGS: Final = r"""
! !! !!str !!int !!s%74r !<tag:yaml.org,2002:str> !<!str> !<x !e!x !e!str !str, !!str] !!%zz
!!str{ !é !!str#x !<tag:yaml.org,2002:i%6Et> !!null !!seq !!map
"""
_NAMES: Final = "&a &b *a *b &é *é &a, *a: &a: & * &a] *a-b &a? &a{ &a#b"
_PLAINS: Final = r"""
a b a1 -a ?a :a a:b a: a:: a# a#b #a a,b a?b a-b a[b a]b a{b a}b -1 1 0x1F true ~ << = é ☃ 😀
@a `a %a a% a%b a&b a*b a!b a|b a>b a'b a"b http://x:80/?y
"""
_QUOTED: Final = (
    "''", '""', "'a'", '"a"', "'a''b'", "'a\n b'", '"a\n b"', "'a\n\n  b'", '"a\\\n  b"', "' a '",
    '" a\\t"', "'a\n# b'", '"\\x41"', '"\\u263A"', '"\\U0001F600"', '"\\N"', '"\\_"', '"\\/"',
    '"\\ "', '"\\e"', '"\\x4"', '"\\ud800"', '"\\\t"', "'a\n--- b'", '"a\n... b"', "'a\t\n\tb'",
    '"a\\n\\\n\n \tb"', "'a\r\n\r\nb'", '"\\U00110000"', '"\\P"', "'a\n---'", '"a', "'a",
)  # fmt: skip
_BLOCKS: Final = (
    "|\n a\n", ">\n a\n b\n", "|-\n a\n", "|+\n a\n\n", "|1\n  a\n", "|2-\n   a\n", "|-1\n  a\n",
    "|\n\n  a\n", "|\n   \n  a\n", ">\n a\n  b\n\n c\n", "|0\n a\n", "|10\n a\n", "|+ # c\n a\n",
    "|#c\n a\n", "| # c\n a\n", ">\n\n\n", "|\n", ">-\n\t a\n", "|\n a\n\tb\n", "|\n \ta\n",
    "|a\n b\n", ">+\n a\n\n\n", "|-+\n a\n", "|\n  a\n b\n", ">\n  a\n\n   b\n  c\n", "|9\n a\n",
    "|\n# a\n",
    "|\n---\n", ">\r\n a\r\n b\r\n", "|1-\n a\n", "|1\n\n  \n a\n", ">1\n \n  a\n", "|\n  \n a\n",
)  # fmt: skip
_HEADS: Final = (
    "%YAML 1.1\n---\n", "%YAML 1.2\n---\n", "%TAG ! x\n---\n", "%TAG !e! tag:yaml.org,2002:\n---\n",
    "%x y\n---\n", "---", "--- ", "%YAML 1.1 # c\n# d\n---\n", "%YAML 2.0\n--- ", "%YAML 1.1\n",
    "%YAML 1.1\n%YAML 1.1\n---\n", "%TAG !! x:\n---\n", "%YAML  01.1\n---\n", "...\n", "\ufeff",
)  # fmt: skip
_GLUE: Final = (
    "", "", "", "", " ", " ", " ", "  ", "\n", "\n", "\n ", "\n  ", "\n   ", "\n\n", "\r\n", "\t",
    " #", "#", " # c\n", "\n#c\n", " \n", "\n\t", "\t\n", "\r\n ", "\n \t", ": ", ": ", ", ",
    "\n- ", "\n? ", ":\n  ",
)  # fmt: skip
_RARE: Final = (
    "\r",
    "\x85",
    "\u2028",
    "\ufeff",
    "\0",
    "\x7f",
    "\ufffe",
    "a" * 1030,
    '"' + "b" * 1030 + '"',
)
_KINDS: Final = (
    *(words.split() for words in (_MARKS, _MARKS, _TAGS, _NAMES, _PLAINS, _PLAINS)),
    _QUOTED,
    _BLOCKS,
)


def token_text(random: Random) -> str:
    """Write a document of up to a few dozen tokens, often within a mapping's value."""
    parts: list[str] = []
    if random.random() < 0.1:
        parts.append(random.choice(_HEADS))
    parts.append(
        random.choice(["", "", "k: ", "k: ", "k: [", "k: {", "k:\n  ", "k:\n- ", "{", "? "])
    )
    opened = parts[-1][-1:] if parts[-1][-1:] in "[{" else ""
    few = random.choice([2, 4, 8, 30])
    for _ in range(random.randrange(1, few + 1)):
        parts.append(_token(random))
        parts.append(random.choice(_GLUE))
    if opened and random.random() < 0.8:
        parts.append({"[": "]", "{": "}"}[opened])
    if random.random() < 0.2:
        parts.append(random.choice(["\n", "\nz: 1", " # c", "\n...\n", "\n--- x", "\nz:", " "]))
    return "".join(parts)


def _token(random: Random) -> str:
    if random.random() < 0.01:
        return random.choice(_RARE + _HEADS)
    return random.choice(random.choice(_KINDS))


_PLACES: Final = r"""
k:_@  k:_[@]  k:_{a:_@}  k:|n__@  k:_[a@]  @:_1  k:_{@:_1}  k:_"@"  k:_'@'  k:_"\@"  k:_!@
k:_!!@_a  k:_!!str@a  k:_[!!str@a]  k:_&a@b  k:_[&a@b]  k:_&a_x|nl:_*a@  k:_&a_x|nl:_[*a@]
k:_^@|n_a|n  k:_>@|n__a|n___b|n  k:_@|n__a|nb:_c  k:_a@b  k:_[a@b]  k:_{a@b:_c}  k:_{a:@b}
k:_'a'@b  k:_['a'@b]  k:_['a':@]  k:_{'a':@}  k:|n-_a|n@-_b  ?@a|n:_b  ?_a|n:@  k:_[?_@]
k:_{?_@}  %YAML@1.1|n---|nk:_1  %@|n---|nk:_1  --@|nk:_1  ---@k:_1  k:_1|n...@  k:_1|n@|nb:_2
k:_!<@>_a  k:_[!<tag:yaml.org,2002:str>@]  k:_!!int|n_@|n  k:_&a|n_@  k:_[a,@,b]  k:_"a|n@b"
k:_'a|n@b'  k:_a|n_@b  k:_a|n@b  k:_^|n_@a|n__b|n  k:_^|n|n@__a|n_b  k:_>|n_a|n@_b|n_c
k:_^2|n_@_a|n  k:_>1-|n_@|n@  k:_^+|n_a|n@|nb:_1  @_k:_1  k:_1|n_@  k:_[a|n@]  k:_{|n@a:_1}
k:_{a@:_1}  "k"@:_1  [k]@:_1  k:_{a:_1@b:_2}  k:_[a]@  k:_{a:_b}@  k@1  k:_!!str@'a'  k:_[!!str@]
k:_!!str|n__^@|n___x|n  k:_{!!str@:_a}  k:_[[a]@:_b]  k:_[a:_b@c]  k:_a|n#@|n__b  k:_^|n_a|n@#_c
k:_"@\|n_b"  k:_"\|n@_b"  k:_!!s%@_a  k:_[!!str%2C@]  k:_[a_b@c:_d]  k:|n__?@|n__:@  k:|n_-@b
k:_1|n---@  k:_[|n---@]  k:_'|n---@'  k:_a|n---@  k:_^|n---@  k:_&a_#_it's|n__@'b'
"""
_SLOTS: Final = tuple(
    place.replace("_", " ").replace("^", "|").replace("|n", "\n") for place in _PLACES.split()
)
_FILLING: Final = (
    *" \t\n#:,[]{}?-!&*|>'\"%a1.+\\b", "\r\n", "  ", "\n ", "\n  ", "!!str", "&a", "*a", "---",
    "...", ": ", ", ", " #", "# ", "- ", "? ",
)  # fmt: skip


def slot_text(random: Random) -> str:
    """Write a small valid document, and a few characters in one place of it."""
    filling = "".join(random.choice(_FILLING) for _ in range(random.randrange(1, 7)))
    return random.choice(_SLOTS).replace("@", filling)

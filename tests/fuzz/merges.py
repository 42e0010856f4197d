"""Write YAML documents of mappings that merge one another, with the same few keys in each."""

from random import Random
from typing import Final

_KEYS: Final = ("a", "b", "host", "port", "max_size", "7", "'q r'")
_VALUES: Final = ("1", "2", "x", "yes", "[1, 2]", "{a: 1}", "{a: 2, b: 1}", "~", "two words")


def merge_text(random: Random) -> str:
    """Write a document whose later mappings merge the earlier ones: alone, in lists, anywhere."""
    names: list[str] = []
    lines: list[str] = []
    for number in range(random.randrange(2, 7)):
        entries = [f"{key}: {random.choice(_VALUES)}" for key in _some(random)]
        if names and random.random() < 0.8:
            entries.insert(random.randrange(len(entries) + 1), f"<<: {_sources(random, names)}")
        name = f"n{number}"
        anchor = f" &{name}"
        if random.random() < 0.5:
            lines.append(f"m{number}:{anchor} {{{', '.join(entries)}}}")
        else:
            lines += [f"m{number}:{anchor}", *(f"  {entry}" for entry in entries)]
        names.append(name)
    return "\n".join(lines) + "\n"


def _some(random: Random) -> list[str]:
    return random.sample(_KEYS, random.randrange(1, 5))


def _sources(random: Random, names: list[str]) -> str:
    if random.random() < 0.4:
        return f"*{random.choice(names)}"
    parts = [f"*{random.choice(names)}" for _ in range(random.randrange(1, 4))]
    if random.random() < 0.3:
        inline = [f"{key}: {random.choice(_VALUES)}" for key in _some(random)]
        if random.random() < 0.5:
            inline.append(f"<<: *{random.choice(names)}")
        parts.insert(random.randrange(len(parts) + 1), f"{{{', '.join(inline)}}}")
    return f"[{', '.join(parts)}]"

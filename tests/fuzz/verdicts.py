"""Print what our YAML reader says of thousands of documents: `python -m tests.fuzz.verdicts`.

A line a document: its seed, and a digest of the tree, or the whole sentence of the refusal. Two
versions of the library below are alike where they print the same; `.ci/run libyaml` compares all.
"""

import argparse
import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from random import Random

import yaml

from reloadcheck.exceptions import ConfigError
from reloadcheck.parsers import parse
from reloadcheck.types import Document

from .grammar import WRITERS, damaged
from .merges import merge_text

NESTS = {
    "lists": ("[", "]"),
    "mappings": ("{b: ", "}"),
    "lists of mappings": ("[{b: ", "}]"),
    "block lists": ("- ", ""),
    "keys in a list": ("[b: ", "]"),
    "explicit keys": ("? ", ""),
}
"""What opens a level, and what closes it."""

_COLUMN = re.compile(r"^(c\.yaml:\d+):\d+")

DEPTHS = (*range(1, 130), 255, 256, 257, 999, 1000, 1001, 2000, 10_000)


def documents(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield documents and what they are called by: generated, damaged, merging, nested."""
    for seed in range(count):
        text = WRITERS["yaml"](Random(seed))
        yield f"written {seed}", text.encode()
        yield f"damaged {seed}", damaged(Random(seed), text)
        yield f"merging {seed}", merge_text(Random(seed)).encode()
    for name, (opens, closes) in NESTS.items():
        for depth in DEPTHS:
            whole = f"a:\n {opens * depth}1{closes * depth}\n"
            yield f"{name} {depth}", whole.encode()
            yield f"{name} {depth} open", f"a:\n {opens * depth}".encode()
            yield f"{name} {depth} flawed", f"k: [1, !x 2]\n{whole}".encode()
    for depth in DEPTHS:
        yield f"block {depth}", "".join(" " * n + "a:\n" for n in range(min(depth, 500))).encode()


def verdict(data: bytes) -> str:
    """Return the digest of the tree, or the sentence that refuses it, but for the column.

    libyaml 0.2.6 places an empty key of a list a column before where 0.2.5 does.
    """
    try:
        tree = parse(Document("c.yaml", data, "yaml"), lambda: None)
    except ConfigError as error:
        return _COLUMN.sub(r"\1", str(error))
    return hashlib.sha256(repr(tree).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print them all; the versions go to the other stream."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.verdicts", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="seeds; three documents of each")
    count = parser.parse_args(arguments).count
    print(f"PyYAML {yaml.__version__}, libyaml: {yaml.__with_libyaml__}", file=sys.stderr)
    for name, data in documents(count):
        print(f"{name}: {verdict(data)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What is kept of a configuration: the documents that are neither confidential nor an environment.

The content digest is of the tree that they merge to, so that comments, order and secrets change
nothing of it: editions, bans, rounds and drift speak of it.
"""

import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Sequence
from typing import Final

from .._config.digest import source_digest, tree_digest
from .._config.secret_looks import masked
from .._config.veil import Veil, written
from .._load.merge import parse
from .._load.references import with_documents
from .._runtime.pause import nap
from ..exceptions import ConfigError
from ..seams.feed import Reading
from ..sources import DotenvSource, EnvironSource
from ..types import Document, Place, Problem, Source, Tree

__all__ = [
    "content_of",
    "kept_of",
    "kept_tree",
    "layers_of",
    "packed",
    "secret_in",
    "unpacked",
    "with_kept",
]

_COMMENT: Final = re.compile(r"(?:#|//).*")
_SAYING: Final = re.compile(r"([\w.-]+)\s*[:=]\s*[\"']?([^\s\"']+)")


def kept_of(sources: Sequence[Source], places: Sequence[Place]) -> tuple[int, ...]:
    """Return the numbers of the sources whose documents may be kept."""
    pairs = enumerate(zip(sources, places, strict=True))
    return tuple(
        number
        for number, (source, place) in pairs
        if not place.confidential and not isinstance(source, EnvironSource | DotenvSource)
    )


def content_of(sources: Sequence[Source], reading: Reading) -> str | None:
    """Return the content digest of a reading; None where what is kept does not parse."""
    try:
        return tree_digest(kept_tree(sources, reading), nap)
    except ConfigError:
        return None


def kept_tree(sources: Sequence[Source], reading: Reading) -> Tree:
    """Return what merges of the documents that may be kept; raise `ConfigError`."""
    kept = kept_of(sources, reading.places)
    own = [sources[number] for number in kept]
    return parse(own, [reading.documents[number] for number in kept], nap).tree


def layers_of(
    sources: Sequence[Source], reading: Reading, content: str | None = None
) -> dict[str, str]:
    """Return the digest of each kept layer's own tree, by the name of its source.

    `content` is the content digest: that of the only layer, which is not parsed again.
    """
    found: dict[str, str] = {}
    kept = kept_of(sources, reading.places)
    if len(kept) == 1 and content is not None:
        return {sources[kept[0]].name: content}
    for number in kept:
        try:
            tree = parse([sources[number]], [reading.documents[number]], nap).tree
        except ConfigError:
            continue
        found[sources[number].name] = tree_digest(tree, nap)
    return found


def secret_in(
    sources: Sequence[Source],
    reading: Reading,
    also: Collection[str] = (),
    public: Collection[str] = (),
) -> Problem | None:
    """Return the first of what is kept that looks secret, by the judge of the status page.

    Comments are kept with the rest, and may hold the password of yesterday. What a reference stands
    for is not kept, so that a reference is no secret.
    """
    veil = Veil(also, public)
    plain = _without_references(() if reading.referring is None else reading.referring.kinds)
    for number in kept_of(sources, reading.places):
        documents = reading.documents[number]
        name = sources[number].name
        try:
            tree = parse([sources[number]], [documents], nap).tree
        except ConfigError:
            return Problem("does not parse, and may hold anything", name)  # nobody can tell
        for count, (path, value, hidden) in enumerate(veil.walk(tree)):
            text = value if isinstance(value, str) else written(value)
            if text is not None:
                text = plain(text)
            if (hidden and text != "") or (text is not None and masked(text) != text):
                return Problem("looks secret", name, key_path=path)
            if count % 1_000 == 999:
                nap()
        for document in documents:
            data = document.data.decode("utf-8", "replace")
            for comment in map(plain, _COMMENT.findall(data)):
                sayings = _SAYING.findall(comment)
                if masked(comment) != comment or any(veil.hides_at(k, v) for k, v in sayings):
                    return Problem("a comment looks secret", document.name)
    return None


def _without_references(kinds: Collection[str]) -> Callable[[str], str]:
    """Return what takes references out of a text, with the login or the parameter that they are."""
    if not kinds:
        return str
    one = rf"(?<!\$)\$\{{(?:{'|'.join(map(re.escape, kinds))}):[^{{}}]*\}}"
    login = rf"(?<=://)(?:(?:{one}|[^/?#@:\s])*:)?{one}@"
    whole = re.compile(rf"{login}|[\w.-]+ {{0,3}}= {{0,3}}{one}(?![^\s&;,#])|{one}")
    return lambda text: whole.sub("", text) if "${" in text else text


def packed(sources: Sequence[Source], reading: Reading) -> bytes:
    """Write down the documents that may be kept."""
    documents = [
        {
            "source": number,
            "name": document.name,
            "format": document.format,
            "data": b64encode(zlib.compress(document.data, 6)).decode("ascii"),
        }
        for number in kept_of(sources, reading.places)
        for document in reading.documents[number]
    ]
    return json.dumps({"v": 1, "documents": documents}, separators=(",", ":")).encode()


def unpacked(data: bytes) -> dict[int, tuple[Document, ...]]:
    """Read documents back, by the number of their source; raise `ValueError` for what is none."""
    groups: dict[int, list[Document]] = {}
    try:
        for one in json.loads(data)["documents"]:
            document = Document(one["name"], zlib.decompress(b64decode(one["data"])), one["format"])
            groups.setdefault(int(one["source"]), []).append(document)
    except (KeyError, TypeError, zlib.error) as error:
        raise ValueError("is no content that was kept") from error
    return {number: tuple(documents) for number, documents in groups.items()}


def with_kept(sources: Sequence[Source], reading: Reading, data: bytes) -> Reading:
    """Return the reading with an older edition's documents where such are kept, the rest live."""
    older = unpacked(data)
    kept = set(kept_of(sources, reading.places))
    documents = tuple(
        older.get(number, ()) if number in kept else own
        for number, own in enumerate(reading.documents)
    )
    return with_documents(reading, documents, source_digest)

"""Where the secrets of a configuration stand: what a contract calls secret has no place in a file.

Takes what was read, gives a problem for each secret in plain text; shows none.
"""

from collections.abc import Iterator
from typing import Final

from .._load.layers import layer_of
from .._load.source_set import Placed
from ..sources import DotenvSource, EnvironSource
from ..types import Code, Problem, Source
from ._inputs import Inputs
from ._reading import Fault, Known

__all__ = ["plain_secrets"]

_REASON: Final = (
    "is a secret in plain text, says the contract: write ${file:…} and name references=[…], or "
    "give it by a directory of secrets or a variable"
)


def plain_secrets(inputs: Inputs, known: Known) -> Iterator[Fault]:
    """Return an error for each value that the contract calls secret and any reader can see."""
    if inputs.contract is None or inputs.contract_error is not None or known.parsed is None:
        return
    from ..policy.reach import leaves_of

    terms, layers = inputs.contract.terms, known.parsed.layers
    if not any(one.secret for one in terms.keys):
        return
    for number, (source, layer) in enumerate(zip(known.sources, layers, strict=True)):
        if _is_secret(source):
            continue
        for path, value in leaves_of((), layer.tree):
            if value in (None, "") or isinstance(value, bool) or path in layer.referred:
                continue
            if terms.said("secret", path) and layer_of(layers, path) == number:
                place = layer.origin(path)
                where = place.name, place.line, place.column, path
                yield Fault("error", Code.CONTRACT, Problem(_REASON, *where))


def _is_secret(source: Source) -> bool:
    if isinstance(source, EnvironSource | DotenvSource):
        return True
    return isinstance(source, Placed) and source.place().confidential

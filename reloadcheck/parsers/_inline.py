"""Lists and mappings in the text of one variable: JSON, or `a,b` where a list is wanted.

Whoever asks knows what is wanted: the same text is text where a string is. Nothing here quotes it.
"""

from typing import Final, cast

from ..types import Untyped, no_pause
from . import _json
from ._text import Refusal, refuse_surrogates

_SPACE: Final = " \t\r\n"
_NO_LIST: Final = 'is no list: write a,b or a JSON list, as in ["a", "b"]'
_NO_MAPPING: Final = 'is no mapping: write a JSON object, as in {"a": 1}'


def read_list(text: str) -> list[object]:
    """Return the list that a text stands for: a JSON list, or what commas set apart, untyped.

    Space around a comma does not count, nor does a comma at the end; an empty text is no items.
    """
    written = refuse_surrogates(text).strip(_SPACE)
    if written.startswith("["):
        value = _json_value(written, _NO_LIST)
        if isinstance(value, list):
            return cast(list[object], value)
        raise Refusal(_NO_LIST)
    parts = [part.strip(_SPACE) for part in written.split(",")]
    if not parts[-1]:
        parts.pop()
    return [Untyped(part) for part in parts]


def read_mapping(text: str) -> dict[str, object]:
    """Return the mapping that a text stands for, which is a JSON object."""
    value = _json_value(refuse_surrogates(text), _NO_MAPPING)
    if isinstance(value, dict):
        return cast(dict[str, object], value)
    raise Refusal(_NO_MAPPING)


def _json_value(text: str, reason: str) -> object:
    # As the one value of a mapping, since that is what a document is.
    try:
        (value,) = _json.read(f'{{"":{text}}}', no_pause).values()
    except Refusal as refusal:
        raise Refusal(f"{reason} ({refusal.reason})") from None
    except ValueError:  # more than the one value
        raise Refusal(reason) from None
    return value

"""Say in our own words what PyYAML found wrong.

Its sentences, above all without libyaml, quote characters and whole lines of the text.
"""

from typing import Final

from yaml.error import MarkedYAMLError, YAMLError

from ._limits import TOO_DEEP
from ._text import Refusal

TAB: Final = "a tab may stand only in quotes, comments and blocks of text"
NO_KEY: Final = 'expected "key: value" here (": " is missing; is the file cut off?)'
_ESCAPE: Final = "an escape that does not exist; single quotes take a \\ as it is"
_LIBYAML_TOO_DEEP: Final = "maximum nesting depth"
_TAG: Final = "a tag that cannot be read; put text that begins with ! in quotes"
_NO_TOKEN: Final = "no value may begin with this character; put it in quotes"
_INDICATORS: Final = frozenset("@`%")
_REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("cannot start any token", _NO_TOKEN),
    ("tab character", TAB),
    (
        "could not find expected ':'",
        'expected "key: value" here (": " is missing; is the file cut off?)',
    ),
    ("mapping values are not allowed", "no key may stand here; put text with a colon in quotes"),
    ("mapping keys are not allowed", "no key may stand here"),
    ("sequence entries are not allowed", "no list item may stand here"),
    ("unexpected end of stream", "the text that begins here in quotes does not end"),
    ("unexpected document", "the text that begins here in quotes does not end"),
    ("expected ',' or ']'", "the list that begins here is not closed, or a comma is missing"),
    ("expected ',' or '}'", "the mapping that begins here is not closed, or a comma is missing"),
    ("escape", _ESCAPE),
    ("hexdecimal", _ESCAPE),
    ("undefined tag handle", "a tag that is not allowed; only plain YAML is read"),
    ("tag", "a tag that cannot be read"),
    ("incompatible YAML document", "is written for another version of YAML"),
    ("directive", "a directive that cannot be read"),
    ("document start", "does not begin as YAML does"),
    ("alphabetic or numeric", "the name of an anchor or alias is missing; put text in quotes"),
    ("node content", "a value is missing here"),
    ("expected key", "the indentation does not fit the lines above"),
    ("'-' indicator", "the indentation does not fit the list above"),
    ("<block end>", "the indentation does not fit the lines above"),
    ("max depth", TOO_DEEP),
    (_LIBYAML_TOO_DEEP, TOO_DEEP),
)
_BEGUN: Final = ("does not end", "is not closed", NO_KEY)


def end_by_depth(error: YAMLError) -> int | None:
    """Return the character before which libyaml gave up because of the nesting alone."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return error.problem_mark.index if _LIBYAML_TOO_DEEP in (error.problem or "") else None
    return None


def refusal_of(error: YAMLError, text: str) -> Refusal:
    """Make the refusal for what PyYAML raised, at the place that a person has to look at."""
    if not isinstance(error, MarkedYAMLError):
        return Refusal("is not valid YAML")
    problem = error.problem or ""
    found = (reason for fragment, reason in _REASONS if fragment in problem)
    unknown = _TAG if "scanning a tag" in (error.context or "") else "is not valid YAML from here"
    reason = next(found, unknown)
    begun = reason is _TAG or any(words in reason for words in _BEGUN)
    mark = (begun and error.context_mark) or error.problem_mark or error.context_mark
    if mark is None:
        return Refusal(reason)
    if text.startswith("\t", mark.index):
        return Refusal(TAB, mark.index)
    if reason is _NO_TOKEN and text[mark.index : mark.index + 1] in _INDICATORS:
        reason = f"no value may begin with {text[mark.index]}; put it in quotes"
    return Refusal(reason, min(mark.index, len(text.rstrip())))  # not on a line after the last

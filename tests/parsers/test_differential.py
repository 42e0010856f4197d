"""What is accepted means what the library says it means, on thousands of generated documents."""

from random import Random

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reloadcheck.exceptions import ConfigError, ConfigSyntaxError
from reloadcheck.parsers import parse, survey
from reloadcheck.types import Document, Tree
from tests.fuzz.grammar import WRITERS, damaged
from tests.fuzz.merges import merge_text
from tests.fuzz.targets import check

DOCUMENTS = 1000
"""Of each kind; `-m long` has three times as many, `python -m tests.fuzz` as many as you like."""


@pytest.mark.parametrize("format_", WRITERS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random=st.randoms(use_true_random=False), damage=st.booleans())
def test_an_accepted_document_means_what_the_library_says(
    format_: str, random: Random, damage: bool
) -> None:
    """Any document is refused with a place, or gives the tree of the library, type for type."""
    text = WRITERS[format_](random)
    check(format_, damaged(random, text) if damage else text.encode())


EACH = [1, *(pytest.param(part, marks=pytest.mark.long) for part in (2, 3))]


def seeds(part: int) -> range:
    """Return the seeds of one of the three parts of all documents."""
    return range((part - 1) * DOCUMENTS, part * DOCUMENTS)


@pytest.mark.parametrize("part", EACH)
@pytest.mark.parametrize("format_", WRITERS)
def test_thousands_of_seeded_documents_mean_what_the_library_says(format_: str, part: int) -> None:
    """Of thousands of documents a good part is accepted, and none differs from the library."""
    accepted = 0
    for seed in seeds(part):
        random = Random(seed)
        accepted += check(format_, WRITERS[format_](random).encode())
    assert accepted > DOCUMENTS / 20


@pytest.mark.parametrize("part", EACH)
def test_merged_mappings_mean_what_the_merge_key_says(part: int) -> None:
    """A thousand documents of mappings that merge one another: all accepted, none different.

    Where the library differs, as it does from 6.0.4 on, more than one value was set for a key: that
    is what `survey` finds, and `validate` warns of.
    """
    shared = 0
    for seed in seeds(part)[::3]:
        text = merge_text(Random(seed))
        document = Document("c.yaml", text.encode(), "yaml")
        assert check("yaml", document.data)
        merges = survey(document).merges
        shared += bool(merges)
        tree = parse(document, lambda: None)
        assert merges or yaml.load(text, yaml.SafeLoader) == tree
    assert shared > DOCUMENTS / 60


@pytest.mark.parametrize("part", EACH)
def test_the_verdict_does_not_depend_on_how_pyyaml_was_built(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without libyaml the same documents are accepted, and mean the same."""
    documents: list[bytes] = []
    for seed in seeds(part):
        random = Random(seed)
        text = WRITERS["yaml"](random)
        documents.append(damaged(random, text) if seed % 2 else text.encode())
    with_libyaml = [tree_or_none(document) for document in documents]
    monkeypatch.setattr("reloadcheck.parsers._yaml._LOADER", yaml.SafeLoader)
    assert with_libyaml == [tree_or_none(document) for document in documents]


APART = {
    "an escape beyond Unicode": 'k: "\\U00110000"',
    "an escape beyond any integer": 'k: "\\UFFFFFFFF"',
    "half a character that is to mean null": 'k: !!null "\\ud800"',
    "a directive with a number of 5,000 digits": f"%YAML 1.{'1' * 5000}\n---\nk: 1",
    "a directive of a version to come": "%YAML 1.3\n---\nk: 1",
    "a key in brackets with its colon at their end": "k: {a:}",
    "a key in brackets with a colon at their end": "k: [a\n :]",
    "a tab in the margin of a block of text": "k: |\n\n \ta\n",
    "a tab in the margin below a comment": "k: !!str\n  >- # c\n \r\n  \ta\n",
}


@pytest.mark.parametrize("text", APART.values(), ids=APART)
@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
def test_what_only_one_of_the_two_parsers_takes_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str, loader: type
) -> None:
    """With and without libyaml it is an error with a line, not a tree and no foreign error."""
    monkeypatch.setattr("reloadcheck.parsers._yaml._LOADER", loader)
    with pytest.raises(ConfigSyntaxError) as caught:
        parse(Document("c.yaml", text.encode(), "yaml"), lambda: None)
    assert caught.value.line is not None


def tree_or_none(data: bytes) -> Tree | None:
    """Return the tree of a YAML document, or None for one that is refused."""
    try:
        return parse(Document("c.yaml", data, "yaml"), lambda: None)
    except ConfigError:
        return None

"""What is accepted means what the library says it means, on thousands of generated documents."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.grammar import WRITERS, damaged
from tests.fuzz.targets import check

DOCUMENTS = 3000


@pytest.mark.parametrize("format_", WRITERS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random=st.randoms(use_true_random=False), damage=st.booleans())
def test_an_accepted_document_means_what_the_library_says(
    format_: str, random: Random, damage: bool
) -> None:
    """Any document is refused with a place, or gives the tree of the library, type for type."""
    text = WRITERS[format_](random)
    check(format_, damaged(random, text) if damage else text.encode())


@pytest.mark.parametrize("format_", WRITERS)
def test_thousands_of_seeded_documents_mean_what_the_library_says(format_: str) -> None:
    """Of thousands of documents a good part is accepted, and none differs from the library."""
    accepted = 0
    for seed in range(DOCUMENTS):
        random = Random(seed)
        accepted += check(format_, WRITERS[format_](random).encode())
    assert accepted > DOCUMENTS / 20

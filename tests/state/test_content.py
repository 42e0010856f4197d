"""What of a configuration a store of the network keeps, where it is asked to judge."""

import logging
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import EnvReferences, FileSource, ReloadCheck
from reloadcheck._load.references import ReferenceSet
from reloadcheck._state.content import secret_in
from reloadcheck._state.store_orders import Orders
from reloadcheck.seams.feed import Reading
from reloadcheck.testing import MemoryStore
from reloadcheck.types import Document, Place
from tests.support.load import until

SECRET = [
    "password: canary",
    "database: {url: 'postgresql://me:canary@db/shop'}",
    "a: 1\n# password: canary",
    "a: 1 # was postgresql://me:canary@db/shop",
]
HARMLESS = [
    "a: 1\npool: {size: 4}",
    "# see https://wiki.test/config: owner is the shop team\nurl: postgresql://db/shop",
    "password: null",
]


REFERRING = [
    "payment: {api_key: '${env:KEY}'}",
    "database: {url: 'postgresql://shop:${env:KEY}@db/shop', password: '${env:KEY}'}",
    "url: 'https://${env:KEY}@host/x?token=${env:KEY}&page=2'",
    "url: postgresql://${env:KEY}:${env:KEY}@db/shop # password: ${env:KEY}",
    "connect: host=db password=${env:KEY} dbname=shop",
]
BESIDE_REFERENCES = [
    "password: canary-${env:KEY}",
    "password: $${env:KEY}canary",
    "password: ${other:canary}",
    "connect: password=${env:KEY}canary",
    "credentials: {user: canary, password: '${env:KEY}'}",
    "url: 'https://${env:KEY}@host https://me:canary@other'",
]
"""Each with a secret of its own."""


def _kept(
    tmp_path: Path, text: str, content: bool | None, **options: Any
) -> tuple[bool, MemoryStore]:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    store = MemoryStore(content=content)
    live: ReloadCheck[Any] = ReloadCheck(
        file, store=store, app="shop", settle=0, window=0.1, **options
    )
    live.start()
    orders = Orders(store.peer(), app="shop")
    until(lambda: len(orders.history()) == 1)
    live.close()
    return orders.history()[0].entry.kept, store


@pytest.mark.parametrize("text", SECRET)
def test_nothing_that_looks_secret_is_kept(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a value, a URL or a comment; it is told once, and the history goes on."""
    kept, store = _kept(tmp_path, text, None)
    assert not kept
    assert "canary" not in str(vars(store._shared))  # pyright: ignore[reportPrivateUsage]
    told = [one for one in caplog.records if "keeps no content" in one.getMessage()]
    assert [one.levelno for one in told] == [logging.WARNING]


def test_it_is_told_what_looks_secret_and_what_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever wants to roll back one day has to know of it before."""
    _kept(tmp_path, "a: 1\nb: {password: canary}", None)
    (told,) = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert told == (
        f"{tmp_path}/config.yaml: b.password: looks secret: memory keeps no content of this "
        "edition, so that nothing can go back to it: have the secret read by a reference, or give "
        "the store content=True"
    )


@pytest.mark.parametrize("text", REFERRING)
def test_a_reference_is_no_secret(tmp_path: Path, text: str) -> None:
    """What it stands for is not kept: so what refers to secrets can be rolled back to."""
    given = EnvReferences(environ={"KEY": "canary"})
    kept, store = _kept(tmp_path, text, None, references=[given])
    assert kept
    assert "canary" not in str(vars(store._shared))  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("text", BESIDE_REFERENCES)
def test_a_secret_beside_a_reference_is_one(tmp_path: Path, text: str) -> None:
    """Nor is the text of a reference one to nothing that is known."""
    given = EnvReferences(environ={"KEY": "x"})
    documents = ((Document("config.yaml", text.encode(), "yaml"),),)
    referring = ReferenceSet([given], 1000).now(documents)
    reading = Reading(documents, "", (), (Place("config.yaml"),), referring)
    assert secret_in([FileSource(tmp_path / "config.yaml")], reading) is not None


def test_without_references_it_is_as_any_text(tmp_path: Path) -> None:
    """For nobody reads it then."""
    assert not _kept(tmp_path, "password: ${env:KEY}", None)[0]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_is_kept(tmp_path: Path, text: str) -> None:
    """So that it can be rolled back to."""
    assert _kept(tmp_path, text, None)[0]


def test_who_says_so_keeps_all_or_nothing(tmp_path: Path) -> None:
    """`content=True` and `False` ask nobody."""
    assert _kept(tmp_path, SECRET[0], True)[0]
    assert not _kept(tmp_path, HARMLESS[0], False)[0]

"""Text of variables and secrets' files that becomes more than JSON knows: a whole engine on it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import msgspec
import pytest
from pydantic import BaseModel, ConfigDict

from reloadcheck import DirectorySource, EnvironSource, Outcome, ReloadCheck
from reloadcheck.testing import MemorySource

ONE = "12345678-1234-5678-1234-567812345678"
OTHER = ONE.replace("1", "9")
VALUES: list[tuple[Any, str, object, str]] = [
    (Decimal, "1.50", Decimal("1.50"), "1.51"),
    (Decimal | None, "1.50", Decimal("1.50"), "1.5"),
    (UUID, ONE, UUID(ONE), OTHER),
    (timedelta, "PT30S", timedelta(seconds=30), "31"),
    (date, "2031-01-31", date(2031, 1, 31), "2031-02-01"),
    (datetime, "2031-01-31T00:00:00Z", datetime(2031, 1, 31, tzinfo=UTC), "2031-01-31T00:00:01Z"),
    (time, "07:30", time(7, 30), "07:31"),
    (bytes, "0042", b"0042", "0043"),
    (Path, "/a", Path("/a"), "/b"),
    (list[Decimal], "1.5,2", [Decimal("1.5"), Decimal(2)], "1.5"),
    (dict[str, UUID], f'{{"a": "{ONE}"}}', {"a": UUID(ONE)}, f'{{"a": "{OTHER}"}}'),
    (frozenset[UUID], f"{ONE},{OTHER}", frozenset({UUID(ONE), UUID(OTHER)}), ONE),
]


def _pydantic(annotation: Any) -> Any:
    space = {"model_config": ConfigDict(frozen=True), "__annotations__": {"x": annotation}}
    return type("Schema", (BaseModel,), {**space, "__module__": __name__})


def _msgspec(annotation: Any) -> Any:
    return msgspec.defstruct("Schema", [("x", annotation)], frozen=True)


def _dataclass(annotation: Any) -> Any:
    return dataclass(frozen=True)(type("Schema", (), {"__annotations__": {"x": annotation}}))


def _attrs(annotation: Any) -> Any:
    return attrs.frozen(type("Schema", (), {"__annotations__": {"x": annotation}}))


READERS: list[Callable[[Any], Any]] = [_pydantic, _msgspec, _dataclass, _attrs]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("annotation", "text", "expected", "edited"), VALUES)
def test_an_engine_starts_on_it_and_follows_it(
    reader: Callable[[Any], Any],
    annotation: Any,
    text: str,
    expected: object,
    edited: str,
    tmp_path: Path,
) -> None:
    """From a variable or a secret's file alike; equal text is no edit, another one is."""
    schema = reader(annotation)
    variable = EnvironSource("APP", {"APP_X": text})
    of_variable: ReloadCheck[Any] = ReloadCheck(MemorySource("{}"), variable, schema=schema)
    of_variable.start()
    assert of_variable.snapshot.config.x == expected
    (tmp_path / "x").write_text(text)
    live: ReloadCheck[Any] = ReloadCheck(DirectorySource(tmp_path), schema=schema, settle=0)
    live.start()
    assert live.snapshot.config.x == expected
    assert live.snapshot.digest == of_variable.snapshot.digest
    assert live.check() is Outcome.UNCHANGED  # the check that follows a start has ended then
    (tmp_path / "x").write_text(f"{text}\n")
    assert live.check() is Outcome.UNCHANGED
    (tmp_path / "x").write_text(edited)
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.digest != of_variable.snapshot.digest
    for engine in (live, of_variable):
        engine.close()


def test_what_others_leave_beside_a_secret_is_no_key(tmp_path: Path) -> None:
    """Neither a backup nor an unsaved copy of a password comes into the configuration."""
    copies = (".bak", ".orig", ".swp", ".tmp", ".rpmsave", ".dpkg-old", "~")
    (tmp_path / "lost+found").mkdir()
    for name in ("#password#", ".password.swp", "lost+found/#123", "Thumbs.db", "tls.crt"):
        (tmp_path / name).write_text("x")
    for name in ("password", *(f"password{copy}" for copy in copies)):
        (tmp_path / name).write_text("x")
    live: ReloadCheck[Any] = ReloadCheck(DirectorySource(tmp_path), settle=0)
    live.start()
    assert sorted(live.snapshot.config) == ["password", "tls.crt"]
    live.close()

"""The shop's contract with one mistake in it, in some thousand ways.

Gives texts by name: a line gone, twice, cut or moved; a word gone, misspelt, or something else in
its place. `python -m tests.policy.mutants` reads them all.
"""

import re
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from reloadcheck import ContractError, ReloadCheck
from reloadcheck.cli._inputs import contract_of
from reloadcheck.testing import MemorySource
from reloadcheck.types import Problem

from .shop import SHOP
from .test_contract import SIGNERS

__all__ = ["Reader", "is_readable", "line_mutants", "word_mutants"]

MOST_CHARACTERS: Final = 300

_WORD: Final = re.compile(r"[^\s{}\[\],:#]+(?:[:.][^\s{}\[\],:#]+)*|[{}\[\],:]")
KINDS: Final = {
    "gone": "",
    "null": "null",
    "list": "[]",
    "mapping": "{}",
    "negative": "-1",
    "empty": "''",
    "switch": "true",
    "alias": "*a",
    "long": "9" * 400,
    "no number": ".nan",
    "control": "\x07",
    "date": "2026-01-01",
}
"""What stands in a word's place."""

WAYS: Final = ("misspelt", "shortened", "anchored", "tagged", "quoted", "turned")
"""What becomes of a word."""


def line_mutants() -> Iterator[tuple[str, str]]:
    """Return the contract without each line, with it twice, cut in its midst, indented."""
    lines = SHOP.splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        before, after = "".join(lines[: number - 1]), "".join(lines[number:])
        yield f"without line {number}", before + after
        yield f"line {number} twice", f"{before}{line}{line}{after}"
        yield f"line {number} cut", f"{before}{line[: len(line) // 2]}\n{after}"
        yield f"line {number} indented", f"{before}  {line}{after}"


def word_mutants(kinds: Collection[str]) -> Iterator[tuple[str, str]]:
    """Return it with each word misspelt, shortened, or replaced in these ways."""
    for match in _WORD.finditer(SHOP):
        word, (begin, end) = match[0], match.span()
        if "#" in SHOP[SHOP.rfind("\n", 0, begin) : begin]:
            continue  # a comment
        ways = {kind: KINDS[kind] for kind in kinds if kind in KINDS}
        ways |= {"misspelt": f"{word}x", "shortened": word[:-1], "anchored": f"&a {word}"}
        ways |= {"tagged": f"!t {word}", "quoted": f'"{word}', "turned": f"\u202e{word}"}
        line = SHOP.count("\n", 0, begin) + 1
        for kind in kinds:
            if ways[kind] != word:
                name = f"{word} on line {line}: {kind}"
                yield name, f"{SHOP[:begin]}{ways[kind]}{SHOP[end:]}"


class Database(BaseModel):
    """What the shop's configuration has."""

    model_config = ConfigDict(frozen=True)
    url: str | None = None
    pool_max: int = 20
    pool_min: int | None = None


class Payment(BaseModel):
    """Its time-out and its key."""

    model_config = ConfigDict(frozen=True)
    timeout: float = 3.0
    api_key: str = ""


class Settings(BaseModel):
    """The whole of it."""

    model_config = ConfigDict(frozen=True)
    server: dict[Literal["bind"], str] = {}
    database: Database = Database()
    payment: Payment = Payment()
    http: dict[Literal["timeout"], float] = {}
    log: dict[Literal["level"], str] = {}
    flags: dict[str, bool] = {}


class Reader:
    """Reads mutants as an engine reads its contract at the start, in a directory."""

    def __init__(self, directory: Path) -> None:
        (directory / "allowed_signers").write_text(SIGNERS)
        self._file = directory / "contract.yaml"
        source = MemorySource("")
        self._live = ReloadCheck(
            source, schema=Settings, contract=self._file, environment="production"
        )

    def faults(self, text: str) -> tuple[Problem, ...]:
        """Return what is wrong with a contract; nothing where it is taken."""
        self._file.write_text(text)
        gate = contract_of(self._live)
        assert gate is not None
        try:
            gate.open()
        except ContractError as error:
            return error.problems
        return ()


def is_readable(problem: Problem) -> bool:
    """Return whether a problem has its place, and a sentence that can be read."""
    placed = problem.line is not None and problem.column is not None
    return placed and problem.reason.isprintable() and len(problem.reason) <= MOST_CHARACTERS


def main() -> int:
    """Read every mutant there is; the exit status says whether each fault could be read."""
    unreadable = taken = count = 0
    with tempfile.TemporaryDirectory() as directory:
        reader = Reader(Path(directory))
        for name, text in (*line_mutants(), *word_mutants((*KINDS, *WAYS))):
            count += 1
            faults = reader.faults(text)
            taken += not faults
            for fault in faults:
                if not is_readable(fault):
                    unreadable += 1
                    print(f"{name}: {fault!r}")
    print(f"{count} contracts, {taken} of them taken, {unreadable} faults that cannot be read")
    return int(unreadable > 0)


if __name__ == "__main__":
    raise SystemExit(main())

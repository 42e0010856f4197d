"""Real keys and real signatures, made by `ssh-keygen`, for the tests of leave."""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reloadcheck.policy.statement import statement_text

pytestmark: list[pytest.MarkDecorator] = []

PROGRAM = shutil.which("ssh-keygen")


@dataclass
class Signers:
    """Some people with keys, and the file that says what they may sign."""

    directory: Path
    lines: list[str] = field(default_factory=list[str])

    def add(self, person: str, options: str = "") -> None:
        """Make a key for a person; `options` stand between name and key in the file."""
        key = self.directory / person.split("@")[0]
        command = [str(PROGRAM), "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(key)]
        subprocess.run(command, check=True)
        public = key.with_suffix(".pub").read_text().split()
        self.lines.append(f"{person} {options}{' ' if options else ''}{public[0]} {public[1]}")
        (self.directory / "allowed_signers").write_text("\n".join(self.lines) + "\n")

    def signature(self, text: str, person: str, namespace: str = "reloadcheck") -> str:
        """Return a person's signature over a text."""
        key = self.directory / person.split("@")[0]
        command = [str(PROGRAM), "-Y", "sign", "-q", "-f", str(key), "-n", namespace]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        return done.stdout

    def statement(self, *people: str, namespace: str = "reloadcheck", **words: str) -> str:
        """Return a statement that these people have signed."""
        values = {
            "kind": "approval",
            "service": "shop",
            "environment": "production",
            "base": "",
            "to": "",
            "keys": "database",
            "until": "2099-01-01T00:00+00:00",
            "reason": "more traffic",
            **words,
        }
        keys = values.pop("keys").split(", ")
        text = statement_text(keys=keys, **values)
        return text + "".join(self.signature(text, one, namespace) for one in people)


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    """The people of the shop, and one whom nobody knows."""
    people = Signers(tmp_path_factory.mktemp("people"))
    for person in ("dora", "arno", "otto"):
        people.add(f"{person}@example.test", 'namespaces="reloadcheck"')
    people.add("late@example.test", 'namespaces="reloadcheck",valid-before="20260101"')
    known = people.lines.copy()
    people.add("eve@example.test")
    people.lines[:] = known
    (people.directory / "allowed_signers").write_text("\n".join(known) + "\n")
    return people

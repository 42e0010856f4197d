"""What a contract reads and writes in a store: signed leave, editions, what workers keep.

Reads what the store thread has read, and gives it records to write; nobody waits for either. The
values that wait for a restart are kept under the parent process that the workers share.
"""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from .._config.containers import is_dict
from .._config.key_path import lookup
from ..seams.store import Agreed
from ..types import KeyPath
from . import process_start
from .board import STATEMENTS
from .keeper import Keeper
from .ledger import entries_from, stands
from .member_id import here
from .process_start import begun

__all__ = ["Beside", "statement_key", "text_in"]


class Beside:
    """One engine's answers.

    By the digest of what was read `content` gives that of its content, and `written` the tree of
    what the store may hold of it.
    """

    def __init__(
        self,
        keeper: Keeper,
        content: Callable[[str], str | None],
        serving: Callable[[], str | None],
        written: Callable[[str], Mapping[str, Any]],
    ) -> None:
        self._keeper, self._content, self._serving = keeper, content, serving
        self._written = written

    def statements(self, kind: str) -> tuple[tuple[str, bytes], ...]:
        """Return the signed statements of a kind in the store, each with a name for messages."""
        lead = f"{STATEMENTS}{kind}/"
        found = self._keeper.records(lead)
        named = ((f"{kind} {key[:8]} of the store", text_in(text)) for key, text in found.items())
        return tuple((name, text.encode()) for name, text in named if text is not None)

    def served(self, source_digest: str) -> bool:
        """Return whether what was read served and still stands, or is what an order wants."""
        content, view = self._content(source_digest), self._keeper.known.view
        if content is None or view is None:
            return False
        state = view.state
        if state.hold is not None and content == state.hold.content:
            return True
        if content == self._serving():
            return False  # what changed is in no history: a secret, or the environment
        return stands(entries_from(view.entries), content)

    def running(self, who: str) -> Agreed | None:
        """Return what this process's siblings keep until their parent starts anew."""
        parent = process_start.parent_id()
        text = None if parent is None else self._keeper.records(here()).get(f"{parent}/{who}")
        try:
            found: Any = None if text is None else json.loads(text)
            if not is_dict(found):
                return None
            kept = tuple((tuple(path), value) for path, value in found["kept"])
            return Agreed(kept, tuple(tuple(path) for path in found["left"]))
        except (KeyError, TypeError, ValueError):
            return None

    def run_with(self, who: str, source_digest: str, agreed: Agreed) -> None:
        """Write down what siblings to come will keep, as far as the store may hold it.

        Records of parents of this host that are gone are taken away.
        """
        parent = process_start.parent_id()
        if parent is None or self.running(who) is not None:
            return
        written = self._written(source_digest)
        kept = [(p, value) for p, value in agreed.kept if _is_kept(written, p, value)]
        left = [p for p, _ in agreed.kept if p not in dict(kept)]
        text = json.dumps({"kept": kept, "left": left})
        gone = [one for one in self._keeper.records(here()) if _is_gone(one)]
        records: dict[str, str | None] = dict.fromkeys(here() + one for one in gone)
        self._keeper.write({**records, f"{here()}{parent}/{who}": text})


def statement_key(kind: str, lines: str) -> str:
    """Return the record's key of a statement, by the lines that are signed."""
    return f"{STATEMENTS}{kind}/{sha256(lines.encode()).hexdigest()[:32]}"


def _is_gone(name: str) -> bool:
    pid, _, began = name.partition("/")[0].partition(".")
    try:
        return begun(int(pid)) != began
    except (OSError, ValueError, IndexError):
        return True


def _is_kept(written: Mapping[str, Any], path: KeyPath, value: object) -> bool:
    """Return whether a value stands as it is in what may be kept, and JSON has it."""
    try:
        return bool(lookup(written, path) == value == json.loads(json.dumps(value)))
    except (KeyError, TypeError, ValueError):
        return False


def text_in(text: str) -> str | None:
    """Return the text of a statement's record; None for what is none."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        return None
    given = found.get("text") if is_dict(found) else None
    return given if isinstance(given, str) else None

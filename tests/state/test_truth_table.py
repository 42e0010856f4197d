"""The truth table on a real engine: what serves, and what is told, by content, order and phase.

Long because a truth table is read as a whole.
"""

import json
import zlib
from base64 import b64encode
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from reloadcheck import ConfigError, DirectorySource, FileSource, Orders, ReloadCheck
from reloadcheck._config.digest import tree_digest
from reloadcheck._engine.api import engine_of
from reloadcheck._state.board import Ban, Hold, State, prefix_of
from reloadcheck._state.ledger import Entry
from reloadcheck.testing import MemoryStore
from tests.support.load import until

Told = tuple[int, str | None]
"""What serves, and the code of why it is not what the sources hold."""

X, BANNED, LAST, NEW, FALLEN = 1, 2, 3, 9, 77
FILES = {
    "new": "a: 9",
    "bad": "a: [",
    "wrong": "a: x",
    "banned": "a: 2",
    "banned with a comment": "# why not\na: 2",
    "X": "a: 1",
    "gone": None,
}
HOLDS = {
    None: None,
    "rollback": Hold("rollback", tree_digest({"a": X}), 1, "dora", 1.0, "slow"),
    "pin": Hold("pin", tree_digest({"a": X}), 1, "otto", 1.0, "a fair"),
    "fallback": Hold("fallback", by="otto", at=1.0, why="a fire"),
}


def _kept(a: int) -> bytes:
    data = b64encode(zlib.compress(f"a: {a}".encode())).decode()
    document = {"source": 0, "name": "config.yaml", "format": "yaml", "data": data}
    return json.dumps({"v": 1, "documents": [document]}).encode()


def _numbers(given: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(given["a"], int):
        raise ValueError("a is no number")
    return given


class Site:
    """One worker and a board on which three editions were live, the second of which is banned."""

    def __init__(self, directory: Path, kind: str | None) -> None:
        self.file = directory / "config.yaml"
        self.secrets = directory / "secrets"
        self.secrets.mkdir()
        self.fallback = directory / "fallback.yaml"
        self.fallback.write_text(f"a: {FALLEN}")
        self.store = MemoryStore()
        self.orders = Orders(self.store.peer(), app="shop")
        self.rotate("one")
        ban = Ban(2, "dora", 1.0, "slow")
        active = tree_digest({"a": X if kind in ("rollback", "pin") else LAST})
        banned = {tree_digest({"a": BANNED}): ban}
        state = State(4, active, hold=HOLDS[kind], banned=banned)
        records: dict[str, str | None] = {"state": state.to_text()}
        for edition, a in enumerate((X, BANNED, LAST), 1):
            content = tree_digest({"a": a})
            entry = Entry(edition, "reloaded", float(edition), content, size=9, kept=True)
            records[entry.key] = entry.to_text()
            self.store.keep(content, _kept(a))
        self.store.put({prefix_of("shop") + key: text for key, text in records.items()})

    def write(self, name: str) -> None:
        """Have the sources hold something."""
        text = FILES[name]
        if text is None:
            self.file.unlink(missing_ok=True)
        else:
            self.file.write_text(text)

    def rotate(self, secret: str) -> None:
        """Change what is confidential."""
        (self.secrets / "password").write_text(secret)

    @contextmanager
    def running(
        self, first: FileSource | None = None, *, schema: Any = _numbers, **options: Any
    ) -> Generator[ReloadCheck[Any]]:
        """Run a worker until the block ends."""
        live: ReloadCheck[Any] = ReloadCheck(
            first or self.file,
            DirectorySource(self.secrets),
            schema=schema,
            store=self.store.peer(),
            app="shop",
            fallback=self.fallback,
            settle=0,
            window=0.05,
            patience=1.0,
            **options,
        )
        try:
            live.start()
            yield live
        finally:
            live.close()


def comes_to(live: ReloadCheck[Any], told: Told) -> None:
    """Wait until a worker serves something, and says so."""

    def holds() -> bool:
        live.check()
        return told == (live.snapshot.config["a"], live.status().code)

    try:
        until(holds)
    except AssertionError:
        assert told == (live.snapshot.config["a"], live.status().code)


ROWS: list[tuple[str, str | None, Told, Told | None]] = [
    ("new", None, (NEW, None), (NEW, None)),
    ("bad", None, (LAST, "syntax"), None),
    ("wrong", None, (LAST, "schema"), None),
    ("gone", None, (LAST, "source-unreadable"), None),
    ("banned", None, (LAST, "banned"), (LAST, "banned")),
    ("banned with a comment", None, (LAST, "banned"), (LAST, "banned")),
    ("banned", "rollback", (X, "banned"), (X, "banned")),
    ("banned with a comment", "rollback", (X, "banned"), (X, "banned")),
    ("X", "rollback", (X, None), (X, None)),
    ("new", "rollback", (NEW, None), (NEW, None)),
    ("bad", "rollback", (X, "syntax"), (X, "syntax")),
    ("wrong", "rollback", (X, "schema"), (X, "schema")),
    ("gone", "rollback", (X, "source-unreadable"), (X, "source-unreadable")),
    *(
        (name, kind, (a, code), (a, code))
        for kind, a, order in (("pin", X, "pinned"), ("fallback", FALLEN, "fallback"))
        for name in FILES
        for code in ("source-unreadable" if name == "gone" else order,)
    ),
]
"""What the file holds, the order, what that comes to while running and at a start (None: fails)."""

_IDS = [f"{name}, {kind or 'no order'}" for name, kind, _, _ in ROWS]


@pytest.mark.parametrize(("name", "kind", "running", "starting"), ROWS, ids=_IDS)
def test_each_row(
    tmp_path: Path, name: str, kind: str | None, running: Told, starting: Told | None
) -> None:
    """An edit of the running worker, and a start on the same file, as the table has it."""
    site = Site(tmp_path, kind)
    site.file.write_text(f"a: {BANNED if kind == 'rollback' else LAST}")
    with site.running() as live:
        held = {None: LAST, "fallback": FALLEN}.get(kind, X)
        assert held == live.snapshot.config["a"]
        before = live.snapshot.version
        site.write(name)
        comes_to(live, running)
        if running[0] == held:
            assert before == live.snapshot.version  # nothing is built, nor built anew
    ends = kind == "rollback" and name in ("X", "new")
    until(lambda: (site.orders.state().hold is None) is (kind is None or ends))
    assert {tree_digest({"a": BANNED})} == set(site.orders.state().banned)
    (tmp_path / "again").mkdir()
    again = Site(tmp_path / "again", kind)
    again.write(name)
    if starting is None:
        with pytest.raises(ConfigError), again.running():
            pass
        return
    with again.running() as live:
        if kind is not None:
            assert held == live.snapshot.config["a"]  # what is held comes first
        comes_to(live, starting)


def test_what_is_rolled_back_says_what_the_file_still_holds(tmp_path: Path) -> None:
    """By whom, why, and which edition stands there, so that nobody has to ask the history."""
    site = Site(tmp_path, "rollback")
    site.write("banned")
    with site.running() as live:
        comes_to(live, (X, "banned"))
        (remark,) = live.status().remarks
    served = "rolled back to edition 1 by dora (slow)"
    assert remark == f"{served}; what the sources hold is not served: edition 2, banned"


@pytest.mark.parametrize("name", ["bad", "gone"])
def test_the_last_good_boots_where_that_is_asked_for(tmp_path: Path, name: str) -> None:
    """And it is told what is wrong with the file."""
    site = Site(tmp_path, None)
    site.write(name)
    with site.running(boot="last-good") as live:
        comes_to(live, (LAST, "syntax" if name == "bad" else "source-unreadable"))


@pytest.mark.parametrize("kind", ["pin", "fallback"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("bad", "would be rejected: {file}:1:5: a value is missing here"),
        ("wrong", "would be rejected: "),
        ("new", "is not served"),
    ],
)
def test_an_edit_under_an_order_is_validated_and_told(
    tmp_path: Path, kind: str, name: str, told: str
) -> None:
    """Nothing of it is built; whoever ends the order knows before what will come of it."""
    site = Site(tmp_path, kind)
    site.file.write_text(f"a: {LAST}")
    with site.running() as live:
        site.write(name)
        words = told.format(file=site.file)

        def is_told() -> bool:
            live.check()
            return any(f"what the sources hold {words}" in one for one in live.status().remarks)

        until(is_told)
        assert (name == "new") is not any(
            "would be rejected" in one for one in live.status().remarks
        )


@pytest.mark.parametrize("name", ["pin", "rollback"])
def test_what_is_held_and_cannot_be_had_here(tmp_path: Path, name: str) -> None:
    """Who runs goes on as before and says so; a start fails, and names who holds what."""
    site = Site(tmp_path, None)
    site.file.write_text(f"a: {LAST}")
    with site.running() as live:
        order: Callable[..., object] = getattr(site.orders, name)
        order(1, why="slow", by="otto")
        site.store.keep(tree_digest({"a": X}), None)
        until(lambda: site.orders.state().hold is not None)
        live.check()
        assert live.snapshot.config["a"] == LAST
    words = "edition 1 is held by otto and is not kept"
    with pytest.raises(ConfigError, match=words), site.running():
        pass


def test_a_start_that_cannot_build_what_is_held_names_the_hold(tmp_path: Path) -> None:
    """As with a new release whose schema has it no more: a rolling deploy stops there."""
    site = Site(tmp_path, "pin")
    site.file.write_text(f"a: {NEW}")

    def newer(tree: Any) -> Any:
        if tree["a"] == X:
            raise ValueError("no longer a number")
        return tree

    words = r"no longer a number; pinned to edition 1 by otto \(a fair\); what the sources hold is"
    with pytest.raises(ConfigError, match=words), site.running(schema=newer):
        pass


@pytest.mark.parametrize(
    ("name", "told"),
    [("new", (NEW, None)), ("bad", (X, "syntax")), ("banned", (X, "banned"))],
)
def test_a_pin_ends_by_the_rows_of_the_file(tmp_path: Path, name: str, told: Told) -> None:
    """`unpin` has the sources followed again, whatever they hold by then."""
    site = Site(tmp_path, "pin")
    site.write(name)
    with site.running() as live:
        assert live.snapshot.config["a"] == X
        site.orders.unpin(by="otto")
        comes_to(live, told)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("banned", None, "banned"),
        ("banned", "rollback", "banned"),
        ("bad", "rollback", "syntax"),
        ("new", "pin", "pinned"),
        ("bad", "pin", "pinned"),
        ("new", "fallback", "fallback"),
    ],
)
def test_a_secret_is_rotated_under_any_order(
    tmp_path: Path, name: str, kind: str | None, code: str
) -> None:
    """An order holds configuration and no credentials; a rotation lifts no ban, and hides none."""
    site = Site(tmp_path, kind)
    site.write(name)
    held = {None: LAST, "fallback": FALLEN}.get(kind, X)
    with site.running() as live:
        for secret in ("two", "three"):
            site.rotate(secret)
            until(lambda new=secret: bool(live.check()) and live.snapshot.config["password"] == new)  # type: ignore[misc]
            comes_to(live, (held, code))


def test_what_is_never_kept_has_no_stand_in(tmp_path: Path) -> None:
    """Without its secrets an edition is not whole: a start says which source is missing."""
    site = Site(tmp_path, "pin")
    site.write("new")
    (site.secrets / "password").unlink()
    site.secrets.rmdir()
    with pytest.raises(ConfigError, match="secrets"), site.running():
        pass


def test_an_order_comes_though_the_file_is_gone(tmp_path: Path) -> None:
    """A worker that runs takes it up; what is wrong with the file is told all the while."""
    site = Site(tmp_path, None)
    site.file.write_text(f"a: {LAST}")
    with site.running() as live:
        site.write("gone")
        comes_to(live, (LAST, "source-unreadable"))
        site.orders.rollback(1, why="slow", by="dora")
        comes_to(live, (X, "source-unreadable"))
        site.orders.pin(why="a fair", by="dora")
        site.write("new")
        comes_to(live, (X, "pinned"))


class _Copied(FileSource):
    """A file that keeps a copy of what goes live, as a document of the network does."""

    copies: ClassVar[list[str]] = []

    def keep(self) -> None:
        """Note what would be kept."""
        self.copies.append(Path(self.name).read_text())


def test_a_source_keeps_its_copy_beside_a_store_too(tmp_path: Path) -> None:
    """Of what went live and was its own; never of what an order keeps from serving."""
    site = Site(tmp_path, "rollback")
    site.write("banned")
    with site.running(first=_Copied(site.file)) as live:
        comes_to(live, (X, "banned"))
        live.check()
        assert _Copied.copies == []
        site.write("new")
        comes_to(live, (NEW, None))
        until(lambda: bool(live.check()) and _Copied.copies == ["a: 9"])


def test_a_roll_back_in_the_middle_of_a_start_fails_no_start(tmp_path: Path) -> None:
    """What was read a moment before it came is banned by now: the older one is read and serves."""
    site = Site(tmp_path, None)
    site.file.write_text(f"a: {LAST}")
    lives: list[ReloadCheck[Any]] = []
    banned = tree_digest({"a": LAST})

    def ordering(given: dict[str, Any]) -> dict[str, Any]:
        if given["a"] == LAST and not site.orders.state().hold:
            site.orders.rollback(1, why="slow", by="dora")
            companion: Any = engine_of(lives[0]).companion
            until(lambda: banned in companion.keeper.known.view.state.banned)
        return given

    live: ReloadCheck[Any] = ReloadCheck(
        site.file, schema=ordering, store=site.store.peer(), app="shop", settle=0, window=0.05
    )
    lives.append(live)
    live.start()
    assert live.snapshot.config["a"] == X
    live.close()

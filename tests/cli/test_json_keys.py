"""What commands print for programs is pinned: a path is a file's, a key path is called so.

Times are epoch seconds, as in the status and on its page.
"""

from pathlib import Path

from reloadcheck._state.ledger import Entry, Row
from reloadcheck.cli.history import row_document
from tests.support.json_keys import keys_of

from .conftest import Run

PLACE = ("column", "key_path", "line", "path")
PROBLEM = ("code", *PLACE, "reason", "severity")


def under(lead: str, *names: str) -> list[str]:
    """Return the paths of a list of objects with these keys."""
    return [lead.removesuffix("[]"), *(f"{lead}.{name}" for name in names)]


def test_a_verdict_on_files(run: Run, here: Path, app: str) -> None:
    """Each problem has its code, its file, line and column, and its key path."""
    (here / "local.yaml").write_text("database:\n  pool_size: many\n")
    found = keys_of(run("validate", "--app", app, "--json").document)
    assert found == sorted(["ok", "schema", "sources", *under("problems[]", *PROBLEM)])


def test_where_a_value_comes_from(run: Run, app: str) -> None:
    """The same names of a place as in a problem."""
    found = keys_of(run("explain", "database.pool_size", "--app", app, "--json").document)
    layers = under("layers[]", *PLACE, "effect", "value")
    assert found == sorted(["key_path", "ok", "value", "values", *layers])


def test_what_an_edit_changes(run: Run, here: Path, app: str) -> None:
    """Key paths, and the resources that are built anew."""
    (here / "new.yaml").write_text("greeting: moin\ndatabase: {url: other}\n")
    words = ("diff", "base.yaml", "new.yaml", "--schema", "service:Settings", "--json")
    changes = under("changes[]", "key_path", "kind", "new", "old")
    assert keys_of(run(*words).document) == sorted(["keeps", "ok", "rebuilds", *changes])
    assert app == "service:live"


def test_a_row_of_the_history() -> None:
    """Its time is `at`, and what changed are key paths."""
    row = Row(Entry(7, "reloaded", 1.0), reviewed=False)
    assert keys_of(row_document(row)) == sorted(
        (
            "actor", "at", "banned", "cause", "changed", "changes", "code", "content", "edition",
            "error", "held", "kept", "layers", "member", "of", "outcome", "override", "release",
            "reviewed", "seconds", "secrets", "serves", "size", "source", "trace", "trigger",
            "why",
        )
    )  # fmt: skip

"""A child that is forked while its parent writes to the store can write to it all the same."""

from pathlib import Path

from tests.support.scripts import run

WRITING = """
from reloadcheck.stores import SQLiteStore

path = sys.argv[1] + "/store/reloadcheck.db"
store, other = SQLiteStore(path), SQLiteStore(path)
store.put({"first": "parent"})
begun = threading.Event()


def write(connection):
    connection.execute("UPDATE meta SET revision = revision")
    begun.set()
    time.sleep(0.2)


def work():
    for each in (store, other):
        assert each.put({who(): "was here"}) is not None


writer = threading.Thread(target=lambda: other._written(write))
writer.start()
begun.wait(30)
assert child(work) == 0
writer.join()
assert other.put({"last": "parent"}) is not None
assert sorted(store.look("").records) == ["child", "first", "last"]
"""


def test_a_fork_in_the_midst_of_a_transaction(tmp_path: Path) -> None:
    """It waits for the end of it: SQLite's locks are remembered in memory, which a child copies."""
    done = run(tmp_path, WRITING)
    assert (done.status, done.said) == (0, []), done.output

"""The ends of processes that are not the interpreter's own: closers run there, too."""

import sys
from pathlib import Path

import pytest

from tests.support.scripts import run

WORKER = """
import os, sys
from reloadcheck import ReloadCheck

live = ReloadCheck(sys.argv[1] + "/app.yaml", settle=0, window=0)

def say(word):
    with open(sys.argv[1] + "/log", "a") as log:
        log.write(word + "\\n")

@live.resource("a")
def pool(a):
    say("built")
    yield a
    print("a closer speaks")
    say("closed")

def work():
    with live.lease() as snapshot:
        return snapshot[pool]
"""

WAYS = {
    "a process": "p = context.Process(target=worker.work); p.start(); p.join()",
    "an executor": "with ProcessPoolExecutor(1, mp_context=context) as executor:\n"
    "    executor.submit(worker.work).result()",
    "a pool": "pool = context.Pool(1); pool.apply(worker.work); pool.close(); pool.join()",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=[name.replace(" ", "-") for name in WAYS])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_closers_run_in_children_of_multiprocessing(tmp_path: Path, method: str, way: str) -> None:
    """However a child is started, what it built is closed at its end, and what closers print shows.

    The parent, which starts no engine, closes nothing.
    """
    (tmp_path / "worker.py").write_text(WORKER)
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing, sys\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "import worker\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context({method!r})\n"
        + "".join(f"    {line}\n" for line in way.split("\n"))
    )
    done = run(
        tmp_path,
        f"""
        import subprocess
        os.environ.pop("PYTHONUNBUFFERED", None)
        command = [{sys.executable!r}, sys.argv[1] + "/program.py", sys.argv[1]]
        subprocess.run(command, check=True)
        """,
    )
    assert (done.status, done.said) == (0, ["built", "closed"]), done.output
    assert "a closer speaks" in done.output


@pytest.mark.parametrize("when", ["before", "after"])
def test_closers_run_in_a_work_horse(tmp_path: Path, when: str) -> None:
    """A child that a job queue forks and ends by `os._exit` closes, whenever it imported us."""
    (tmp_path / "worker.py").write_text(WORKER)
    done = run(
        tmp_path,
        f"""
        sys.path.insert(0, sys.argv[1])
        if {when!r} == "before":
            import worker
        else:
            for name in [name for name in sys.modules if name.startswith("reloadcheck")]:
                del sys.modules[name]
        pid = os.fork()
        if pid == 0:
            import worker
            worker.work()
            os._exit(3)
        say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """,
    )
    assert (done.status, done.said) == (0, ["built", "closed", "3"]), done.output


def test_an_exit_at_once_is_left_alone_elsewhere(tmp_path: Path) -> None:
    """`os._exit` is the real one in a program of its own, and in a fork until it has an engine."""
    done = run(
        tmp_path,
        """
        real = os._exit
        live.resource("a", name="pool")(lambda a: a)
        live.start()
        say(os._exit is real)

        def grandchild():
            say(os._exit is real)

        def work():
            say(os._exit is real)
            with live.lease():
                say(os._exit is real)
                assert child(grandchild) == 0

        assert child(work) == 0
        live.close()
        """,
    )
    assert done.status == 0, done.output
    assert done.said == ["True", "True", "False", "True"]


def test_an_exit_in_a_fork_that_ran_no_hook_closes_nothing_of_the_parents(tmp_path: Path) -> None:
    """A wrapped `os._exit` that a child inherits unseen, as under uWSGI, is only an exit there."""
    done = run(
        tmp_path,
        """
        from reloadcheck._engine import process

        begins = process.run_inline_without_threads

        def told():
            say("an end begins")
            begins()

        process.run_inline_without_threads = told

        @live.resource("a")
        def pool(a):
            yield a
            say(f"closed in {who()}")

        def work():
            os.register_at_fork = lambda **hooks: None  # the fork below tells nobody
            with live.lease():
                say("child serves")
            pid = os.fork()
            if pid == 0:
                os._exit(4)
            say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

        assert child(work, lambda status: os._exit(status)) == 0
        """,
    )
    assert done.status == 0, done.output
    assert done.said == ["child serves", "4", "an end begins", "closed in child"]

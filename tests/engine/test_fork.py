"""Forked children: a thread and resources of their own, the parent's neither closed nor shared.

Long because a fork may come at any moment of an engine's life, and each moment is a test.
"""

from pathlib import Path

import pytest

from tests.support.scripts import run

POOL = """
@live.resource("a")
def pool(a):
    mine = (who(), a)
    say(f"{who()} builds")
    yield mine
    say(f"{who()} closes what {mine[0]} built")
"""

BUILDS_ITS_OWN = """
def work():
    assert live.status().state == "idle"
    try:
        live.snapshot
    except NoSnapshotError:
        pass
    else:
        raise AssertionError("the parent's snapshot in the child")
    with live.lease() as snapshot:
        assert snapshot[pool] == ("child", 1), snapshot[pool]
        assert snapshot.version == 1"""
"""What a child does first; more of its `work` may follow, indented."""


@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
def test_a_child_builds_its_own_and_leaves_the_parents_alone(tmp_path: Path, leave: str) -> None:
    """A child of a serving parent loads and builds for itself, also when it ends as usual."""
    done = run(
        tmp_path,
        POOL
        + BUILDS_ITS_OWN
        + f"""
    names = [t.name for t in threading.enumerate()]
    assert names.count("reloadcheck-engine") == 1, names
    if {leave == "os._exit"}:
        live.close()

live.start()
assert child(work, {leave}) == 0
with live.lease() as snapshot:
    assert snapshot[pool] == ("parent", 1)
say("parent ends")
live.close()
""",
    )
    assert done.status == 0, done.output + str(done.said)
    assert done.said == [
        "parent builds",
        "child builds",
        "child closes what child built",
        "parent ends",
        "parent closes what parent built",
    ]


@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
def test_a_child_that_uses_nothing_closes_nothing(tmp_path: Path, leave: str) -> None:
    """Finalizing a child runs no closing code of a resource that the parent built."""
    done = run(
        tmp_path,
        POOL
        + f"""
import gc
live.start()

def work():
    global live, pool
    gc.collect()
    live = pool = None
    gc.collect()

assert child(work, {leave}) == 0
assert live.snapshot[pool] == ("parent", 1)
live.close()
""",
    )
    assert done.status == 0, done.output + str(done.said)
    assert done.said == ["parent builds", "parent closes what parent built"]


def test_objects_of_the_parent_are_not_finalized_in_the_child(tmp_path: Path) -> None:
    """What a plain factory made and only the engine holds is not collected in the child either."""
    done = run(
        tmp_path,
        """
        import gc

        class Pool:
            def __init__(self):
                self.owner = who()
            def __del__(self):
                if who() == "child" and self.owner == "parent":
                    say("the child finalized the parent's pool")

        live.resource("a", name="pool")(lambda a: Pool())
        live.start()

        def work():
            with live.lease() as snapshot:
                assert snapshot.resources["pool"].owner == "child"
            live.close()
            gc.collect()

        assert child(work, sys.exit) == 0
        live.close()
        say("end")
        """,
    )
    assert done.status == 0, done.output + str(done.said)
    assert done.said == ["end"]


def test_a_preloaded_parent_and_its_workers(tmp_path: Path) -> None:
    """`start()` before the forks: each of three workers has and closes its own."""
    done = run(
        tmp_path,
        POOL
        + """
live.start()

def work():
    with live.lease() as snapshot:
        assert snapshot[pool] == ("child", 1)
    CONFIG.write_text(f"a: {os.getpid()}")
    with live.lease() as snapshot:
        assert snapshot[pool] == ("child", os.getpid())
        assert snapshot.version == 2
    live.close()

for _ in range(3):
    CONFIG.write_text("a: 1")
    assert child(work) == 0
live.close()
""",
    )
    assert done.status == 0, done.output + str(done.said)
    assert done.said.count("child builds") == 6
    assert done.said.count("child closes what child built") == 6
    assert done.said[0] == "parent builds"
    assert done.said[-1] == "parent closes what parent built"


def test_a_fork_inside_a_unit_of_work(tmp_path: Path) -> None:
    """A child forked in a request does not go on with the parent's snapshot and pool."""
    done = run(
        tmp_path,
        POOL
        + """
def work():
    try:
        live.current()
    except OutsideWorkError:
        pass
    else:
        raise AssertionError("the parent's unit of work in the child")
    with live.lease() as snapshot:
        assert snapshot[pool] == ("child", 1), snapshot[pool]
    live.close()

with live.lease() as snapshot:
    assert child(work) == 0
    assert live.current() is snapshot
    assert snapshot[pool] == ("parent", 1)
live.close()
""",
    )
    assert done.status == 0, done.output + str(done.said)


def test_a_fork_while_the_engine_works(tmp_path: Path) -> None:
    """No lock of the parent's hangs a child, at whatever moment it is forked."""
    done = run(
        tmp_path,
        """
        stop = threading.Event()

        def use():
            while not stop.is_set():
                with live.lease() as snapshot:
                    snapshot.config
                name = f"{CONFIG}.{threading.get_ident()}"
                pathlib.Path(name).write_text(f"a: {time.monotonic_ns() % 1000}")
                os.replace(name, CONFIG)

        live.start()
        users = [threading.Thread(target=use) for _ in range(4)]
        for user in users:
            user.start()

        def work():
            with live.lease() as snapshot:
                assert snapshot.version >= 1
            live.close()

        statuses = [child(work) for _ in range(30)]
        stop.set()
        for user in users:
            user.join()
        live.close()
        assert statuses == [0] * 30, statuses
        """,
    )
    assert done.status == 0, done.output + str(done.said)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(tmp_path: Path, method: str) -> None:
    """Processes of `multiprocessing` are workers like any other."""
    (tmp_path / "worker.py").write_text(
        "import os, sys\n"
        "from reloadcheck import ReloadCheck\n"
        "live = ReloadCheck(sys.argv[1] + '/app.yaml', settle=0, window=0)\n"
        "made = []\n"
        "@live.resource('a')\n"
        "def pool(a):\n"
        "    made.append(os.getpid())\n"
        "    return os.getpid()\n"
        "def work(queue):\n"
        "    with live.lease() as snapshot:\n"
        "        queue.put((snapshot.version, snapshot[pool] == os.getpid()))\n"
        "    live.close()\n"
    )
    done = run(
        tmp_path,
        f"""
        sys.path.insert(0, sys.argv[1])
        import worker
        if __name__ == "__main__":
            worker.live.start()
            context = multiprocessing.get_context({method!r})
            queue = context.Queue()
            process = context.Process(target=worker.work, args=(queue,))
            process.start()
            say(queue.get(timeout=50))
            process.join(50)
            say(process.exitcode)
            say(worker.live.snapshot[worker.pool] == os.getpid())
            worker.live.close()
        """,
    )
    assert done.status == 0, done.output + str(done.said)
    assert done.said == ["(1, True)", "0", "True"]


def test_a_child_of_an_async_parent(tmp_path: Path) -> None:
    """The parent's home loop is not the child's: the child's own loop builds its own."""
    done = run(
        tmp_path,
        """
        @live.resource("a")
        async def client(a):
            owner = who()
            say(f"{who()} builds")
            yield (owner, asyncio.get_running_loop())
            say(f"{who()} closes what {owner} built")

        async def serve():
            async with live.lease() as snapshot:
                owner, loop = snapshot[client]
                assert owner == who() and loop is asyncio.get_running_loop()
            await live.aclose()

        async def main():
            await live.astart()
            loop = asyncio.get_running_loop()
            forked = threading.Thread(target=lambda: say(child(lambda: asyncio.run(serve()))))
            forked.start()
            while forked.is_alive():
                await asyncio.sleep(0.01)
            async with live.lease() as snapshot:
                assert snapshot[client][0] == "parent"
            await live.aclose()

        asyncio.run(main())
        """,
    )
    assert done.status == 0, done.output + str(done.said)
    assert done.said == [
        "parent builds",
        "child builds",
        "child closes what child built",
        "0",
        "parent closes what parent built",
    ]


def test_listeners_and_leases_of_the_parent_do_not_hold_up_the_child(tmp_path: Path) -> None:
    """A listener that hangs in the parent, and leases held there, are not the child's."""
    done = run(
        tmp_path,
        """
        gate = threading.Event()
        live.subscribe(lambda event: (say(f"{who()} hears {event.version}"), gate.wait(30)))
        live.start()
        while "parent hears 1" not in pathlib.Path(sys.argv[1], "log").read_text():
            time.sleep(0.001)
        held = live.lease()
        held.__enter__()

        def work():
            gate.set()
            with live.lease() as snapshot:
                assert snapshot.version == 1
            assert live.status().leases == {1: 0}
            while "child hears 1" not in pathlib.Path(sys.argv[1], "log").read_text():
                time.sleep(0.001)
            live.close()

        assert child(work) == 0
        gate.set()
        held.__exit__(None, None, None)
        live.close()
        """,
    )
    assert done.status == 0, done.output + str(done.said)
    assert done.said == ["parent hears 1", "child hears 1"]


def test_a_request_that_forks_may_end_in_the_child(tmp_path: Path) -> None:
    """Its snapshot was retired before the fork, while another thread was at the engine's lock."""
    done = run(
        tmp_path,
        """
        from reloadcheck._engine.api import engine_of

        live.start()
        lock = engine_of(live).thread.admission.condition
        held, free = threading.Event(), threading.Event()

        def hold():
            with lock:
                held.set()
                free.wait(30)

        def work():
            def past():
                say("child hangs")
                os._exit(1)

            threading.Timer(5, past).start()
            lease.__exit__(None, None, None)

        lease = live.lease()
        lease.__enter__()
        CONFIG.write_text("a: 2")
        live.check()
        threading.Thread(target=hold).start()
        held.wait(30)
        assert child(work) == 0
        free.set()
        lease.__exit__(None, None, None)
        live.close()
        """,
    )
    assert done.status == 0, done.output + str(done.said)


def test_a_fork_that_runs_no_hook(tmp_path: Path) -> None:
    """Where a server runs no fork hooks, the child notices by its process id."""
    done = run(
        tmp_path,
        "import random  # which wants the hook\ndel os.register_at_fork  # before the engine has it"
        + POOL
        + BUILDS_ITS_OWN
        + """
    live.close()

with live.lease() as snapshot:
    assert child(work) == 0
    assert snapshot[pool] == ("parent", 1)
live.close()
""",
    )
    assert done.status == 0, done.output + str(done.said)
    assert done.said == [
        "parent builds",
        "child builds",
        "child closes what child built",
        "parent closes what parent built",
    ]

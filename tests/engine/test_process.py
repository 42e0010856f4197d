"""Where an engine cannot be: another process, another interpreter, another async library."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from reloadcheck import RegistrationError, ReloadCheck
from reloadcheck.exceptions import CopyError
from tests.support.fixtures import Make
from tests.support.rig import begin, same
from tests.support.scripts import run

WAYS: dict[str, Callable[[Any], object]] = {
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy of what holds it": lambda one: copy.deepcopy({"x": [one]}),
}


def test_a_handle_is_one_thing(make: Make) -> None:
    """Copied with what holds it, it is the same handle; pickled, it says what to do instead."""
    live = make()
    handle = live.resource("a", name="x")(same)
    begin(live)
    copied = copy.deepcopy({"x": [handle]})["x"][0]
    assert live.snapshot[copied] == live.snapshot[copy.copy(handle)] == 1
    with pytest.raises(CopyError, match="'x' cannot be pickled"):
        pickle.dumps(handle)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", ["an engine", "a snapshot"])
def test_what_belongs_to_a_process_is_not_copied(make: Make, what: str, way: str) -> None:
    """An engine and a snapshot say what to do instead; it is a `TypeError` besides."""
    live = make()
    begin(live)
    one: Any = {"an engine": live, "a snapshot": live.snapshot}[what]
    with pytest.raises(CopyError, match="cannot be pickled or copied") as caught:
        WAYS[way](one)
    assert isinstance(caught.value, TypeError)


def test_a_configuration_is_copied(make: Make) -> None:
    """What a snapshot holds may go to another process."""
    live = make()
    begin(live)
    assert pickle.loads(pickle.dumps(live.snapshot.config)) == live.snapshot.config


@pytest.mark.parametrize("ask", ["astart", "lease"])
def test_an_async_resource_under_trio(make: Make, ask: str) -> None:
    """It is not that there is no event loop: it says which one there is, and what to serve with."""
    live = make()

    @live.resource("a")
    async def client(a: int) -> int:
        return a

    async def main() -> None:
        if ask == "astart":
            await live.astart()
        else:
            async with live.lease():
                return

    with pytest.raises(RegistrationError, match=r"needs an event loop of asyncio, and .* trio"):
        trio.run(main)


def test_a_sub_interpreter_with_a_lock_of_its_own(tmp_path: Path) -> None:
    """Where daemon threads are not to be had, the start says so, in the error tree."""
    done = run(
        tmp_path,
        '''
        import textwrap
        try:
            import _interpreters as interpreters
            own = interpreters.create()
        except ImportError:
            import _xxsubinterpreters as interpreters
            own = interpreters.create(isolated=True)
        script = f"""
        import os, sys
        sys.path[:] = {sys.path!r}
        from reloadcheck import ReloadCheck
        from reloadcheck.exceptions import InterpreterError
        live = ReloadCheck({str(CONFIG)!r})
        try:
            live.start()
        except InterpreterError as error:
            os.write({LOG}, b"sub-interpreter" if "sub-interpreter" in str(error) else b"?")
            os.write({LOG}, bytes([10]))
        """
        interpreters.run_string(own, textwrap.dedent(script))
        interpreters.destroy(own)
        ''',
    )
    assert done.status == 0, done.output
    assert done.said == ["sub-interpreter"]


def test_an_engine_in_a_class_that_is_copied_is_named() -> None:
    """The sentence says what to write, also where an engine is only a part of what is copied."""
    with pytest.raises(CopyError, match="import the module that constructs it"):
        copy.deepcopy(ReloadCheck("app.yaml"))

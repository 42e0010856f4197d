"""Factories and probes that nobody can work with: each is told what to write instead."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from reloadcheck import ConfigError, RegistrationError, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck._resources import instance as instance_
from reloadcheck._resources.instance import Instance
from reloadcheck._resources.registry import Resource
from reloadcheck._runtime.foreign import FactoryMisuseError
from reloadcheck._runtime.jobs import Job
from tests.support.rig import Text


def _live() -> ReloadCheck[Any]:
    return ReloadCheck(Text("a: 1\nb: 1\n"), settle=0, environ={})


def _refusal(factory: Callable[..., Any], **options: Any) -> str:
    live = _live()
    live.resource("a", name="made", **options)(factory)
    try:
        with pytest.raises(ConfigError) as caught:
            live.start()
    finally:
        live.close()
    return str(caught.value)


class Closing:
    """An object that only an event loop can close."""

    async def aclose(self) -> None:
        """Close it."""


async def _coroutine(a: int) -> int:
    return a


def test_a_factory_that_returns_a_coroutine_is_told_to_be_one() -> None:
    """A lambda around a coroutine function does not say that it is one."""
    assert "it returned a coroutine; declare it `async def`" in _refusal(lambda a: _coroutine(a))


def test_a_context_manager_is_told_to_be_a_generator() -> None:
    """The decorator only hides that it is one."""

    @contextmanager
    def made(a: int) -> Generator[int]:
        yield a

    assert "remove @contextmanager: a generator is a factory as it is" in _refusal(made)


def test_what_only_a_loop_can_close_is_not_built_without_one() -> None:
    """Nobody could ever close it."""
    assert "can be closed only in an event loop" in _refusal(lambda a: Closing())


def test_a_probe_that_needs_a_loop_is_told_so() -> None:
    """Where there is none; in one, it is awaited there."""

    async def good(value: object) -> bool:
        return True

    with pytest.raises(FactoryMisuseError, match="its probe needs an event loop"):
        instance_._probe_sync(lambda value: good(value), 1, None)

    async def probed() -> bool:
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(instance_._probe_sync, lambda value: good(value), 1, loop)

    assert asyncio.run(probed()) is True


def test_an_async_generator_yields_once() -> None:
    """Neither never, nor twice: what comes after the second yield is closed."""
    ended: list[str] = []

    async def twice(a: int) -> AsyncGenerator[int]:
        try:
            yield a
            yield a
        finally:
            ended.append("closed")

    async def never(a: int) -> AsyncGenerator[int]:
        for one in list[int]():
            yield one

    async def go() -> None:
        made = twice(1)
        await anext(made)
        with pytest.raises(FactoryMisuseError, match="it yielded a second time"):
            await instance_._finish_async(made)
        live = _live()
        live.resource("a")(never)
        try:
            with pytest.raises(ConfigError, match="it ended without a yield"):
                await live.astart()
        finally:
            await live.aclose()

    asyncio.run(go())
    assert ended == ["closed"]


def _instance(factory: Callable[..., Any]) -> Instance:
    live = _live()
    resource: Resource[Any] = live.resource("a", name="made")(factory)
    return Instance(resource, (1,), (), None, lambda one: None, engine_of(live))


def test_an_instance_is_named_and_has_no_task_of_its_own() -> None:
    """Of a plain factory: it lives in no loop, and nothing ends it by itself."""
    made = _instance(lambda a: a)
    assert (repr(made), made.home, made.take_error()) == ("<instance of made>", None, None)


def test_a_close_that_needs_a_loop_fails_where_there_is_none() -> None:
    """It is told, and nobody waits for it: in time, or after its build was given up."""
    made = _instance(lambda a: a)
    made._close = Closing().aclose
    job = made.close(lambda: None)
    assert isinstance(job.error, FactoryMisuseError)
    made._close = late = Closing().aclose
    asked: list[object] = []

    def visit(name: str, work: object, job: object) -> Callable[[], None]:
        asked.append(work)
        return lambda: None

    made._visit = visit  # type: ignore[method-assign]
    made._close_late()
    assert (asked, made.closes_in_loop) == ([late], False)
    closed: list[int] = []
    made._close = lambda: closed.append(1)
    made._close_late()
    made._close_late()
    assert closed == [1]
    made.cancel()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"needs": 5}, r"needs takes a list of handles"),
        ({"probe": 5}, "probe takes a function that is called with what was built"),
        ({"max_age": 0}, "max_age must be a positive number of seconds"),
        ({"rebuild_after": 0, "probe": print}, "rebuild_after must be a number of failed probes"),
        ({"rebuild_after": 2}, "rebuild_after needs a probe"),
    ],
)
def test_a_wrong_option_of_a_resource_is_refused(options: dict[str, Any], said: str) -> None:
    """By its name, where it is registered."""
    with pytest.raises(RegistrationError, match=said):
        _live().resource("a", name="made", **options)(lambda a: a)


def test_a_resource_without_a_path_is_called_with_the_whole() -> None:
    """A factory that takes nothing is told what it could take."""
    live = _live()
    with pytest.raises(RegistrationError, match="no path is named, so it is called as `made"):
        live.resource(name="made")(lambda: 1)
    wrong: Any = 5
    with pytest.raises(RegistrationError, match="a path is dotted"):
        live.resource(wrong)
    builtin: Any = max
    assert live.resource("a", name="largest")(builtin).name == "largest"  # it does not tell


def test_a_job_that_nobody_waits_for_is_closed_late() -> None:
    """Once, with what it came to."""
    late: list[int] = []
    job = Job[int](lambda: None, late=late.append)
    assert job.abandon() is True
    job.finish(5)
    assert late == [5]

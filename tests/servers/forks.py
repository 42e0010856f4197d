"""Forked processes, each with a PostgreSQL pool of its own: who asks over whose connection.

Takes ways to fork, gives what every process was told before and after an edit, and what the parent
had open in the database before its children began and after one of them had ended.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psycopg

from reloadcheck.demo.workspace import free_port
from tests.support.servers import serving

from .catalog import Kind, gunicorn, module, uwsgi
from .side import Side

__all__ = ["WAYS", "WSGI", "Told", "problems", "run"]

WSGI, ASGI = "tests.servers.pooled_wsgi:app", "tests.servers.pooled_asgi:app"
SECONDS = 30.0


def _children(method: str) -> Kind:
    return Kind(method, lambda _: module("tests.servers.children", method), 2, early=True)


CHILDREN = {
    "os.fork": _children("os.fork"),
    "multiprocessing fork": _children("fork"),
    "multiprocessing spawn": _children("spawn"),
}
SERVERS = {
    kind.name: kind
    for kind in (
        Kind("gunicorn sync", gunicorn(WSGI, "--preload"), early=True),
        Kind("gunicorn gthread", gunicorn(WSGI, "--preload", "--threads", "4"), early=True),
        Kind("gunicorn gevent", gunicorn(WSGI, "--preload", "-k", "gevent"), early=True),
        Kind("gunicorn asgi", gunicorn(ASGI, "--preload", "-k", "asgi"), early=True),
        Kind(
            "gunicorn uvicorn-worker",
            gunicorn(ASGI, "--preload", "-k", "uvicorn_worker.UvicornWorker"),
            early=True,
        ),
        Kind("uwsgi", uwsgi("--py-call-uwsgi-fork-hooks", app=WSGI), early=True),
        Kind("uwsgi --lazy-apps", uwsgi("--lazy-apps", app=WSGI)),
    )
}
WAYS = {**SERVERS, **CHILDREN}
"""The ways to fork, by name; `early` ones have an engine and a pool in the parent."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one way came to: the answers of all processes, the parent's connections, the end.

    `before` and `after` are the parent's backends in the database, around the children's work and
    the end of a child. `converged`: each child that was there had the edit, and so had the one that
    took a place that became free. `failures`: requests without a good answer.
    """

    parent: int
    early: bool
    answers: tuple[dict[str, Any], ...]
    before: frozenset[int]
    after: frozenset[int]
    converged: bool
    failures: tuple[str, ...]
    status: int
    gone: bool
    log: str = field(default="", repr=False)


def problems(told: Told) -> list[str]:
    """Return a sentence for each thing that is not as it must be."""
    found: list[str] = []
    owners: dict[int, set[int]] = {}
    for one in told.answers:
        owners.setdefault(one["backend"], set()).add(one["pid"])
        if one["built"] != f"{one['number']} of {one['pid']}":
            found.append(f"{one['pid']} used what was built as {one['built']!r}")
    found += [f"backend {one} served {pids}" for one, pids in owners.items() if len(pids) > 1]
    others = {one["backend"] for one in told.answers if one["pid"] != told.parent}
    if others & told.before:
        found.append("a child asked over a connection of the parent's")
    if bool(told.before) is not told.early:
        found.append(f"the parent had {len(told.before)} connections")
    if told.before != told.after:
        found.append("the parent's connections did not outlive its children")
    found += [f"a request failed: {failure}" for failure in told.failures]
    if not told.converged:
        found.append("a child did not get the edit")
    if told.status != 0 or not told.gone:
        found.append(f"exit status {told.status}, gone: {told.gone}")
    return found


async def run(names: Sequence[str], url: str, directory: Path) -> dict[str, Told | BaseException]:
    """Try all ways at the same time; give what each came to, or what stopped it."""
    async with AsyncExitStack() as stack:
        admin = stack.enter_context(psycopg.connect(url, autocommit=True))
        tried = [_Way(WAYS[name], url, directory / name, stack, admin) for name in names]
        told = await asyncio.gather(*(way.run() for way in tried), return_exceptions=True)
    return dict(zip(names, told, strict=True))


class Admin(Protocol):
    """What is asked of the database itself."""

    def execute(self, query: Any, params: Sequence[Any]) -> "psycopg.Cursor[Any]":
        """Run a statement."""
        ...


class _Way:
    """One way on trial."""

    def __init__(
        self, kind: Kind, url: str, directory: Path, stack: AsyncExitStack, admin: Admin
    ) -> None:
        self._kind = kind
        self._url = url
        self._config = directory / "app.yaml"
        self._answers = directory / "answers"
        self._admin = admin
        self._answers.parent.mkdir()
        self._edit(1)
        port = free_port()
        environ = {
            "SERVERS_CONFIG": str(self._config),
            "SERVERS_ANSWERS": str(self._answers),
            "RELOAD_CHECK_WINDOW": "0.2",
            "RELOAD_CHECK_SETTLE": "0.1",
            **({"SERVERS_EARLY": "1"} if kind.early and kind in SERVERS.values() else {}),
        }
        server = stack.enter_context(serving(kind.command(port), environ, directory, listen=False))
        server.port = port
        self._side = Side(server, kind)
        stack.push_async_callback(self._side.close)
        self._parent = server.process.pid

    def _edit(self, number: int) -> None:
        self._config.write_text(
            f"number: {number}\ndatabase: {{number: {number}, url: '{self._url}'}}\n"
        )

    def _open(self) -> frozenset[int]:
        """Return the backends that serve what the parent built."""
        like = f"% of {self._parent}"
        rows = self._admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s", [like]
        )
        return frozenset(row[0] for row in rows)

    async def run(self) -> Told:
        """Have it fork, edit, and end."""
        if self._kind in SERVERS.values():
            return await self._serve()
        return await self._have_children()

    async def _serve(self) -> Told:
        side = self._side
        await side.ready()
        before = self._open()
        await side.ask_all()
        await self._until(lambda: side.workers <= set(side.poll.first(1)))
        self._edit(2)
        converged = await self._until(lambda: side.workers <= set(side.poll.first(2)))
        await side.poll.stop()
        answers = [one.said for one in side.poll.answers]
        ended = min(side.workers)
        os.kill(ended, signal.SIGTERM)
        newcomer = await self._newcomer(ended)
        after = self._open()
        status, _ = await side.stop()
        return Told(
            self._parent,
            self._kind.early,
            (*answers, newcomer),
            before,
            after,
            converged and newcomer["number"] == 2,
            tuple(side.poll.failures),
            status,
            await side.is_gone(),
            side.server.log,
        )

    async def _newcomer(self, ended: int) -> dict[str, Any]:
        """Wait for the answer of a worker that takes the place of the one that ended."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            client = self._side.client()
            try:
                answer = await client.ask("/hold")
            except OSError:  # the one that ends breaks off what it had accepted
                continue
            finally:
                client.close()
            if answer.worker not in self._side.workers | {ended}:
                return answer.said
            await asyncio.sleep(0.02)
        raise AssertionError(f"no other worker has come:\n{self._side.server.log}")

    async def _have_children(self) -> Told:
        children = self._told_children
        await self._until(lambda: len(children(1)) == 2)
        before = self._open()
        self._edit(2)
        process = self._side.server.process
        await self._until(lambda: process.poll() is not None)
        answers = self._read()
        last = answers[-1]
        return Told(
            self._parent,
            True,
            tuple(answers),
            before,
            frozenset({last["backend"]}) if last["pid"] == self._parent else frozenset(),
            len(children(2)) == 2,
            (),
            process.returncode,
            await self._side.is_gone(),
            self._side.server.log,
        )

    def _told_children(self, number: int) -> set[int]:
        said = [one for one in self._read() if one["number"] == number]
        return {one["pid"] for one in said} - {self._parent}

    def _read(self) -> list[dict[str, Any]]:
        if not self._answers.exists():
            return []
        whole = self._answers.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    async def _until(self, condition: "Condition") -> bool:
        deadline = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"did not happen in time:\n{self._side.server.log}")
            await asyncio.sleep(0.02)
        return True


class Condition(Protocol):
    """Something that another process brings about."""

    def __call__(self) -> bool:
        """Return whether it is so by now."""
        ...

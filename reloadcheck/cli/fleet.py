"""`reloadcheck fleet`: who serves what. Status 1 where more drift than may, 3 unreachable."""

import argparse
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Final

from .._config.digest import tree_digest
from .._observe.ages import ago, in_letters
from .._state.alive import is_gone
from .._state.board import Freeze, Hold
from .._state.fleet import GRACE, Against, Fleet, MemberStatus, fleets_in, shares
from .._state.fleet_document import document
from .._state.member_id import member_id
from ..exceptions import StoreError, StoreLostError, UsageError
from ..sources import FileSource
from ..types import Board, Source, Store, printable
from ._faults import show_faults
from ._git import GitSource
from ._inputs import layers_of
from ._output import WIDTH, Page, columns, cut
from ._reading import known_of
from ._times import age, day
from ._unanswered import UnansweredError
from ._which_store import UNREACHABLE, store_named, unreachable

__all__ = ["run"]

_WATCH_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 5.0
_MOST_BYTES: Final = 2**30
_sleep = time.sleep


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    page = Page()
    if arguments.against and arguments.git:
        raise UsageError("--against and --git cannot be given together")
    against = _against(arguments)
    try:
        store, name, release = store_named(arguments)
    except StoreError as error:
        return unreachable(page, error, json=arguments.json)
    while True:
        try:
            board = _board(store)
        except StoreError as error:
            status = unreachable(page, error, json=arguments.json)
        else:
            fleets = _fleets(arguments, board, name, release, against)
            status = _told(page, arguments, fleets, against)
        if not arguments.watch:
            if status != UNREACHABLE:
                store.close()
            return status
        _sleep(_WATCH_SECONDS)


# ---------------------------------------------------------------------- what to compare with


def _against(arguments: argparse.Namespace) -> Against | None:
    if arguments.git:
        source = GitSource(arguments.git)
        return Against(arguments.git, _digest_of([source], "--git"), source.path)
    if not arguments.against:
        return None
    sources = layers_of(arguments.against)
    digest = _digest_of(sources, "--against")
    alone = sources[0].name if len(sources) == 1 and isinstance(sources[0], FileSource) else None
    return Against(" ".join(arguments.against), digest, alone)


def _digest_of(sources: Sequence[Source], option: str) -> str:
    known = known_of(sources, _MOST_BYTES)
    if known.parsed is None:
        show_faults(Page(), known.faults, known)
        raise UsageError(f"{option}: cannot be read as a configuration")
    return tree_digest(known.parsed.tree)


# ---------------------------------------------------------------------- what there is


def _board(store: Store) -> Board:
    """Look at everything that a store has, for some seconds at most, whatever hangs."""
    found: list[Board | StoreError] = []

    def look() -> None:
        try:
            found.append(store.look("") or Board(0, {}))
        except StoreError as error:
            found.append(error)

    looking = threading.Thread(target=look, name="reloadcheck-fleet", daemon=True)
    looking.start()
    looking.join(_ANSWER_SECONDS - 0.5)
    if not found:
        raise StoreLostError(f"{store.name}: has not answered within {_ANSWER_SECONDS:.0f} s")
    (answer,) = found
    if isinstance(answer, StoreError):
        raise answer
    return answer


def _fleets(
    arguments: argparse.Namespace,
    board: Board,
    name: str | None,
    release: str | None,
    against: Against | None,
) -> tuple[Fleet, ...]:
    grace = 0.0 if arguments.no_grace else GRACE
    now = time.time()
    own = member_id()
    every = fleets_in(board, now, target=against, grace=grace)
    fleets = fleets_in(
        board,
        now,
        app=name,
        release=release,
        target=against,
        grace=grace,
        is_gone=lambda member: is_gone(member, own),
    )
    if not fleets:
        if not every:
            raise UnansweredError("the store holds nothing: no application has started with it")
        known = ", ".join(printable(_name_of(one)) for one in every)
        asked = "" if name is None else f" {printable(name)}"
        asked += "" if release is None else f" of release {printable(release)}"
        raise UnansweredError(f"the store knows no application{asked}; it knows: {known}")
    return fleets


def _name_of(fleet: Fleet) -> str:
    return f"{fleet.app} {fleet.release}".rstrip()


# ---------------------------------------------------------------------- what is told


_LOST_SHOWN: Final = 5
"""Lost workers of an application that are listed one by one; there may be hundreds of them."""


def _told(
    page: Page, arguments: argparse.Namespace, fleets: Sequence[Fleet], against: Against | None
) -> int:
    drift, score = shares(fleets)
    status = int(drift > arguments.max_drift)
    if arguments.json:
        told = {"ok": not status, "max_drift": arguments.max_drift, **document(fleets, against)}
        page.json(told, indent=None if arguments.watch else 2)
        return status
    if arguments.watch:
        page.line(page.paint(time.strftime("%H:%M:%S"), "bold"))
    _show(page, fleets)
    live = [one for fleet in fleets for one in fleet.live]
    lost = sum(len(fleet.members) for fleet in fleets) - len(live)
    off = [one for one in live if not one.in_step]
    settling = f"; {len(off)} not in step yet" if off and not drift else ""
    missed = f", {lost} lost" if lost else ""
    workers = "worker" if len(live) == 1 else "workers"
    only = f", edition {fleets[0].edition}" if len(fleets) == 1 else ""
    compared = "" if against is None else f", against {against.name} ({against.digest[:8]})"
    page.sentence(
        f"{len(live)} {workers}{missed}{only}{compared}, drift {drift:.0%}, "
        f"score {score:.1%}{settling}",
        kind="fail" if status else "pass" if live else "warn",
        mark=f"drift {drift:.0%}",
    )
    return status


def _show(page: Page, fleets: Sequence[Fleet]) -> None:
    rows = [(fleet, one) for fleet in fleets for one in _shown(fleet)]
    apps = max([3, *(columns(printable(fleet.app)) for fleet in fleets)])
    apps, releases = min(apps, 10), min(max([7, *(len(fleet.release) for fleet in fleets)]), 8)
    named = f"{'app':<{apps}} {'release':<{releases}}"
    head = f"{'':<8}{'ed.':>5} content  since outcome  {named} host pid worker"
    page.line(page.paint(cut(head, WIDTH), "dim"))
    for fleet, one in rows:
        lead = _lead(one)
        app = cut(printable(fleet.app), apps)
        release = cut(printable(fleet.release) or "-", releases)
        lead += f" {app:<{apps}} {release:<{releases}} "
        line = lead + _where(one, WIDTH - columns(lead))
        kind = "dim" if one.lost else "good" if one.in_step else "warn"
        page.line(page.paint(cut(line, WIDTH), kind))
        if one.lost:
            continue
        if not one.in_step and one.behind is not None:
            page.sentence(f"        {one.behind}", indent=8)
        if one.member.error:
            code = f"{one.member.code}: " if one.member.code else ""
            page.sentence(f"        {code}{one.member.error}", indent=8)
    for fleet in fleets:
        left_out = len(fleet.members) - len(_shown(fleet))
        if left_out:
            page.sentence(f"{_name_of(fleet)}: {left_out} more lost; --json lists them")
        for told in (*_orders(fleet), fleet.waiting, fleet.refusal):
            if told is not None:
                page.sentence(f"{_name_of(fleet)}: {told}", kind="warn", mark="")


def _shown(fleet: Fleet) -> list[MemberStatus]:
    """Return the live workers, and those of the lost that were heard of last."""
    lost = sorted((one for one in fleet.members if one.lost), key=lambda one: -one.member.since)
    return [*fleet.live, *lost[:_LOST_SHOWN]]


def _orders(fleet: Fleet) -> Iterator[str]:
    """Say what was ordered, by whom, how long ago, and why."""
    hold, freeze = fleet.order, fleet.freeze
    if hold is not None:
        edition = "" if hold.edition is None else f", edition {hold.edition}"
        yield f"{hold.kind} is in force{edition}{_ordered(hold)}"
    if freeze is not None:
        until = "" if freeze.until is None else f" until {day(freeze.until)}"
        yield f"edits are frozen{until}{_ordered(freeze)}"


def _ordered(order: Hold | Freeze) -> str:
    by = f", by {printable(order.by)}" if order.by else ""
    since = f" {ago(age(order.at))}" if order.at else ""
    return f"{by}{since}{f': {printable(order.why)}' if order.why else ''}"


def _lead(one: MemberStatus) -> str:
    member = one.member
    state = one.word.upper() if one.word == "behind" else one.word
    edition = "-" if member.edition is None else str(member.edition)
    content = "-" if member.content is None else member.content[:8]
    since = in_letters(age(member.since)) if member.since else "-"
    outcome = "-" if one.lost else member.outcome or "-"
    return f"{state:<8}{edition:>5} {content:<8} {since:>5} {printable(outcome):<9}"[:46]


def _where(one: MemberStatus, room: int) -> str:
    """Say which process it is; of a long host's name the end goes, never the number."""
    member = one.member
    tail = f" {member.pid}" + (f" {member.worker}" if member.worker else "")
    tail = printable(tail)
    host = cut(printable(member.host or "-"), max(4, room - columns(tail)))
    return host + tail

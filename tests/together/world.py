"""A world of workers around one board, without threads or clocks; it keeps the invariants.

A worker's turn has two halves, a look and what it does about it, so that others act in between.
Time is what the schedule says; each worker's own clock runs up to 3 % fast or slow.

Long because the world and the invariants that it keeps are read together.
"""

import random
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field, replace

from reloadcheck._state.board import Ban, Hold, Member, Refusal, State, View
from reloadcheck._state.together import Action, Kind, Me, Vote, react, reads

DEADLINE, LIFE, GONE, BACK_OFF, LOOK_EVERY = 30.0, 15.0, 5.0, 2.0, 0.5
Reaction = Callable[[Me, View], Action]
Stage = Callable[[Me, View], str | None]


class BrokenError(AssertionError):
    """An invariant does not hold."""


def check(holds: bool, promise: str, *what: object) -> None:
    """Raise where an invariant does not hold."""
    if not holds:
        raise BrokenError(promise, *what)


@dataclass
class Group:
    """What the board has for one release."""

    state: State = field(default_factory=State)
    changed: int = 0
    members: dict[str, tuple[Member, int]] = field(default_factory=dict)
    votes: dict[tuple[int, str], str] = field(default_factory=dict)


@dataclass
class Worker:
    """One process; `rate` is how fast its clock runs."""

    me: Me
    release: str
    rate: float = 1.0
    view: View | None = None
    beat: float = 0.0
    paused_until: float = 0.0
    cut_until: float = 0.0
    built_at: float = 0.0
    seen_round: tuple[int, float] = (0, 0.0)
    opener_gone: float | None = None
    failed_at: float = -1e9
    refused: Refusal | None = None
    retries: int = 0
    steps: int = 0
    spun: bool = False


class World:
    """The board, the workers, and what the sources hold. `good` says who can build what."""

    def __init__(
        self,
        workers: int,
        *,
        draw: random.Random | None = None,
        reaction: Reaction = react,
        need: str = "all",
        releases: Iterable[str] = ("1",),
        unguarded: frozenset[str] = frozenset(),
        stage: Stage = reads,
    ) -> None:
        self.stage = stage
        self.alone = False
        self.draw = draw or random.Random(0)
        self.now, self.revision, self.born = 0.0, 0, 0
        self.reaction, self.need, self.unguarded = reaction, need, unguarded
        self.groups = {release: Group() for release in releases}
        self.good: dict[str, Callable[[str], Vote | None]] = {}
        self.decided: set[tuple[str, int]] = set()
        self.opened: list[tuple[str, int, str]] = []
        self.judged: dict[tuple[str, str], Vote | None] = {}
        self.opened_at: dict[tuple[str, int], float] = {}
        self.unsure = 0.0
        self.workers: list[Worker] = []
        names = list(self.groups)
        for number in range(workers):
            self.workers.append(self.newborn(names[number % len(names)], "A"))

    def copy(self) -> "World":
        """Return a world that goes on from here by itself; what nobody writes to is shared."""
        other = copy(self)
        other.groups = {
            name: replace(one, members=dict(one.members), votes=dict(one.votes))
            for name, one in self.groups.items()
        }
        other.workers = [copy(worker) for worker in self.workers]
        other.decided, other.opened = set(self.decided), list(self.opened)
        other.judged, other.opened_at = dict(self.judged), dict(self.opened_at)
        return other

    def newborn(self, release: str, file: str | None) -> Worker:
        """Make a process that starts."""
        self.born += 1
        me = Me(f"w{self.born}", file=file, need=self.need)
        return Worker(me, release, self.draw.uniform(0.97, 1.03), beat=self.now)

    # ------------------------------------------------------------------ a turn

    def turn(self, worker: Worker) -> Action | None:
        """Do the next half of a worker's turn."""
        if self.now < worker.paused_until:
            return None
        self._finish_build(worker)
        if self.now < worker.cut_until:
            worker.view = None
            self._go_alone(worker)
            return None
        if worker.view is None:
            worker.view = self.look(worker)
            return None
        view, worker.view = worker.view, None
        self._tell_clock(worker, view)
        before = worker.me.serving
        action = self.reaction(worker.me, view)
        worker.spun = False
        self._do(worker, view, action)
        check(before is None or worker.me.serving is not None, "no action ends serving")
        self._judge_vote(worker, view, action)
        worker.steps += 1
        return action

    def look(self, worker: Worker) -> View:
        """Look at the board, and beat; the silent are taken away."""
        group = self.groups[worker.release]
        worker.beat = self.now
        oldest = self.now - LIFE
        alive = {w.me.id for w in self.workers if w.beat >= oldest}
        if not alive.issuperset(group.members):
            for gone in group.members.keys() - alive:
                del group.members[gone]
                self.revision += 1
        opened = group.state.round
        votes = {} if opened is None else {
            voter: vote
            for (number, voter), vote in group.votes.items()
            if number == opened.id and voter in group.members
        }  # fmt: skip
        members = {each: record[0] for each, record in group.members.items()}
        return View(self.revision, group.state, group.changed, members, votes)

    def _tell_clock(self, worker: Worker, view: View) -> None:
        me, own = worker.me, self.now * worker.rate
        opened = view.state.round
        late, absent, shown, failed = False, False, me.shown, me.failed
        if opened is not None:
            if worker.seen_round[0] != opened.id:
                worker.seen_round, worker.opener_gone = (opened.id, own), None
            late = own - worker.seen_round[1] > DEADLINE
            if opened.by in view.members:
                worker.opener_gone = None
            elif worker.opener_gone is None:
                worker.opener_gone = own
            absent = worker.opener_gone is not None and own - worker.opener_gone > GONE
            if me.file == opened.content:
                shown = opened.id
        if worker.refused != view.state.refused:
            worker.refused = view.state.refused
            worker.failed_at = worker.failed_at if worker.refused is None else own
        if worker.retries != view.state.retries:
            worker.retries, failed = view.state.retries, dict[str, Vote]()
        may_retry = own - worker.failed_at > BACK_OFF
        told = (late, absent, may_retry, shown, failed)
        if told != (me.late, me.absent, me.may_retry, me.shown, me.failed):
            worker.me = replace(
                me, late=late, absent=absent, may_retry=may_retry, shown=shown, failed=failed
            )

    def _finish_build(self, worker: Worker) -> None:
        me = worker.me
        if me.building is None or self.now < worker.built_at:
            return
        judge = self.good.get(me.building)
        verdict = None if judge is None else judge(me.id)
        self.judged[me.building, me.id] = verdict
        if verdict is None:
            failed = {c: v for c, v in me.failed.items() if c != me.building}
            worker.me = replace(me, candidate=me.building, building=None, failed=failed)
        else:
            worker.failed_at = self.now * worker.rate
            worker.me = replace(me, building=None, failed={**me.failed, me.building: verdict})

    def _do(self, worker: Worker, view: View, action: Action) -> None:
        me = worker.me
        match action.kind:
            case Kind.BUILD:
                check(me.building is None or me.building != action.content, "no build twice")
                if self.stage(me, view) != action.content:
                    return  # it is not what is read, and nothing else can be built
                worker.built_at = self.now + self.draw.choice((0.0, 0.2, 1.0))
                # The engine lets go of what it built of another reading before it builds this one.
                kept = me.candidate if me.candidate == action.content else None
                worker.me = replace(me, building=action.content, candidate=kept)
            case Kind.SWAP:
                check(action.content == view.state.target, "swapped in is the last look's target")
                check(action.content == me.candidate, "swapped in is what was built")
                worker.me = replace(me, serving=action.content, candidate=None)
            case Kind.DROP:
                worker.me = replace(me, candidate=None)
            case Kind.PUT:
                self._put(worker, view, action)
            case Kind.LOOK:
                pass

    def _put(self, worker: Worker, view: View, action: Action) -> None:
        if self.draw.random() < self.unsure:
            if self.draw.random() < 0.5:
                worker.spun = True
                return  # not written, and nobody can tell
            self._write(worker, view, action)  # written, and the answer was lost: look again
            return
        written = self._write(worker, view, action)
        worker.spun = not written  # what was not told yet is told at the next turn
        if written and worker.me.booting and action.joins is not None:
            worker.me = replace(worker.me, booting=False, serving=action.joins, candidate=None)

    def _write(self, worker: Worker, view: View, action: Action) -> bool:
        group = self.groups[worker.release]
        guarded = action.why not in self.unguarded
        if guarded and group.changed != view.state_revision:
            return False
        if action.alone and any(at > view.revision for _, at in group.members.values()):
            return False
        self.revision += 1
        if action.state is not None:
            self._judge(worker, view, action)
            group.state, group.changed = action.state, self.revision
        if action.joins is not None:
            booted = worker.me.booting
            joined = group.state.target
            check(not booted or action.joins == joined, "who starts joins on what is active")
            group.members[worker.me.id] = (Member(content=action.joins), self.revision)
            worker.beat = self.now
        if action.leaves:
            group.members.pop(worker.me.id, None)
        if action.vote is not None and group.state.round is not None:
            group.votes[group.state.round.id, worker.me.id] = action.vote
        return True

    def _judge(self, worker: Worker, view: View, action: Action) -> None:
        release, who = worker.release, worker.me.id
        group = self.groups[release]
        state, after = group.state, action.state
        assert after is not None
        if action.why == "open":
            assert after.round is not None
            self.opened_at[release, after.round.id] = self.now
            self.opened.append((release, len(self.opened), after.round.content))
        if state.round is not None and after.round is None:
            check((release, state.round.id) not in self.decided, "one decision a round")
            self.decided.add((release, state.round.id))
        check(after.banned == state.banned, "no worker lifts a ban")
        if state.hold is not None and state.hold.kind == "pin":
            check(after.hold == state.hold, "no worker ends a pin")
        if action.why == "found":
            others = group.members.keys() - {who}
            check(not others, "nobody founds beside others", others)
        if action.why != "activate":
            return
        opened = state.round
        if opened is None:
            raise BrokenError("nothing is activated that is not in a round")
        check(after.active not in state.banned, "nothing banned is activated", after.active)
        pinned = state.hold is not None and state.hold.kind == "pin"
        check(not pinned, "nothing is activated against a pin")
        # Who died since the look was counted rightly, whatever it had said by then; who joined
        # since then must not be passed.
        joined = [m for m, (_, at) in group.members.items() if at > view.revision]
        votes = {m: group.votes.get((opened.id, m)) for m in view.members if m in group.members}
        ready = [m for m, vote in ({**view.votes, **votes}).items() if vote == Vote.PREPARED]
        count = len(view.members)
        enough = len(ready) == count if self.need == "all" else len(ready) > count // 2
        check(not joined and enough, "activated with enough votes, and never past a joiner")
        for each in self.workers:
            me, out = each.me, each.spun or self.now < each.cut_until
            has = opened.content in (me.candidate, me.serving)
            counted = each.release == release and me.id in ready
            check(has or out or not counted, "who is counted has built it", me)

    def _judge_vote(self, worker: Worker, view: View, action: Action) -> None:
        me, opened = worker.me, view.state.round
        if opened is None or view.votes.get(me.id) != Vote.PREPARED or me.booting:
            return
        has = opened.content in (me.candidate, me.serving)
        behind = view.state.target not in (None, me.serving)
        told_next = action.kind is Kind.SWAP  # as one that joins, whom no decision passes
        over = told_next or action.why in ("withdraw", "rejoin", "tell", "vote")
        lost = me.file != opened.content  # it withdraws what it had shown
        check(has or behind or over or lost, "who says that it is ready is, or takes it back")

    # ------------------------------------------------------------------ orders and faults

    def rotate(self, worker: Worker) -> None:
        """Rotate a secret: no content changes, and what was not swapped in is built anew."""
        worker.me = replace(worker.me, candidate=None, building=None)
        worker.spun = True

    def _go_alone(self, worker: Worker) -> None:
        """Start without the board, or go on without it, where that is allowed."""
        me = worker.me
        content = me.file if me.booting else me.candidate
        good = content is not None and self.good.get(content) is None
        if good and (me.booting or (self.alone and content == me.file)):
            worker.me = replace(me, booting=False, serving=content, candidate=None, building=None)

    def order(self, release: str, change: Callable[[State], State | None]) -> None:
        """Carry out an operator's order, which is voted on by nobody."""
        group = self.groups[release]
        after = change(group.state)
        if after is not None:
            self.revision += 1
            group.state, group.changed = after, self.revision

    def crash(self, worker: Worker, release: str | None = None) -> None:
        """End a process, and start another in its place, of another release perhaps."""
        fresh = self.newborn(release or worker.release, worker.me.file)
        self.workers[self.workers.index(worker)] = fresh

    def rest(self, *, most: int = 4000) -> None:
        """Let everybody go on without faults, until the longest life and deadline are long over."""
        self.unsure = 0.0
        for worker in self.workers:
            worker.paused_until = worker.cut_until = 0.0
        begun = self.now
        for _ in range(most):
            self.now += 0.1
            for worker in self.workers:
                self.turn(worker)
            if self.now - begun > DEADLINE * 1.2 and self.now % 5 < 0.1 and self.is_at_rest():
                return

    def is_at_rest(self) -> bool:
        """Return whether nobody has anything to do."""
        try:
            self.judge_end()
        except BrokenError:
            return False
        return True

    def judge_end(self) -> None:
        """Check that all serve the target and say so, and that it is what the sources ask for."""
        for release, group in self.groups.items():
            workers = [w for w in self.workers if w.release == release]
            if not workers:
                continue  # nobody looks at it any more
            target = group.state.target
            for worker in workers:
                me = worker.me
                if target is not None and me.failed.get(target) is Vote.FAILED_FOR_GOOD:
                    continue  # it serves on with what it has
                unusable = me.file is None or self.judged.get((me.file, me.id)) is not None
                if target is None and unusable:
                    continue  # a first start that fails
                check(not me.booting, "all have started", me)
                check(me.serving == target, "all end on the target", me, group.state)
                check(me.id in group.members, "all are registered", me.id)
                told = group.members[me.id][0].content
                check(told == me.serving, "the board knows what each serves", told, me.serving)
            opened = group.state.round
            age = 0.0 if opened is None else self.now - self.opened_at[release, opened.id]
            check(not group.members or age < DEADLINE * 1.1, "no round stays open", opened, age)
            files = {w.me.file for w in workers}
            if len(files) == 1:
                self._judge_file(group, workers, next(iter(files)))

    def _judge_file(self, group: Group, workers: list[Worker], file: str | None) -> None:
        state = group.state
        if all(worker.me.booting for worker in workers):
            return  # what is held cannot be had here, and so nothing starts
        never = (Vote.FAILED_FOR_GOOD,)
        can = [w for w in workers if file and self.judged.get((file, w.me.id)) not in never]
        held = state.hold is not None and state.hold.kind == "pin"
        if file is None or held or file in state.banned or len(can) < len(workers):
            return
        check(state.target == file, "what all sources ask for is live", file, state)


def rollback(to: str) -> Callable[[State], State | None]:
    """Return the order to serve a content again, which bans what serves."""

    def change(state: State) -> State | None:
        pinned = state.hold is not None and state.hold.kind == "pin"
        if state.target in (None, to) or to in state.banned or pinned:
            return None
        banned = {**state.banned, str(state.target): Ban()}
        number = state.edition + 1
        hold = Hold("rollback", to)
        return replace(
            state, hold=hold, banned=banned, round=None, edition=number, active=to, refused=None
        )

    return change


def pin(state: State) -> State | None:
    """Order that what serves now stays."""
    if state.target is None or state.hold is not None:
        return None
    return replace(state, hold=Hold("pin", state.target), round=None)


def unpin(state: State) -> State | None:
    """Order to follow the sources again."""
    pinned = state.hold is not None and state.hold.kind == "pin"
    return replace(state, hold=None) if pinned else None


def unban(state: State) -> State | None:
    """Order that everything may be served again."""
    return replace(state, banned={}) if state.banned else None


def retry(state: State) -> State | None:
    """Order to forget what failed."""
    return replace(state, refused=None, retries=state.retries + 1)

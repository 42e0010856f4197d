"""Jobs, call threads and the reader: done once or abandoned once, and nothing escapes.

Long because jobs, call threads and the reader end in the same few ways, each tried for each.
"""

# The loop is made to fail from within.
# pyright: reportPrivateUsage=false

import ctypes
import threading
from collections.abc import Callable

import pytest

from reloadcheck._runtime.jobs import Job, LostError, Reader, call
from tests.support.rig import Call, until


class Told:
    """Notes what a job tells."""

    def __init__(self) -> None:
        self.settled = 0
        self.late: list[object] = []

    def job(self) -> Job[object]:
        """Make a job that tells here."""
        return Job(self._settled, self.late.append)

    def _settled(self) -> None:
        self.settled += 1


def test_a_job_in_time_gives_its_value() -> None:
    """What finishes in time is the result, and is told once; it cannot be abandoned any more."""
    told = Told()
    job = told.job()
    assert not job.done
    job.finish(5)
    assert (job.done, job.running, job.result(), told.settled) == (True, False, 5, 1)
    assert not job.abandon()
    assert not job.abandoned
    assert told.late == []


def test_an_abandoned_job_gives_its_value_to_late() -> None:
    """What finishes too late is handed to be closed, and nobody is told of a result."""
    told = Told()
    job = told.job()
    assert job.abandon()
    assert job.running
    job.finish(5)
    assert (job.done, job.running, told.settled) == (False, False, 0)
    assert told.late == [5]


def test_an_abandoned_job_that_fails_is_silent() -> None:
    """What fails too late has nothing to close and nobody to tell."""
    told = Told()
    job = told.job()
    assert job.abandon()
    job.fail(ValueError())
    assert (job.done, job.running, told.settled, told.late) == (False, False, 0, [])


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, RecursionError])
def test_nothing_that_is_raised_escapes_a_job(kind: type[BaseException]) -> None:
    """Whatever foreign code raises is the job's error, and is raised by `result()` alone."""
    told = Told()
    job = told.job()

    def work() -> object:
        raise kind

    job.run(work)
    assert job.done
    with pytest.raises(kind):
        job.result()


def test_done_or_abandoned_but_never_both() -> None:
    """However finish and abandon race, the value goes to exactly one of the two."""
    for _ in range(300):
        told = Told()
        job = told.job()
        barrier = threading.Barrier(2)

        def finish(job: Job[object] = job, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(30)
            job.finish(1)

        finishing = Call(finish)
        barrier.wait(30)
        abandoned = job.abandon()
        finishing.result()
        assert abandoned is not job.done
        assert (told.settled, len(told.late)) == ((0, 1) if abandoned else (1, 0))


def test_foreign_code_runs_in_a_daemon_thread_of_its_own() -> None:
    """It can hold up neither the engine nor the process's exit."""
    told = Told()
    job = told.job()
    call("x", threading.current_thread, job)
    until(lambda: job.done)
    thread = job.result()
    assert isinstance(thread, threading.Thread)
    assert thread.daemon
    assert thread.name == "reloadcheck-x"


def test_no_thread_to_be_had_fails_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system gives no more threads, the job fails instead of never ending."""

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    told = Told()
    job = told.job()
    call("x", object, job)
    assert job.done
    assert isinstance(job.error, RuntimeError)


# ------------------------------------------------------------------------------- reader


def reading(reader: Reader, work: Callable[[], object]) -> Job[object]:
    """Submit work."""
    job = Told().job()
    reader.submit(work, job)
    return job


def test_the_reader_is_one_daemon_thread_and_works_in_order() -> None:
    """All I/O is done by one thread, in the order in which it was asked for."""
    reader, seen = Reader(), list[int]()

    def work(number: int) -> Callable[[], object]:
        def note() -> object:
            seen.append(number)
            return threading.current_thread()

        return note

    jobs = [reading(reader, work(number)) for number in range(20)]
    until(lambda: all(job.done for job in jobs))
    assert list(range(20)) == seen
    (thread,) = {job.result() for job in jobs}
    assert isinstance(thread, threading.Thread)
    assert thread.daemon
    reader.close(5.0)
    assert not thread.is_alive()


def test_the_reader_survives_what_a_job_raises() -> None:
    """An error of one job is that job's, and the next is done."""
    reader = Reader()

    def broken() -> object:
        raise SystemExit

    bad, good = reading(reader, broken), reading(reader, lambda: 1)
    until(lambda: good.done)
    assert isinstance(bad.error, SystemExit)
    reader.close(5.0)


def test_the_reader_is_stuck_until_the_abandoned_job_ends() -> None:
    """While an abandoned job holds the thread the reader says so, and not a moment longer."""
    reader, gate = Reader(), threading.Event()
    job = reading(reader, lambda: gate.wait(30))
    before = reader.stuck
    assert reader.abandon(job)
    assert (before, reader.stuck) == (False, True)
    gate.set()
    until(lambda: not reader.stuck)
    after = reading(reader, lambda: 1)
    until(lambda: after.done)
    assert not reader.abandon(after)
    assert not reader.stuck
    reader.close(5.0)


def test_closing_does_not_wait_for_a_stuck_reader() -> None:
    """A hung disk does not delay the end; its thread goes when the disk comes back."""
    reader, gate, threads = Reader(), threading.Event(), list[threading.Thread]()

    def hang() -> object:
        threads.append(threading.current_thread())
        return gate.wait(30)

    job = reading(reader, hang)
    until(lambda: threads)
    reader.abandon(job)
    Call(lambda: reader.close(1000.0)).result()
    assert threads[0].is_alive()
    gate.set()
    until(lambda: not threads[0].is_alive())


def test_a_job_is_not_kept_alive_by_the_reader() -> None:
    """The reader lets go of a job's work once it is done: old configurations can be freed."""
    import weakref

    class Work:
        def __call__(self) -> object:
            return None

    reader, work = Reader(), Work()
    gone = weakref.ref(work)
    job = reading(reader, work)
    until(lambda: job.done)
    del work
    until(lambda: gone() is None)
    reader.close(5.0)


# ------------------------------------------------------------- memory, deaths, contexts


def test_a_job_ends_though_there_was_no_memory_to_say_so() -> None:
    """Whoever waits for a job without a deadline hears of it once an allocation works again."""
    said: list[bool] = []

    def settled() -> None:
        said.append(job.done)
        if len(said) < 3:
            raise MemoryError

    job = Job[object](settled)
    call("x", lambda: 5, job)
    until(lambda: len(said) == 3)
    assert (job.done, job.running, job.result()) == (True, False, 5)


def test_the_reader_survives_a_failed_allocation_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What goes wrong in the reader's own loop fails the job it was at; the thread goes on."""
    reader = Reader()
    before = reading(reader, threading.current_thread)
    until(lambda: before.done)
    real = reader._read_one  # pyright: ignore[reportPrivateUsage] - its own loop is the matter

    def once() -> bool:
        monkeypatch.setattr(reader, "_read_one", real)
        reader._at = reader._queue.popleft()[1]  # pyright: ignore[reportPrivateUsage]
        raise MemoryError

    monkeypatch.setattr(reader, "_read_one", once)
    reading(reader, object)  # what the thread waits for already
    lost = reading(reader, object)
    until(lambda: lost.done)
    after = reading(reader, threading.current_thread)
    until(lambda: after.done)
    assert isinstance(lost.error, LostError)
    assert after.result() is before.result()
    assert reader.replaced == 0
    reader.close(5.0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_reader_that_was_killed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the thread ends all the same, what waits for it fails, and another does the next."""
    reader = Reader()

    def ends() -> bool:
        until(lambda: len(reader._queue) == 2)  # pyright: ignore[reportPrivateUsage]
        raise MemoryError

    def lose_once() -> None:  # what is wrong in the loop is wrong on the way out of it, too
        monkeypatch.undo()
        raise SystemExit

    monkeypatch.setattr(reader, "_read_one", ends)
    monkeypatch.setattr(reader, "_lose", lose_once)
    lost = [reading(reader, object) for _ in range(2)]
    until(lambda: all(job.done for job in lost))
    assert [LostError, LostError] == [type(job.error) for job in lost]
    assert reader.thread is not None
    reader.thread.join(30)
    after = reading(reader, lambda: 7)
    until(lambda: after.done)
    assert (after.result(), reader.replaced, reader.stuck) == (7, 1, False)
    reader.close(5.0)


def test_an_abandoned_job_of_a_dead_reader_holds_nobody() -> None:
    """A reader that died over an abandoned job is not stuck for ever: it is replaced."""
    reader, gate = Reader(), threading.Event()
    job = reading(reader, lambda: gate.wait(30))
    assert reader.abandon(job)
    thread = reader.thread
    assert thread is not None
    until(lambda: thread.ident is not None)
    kill = ctypes.pythonapi.PyThreadState_SetAsyncExc
    assert thread.ident is not None
    kill(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
    gate.set()
    until(lambda: not reader.stuck)
    after = reading(reader, lambda: 7)
    until(lambda: after.done)
    assert after.result() == 7
    reader.close(5.0)

"""Foreign code and blocking I/O, off the engine thread: a job runs in a daemon thread.

A job that takes too long is abandoned: its thread goes on alone, and what it returns late is given
to `late` instead of to the engine. Nothing here waits, and no exception of a job escapes it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, NoReturn, TypeVar, cast

from .threads import daemon

T = TypeVar("T")

TRIES: Final = 100
TRY_SECONDS: Final = 0.05
"""How often, and how far apart in seconds, a thread tries to say that its job has ended."""


class NoThreadError(RuntimeError):
    """No thread can be had at present, so that the work was not begun."""


class Job(Generic[T]):
    """One piece of work: pending, then either done (with a value or an error) or abandoned.

    `on_done` is called in the worker's thread when the job is done in time, `late` with the value
    when it was abandoned before. `late` is called at most once, `on_done` once more where the
    first call raised; neither may block.
    """

    def __init__(
        self, on_done: Callable[[], None], late: Callable[[T], None] | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._on_done = on_done
        self._late = late
        self._value: T | None = None
        self.abandoned = False
        self.error: BaseException | None = None
        self.done = False
        self.running = True

    def finish(self, value: T) -> None:
        """Take the result; called once, by whoever did the work."""
        if self._end(value, None):
            self._on_done()
        elif self._late is not None:
            self._late(value)

    def fail(self, error: BaseException) -> None:
        """Take the failure, unless the job has come to something already; tell either way."""
        if self._end(None, error):
            self._on_done()

    def _end(self, value: T | None, error: BaseException | None) -> bool:
        """Note what it came to, and say whether in time; allocates nothing."""
        with self._lock:
            if not (self.abandoned or self.done):
                self._value, self.error, self.done = value, error, True
            self.running = False
            return self.done

    def abandon(self) -> bool:
        """Stop waiting for the result; say whether it was still pending."""
        with self._lock:
            self.abandoned = not self.done
            return self.abandoned

    def result(self) -> T:
        """Return the value, or raise what the work raised."""
        if self.error is not None:
            raise self.error
        return cast("T", self._value)

    def run(self, work: Callable[[], T]) -> None:
        """Do the work here and now, whatever it raises."""
        try:
            value = work()
        except BaseException as error:  # a SystemExit of foreign code must not end our thread
            self.fail(error)
        else:
            self.finish(value)


def _run_to_its_end(work: Callable[[], T], job: Job[T]) -> None:
    """Run the job and see to it that it ends, though there be no memory to say so at first.

    Whoever waits for it may wait without a deadline.
    """
    try:
        job.run(work)
    except BaseException as error:  # a failed allocation of our own, an asynchronous exception
        lost = error
    else:
        return
    for _ in range(TRIES):
        try:
            job.fail(lost)
        except BaseException:
            time.sleep(TRY_SECONDS)
        else:
            return


def call(name: str, work: Callable[[], T], job: Job[T]) -> None:
    """Run foreign code in a daemon thread of its own."""
    try:
        daemon(name, _run_to_its_end, work, job).start()
    except RuntimeError as error:  # no more threads to be had
        if _inline:
            job.run(work)
        else:
            job.fail(NoThreadError(str(error)))


_inline = False


def run_inline_without_threads() -> None:
    """Let `call` do the work itself where no thread can be started: at the interpreter's exit."""
    global _inline
    _inline = True


class Reader:
    """The one thread for file I/O, parsing and freezing; a hung disk hangs it and nothing else.

    It survives what goes wrong in its own loop. Should it end all the same, the job that it was at
    fails, and the next one starts another thread: `replaced` counts them.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queue: deque[tuple[Callable[[], Any], Job[Any]]] = deque()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._at: Job[Any] | None = None
        self._overdue: Job[Any] | None = None
        self.replaced = 0

    @property
    def stuck(self) -> bool:
        """Return whether an abandoned job still holds the thread."""
        return self._overdue is not None and self._overdue.running

    @property
    def thread(self) -> threading.Thread | None:
        """Return the thread, once there was something to read."""
        return self._thread

    def abandon(self, job: Job[T]) -> bool:
        """Stop waiting for the job, and be `stuck` until it ends; say whether it was pending."""
        if not job.abandon():
            return False
        self._overdue = job
        return True

    def submit(self, work: Callable[[], T], job: Job[T]) -> None:
        """Queue the work; the thread starts with the first, and anew where it has ended."""
        with self._condition:
            self._queue.append((work, job))
            self._condition.notify()
            refused = self._start()
            if refused is not None:
                self._queue.pop()
        if refused is not None:
            job.fail(refused)

    def _start(self) -> RuntimeError | None:
        if self._thread is not None and self._thread.is_alive():
            return None
        thread = daemon("reader", self._work)
        try:
            thread.start()
        except RuntimeError as error:  # no more threads to be had
            return error
        if self._thread is not None:
            self.replaced += 1
        self._thread = thread
        return None

    def close(self, seconds: float) -> None:
        """End the thread, waiting at most `seconds` for the job it is at."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._thread is not None and not self.stuck:
            self._thread.join(seconds)

    def _work(self) -> None:
        try:
            while True:
                try:
                    if not self._read_one():
                        return
                except BaseException:  # a failed allocation of our own: what hangs on it is told
                    self._lose()
        finally:  # also what nobody has begun: whoever waits for it may wait without a deadline
            self._lose()
            while self._queue:
                self._at = self._queue.popleft()[1]
                self._lose()

    def _read_one(self) -> bool:
        """Do the next job; say whether there may be another."""
        with self._condition:
            while not self._queue and not self._closed:
                self._condition.wait()
            if not self._queue:
                return False
            work, self._at = self._queue[0]
            self._queue.popleft()
        job = self._at
        _run_to_its_end(work, job)
        self._at = None
        return True

    def _lose(self) -> None:
        """Fail the job that was being done, where the thread was kept from saying so itself."""
        job, self._at = self._at, None
        if job is not None and job.running:
            _run_to_its_end(_raise_lost, job)


class LostError(Exception):
    """The thread that did a job ended, and the job with it."""


def _raise_lost() -> NoReturn:
    raise LostError


class OverdueError(Exception):
    """A job did not return in time and was abandoned."""

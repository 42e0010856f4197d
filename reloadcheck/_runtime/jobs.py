"""Foreign code and blocking I/O, off the engine thread: a job runs in a daemon thread.

A job that takes too long is abandoned: its thread goes on alone, and what it returns late is given
to `late` instead of to the engine. Nothing here waits, and no exception of a job escapes it.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class NoThreadError(RuntimeError):
    """No thread can be had at present, so that the work was not begun."""


class Job(Generic[T]):
    """One piece of work: pending, then either done (with a value or an error) or abandoned.

    `settled` is called in the worker's thread when the job is done in time, `late` with the value
    when it was abandoned before. Either is called at most once and must not block.
    """

    def __init__(
        self, settled: Callable[[], None], late: Callable[[T], None] | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._settled = settled
        self._late = late
        self.abandoned = False
        self._values: list[T] = []
        self.error: BaseException | None = None
        self.done = False
        self.running = True

    def finish(self, value: T) -> None:
        """Take the result; called once, by whoever did the work."""
        with self._lock:
            self.running = False
            in_time = not self.abandoned
            if in_time:
                self._values.append(value)
                self.done = True
        if in_time:
            self._settled()
        elif self._late is not None:
            self._late(value)

    def fail(self, error: BaseException) -> None:
        """Take the failure; called once, by whoever did the work."""
        with self._lock:
            self.running = False
            in_time = not self.abandoned
            if in_time:
                self.error = error
                self.done = True
        if in_time:
            self._settled()

    def abandon(self) -> bool:
        """Stop waiting for the result; say whether it was still pending."""
        with self._lock:
            self.abandoned = not self.done
            return self.abandoned

    def result(self) -> T:
        """Give the value, or raise what the work raised."""
        if self.error is not None:
            raise self.error
        return self._values[0]

    def run(self, work: Callable[[], T]) -> None:
        """Do the work here and now, whatever it raises."""
        try:
            value = work()
        except BaseException as error:  # a SystemExit of foreign code must not end our thread
            self.fail(error)
        else:
            self.finish(value)


def call(name: str, work: Callable[[], T], job: Job[T]) -> None:
    """Run foreign code in a daemon thread of its own."""
    thread = threading.Thread(target=job.run, args=(work,), name=f"reloadcheck-{name}", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # no more threads to be had
        if _inline:
            job.run(work)
        else:
            job.fail(NoThreadError(str(error)))


_inline = False


def run_inline_without_threads() -> None:
    """Have `call` do the work itself where no thread can be started: at the interpreter's exit."""
    global _inline
    _inline = True


class Reader:
    """The one thread for file I/O, parsing and freezing; a hung disk hangs it and nothing else."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queue: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._overdue: Callable[[], bool] | None = None

    @property
    def stuck(self) -> bool:
        """Tell whether an abandoned job still holds the thread."""
        return self._overdue is not None and self._overdue()

    @property
    def thread(self) -> threading.Thread | None:
        """Give the thread, once there was something to read."""
        return self._thread

    def abandon(self, job: Job[T]) -> bool:
        """Stop waiting for the job, and be `stuck` until it ends; say whether it was pending."""
        if not job.abandon():
            return False
        self._overdue = lambda: job.running
        return True

    def submit(self, work: Callable[[], T], job: Job[T]) -> None:
        """Queue the work; the thread starts with the first."""
        with self._condition:
            self._queue.append(lambda: job.run(work))
            self._condition.notify()
            refused = self._start()
            if refused is not None:
                self._queue.pop()
        if refused is not None:
            job.fail(refused)

    def _start(self) -> RuntimeError | None:
        if self._thread is not None:
            return None
        thread = threading.Thread(target=self._work, name="reloadcheck-reader", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no more threads to be had
            return error
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
        while True:
            with self._condition:
                while not self._queue and not self._closed:
                    self._condition.wait()
                if not self._queue:
                    return
                work = self._queue.popleft()
            work()
            del work  # or the last job's result would live until the next one


class OverdueError(Exception):
    """A job did not return in time and was abandoned."""

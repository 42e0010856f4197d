"""Runs as a process of its own and keeps one directory and the processes that work in it.

Takes a request per line on its standard input and answers each with a line, both JSON. When its
input ends, and be it because whoever asked was killed, it ends its processes, the last one first,
and removes the directory. It must never import the package, and never have a second thread: what
runs between fork and exec here relies on that.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pwd

CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LINUX = sys.platform.startswith("linux")


@dataclass(frozen=True, slots=True)
class Request:
    """One line of input: `run` starts a process, `poll` asks for its exit status, `end` ends it."""

    do: Literal["run", "poll", "end"]
    pid: int = 0
    argv: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict[str, str])
    log: str = ""
    identity: str = "same"
    ending: tuple[tuple[str, float], ...] = ()
    orphaned: str = "SIGKILL"


@dataclass(slots=True)
class Kept:
    """A process, and the signals that end it, each with the seconds it is given."""

    process: "subprocess.Popen[bytes]"
    ending: tuple[tuple[str, float], ...]

    def status(self) -> int | None:
        """Return the exit status, or None while it runs; its whole group goes when it goes."""
        if self.process.returncode is None and self.process.poll() is not None:
            self._kill_group()
        return self.process.returncode

    def end(self) -> int:
        """Send the agreed signals in turn, SIGKILL last, until it has gone."""
        for name, seconds in self.ending:
            if self.status() is not None:
                break
            self.process.send_signal(signal.Signals[name])
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                self._kill_group()
        if self.status() is None:
            self._kill_group()
            self.process.wait()
        return self.process.returncode

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Refused(Exception):
    """A process could not be started as asked."""


def main(base: str, prefix: str) -> None:
    """Make a directory under `base`, say its name, serve requests until the input ends."""
    kept: dict[int, Kept] = {}
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _leave)
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    try:
        _adopt_orphans()
        _answer({"directory": str(directory)})
        for request in _requests():
            _answer(_serve(request, kept, directory))
    except BrokenPipeError:
        pass  # nobody is left to answer; what follows is for them too
    finally:
        _clear(kept, directory)


def _requests() -> Iterator[Request]:
    for line in sys.stdin:
        yield Request(**json.loads(line))


def _answer(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _serve(request: Request, kept: dict[int, Kept], directory: Path) -> dict[str, object]:
    if request.do == "run":
        try:
            process = _start(request, directory)
        except (Refused, OSError, subprocess.SubprocessError) as error:
            return {"error": str(error)}
        kept[process.pid] = Kept(process, request.ending)
        return {"pid": process.pid}
    one = kept[request.pid]
    return {"status": one.end() if request.do == "end" else one.status()}


def _start(request: Request, directory: Path) -> "subprocess.Popen[bytes]":
    prepare = _preparation(request.identity, signal.Signals[request.orphaned])
    with Path(request.log).open("ab") as log:
        return subprocess.Popen(
            request.argv,
            env=request.env,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=prepare,
        )


def _preparation(identity: str, orphaned: signal.Signals) -> Callable[[], None]:
    """Return what the new process does before exec: change who it is, then tie it to our life.

    In this order, because a change of identity clears the tie.
    """
    become = {"same": _stay, "namespace": _enter_namespace, "nobody": _become_nobody}[identity]
    keeper = os.getpid()
    if identity != "same":
        someone()  # an error is readable here, and not after the fork

    def prepare() -> None:
        become()
        if LINUX:
            _libc().prctl(PR_SET_PDEATHSIG, int(orphaned), 0, 0, 0)
        if os.getppid() != keeper:
            os._exit(1)

    return prepare


def _stay() -> None:
    return


def _enter_namespace() -> None:
    """Become an ordinary user in a user namespace of our own: the same files, no privilege."""
    uid, gid = os.geteuid(), os.getegid()
    inner = someone()
    if _libc().unshare(CLONE_NEWUSER | CLONE_NEWIPC) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inner.pw_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inner.pw_gid} {gid} 1")


def _become_nobody() -> None:
    inner = someone()
    os.setgroups([])
    os.setgid(inner.pw_gid)
    os.setuid(inner.pw_uid)


def someone() -> "pwd.struct_passwd":
    """Return a user other than root that the system knows by name; `initdb` insists on a name."""
    import pwd  # built into Python where it is at all, and no thread of ours is about

    with contextlib.suppress(KeyError):
        return pwd.getpwnam("nobody")
    for entry in pwd.getpwall():
        if entry.pw_uid != 0:
            return entry
    raise Refused("this system knows no user but root")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _adopt_orphans() -> None:
    """Become the parent of whatever our processes leave behind, to wait for it too."""
    if LINUX:
        _libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _clear(kept: dict[int, Kept], directory: Path) -> None:
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    for one in reversed(kept.values()):
        one.end()
    deadline = time.monotonic() + 5.0
    while _children_remain() and time.monotonic() < deadline:
        time.sleep(0.01)
    while directory.exists() and time.monotonic() < deadline + 5.0:
        shutil.rmtree(directory, ignore_errors=True)


def _children_remain() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

"""The webhook, on a real HTTP server: once a state and host, three tries, never waited for."""

import hmac
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from reloadcheck import ConfigError, OptionError, Outcome, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck._observe.events import ReloadEvent
from reloadcheck.integrations import webhook
from reloadcheck.integrations._webhook_claims import Claims
from reloadcheck.integrations._webhook_post import PostError, post
from reloadcheck.integrations.webhook import SIGNATURE, notify
from reloadcheck.types import Diff
from tests.support.lateness import Stopwatch
from tests.support.load import until
from tests.support.receiver import CANARY, Receiver
from tests.support.servers import ROOT


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A server; the host's claims are the test's own, and the pauses short."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(webhook, "PAUSES", (0.01, 0.02))
    receiver = Receiver()
    yield receiver
    receiver.close()


@contextmanager
def worker(file: Path, url: str, **options: Any) -> Generator[ReloadCheck[Any]]:
    """A worker that tells a webhook."""
    live: ReloadCheck[Any] = ReloadCheck(file, settle=0, app="shop", release="1.4")
    notify(live, url, **options)
    live.start()
    try:
        yield live
    finally:
        live.close()


def test_a_rejected_edit_is_told_with_its_place_and_no_value(
    receiver: Receiver, tmp_path: Path
) -> None:
    """One POST of JSON, signed; what it needs to be read in a chat and by a program."""
    file = tmp_path / "app.yaml"
    file.write_text(f"password: {CANARY}\na: 1\n")
    with worker(file, receiver.url, secret="key") as live:
        file.write_text(f"password: {CANARY}x\na: [\n")
        assert Outcome.REJECTED is live.check()
        until(lambda: len(receiver.told) == 1)
    ((told, headers, body),) = receiver.told
    assert "sha256=" + hmac.digest(b"key", body, "sha256").hex() == headers[SIGNATURE]
    assert headers["Content-Type"] == "application/json"
    assert ("rejected", "shop", "1.4", 1, "syntax", os.getpid()) == tuple(
        told[name] for name in ("state", "app", "release", "version", "code", "pid")
    )
    lead = f"shop on {socket.gethostname()}: edit rejected, version 1 serves on: "
    assert told["text"].startswith(f"{lead}{file}:2:5: ")
    assert told["remedy"]
    assert CANARY.encode() not in body


def test_a_start_on_a_bad_file_is_told_as_one(receiver: Receiver, tmp_path: Path) -> None:
    """Where nothing serves, nothing serves on."""
    file = tmp_path / "app.yaml"
    file.write_text("a: [\n")
    with pytest.raises(ConfigError), worker(file, receiver.url):
        pass
    until(lambda: len(receiver.told) == 1)
    ((told, _, _),) = receiver.told
    assert f": edit rejected, nothing serves yet: {file}:1:5: " in told["text"]


def test_only_the_states_that_are_asked_for_are_told(receiver: Receiver, tmp_path: Path) -> None:
    """An edit that goes live is no news unless it is asked for; without a secret, no signature."""
    file = tmp_path / "app.yaml"
    file.write_text("a: 1\n")
    with worker(file, receiver.url, on=("reloaded",)) as live:
        file.write_text("a: [\n")
        live.check()
        file.write_text("a: 2\n")
        live.check()
        until(lambda: len(receiver.told) == 2)
    assert [told["state"] for told, _, _ in receiver.told] == ["reloaded"] * 2
    assert [told["changed"] for told, _, _ in receiver.told] == [[], ["a"]]
    assert SIGNATURE not in receiver.told[0][1]


def test_four_workers_tell_a_state_once(receiver: Receiver, tmp_path: Path) -> None:
    """And another time when it comes back after another state, by who is first."""
    hooks = [ReloadCheck(tmp_path / "app.yaml", app="shop") for _ in range(4)]
    states = [
        ReloadEvent(Outcome.REJECTED, 1, "d", Diff(), at=1.0),
        ReloadEvent(Outcome.RELOADED, 2, "e", Diff(), at=2.0),
    ]
    heard: list[Callable[[ReloadEvent], None]] = []
    for live in hooks:
        made = webhook._Hook(  # pyright: ignore[reportPrivateUsage] - as four processes have it
            engine_of(live), receiver.url, None, frozenset(("rejected", "reloaded")), {}, 5.0
        )
        heard.append(made.hear)
    for count, event in enumerate(states, 1):
        for hear in heard:
            hear(event)
        until(partial(_has_heard, receiver, count))
    time.sleep(0.3)
    assert [told["state"] for told, _, _ in receiver.told] == ["rejected", "reloaded"]


def test_the_same_bad_edit_again_after_a_good_one_is_news(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nobody asked to hear of the good ones in between; a while later, that is."""
    file = tmp_path / "app.yaml"
    file.write_text("a: 1\n")
    with worker(file, receiver.url) as live:
        for count in (1, 2):
            file.write_text("a: [\n")
            live.check()
            until(partial(_has_heard, receiver, count))
            monkeypatch.setattr("reloadcheck.integrations._webhook_claims.SAME_SECONDS", 0.0)
            for value in (2, 1):
                file.write_text(f"a: {value}\n")
                live.check()
                until(partial(_serves, live, value))
    assert [told["state"] for told, _, _ in receiver.told] == ["rejected"] * 2


def _serves(live: ReloadCheck[Any], value: int) -> bool:
    served: int = live.snapshot.config.a
    return served == value


def test_who_is_first_tells_and_a_state_may_come_again(tmp_path: Path) -> None:
    """A slow worker's news is old; the same state after another one is new, after a while."""
    mine, other = Claims("shop", str(tmp_path)), Claims("shop", str(tmp_path))
    assert mine.first("bad", 100.0)
    assert not other.first("bad", 100.5)
    assert mine.first("good", 101.0)
    assert not other.first("bad", 102.0)
    assert not other.first("good", 500.0)
    assert other.first("bad", 501.0)
    assert Claims("another", str(tmp_path)).first("bad", 501.0)


def test_without_a_place_that_is_ours_alone_everybody_tells(tmp_path: Path) -> None:
    """A directory that others could write, a link, a file that is none of ours: never trusted."""
    directory = tmp_path / f"reloadcheck-{os.getuid()}"
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    assert [Claims("shop", str(tmp_path)).first("bad", 1.0) for _ in range(2)] == [True, True]
    directory.rmdir()
    directory.symlink_to(tmp_path)
    assert [Claims("shop", str(tmp_path)).first("bad", 1.0) for _ in range(2)] == [True, True]
    directory.unlink()
    assert [Claims("shop", str(tmp_path)).first("bad", 1.0) for _ in range(2)] == [True, False]
    (kept,) = directory.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text("nonsense")
    assert Claims("shop", str(tmp_path)).first("bad", 1.0)


def test_three_tries_then_a_line_in_the_log(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The same body each time, and no address or secret in what is logged."""
    file = tmp_path / "app.yaml"
    file.write_text("a: 1\n")
    receiver.answers = [500, 302, 503, 500, 204]
    with worker(file, receiver.url, secret=lambda: b"key") as live:
        file.write_text("a: [\n")
        live.check()
        until(lambda: "was not told, after 3 tries: answered 503" in caplog.text)
        file.write_text("a: {\n")
        live.check()
        until(lambda: len(receiver.told) == 5)
    ids = [told["id"] for told, _, _ in receiver.told]
    assert [ids[0]] * 3 + [ids[3]] * 2 == ids
    assert ids[0] != ids[3]  # two edits that fail alike are two
    assert CANARY not in caplog.text


def _has_heard(receiver: Receiver, count: int) -> bool:
    return len(receiver.told) == count


HANGING = """\
import sys, time
from reloadcheck import ReloadCheck
from reloadcheck.integrations._webhook_post import PostError, post
from reloadcheck.integrations.webhook import notify
from tests.support.lateness import Stopwatch

file, url = sys.argv[1:]
live = ReloadCheck(file, settle=0, app="shop")
notify(live, url, timeout=600.0)
live.start()
open(file, "w").write("a: [")
watch = Stopwatch()
assert live.check() == "rejected"
time.sleep(0.3)
open(file, "w").write("a: 2")
assert live.check() in ("reloaded", "unchanged")
assert live.snapshot.config.a == 2
live.close()
print(watch.seconds)
"""


def test_a_server_that_hangs_delays_nothing_and_nobodys_end(tmp_path: Path) -> None:
    """Edits, the close and the end of the process come as if there were no webhook."""
    file = tmp_path / "app.yaml"
    file.write_text("a: 1\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        done = subprocess.run(
            [sys.executable, "-c", HANGING, str(file), url],
            cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert float(done.stdout) < 5.0
        silent.settimeout(30.0)
        connection, _ = silent.accept()
        assert connection.recv(4).startswith(b"POST")
        connection.close()


def test_an_answer_that_drips_is_cut_off() -> None:
    """The time-out bounds all of a try, not each byte of it."""
    over = threading.Event()

    def drip(silent: socket.socket) -> None:
        connection, _ = silent.accept()
        with connection:
            while not over.wait(0.05):
                try:
                    connection.sendall(b"H")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as silent:
        thread = threading.Thread(target=drip, args=(silent,))
        thread.start()
        watch = Stopwatch()
        url = urlsplit(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(PostError):
            post(url, {}, b"{}", 0.5)
        assert watch.seconds < 5.0
        over.set()
        thread.join()


def test_what_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    """An address that is none, a state that there is not."""
    live: ReloadCheck[Any] = ReloadCheck(tmp_path / "app.yaml")
    for url in ("ftp://x/", "example.test/hook", "http://", "http://x:y/"):
        with pytest.raises(OptionError, match="https://host/path"):
            notify(live, url)
    with pytest.raises(OptionError, match="there is no state gone"):
        notify(live, "http://x/", on=("gone",))

"""The order service in one process, for ``Type=notify-reload``: ``python reload_now.py [PORT]``.

``systemctl reload`` sends SIGHUP and returns when what the file holds has been looked at; what it
came to is then the unit's status. Without it, an edit is live a moment later all the same.
"""

import os
import signal
import socket
import sys
import threading
import time
from types import FrameType

from app import app, live  # type: ignore[import-not-found]
from werkzeug.serving import make_server


def tell_systemd(*lines: str) -> None:
    """Send lines to the manager, as sd_notify(3) does; nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        manager.connect("\0" + address[1:] if address.startswith("@") else address)
        manager.sendall("\n".join(lines).encode())


def answer_reload(number: int, frame: FrameType | None) -> None:
    """Say that it has begun, and let a thread say how it ended: a handler waits for nothing."""
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    tell_systemd("RELOADING=1", f"MONOTONIC_USEC={now}")
    threading.Thread(target=end_reload).start()


def end_reload() -> None:
    """Wait for the check, and tell what serves."""
    live.check()
    status = live.status()
    trouble = f"; refused: {status.error}" if status.error else ""
    tell_systemd("READY=1", f"STATUS=version {status.version} serves{trouble}")


def main() -> None:
    """Serve until SIGTERM."""
    live.start()
    signal.signal(signal.SIGHUP, answer_reload)
    live.check_on(signal.SIGHUP)  # has the check made at once, then calls the handler above
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    server = make_server("127.0.0.1", port, app, threaded=True)

    def end(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, end)
    print(f"http://127.0.0.1:{server.server_port}", file=sys.stderr, flush=True)
    tell_systemd("READY=1", f"STATUS=version {live.snapshot.version} serves")
    server.serve_forever()
    tell_systemd("STOPPING=1")
    live.close()


if __name__ == "__main__":
    main()

"""Private etcds as child processes, on free ports, gone with their directories afterwards.

One, one with TLS and users, or a cluster of three whose members can be cut off from each other.
"""

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reloadcheck.demo.workspace import free_port

from .halting import halt
from .relay import Link, Relay, relay

__all__ = [
    "CERTIFICATES",
    "Cluster",
    "EtcdServer",
    "etcd_cluster",
    "etcd_server",
    "etcd_with_users",
    "restored",
    "tool",
]

CERTIFICATES = Path(__file__).parent / "certificates"
"""An authority, and a server's and a client's certificate of it; the authority's key is gone."""

ROOT_PASSWORD = "root-secret"


@dataclass
class EtcdServer:
    """One server; `url` is where clients find it."""

    url: str
    port: int
    directory: str
    command: list[str]
    tls: bool = False
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.launch()
        self.ready()

    def launch(self) -> None:
        """Start it."""
        with Path(self.directory, "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, start_new_session=True
            )

    def ready(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < until, Path(self.directory, "log").read_text()
            time.sleep(0.1)

    def ask(self, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
        """Send one request as nobody else would, and return the JSON of the answer."""
        connection = self._connection()
        try:
            headers = {"Authorization": token} if token else {}
            connection.request("POST", path, json.dumps(body or {}), headers)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def halt(self) -> None:
        """Stop it, until `go_on`: it answers nothing more once this returns."""
        assert self.process is not None
        halt([self.process.pid])

    def go_on(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        connection = self._connection()
        try:
            connection.request("GET", "/health")
            return b"true" in connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        context = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.crt"))
        context.load_cert_chain(CERTIFICATES / "client.crt", CERTIFICATES / "client.key")
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=context)


@dataclass
class Cluster:
    """Three servers, and the relays through which they reach each other."""

    servers: list[EtcdServer]
    relays: list[Relay]
    _cut: set[int] = field(default_factory=set[int])
    _owners: dict[Link, int] = field(default_factory=dict[Link, int])

    @property
    def urls(self) -> list[str]:
        """Return where clients find them."""
        return [one.url for one in self.servers]

    def leader(self) -> int:
        """Return which of them leads."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for number, one in enumerate(self.servers):
                if one.process is not None and number not in self._cut:
                    told = one.ask("/v3/maintenance/status")
                    if told.get("leader") == told["header"]["member_id"]:
                        return number
            time.sleep(0.1)
        raise AssertionError("no leader")

    def cut(self, number: int) -> None:
        """Cut one off from the others, both ways; clients still reach it."""
        self._cut = {number}
        for there, through in enumerate(self.relays):
            through.silent = self._silencing(there)

    def heal(self) -> None:
        """Mend it."""
        self._cut = set()

    def _silencing(self, there: int) -> Callable[[Link], bool]:
        def silent(link: Link) -> bool:
            if not self._cut:
                return False
            return there in self._cut or self._owner(link) in self._cut

        return silent

    def _owner(self, link: Link) -> int | None:
        """Return whose connection it is: that never changes, and to ask the kernel is dear."""
        for number, one in enumerate(self.servers):
            if link not in self._owners and _owns(one, link):
                self._owners[link] = number
        return self._owners.get(link)


def restored(server: EtcdServer, backup: str) -> None:
    """Start a server anew with what a backup of it holds."""
    server.stop()
    given = dict(zip(server.command[1::2], server.command[2::2], strict=False))
    data = tempfile.mkdtemp(dir=server.directory)
    command = [tool("etcdctl"), "snapshot", "restore", backup, "--data-dir", f"{data}/data"]
    for option in ("--name", "--initial-cluster", "--initial-advertise-peer-urls"):
        command += [option, given[option]]
    subprocess.run(command, check=True, capture_output=True)
    server.command[server.command.index("--data-dir") + 1] = f"{data}/data"
    server.start()


def tool(name: str) -> str:
    """Return the path of a program of etcd's."""
    return str(Path(sys.executable).parent / name)


@contextmanager
def etcd_server(*extra: str, tls: bool = False, data: str | None = None) -> Generator[EtcdServer]:
    """Run a server until the block ends; with TLS, clients need a certificate."""
    with tempfile.TemporaryDirectory() as directory:
        server = _server("one", directory, free_port(), extra, tls=tls, data=data)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def etcd_with_users(*extra: str) -> Generator[EtcdServer]:
    """Run a server with TLS and with users: `root`, and `shop` who may use `shop/`."""
    with etcd_server("--bcrypt-cost", "4", *extra, tls=True) as server:
        for name, password in (("root", ROOT_PASSWORD), ("shop", "shop-secret"), ("out", "out")):
            server.ask("/v3/auth/user/add", {"name": name, "password": password})
        server.ask("/v3/auth/role/add", {"name": "root"})
        server.ask("/v3/auth/role/add", {"name": "shop"})
        rights = {"permType": "READWRITE", "key": "c2hvcC8=", "range_end": "c2hvcDA="}
        server.ask("/v3/auth/role/grant", {"name": "shop", "perm": rights})
        for name in ("root", "shop"):
            server.ask("/v3/auth/user/grant", {"user": name, "role": name})
        assert "error" not in server.ask("/v3/auth/enable")
        yield server


@contextmanager
def etcd_cluster() -> Generator[Cluster]:
    """Run a cluster of three until the block ends."""
    with ExitStack() as stack:
        peers = [free_port() for _ in range(3)]
        relays = [stack.enter_context(relay(port)) for port in peers]
        names = [f"member{number}" for number in range(3)]
        links = [f"http://127.0.0.1:{one.port}" for one in relays]
        whole = ",".join(f"{name}={link}" for name, link in zip(names, links, strict=True))
        servers: list[EtcdServer] = []
        for name, peer, link in zip(names, peers, links, strict=True):
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            given = ("--initial-cluster", whole, "--initial-advertise-peer-urls", link)
            server = _server(name, directory, free_port(), given, peer=peer)
            server.launch()
            stack.callback(server.stop)
            servers.append(server)
        for server in servers:
            server.ready()
        yield Cluster(servers, relays)


def _server(
    name: str,
    directory: str,
    port: int,
    extra: Sequence[str],
    *,
    peer: int | None = None,
    tls: bool = False,
    data: str | None = None,
) -> EtcdServer:
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    peers = f"http://127.0.0.1:{peer or free_port()}"
    command = [
        *(tool("etcd"), "--data-dir", data or f"{directory}/data", "--name", name),
        *("--listen-client-urls", url, "--advertise-client-urls", url),
        *("--listen-peer-urls", peers, "--log-level", "error"),
    ]
    if peer is None:
        command += ["--initial-advertise-peer-urls", peers, "--initial-cluster", f"{name}={peers}"]
    if tls:
        command += ["--cert-file", str(CERTIFICATES / "server.crt"), "--client-cert-auth"]
        command += ["--key-file", str(CERTIFICATES / "server.key")]
        command += ["--trusted-ca-file", str(CERTIFICATES / "ca.crt")]
    # What a kill leaves is there all the same, and nobody waits for a disk that is slow today.
    command += [*extra, "--unsafe-no-fsync"]
    return EtcdServer(url, port, directory, command, tls)


def _owns(server: EtcdServer, link: Link) -> bool:
    """Ask the kernel whether a connection is the server's; a port may be at the end of several."""
    process = server.process
    if process is None:
        return False
    wanted = [f"0100007F:{port:04X}" for port in (link.port, link.to)]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == wanted:
            return f"socket:[{fields[9]}]" in _held_by(process.pid)
    return False


def _held_by(pid: int) -> Iterator[str]:
    """Return what a process has open, as far as it has not ended or closed it meanwhile."""
    with suppress(OSError):
        for one in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield os.readlink(one)

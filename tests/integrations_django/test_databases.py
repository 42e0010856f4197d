"""Django's connections, unit of work by unit of work, in one thread and on real databases.

Long because Django gives a connection away in many places, and each is tried.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import ConnectionHandler, OperationalError
from pydantic import BaseModel, SecretStr

from reloadcheck import ConfigError, ReloadCheck
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.integrations.django.connections import install
from reloadcheck.integrations.django.databases import follow, resource_name
from reloadcheck.integrations.django.generations import GRACE
from reloadcheck.integrations.django.parameters import laid_over
from reloadcheck.integrations.django.settings import Part
from tests.support.engines import drained
from tests.support.load import until

from .role import Role, role_in
from .site import held, loaded, rejected, set_up

NAME = resource_name("default")
SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"


class Site:
    """One engine and one of Django's connection handlers that follows it."""

    def __init__(
        self,
        file: Path,
        engine: str,
        *,
        early: Callable[[Any], None] | None = None,
        **declared: Any,
    ) -> None:
        set_up()
        self.file = file
        self.live = ReloadCheck(file, window=0, settle=0, drain=5)
        self.connections = ConnectionHandler({"default": {"ENGINE": engine, **declared}})
        if early is not None:
            self.before = self.connections["default"]
            early(self.before)
        following = follow(self.live, {"default": Part("database")}, self.connections)
        install(following, following.get, self.connections)

    @staticmethod
    def nothing(_: Any) -> None:
        """Do with a connection what the import of a model does: nothing."""

    @staticmethod
    def connect(connection: Any) -> None:
        """Do with a connection what a query does that an application makes too early."""
        connection.ensure_connection()

    @property
    def connection(self) -> Any:
        """Return this thread's connection object."""
        return self.connections["default"]

    def ask(self, question: str) -> Any:
        """Ask the database."""
        with self.connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]

    def finish(self) -> None:
        """Do what Django does at the end of a request."""
        for connection in self.connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()

    def close(self) -> None:
        """Leave nothing open."""
        self.connections.close_all()
        if self.live.status().state != "idle":
            self.live.close()


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Site]:
    """A site on SQLite files, whose name is all that its configuration says; kept connections."""
    site = Site(tmp_path / "config.yaml", SQLITE, CONN_MAX_AGE=None)
    name_file(site, 1)
    yield site
    site.close()


def name_file(site: Site, number: int, **more: object) -> None:
    """Have the configuration name another database file."""
    rest = "".join(f"  {key}: {value}\n" for key, value in more.items())
    name = site.file.with_name(f"{number}.db")
    site.file.write_text(f"other: {number}\ndatabase:\n  name: {name}\n{rest}")


def file_of(site: Site) -> int:
    """Return the number of the file that the connection is on."""
    with site.connection.cursor() as cursor:
        cursor.execute("PRAGMA database_list")
        return int(Path(cursor.fetchone()[2]).stem)


def test_a_connection_is_of_its_units_version(files: Site) -> None:
    """One unit of work keeps its connection over an edit; the next one gets another."""
    with files.live.lease():
        assert file_of(files) == 1
        name_file(files, 2)
        loaded(files.live, 2)
        assert file_of(files) == 1
    assert files.connection.connection is not None
    with files.live.lease():
        assert file_of(files) == 2


def test_a_connection_that_was_made_before_follows(tmp_path: Path) -> None:
    """A model's metaclass asks for one when the model is imported, long before there is anything to
    follow; whoever holds that object sees it follow."""
    name = str(tmp_path / "77.db")
    site = Site(tmp_path / "config.yaml", SQLITE, early=Site.nothing, NAME=name, CONN_MAX_AGE=None)
    name_file(site, 1)
    with site.live.lease():
        assert file_of(site) == 1
        name_file(site, 2)
    with site.live.lease():
        assert (2, site.before) == (file_of(site), site.connection)
    assert name == site.connections.settings["default"]["NAME"]
    site.close()


@pytest.mark.parametrize("through", ["a unit of work", "the end of a request"])
def test_a_connection_that_was_used_before_follows(tmp_path: Path, through: str) -> None:
    """What it has open goes at the next unit of work, or at the next end of a request."""
    name = str(tmp_path / "77.db")
    site = Site(tmp_path / "config.yaml", SQLITE, early=Site.connect, NAME=name, CONN_MAX_AGE=None)
    name_file(site, 1)
    assert file_of(site) == 77
    if through == "a unit of work":
        with site.live.lease():
            assert file_of(site) == 1
    else:
        site.live.start()
        site.finish()
        assert file_of(site) == 1
    site.close()


def test_what_a_newer_version_replaced_is_closed_at_the_end(files: Site) -> None:
    """A kept connection is closed with the request that used it, once there is a newer version."""
    with files.live.lease():
        assert file_of(files) == 1
        files.finish()
        assert files.connection.connection is not None
        name_file(files, 2)
        files.live.check()
        files.finish()
        assert files.connection.connection is None


def test_an_edit_of_something_else_keeps_connections(files: Site) -> None:
    """What does not concern the database closes no connection."""
    with files.live.lease():
        file_of(files)
        before = files.connection.connection
    files.file.write_text(files.file.read_text().replace("other: 1", "other: 2"))
    with files.live.lease() as snapshot:
        assert (snapshot.version, file_of(files)) == (2, 1)
        files.finish()
        assert before is files.connection.connection


def test_a_transaction_keeps_its_connection(files: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection is never taken from under an atomic block, whatever unit of work comes."""

    def get_connection(using: str | None) -> Any:
        return files.connection

    monkeypatch.setattr(transaction, "get_connection", get_connection)
    with files.live.lease():
        file_of(files)
    with transaction.atomic():
        name_file(files, 2)
        with files.live.lease() as snapshot:
            assert (snapshot.version, file_of(files)) == (2, 1)
    with files.live.lease():
        assert file_of(files) == 2


def test_a_transaction_without_autocommit_keeps_its_connection(files: Site) -> None:
    """So it is where the program commits by itself."""
    with files.live.lease():
        file_of(files)
        files.connection.set_autocommit(False)
    name_file(files, 2)
    with files.live.lease() as snapshot:
        assert (snapshot.version, file_of(files)) == (2, 1)
        files.connection.set_autocommit(True)
        assert file_of(files) == 2


def test_outside_a_unit_of_work_it_is_the_newest(files: Site) -> None:
    """A command needs no lease to be connected, keeps what it has, and holds no snapshot."""
    assert file_of(files) == 1
    name_file(files, 2)
    loaded(files.live, 2)
    assert file_of(files) == 1
    files.finish()
    assert file_of(files) == 2
    assert held(files.live) == 0


def test_what_somebody_else_sets_is_left_alone(files: Site, tmp_path: Path) -> None:
    """The test runner's name for a database stands, whatever the configuration says."""
    other = str(tmp_path / "77.db")
    files.connection.settings_dict["NAME"] = other
    assert file_of(files) == 77
    name_file(files, 2)
    files.connection.close()
    assert file_of(files) == 77


def test_closing_asks_for_no_configuration(files: Site) -> None:
    """Every command of Django's ends with it: it starts no engine, also where the file is bad."""
    files.file.write_text("database: [")
    assert files.connection.connection is None
    files.connections.close_all()
    assert files.live.status().state == "idle"


def test_what_is_not_named_stays_as_it_is(tmp_path: Path) -> None:
    """Another alias has Django's own connection, whether it was made before or after."""
    other = {"ENGINE": SQLITE, "NAME": str(tmp_path / "88.db")}
    handler = ConnectionHandler({"default": {"ENGINE": SQLITE}, "early": other, "late": other})
    early = handler["early"]
    kind = type(early)
    install(["default"], lambda _: None, handler)
    assert (early, kind) == (handler["early"], type(handler["early"]))
    assert kind is type(handler["late"])
    assert kind is not type(handler["default"])


def test_a_copy_does_not_follow(files: Site) -> None:
    """What Django derives from a connection, for threads of tests, stays as it was made."""
    assert file_of(files) == 1
    copy = files.connection.copy()
    assert str(files.file.with_name("1.db")) == copy.settings_dict["NAME"]
    name_file(files, 2)
    files.live.check()
    assert str(files.file.with_name("1.db")) == copy.settings_dict["NAME"]


def test_a_key_that_django_does_not_know_is_rejected(files: Site) -> None:
    """A misspelt key is an error that names it, at its place in the file."""
    with files.live.lease():
        pass
    name_file(files, 2, passwrod="secret-word")
    error = rejected(files.live)
    assert "passwrod" in error
    assert "secret-word" not in error
    assert file_of(files) == 1


class Database(BaseModel, frozen=True):
    """A part as a model, with what is secret sealed."""

    user: str
    password: SecretStr
    conn_max_age: int | None = None
    host: str | None = None
    options: dict[str, int] = {}


def test_parameters_come_from_models_too() -> None:
    """Fields are keys, sealed secrets are opened, options are merged, null leaves what was."""
    part = Database(user="me", password=SecretStr("word"), options={"a": 2})
    base = {"USER": "you", "HOST": "here", "CONN_MAX_AGE": 5, "OPTIONS": {"a": 1, "b": 1}}
    known = frozenset({"USER", "PASSWORD", "CONN_MAX_AGE", "HOST", "OPTIONS"})
    assert laid_over(base, part, known) == {
        "USER": "me",
        "PASSWORD": "word",
        "HOST": "here",
        "CONN_MAX_AGE": None,
        "OPTIONS": {"a": 2, "b": 1},
    }
    with pytest.raises(ConfigError, match="mapping or a model"):
        laid_over(base, "postgresql://", known)


# ---------------------------------------------------------------------- PostgreSQL


@pytest.fixture
def role(postgres: PostgresServer, tmp_path: Path) -> Iterator[Role]:
    """A role whose configuration asks for a pool."""
    pool = {"pool": {"min_size": 1, "max_size": 1, "timeout": 5}}
    with role_in(postgres, tmp_path / "config.yaml", options=pool) as role:
        yield role


@pytest.fixture
def pooled(role: Role) -> Iterator[Site]:
    """A site on that role."""
    site = Site(role.file, POSTGRESQL)
    yield site
    site.close()


def test_each_version_has_its_pool_until_its_last_user(role: Role, pooled: Site) -> None:
    """A request goes on with the pool it began with, which closes once nobody uses it."""
    with pooled.live.lease() as snapshot:
        old = pooled.ask("SELECT pg_backend_pid()")
        (pool,) = snapshot.resources[NAME].pools.values()
        role.rotate()
        loaded(pooled.live, 2)
        assert old == pooled.ask("SELECT pg_backend_pid()")
        assert not pool.closed
        pooled.finish()
    drained(pooled.live)
    assert pool.closed
    with pooled.live.lease():
        assert old != pooled.ask("SELECT pg_backend_pid()")
        until(lambda: old not in role.backends())  # the server's process ends a moment later
        pooled.finish()


def test_all_threads_share_one_pool_of_a_version(role: Role, pooled: Site) -> None:
    """An edit of something else keeps the pool and its connections."""
    with pooled.live.lease() as snapshot:
        first = pooled.ask("SELECT pg_backend_pid()")
        pools = snapshot.resources[NAME].pools
        pooled.connection.close()
    role.file.write_text(role.file.read_text().replace("end:", "ending:"))
    with pooled.live.lease() as snapshot:
        assert snapshot.version == 2
        assert pools is snapshot.resources[NAME].pools
        assert first == pooled.ask("SELECT pg_backend_pid()")
        pooled.connection.close()


def test_what_somebody_else_sets_gets_no_pool_of_ours(pooled: Site) -> None:
    """A test database is not served from the pool of the one that the configuration names."""
    assert pooled.ask("SELECT current_database()") == "postgres"
    pooled.connection.close()
    pooled.connection.settings_dict["NAME"] = "template1"
    assert pooled.ask("SELECT current_database()") == "template1"
    pooled.connection.close()
    pooled.connection.close_pool()


def test_a_wrong_password_is_rejected(role: Role, pooled: Site) -> None:
    """An edit that the database refuses changes nothing, and says why without quoting it."""
    with pooled.live.lease():
        pooled.ask("SELECT 1")
        pooled.connection.close()
    before = role.file.read_text()
    role.file.write_text(before.replace(role.password, "wrong-word"))
    error = rejected(pooled.live)
    assert "database" in error
    assert "wrong-word" not in error
    with pooled.live.lease():
        assert pooled.ask("SELECT 1") == 1
        pooled.connection.close()
    role.file.write_text(before)
    pooled.live.check()
    assert pooled.live.status().error is None


@pytest.fixture
def unpooled(postgres: PostgresServer, tmp_path: Path) -> Iterator[tuple[Role, Site]]:
    """A role and a site on it that connects anew for each request."""
    with role_in(postgres, tmp_path / "config.yaml") as role:
        site = Site(role.file, POSTGRESQL)
        yield role, site
        site.close()


def test_credentials_changed_in_the_server_first_are_followed(unpooled: tuple[Role, Site]) -> None:
    """A request whose password is refused goes on by the next one, and keeps that connection."""
    role, site = unpooled
    with site.live.lease() as snapshot:
        assert site.ask("SELECT 1") == 1
        site.connection.close()
        role.rotate()
        first = site.ask("SELECT pg_backend_pid()")
        assert (snapshot.version, site.live.snapshot.version) == (1, 2)
        assert first == site.ask("SELECT pg_backend_pid()")
        site.connection.close()
        assert site.ask("SELECT 1") == 1
        site.connection.close()
    with site.live.lease() as snapshot:
        assert (snapshot.version, site.ask("SELECT 1")) == (2, 1)


class Pauses:
    """Time that passes only where somebody sleeps; `edit` is called in the third sleep."""

    def __init__(self, edit: Callable[[], object]) -> None:
        self.now = 0.0
        self.slept = list[float]()
        self.edit = edit

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.slept.append(seconds)
        if len(self.slept) == 3:
            self.edit()

    def taken(self) -> float:
        """Return the seconds that were slept since the last question."""
        seconds = sum(self.slept)
        self.slept.clear()
        return seconds


def test_a_refused_request_waits_for_the_edit_for_a_moment(unpooled: tuple[Role, Site]) -> None:
    """The edit may come a little after the change in the server."""
    role, site = unpooled
    pauses = Pauses(role.write)
    made = site.connection
    made.following = replace(made.find("default"), clock=pauses.clock, sleep=pauses.sleep)
    with site.live.lease():
        assert site.ask("SELECT 1") == 1
        made.close()
        role.change()
        assert site.ask("SELECT 1") == 1
        assert pytest.approx(pauses.taken()) == 3 * GRACE / 20


def test_where_no_edit_comes_only_the_first_ones_wait(unpooled: tuple[Role, Site]) -> None:
    """A server that refuses for long delays nobody; once it has connected again, they may wait."""
    role, site = unpooled
    pauses = Pauses(int)
    made = site.connection
    made.following = replace(made.find("default"), clock=pauses.clock, sleep=pauses.sleep)
    with site.live.lease():
        for _ in range(2):
            good = role.password
            assert site.ask("SELECT 1") == 1
            made.close()
            role.change()
            for waited in (GRACE, 0.0):
                with pytest.raises(OperationalError):
                    site.ask("SELECT 1")
                assert waited == pytest.approx(pauses.taken())
            role.change(good)


def test_only_credentials_are_taken_from_another_version(unpooled: tuple[Role, Site]) -> None:
    """Where more than user and password is different, a request is not sent to another place."""
    role, site = unpooled
    with site.live.lease():
        assert site.ask("SELECT 1") == 1
        site.connection.close()
        role.extra["options"] = {"connect_timeout": 9}
        role.rotate()
        with pytest.raises(OperationalError):
            site.ask("SELECT 1")
        assert site.live.snapshot.version == 2
    with site.live.lease():
        assert site.ask("SELECT 1") == 1

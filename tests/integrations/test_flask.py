"""Flask: an extension for app factories, proxies that keep to the request, streams and contexts.

Long because requests, contexts, streams and proxies are each a unit of work of their own kind.
"""

import gc
import threading
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
from flask import Flask, Response, request, stream_with_context
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from reloadcheck import ConfigSyntaxError, OptionError, OutsideWorkError, UnknownResourceError
from reloadcheck._engine.api import engine_of
from reloadcheck.integrations.flask import FlaskReloadCheck, config_of, current_config, resource_of
from tests.support.engines import drained
from tests.support.rig import Call, Text, begin, until

from .conftest import Make
from .pools import edit, pool_of


def create_app(extension: "FlaskReloadCheck[Any]", **config: Any) -> Flask:
    """Make an app as a factory does."""
    app = Flask("factory")
    app.testing = True
    app.config.from_mapping(config)
    extension.init_app(app)

    @app.get("/")
    def home() -> str:
        return f"{current_config.a}"

    return app


def get(app: Flask, path: str = "/") -> str:
    """Return the text of a page."""
    with app.test_client() as client, client.get(path) as response:
        assert response.status_code == 200
        return response.get_data(as_text=True)


def test_requests_follow_the_file(make: Make, text: Text) -> None:
    """Each request has the configuration of its version, by the untyped proxy and the typed one."""
    live = make()
    begin(live)
    app = create_app(FlaskReloadCheck(live))
    config, pool = config_of(live), resource_of(pool_of(make(), []))

    @app.get("/typed")
    def typed() -> str:
        return f"{config.a} {config['a']} {isinstance(config, dict)}"

    assert [get(app), get(app, "/typed")] == ["1", "1 1 True"]
    edit(live, text, "a: 2")
    assert [get(app), get(app, "/typed")] == ["2", "2 2 True"]
    with live.lease(), pytest.raises(UnknownResourceError):
        _ = pool.number


def test_a_factory_makes_several_apps(make: Make, text: Text) -> None:
    """One extension serves all apps of a factory; another app may have an engine of its own."""
    extension = FlaskReloadCheck(make())
    one, two = create_app(extension), create_app(extension)
    other = create_app(FlaskReloadCheck(make(Text("a: 5"))))
    assert [get(one), get(two), get(other)] == ["1", "1", "5"]
    edit(extension.live, text, "a: 2")
    assert [get(one), get(two), get(other)] == ["2", "2", "5"]
    both = Client(DispatcherMiddleware(one, {"/other": other}))
    with both.get("/") as first, both.get("/other/") as second:
        assert (first.data, second.data) == (b"2", b"5")


def test_init_app_again_changes_nothing(make: Make) -> None:
    """A second `init_app` of the same engine wraps the app no second time."""
    live = make()
    app = create_app(FlaskReloadCheck(live))
    before = app.wsgi_app
    FlaskReloadCheck(live, app)
    assert app.wsgi_app is before
    assert get(app) == "1"


def test_an_app_may_follow_two_engines(make: Make) -> None:
    """Each typed proxy asks its own engine; the untyped one the innermost, in a request or not."""
    first, second = make(Text("a: 1")), make(Text("a: 2"))
    pools = [resource_of(pool_of(live, [])) for live in (first, second)]
    configs = [config_of(live) for live in (first, second)]
    app = create_app(FlaskReloadCheck(first))
    FlaskReloadCheck(second, app)

    @app.get("/both")
    def both() -> list[int]:
        return [*(one.a for one in configs), *(one.number for one in pools), current_config.a]

    with app.test_client() as client, client.get("/both") as response:
        assert response.json == [1, 2, 1, 2, 1]
    with app.app_context():
        assert both() == [1, 2, 1, 2, 1]


@pytest.mark.parametrize("context", [False, True], ids=["plain", "stream_with_context"])
def test_a_stream_keeps_its_snapshot(make: Make, text: Text, context: bool) -> None:
    """A body that is still being produced has config and pool of its request, to its last byte."""
    live = make()
    journal: list[str] = []
    pool = resource_of(pool_of(live, journal))
    begin(live)
    app = create_app(FlaskReloadCheck(live))

    @app.get("/stream")
    def stream() -> Response:
        def lines() -> Iterator[str]:
            for _ in range(3):
                path = request.path if context else "/stream"
                yield f"{path} {current_config.a} {pool.number} {pool.closed}"

        return Response(stream_with_context(lines()) if context else lines())

    with app.test_client() as client, client.get("/stream", buffered=False) as response:
        body = response.iter_encoded()
        assert next(body) == b"/stream 1 1 False"
        edit(live, text, "a: 2")
        assert get(app) == "2"
        assert list(body) == [b"/stream 1 1 False"] * 2
        assert journal == ["built 1", "built 2"]
    until(lambda: "closed 1" in journal)


def test_an_app_context_is_one_unit_of_work(make: Make, text: Text) -> None:
    """Outside of requests the context keeps one snapshot from the first look to its end."""
    live = make()
    journal: list[str] = []
    pool = resource_of(pool_of(live, journal))
    begin(live)
    app = create_app(FlaskReloadCheck(live))
    with app.app_context():
        assert (current_config.a, pool.number) == (1, 1)
        edit(live, text, "a: 2")
        assert (current_config.a, pool.number, pool.closed) == (1, 1, False)
        assert live.status().leases == {1: 1, 2: 0}
    until(lambda: "closed 1" in journal)
    with app.test_request_context(), app.app_context():
        assert (pool.number, current_config.a) == (2, 2)
    assert live.status().leases == {2: 0}


def test_responses_thrown_away_hold_nothing(make: Make, text: Text) -> None:
    """Tests do not close what a client gives: it holds its snapshot while it is there, no longer.

    Contexts afterwards see the newest version, and the engine closes at once.
    """
    live = make()
    pool = resource_of(pool_of(live, []))
    begin(live)
    app = create_app(FlaskReloadCheck(live))
    client = app.test_client()

    def ask(number: int) -> None:
        response = client.get("/")
        assert str(number).encode() == response.data
        assert {number: 1} == live.status().leases
        del response
        gc.collect()
        assert {number: 0} == live.status().leases
        edit(live, text, f"a: {number + 1}")
        with app.app_context():
            assert (number + 1, number + 1) == (current_config.a, pool.number)
        drained(live)

    context = copy_context()  # what is thrown away leaves its mark in it
    for number in (1, 2):
        context.run(ask, number)
    Call(live.close).result()


def test_a_context_without_use_holds_nothing(make: Make) -> None:
    """A context in which nothing is read takes no lease; the engine is not even started."""
    live = make()
    app = create_app(FlaskReloadCheck(live))
    with app.app_context():
        pass
    assert live.status().state == "idle"


def test_a_bad_configuration_in_a_context_is_told(make: Make) -> None:
    """Each look raises the cause, and the context ends as ever."""
    app = create_app(FlaskReloadCheck(make(Text("a: ["))))
    with app.app_context():
        for _ in range(2):
            with pytest.raises(ConfigSyntaxError, match=r"app\.yaml:"):
                _ = current_config.a


def test_a_foreign_engine_in_a_context_costs_nothing(make: Make) -> None:
    """Looking for an engine that the app does not follow fails each time, and leaves no lease."""
    live = make()
    foreign = config_of(make())
    app = create_app(FlaskReloadCheck(live))
    with app.app_context():
        for _ in range(3):
            with pytest.raises(OutsideWorkError):
                _ = foreign.a
        assert current_config.a == 1
        assert live.status().leases == {1: 1}
    assert live.status().leases == {1: 0}


def test_outside_of_everything(make: Make) -> None:
    """Where there is nothing, a proxy is unbound, and says which line is missing."""
    live = make()
    proxies: list[Any] = [current_config, config_of(live), resource_of(pool_of(live, []))]
    for proxy in proxies:
        assert not proxy
        assert repr(proxy) == "<LocalProxy unbound>"
        with pytest.raises(OutsideWorkError, match=r"add `FlaskReloadCheck\(live\)\.init_app\("):
            _ = proxy.a
    with Flask("bare").app_context():
        for proxy in proxies:
            with pytest.raises(OutsideWorkError, match=r"init_app\(app\)`"):
                _ = proxy.a


def test_a_proxy_does_not_change_the_configuration(make: Make) -> None:
    """The proxy is as frozen as what it stands for."""
    config = config_of(live := make())
    with live.lease():
        with pytest.raises(TypeError):
            config["a"] = 2
        with pytest.raises((AttributeError, TypeError)):
            config.a = 2  # pyright: ignore[reportAttributeAccessIssue]
        assert config.a == 1


def test_options_come_from_the_apps_config(make: Make) -> None:
    """`RELOAD_CHECK_*` in `app.config` override the code's; the environment overrides both."""
    live = make(window=1.0, settle=0.5, drain=9.0, environ={"RELOAD_CHECK_SETTLE": "0.1"})
    create_app(
        FlaskReloadCheck(live),
        RELOAD_CHECK_WINDOW=3,
        RELOAD_CHECK_SETTLE=2.0,
        RELOAD_CHECK_ENABLED=False,
    )
    options = engine_of(live).options
    assert (
        options.window,
        options.settle,
        options.drain,
        options.enabled,
    ) == (3, 0.1, 9.0, False)
    live.start()
    assert not live.status().enabled


def test_the_status_page_comes_from_the_apps_config(make: Make) -> None:
    """Path and token of the door's status page are options of the app like the others."""
    app = create_app(
        FlaskReloadCheck(make()),
        RELOAD_CHECK_STATUS_PATH="/-/reloadcheck",
        RELOAD_CHECK_STATUS_TOKEN="open-sesame-9",
    )
    for token, status in (("open-sesame-9", 200), ("wrong", 404)):
        headers = {"Authorization": f"Bearer {token}"}
        with app.test_client() as client, client.get("/-/reloadcheck", headers=headers) as page:
            assert status == page.status_code
    assert get(app) == "1"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("RELOAD_CHECK_WINDOWS", 1, "no option windows; the options are: window,"),
        ("RELOAD_CHECK_WINDOW", "soon", "window must be a number of seconds"),
        ("RELOAD_CHECK_ENABLED", "false", "enabled must be True, False or None"),
        ("RELOAD_CHECK_MAX_BYTES", -1, "max_bytes must be a positive number"),
    ],
)
def test_a_bad_option_fails_at_init_app(make: Make, name: str, value: Any, words: str) -> None:
    """An option that is none, or cannot be used, is an error that names it."""
    with pytest.raises(OptionError, match=words):
        create_app(FlaskReloadCheck(make()), **{name: value})


def test_options_are_fixed_by_the_start(make: Make) -> None:
    """An app that comes after the start may say the same, and nothing else."""
    extension = FlaskReloadCheck(make())
    create_app(extension, RELOAD_CHECK_WINDOW=3)
    extension.live.start()
    create_app(extension, RELOAD_CHECK_WINDOW=3)
    with pytest.raises(OptionError, match="before the engine starts"):
        create_app(extension, RELOAD_CHECK_WINDOW=4)
    extension.live.close()
    create_app(extension, RELOAD_CHECK_WINDOW=4)


def test_threads_have_a_request_each(make: Make, text: Text) -> None:
    """Requests that overlap an edit each keep their own version."""
    live = make()
    begin(live)
    app = create_app(FlaskReloadCheck(live))
    entered, go_on = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow() -> str:
        before = current_config.a
        entered.set()
        go_on.wait(30)
        return f"{before} {current_config.a}"

    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(get(app, "/slow")))
    thread.start()
    assert entered.wait(30)
    edit(live, text, "a: 2")
    assert get(app) == "2"
    go_on.set()
    thread.join(30)
    assert said == ["1 1"]

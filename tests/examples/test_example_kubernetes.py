"""The Kubernetes example: the manifests and the app agree, and an edit reaches a running pod."""

import http.client
import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import pytest
import yaml

from reloadcheck import Orders
from reloadcheck.stores import SQLiteStore
from tests.support.load import until
from tests.support.servers import ROOT, environment, serving

EXAMPLE = ROOT / "examples" / "kubernetes"
FILES = ("configmap.yaml", "secret.yaml", "deployment.yaml")


def manifests() -> dict[str, dict[str, Any]]:
    """Return all objects by their kind."""
    found = [one for name in FILES for one in yaml.safe_load_all((EXAMPLE / name).read_text())]
    return {one["kind"]: one for one in found}


@pytest.fixture
def pod() -> dict[str, Any]:
    """What the Deployment's pods are made of."""
    pod: dict[str, Any] = manifests()["Deployment"]["spec"]["template"]["spec"]
    return pod


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example's app, imported as in the pod: with none of its variables set."""
    for name in ("ORDERS_CONFIG", "ORDERS_SECRETS"):
        monkeypatch.delenv(name, raising=False)
    spec = spec_from_file_location("kubernetes_app", EXAMPLE / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "kubernetes_app", module)
    spec.loader.exec_module(module)
    return module


def test_the_app_reads_what_is_mounted(pod: dict[str, Any], app: ModuleType) -> None:
    """Each mount is a whole directory of a volume that is there; the app's paths lie in them."""
    objects = manifests()
    volumes = {one["name"]: one for one in pod["volumes"]}
    mounts = pod["containers"][0]["volumeMounts"]
    assert {one["name"] for one in mounts} == volumes.keys()
    assert [one for one in mounts if "subPath" in one] == []
    assert {one["name"] for one in mounts if not one.get("readOnly")} == {"state"}
    places = {one["name"]: PurePosixPath(one["mountPath"]) for one in mounts}
    variables = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
    assert PurePosixPath(variables["RELOAD_CHECK_STORE"]).parent == places["state"]
    assert "emptyDir" in volumes["state"]
    assert volumes["config"]["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"]
    assert volumes["database"]["secret"]["secretName"] == objects["Secret"]["metadata"]["name"]
    assert PurePosixPath(app.CONFIG).parent == places["config"]
    assert PurePosixPath(app.CONFIG).name in objects["ConfigMap"]["data"]
    assert PurePosixPath(app.SECRETS) == places["database"].parent
    for kind in ("ConfigMap", "Secret"):
        assert "immutable" not in objects[kind]


def test_probes_and_service_reach_the_app(pod: dict[str, Any], app: ModuleType) -> None:
    """Their paths are the app's routes, their ports the container's, which the image serves."""
    (container,) = pod["containers"]
    (port,) = container["ports"]
    paths = {route.path for route in app.app.routes}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in paths
        assert asked["port"] == port["name"]
    objects = manifests()
    service, deployment = objects["Service"]["spec"], objects["Deployment"]["spec"]
    assert service["ports"][0]["targetPort"] == port["name"]
    labels = deployment["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    assert deployment["selector"]["matchLabels"].items() <= labels.items()
    image = (ROOT / "examples" / "container" / "Containerfile").read_text()
    assert f"EXPOSE {port['containerPort']}\n" in image
    assert f"USER {pod['securityContext']['runAsUser']}:" in image


def test_a_pod_has_time_to_drain(pod: dict[str, Any]) -> None:
    """It is killed only after the drain and the server's own time are over."""
    (container,) = pod["containers"]
    drain = next(one["value"] for one in container["env"] if one["name"] == "RELOAD_CHECK_DRAIN")
    assert pod["terminationGracePeriodSeconds"] > float(drain) + 20


def publish(volume: Path, generation: int, files: Mapping[str, str]) -> None:
    """Replace a volume's content as the kubelet does."""
    fresh = volume / f"..2026_{generation}"
    fresh.mkdir(parents=True)
    for name, text in files.items():
        (fresh / name).write_text(text)
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(Path("..data") / name)
    old = (volume / "..data").resolve()
    (volume / "..data_tmp").symlink_to(fresh.name)
    os.rename(volume / "..data_tmp", volume / "..data")
    if generation > 1:
        shutil.rmtree(old)


def ask(port: int, path: str) -> tuple[int, str]:
    """Ask a pod."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_an_edit_of_either_volume_reaches_the_pod(tmp_path: Path) -> None:
    """The manifests' own content serves, then the edited one, the pool with the new user; the
    probes are content throughout, also with an edit that is refused."""
    objects = manifests()
    config, secrets = tmp_path / "config", tmp_path / "secrets"
    settings, credentials = objects["ConfigMap"]["data"], objects["Secret"]["stringData"]
    publish(config, 1, settings)
    publish(secrets / "database", 1, credentials)
    environ = {
        **environment(config, tmp_path / "journal"),
        "ORDERS_CONFIG": str(config / "config.yaml"),
        "ORDERS_SECRETS": str(secrets),
        "RELOAD_CHECK_STORE": str(tmp_path / "state" / "reloadcheck.db"),
        "RELOAD_CHECK_APP": "orders",
    }
    command = [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(EXAMPLE)]
    with serving([*command, "--port", "0", "--no-access-log"], environ, tmp_path) as pod:

        def serves(**expected: object) -> bool:
            status, body = ask(pod.port, "/")
            assert status == 200
            assert [ask(pod.port, path)[0] for path in ("/readyz", "/livez")] == [200, 200]
            said: dict[str, object] = json.loads(body)
            return said.items() >= expected.items()

        assert serves(greeting="Hello", user="orders_a", pool_size=4)
        text = settings["config.yaml"]
        publish(config, 2, {"config.yaml": text.replace("Hello", "Good evening")})
        until(lambda: serves(greeting="Good evening", user="orders_a"))
        publish(secrets / "database", 2, {**credentials, "user": "orders_b"})
        until(lambda: serves(greeting="Good evening", user="orders_b"))
        publish(config, 3, {"config.yaml": text.replace("pool_size: 4", "pool_size: many")})
        old = {"greeting": "Good evening", "user": "orders_b", "pool_size": 4}
        until(lambda: serves(**old) and "database.pool_size" in pod.log)
        publish(config, 4, {"config.yaml": text.replace("pool_size: 4", "pool_size: 8")})
        until(lambda: serves(greeting="Hello", pool_size=8))
        store = SQLiteStore(tmp_path / "state" / "reloadcheck.db")
        orders = Orders(store, app="orders")
        until(lambda: len(orders.history(outcome="reloaded")) == 3)
        orders.rollback(why="too many", by="dora")
        until(lambda: serves(greeting="Good evening", user="orders_b", pool_size=4))
        store.close()
        assert pod.stop() in (0, -signal.SIGTERM)  # uvicorn ends by the signal it was sent
    assert credentials["password"] not in pod.log
    assert pod.log.count("INFO reloadcheck: ") >= 4


def test_kustomize_makes_the_same_config_map() -> None:
    """Its file is the manifest's content, under the name that the Deployment mounts."""
    made = yaml.safe_load((EXAMPLE / "kustomization.yaml").read_text())
    (generated,) = made["configMapGenerator"]
    written = manifests()["ConfigMap"]
    assert generated["name"] == written["metadata"]["name"]
    assert {name: (EXAMPLE / name).read_text() for name in generated["files"]} == written["data"]
    assert made["generatorOptions"] == {"disableNameSuffixHash": True}
    assert {*made["resources"]} | {"configmap.yaml"} == {*FILES}


def test_no_service_puts_its_variables_beside_ours(pod: dict[str, Any]) -> None:
    """A Service named like the app would override its port."""
    assert pod["enableServiceLinks"] is False

"""The container example: all that the image is made of is there, and nothing live is in it."""

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import yaml

from reloadcheck import DirectorySource, FileSource, ReloadCheck
from tests.support.servers import ROOT

EXAMPLE = ROOT / "examples" / "container"
CONTAINERFILE = (EXAMPLE / "Containerfile").read_text()
STEPS = [
    shlex.split(line)
    for line in CONTAINERFILE.replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]


def copied() -> list[str]:
    """Return all that is copied from the checkout."""
    return [
        source
        for step in STEPS
        if step[0] == "COPY" and not step[1].startswith("--from")
        for source in step[1:-1]
    ]


def test_everything_that_is_copied_is_there() -> None:
    """And not held back by the list of what the build may see."""
    ignore = (EXAMPLE / "Containerfile.containerignore").read_text().split()
    allowed = [line[1:] for line in ignore if line.startswith("!")]
    assert ignore[0] == "*"
    assert len(copied()) > 3
    for source in copied():
        assert (ROOT / source).exists(), source
        parts = [str(part) for part in [Path(source), *Path(source).parents]]
        assert any(fnmatch(part, pattern) for part in parts for pattern in allowed), source


def test_the_wheel_can_be_built_of_what_is_copied() -> None:
    """Whatever the project file puts into the wheel by name is among it."""
    project = (ROOT / "pyproject.toml").read_text()
    forced = re.findall(r'^"(examples/.+?)" = ', project, re.M)
    assert forced != []
    for path in ["reloadcheck", "README.md", "LICENSE", *forced]:
        assert any(Path(path).is_relative_to(Path(source)) for source in copied()), path


def test_what_is_mounted_is_a_configuration() -> None:
    """The README mounts directories that are there and hold what the app wants; the image none."""
    readme = (EXAMPLE / "README.md").read_text()
    mounts = re.findall(r"-v \./(\S+?):(\S+?):ro", readme)
    assert {target for _, target in mounts} == {"/etc/orders", "/run/secrets/orders"}
    places = {target: ROOT / source for source, target in mounts}
    assert all(place.is_dir() for place in places.values())
    sources = FileSource(places["/etc/orders"] / "config.yaml")
    live = ReloadCheck(sources, DirectorySource(places["/run/secrets/orders"]), environ={})
    live.start()
    assert live.snapshot.config.database.user == "orders_a"
    live.close()
    assert [source for source in copied() if "config" in source or "secret" in source] == []


def test_the_server_gets_the_signal() -> None:
    """The command is in exec form, and the user is not root."""
    (command,) = re.findall(r"^CMD (.+)$", CONTAINERFILE, re.M)
    assert command.startswith('["uvicorn", "app:app"')
    (user,) = [step[1] for step in STEPS if step[0] == "USER"]
    assert user.partition(":")[0] not in ("root", "0")


def test_compose_mounts_directories_and_asks_without_a_token() -> None:
    """Each mount is a directory that is there; nothing is mounted as a single file."""
    (service,) = yaml.safe_load((EXAMPLE / "compose.yaml").read_text())["services"].values()
    sources = [EXAMPLE / one.split(":")[0] for one in service["volumes"]]
    assert [path for path in sources if not path.is_dir()] == []
    assert not {"configs", "secrets"} & {*service}
    assert (EXAMPLE / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()
    path = service["environment"]["RELOAD_CHECK_HEALTH_PATH"]
    assert f"{path}/ready" in service["healthcheck"]["test"][-1]

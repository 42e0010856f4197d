"""What users write against is pinned: the signatures of public names, the keys of the page's JSON.

Who changes one on purpose writes it into the changelog, and renews `pinned.txt` with
`python -m tests.house.test_pinned`.
"""

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import cast

from reloadcheck._page.as_json import checked
from reloadcheck._page.page import View, Wanted, page
from reloadcheck.seams.gates import Waiting
from reloadcheck.types import ShadowStatus, SignalStatus, TrialStatus
from tests.page.test_page import LEAVES, NOW, STATUS, WHO
from tests.page.test_page_fleet import FLEET, STORE
from tests.support.json_keys import keys_of

PINNED = Path(__file__).with_name("pinned.txt")
DOORS = (
    "reloadcheck",
    "reloadcheck.asgi",
    "reloadcheck.wsgi",
    "reloadcheck.logs",
    "reloadcheck.orders",
    "reloadcheck.policy",
    "reloadcheck.stores",
    "reloadcheck.testing",
    "reloadcheck.trial",
    "reloadcheck.integrations.celery",
    "reloadcheck.integrations.fastapi",
    "reloadcheck.integrations.flask",
    "reloadcheck.integrations.opentelemetry",
    "reloadcheck.integrations.prometheus",
    "reloadcheck.integrations.starlette",
    "reloadcheck.integrations.webhook",
)


def signature_of(function: object) -> str:
    """Return parameters and defaults, without types: those are the type checkers' to judge."""
    assert callable(function)
    signature = inspect.signature(function)
    bare = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    said = str(signature.replace(parameters=bare, return_annotation=signature.empty))
    return re.sub(r"=<[^>]*>", "=…", said)


def signatures() -> Iterator[str]:
    """Return each public function, class and method of the doors, as it is called."""
    for path in DOORS:
        door = import_module(path)
        for name in sorted(door.__all__):
            one = getattr(door, name)
            if isinstance(one, FunctionType):
                yield f"{path}.{name}{signature_of(one)}"
            elif isinstance(one, type) and "Error" not in name:
                yield from of_class(f"{path}.{name}", cast("type[object]", one))


def of_class(name: str, one: type[object]) -> Iterator[str]:
    """Return a class as it is made, and its public methods."""
    members: dict[str, object] = dict(vars(one))
    own = {part: member for part, member in members.items() if not part.startswith("_")}
    is_made = not issubclass(one, Enum) and not getattr(one, "_is_protocol", False)
    if is_made and ("__init__" in members or "__new__" in members):
        yield f"{name}{signature_of(members.get('__init__') or one)}"
    for part in sorted(own):
        if isinstance(own[part], FunctionType):
            yield f"{name}.{part}{signature_of(own[part])}"
        elif isinstance(own[part], property):
            yield f"{name}.{part}"


def documents() -> Iterator[str]:
    """Return the keys of the JSON that the page answers with, of all that it can tell."""
    signal = SignalStatus("failed", 5, 5, 0.01)
    trial = TrialStatus(
        "trying", "d", 8, 0.2, 9.0, 5, 20, (signal,), None, ShadowStatus(1, 0, 0, 0)
    )
    status = replace(
        STATUS, store=STORE, trial=trial, waiting=Waiting("d", NOW, "window", "later", None, ("a",))
    )
    view = View(status, LEAVES, NOW, WHO, "0.1.0", fleet=FLEET)
    for wanted in (Wanted.JSON, Wanted.READY):
        told = json.loads(page(view, wanted).body)
        yield from (f"{wanted.name.lower()}: {key}" for key in keys_of(told))
    yield from (f"checked: {key}" for key in keys_of(checked(status, WHO)))


def face() -> list[str]:
    """Return all that is pinned, a line each."""
    return [*signatures(), *documents()]


def test_what_users_write_against_is_pinned() -> None:
    """No signature, default or key changes unseen."""
    pinned, now = PINNED.read_text(encoding="utf-8").splitlines(), face()
    assert len(now) > 400
    assert now == pinned


if __name__ == "__main__":
    PINNED.write_text("\n".join(face()) + "\n", encoding="utf-8")

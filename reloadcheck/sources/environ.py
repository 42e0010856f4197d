"""The environment of this process as a source: which variables count, and read once.

`APP_DATABASE__URL` sets `database.url`; what a name and a text mean is `_variable_meaning`'s. Takes
a prefix, gives one document of the variables under it and the tree they make. It must never read
the environment twice, so that what one process serves cannot drift, nor quote a value.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..exceptions import ConfigSyntaxError, OptionError
from ..types import Document, KeyPath, Layer, Origin, Pause, Problem, Stamp
from ._nest import Nest
from ._platform_variables import service_variables
from ._variable_meaning import put_variable

__all__ = ["EnvironSource"]


class EnvironSource:
    """The variables whose names start with `prefix`; an underscore is added where it has none.

    Two underscores nest. A name finds an existing key without regard to case, and is taken in lower
    case where there is none. A value is text until its field's type converts it; without a schema
    it is one YAML scalar. Where there is a list below it is a JSON list or `a,b`, where there is a
    mapping a JSON object, laid over it. The variables are read once, at the first load; those that
    Kubernetes and Docker set for a service of the prefix's name are none.
    """

    def __init__(self, prefix: str, environ: Mapping[str, str] | None = None) -> None:
        if not prefix.strip("_"):
            raise OptionError('EnvironSource needs a prefix, as in EnvironSource("APP")')
        self._prefix = prefix if prefix.endswith("_") else f"{prefix}_"
        self._environ = environ
        self._document: Document | None = None

    def __repr__(self) -> str:
        return f"EnvironSource({self._prefix!r})"

    def of_environ(self, environ: Mapping[str, str]) -> "EnvironSource":
        """Return the same of another environment; itself where it was given its own."""
        return self if self._environ is not None else EnvironSource(self._prefix, environ)

    @property
    def name(self) -> str:
        """Return the name of the whole: the prefix with a star."""
        return f"environment variables {self._prefix}*"

    def stamp(self) -> Stamp:
        """Return a stamp that never changes."""
        return Stamp(self._prefix)

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return the variables as they were at the first read."""
        if self._document is None:
            environ = os.environ if self._environ is None else self._environ
            own = {name: text for name, text in environ.items() if name.startswith(self._prefix)}
            found = {name: own[name] for name in sorted(own.keys() - service_variables(own))}
            import json

            self._document = Document(self.name, json.dumps(found).encode(), "environ")
        if len(self._document.data) > max_bytes:
            raise ConfigSyntaxError(Problem(f"hold more than {max_bytes} bytes", path=self.name))
        return (self._document,)

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Nest the variables, spelled as the keys that they override are."""
        nest = Nest()
        for document in documents:
            import json

            variables: dict[str, str] = json.loads(document.data)
            for variable, text in variables.items():
                place = Origin(_shown(variable))
                name = variable.removeprefix(self._prefix)
                put_variable(nest, name, text, below, place)
                pause()
        return Layer(nest.tree, lambda path: self._origin(nest, path), untyped=True)

    def _origin(self, nest: Nest, path: KeyPath) -> Origin:
        """Name the variable that set the key, a parent of it, or else something inside it."""
        return nest.above(path) or nest.inside(path) or Origin(self.name)


def _shown(variable: str) -> str:
    return f"environment variable {variable}"

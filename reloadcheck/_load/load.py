"""From sources to a frozen configuration: read ▸ digest ▸ parse ▸ merge ▸ validate ▸ freeze.

Each step is a function of what the step before gave, so that the engine can run it where it
belongs. Nothing here keeps state or touches what serves.
"""

from typing import TypeVar

from .._schema.schema import Schema
from ..exceptions import ConfigError
from ..types import Pause
from .merge import Parsed
from .problems import located

C = TypeVar("C")


def validate(schema: Schema[C], parsed: Parsed, previous: C | None, pause: Pause) -> C:
    """Convert the merged tree to the schema's type and freeze it, sharing what did not change.

    Its problems get their file and line here.
    """
    try:
        return schema.convert(parsed.tree, previous, pause)
    except ConfigError as error:
        problem = located(error, parsed.layers, pause)
    raise problem

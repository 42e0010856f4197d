"""From sources to a frozen configuration: read ▸ digest ▸ parse ▸ merge ▸ validate ▸ freeze.

Each step is a function of what the step before gave, so that the engine can run it where it
belongs. Nothing here keeps state or touches what serves.
"""

from typing import TypeVar

from .._schema.schema import Schema
from ..exceptions import ConfigError, SchemaError
from ..types import Pause
from .merge import Parsed
from .problems import located

C = TypeVar("C")


def validate(schema: Schema[C], parsed: Parsed, previous: C | None, pause: Pause) -> C:
    """Convert the merged tree to the schema's type and freeze it, sharing what did not change.

    Its problems get their file and line here. A text that means nothing to its field is told in
    the words of the field's type, whatever the schema says of it.
    """
    misfits = {problem.key_path: problem for problem in parsed.misfits}
    problems = list(misfits.values())
    try:
        config = schema.convert(parsed.tree, previous, pause)
        if not misfits:
            return config
        error: ConfigError = SchemaError(*problems)
    except ConfigError as refused:
        problems += [one for one in refused.problems if one.key_path not in misfits]
        error = type(refused)(*problems) if misfits else refused
    raise located(error, parsed.layers, pause)

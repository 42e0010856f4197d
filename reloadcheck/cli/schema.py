"""`reloadcheck schema`: the JSON Schema of an application's configuration, for editors and CI."""

import argparse
import json

from .._schema.to_json_schema import json_schema_of
from ._inputs import inputs_of

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    inputs = inputs_of(arguments, () if arguments.schema is None else ("-",))  # which is not read
    document = json_schema_of(inputs.schema.given, inputs.schema.annotation)
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str))
    return 0

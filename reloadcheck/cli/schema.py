"""`reloadcheck schema`: the JSON Schema of an application's configuration, for editors and CI.

What its contract says of a key stands there as `x-` keywords.
"""

import argparse
import json

from .._schema.to_json_schema import json_schema_of
from ..exceptions import UsageError
from ._inputs import inputs_of

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    inputs = inputs_of(arguments, () if arguments.schema is None else ("-",))  # which is not read
    document = json_schema_of(inputs.schema.given, inputs.schema.annotation)
    if inputs.contract_error is not None:
        raise UsageError(f"the contract cannot be used: {inputs.contract_error}")
    if inputs.contract is not None:
        from ..policy.schema_words import with_words

        document = with_words(document, inputs.contract.terms)
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str))
    return 0

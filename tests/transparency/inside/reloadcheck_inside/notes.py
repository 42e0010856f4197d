"""What a run tells: one JSON object a line, in the file that TRANSPARENCY_RESULTS names.

`test` and `outcome` for each test, and `wrapped`, how often a door was put around something.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from . import doors

__all__ = ["write"]


def write(outcomes: Mapping[str, str]) -> None:
    """Write how each test came out."""
    lines = [json.dumps({"test": test, "outcome": said}) for test, said in outcomes.items()]
    lines.append(json.dumps({"wrapped": doors.wrapped()}))
    Path(os.environ["TRANSPARENCY_RESULTS"]).write_text("\n".join(lines) + "\n")

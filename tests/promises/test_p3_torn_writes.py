"""P3 against torn writes: a configuration that was not written whole is never served.

For a minute of it, run `python -m tests.support.torn --seconds 60`.
"""

import os
from pathlib import Path

from tests.support import torn

SECONDS = float(os.environ.get("RELOADCHECK_TORN_SECONDS", "6"))


def test_no_response_carries_half_a_file(tmp_path: Path) -> None:
    """While a writer truncates and writes in pieces, all that is served was written whole."""
    result = torn.run(SECONDS, tmp_path)
    assert (result.torn, result.failures) == ([], [])
    assert result.versions >= 3
    assert result.answers > 100

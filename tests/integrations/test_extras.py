"""A library that is not installed names the command that installs it."""

import subprocess
import sys

import pytest

EXTRAS = {
    "celery": ("celery", "pip install 'reloadcheck[celery]'"),
    "flask": ("flask", "pip install 'flask'"),
    "opentelemetry": ("opentelemetry", "pip install 'reloadcheck[otel]'"),
    "prometheus": ("prometheus_client", "pip install 'reloadcheck[metrics]'"),
}
BARE = """
import sys, importlib.abc
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {library!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
import reloadcheck.integrations.{adapter}
"""


@pytest.mark.parametrize("adapter", EXTRAS)
def test_a_missing_library_is_told_with_its_remedy(adapter: str) -> None:
    """The last line of the traceback is what to type."""
    library, words = EXTRAS[adapter]
    code = BARE.format(library=library, adapter=adapter)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert last == f"ModuleNotFoundError: {library} is not installed: {words}"

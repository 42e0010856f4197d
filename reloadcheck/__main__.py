"""`python -m reloadcheck`: the same as the `reloadcheck` command."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())

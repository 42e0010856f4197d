"""Werkzeug's development server on the WSGI app: `python -m tests.servers.werkzeug_site PORT`.

With `--reload` it restarts itself when code changes, as `flask run --debug` does.
"""

import sys

from werkzeug.serving import run_simple

from .wsgi_app import app

if __name__ == "__main__":
    run_simple(
        "127.0.0.1",
        int(sys.argv[1]),
        app,
        threaded=True,
        use_reloader="--reload" in sys.argv,
        reloader_type="stat",
    )

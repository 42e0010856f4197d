"""The demo: a private database, a real server with two workers, a steady load, and edits under it.

Nothing here is imported by the package itself; `reloadcheck demo` is the only way in.
"""

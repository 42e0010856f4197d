"""What was asked for, in words that are safe to show."""

_LONGEST = 24
"""Characters of a path's segment; longer ones are tokens rather than words, and shown to nobody."""


def asked(method: str, path: str) -> str:
    """Return a request in words: `POST /checkout`."""
    segments = (one if len(one) <= _LONGEST else "…" for one in path.split("/")[:9])
    shown = "".join(one if one.isprintable() else "?" for one in "/".join(segments))
    return f"{method} {shown}"

"""A request, and how it failed, in words that are safe to show: `POST /checkout → KeyError`."""

_LONGEST = 24
"""Characters of a path's segment; longer ones are tokens rather than words, and shown to nobody."""


def asked(method: str, path: str) -> str:
    """Return a request in words: `POST /checkout`."""
    segments = (one if len(one) <= _LONGEST else "…" for one in path.split("/")[:9])
    shown = "".join(one if one.isprintable() else "?" for one in "/".join(segments))
    return f"{method} {shown}"


def failure_of(method: str, path: str, failure: BaseException | str | int) -> str:
    """Return a failed request in words: `POST /checkout → KeyError`."""
    said = type(failure).__name__ if isinstance(failure, BaseException) else failure
    return f"{asked(method, path)} → {said}"

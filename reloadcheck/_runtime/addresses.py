"""Take apart an address over HTTP that something is told at; None for what cannot be asked."""

from urllib.parse import SplitResult, urlsplit

__all__ = ["address_of"]


def address_of(url: str) -> SplitResult | None:
    """Return the parts of an address over HTTP; None for what is none. It may be a secret."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if good else None

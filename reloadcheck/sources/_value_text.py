"""Turn the bytes of a file that holds one value into its text."""

from ..exceptions import ConfigSyntaxError
from ..types import Document, Problem

__all__ = ["text_of"]


def text_of(document: Document) -> str:
    """Decode strictly; one leading byte order mark and one final newline do not count."""
    try:
        text = document.data.decode()
    except UnicodeDecodeError as error:
        line = document.data.count(b"\n", 0, error.start) + 1
        raise ConfigSyntaxError(Problem("is not valid UTF-8", document.name, line)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigSyntaxError(Problem("holds a NUL character", document.name, line))
    newline = "\r\n" if text.endswith("\r\n") else "\n"
    return text.removeprefix("\ufeff").removesuffix(newline)

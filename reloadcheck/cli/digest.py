"""`reloadcheck digest`: the digest of a configuration, as a status and statements of leave name it.

Of what the files mean together: comments and the order of keys do not count.
"""

import argparse

from ..exceptions import UsageError
from ._faults import problem_document, show_faults
from ._inputs import inputs_of
from ._output import Page
from ._reading import known_of
from ._sides import Side, stand_of

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    words: list[str] = arguments.words
    inputs = inputs_of(arguments, words)
    sources = inputs.sources
    if len(words) == 1 and inputs.live is not None:
        try:
            sources = stand_of(inputs, words[0], arguments.format).sources
        except UsageError:
            sources = inputs.sources  # a file that has nothing to do with the application
    known = known_of(sources, *inputs.reading)
    page = Page()
    if known.parsed is None:
        if arguments.json:
            page.json({"digest": None, "problems": [*map(problem_document, known.faults)]})
        else:
            show_faults(page, known.faults, known)
        return 1
    digest = Side(known, (), known.parsed.tree).digest
    if arguments.json:
        page.json({"digest": digest, "sources": [source.name for source in sources]})
    else:
        page.line(digest)
    return 0

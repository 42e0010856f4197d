"""The status page for people: one self-contained document that needs no script.

Pure: from what is known to text.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .._observe.ages import ago
from .._observe.identity import Identity
from .._observe.remedies import remedy_of
from .._observe.status import Standing, Status
from ..types import Code, Outcome
from .html_fleet import fleet, said_of
from .html_markup import badge, code, error, shown, text_of, time_of
from .html_tables import config, history, resources, sources
from .html_trial import trial
from .style import STYLE
from .values import Leaves

if TYPE_CHECKING:
    from .._state.fleet import Fleet

_TONES = {Standing.OK: "good", Standing.WARN: "warn", Standing.FAIL: "bad"}


def document(
    status: Status,
    leaves: Leaves,
    now: float,
    who: Identity,
    release: str,
    find: str = "",
    workers: "Fleet | None" = None,
) -> str:
    """Return the whole page; `find` is what the keys of `leaves` were chosen by."""
    title, word = _summary(status)
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="robots" content="noindex">',
        f"<title>{shown(f'{who.application} on {who.host}, {who.pid}: {title}')}</title>",
        '<link rel="icon" href="data:,">',
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f"<h1>{shown(who.application)}</h1>",
        f'<p class="soft">Live configuration on {shown(who.host)}, process {who.pid}'
        f"{_worker(who)}, {time_of(now)}</p>",
        '<nav aria-label="Formats"><a href="?format=html">Look again</a>'
        '<a href="?format=html&amp;probe=1">Wait for all probes</a>'
        '<a href="?format=json">JSON</a><a href="?format=prometheus">Metrics</a></nav>',
        "</header>",
        "<main>",
        *_state(status, title, word, now),
        *fleet(workers, status.store, who, now),
        *trial(status.trial, status.version, running=True),
        *trial(None if status.trial else status.last_trial, status.version, running=False),
        *_facts(status),
        *sources(status.sources, who.directory),
        *history(status.history, now),
        *resources(status.resources, status.draining),
        *config(leaves, find, who.directory),
        "</main>",
        f"<footer><p>reloadcheck {shown(release)}. {said_of(workers, who)}</p></footer>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _worker(who: Identity) -> str:
    return "" if who.worker is None else f" ({shown(who.worker)})"


def _summary(status: Status) -> tuple[str, str]:
    """Say in a sentence how things are, and in a word."""
    if status.state in ("closing", "closed"):
        return f"The engine is {status.state}", status.state
    if status.version is None:
        title = "No good configuration yet" if status.error else "Not started yet"
        return title, status.code or status.state
    title = f"Version {status.version} is serving"
    if status.code == Code.DRAIN:
        return f"{title}; an edit waits", status.code
    if status.error is not None and status.outcome is Outcome.UNDONE:
        return f"{title}; the last edit was undone", "undone"
    if status.trial is not None and status.trial.phase == "trying":
        return f"{title}; an edit is tried on {status.trial.share:.0%}", "on trial"
    if status.error is not None and not status.is_edit:
        return f"{title}; a resource is not built anew", status.code or "rejected"
    if status.error is not None and status.is_rejected:
        return f"{title}; the last edit was rejected", status.code or "rejected"
    if status.error is not None:
        return f"{title}; the last edit is not live", status.code or "waiting"
    if status.failed_probes:
        return f"{title}; a probe does not pass", "probe"
    if status.waiting is not None:
        return f"{title}; an edit is not allowed yet", status.waiting.why
    if status.pending_restart:
        return f"{title}; a key waits for a restart", "restart"
    if not status.enabled:
        return f"{title}; edits are not looked for", "switched off"
    if status.store is not None and status.store.error is not None:
        return f"{title}; the store is away", status.store.code or "store"
    if status.store is not None and status.store.frozen is not None:
        return f"{title}; edits are frozen", "frozen"
    if status.remarks:
        return f"{title}, with a warning", "warning"
    return title, "healthy"


def _state(status: Status, title: str, word: str, now: float) -> Iterator[str]:
    tone = _TONES[status.standing]
    yield f'<section class="state {tone}" aria-labelledby="state">'
    yield f'<h2 id="state">{shown(title)} {badge(word, tone)}</h2>'
    if status.loaded_at is not None:
        yield f"<p>since {time_of(status.loaded_at)}, {ago(now - status.loaded_at)}</p>"
    for reason in status.reasons:
        of_edit = status.error is not None and reason.endswith(status.error)
        of_code = of_edit or (status.store is not None and reason == status.store.frozen)
        remedy = remedy_of(status.code) if of_code else None
        yield error(reason, tone if of_edit else "warn", remedy)
    yield "</section>"


def _facts(status: Status) -> Iterator[str]:
    held = ", ".join(f"version {key}: {count}" for key, count in status.leases.items())
    facts = [
        ("Version", text_of(status.version)),
        ("State", text_of(status.state)),
        ("Last look at the sources", "never" if status.checked is None else ago(status.checked)),
        ("Looks so far", text_of(status.checks)),
        ("Edits taken up", text_of(status.edits)),
        ("Edits rejected", text_of(status.rejections)),
        ("Reloading", "on" if status.enabled else "off (RELOAD_CHECK_ENABLED)"),
    ]
    yield '<section aria-labelledby="facts">'
    yield '<h2 id="facts">At present</h2>'
    yield '<dl class="facts">'
    for name, value in facts:
        yield f"<div><dt>{name}</dt><dd>{value}</dd></div>"
    for name, value in (
        ("Requests and jobs in progress, by version", text_of(held or None)),
        ("Fingerprint of the configuration (compare between workers)", code(status.digest)),
        ("Fingerprint of the files", code(status.source_digest)),
    ):
        yield f'<div class="wide"><dt>{name}</dt><dd>{value}</dd></div>'
    yield "</dl>"
    yield "</section>"

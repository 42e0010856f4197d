"""The statements of a store in PostgreSQL: one table, whose `meta` row every change takes first.

Whoever writes holds that row until its transaction ends, so that conditions are judged on what is
true then. Names go in as identifiers, values as parameters alone.
"""

from dataclasses import dataclass
from typing import Final

from ..exceptions import OptionError

__all__ = ["SCHEMA", "Statements", "statements_for"]

SCHEMA: Final = 1
_LONGEST_NAME: Final = 63


@dataclass(frozen=True, slots=True)
class Statements:
    """All statements for one table; `channel` is what changes are told on."""

    channel: str
    alone: str
    create: str
    found: str
    revision: str
    look: str
    begin: str
    holds: str
    none_since: str
    write: str
    beat: str
    bury: str
    content: str
    keep: str
    forget: str
    facts: str


def statements_for(table: str, timeout: float) -> Statements:
    """Return the statements for a table, `name` or `schema.name`; raise `OptionError`."""
    parts = table.split(".")
    usable = all(part and "\0" not in part and len(part.encode()) <= 63 for part in parts)
    if not usable or len(parts) > 2 or len(table.encode()) > _LONGEST_NAME:
        raise OptionError("table is the name of a table, as reloadcheck, or schema.reloadcheck")
    t = ".".join(_quoted(part) for part in parts)
    channel = _quoted(table)
    literal = _literal(table)
    meta = "kind = 'meta' AND key = ''"
    limit = max(1, round(timeout * 800))  # so that the server says why, before we give up
    limits = "".join(
        f"SET LOCAL {name} = {limit}; "
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    )
    told = f"pg_notify({literal}, '')"
    raised = f"UPDATE {t} SET revision = revision + 1 WHERE {meta} RETURNING revision"
    return Statements(
        channel=channel,
        # Until the transaction ends: `IF NOT EXISTS` lets two makers meet in any of the catalogues.
        alone=f"SELECT pg_advisory_xact_lock(hashtextextended({literal}, 0))",
        create=(
            f"CREATE TABLE IF NOT EXISTS {t} (\n"
            '  kind text COLLATE "C" NOT NULL,\n'
            '  key text COLLATE "C" NOT NULL,\n'
            "  value text,\n"
            "  data bytea,\n"
            "  revision bigint NOT NULL DEFAULT 0,\n"
            "  dies timestamptz,\n"
            "  PRIMARY KEY (kind, key)\n"
            ") WITH (fillfactor = 70);\n"
            f"INSERT INTO {t} (kind, key, value) VALUES ('meta', '',\n"
            f"  json_build_object('schema', {SCHEMA},\n"
            "    'birth', md5(random()::text || clock_timestamp()::text))::text)\n"
            "  ON CONFLICT DO NOTHING;\n"
        ),
        found=f"SELECT value, pg_backend_pid() FROM {t} WHERE {meta}",
        revision=f"SELECT revision FROM {t} WHERE {meta}",
        # One statement, so that revision and records are of one moment.
        look=(
            f"SELECT m.revision, b.key, b.value, b.revision FROM {t} m LEFT JOIN {t} b "
            "ON b.kind = 'board' AND b.key >= $1 AND b.key < $2 "
            "AND (b.dies IS NULL OR b.dies >= clock_timestamp()) "
            "WHERE m.kind = 'meta' AND m.key = '' ORDER BY b.key"
        ),
        # A client that stands still in the middle would keep everybody else waiting: it is cut off.
        begin=(
            f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {limits}"
            f"SELECT revision FROM {t} WHERE {meta} FOR UPDATE"
        ),
        holds=(
            "SELECT count(*) FROM json_each_text($1::json) AS wanted "
            f"LEFT JOIN {t} b ON b.kind = 'board' AND b.key = wanted.key "
            "WHERE coalesce(b.revision, 0) <> wanted.value::bigint"
        ),
        none_since=(
            f"SELECT count(*) FROM {t} WHERE kind = 'board' AND key >= $1 AND key < $2 "
            "AND revision > $3::bigint"
        ),
        write=(
            "WITH given AS (SELECT key, value FROM json_each_text($1::json)), "
            f"now AS ({raised}), "
            f"gone AS (DELETE FROM {t} WHERE kind = 'board' "
            "AND key IN (SELECT key FROM given WHERE value IS NULL)), "
            f"written AS (INSERT INTO {t} AS old (kind, key, value, revision, dies) "
            "SELECT 'board', given.key, given.value, now.revision, "
            "clock_timestamp() + make_interval(secs => $2::float8) "
            "FROM given, now WHERE given.value IS NOT NULL "
            "ON CONFLICT (kind, key) DO UPDATE SET "
            "value = excluded.value, revision = excluded.revision, dies = excluded.dies) "
            f"SELECT revision, {told} FROM now"
        ),
        beat=(
            f"WITH beaten AS (UPDATE {t} SET "
            "dies = clock_timestamp() + make_interval(secs => $2::float8) "
            "WHERE kind = 'board' AND dies >= clock_timestamp() "
            "AND key IN (SELECT json_array_elements_text($1::json)) RETURNING key) "
            "SELECT (SELECT count(*) FROM beaten), "
            f"(SELECT count(*) FROM {t} WHERE kind = 'board' AND dies < clock_timestamp())"
        ),
        bury=(
            f"WITH dead AS (DELETE FROM {t} WHERE kind = 'board' AND (dies < clock_timestamp() "
            "OR key IN (SELECT json_array_elements_text($1::json))) RETURNING key), "
            f"now AS (UPDATE {t} SET revision = revision + 1 WHERE {meta} "
            "AND EXISTS (SELECT 1 FROM dead) RETURNING revision) "
            f"SELECT revision, {told} FROM now"
        ),
        content=f"SELECT data FROM {t} WHERE kind = 'content' AND key = $1",
        keep=(
            f"INSERT INTO {t} (kind, key, data) VALUES ('content', $1, $2) ON CONFLICT DO NOTHING"
        ),
        facts=(
            "SELECT json_build_object('version', current_setting('server_version'), "
            "'most', current_setting('max_connections')::int "
            "- current_setting('superuser_reserved_connections')::int, "
            "'used', (SELECT sum(numbackends) FROM pg_stat_database), "
            "'standby', pg_is_in_recovery(), 'now', extract(epoch FROM clock_timestamp()), "
            "'lacks', (SELECT json_agg(wanted) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', "
            f"'DELETE']) AS wanted WHERE NOT has_table_privilege({_literal(t)}, wanted)))::text"
        ),
        forget=f"DELETE FROM {t} WHERE kind = 'content' AND key = $1",
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

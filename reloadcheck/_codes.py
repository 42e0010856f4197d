"""The stable names of the ways to fail, as status, log, metrics and events show them.

A code is a contract: alerts and dashboards are written to it. The README says what to do about
each.
"""

from enum import StrEnum


class Code(StrEnum):
    """Why an edit did not go live, or what went wrong around one."""

    SOURCE_UNREADABLE = "source-unreadable"
    TORN = "torn"
    UNSETTLED = "unsettled"
    HANGING = "hanging"
    SYNTAX = "syntax"
    MERGE = "merge"
    SCHEMA = "schema"
    FACTORY = "factory"
    PROBE = "probe"
    TIMEOUT = "timeout"
    RESOURCE = "resource"
    DRAIN = "drain"
    CONFIG = "config"
    USAGE = "usage"
    INTERNAL = "internal"
    FORCED_CLOSE = "forced-close"
    CLOSE = "close"
    LISTENER = "listener"

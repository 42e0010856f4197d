"""The variables by which a platform tells a container of services beside it.

Kubernetes and Docker's links set them for each service, under its name: a service called `app`
brings `APP_PORT=tcp://…` into every pod, which is nobody's configuration.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["service_variables"]

_URL: Final = re.compile(r"(?:tcp|udp|sctp)://[^/\s]+:[0-9]+")
_PORT: Final = re.compile(r"(?P<service>[A-Z_][A-Z0-9_]*?)_PORT_[0-9]+_(?:TCP|UDP|SCTP)")
_PARTS: Final = ("", "_PROTO", "_PORT", "_ADDR", "_PORT_START", "_PORT_END")


def service_variables(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the names of those variables; a port's own with its URL is what a service is told by.

    A variable of the same name that somebody set to something else stays.
    """
    return frozenset(_found(environ))


def _found(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        port = _PORT.fullmatch(name)
        if port is None or not _URL.fullmatch(value):
            continue
        yield from (name + part for part in _PARTS if name + part in environ)
        service = port["service"]
        if _URL.fullmatch(environ.get(f"{service}_PORT", "")):
            yield f"{service}_PORT"
        yield from _of_kubernetes(service, environ)


def _of_kubernetes(service: str, environ: Mapping[str, str]) -> Iterator[str]:
    host, port = f"{service}_SERVICE_HOST", f"{service}_SERVICE_PORT"
    if host not in environ or not environ.get(port, "").isdecimal():
        return
    yield from (host, port)
    for name, value in environ.items():
        if name.startswith(f"{port}_") and value.isdecimal():
            yield name

"""Evaluates one rule in a process of its own, which may take all its time and memory and is ended.

A rule that walks a list can hold the interpreter for seconds, so that no request would be answered
meanwhile. Started as a file, without this package: JSON comes in, one word goes out.
"""

import json
import sys

try:
    import resource
except ImportError:  # Windows, where the time-out alone ends it
    resource = None  # type: ignore[assignment]

SECONDS = 1
BYTES = 2**30


def main(place: str) -> None:
    """Read the expression and what it is about, print `true`, `false` or `neither`."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path.append(place)
    from cel_expr_python import cel  # type: ignore[import-untyped]

    given = json.load(sys.stdin)
    kinds = {"self": cel.Type.DYN, "oldSelf": cel.Type.DYN, "environment": cel.Type.STRING}
    program = cel.NewEnv(variables=kinds).compile(given["rule"])
    answer = program.eval(data=given["data"]).value()
    print("true" if answer is True else "false" if answer is False else "neither")


if __name__ == "__main__":
    main(sys.argv[1])

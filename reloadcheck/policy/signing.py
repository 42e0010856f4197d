"""Signatures by `ssh-keygen`: made with a person's key, verified against allowed signers.

Runs the program in the caller's thread, each call for a few seconds at the most; never on the
request path.
"""

import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from os import path as paths
from pathlib import Path
from typing import Final

from ..types import printable
from .statement import UnsignedError

NAMESPACE: Final = "reloadcheck"
_SECONDS: Final = 10.0


def verified(signed: bytes, signature: str, signers: str, at: float) -> str:
    """Return who made a signature; raise `UnsignedError` where nobody allowed did.

    `at` is the time, in seconds since the epoch, at which the key must be valid.
    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise UnsignedError("ssh-keygen is not on this machine: install openssh-client")
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y%m%d%H%M%SZ")
    with tempfile.TemporaryDirectory(prefix="reloadcheck-") as directory:
        file = paths.join(directory, "signature")
        Path(file).write_text(signature, encoding="ascii", errors="replace")
        found = _run(
            [program, "-Y", "find-principals", "-s", file, "-f", signers,
             "-O", f"verify-time={moment}"], b"",
        )  # fmt: skip
        people = [line.strip() for line in found.stdout.decode(errors="replace").split("\n")]
        people = [one for line in people for one in line.split(",") if one]
        if found.returncode != 0 or not people:
            raise UnsignedError("its signature is by nobody among the approvers")
        words = ""
        for one in people:
            done = _run(
                [program, "-Y", "verify", "-f", signers, "-I", one, "-n", NAMESPACE, "-s", file,
                 "-O", f"verify-time={moment}"], signed,
            )  # fmt: skip
            if done.returncode == 0:
                return one
            words = (done.stderr + done.stdout).decode(errors="replace").lower()
    for word, reason in (
        ("namespace", f"its signature is for another purpose than {NAMESPACE!r}"),
        ("expired", "the signer's key has expired"),
        ("not valid", "the signer's key is not valid at this time"),
        ("incorrect signature", "its signature is of other lines than these"),
    ):
        if word in words:
            raise UnsignedError(reason)
    raise UnsignedError(f"the signature of {printable(people[0])} does not hold")


def _run(command: list[str], given: bytes) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            command, input=given, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnsignedError(f"ssh-keygen did not answer: {type(error).__name__}") from None


def signature_by(key: str, text: str) -> str:
    """Return an armoured signature over a text; raise `UnsignedError` where there is none.

    `key` is a file: a private key, or a public one whose other half the agent or a hardware key
    has. Whoever sits at the terminal may be asked for a pass phrase, or to touch the key.
    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise UnsignedError("ssh-keygen is not on this machine: install openssh-client")
    command = [program, "-Y", "sign", "-q", "-f", key, "-n", NAMESPACE]
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=False)
    if done.returncode != 0 or not done.stdout.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        raise UnsignedError("ssh-keygen has signed nothing; what it said stands above")
    return done.stdout.decode("ascii", "replace")

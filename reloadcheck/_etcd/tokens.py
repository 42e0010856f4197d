"""The token of a user, which all clients of a process share: one authentication costs etcd 0.1 s.

After a restart of etcd every token is gone, and a thousand workers at once would stop it: each
waits for a time of its own. A wrong password is not tried in a loop.
"""

import os
import random
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

from ..exceptions import StoreError, StoreLostError

__all__ = ["CHANCE", "FIRST", "LONGEST", "SlowError", "Token", "token_for"]

FIRST: Final = 10.0
"""Seconds over which workers spread their first try after all tokens were lost."""

LONGEST: Final = 60.0
"""Seconds over which they spread the next, where a server was too busy or has refused."""

CHANCE: Final = random.SystemRandom()  # forks share the state of any other


class SlowError(StoreLostError):
    """No answer in time: whoever it was may be too busy."""


class Token:
    """One user's token at one cluster; thread-safe.

    `password` is asked at each authentication, so that a function can give one that was rotated.
    """

    def __init__(self, password: str | Callable[[], str] | None) -> None:
        self._password = password
        self._made_for(os.getpid())
        self._value: str | None = None
        self._not_before = 0.0
        self._refused: str | None = None
        self._why = ""

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self._lock = threading.Lock()  # the parent's may be held by a thread that is not here

    def get(self, authenticate: Callable[[str], str]) -> str:
        """Return the token, or what `authenticate` gives for the password; raise `StoreError`."""
        if self._pid != os.getpid():
            self._made_for(os.getpid())
        with self._lock:
            if self._value is not None:
                return self._value
            password = self._asked()
            left = self._not_before - time.monotonic()
            rotated = self._refused is not None and password != self._refused
            if left > 0 and not rotated:
                raise StoreLostError(f"waits up to {left:.0f} s to authenticate{self._why}")
            try:
                self._value = authenticate(password)
            except SlowError:
                self._wait(LONGEST, " anew: the server was too busy")
                raise
            except StoreLostError as error:
                if "authentication failed" in str(error):
                    self._refused = password
                    self._wait(LONGEST, " anew: user and password were refused")
                raise
            self._refused = None
            self._why = ""
            return self._value

    def drop(self, value: str, *, herd: bool) -> None:
        """Forget a token that was refused; `herd`: others lose theirs now, too."""
        with self._lock:
            if self._value == value:
                self._value = None
                self._not_before = 0.0
                if herd:
                    self._wait(FIRST, " anew, as others have to")

    def _asked(self) -> str:
        try:
            return (self._password() if callable(self._password) else self._password) or ""
        except StoreError:
            raise
        except Exception as error:  # a function of the application's
            words = f"what gives the password raised {type(error).__name__}"
        raise StoreLostError(words)

    def _wait(self, longest: float, why: str) -> None:
        self._not_before = time.monotonic() + CHANCE.uniform(0.1, 1.0) * longest
        self._why = why


_known: "weakref.WeakValueDictionary[object, Token]" = weakref.WeakValueDictionary()


def token_for(
    cluster: object, user: str | None, password: str | Callable[[], str] | None
) -> Token | None:
    """Return the token that clients with the same user share; None without a user."""
    if user is None:
        return None
    key = (cluster, user, password)
    return _known.setdefault(key, Token(password))

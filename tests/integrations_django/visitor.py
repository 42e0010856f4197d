"""Somebody who works in the admin of a site, by a browser's means, while its database changes."""

import threading
from types import TracebackType
from typing import Self

import requests

__all__ = ["NAME", "PASSWORD", "Visitor"]

NAME, PASSWORD = "staff", "a staff password"
SECONDS = 30


class Visitor:
    """Logs in, reads the list of orders and logs out again, from enter to exit."""

    def __init__(self, port: int) -> None:
        self.visits = 0
        self.failures: list[str] = []
        self._admin = f"http://127.0.0.1:{port}/admin/"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(SECONDS + 5)

    def _run(self) -> None:
        while not self._over.wait(0.02):
            try:
                with requests.Session() as session:
                    self._visit(session)
            except (requests.RequestException, KeyError, AssertionError) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            self.visits += 1

    def _visit(self, session: requests.Session) -> None:
        self._ask(session, "login/", "Log in")
        self._post(session, "login/", "Site administration", username=NAME, password=PASSWORD)
        self._ask(session, "shop/order/", "Select order to change")
        self._post(session, "logout/", "Logged out")

    def _ask(self, session: requests.Session, path: str, words: str) -> None:
        self._told(session.get(self._admin + path, timeout=SECONDS), words)

    def _post(self, session: requests.Session, path: str, words: str, **fields: str) -> None:
        fields |= {"csrfmiddlewaretoken": session.cookies["csrftoken"], "next": "/admin/"}
        if path == "logout/":
            del fields["next"]
        headers = {"Referer": self._admin}
        answer = session.post(self._admin + path, fields, headers=headers, timeout=SECONDS)
        self._told(answer, words)

    def _told(self, answer: requests.Response, words: str) -> None:
        assert words in answer.text, f"{answer.status_code} of {answer.url} is not {words!r}"

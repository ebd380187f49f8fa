"""Trouble on demand: rows that slow requests down, refuse them or hang up. Set in process, for tests."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sandbox.apiserver.problems import CODES, Problem
from sandbox.apiserver.requests import Request

REASONS = {code: reason for reason, code in CODES.items() if reason not in ("AlreadyExists",)}


@dataclass(slots=True)
class Fault:
    """Which requests are hit ("" is any) and what happens to them: seconds of delay, then `code` (0: none).

    `hang_up` closes the connection without an answer. `times` is how often it still happens; None is for ever.
    `after` does the work first and spoils only the answer, as a network that fails at the wrong moment does.
    """

    verb: str = ""
    resource: str = ""
    user: str = ""
    name: str = ""
    delay: float = 0.0
    code: int = 0
    hang_up: bool = False
    after: bool = False
    times: int | None = None

    def hits(self, request: Request) -> bool:
        """Whether the request is one of those meant."""
        wanted = (self.verb, self.resource, self.user, self.name)
        found = (request.verb, request.plural, request.user.name, request.name)
        return all(not want or want == have for want, have in zip(wanted, found, strict=True))

    def problem(self) -> Problem:
        """The refusal."""
        reason = REASONS.get(self.code, "InternalError")
        details = {"retryAfterSeconds": 1} if self.code == 429 else None
        return Problem(reason, f"a fault that was set for tests ({self.code})", details, self.code)


class Faults:
    """The table of faults; rows may be added and taken away while the server runs."""

    def __init__(self) -> None:
        self._rows: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        """Put a row in; the answer can be given to `remove`."""
        with self._lock:
            self._rows.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take a row out."""
        with self._lock:
            self._rows = [one for one in self._rows if one is not fault]

    def clear(self) -> None:
        """Take all rows out."""
        with self._lock:
            self._rows = []

    def strike(self, request: Request) -> Fault | None:
        """The row that hits this request, counted."""
        if not self._rows:
            return None
        with self._lock:
            for fault in self._rows:
                if fault.times != 0 and fault.hits(request):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

"""The controller's log: one line an event, each named in one table; text for people, JSON lines for machines."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any, Literal

from render.errors import readable

Format = Literal["text", "json"]

EVENTS: Mapping[str, str] = {
    "started": "the controller began to work",
    "stopped": "the controller ended",
    "standby": "another controller holds the site's Lease",
    "revision": "another commit is acted on",
    "fleet-invalid": "the commit's fleet is wrong; the last good one is kept",
    "git-unreachable": "Git could not be read or written",
    "remote": "people have pointed the site at another Git server",
    "git-reachable": "Git answers again",
    "cluster-unreachable": "the site's API server could not be read or written",
    "platform": "the platform's mode or progress changed",
    "unit-invalid": "an application or platform folder cannot be rendered",
    "state": "an application's state at this site changed",
    "waiting": "an application waits for something",
    "held": "an application is held until somebody lifts the hold",
    "applied": "an object was created or changed",
    "started-workload": "a workload was given its start value",
    "pruned": "an object was deleted",
    "kept": "an object that Git no longer has was kept",
    "no-longer-managed": "an application was removed from Git; what it had is left as it is",
    "contested": "somebody else keeps changing what Git sets",
    "failed": "something could not be done; it is tried again",
    "guard-started": "the guard began to work",
    "guard-ended": "the guard ended",
    "guard-closed": "the guard closed an application's gate",
    "guard-stopped": "the guard gave an object its stopped value, or the role secondary",
    "guard-alarm": "the guard found what people must look at",
    "guard-failed": "the guard could not do something; it tries again",
}
"""Every event's name and what it means."""


class Log:
    """Writes events of one site. Safe to call from several threads; a repeated event of the same subject is silent."""

    def __init__(self, site: str, form: Format, stream: IO[str] | None = None) -> None:
        self._site = site
        self._form = form
        self._stream = stream or sys.stdout
        self._lock = threading.Lock()
        self._said: dict[tuple[str, str], str] = {}

    def say(self, event: str, message: str, **fields: Any) -> None:
        """Write one event; `fields` are application, epoch, revision and the like, where they exist."""
        if event not in EVENTS:
            raise KeyError(f"{event} is not in the table of events")
        now = datetime.now(UTC)
        known = {key: value for key, value in fields.items() if value is not None}
        if self._form == "json":
            line = json.dumps(
                {"time": now.isoformat(timespec="milliseconds"), "site": self._site, "event": event, **known}
                | {"message": message}
            )
        else:
            labels = "".join(f" {key}={value}" for key, value in known.items())
            line = f"{now:%H:%M:%S}.{now.microsecond // 1000:03d} {self._site} {event}{labels}: {readable(message)}"
        with self._lock:
            print(line, file=self._stream, flush=True)

    def change(self, event: str, subject: str, message: str, **fields: Any) -> None:
        """Write an event about a subject unless it would say what was said last about it. "" clears it silently."""
        with self._lock:
            if self._said.get((event, subject), "") == message:
                return
            self._said[event, subject] = message
        if message:
            self.say(event, message, **fields)

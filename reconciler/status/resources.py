"""The status of Site and SiteApplication as values, computed from what a pass found and nothing else.

Pure: a report in, plain dicts out. What changes by itself from second to second (how long a wait has lasted) is left
to whoever shows it, so that a site where nothing happens writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.failover.protocol.decisions import Hold, Wait
from reconciler.fleet.durations import show

MOST_PROBLEMS = 10
"""How many problems a status lists: one cause often has many objects, and a status has to stay small."""


def application_status(
    *,
    role: str,
    epoch: int,
    state: str,
    revision: str,
    done: int,
    total: int,
    waits: Sequence[Wait],
    holds: Sequence[Hold],
    unfinished: Sequence[tuple[str, str]],
    error: str,
    problems: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """`.status` of a SiteApplication, without `since`."""
    status: dict[str, Any] = {
        "role": role,
        "epoch": epoch,
        "state": state,
        "revision": revision,
        "ready": f"{done}/{total}",
        "message": error or message(waits, holds, unfinished),
    }
    if waits:
        status["waits"] = [_wait(wait) for wait in waits]
    if holds:
        status["holds"] = [
            {"reason": hold.reason, "message": hold.message, "liftedBy": hold.lifted_by} for hold in holds
        ]
    return status | _problems(problems)


def site_status(
    *,
    fleet: str,
    state: str,
    revision: str,
    run_level: str,
    done: int,
    total: int,
    payload: str,
    text: str,
    problems: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """`.status` of the Site."""
    status = {
        "fleet": fleet,
        "state": state,
        "revision": revision,
        "runLevel": run_level,
        "ready": f"{done}/{total}",
        "payload": payload,
        "message": text,
    }
    return status | _problems(problems)


def _problems(problems: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What does not get well by waiting: the first ones, by object."""
    shown = [{"object": name, "message": text} for name, text in problems[:MOST_PROBLEMS]]
    return {"problems": shown} if shown else {}


def message(waits: Sequence[Wait], holds: Sequence[Hold], unfinished: Sequence[tuple[str, str]]) -> str:
    """The first thing that a person should know: a hold, else a wait, else an object that is not done."""
    if holds:
        return f"held: {holds[0].message}; {holds[0].lifted_by}"
    if waits:
        return f"waits for {waits[0].on}: {waits[0].because}"
    return f"{unfinished[0][0]}: {unfinished[0][1]}" if unfinished else ""


def _wait(wait: Wait) -> dict[str, str]:
    shown = {"on": wait.on, "because": wait.because}
    return shown if wait.at_most is None else shown | {"atMost": show(wait.at_most)}

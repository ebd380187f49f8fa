"""The verdict on one object, and the few ways to say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["Healthy", "Progressing", "Failed", "Suspended", "Terminating", "NoRule"]


@dataclass(frozen=True, slots=True)
class Health:
    """`reason` is a word in CamelCase that programs may compare, `message` a sentence for people."""

    state: State
    reason: str = ""
    message: str = ""


def healthy(reason: str = "", message: str = "") -> Health:
    """As it should be."""
    return Health("Healthy", reason, message)


def progressing(reason: str, message: str) -> Health:
    """Not there yet; may get there by itself."""
    return Health("Progressing", reason, message)


def failed(reason: str, message: str) -> Health:
    """Will not get there without somebody doing something."""
    return Health("Failed", reason, message)


def suspended(reason: str, message: str) -> Health:
    """Held still on purpose."""
    return Health("Suspended", reason, message)

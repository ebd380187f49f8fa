"""The reconciler's branches of the one exception tree (root and input errors: `render.errors`).

SiteshiftError
├── UsageError               the command line was used wrongly (exit code 2)
├── SourceError              Git could not be read or written
│   ├── PushRefused          the server did not take the push: somebody else was faster, or a rule forbids it
│   └── HistoryRewound       a ref no longer descends from what was last seen
├── ClusterError             the API server refused, failed or could not be reached
│   ├── Unreachable          no answer: nothing may be concluded from it
│   ├── NotFound             the object (or its kind) is not there
│   ├── AlreadyExists        a create found the object there
│   ├── Conflict             the resourceVersion or a field's owner is another one: read again
│   ├── Refused              admission or authorisation said no
│   ├── Invalid              the object is not valid
│   └── Expired              a watch or continuation is too old: list again
└── FleetError (an InputError) the fleet's own files
"""

from __future__ import annotations

import traceback
from pathlib import PurePath

from render.errors import InputError, InputErrors, SiteshiftError

__all__ = [
    "AlreadyExists",
    "ClusterError",
    "Conflict",
    "Expired",
    "FleetError",
    "HistoryRewound",
    "InputError",
    "InputErrors",
    "Invalid",
    "NotFound",
    "PushRefused",
    "Refused",
    "SiteshiftError",
    "SourceError",
    "Unreachable",
    "UsageError",
    "unexpected",
]


class UsageError(SiteshiftError):
    """The command line was used wrongly; exit code 2."""


class SourceError(SiteshiftError):
    """Git could not be read or written. Holds the last good state."""


class PushRefused(SourceError):
    """The server did not take a push: the ref moved meanwhile, or a rule of the server forbids it."""


class HistoryRewound(SourceError):
    """A ref no longer descends from the commit that was last seen there."""


class ClusterError(SiteshiftError):
    """The API server refused, failed or could not be reached. `status` is the HTTP status, 0 without an answer."""

    def __init__(self, message: str, *, status: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Unreachable(ClusterError):
    """No answer; nothing may be concluded from it."""


class NotFound(ClusterError):
    """The object, or its kind, is not there."""


class AlreadyExists(ClusterError):
    """A create found the object there."""


class Conflict(ClusterError):
    """Another resourceVersion, or a field owned by another manager: read again."""


class Refused(ClusterError):
    """Admission or authorisation said no (401, 403, or 422 from a policy)."""


class Invalid(ClusterError):
    """The API server finds the object invalid."""


class Expired(ClusterError):
    """A watch or a continued list is too old (410): list again."""


class FleetError(InputError):
    """One of the fleet's own files is wrong."""


def unexpected(error: Exception) -> str:
    """One line for an exception that is no error of ours: a bug, with the place where it was raised."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"a bug: {type(error).__name__}: {error} ({PurePath(place.filename).name}:{place.lineno})"

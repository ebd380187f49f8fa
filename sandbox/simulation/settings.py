"""Latencies and faults of a simulated site, changed while it runs by writing a JSON file."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.clock import Clock, SystemClock
from reconciler.errors import UsageError

LOOK_INTERVAL = 0.3
"""Seconds between two looks at the file's modification time."""

Names = tuple[str, ...]
"""Patterns of `namespace/name` as in a shell: `ledger/*`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All times in seconds. Faults name the objects that they meet by patterns of `namespace/name`."""

    pod_start: float = 0.2
    """From a pod's binding to a node until it is ready."""
    pod_stop: float = 0.1
    """From a pod's deletion until it is gone."""
    job_run: float = 0.3
    """How long a Job's pod runs."""
    guest_start: float = 0.1
    """From a running virt-launcher pod to a running instance."""
    guest_boot: float = 0.5
    """From a running instance until its guest agent answers and its first record is written."""
    guest_stop: float = 0.2
    """A guest's orderly shutdown; one that ignores it is killed at the end of its grace period."""
    retry_base: float = 0.5
    """A failed start is tried again after base·n² (KubeVirt: 10)."""
    retry_cap: float = 2.0
    """The longest such pause (KubeVirt: 300)."""
    write_rate: float = 20.0
    """Records that each guest writes to each of its volumes, per second."""
    replication_interval: float = 1.0
    """Between two passes of a secondary array."""
    report_interval: float = 5.0
    """Between two updates of a primary's lastSyncTime in the API."""
    promote_time: float = 0.1
    demote_time: float = 0.1
    settle_interval: float = 0.2
    """Between the passes that a secondary needs (csi-addons: 15 and 30)."""
    nodes: int = 2
    scale_down_wait: float = 5.0
    """How long an autoscaler waits before it scales down, unless it says so itself (Kubernetes: 300)."""
    load: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Load of workloads by patterns of `namespace/name`: percent of what one pod requests, over all of its pods."""

    link_cut: bool = False
    """The array's link to its peers."""
    ignore_shutdown: Names = ()
    """Virtual machines whose guests ignore a shutdown."""
    crash: Names = ()
    """Virtual machines whose guests crash as soon as they have booted."""
    never_ready: Names = ()
    """Pods that run and never become ready."""
    refuse_promote: Names = ()
    """VolumeReplications or groups whose promotion fails, even with force."""
    refuse_demote: Names = ()
    stuck_attachment: Names = ()
    """Claims whose volume stays attached when nothing uses it any more."""


def meets(patterns: Names, namespace: str, name: str) -> bool:
    """Whether a fault names this object."""
    return any(fnmatch.fnmatchcase(f"{namespace}/{name}", pattern) for pattern in patterns)


def first_match(values: Mapping[str, float], namespace: str, name: str) -> float | None:
    """The value of the first pattern that names this object; None if none does."""
    return next((value for pattern, value in values.items() if meets((pattern,), namespace, name)), None)


def parse_settings(text: str, *, path: str) -> Settings:
    """Settings from JSON; a field that is not named keeps its default. UsageError for anything unknown or ill typed."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{path}: the settings are no JSON: {error}") from error
    if not isinstance(given, dict):
        raise UsageError(f"{path}: the settings must be a JSON object")
    known = {field.name: getattr(Settings(), field.name) for field in dataclasses.fields(Settings)}
    for name in given:
        if name not in known:
            raise UsageError(f"{path}: there is no setting {name!r}; known are {', '.join(sorted(known))}")
    return Settings(**{name: _typed(name, value, known[name], path) for name, value in given.items()})


def _typed(name: str, value: Any, default: Any, path: str) -> Any:
    if isinstance(default, bool):
        good, wanted = isinstance(value, bool), "true or false"
    elif isinstance(default, float | int):
        good, wanted = _is_number(value), "a number from 0"
    elif isinstance(default, Mapping):
        good = isinstance(value, dict) and all(map(_is_number, value.values()))
        wanted = "an object of namespace/name patterns and numbers from 0"
    else:
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
        wanted = "a list of namespace/name patterns"
    if not good:
        raise UsageError(f"{path}: setting {name} must be {wanted}, not {json.dumps(value)}")
    return tuple(value) if isinstance(value, list) else type(default)(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def write_settings(path: Path, changes: Mapping[str, Any]) -> None:
    """Change some settings of a running site: the file is replaced at once, other fields stay."""
    current = json.loads(path.read_text()) if path.exists() else {}
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_text(json.dumps(current | dict(changes), indent=1))
    scratch.replace(path)


class SettingsFile:
    """The settings in force: read at the start, and again whenever the file has changed.

    A change that cannot be read is reported once and leaves the last good settings in force.
    """

    def __init__(self, path: Path | None, *, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._seen = self._stamp()
        self.current = self._read() if self._seen is not None else Settings()

    def follow(self, stopping: threading.Event, changed: Callable[[Settings], None]) -> None:
        """Look at the file until told to stop; `changed` is called with each new value."""
        while not self._clock.wait(stopping, LOOK_INTERVAL):
            if self.look():
                changed(self.current)

    def look(self) -> bool:
        """Read the file if it changed; whether other settings are in force now."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            fresh = self._read() if stamp is not None else Settings()
        except UsageError as error:
            print(f"simulation: {error}; the settings stay as they were", file=sys.stderr, flush=True)
            return False
        changed, self.current = fresh != self.current, fresh
        return changed

    def _stamp(self) -> tuple[int, int, int] | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> Settings:
        assert self._path is not None
        return parse_settings(self._path.read_text(), path=str(self._path))

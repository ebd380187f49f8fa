"""Rendering beside the passes: in processes that can be killed, so that no application's files hold up another's.

A pass waits for a unit while it can expect it in a moment. What takes longer is an error of that unit until it is
rendered or its time is over; its last good definition stays. Results are kept, and cross the pipe once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.clock import Clock
from reconciler.controller.render_limits import FIRST_PAUSE, KEPT, LANES, LONGEST_PAUSE, PATIENCE, SECONDS
from reconciler.errors import InputError, unexpected
from reconciler.worker import Worker
from render.kustomization import Origin
from render.site import SiteManifest, Unit

MODULE = "reconciler.controller.render_worker"

Objects = tuple[SiteManifest, ...]


class RenderStopped(InputError):
    """Rendering was ended from outside: it took more time or memory than it may."""


@dataclass(frozen=True, slots=True)
class BasesSettings:
    """How bases of elsewhere are fetched; see `Bases`."""

    folder: Path
    credentials: Path | None
    timeout: float


@dataclass(slots=True)
class _Job:
    """One unit at one commit: waited for, then rendered since `started`, then `done`."""

    unit: Unit
    commit: str
    request: Mapping[str, Any]
    seconds: float
    started: float | None = None
    done: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _Failed:
    """Why a unit cannot be rendered at a commit, how often that was found, and when it is tried again."""

    error: InputError
    times: int
    again: float


class RenderService:
    """Renders units at commits of one mirror. Safe for several threads; `close` ends its processes."""

    def __init__(self, repository: Path, bases: BasesSettings, clock: Clock) -> None:
        self._repository = repository
        self._bases = bases
        self._clock = clock
        self._lock = threading.Condition()
        self._results: dict[Unit, OrderedDict[str, Objects | _Failed]] = {}
        self._waiting: OrderedDict[Unit, _Job] = OrderedDict()
        self._lanes: list[_Lane] = []
        self._stopped_before: set[tuple[str, str]] = set()
        self._closed = False

    def render(self, commit: str, unit: Unit, hosts: tuple[str, ...]) -> Objects:
        """The unit's objects; the same tuple for as long as nothing that it is made of changes. `hosts` may be asked
        for bases. Raises `InputError` for what cannot be rendered, or not yet."""
        with self._lock:
            found = self._kept(unit, commit)
            job = self._job(unit, commit, hosts) if found is None else None
        if job is not None:
            self._await(job)
            with self._lock:
                found = self._found_at(unit, commit)
        if found is None:
            raise InputError(
                f"{unit.folder or unit.name} is still being rendered; its time is over after {SECONDS:g} seconds",
                path=unit.folder or None,
            )
        if isinstance(found, _Failed):
            raise found.error
        return found

    def close(self) -> None:
        """End the processes; nothing is rendered any more."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._lock.notify_all()
            lanes = list(self._lanes)
        for lane in lanes:
            lane.close()

    def _found_at(self, unit: Unit, commit: str) -> Objects | _Failed | None:
        kept = self._results.get(unit)
        return None if kept is None else kept.get(commit)

    def _kept(self, unit: Unit, commit: str) -> Objects | _Failed | None:
        """What is known; None where it has to be rendered, perhaps again."""
        found = self._found_at(unit, commit)
        if isinstance(found, _Failed) and self._clock.monotonic() >= found.again:
            return None
        return found

    def _job(self, unit: Unit, commit: str, hosts: tuple[str, ...]) -> _Job:
        """The job of a unit at a commit, which is made where there is none."""
        for lane in self._lanes:
            if lane.job is not None and (lane.job.unit, lane.job.commit) == (unit, commit):
                return lane.job
        job = self._waiting.get(unit)
        if job is None or job.commit != commit:
            if job is not None:
                job.done.set()  # overtaken: nobody need wait for it
            job = self._waiting[unit] = self._new_job(unit, commit, hosts)
            if not self._lanes:
                self._start_lane()
            self._lock.notify_all()
        return job

    def _new_job(self, unit: Unit, commit: str, hosts: tuple[str, ...]) -> _Job:
        bases = self._bases
        known = reversed(self._results.get(unit, OrderedDict()).items())
        have = next((at for at, found in known if not isinstance(found, _Failed)), None)
        asked = {
            "folder": str(bases.folder),
            "hosts": list(hosts),
            "credentials": None if bases.credentials is None else str(bases.credentials),
            "timeout": bases.timeout,
        }
        request = {
            "repository": str(self._repository),
            "commit": commit,
            "unit": list(unit),
            "have": have,
            "bases": asked if hosts else None,
        }
        return _Job(unit, commit, request, SECONDS + (bases.timeout if hosts else 0.0))

    def _await(self, job: _Job) -> None:
        """Wait for a job while it, or what it waits for, can be expected to end in a moment."""
        while not job.done.is_set():
            with self._lock:
                left = self._patience(job)
                if left <= 0 and job.started is None and len(self._lanes) < LANES and not self._closed:
                    self._start_lane()
                    left = PATIENCE
            if left <= 0:
                return
            self._clock.wait(job.done, left)

    def _patience(self, job: _Job) -> float:
        """How many seconds a pass waits before it asks again; none left where every lane is held by a slow unit."""
        if self._closed:
            return 0.0
        now = self._clock.monotonic()
        if job.started is not None:
            return PATIENCE - (now - job.started)
        running = [lane.job.started for lane in self._lanes if lane.job is not None and lane.job.started is not None]
        if len(running) < len(self._lanes):
            return PATIENCE if self._may_run(job) else 0.0
        return max(PATIENCE - (now - started) for started in running)

    def _start_lane(self) -> None:
        lane = _Lane(self)
        self._lanes.append(lane)
        lane.start()

    def _may_run(self, job: _Job) -> bool:
        """An application has one lane at most, and all those that were stopped before share one."""
        busy = {_owner(lane.job.unit) for lane in self._lanes if lane.job is not None}
        owner = _owner(job.unit)
        return owner not in busy and not (owner in self._stopped_before and busy & self._stopped_before)

    def take(self, lane: _Lane) -> _Job | None:
        """The next job of a lane, waited for; None when there will be none."""
        with self._lock:
            while not self._closed:
                job = next((job for job in self._waiting.values() if self._may_run(job)), None)
                if job is not None:
                    del self._waiting[job.unit]
                    job.started, lane.job = self._clock.monotonic(), job
                    return job
                self._lock.wait()
        return None

    def finish(self, lane: _Lane, job: _Job, answer: dict[str, Any] | InputError) -> None:
        """Keep what came of a job."""
        with self._lock:
            lane.job = None
            kept = self._results.setdefault(job.unit, OrderedDict())
            found = self._found(job, answer, kept)
            if found is not None:
                kept[job.commit] = found
                kept.move_to_end(job.commit)
                while len(kept) > KEPT:
                    kept.popitem(last=False)
            if isinstance(answer, RenderStopped):
                self._stopped_before.add(_owner(job.unit))
            elif not isinstance(found, _Failed):
                self._stopped_before.discard(_owner(job.unit))
            self._lock.notify_all()
        job.done.set()

    def _found(
        self, job: _Job, answer: dict[str, Any] | InputError, kept: Mapping[str, Objects | _Failed]
    ) -> Objects | _Failed | None:
        if isinstance(answer, InputError):
            before = kept.get(job.commit)
            times = before.times + 1 if isinstance(before, _Failed) else 0
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(times, 16))
            return _Failed(answer, times, self._clock.monotonic() + pause)
        if "same" in answer:
            return kept.get(str(job.request["have"]))
        return tuple(
            SiteManifest(manifest, level, component, Origin(path, document), position)
            for manifest, level, component, path, document, position in answer["objects"]
        )


class _Lane:
    """A process that renders one unit after the other, and the thread that waits for it."""

    def __init__(self, service: RenderService) -> None:
        self.job: _Job | None = None
        self._service = service
        self._worker = Worker(MODULE, RenderStopped)
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def close(self) -> None:
        """Kill the process, whatever it does, and end the thread."""
        self._worker.close()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        self._start_process()
        while (job := self._service.take(self)) is not None:
            self._service.finish(self, job, self._rendered(job))
            self._start_process()
        self._worker.close()

    def _start_process(self) -> None:
        """Before a job is taken, so that its time is its own; what fails here fails again for the job, and is told."""
        with suppress(RenderStopped):
            self._worker.start()

    def _rendered(self, job: _Job) -> dict[str, Any] | InputError:
        what = f"rendering {job.unit.folder or job.unit.name}"
        try:
            answer = self._worker.call(job.request, job.seconds, what)
        except RenderStopped as stopped:
            return RenderStopped(stopped.message, path=job.unit.folder or None, hint=_HINT)
        except Exception as error:  # this thread must outlive it
            return InputError(unexpected(error))
        if "error" not in answer:
            return answer
        if answer.get("spent"):
            self._worker.close()
            return RenderStopped(answer["error"]["message"], path=job.unit.folder or None, hint=_HINT)
        return InputError(**answer["error"])


_HINT = "make what is rendered smaller, or its patterns simpler; the last good definition stays"


def _owner(unit: Unit) -> tuple[str, str]:
    return unit.label, unit.name

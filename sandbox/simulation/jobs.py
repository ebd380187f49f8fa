"""Jobs: pods until enough have succeeded, none while suspended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.errors import Refused
from reconciler.objects import Manifest
from sandbox.simulation.deployments import MANAGER, pod_of
from sandbox.simulation.engine import Key, KindId
from sandbox.simulation.pods import ENDED, is_ready
from sandbox.simulation.world import (
    POD,
    Retries,
    World,
    condition,
    condition_of,
    counts,
    key_of,
    owner_key,
    short_hash,
    timestamp,
    with_conditions,
)

JOB: KindId = ("batch/v1", "Job")


class Jobs:
    """Runs each Job's pods to completion."""

    name = "jobs"
    watched = (JOB, POD)

    def __init__(self, world: World) -> None:
        self._world = world
        self._retries = Retries(world)

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The Job itself, or the owner of a pod."""
        return [key_of(manifest)] if manifest["kind"] == "Job" else owner_key(manifest, "Job")

    def reconcile(self, key: Key) -> float | None:
        """One Job, one step."""
        job = self._world.get(JOB, *key)
        if job is None or "deletionTimestamp" in job["metadata"] or is_finished(job):
            return None
        pods = self._world.owned(POD, job)
        active = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in ENDED]
        if job["spec"].get("suspend"):
            for pod in active:
                self._world.delete(pod)
            missing = 0
        else:
            succeeded, failed = ended(pods)
            open_work = 0 if failed > job["spec"].get("backoffLimit", 6) else completions(job) - succeeded
            missing = min(job["spec"].get("parallelism", 1), open_work) - len(active)
        again = self._fill(key, job, pods, missing) if missing > 0 else None
        self._world.set_status(job, job_status(job, pods, active), manager=MANAGER)
        return again

    def _fill(self, key: Key, job: Manifest, pods: list[Manifest], missing: int) -> float | None:
        generation = job["metadata"].get("generation")
        left = self._retries.left(key, generation)
        if left:
            return left
        uid = job["metadata"]["uid"]
        labels = {
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": key[1],
            "controller-uid": uid,
            "job-name": key[1],
        }
        try:
            for number in range(missing):
                name = f"{key[1]}-{short_hash([uid, len(pods) + number], 5)}"
                self._world.create(pod_of(job, name, **labels), manager=MANAGER)
        except Refused:
            self._retries.failed(key, generation)
            return self._retries.left(key, generation)
        self._retries.forget(key)
        return None


def is_finished(job: Manifest) -> bool:
    """Whether the Job has completed or failed."""
    return any(condition_of(job, kind).get("status") == "True" for kind in ("Complete", "Failed"))


def completions(job: Manifest) -> int:
    """How many pods must succeed."""
    return int(job["spec"].get("completions", 1))


def ended(pods: list[Manifest]) -> tuple[int, int]:
    """How many pods have succeeded and failed."""
    phases = [(pod.get("status") or {}).get("phase") for pod in pods]
    return phases.count("Succeeded"), phases.count("Failed")


def job_status(job: Manifest, pods: list[Manifest], active: list[Manifest]) -> dict[str, Any]:
    """The status of a Job whose pods these are."""
    before = job.get("status") or {}
    succeeded, failed = ended(pods)
    suspended = bool(job["spec"].get("suspend"))
    now: list[dict[str, Any]] = []
    status: dict[str, Any] = {
        **counts(active=len(active), succeeded=succeeded, failed=failed),
        "ready": sum(map(is_ready, active)),
        "terminating": sum("deletionTimestamp" in pod["metadata"] for pod in active),
        "uncountedTerminatedPods": {},
    }
    if not suspended:
        status["startTime"] = before.get("startTime") or timestamp()
    if suspended or condition_of(job, "Suspended"):
        reason = "JobSuspended" if suspended else "JobResumed"
        now.append(condition("Suspended", suspended, reason, f"Job {'suspended' if suspended else 'resumed'}"))
    if succeeded >= completions(job):
        text = "Reached expected number of succeeded pods"
        now += [condition(kind, True, "CompletionsReached", text) for kind in ("SuccessCriteriaMet", "Complete")]
        status["completionTime"] = timestamp()
    elif failed > job["spec"].get("backoffLimit", 6):
        text = "Job has reached the specified backoff limit"
        now += [condition(kind, True, "BackoffLimitExceeded", text) for kind in ("FailureTarget", "Failed")]
    if now:
        status["conditions"] = with_conditions(before.get("conditions") or [], now)
    return status

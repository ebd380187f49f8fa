"""HorizontalPodAutoscalers: they scale by resource utilisation, through the subresource `scale` as the real one does.

Nothing runs in a simulated pod, so the load is a setting: `load` gives a workload's whole load in percent of what one
of its pods requests, and it is spread over the ready pods. A workload without an entry has no metrics.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Invalid, Refused
from reconciler.objects import Manifest
from sandbox.simulation.deployments import DEPLOYMENT, MANAGER, REPLICA_SET
from sandbox.simulation.engine import Key, KindId
from sandbox.simulation.settings import first_match
from sandbox.simulation.statefulsets import STATEFUL_SET
from sandbox.simulation.world import World, condition, key_of, timestamp, with_conditions

AUTOSCALER: KindId = ("autoscaling/v2", "HorizontalPodAutoscaler")
TARGETS = (DEPLOYMENT, STATEFUL_SET, REPLICA_SET)
TOLERANCE = 0.1
"""How far the utilisation may be from its target before anything is scaled."""


@dataclass(frozen=True, slots=True)
class Advice:
    """How many pods one look recommends; `utilisation` in percent (None: no metrics, or scaling is off) and why."""

    replicas: int
    utilisation: int | None
    reason: str
    message: str


class Autoscalers:
    """Scales what each HorizontalPodAutoscaler names. Between reconciliations it keeps earlier advice, to scale down
    late."""

    name = "autoscalers"
    watched = (AUTOSCALER, *TARGETS)

    def __init__(self, world: World) -> None:
        self._world = world
        self._advice: dict[Key, list[tuple[float, int]]] = {}

    def keys(self, manifest: Manifest) -> Iterable[Key]:
        """The autoscaler itself, or those that scale a workload."""
        if manifest["kind"] == AUTOSCALER[1]:
            return [key_of(manifest)]
        workload = manifest["kind"], *key_of(manifest)
        return [key_of(found) for found in self._world.items(AUTOSCALER) if _target(found) == workload]

    def reconcile(self, key: Key) -> float | None:
        """One autoscaler, one look."""
        autoscaler = self._world.get(AUTOSCALER, *key)
        if autoscaler is None or "deletionTimestamp" in autoscaler["metadata"]:
            self._advice.pop(key, None)
            return None
        workload = self._workload(autoscaler)
        if workload is None:
            kind, namespace, name = _target(autoscaler)
            absent = condition("AbleToScale", False, "FailedGetScale", f'{kind} "{namespace}/{name}" was not found')
            self._report(autoscaler, {"currentReplicas": 0, "desiredReplicas": 0}, [absent])
            return None
        current = workload["spec"].get("replicas", 1)
        advice = advise(autoscaler, workload, self._load(workload))
        wanted, again = (current, None) if current == 0 else self._stabilised(key, autoscaler, advice.replicas, current)
        limited = bounded(autoscaler, wanted) if current else 0
        able: Mapping[str, Any] = self._scale(workload, limited) if limited != current else _ready_to_scale()
        self._report(
            autoscaler, _numbers(autoscaler, current, limited, advice), [able, *_conditions(advice, wanted, limited)]
        )
        return again

    def _workload(self, autoscaler: Manifest) -> Manifest | None:
        kind, namespace, name = _target(autoscaler)
        known = next((one for one in TARGETS if one[1] == kind), None)
        return None if known is None else self._world.get(known, namespace, name)

    def _load(self, workload: Manifest) -> float | None:
        return first_match(self._world.settings.load, *key_of(workload))

    def _stabilised(self, key: Key, autoscaler: Manifest, advised: int, current: int) -> tuple[int, float | None]:
        """The highest advice of the scale-down window, and when to look again if it holds a scale-down back."""
        now = self._world.monotonic()
        down = autoscaler["spec"].get("behavior", {}).get("scaleDown", {})
        window = down.get("stabilizationWindowSeconds", self._world.settings.scale_down_wait)
        kept = [(at, count) for at, count in self._advice.get(key, [(now, current)]) if now - at < window]
        self._advice[key] = kept = [*kept, (now, advised)]
        highest = max(count for _, count in kept)
        wanted = advised if advised >= current else min(current, highest)
        held = [at for at, count in kept if count > advised]
        return wanted, (max(held) + window - now if wanted > advised and held else None)

    def _scale(self, workload: Manifest, replicas: int) -> Mapping[str, Any]:
        try:
            self._world.scale(workload, replicas, manager=MANAGER)
        except (Refused, Invalid) as error:
            message = f"the HPA controller was unable to update the target scale: {error}"
            return condition("AbleToScale", False, "FailedUpdateScale", message)
        message = f"the HPA controller was able to update the target scale to {replicas}"
        return condition("AbleToScale", True, "SucceededRescale", message)

    def _report(self, autoscaler: Manifest, numbers: Mapping[str, Any], conditions: list[Mapping[str, Any]]) -> None:
        before = autoscaler.get("status") or {}
        status = {"currentMetrics": None, **numbers}
        status["conditions"] = with_conditions(before.get("conditions") or [], conditions)
        if conditions[0].get("reason") == "SucceededRescale":
            status["lastScaleTime"] = timestamp()
        elif "lastScaleTime" in before:
            status["lastScaleTime"] = before["lastScaleTime"]
        self._world.set_status(autoscaler, status, manager=MANAGER)


def advise(autoscaler: Manifest, workload: Manifest, load: float | None) -> Advice:
    """How many pods the load asks for, before limits. `load` is in percent of one pod's request, None if unknown."""
    current = workload["spec"].get("replicas", 1)
    if current == 0:
        message = "scaling is disabled since the replica count of the target is zero"
        return Advice(0, None, "ScalingDisabled", message)
    targets = [
        metric["resource"]["target"]["averageUtilization"]
        for metric in autoscaler["spec"].get("metrics") or ()
        if metric["type"] == "Resource" and metric["resource"]["target"].get("averageUtilization")
    ]
    ready = (workload.get("status") or {}).get("readyReplicas", 0)
    if load is None or not targets or not ready:
        message = "the HPA was unable to compute the replica count: no metrics (setting `load`) or no ready pods"
        return Advice(current, None, "FailedGetResourceMetric", message)
    used = load / ready
    ratio = max(used / target for target in targets)
    replicas = current if abs(ratio - 1) <= TOLERANCE else math.ceil(ready * ratio)
    message = "the HPA was able to successfully calculate a replica count from cpu resource utilization"
    return Advice(replicas, round(used), "ValidMetricFound", message)


def bounded(autoscaler: Manifest, replicas: int) -> int:
    """The number within the autoscaler's limits."""
    spec = autoscaler["spec"]
    least, most = int(spec.get("minReplicas", 1)), int(spec["maxReplicas"])
    return max(least, min(most, replicas))


def _target(autoscaler: Manifest) -> tuple[str, str, str]:
    reference = autoscaler["spec"]["scaleTargetRef"]
    return reference["kind"], key_of(autoscaler)[0], reference["name"]


def _numbers(autoscaler: Manifest, current: int, wanted: int, advice: Advice) -> dict[str, Any]:
    numbers: dict[str, Any] = {"currentReplicas": current, "desiredReplicas": wanted}
    if advice.utilisation is not None:
        numbers["currentMetrics"] = [
            {
                "type": "Resource",
                "resource": {
                    "name": metric["resource"]["name"],
                    "current": {"averageUtilization": advice.utilisation, "averageValue": "0"},
                },
            }
            for metric in autoscaler["spec"].get("metrics") or ()
            if metric["type"] == "Resource"
        ]
    return numbers


def _ready_to_scale() -> Mapping[str, Any]:
    return condition("AbleToScale", True, "ReadyForNewScale", "recommended size matches current size")


def _conditions(advice: Advice, wanted: int, limited: int) -> list[Mapping[str, Any]]:
    active = condition("ScalingActive", advice.utilisation is not None, advice.reason, advice.message)
    if advice.reason == "ScalingDisabled":
        return [active]
    if wanted == limited:
        message = "the desired count is within the acceptable range"
        return [active, condition("ScalingLimited", False, "DesiredWithinRange", message)]
    reason, side = ("TooManyReplicas", "more") if wanted > limited else ("TooFewReplicas", "less")
    bound = "maximum" if wanted > limited else "minimum"
    message = f"the desired replica count is {side} than the {bound} replica count"
    return [active, condition("ScalingLimited", True, reason, message)]

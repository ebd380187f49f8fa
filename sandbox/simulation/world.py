"""What every simulated controller is handed: the objects as last seen, writes in its own name, time and settings."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.clock import Clock, SystemClock
from reconciler.cluster.client import Cluster
from reconciler.cluster.transport import Request
from reconciler.errors import AlreadyExists, Conflict, NotFound
from reconciler.objects import Manifest
from sandbox.simulation.engine import Engine, Key, KindId
from sandbox.simulation.settings import Settings

POD: KindId = ("v1", "Pod")
CLAIM: KindId = ("v1", "PersistentVolumeClaim")
VOLUME: KindId = ("v1", "PersistentVolume")
NODE: KindId = ("v1", "Node")
STORAGE_CLASS: KindId = ("storage.k8s.io/v1", "StorageClass")
ATTACHMENT: KindId = ("storage.k8s.io/v1", "VolumeAttachment")


class World:
    """One site's objects and the means to change them. Writes are taken into the caches at once."""

    def __init__(
        self, cluster: Cluster, engine: Engine, settings: Callable[[], Settings], *, clock: Clock | None = None
    ) -> None:
        self._cluster = cluster
        self._engine = engine
        self._settings = settings
        self._clock = clock or SystemClock()

    @property
    def settings(self) -> Settings:
        """The settings in force now."""
        return self._settings()

    def monotonic(self) -> float:
        """Seconds of the clock that measures latencies."""
        return self._clock.monotonic()

    def items(self, kind: KindId) -> tuple[Manifest, ...]:
        """Every object of a kind."""
        return self._engine.cache(kind).items()

    def get(self, kind: KindId, namespace: str | None, name: str) -> Manifest | None:
        """One object, None if there is none."""
        return self._engine.cache(kind).get(namespace, name)

    def owned(self, kind: KindId, owner: Manifest) -> list[Manifest]:
        """The objects of a kind whose controller is `owner`, by name."""
        uid = owner["metadata"]["uid"]
        mine = [found for found in self.items(kind) if (controller_of(found) or {}).get("uid") == uid]
        return sorted(mine, key=lambda found: str(found["metadata"]["name"]))

    def create(self, manifest: Manifest, *, manager: str) -> bool:
        """Create an object; False if one of that name is there. Raises Refused and the rest."""
        try:
            made = self._cluster.create(manifest, manager=manager)
        except AlreadyExists:
            return False
        self._absorb(made, created=True)
        return True

    def patch(self, manifest: Manifest, body: Mapping[str, Any], *, manager: str) -> Manifest:
        """Merge-patch an object."""
        metadata = manifest["metadata"]
        return self._absorb(
            self._cluster.patch(
                manifest["apiVersion"],
                manifest["kind"],
                metadata.get("namespace"),
                metadata["name"],
                body,
                manager=manager,
            )
        )

    def scale(self, manifest: Manifest, replicas: int, *, manager: str) -> None:
        """Change a workload's number of pods through its Scale, as it was read; Conflict if it moved meanwhile."""
        metadata = manifest["metadata"]
        where = (manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])
        body = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "spec": {"replicas": replicas}}
        self._cluster.patch(*where, body, manager=manager, subresource="scale")

    def set_status(
        self, manifest: Manifest, status: Mapping[str, Any], *, manager: str, whole: bool = False
    ) -> Manifest:
        """Replace the status of the object as it was read, if it differs; Conflict if it moved meanwhile.

        `whole` is for kinds that have no status subresource.
        """
        if manifest.get("status") == status:
            return manifest
        changed = {**manifest, "status": status}
        write = self._cluster.replace if whole else self._cluster.replace_status
        return self._absorb(write(changed, manager=manager))

    def delete(self, manifest: Manifest) -> None:
        """Ask for the deletion of exactly this object; nothing if it is gone or going."""
        metadata = manifest["metadata"]
        if "deletionTimestamp" in metadata:
            return
        with contextlib.suppress(NotFound, Conflict):
            self._cluster.delete(
                manifest["apiVersion"],
                manifest["kind"],
                metadata.get("namespace"),
                metadata["name"],
                uid=metadata["uid"],
            )

    def delete_now(self, manifest: Manifest) -> None:
        """Let an object go without any grace period, as a kubelet does when the containers have ended."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": manifest["metadata"]["uid"]}}
        with contextlib.suppress(NotFound, Conflict):
            self._send("DELETE", manifest, None, {"apiVersion": "v1", "kind": "DeleteOptions", **options})

    def bind(self, pod: Manifest, node: str, *, manager: str) -> None:
        """Give a pod to a node, as the scheduler does."""
        name = pod["metadata"]["name"]
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        self._send("POST", pod, "binding", body, fieldManager=manager)

    def _send(self, method: str, manifest: Manifest, subresource: str | None, body: Any, **query: str) -> None:
        """A request that only schedulers and kubelets make, so that the client has no method for it."""
        namespace, name = key_of(manifest)
        resource = self._cluster.discovery.find(manifest["apiVersion"], manifest["kind"])
        what = f"{subresource or method.lower()} of {manifest['kind']} {namespace}/{name}"
        path = resource.path(namespace, name, subresource)
        self._cluster._transport.send(Request(method, path, what, tuple(query.items()), body, idempotent=False))

    def _absorb(self, manifest: Manifest, *, created: bool = False) -> Manifest:
        """Take the answer to a write into its cache, unless the object has gone meanwhile: that would bring it back."""
        metadata = manifest["metadata"]
        with contextlib.suppress(KeyError):
            cache = self._engine.cache((manifest["apiVersion"], manifest["kind"]))
            ended = "deletionTimestamp" in metadata and not metadata.get("finalizers")
            if created or (not ended and cache.get(metadata.get("namespace"), metadata["name"]) is not None):
                cache.absorb(manifest)
        return manifest


class Delays:
    """When something that was begun will have taken its time; forgotten when the process ends."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._begun: dict[Any, float] = {}

    def left(self, what: Any, seconds: float) -> float:
        """Seconds that are left of a delay that begins with the first question; 0 when it is over."""
        begun = self._begun.setdefault(what, self._world.monotonic())
        return max(0.0, begun + seconds - self._world.monotonic())

    def forget(self, *what: Any) -> None:
        """The next question about these begins anew."""
        for each in what:
            self._begun.pop(each, None)


class Retries:
    """Pauses between failed starts: base·n², capped. Another version of what is started begins anew."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._failures: dict[Key, tuple[int, Any, float]] = {}

    def left(self, key: Key, version: Any) -> float:
        """Seconds until the next try is due; 0 means now."""
        _, failed, until = self._failures.get(key, (0, None, 0.0))
        return max(0.0, until - self._world.monotonic()) if failed == version else 0.0

    def failed(self, key: Key, version: Any) -> int:
        """Note a failed try; how many there were in a row."""
        count, failed, _ = self._failures.get(key, (0, None, 0.0))
        count = count + 1 if failed == version else 1
        settings = self._world.settings
        pause = min(settings.retry_base * count * count, settings.retry_cap)
        self._failures[key] = (count, version, self._world.monotonic() + pause)
        return count

    def forget(self, key: Key) -> None:
        """A try succeeded, or nothing is tried any more."""
        self._failures.pop(key, None)


def key_of(manifest: Manifest) -> Key:
    """Namespace ("" if cluster-scoped) and name."""
    metadata = manifest["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def controller_of(manifest: Manifest) -> Mapping[str, Any] | None:
    """The owner reference of the object's controller."""
    references: list[dict[str, Any]] = manifest["metadata"].get("ownerReferences") or []
    return next((reference for reference in references if reference.get("controller")), None)


def owner_key(manifest: Manifest, kind: str) -> list[Key]:
    """The key of the object's controller if that is of this kind: at most one."""
    owner = controller_of(manifest)
    return [(manifest["metadata"].get("namespace") or "", owner["name"])] if owner and owner["kind"] == kind else []


def owner_reference(owner: Manifest) -> list[dict[str, Any]]:
    """Owner references that make `owner` the controller."""
    metadata = owner["metadata"]
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"]}
    return [{**reference, "uid": metadata["uid"], "controller": True, "blockOwnerDeletion": True}]


def timestamp(seconds: float | None = None) -> str:
    """RFC 3339 in UTC with whole seconds, as the API writes it; now without an argument."""
    moment = datetime.datetime.fromtimestamp(time.time() if seconds is None else seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def short_hash(value: Any, length: int = 10) -> str:
    """A short name for a JSON value or a text: the same for the same content."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:length]


def condition(kind: str, status: bool | str, reason: str = "", message: str = "") -> dict[str, Any]:
    """A condition without its transition time, which `with_conditions` sets; empty texts are left out."""
    text = status if isinstance(status, str) else str(status)
    found = {"type": kind, "status": text, "reason": reason, "message": message}
    return {name: value for name, value in found.items() if value}


def with_conditions(before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Conditions with transition times: the old one where the status stays, else this moment."""
    known = {found["type"]: found for found in before}
    result = []
    for wanted in now:
        old = known.get(wanted["type"])
        same = old is not None and old["status"] == wanted["status"]
        moment = old["lastTransitionTime"] if old is not None and same and "lastTransitionTime" in old else timestamp()
        result.append({**wanted, "lastTransitionTime": moment})
    return result


def condition_of(manifest: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition of an object; empty if it has none of this type."""
    found = (manifest.get("status") or {}).get("conditions") or []
    return next((entry for entry in found if entry["type"] == kind), {})


def counts(**numbers: int) -> dict[str, int]:
    """Counts as most kinds report them: a zero is left out."""
    return {name: number for name, number in numbers.items() if number}

"""One site's API as far as Siteshift uses it, with the gates, on one store behind one or three API servers.

Objects survive everything. What a frozen server knows of permits is what they said when it froze: the creates that wait
in it are judged by that when it wakes up.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.cluster.client import Listing
from reconciler.errors import AlreadyExists, Conflict, NotFound, Refused
from reconciler.failover.admission import permits, policies
from reconciler.objects import SYSTEM_NAMESPACE, Manifest

Key = tuple[str, str, str]
EPOCH = 1_790_000_000.0
VR = "replication.storage.openshift.io/v1alpha1"
GATED = ("Pod", "VirtualMachineInstance")


def copied(value: Any) -> Any:
    """A deep copy of JSON: several times faster than `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: copied(each) if isinstance(each, (dict, list)) else each for key, each in value.items()}
    if isinstance(value, list):
        return [copied(each) if isinstance(each, (dict, list)) else each for each in value]
    return value


def merged(before: Any, body: Any) -> Any:
    """A JSON merge patch."""
    if not isinstance(before, dict) or not isinstance(body, dict):
        return copied(body)
    found = dict(before)
    for name, value in body.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(before.get(name), value)
    return found


@dataclass
class Api:
    """The store of one site and its admission. `applications`: namespace → application. `clock` is the API servers'
    own, in seconds since the story began; `compares`: whether versions are compared (K: a rival's are not)."""

    site: str
    now: Callable[[], float]
    applications: Mapping[str, str]
    server: str = "https://site"
    others: tuple[str, ...] = ()
    uid: str = "first"
    compares: bool = True
    step: float = 0.0
    objects: dict[Key, Manifest] = field(default_factory=dict)
    frozen: dict[str, dict[Key, Manifest]] = field(default_factory=dict)
    changed: Callable[[str, Key, Manifest | None, Manifest], None] = lambda site, key, before, now: None
    watchers: list[Callable[[Manifest], None]] = field(default_factory=list)
    version: int = 0
    refusals: int = 0
    unserved: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("kube-system", SYSTEM_NAMESPACE):
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.put({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "replicated"}})
        digest = hashlib.sha256(f"{self.site} {self.uid}".encode()).hexdigest()
        self.objects["Namespace", "", "kube-system"]["metadata"]["uid"] = str(uuid.UUID(digest[:32]))

    # The part of `Cluster` that Siteshift uses

    @property
    def discovery(self) -> Api:
        return self

    def find(self, api_version: str, kind: str) -> None:
        if kind in self.unserved:
            raise NotFound(f"{kind} is not served")

    def server_time(self) -> float:
        return EPOCH + self.now() + self.step - 0.3

    def server_addresses(self) -> tuple[str, ...]:
        return (self.server, *self.others)

    def endpoint_addresses(self) -> tuple[str, ...]:
        return tuple(each for each in (self.server, *self.others) if each not in self.frozen)

    def at(self, server: str, **_: Any) -> Api:
        return self

    def close(self) -> None:
        pass

    def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> Manifest:
        return copied(self.stored(kind, namespace, name))

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, label_selector: str | None = None
    ) -> Listing:
        name, equals, value = (label_selector or "").partition("=")
        found = []
        for (its, place, _), each in self.objects.items():
            if its != kind or (namespace is not None and place != namespace):
                continue
            labels = each["metadata"].get("labels") or {}
            if not label_selector or (labels.get(name) == value if equals else name in labels):
                found.append(copied(each))
        return Listing(tuple(found), str(self.version))

    def create(self, manifest: Manifest, *, manager: str, dry_run: bool = False) -> Manifest:
        self.admit(manifest, None)
        if dry_run:
            return manifest
        if key_of(manifest) in self.objects:
            raise AlreadyExists(f"{key_of(manifest)} is there")
        return copied(self.put(copied(manifest)))

    def replace(self, manifest: Manifest, *, manager: str, dry_run: bool = False) -> Manifest:
        before = self.stored(manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
        self._compare(before, manifest)
        return copied(self.put(copied(manifest)))

    def apply(self, manifest: Manifest, *, manager: str, force: bool = True, dry_run: bool = False) -> Manifest:
        before = self.objects.get(key_of(manifest))
        if before is None:
            self.admit(manifest, None)
            return copied(self.put(copied(manifest)))
        return copied(self._merge(before, manifest))

    def apply_status(self, manifest: Manifest, *, manager: str, force: bool = True) -> Manifest:
        return self.apply(manifest, manager=manager)

    def patch(
        self, api_version: str, kind: str, namespace: str | None, name: str, body: Any, *, manager: str, **_: Any
    ) -> Manifest:
        before = self.stored(kind, namespace, name)
        if isinstance(body, list):
            return copied(before)
        self._compare(before, body)
        return copied(self._merge(before, body))

    def delete(self, api_version: str, kind: str, namespace: str | None, name: str, **_: Any) -> None:
        self.remove((kind, namespace or "", name))

    # Behind it

    def stored(self, kind: str, namespace: str | None, name: str) -> Manifest:
        found = self.objects.get((kind, namespace or "", name))
        if found is None:
            raise NotFound(f"{kind} {namespace}/{name} is not there")
        return found

    def remove(self, key: Key) -> None:
        found = self.stored(*key)
        del self.objects[key]
        self.version += 1
        for each in self.watchers:
            each(found)

    def _compare(self, before: Manifest, wanted: Manifest) -> None:
        version = (wanted.get("metadata") or {}).get("resourceVersion")
        if self.compares and version and version != before["metadata"]["resourceVersion"]:
            raise Conflict(f"{key_of(before)} has another version")

    def put(self, manifest: Manifest) -> Manifest:
        """Store an object as it is, with its next version."""
        key = key_of(manifest)
        before = self.objects.get(key)
        self.version += 1
        metadata = manifest["metadata"]
        metadata["resourceVersion"] = str(self.version)
        own = f"uid-{self.site}-{self.uid}-{self.version}"
        metadata["uid"] = before["metadata"]["uid"] if before else own
        changed = before is None or before.get("spec") != manifest.get("spec")
        metadata["generation"] = (before["metadata"]["generation"] if before else 0) + changed
        self.objects[key] = manifest
        self.changed(self.site, key, before, manifest)
        for each in self.watchers:
            each(manifest)
        return manifest

    def _merge(self, before: Manifest, body: Manifest) -> Manifest:
        wanted = merged(before, body)
        wanted["metadata"] = {**wanted["metadata"], "resourceVersion": before["metadata"]["resourceVersion"]}
        if wanted == before:
            return before
        self.admit(wanted, before)
        return self.put(wanted)

    def admit(self, manifest: Manifest, before: Manifest | None, known: dict[Key, Manifest] | None = None) -> None:
        """The gate and the role gate, where their bindings are, as the policies have them. `known`: what the server
        that is asked knows."""
        objects = self.objects if known is None else known
        application = self.applications.get(manifest["metadata"].get("namespace") or "")
        if application is None:
            return
        kind, second = manifest["kind"], float(int(EPOCH + self.now() + self.step))
        binding = f"{policies.GATE}-{application}"
        if (policies.BINDING, "", binding) not in objects:
            return
        found = objects.get(("ConfigMap", SYSTEM_NAMESPACE, permits.name_of(application)))
        data = (found or {}).get("data") or {}
        if before is None and kind in GATED:
            permit = permits.permit_of(data)
            if not permit.since <= second < permit.until:
                self.refusals += 1
                message = f"ValidatingAdmissionPolicy '{policies.GATE}' with binding '{binding}' denied {kind}"
                raise Refused(message, status=422)
        if kind == "VolumeReplication":
            admit_role(manifest, before, data, second)


def admit_role(manifest: Manifest, before: Manifest | None, data: Mapping[str, str], second: float) -> None:
    """The role gate: raises `Refused` for a role that the record does not allow at that second."""

    def role(found: Manifest) -> tuple[str, bool]:
        return found["spec"]["replicationState"], bool(found["spec"].get("autoResync"))

    wanted = role(manifest)
    if wanted == ("secondary", False) or (before is not None and role(before) == wanted):
        return
    if wanted == ("primary", False) and data.get(permits.PRIMARY) == "true":
        return
    if wanted == ("secondary", True) and data.get(permits.OVERWRITE) == "true":
        return
    start = permits.seconds_of(data.get(permits.PROMOTE_FROM))
    end = permits.seconds_of(data.get(permits.PROMOTE_UNTIL))
    nonce = (manifest["metadata"].get("annotations") or {}).get(policies.NONCE_ANNOTATION)
    if start is None or end is None or not start <= second < end or nonce != data.get(permits.NONCE):
        raise Refused(f"{policies.ROLE_GATE} refused {manifest['kind']}", status=422)


def key_of(manifest: Manifest) -> Key:
    """Kind, namespace and name."""
    return manifest["kind"], manifest["metadata"].get("namespace") or "", manifest["metadata"]["name"]


Watched = Callable[[Manifest], None]

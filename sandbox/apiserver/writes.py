"""The writing verbs: create, update, patch and apply, as one path from a request to the store.

The store's write lock is held from the reading of the live object to the storing of the new one, so nothing is ever
retried; a dry run goes the same way and stops before storing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.apiserver import conform, creation, ownership, patches, scale, shaping, validation
from sandbox.apiserver.kinds import Kind, scale_kind
from sandbox.apiserver.moments import WallClock, rfc3339
from sandbox.apiserver.ownership import FieldConflictError, Managers, Who
from sandbox.apiserver.problems import (
    MODIFIED,
    Problem,
    already_exists,
    cause,
    conflict,
    details,
    forbidden,
    invalid,
    not_found,
)
from sandbox.apiserver.requests import Request, decode, expect
from sandbox.apiserver.store import Store, Stored, encode
from sandbox.apiserver.typed import UntypableError

SCALE = "scale"
APPLY = "application/apply-patch+yaml"


class Admission(Protocol):
    """What may change a write before it is validated, and refuse it afterwards."""

    def mutate(
        self, operation: str, kind: Kind, request: Request, new: dict[str, Any] | None, old: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """The new object, changed or not; or raise a Problem."""
        ...

    def admit(
        self, operation: str, kind: Kind, request: Request, new: dict[str, Any] | None, old: dict[str, Any] | None
    ) -> None:
        """Return, or raise a Problem."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write answers: the object and the HTTP status."""

    stored: Stored
    code: int = 200


class Writer:
    """Creates and changes objects. `remove_if_done` deletes an object whose last finalizer a write took away."""

    def __init__(
        self, store: Store, admission: Admission, clock: WallClock, after: Callable[[Kind, Stored], None]
    ) -> None:
        self._store, self._admission, self._clock, self._after = store, admission, clock, after

    def _now(self) -> str:
        return rfc3339(self._clock())

    # -- verbs ---------------------------------------------------------------------------------------------------

    def create(self, kind: Kind, request: Request) -> Outcome:
        """POST."""
        manifest = self._body(kind, request)
        metadata = manifest["metadata"]
        if metadata.get("resourceVersion"):
            raise Problem("", "resourceVersion should not be set on objects to be created")
        manifest = shaping.decode_into(kind, manifest, request)
        with self._store.lock:
            managers = self._updated(kind, shaping.empty(kind), manifest, ownership.read(manifest), request)
            return self._create(kind, request, manifest, managers)

    def update(self, kind: Kind, request: Request) -> Outcome:
        """PUT."""
        manifest = self._body(kind, request)
        manifest = shaping.decode_into(kind, manifest, request)
        with self._store.lock:
            live = self._live(kind, request)
            return self._replace(kind, request, live, manifest)

    def patch(self, kind: Kind, request: Request) -> Outcome:
        """PATCH, by content type."""
        content = request.headers.get("content-type", "").split(";")[0].strip()
        if content == APPLY:
            return self._apply(kind, request)
        if request.flag("force"):
            text = "Forbidden: may not be specified for non-apply patch"
            raise invalid("PatchOptions", "meta.k8s.io", "", [cause("FieldValueForbidden", text, "force")])
        with self._store.lock:
            live = self._live(kind, request)
            patched = self._patched(kind, request, content, live.object)
            shown = expect(kind, {**patched, "metadata": {**patched["metadata"]}})
            return self._replace(kind, request, live, shaping.decode_into(kind, shown, request), patch=True)

    def scale(self, kind: Kind, request: Request) -> Outcome:
        """PUT and PATCH of a workload's Scale, which is what is answered."""
        with self._store.lock:
            live = self._live(kind, request)
            content = request.headers.get("content-type", "application/json").split(";")[0].strip()
            if request.method == "PUT":
                wanted = decode(request.body, content)
            else:
                wanted = self._patched(scale_kind(), request, content, scale.view(kind, live.object))
            outcome = self._replace(kind, request, live, scale.scaled(kind, live.object, wanted))
            shown = scale.view(kind, outcome.stored.object)
        return Outcome(Stored(shown, outcome.stored.version, encode(shown)))

    def _patched(self, kind: Kind, request: Request, content: str, live: dict[str, Any]) -> dict[str, Any]:
        match content:
            case "application/json-patch+json":
                return patches.json_patch(live, request.body)
            case "application/merge-patch+json":
                patched: dict[str, Any] = patches.merge_patch(live, decode(request.body, content))
                return patched
            case "application/strategic-merge-patch+json" if not kind.custom:
                found: dict[str, Any] = patches.strategic_patch(kind.schema, live, decode(request.body, content))
                return found
        supported = ["application/json-patch+json", "application/merge-patch+json", APPLY]
        message = (
            f"the body of the request was in an unknown format - accepted media types include: {', '.join(supported)}"
        )
        raise Problem("UnsupportedMediaType", message)

    def _apply(self, kind: Kind, request: Request) -> Outcome:
        if not request.query.get("fieldManager"):
            text = "Required value: is required for apply patch"
            raise invalid("PatchOptions", "meta.k8s.io", "", [cause("FieldValueRequired", text, "fieldManager")])
        config = self._body(kind, request)
        if config["metadata"].get("managedFields") is not None:
            raise Problem("BadRequest", "metadata.managedFields must be nil")
        self._check_typed(kind, config)
        with self._store.lock:
            live = self._store.get(kind.storage, request.namespace if kind.namespaced else "", request.name)
            if live is None and (request.subresource or config["metadata"].get("uid")):
                if request.subresource:
                    raise not_found(kind.plural, kind.group, request.name)
                uid = config["metadata"]["uid"]
                why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                raise conflict(kind.plural, kind.group, request.name, why)
            base = self._shown(kind, live) if live else shaping.empty(kind)
            merged, managers = self._merged(kind, request, base, config)
            merged = shaping.decode_into(kind, merged, None)
            if live is None:
                return self._create(kind, request, merged, managers)
            return self._replace(kind, request, live, merged, managers=managers)

    def _check_typed(self, kind: Kind, config: dict[str, Any]) -> None:
        """What cannot be applied: a field that the schema does not know, or a value of another type."""
        start = _typed_patch(kind, config) + ": "
        unknown: list[str] = []
        conform.prune(kind.schema, config, "", unknown)
        if unknown:
            texts = [f".{one}: field not declared in schema" for one in unknown]
            raise Problem("", start + ", ".join(texts))
        wrong: list[tuple[str, str, str]] = []
        conform.wrong_types(kind.schema, config, "", wrong)
        if wrong:
            texts = [f".{path}: expected {wanted}, got {got}" for path, wanted, got in wrong]
            raise Problem("", start + ", ".join(texts))

    def _merged(
        self, kind: Kind, request: Request, base: dict[str, Any], config: dict[str, Any]
    ) -> tuple[dict[str, Any], Managers]:
        who = Who(request.query["fieldManager"], "Apply", kind.api_version, request.subresource)
        reset = shaping.reset_fields(kind, request.subresource)
        managers = ownership.read(base)
        if not managers and base["metadata"].get("uid"):
            first = Who(ownership.BEFORE_FIRST_APPLY, "Update", kind.api_version, request.subresource)
            nothing = shaping.empty(kind)
            managers = ownership.after_update(kind.schema, nothing, base, {}, first, self._now(), reset)
        try:
            return ownership.after_apply(
                kind.schema, base, config, managers, who, self._now(), reset, force=request.flag("force")
            )
        except FieldConflictError as found:
            message = ownership.conflict_message(found)
            causes = [
                cause("FieldManagerConflict", f"conflict with {ownership.describe(other)}", path)
                for other, path in found.causes
            ]
            raise Problem("Conflict", message, {"causes": causes}) from None
        except UntypableError as found:
            raise Problem("", f"{_typed_patch(kind, config)}: {found}") from None

    # -- what they share -----------------------------------------------------------------------------------------

    def _body(self, kind: Kind, request: Request) -> dict[str, Any]:
        manifest = expect(kind, decode(request.body, request.headers.get("content-type", "application/json")))
        metadata = dict(manifest.get("metadata") or {})
        if request.name:
            metadata.setdefault("name", request.name)
        if kind.namespaced:
            metadata["namespace"] = metadata.get("namespace") or request.namespace
        elif metadata.get("namespace") == "":
            del metadata["namespace"]
        validation.check_identity(request.name, request.namespace if kind.namespaced else "", {"metadata": metadata})
        return {**manifest, "metadata": metadata}

    def _live(self, kind: Kind, request: Request) -> Stored:
        live = self._store.get(kind.storage, request.namespace if kind.namespaced else "", request.name)
        if live is None:
            raise not_found(kind.plural, kind.group, request.name)
        return Stored(self._shown(kind, live), live.version, live.body)

    def _shown(self, kind: Kind, live: Stored) -> dict[str, Any]:
        """The stored object in the version that the request speaks."""
        if live.object["apiVersion"] == kind.api_version:
            return live.object
        return {**live.object, "apiVersion": kind.api_version}

    def _updated(
        self, kind: Kind, old: dict[str, Any], new: dict[str, Any], managers: Managers, request: Request
    ) -> Managers:
        who = Who(request.manager, "Update", kind.api_version, request.subresource)
        reset = shaping.reset_fields(kind, request.subresource)
        try:
            return ownership.after_update(kind.schema, old, new, managers, who, self._now(), reset)
        except UntypableError:
            return managers  # an object with ambiguous lists is validated like any other, but nobody owns it

    def _create(self, kind: Kind, request: Request, manifest: dict[str, Any], managers: Managers) -> Outcome:
        manifest = self._admission.mutate("CREATE", kind, request, manifest, None) or manifest
        manifest = shaping.for_create(kind, manifest, self._now(), request.uid)
        if not kind.custom:
            manifest = creation.complete(kind.kind, manifest, self._clock(), self._taken)
        manifest = ownership.write(manifest, managers)
        name = manifest["metadata"]["name"]
        if kind.namespaced:
            self._check_namespace(kind, request.namespace, name)
        validation.check(kind, manifest, None)
        self._admission.admit("CREATE", kind, request, manifest, None)
        if self._store.get(kind.storage, manifest["metadata"].get("namespace", ""), name):
            raise already_exists(kind.plural, kind.group, name)
        if request.dry_run:
            return Outcome(Stored(manifest, 0, encode(manifest)), 201)
        stored = self._store.put(kind.storage, manifest)
        self._after(kind, stored)
        return Outcome(self._store.get(kind.storage, *_key(stored)) or stored, 201)

    def _taken(self, what: str, value: str) -> bool:
        specs = (one.object["spec"] for one in self._store.snapshot("services")[1])
        if what == "clusterIP":
            return any(spec.get("clusterIP") == value for spec in specs)
        return any(str(port.get("nodePort")) == value for spec in specs for port in spec.get("ports") or ())

    def _check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        found = self._store.get("namespaces", "", namespace)
        if found is None:
            raise Problem("NotFound", f'namespaces "{namespace}" not found', details("namespaces", "", namespace))
        if found.object["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            problem = forbidden(kind.plural, kind.group, name, why)
            causes = [cause("NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace")]
            problem.details = {**(problem.details or {}), "causes": causes}
            raise problem

    def _replace(
        self,
        kind: Kind,
        request: Request,
        live: Stored,
        manifest: dict[str, Any],
        *,
        managers: Managers | None = None,
        patch: bool = False,
    ) -> Outcome:
        old = live.object
        self._check_version(kind, request, old, manifest, patch=patch)
        if managers is None:
            stated = manifest["metadata"].get("managedFields")
            before = ownership.read(old) if stated is None else ownership.read(_reset(manifest))
            managers = self._updated(kind, old, manifest, before, request)
        manifest = self._mutated(kind, request, manifest, old)
        new = shaping.for_update(kind, old, manifest, request.subresource)
        new = ownership.write(new, managers)
        if new != old:
            validation.check(kind, new, old, status=request.subresource == "status")
        self._admission.admit("UPDATE", kind, request, _seen(kind, request, new), _seen(kind, request, old))
        if request.dry_run:
            return Outcome(Stored(new, live.version, encode(new)))
        if new == old:
            return Outcome(live)
        stored = self._store.put(kind.storage, {**new, "apiVersion": _storage_version(kind)})
        self._after(kind, stored)
        return Outcome(self._store.get(kind.storage, *_key(stored)) or stored)

    def _mutated(self, kind: Kind, request: Request, manifest: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        before = _seen(kind, request, manifest)
        after = self._admission.mutate("UPDATE", kind, request, before, _seen(kind, request, old))
        if after is None or after == before:
            return manifest
        return scale.scaled(kind, manifest, after) if request.subresource == SCALE else after

    def _check_version(
        self, kind: Kind, request: Request, old: dict[str, Any], new: dict[str, Any], *, patch: bool
    ) -> None:
        stated = new["metadata"].get("resourceVersion")
        if not stated and kind.custom and request.method == "PUT" and request.subresource != SCALE:
            text = "Invalid value: 0: must be specified for an update"
            causes = [cause("FieldValueInvalid", text, "metadata.resourceVersion")]
            raise invalid(kind.plural, kind.group, request.name, causes)
        if stated and stated != old["metadata"]["resourceVersion"]:
            raise conflict(kind.plural, kind.group, request.name, MODIFIED)
        uid = new["metadata"].get("uid")
        if uid and uid != old["metadata"]["uid"]:
            if patch:
                text = f'Invalid value: "{uid}": field is immutable'
                raise invalid(kind.kind, kind.group, request.name, [cause("FieldValueInvalid", text, "metadata.uid")])
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
            raise conflict(kind.plural, kind.group, request.name, why)


def _seen(kind: Kind, request: Request, manifest: dict[str, Any]) -> dict[str, Any]:
    """What admission is shown of a workload: its Scale where that is what is written."""
    return scale.view(kind, manifest) if request.subresource == SCALE else manifest


def _typed_patch(kind: Kind, config: dict[str, Any]) -> str:
    where = f"{config['metadata'].get('namespace', '')}/{config['metadata']['name']}"
    return f"failed to create typed patch object ({where}; {kind.group}/{kind.version}, Kind={kind.kind})"


def _key(stored: Stored) -> tuple[str, str]:
    return stored.object["metadata"].get("namespace", ""), stored.object["metadata"]["name"]


def _storage_version(kind: Kind) -> str:
    return f"{kind.group}/{kind.storage_version}" if kind.group else kind.storage_version


def _reset(manifest: dict[str, Any]) -> dict[str, Any]:
    """A list with one empty entry is how a client says that nobody owns anything."""
    entries = [entry for entry in manifest["metadata"]["managedFields"] if entry.get("operation")]
    return {"metadata": {"managedFields": entries}}

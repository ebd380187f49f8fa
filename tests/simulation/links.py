"""What lies between a process and its world: its connection to the API, its watch caches, its mirror, its log.

Each request is a point at which others may go on first, and at which faults strike: refusing, hanging until the time
limit, an answer that is lost after the work was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from reconciler.errors import NotFound, PushRefused, SourceError, Unreachable
from reconciler.git.memory import Commit, MemoryRepository
from reconciler.git.seam import Heads
from reconciler.objects import Manifest
from simulation.api import Api, Key, copied, key_of
from simulation.scheduler import Process
from simulation.threads import Event

if TYPE_CHECKING:
    from simulation.world import World

READS, WRITES = frozenset({"get", "list"}), frozenset({"create", "replace", "apply", "apply_status", "patch", "delete"})
CLUSTER_WIDE = frozenset({"Namespace", "PersistentVolume", "StorageClass", "CustomResourceDefinition"})
"""Kinds without a namespace, of those that stories have."""

PUSHES = frozenset({"push"})
API_COST, GIT_COST = 0.005, 0.05
"""Seconds that one request takes."""

API_TIMEOUT, GUARD_TIMEOUT, GIT_TIMEOUT = 4.0, 2.0, 6.0
"""Seconds after which a process takes a server that does not answer for silent."""


class Client:
    """One process's connection to the API of its site, or to one API server of it."""

    def __init__(self, world: World, process: Process, timeout: float, server: str = "") -> None:
        self._world, self._process, self._timeout, self._address = world, process, timeout, server

    @property
    def server(self) -> str:
        return self._address or self._api.server

    @property
    def discovery(self) -> Client:
        return self

    @property
    def _api(self) -> Api:
        return self._world.apis[self._process.site]

    def find(self, api_version: str, kind: str) -> Any:
        self._api.find(api_version, kind)
        return SimpleNamespace(api_version=api_version, kind=kind, namespaced=kind not in CLUSTER_WIDE)

    def preferred(self, group: str, kind: str) -> Any:
        return SimpleNamespace(api_version=f"{group}/v1" if group else "v1")

    def server_time(self) -> float:
        return self._api.server_time()

    def endpoint_addresses(self) -> tuple[str, ...]:
        self._request("get")
        return self._api.endpoint_addresses()

    def at(self, server: str, **_: Any) -> Client:
        return Client(self._world, self._process, self._timeout, server)

    def close(self) -> None:
        pass

    def get(self, *given: Any) -> Manifest:
        self._request("get")
        return self._api.get(*given)

    def list(self, *given: Any, **named: Any) -> Any:
        self._request("list")
        return self._api.list(*given, **named)

    def create(self, *given: Any, **named: Any) -> Any:
        return self._write("create", given, named)

    def replace(self, *given: Any, **named: Any) -> Any:
        return self._write("replace", given, named)

    def apply(self, *given: Any, **named: Any) -> Any:
        return self._write("apply", given, named)

    def apply_status(self, *given: Any, **named: Any) -> Any:
        return self._write("apply_status", given, named)

    def patch(self, *given: Any, **named: Any) -> Any:
        return self._write("patch", given, named)

    def delete(self, *given: Any, **named: Any) -> Any:
        return self._write("delete", given, named)

    def _write(self, verb: str, given: Any, named: Any) -> Any:
        self._request(verb)
        answer = getattr(self._api, verb)(*given, **named)
        if self._world.loses_answer(self._process.site, "api"):
            self._hang()
        self._world.scheduler.point("wrote", API_COST)
        return answer

    def _request(self, verb: str) -> None:
        world = self._world
        world.scheduler.point(verb, API_COST)
        mode = world.api_mode(self._process)
        if self.server in self._api.frozen:
            mode = "hang"
        if mode == "refuse":
            raise Unreachable(f"{self.server} refuses connections")
        if mode == "hang":
            self._hang()

    def _hang(self) -> None:
        self._world.scheduler.sleep(self._timeout)
        raise Unreachable(f"{self.server} does not answer within {self._timeout}s")


class Caches:
    """The watch caches of a controller: what happened reaches them a moment later, and not while the link is cut."""

    def __init__(self, world: World, process: Process) -> None:
        self.changed: Any = Event(world.scheduler)
        self._world, self._process = world, process
        self._view: dict[Key, Manifest] = {}
        self._kinds: set[str] = set()
        self._api: Api | None = None
        self._dirty = True

    def live(self, manifest: Manifest, *, timeout: float) -> Manifest | None:
        kind = manifest["kind"]
        if kind not in self._kinds or self._dirty or self._api is not self._world.apis[self._process.site]:
            self._sync(kind)
        try:
            self._world.apis[self._process.site].find(manifest["apiVersion"], kind)
        except NotFound:
            return None
        return self._view.get(key_of(manifest))

    def _sync(self, kind: str) -> None:
        """List again; what is known stays known while the API does not answer."""
        if self._world.api_mode(self._process):
            if kind not in self._kinds:
                self._world.scheduler.sleep(API_TIMEOUT)
                raise Unreachable(f"the first list of {kind} does not come")
            return
        api = self._world.apis[self._process.site]
        if api is not self._api:
            self._api = api
            self._kinds.clear()
            api.watchers.append(lambda each: self._event(api, each))
        self._kinds.add(kind)
        self._dirty = False
        self._view = {key: copied(each) for key, each in api.objects.items() if key[0] in self._kinds}

    def _event(self, api: Api, manifest: Manifest) -> None:
        if api is not self._api or manifest["kind"] not in self._kinds or self._process.dead:
            return
        if self._world.api_mode(self._process):
            self._dirty = True
            return
        scheduler = self._world.scheduler
        scheduler.at(scheduler.now + 0.3 * scheduler.random.random(), lambda: self._deliver(api, key_of(manifest)))

    def _deliver(self, api: Api, key: Key) -> None:
        found = api.objects.get(key)
        if found is None:
            self._view.pop(key, None)
        else:
            self._view[key] = copied(found)
        self.changed.set()

    def absorb(self, manifest: Manifest) -> None:
        known = self._view.get(key_of(manifest))
        if known is None or int(known["metadata"]["resourceVersion"]) < int(manifest["metadata"]["resourceVersion"]):
            self._view[key_of(manifest)] = manifest

    def drain(self) -> frozenset[Any]:
        self.changed.clear()
        return frozenset()

    def stop(self) -> None:
        pass


class Mirror(MemoryRepository):
    """A process's mirror over its site's link to the Git server."""

    def __init__(self, world: World, process: Process) -> None:
        super().__init__(world.server)
        self._world, self._process = world, process

    def keep(self, other: Mirror) -> None:
        """Begin with what an earlier process of the site left on its disk."""
        self._commits, self._values = dict(other._commits), dict(other._values)

    def heads(self, refs: Sequence[str] = ()) -> Heads:
        self._reach()
        listed = {name: self.server.refs[name] for name in refs if name in self.server.refs}
        self._world.scheduler.point("list", 0.0)
        return Heads(self.server.refs["refs/heads/main"], listed)

    def replace(self, ref: str, expected: str | None, files: Mapping[str, bytes], message: str) -> str:
        return self._answered(super().replace(ref, expected, files, message))

    def append(self, ref: str, expected: str | None, files: Mapping[str, bytes], message: str) -> str:
        return self._answered(super().append(ref, expected, files, message))

    def _answered(self, commit: str) -> str:
        if self._world.loses_answer(self._process.site, "git"):
            self._hang()
        self._world.scheduler.point("pushed", 0.0)
        return commit

    def _compare(self, ref: str, expected: str | None) -> None:
        self._world.scheduler.point("push", GIT_COST)
        mode = self._world.git_mode(self._process.site)
        if mode == "push" or (mode == "heartbeats" and "heartbeats" in ref):
            raise PushRefused(f"{ref}: no right to push")
        if self._world.variant.compares:
            super()._compare(ref, expected)
        else:
            self._reach()

    def _push(self, ref: str, expected: str | None, commit: Commit) -> str:
        pushed = super()._push(ref, expected, commit)
        self._world.pushed(self._process.site, ref, commit)
        return pushed

    def _reach(self) -> None:
        self._world.scheduler.point("reach", GIT_COST)
        mode = self._world.git_mode(self._process.site)
        if mode == "refuse":
            raise SourceError("the Git server refuses connections")
        if mode == "hang":
            self._hang()

    def _hang(self) -> None:
        self._world.scheduler.sleep(GIT_TIMEOUT)
        raise SourceError(f"the Git server does not answer within {GIT_TIMEOUT}s")


class Log:
    """Says what a process does in the story; a repeated word about one subject is silent."""

    SHOWN = frozenset({"state", "held", "failed", "guard-closed", "guard-stopped", "unit-invalid", "fleet-invalid"})

    def __init__(self, who: str, say: Callable[[str], None]) -> None:
        self._who, self._say = who, say
        self._said: dict[tuple[str, str], str] = {}

    def say(self, event: str, message: str, **fields: Any) -> None:
        if event in self.SHOWN or "a bug" in message:
            self._say(f"{self._who} {event} {fields.get('application') or ''}: {message}")

    def change(self, event: str, subject: str, message: str, **fields: Any) -> None:
        if self._said.get((event, subject), "") != message:
            self._said[event, subject] = message
            if message:
                self.say(event, message, **fields)

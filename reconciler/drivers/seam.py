"""What a driver is: the same few verbs for every kind of storage, so that the protocol need not know which it is.

A driver reads through `Reader` and judges what it read; what it wants written it returns as fields. The caller writes
them under the guards of the moves (P10, P18).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.fleet.model import Application
from reconciler.objects import Manifest
from reconciler.replica import Replica


class Reader(Protocol):
    """The part of a cluster that drivers use: a consistent read, raising `NotFound`."""

    def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> Manifest:
        """The object as it is stored now."""
        ...


@dataclass(frozen=True, slots=True)
class RoleObject:
    """An object whose `spec` gives a copy its role."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class RoleResources:
    """The resources of one API group whose `spec` gives a copy its role, by their plural names."""

    group: str
    plurals: tuple[str, ...]


class Driver(Protocol):
    """One kind of storage. Everything is idempotent; `spec` fields are returned, never written."""

    name: str

    @property
    def role_resources(self) -> RoleResources | None:
        """What the role gate (P18) must watch in an application's namespaces; None where nothing has a role."""
        ...

    def role_objects(self, application: Application) -> tuple[RoleObject, ...]:
        """The objects that carry the application's role at this site."""
        ...

    def observe(self, reader: Reader, application: Application, site: str, now: float) -> Replica:
        """This site's copy as its resources describe it. `now`: seconds since 1970 by the API server's clock."""
        ...

    def primary(self) -> dict[str, Any]:
        """The fields of `spec` that make a copy the primary."""
        ...

    def secondary(self, discard_local: bool) -> dict[str, Any]:
        """The fields of `spec` that make a copy a secondary, and let it be overwritten or not."""
        ...

    def shipped(self, replica: Replica) -> bool:
        """Whether the final sync needs nothing more before the demotion. Where the demotion itself ships what was
        written last, it is always so, and the proof is `sync` after it."""
        ...

"""What somebody who writes a driver gives the kit: the driver, and how their operator reports what a copy is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.drivers.seam import Driver
from reconciler.errors import NotFound, Unreachable
from reconciler.fleet.model import Application
from sandbox.conformance.array import Array

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """How an operator reports. `stale`: as before what the copy was told last; `state`: a word that no version of the
    driver knows, in place of the role; `deleting`: the objects are being deleted; `ahead`: seconds by which the
    operator's clock is ahead of the API server's."""

    stale: bool = False
    state: str = ""
    deleting: bool = False
    ahead: float = 0.0


class Storage(Protocol):
    """One kind of storage for the kit. `application` has the sites a and b and names what `objects` returns."""

    driver: Driver
    application: Application

    def objects(self, array: Array, site: str, report: Report) -> list[Manifest]:
        """Every object that the driver reads at a site: with the `spec` that the copy was told by the driver's own
        fields (`driver.primary()`, `driver.secondary(discard)`), and the status that the operator would write now."""


class Objects:
    """A reader over some objects; `broken`: the API server does not answer."""

    def __init__(self, objects: list[Manifest], *, broken: bool = False) -> None:
        self._broken = broken
        self._objects = {
            (each["apiVersion"], each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]): each
            for each in objects
        }

    def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> Manifest:
        """The object as it is stored now."""
        if self._broken:
            raise Unreachable("the API server does not answer")
        try:
            return self._objects[api_version, kind, namespace, name]
        except KeyError:
            raise NotFound(f"{kind} {namespace}/{name}") from None

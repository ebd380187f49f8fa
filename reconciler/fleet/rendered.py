"""Rendered objects as the checks of a fleet see them: each with its file, and whose it is in which role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from reconciler.errors import FleetError
from reconciler.fleet.model import Application, Role
from reconciler.objects import Manifest, Ref, ref_of


class Found(NamedTuple):
    """A rendered object, the file that it comes from, and which document of that file it is."""

    manifest: Manifest
    path: str
    document: int = 0

    @property
    def ref(self) -> Ref:
        """Its identity."""
        return ref_of(self.manifest)

    @property
    def kind(self) -> tuple[str, str]:
        """Its API group and kind."""
        ref = self.ref
        return ref.group, ref.kind

    def wrong(self, message: str, *at: str | int, hint: str | None = None) -> FleetError:
        """An error of the field at this path of the object."""
        return FleetError(message, path=self.path, document=self.document, within=at, hint=hint)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The platform (`application` None), or an application in a role, with its objects."""

    application: Application | None
    role: Role
    objects: Sequence[Found]

    @property
    def name(self) -> str:
        """As it is called in messages."""
        return "the platform" if self.application is None else f"application {self.application.name}"


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping of fields; empty for whatever else stands in its place, which the API server will refuse."""
    return value if isinstance(value, Mapping) else {}

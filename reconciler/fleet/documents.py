"""One file of the fleet repository: read, parsed, checked against its schema, and able to say where a field stands.

Positions are found by reading the file again, so that a fleet without errors pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import FleetError, InputError
from reconciler.fleet import schema
from render.errors import NotInTree
from render.tree import Tree
from render.yaml import parse, position

Field = Sequence[str | int]

MOST_REMEMBERED = 1 << 12
"""Entries after which a memory is emptied: a controller runs for months."""

_accepted: dict[tuple[str, bytes], dict[str, Any]] = {}
"""What texts of a kind say that were found right: from commit to commit nearly all stay as they are."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `errors` is the list that all files of one fleet report into."""

    path: str
    data: bytes
    value: dict[str, Any]
    errors: list[InputError] = field(repr=False)

    @property
    def name(self) -> str:
        """What `metadata.name` says."""
        name: str = self.value["metadata"]["name"]
        return name

    @property
    def spec(self) -> dict[str, Any]:
        """The `spec`, empty where it was left out."""
        return self.value.get("spec") or {}

    def place(self, *at: str | int) -> tuple[int, int]:
        """Line and column of a field, or of its nearest parent that is there."""
        return position(self.data, self.path, 0, at)

    def report(self, message: str, *at: str | int, hint: str | None = None) -> None:
        """Report an error of the field at this path."""
        line, column = self.place(*at)
        self.errors.append(FleetError(message, path=self.path, line=line, column=column, hint=hint))


def read(tree: Tree, path: str, kind: str, errors: list[InputError], *, absent: tuple[str, str]) -> Document | None:
    """Read a file that must hold exactly one document of this kind; None after reporting what is wrong with it.

    `absent` is the message and the hint for a file that is not there.
    """
    try:
        data = tree.read(path)
        known = _accepted.get((kind, data))
        if known is not None:
            return Document(path, data, known, errors)
        documents = parse(data, path)
    except NotInTree:
        message, hint = absent
        errors.append(FleetError(message, path=path, hint=hint))
        return None
    except InputError as error:
        errors.append(error)
        return None
    if len(documents) != 1:
        message = f"{len(documents)} documents found, expected exactly one of kind {kind}"
        errors.append(FleetError(message, path=path, line=1, column=1))
        return None
    found = schema.check(kind, documents[0])
    if not found:
        if len(_accepted) > MOST_REMEMBERED:
            _accepted.clear()
        _accepted[kind, data] = documents[0]
        return Document(path, data, documents[0], errors)
    for problem in found:
        line, column = position(data, path, 0, problem.field)
        errors.append(FleetError(problem.message, path=path, line=line, column=column, hint=problem.hint))
    return None

"""What the two generations of go-yaml that Kustomize uses do differently, and the marks that they leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from render.yaml.scalars import resolve, resolve_old

REPEATED = "\0repeated"
"""The key under which a mapping of a patch says that one of its keys was written twice; the first one counts."""

NO_TEXT = "\0no text"
"""The key under which a mapping of a patch says which of its keys are no texts; they may name only keys that are."""


class Dialect(NamedTuple):
    """One generation. The whole grammar remembers here what it has decided about texts."""

    resolve: Callable[[str], Any]
    values: dict[str, Any]
    """Plain text to value, remembered."""
    keys: set[str]
    """Texts known to be string keys."""
    resources: bool
    """Whether it reads resources: explicit keys win there over merged ones wherever they stand, keys must be strings,
    and what is empty inside `{}` or `[]` is an empty string instead of null."""
    unique: bool
    """Whether a key that stands twice in a mapping is an error."""


RESOURCES = Dialect(resolve, {}, set(), resources=True, unique=True)
KUSTOMIZATION = Dialect(resolve_old, {}, set(), resources=False, unique=False)

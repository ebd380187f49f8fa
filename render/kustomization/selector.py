"""Selecting objects as `target`, `select` and `reject` do: anchored expressions and label selectors."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from render.errors import KustomizationError
from render.kustomization.draft import Draft
from render.kustomization.ids import Gvk

_NOT_IN_GO = re.compile(r"\(\?(?:=|!|<=|<!|\(|>|#)|\\[1-9]")
_REQUIREMENT = re.compile(
    r"\s*(?:(?P<not>!)\s*)?(?P<key>[A-Za-z0-9][-A-Za-z0-9_./]*)\s*"
    r"(?:(?P<op>==|=|!=|>|<)\s*(?P<value>[-A-Za-z0-9_.]*)|(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?\s*"
)

_PLAIN = re.compile(r"[-\w]+", re.ASCII)


@lru_cache(1024)
def expression(pattern: str) -> re.Pattern[str]:
    """A regular expression as Go reads it. Raises `KustomizationError` for one that Go refuses."""
    if match := _NOT_IN_GO.search(pattern):
        raise KustomizationError(f"error parsing regexp: invalid or unsupported Perl syntax: `{match[0]}`")
    try:
        return re.compile(pattern, re.ASCII)
    except re.error as error:
        raise KustomizationError(f"error parsing regexp: {error}: `{pattern}`") from error


def _matches(pattern: str, *values: str) -> bool:
    return not pattern or any(expression(pattern).fullmatch(value) for value in values)


class Selector:
    """A `target`: every part that it has must match."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.group = entry.get("group") or ""
        self.version = entry.get("version") or ""
        self.kind = entry.get("kind") or ""
        self.name = entry.get("name") or ""
        self.namespace = entry.get("namespace") or ""
        self.label_selector = entry.get("labelSelector") or ""
        self.annotation_selector = entry.get("annotationSelector") or ""
        for pattern in (self.group, self.version, self.kind, self.name, self.namespace):
            if pattern:
                expression(pattern)
        self._labels = label_selector(self.label_selector)
        self._annotations = label_selector(self.annotation_selector)

    @property
    def names_nothing(self) -> bool:
        """Whether it has no part that looks at an identity."""
        return not (self.group or self.version or self.kind or self.name or self.namespace)

    @property
    def names_plainly(self) -> bool:
        """Whether the name is one name and no expression."""
        return _PLAIN.fullmatch(self.name) is not None

    def matches_gvk(self, gvk: Gvk) -> bool:
        """Whether group, version and kind match."""
        return _matches(self.group, gvk[0]) and _matches(self.version, gvk[1]) and _matches(self.kind, gvk[2])

    def matches_id(self, gvk: Gvk, name: str, namespace: str) -> bool:
        """Whether an identity matches, as replacements look at it."""
        return self.matches_gvk(gvk) and _matches(self.name, name) and _matches(self.namespace, namespace)

    def matches_marks(self, draft: Draft) -> bool:
        """Whether labels and annotations match."""
        return (not self.label_selector or self._labels(draft.strings("labels"))) and (
            not self.annotation_selector or self._annotations(draft.strings("annotations"))
        )

    def matches(self, draft: Draft) -> bool:
        """Whether an object matches by its original or its current name and namespace."""
        return (
            self.matches_gvk(draft.gvk)
            and _matches(self.name, draft.original_name, draft.name)
            and _matches(self.namespace, draft.original_namespace, draft.effective_namespace)
            and self.matches_marks(draft)
        )


@lru_cache(1024)
def label_selector(text: str) -> Callable[[dict[str, str]], bool]:
    """A label selector as Kubernetes writes it. Raises `KustomizationError` for one that cannot be read."""
    requirements = []
    rest = text
    while rest.strip():
        match = _REQUIREMENT.match(rest)
        if match is None or (match.end() < len(rest) and rest[match.end()] != ","):
            raise KustomizationError(f"unable to parse requirement: {text}", hint="write it like app=web,tier!=cache")
        requirements.append(_requirement(match))
        rest = rest[match.end() + 1 :]
    return lambda labels: all(requirement(labels) for requirement in requirements)


def _requirement(match: re.Match[str]) -> Callable[[dict[str, str]], bool]:
    key, operator, value = match["key"], match["op"], match["value"]
    if match["not"]:
        return lambda labels: key not in labels
    if match["set"]:
        values = {item.strip() for item in match["values"].split(",")}
        if match["set"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if operator in ("=", "=="):
        return lambda labels: labels.get(key) == value
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    if operator in (">", "<"):
        return lambda labels: _compares(labels.get(key), operator, value)
    return lambda labels: key in labels


def _compares(found: str | None, operator: str, wanted: str) -> bool:
    try:
        left, right = int(found or ""), int(wanted)
    except ValueError:
        return False
    return left > right if operator == ">" else left < right

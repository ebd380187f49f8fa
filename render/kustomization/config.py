"""Which fields the transformers of a layer work on: the defaults, `configurations` and `crds` merged.

Kustomize merges the configuration of every layer into the one above. Nearly always all of them are the defaults, so
merging the defaults with themselves costs nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from render.errors import KustomizationError
from render.kustomization.fieldspec import FieldSpec, SpecsByKind, merge_specs, sort_key
from render.kustomization.ids import Gvk, text_of

SECTIONS = (
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "commonAnnotations",
    "varReference",
    "images",
    "replicas",
)

NameReferences = list[tuple[Gvk, list[FieldSpec]]]
"""For each kind that can be referred to: the fields that do."""


class Config:
    """The field specs of each transformer, by the name of its section in a `configurations` file."""

    def __init__(self, sections: dict[str, list[FieldSpec]], references: NameReferences) -> None:
        self._sections = sections
        self._by_kind: dict[str, SpecsByKind] = {}
        self.references = references
        self.compiled_references: Any = None
        """Kept for the name reference transformer, which prepares the references for each kind once."""

    def specs(self, section: str) -> SpecsByKind:
        """A section's field specs."""
        found = self._by_kind.get(section)
        if found is None:
            found = self._by_kind[section] = SpecsByKind(self.section(section))
        return found

    def section(self, name: str) -> list[FieldSpec]:
        """A section's field specs as a list."""
        return self._sections.get(name, [])

    def merge(self, other: Config) -> Config:
        """Both together. Raises `KustomizationError` if they disagree about creating a field."""
        if other is self or other is EMPTY:
            return self
        if self is EMPTY and other is DEFAULTS:
            return other
        sections = {
            name: sorted(merge_specs(self.section(name), other.section(name)), key=lambda spec: sort_key(spec.gvk))
            for name in SECTIONS
        }
        return Config(sections, merge_references(self.references, other.references))


class _Defaults(Config):
    """Kustomize's own field specs, read from the tables when they are first needed."""

    def __init__(self) -> None:
        super().__init__({}, [])
        self._read = False

    def section(self, name: str) -> list[FieldSpec]:
        """A section's field specs as a list."""
        if name not in self._sections:
            self._sections[name] = list(_variable_specs() if name == "varReference" else _table_specs(name))
        return self._sections[name]

    @property
    def references(self) -> NameReferences:
        """The name references, in the order in which they are followed."""
        if not self._read:
            from render.kustomization.tables.name_references import NAME_REFERENCES

            self._references = [(target, list(_parse_lines(lines))) for target, lines in NAME_REFERENCES]
            self._read = True
        return self._references

    @references.setter
    def references(self, value: NameReferences) -> None:
        self._references = value


def _table_specs(section: str) -> Iterator[FieldSpec]:
    from render.kustomization.tables.field_specs import FIELD_SPECS

    for group, version, kind, path, create in FIELD_SPECS.get(section, ()):
        yield FieldSpec((group, version, kind), path, create)


def _variable_specs() -> Iterator[FieldSpec]:
    from render.kustomization.tables.var_references import VAR_REFERENCES

    return _parse_lines(VAR_REFERENCES)


def _parse_lines(lines: str) -> Iterator[FieldSpec]:
    """Field specs as the tables write them: a line for a kind, then an indented line for each path."""
    gvk: Gvk = ("", "", "")
    for line in lines.strip("\n").split("\n"):
        if line.startswith(" "):
            yield FieldSpec(gvk, line.strip())
        else:
            group, version, kind = ("" if word == "-" else word for word in line.split())
            gvk = (group, version, kind)


def merge_references(references: NameReferences, more: NameReferences) -> NameReferences:
    """Both together, in Kustomize's order of kinds."""
    result = [(target, specs) for target, specs in references]
    for target, specs in more:
        for position, (known, old) in enumerate(result):
            if known == target:
                result[position] = (known, merge_specs(old, specs))
                break
        else:
            result.append((target, specs))
    return sorted(result, key=lambda entry: sort_key(entry[0]))


SPEC_FIELDS = ("group", "version", "kind", "path", "create")
REFERENCE_FIELDS = ("group", "version", "kind", "fieldSpecs")

EMPTY = Config({}, [])
DEFAULTS = _Defaults()


def field_spec(entry: Any) -> FieldSpec:
    """A field spec as a configuration writes it. Raises `KustomizationError` for anything else."""
    if not isinstance(entry, dict) or isinstance(entry.get("path"), dict | list):
        raise KustomizationError(
            f"this is no field spec: {entry!r}", hint="a field spec has path, kind, group, version"
        )
    texts = {
        name: "" if entry.get(name) is None else text_of(entry[name]) for name in ("group", "version", "kind", "path")
    }
    return FieldSpec((texts["group"], texts["version"], texts["kind"]), texts["path"], entry.get("create") is True)


def parse_config(document: Any) -> Config:
    """The content of a `configurations` file. Raises `KustomizationError` for unknown fields."""
    if document is None:
        return EMPTY
    if not isinstance(document, dict):
        raise KustomizationError("a configuration must be a mapping")
    sections: dict[str, list[FieldSpec]] = {}
    references: NameReferences = []
    lowered = {name.lower(): name for name in (*SECTIONS, "nameReference")}
    for key, entries in document.items():
        name = lowered.get(key.lower())
        if name is None:
            raise KustomizationError(
                f'unknown field "{key}" in a configuration', hint=f"it may have {', '.join(sorted(lowered.values()))}"
            )
        if name == "nameReference":
            for entry in entries or []:
                referred = field_spec({**_with_fields(entry, REFERENCE_FIELDS), "path": ""}).gvk
                specs = [field_spec(_with_fields(spec, SPEC_FIELDS)) for spec in entry.get("fieldSpecs") or []]
                references = merge_references(references, [(referred, specs)])
        else:
            specs = [field_spec(_with_fields(entry, SPEC_FIELDS)) for entry in entries or []]
            sections[name] = sorted(specs, key=lambda spec: sort_key(spec.gvk))
    return Config(sections, references)


def _with_fields(entry: Any, names: tuple[str, ...]) -> Any:
    """An entry of a configuration, which has no other fields than these."""
    if not isinstance(entry, dict):
        raise KustomizationError(f"this is no entry of a configuration: {entry!r}", hint=f"it has {', '.join(names)}")
    known = {name.lower() for name in names}
    for name in entry:
        if name.lower() not in known:
            raise KustomizationError(
                f'unknown field "{name}" in a configuration', hint=f"it may have {', '.join(names)}"
            )
    return entry

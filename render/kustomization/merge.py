"""Strategic merge patches: a patch that looks like the object, laid over it.

Mappings merge by key, `null` deletes, lists of Kubernetes' own kinds merge by their merge keys with new elements first,
all other lists are replaced. `$patch` directives delete, replace or merge a mapping, a list or an element.

The rules are Kustomize's to the letter, surprises included: the merge passes over the *whole* object, so lists that the
patch does not mention lose elements with a repeated key, and an element under `$patch: replace` stays as it was.
"""

from __future__ import annotations

from typing import Any

from render.errors import KustomizationError
from render.kustomization.draft import Draft
from render.kustomization.elements import (
    MISSING,
    Mark,
    append_elements,
    complete_values,
    find_element,
    key_values,
    keys_in_use,
    plain_values,
    set_element,
)
from render.kustomization.fieldspec import wrong_kind
from render.kustomization.ids import field_text, is_empty, text_of
from render.kustomization.limits import MOST_PAIRED
from render.kustomization.schema import Custom, Schema
from render.yaml import NO_TEXT, REPEATED

KEPT_NULL: Any = Mark()
"""A null of the object that the merge leaves in place."""


class Null(Mark):
    """A null that carries how it is written."""

    how: Any


DIRECTIVE = "$patch"


def merge(target: Any, patch: Any, draft: Draft, writer: Draft) -> Any:
    """The target with the patch laid over it, or None if the patch deletes it. Changes and shares both objects.

    Raises `KustomizationError` where the forms of target and patch differ.
    """
    if isinstance(patch, dict) and text_of(patch.get(DIRECTIVE)) == "replace":
        return target  # Kustomize makes the new object and forgets to take it
    result = Merger(draft, writer).walk(target, patch, None)
    if _nothing(result):
        return None
    _refuse_repetitions(result)
    return result


def _refuse_repetitions(value: Any) -> None:
    """What a patch adds as a whole must not have a key twice; where it merges key by key, the first one counts."""
    if isinstance(value, dict):
        if REPEATED in value:
            raise KustomizationError(value[REPEATED], hint="keep one of the two")
        for fault in value.get(NO_TEXT, {}).values():
            raise KustomizationError(fault, hint="quote the key")
        for item in value.values():
            _refuse_repetitions(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_repetitions(item)


def _nothing(value: Any) -> bool:
    return value is None or value is MISSING or value is KEPT_NULL or value.__class__ is Null


def _is_null(value: Any) -> bool:
    return value is None or value.__class__ is Null


class Merger:
    """One merge. `origin` is the patch's side, `dest` the target's; both may be the same after a new part is added."""

    def __init__(self, draft: Draft, writer: Draft) -> None:
        self._draft = draft
        self._writer = writer
        self._schemas = draft.context.schemas
        self._trail: list[str | int] = []
        self._patch_trail: list[str | int] = []

    def walk(self, dest: Any, origin: Any, schema: Schema | None) -> Any:
        """What stands in the target's place afterwards; MISSING for nothing."""
        if schema is None:
            schema = self._schema_by_content(dest, origin)
        form = dest if not _nothing(dest) else origin
        if _nothing(form):
            return self._walk_map(dest, origin, schema)
        if isinstance(form, dict):
            _check(dict, "MappingNode", dest, origin)
            return self._walk_map(dest, origin, schema)
        if isinstance(form, list):
            _check(list, "SequenceNode", dest, origin)
            keys = schema.merge_keys() if schema else None
            if keys is None:
                return dest if origin is MISSING else origin
            return self._walk_list(dest, origin, schema, keys)
        if isinstance(dest, dict | list) or isinstance(origin, dict | list):
            raise KustomizationError(wrong_kind("ScalarNode", origin if isinstance(origin, dict | list) else dest))
        return self._walk_scalar(dest, origin)

    def _walk_scalar(self, dest: Any, origin: Any) -> Any:
        if origin is MISSING:
            return MISSING if dest == "" and self._draft.styles.is_empty(tuple(self._trail)) else dest
        return self.scalar(dest, origin)

    def scalar(self, dest: Any, origin: Any) -> Any:
        """The patch's value in the style of the object's: a number over a text in quotes is a text."""
        is_new = dest is MISSING or dest is origin
        if type(origin) is str:
            if "\n" not in origin:
                return origin
        elif origin is None or is_new or type(dest) is not str:
            return origin
        how = self._writer.styles.at(tuple(self._patch_trail), origin)
        return self._draft.styles.restyled(tuple(self._trail), MISSING if is_new else dest, how)

    def _schema_by_content(self, dest: Any, origin: Any) -> Schema | None:
        for node in (dest, origin):
            if isinstance(node, dict) and "apiVersion" in node and "kind" in node:
                found = self._schemas.of(field_text(node, "apiVersion"), field_text(node, "kind"))
                if found is not None:
                    return found
        return None

    def _walk_map(self, dest: Any, origin: Any, schema: Schema | None) -> Any:
        if _nothing(dest):
            if isinstance(origin, dict) and _directive_of_map(origin, strict=False) == "delete":
                return MISSING
            if origin is MISSING and _is_null(dest):
                return MISSING if self._draft.styles.is_empty(tuple(self._trail)) else KEPT_NULL
            dest = origin
        elif _is_null(origin):
            return MISSING
        elif isinstance(origin, dict):
            directive = _directive_of_map(origin, strict=True)
            if directive == "delete":
                return MISSING
            if directive == "replace":
                dest = origin
            else:
                origin.pop(REPEATED, None)
                for key, fault in origin.pop(NO_TEXT, {}).items():
                    if key not in dest:
                        raise KustomizationError(fault, hint="quote the key")
        if _nothing(dest):
            return dest
        names = sorted({*dest, *origin} if isinstance(origin, dict) else dest)
        if names and not names[0]:
            raise KustomizationError("a mapping with an empty key cannot be merged")
        trail, patch_trail = self._trail, self._patch_trail
        for name in names:
            trail.append(name)
            patch_trail.append(name)
            old = dest.get(name, MISSING)
            new = origin.get(name, MISSING) if isinstance(origin, dict) else MISSING
            comment = self._draft.schema_in_comment(trail)
            if comment is None and new is not MISSING:
                comment = self._writer.schema_in_comment(patch_trail)
            if comment is None:
                value = self.walk(old, new, schema.field(name) if schema else None)
            else:
                value = self.walk(old, new, Custom(comment, {}))
            trail.pop()
            patch_trail.pop()
            if value is KEPT_NULL:
                continue
            if value is MISSING or _is_null(value):
                dest.pop(name, None)
            elif value is not old:
                dest[name] = value
        return dest

    def _walk_list(self, dest: Any, origin: Any, schema: Schema | None, keys: tuple[str, ...]) -> Any:
        if _nothing(dest):
            dest = origin
        elif _is_null(origin):
            return MISSING
        elif isinstance(origin, list):
            directive = _directive_of_list(origin)
            if directive == "delete":
                return MISSING
            if directive == "replace":
                dest = origin
        if _nothing(dest):
            return MISSING
        elements = schema.elements() if schema else None
        if len(keys) == 1 and _is_plain(dest, keys[0]) and (origin is MISSING or _is_plain(origin, keys[0])):
            return self._merge_plain(dest, origin, keys[0], elements)
        sides = [] if origin is MISSING else [origin]
        sides.append(dest)
        wanted = key_values(sides, keys) if keys else []
        if wanted or keys:
            return self._merge_elements(dest, origin, list(keys), wanted, elements)
        return self._merge_elements(dest, origin, [""], plain_values(sides), elements)

    def _merge_plain(self, dest: Any, origin: Any, key: str, schema: Schema | None) -> Any:
        """The usual case, in linear time: every element has its own key and no directive."""
        old = {text_of(element[key]): (place, element) for place, element in enumerate(dest)}
        patch = () if origin is MISSING else origin
        new = {text_of(element[key]): (place, element) for place, element in enumerate(patch)}
        result = []
        for name in dict.fromkeys((*new, *old)):
            place, element = old.get(name, (-1, MISSING))
            patch_place, patched = new.get(name, (-1, MISSING))
            self._trail.append(place)
            self._patch_trail.append(patch_place)
            value = self.walk(element, patched, schema)
            self._trail.pop()
            self._patch_trail.pop()
            if not _nothing(value) and value != {}:
                result.append(value)
        dest[:] = result
        return dest

    def _merge_elements(
        self, dest: list[Any], origin: Any, keys: list[str], wanted: list[list[str]], schema: Schema | None
    ) -> Any:
        if len(wanted) > MOST_PAIRED:
            raise KustomizationError(f"a list of more than {MOST_PAIRED} elements that do not merge by one plain key")
        if len(keys) > 1:
            complete_values(wanted)
        added: list[Any] = []
        valid_keys: list[str] = []
        for values in wanted:
            if not values:
                continue
            valid_keys, valid_values = keys_in_use(wanted, values, keys)
            old = find_element(dest, valid_keys, valid_values)
            self._trail.append(next((place for place, element in enumerate(dest) if element is old), -1))
            self._patch_trail.append(-1)
            merged = self.walk(
                old,
                MISSING if origin is MISSING else find_element(origin, valid_keys, valid_values),
                schema,
            )
            self._trail.pop()
            self._patch_trail.pop()
            if _nothing(merged) or merged == {}:
                set_element(dest, None, valid_keys, valid_values)
                continue
            if isinstance(merged, dict):
                for key, value in zip(valid_keys, valid_values, strict=False):
                    if key not in merged and value:
                        merged[key] = value
            set_element(added, merged, valid_keys, valid_values)
        return append_elements(added, dest, valid_keys) if wanted else dest


def _check(form: type, name: str, *values: Any) -> None:
    for value in values:
        if not _nothing(value) and not isinstance(value, form):
            raise KustomizationError(
                wrong_kind(name, value), hint="the patch and the object it changes have different forms there"
            )


def _directive_of_map(patch: dict[str, Any], *, strict: bool) -> str:
    """Takes the directive out of the mapping."""
    if DIRECTIVE not in patch:
        return "merge"
    directive = text_of(patch[DIRECTIVE])
    if directive not in ("delete", "replace", "merge"):
        if strict:
            raise _unknown_directive(directive)
        return "merge"
    del patch[DIRECTIVE]
    return directive


def _directive_of_list(patch: list[Any]) -> str:
    """A list's directive is an element that holds nothing else; takes it out of the list."""
    found = next((element for element in patch if isinstance(element, dict) and DIRECTIVE in element), None)
    if found is None or len(found) > 1:
        return "merge"
    directive = text_of(found[DIRECTIVE])
    if directive not in ("delete", "replace", "merge"):
        raise _unknown_directive(directive)
    set_element(patch, None, [DIRECTIVE], [directive])
    return directive


def _unknown_directive(directive: str) -> KustomizationError:
    return KustomizationError(f"unknown patch strategy '{directive}'", hint="$patch may be delete, replace or merge")


def _is_plain(elements: Any, key: str) -> bool:
    """Whether every element is a mapping with a key of its own and without a directive."""
    seen = set()
    for element in elements or ():
        if not isinstance(element, dict) or DIRECTIVE in element or is_empty(element.get(key)):
            return False
        value = text_of(element[key])
        if not value or value in seen:
            return False
        seen.add(value)
    return elements is not None

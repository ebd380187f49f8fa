"""ReplacementTransformer: copies a field of one object into fields of others (K37)."""

from __future__ import annotations

from typing import Any

from render import yaml
from render.errors import KustomizationError, within
from render.kustomization.accumulate import Accumulator
from render.kustomization.copied import Value, scalar_value
from render.kustomization.draft import Draft, Trail
from render.kustomization.fieldpath import Place, find_places, look_up, split_field_path
from render.kustomization.fields import decode
from render.kustomization.ids import DEFAULT_NAMESPACE, Gvk, id_text, is_empty, selects, text_of
from render.kustomization.loader import Loader
from render.kustomization.selector import Selector
from render.kustomization.structured import set_in_text
from render.kustomization.tables.plugin_fields import REPLACEMENT_IN_FILE
from render.yaml.written import Scalar

DEFAULT_FIELD = "metadata.name"
_NAME: Trail = ("metadata", "name")
_ANNOTATIONS: Trail = ("metadata", "annotations")


def read_replacements(loader: Loader, entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The replacements of an entry: itself, or those of the file that it names."""
    file = entry.get("path")
    if not file:
        return [entry]
    if entry.get("source") is not None or entry.get("targets"):
        raise KustomizationError("cannot specify both path and inline replacement")
    path = loader.load_path(file)
    document = yaml.parse_kustomization(loader.context.read(path), path)
    if not isinstance(document, list | dict):
        raise KustomizationError("unsupported replacement type encountered within replacement path", path=path)
    found = document if isinstance(document, list) else [document]
    return [decode(item, REPLACEMENT_IN_FILE, "Replacement", names="any") for item in found]


def replace(accumulator: Accumulator, replacement: dict[str, Any]) -> None:
    """Carry out one replacement. Raises `KustomizationError` where source or target are not there."""
    source, literal, targets = replacement.get("source"), replacement.get("sourceValue"), replacement.get("targets")
    if (source is None and literal is None) or targets is None:
        raise KustomizationError("replacements must specify a source and at least one target")
    if source is not None and literal is not None:
        raise KustomizationError("value and resource selectors are mutually exclusive")
    with within("source"):
        value = Value(how=Scalar(literal or "", tag="")) if source is None else _source(accumulator, source)
    for place, target in enumerate(targets):
        with within("targets", place):
            _apply(accumulator, value, target)


def _source(accumulator: Accumulator, source: dict[str, Any]) -> Value:
    draft = _source_draft(accumulator, source)
    field = source.get("fieldPath") or DEFAULT_FIELD
    trail = look_up(draft.content, split_field_path(field))
    data = None if trail is None else _at(draft.content, trail)
    if trail is None or is_empty(data):
        name = _source_text({**source, "fieldPath": "", "options": None})
        raise KustomizationError(f"fieldPath `{field}` is missing for replacement source {name}")
    value = Value(draft=draft, trail=trail)
    options = source.get("options") or {}
    delimiter = options.get("delimiter") or ""
    if not delimiter:
        return value
    if value.how is None:
        raise KustomizationError("delimiter option can only be used with scalar nodes")
    parts = value.text.split(delimiter)
    index = options.get("index") or 0
    if not 0 <= index < len(parts):
        raise KustomizationError(f"options.index {index} is out of bounds for value {value.text}")
    return Value(how=value.how._replace(text=parts[index]))


def _source_draft(accumulator: Accumulator, source: dict[str, Any]) -> Draft:
    wanted: Gvk = (source.get("group") or "", source.get("version") or "", source.get("kind") or "")
    name, namespace = source.get("name") or "", source.get("namespace") or ""
    drafts = accumulator.named(name) if name else accumulator.drafts
    found = [
        draft
        for draft in drafts
        if draft.manifest
        and any(
            selects(wanted, gvk) and name in ("", called) and (not namespace or _same_namespace(namespace, place))
            for gvk, called, place in _identities(draft)
        )
    ]
    if not found:
        raise KustomizationError(f"nothing selected by {_source_text(source)}")
    if len(found) > 1:
        raise KustomizationError(
            f"multiple matches for selector {_source_text(source)}",
            hint="the source must be one object: give its kind, name and namespace",
        )
    return found[0]


def _same_namespace(wanted: str, namespace: str) -> bool:
    return (wanted or DEFAULT_NAMESPACE) == (namespace or DEFAULT_NAMESPACE)


def _identities(draft: Draft) -> list[tuple[Gvk, str, str]]:
    """The current identity with its written namespace, then the earlier ones."""
    group, version, kind = draft.gvk
    found: list[tuple[Gvk, str, str]] = [((group, version, kind), draft.name, draft.namespace)]
    found += [((group, version, old), name, namespace) for old, name, namespace in draft.previous]
    return found


def _source_text(source: dict[str, Any]) -> str:
    """A source as in messages."""
    gvk = (source.get("group") or "", source.get("version") or "", source.get("kind") or "")
    text = id_text(gvk, source.get("name") or "", source.get("namespace") or "")
    if source.get("fieldPath"):
        text += f":{source['fieldPath']}"
    options = source.get("options") or {}
    if options.get("delimiter") or options.get("create"):
        create = "true" if options.get("create") else "false"
        text += f":{options.get('delimiter') or ''}({options.get('index') or 0}), create={create}"
    return text


def _apply(accumulator: Accumulator, value: Value, target: dict[str, Any]) -> None:
    if target.get("select") is None:
        raise KustomizationError("target must specify resources to select")
    with within("select"):
        select = Selector(target["select"])
    with within("reject"):
        rejects = [Selector(entry) for entry in target.get("reject") or []]
    fields = target.get("fieldPaths") or [DEFAULT_FIELD]
    drafts = accumulator.named(select.name) if select.names_plainly else accumulator.drafts
    for draft in drafts:
        if draft.manifest and _is_meant(draft, select, rejects):
            before = draft.id
            for place, field in enumerate(fields):
                with within("fieldPaths", place):
                    _copy_to(draft, value, field, target.get("options") or {})
            if draft.id != before:
                accumulator.identities_changed()


def _is_meant(draft: Draft, select: Selector, rejects: list[Selector]) -> bool:
    identities = _identities(draft)
    if not any(select.matches_id(*identity) for identity in identities) or not select.matches_marks(draft):
        return False
    for reject in rejects:
        if (reject.label_selector or reject.annotation_selector) and reject.matches_marks(draft):
            return False
        if not reject.names_nothing and any(reject.matches_id(*identity) for identity in identities):
            return False
    return True


def _copy_to(draft: Draft, value: Value, field: str, options: dict[str, Any]) -> None:
    create = bool(options.get("create"))
    steps = split_field_path(field)
    manifest = draft.own_all()
    if set_in_text(manifest, steps, value, draft.context.budget, create=create):
        value.follow(draft)
        return
    failure = f'unable to find{" or create" if create else ""} field "{field}" in replacement target'
    try:
        places = find_places(manifest, steps, value.data if create else None, create=create)
    except KustomizationError as error:
        raise KustomizationError(f"{failure}: {error.message}", hint=error.hint) from error
    if not places:
        raise KustomizationError(failure, hint=f"{draft.text} has no such field; options.create makes it")
    for place in places:
        _set(draft, place, value, options)
        value.follow(draft)


def _set(draft: Draft, place: Place, value: Value, options: dict[str, Any]) -> None:
    old = place.value
    delimiter = options.get("delimiter") or ""
    if isinstance(old, dict | list) and not place.made_scalar:
        if delimiter:
            raise KustomizationError("delimiter option can only be used with scalar nodes")
        if not place.lost:
            value.put(draft, place)
        return
    text = value.text
    if not delimiter and not place.lost and _stays_text(draft, place, old, text):
        place.set(text)
        draft.spread(place.trail, old, text)
        return
    how = _how(draft, place, old)
    if delimiter:
        text = _spliced(how.text, delimiter, options, text)
        draft.context.budget.made(len(text))
    if not place.lost:
        _write(draft, place, how._replace(text=text))
        draft.spread(place.trail, old, place.value)


def _stays_text(draft: Draft, place: Place, old: Any, text: str) -> bool:
    """Whether the target is a text and stays one without asking how it is written, as nearly all are and do."""
    is_made = place.made_scalar or place.made_text or place.trail == _NAME
    return not is_made and isinstance(old, str) and draft.is_plainly(old) and "\n" not in text and bool(text)


def _how(draft: Draft, place: Place, old: Any) -> Scalar:
    """How the target is written; what was made just now, or is a name that somebody has changed, has no tag."""
    if place.made_scalar:
        return Scalar("", tag="")
    if place.made_text:
        return Scalar(text_of(old), tag="")
    how = draft.styles.at(place.trail, old)
    return how._replace(tag="") if place.trail == _NAME and draft.name_is_untyped else how


def _write(draft: Draft, place: Place, how: Scalar) -> None:
    """Set the scalar. Raises `KustomizationError` if it cannot have the type of what it replaces."""
    is_annotation = place.trail[:-1] == _ANNOTATIONS  # in the end, all of these are text
    in_brackets = draft.styles.is_in_brackets(place.trail)
    place.set(scalar_value(how, flow=in_brackets, otherwise=how.text if is_annotation else None))
    draft.styles.note(place.trail, how)


def _spliced(old: str, delimiter: str, options: dict[str, Any], text: str) -> str:
    parts = old.split(delimiter)
    index = options.get("index") or 0
    if index < 0:
        parts.insert(0, text)
    elif index >= len(parts):
        parts.append(text)
    else:
        parts[index] = text
    return delimiter.join(parts)


def _at(node: Any, trail: Trail) -> Any:
    for step in trail:
        node = node[step]
    return node

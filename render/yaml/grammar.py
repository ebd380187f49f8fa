"""The whole grammar: libyaml's events, go-yaml's meaning.

One loop over the parser's events builds plain dicts and lists; everything out of the ordinary (tags, anchors, merges,
odd keys) is handled beside it. Loaded only for what cannot be read line by line, because libyaml's binding takes as
long to load as a small build.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from yaml._yaml import CParser
from yaml.error import YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from render.errors import YamlError
from render.yaml import faults, positions
from render.yaml.anchors import EMPTY, MOST_DEPTH, Anchors
from render.yaml.dialects import NO_TEXT, REPEATED, Dialect
from render.yaml.folds import as_folded_again
from render.yaml.scalars import OutsideTime
from render.yaml.tags import PREFIX, tagged

MOST_REMEMBERED = 1 << 16
"""Entries after which a memory is emptied: a controller runs for months."""

_CARE = frozenset(("", "-"))
"""Fifth characters of a plain scalar inside `{}` or `[]` that may be empty or a time."""


class Merge(NamedTuple):
    """Stands for one key `<<` until its mapping is complete."""

    event: Any


VANISHES = object()
"""Stands for a quoted `"<<"`, whose entry Kustomize loses."""


class Repetition(NamedTuple):
    """Stands for a key that its mapping has already."""

    message: str
    number: int


class Reader:
    """One pass over one file."""

    def __init__(
        self, data: bytes, path: str, dialect: Dialect, *, repeated_keys: bool = False, inner: bool = False
    ) -> None:
        if dialect.resources:
            data = faults.as_split(data)
        self._data, self._path, self._dialect = data, path, dialect
        self._repeated_keys = repeated_keys
        self._topmost = 0 if inner or repeated_keys else 1
        """How deep the mappings are whose keys become texts, whatever they are; 0 for none."""
        self._anchors = Anchors(self._fail)
        self._ordinary = {"", "'", '"', "|", ">"}  # styles whose text is the value, or resolves to it
        if dialect.resources:
            self._ordinary.discard(">")
        if faults.may_escape_slash(data):
            self._ordinary.discard('"')
        self._asks = b"?" in data
        """Whether a `?` may stand inside `{}` or `[]`."""
        for memory in (dialect.values, dialect.keys):
            if len(memory) > MOST_REMEMBERED:
                memory.clear()

    def documents(self) -> list[Any]:
        """Every document of the file, in order."""
        if self._dialect.resources:
            faults.refuse_content_beside_separator(self._data, self._path)
        try:
            return self._read(CParser(self._data).get_event)
        except YAMLError as error:
            raise faults.from_libyaml(error, self._data, self._path) from None
        except OutsideTime as error:
            raise faults.from_time(error, self._data, self._path) from None

    def _read(self, next_event: Callable[[], Any]) -> list[Any]:
        """The loop that every event passes: long, because a call for each event would double its time."""
        documents: list[Any] = []
        resolved, values, keys, resources, unique = self._dialect
        ordinary, anchors, asks = self._ordinary, self._anchors, self._asks
        stack: list[tuple[Any, bool, Any, bool, bool]] = []
        into: Any = documents  # what values go into now: a list, or a dict with its pending key
        is_mapping = flow = odd = False
        key: Any = None
        while (event := next_event()) is not None:
            kind = event.__class__
            if is_mapping and key is None and kind is not MappingEndEvent:
                plain = kind is ScalarEvent and event.style in ordinary and event.tag is None and event.anchor is None
                if plain and event.value in keys and not (flow and asks):
                    key = event.value
                else:
                    key = self._odd_key(event, into, len(stack) == self._topmost, flow)
                    odd = odd or key.__class__ is not str
                if unique and key in into:
                    key, odd = self._duplicate(event, key), True
                continue
            if kind is ScalarEvent:
                text, style = event.value, event.style
                plain = style in ordinary and event.tag is None and event.anchor is None
                if not plain or (flow and (text[4:5] in _CARE or asks)):
                    value = self._odd_scalar(event, flow)
                elif style:
                    value = text
                elif text in values:
                    value = values[text]
                else:
                    value = values[text] = resolved(text)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= MOST_DEPTH:
                    self._fail(f"nested more than {MOST_DEPTH} levels deep", event)
                stack.append((into, is_mapping, key, flow, odd))
                is_mapping = kind is MappingStartEvent
                into, key, odd, flow = {} if is_mapping else [], None, False, flow or event.flow_style
                if event.anchor is not None:
                    anchors.open(event.anchor, into)
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                value = into
                if odd:
                    self._settle_odd_keys(value)
                if anchors.opened:
                    anchors.close(value)
                into, is_mapping, key, flow, odd = stack.pop()
            elif kind is AliasEvent:
                value = anchors.value(event, len(stack), "" if flow and resources else None)
            else:
                if kind is DocumentStartEvent and not self._start_document(event, documents):
                    break
                continue
            if is_mapping:
                into[key] = value
                key = None
            else:
                into.append(value)
        return documents

    def _start_document(self, event: Any, before: list[Any]) -> bool:
        """Whether the document is to be read: of a kustomization only the first one is."""
        if before and not self._dialect.resources:
            return False
        self._anchors.clear()
        accepted = None if self._dialect.resources else (1, 1)
        if event.tags or event.version not in (None, accepted):
            self._fail("did not find expected <document start>", event, hint="leave %YAML and %TAG lines out")
        return True

    def _odd_scalar(self, event: Any, flow: bool) -> Any:
        """A value with a tag or an anchor, an empty one inside `{}` or `[]`, or one in a style that needs care."""
        text, style, resources = event.value, event.style, self._dialect.resources
        if style == '"':
            faults.refuse_escaped_slash(event, self._data, self._path)
        elif not style and flow:
            self._refuse_question(event)
        if event.tag is not None:
            value = tagged(event, self._dialect.resolve, self._fail)
        elif not style and flow and resources and ":" in text:
            value = text  # Kustomize quotes it when it writes the file once more, and then it is no time any longer
        elif not style:
            value = self._dialect.resolve(text)
        else:
            value = as_folded_again(text) if style == ">" and resources else text
        empty = not style and not text and event.tag in (None, "!")
        if event.anchor is not None:
            self._anchors.name(event.anchor, EMPTY if empty else value)
        return "" if empty and flow and resources else value

    def _refuse_question(self, event: Any) -> None:
        """go-yaml takes every `?` inside `{}` or `[]` for the beginning of a key."""
        if "?" in event.value:
            self._fail("did not find expected ',' or '}' or ']' before a question mark", event, hint="quote the text")

    def _odd_key(self, event: Any, into: dict[Any, Any], topmost: bool, flow: bool) -> Any:
        """A key that was not seen before, one with a tag or an anchor, or an alias."""
        kind = event.__class__
        alias = self._anchors.value(event, 0) if kind is AliasEvent else None
        if alias.__class__ is str:
            return alias
        if kind is not ScalarEvent:
            self._fail("invalid map key: a key must be a string", event)
        text, plain = event.value, not event.style
        if event.style == '"':
            faults.refuse_escaped_slash(event, self._data, self._path)
        elif plain and flow:
            self._refuse_question(event)
        if self._dialect.resources and event.tag and event.tag != "!" and not event.tag.startswith(PREFIX):
            self._fail(f"the key {text} has the tag {event.tag}", event, hint="leave the tag out")
        if text == "<<" and plain:
            if self._dialect.resources and any(other.__class__ is Merge for other in into):
                self._fail("duplicate merge key", event, hint="list what to merge: <<: [*a, *b]")
            return Merge(event)
        if text == "<<" and self._dialect.resources:
            return VANISHES
        value = tagged(event, self._dialect.resolve, self._fail) if event.tag else text
        if plain and not event.tag:
            value = self._dialect.resolve(text)
        resources = self._dialect.resources
        if not resources:
            value = _as_json_key(value)
        elif not text or (topmost and value is not None and value != text):
            return text  # Kustomize reads only what is inside an object without knowing that keys are texts
        if value.__class__ is not str or (resources and plain and value != text):
            fault = f"the key {text or 'null'} is no string"
            if not self._repeated_keys or not text:
                self._fail(fault, event, hint="quote it")
            into.setdefault(NO_TEXT, {})[text] = fault
            return text
        if event.anchor is not None:
            self._anchors.name(event.anchor, value)
        elif value == text and plain and not event.tag:
            self._dialect.keys.add(text)
        return value

    def _settle_odd_keys(self, mapping: dict[Any, Any]) -> None:
        """Merge what stands under `<<`, in place; drop what Kustomize drops."""
        mapping.pop(VANISHES, None)
        entries = list(mapping.items())
        mapping.clear()
        for key, value in entries:
            if key.__class__ is Repetition:
                mapping[REPEATED] = key.message
            elif key.__class__ is not Merge:
                mapping[key] = value
            elif not self._dialect.resources:  # the older generation lets the later entry win, merged or not
                for source in reversed(self._merge_sources(key.event, value)):
                    mapping.update(source)
        for key, value in entries:
            if key.__class__ is Merge and self._dialect.resources:
                for source in self._merge_sources(key.event, value):
                    for inner, merged in source.items():
                        mapping.setdefault(inner, merged)

    def _merge_sources(self, event: Any, value: Any) -> list[dict[str, Any]]:
        sources = value if value.__class__ is list else [value]
        if not all(source.__class__ is dict for source in sources):
            self._fail("map merge requires map or sequence of maps as the value", event)
        return list(sources)

    def _duplicate(self, event: Any, key: Any) -> Repetition:
        key = "<<" if key is VANISHES else key
        line = positions.first_definition(self._data, event.start_mark.index, key)
        message = f'mapping key "{key}" already defined at line {line}'
        if not self._repeated_keys:
            self._fail(message, event, hint="keep one of the two")
        return Repetition(message, event.start_mark.index)

    def _fail(self, message: str, event: Any, hint: str | None = None) -> NoReturn:
        mark = event.start_mark
        raise YamlError(message, path=self._path, line=mark.line + 1, column=mark.column + 1, hint=hint)


def _as_json_key(value: Any) -> Any:
    """A key of kustomization.yaml, where numbers and booleans become text."""
    if value.__class__ is bool:
        return "true" if value else "false"
    return str(value) if value.__class__ in (int, float) else value

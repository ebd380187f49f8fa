"""Journal and stop card as JSON, as they lie in an application's record in its own cluster.

Read strictly: every field is there, of its type, and no other. People edit ConfigMaps by hand, and what cannot be read
is damage that is named, never an empty journal. The types of the values themselves are the schema.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from reconciler.failover.protocol.card import StopCard
from reconciler.failover.protocol.strict_json import DocumentError, Fields, read, write, wrong
from reconciler.failover.protocol.values import Journal

VERSION = 2
JOURNAL_LIMIT = 64 * 1024
"""Bytes of a journal: many times what a year of moves leaves."""

CARD_LIMIT = 700 * 1024
"""Bytes of a card: some thousand objects; a ConfigMap holds a megabyte."""

T = TypeVar("T")


def write_journal(journal: Journal) -> str:
    """The journal as it lies in the cluster."""
    return _written("journal", journal)


def read_journal(data: str, what: str) -> Journal:
    """The journal in a text; `what` names it in the error. Raises `DocumentError`."""
    return _read(Journal, "journal", data, what, JOURNAL_LIMIT)


def write_card(card: StopCard) -> str:
    """The stop card as it lies in the cluster."""
    return _written("card", card)


def read_card(data: str, what: str) -> StopCard:
    """The card in a text; `what` names it in the error. Raises `DocumentError`."""
    return _read(StopCard, "card", data, what, CARD_LIMIT)


def plain(value: Any) -> Any:
    """A value of the protocol as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [plain(each) for each in value]
    return value


def value_of(kind: Any, value: Any, at: str) -> Any:
    """The value of a type that plain JSON says; `at` names it in errors. Raises `DocumentError`."""
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin is Union or origin is types.UnionType:
        return _alternative(kind, value, at)
    if origin is Literal:
        return value if value in get_args(kind) else wrong(at, value, f"one of {', '.join(map(str, get_args(kind)))}")
    if origin is tuple:
        return _items(get_args(kind)[0], value, at)
    if origin is not None and issubclass(origin, Mapping):
        return {key: value_of(get_args(kind)[1], each, f"{at}.{key}") for key, each in _object(value, at).items()}
    if is_dataclass(kind):
        return _dataclass(kind, value, at)
    if issubclass(kind, Enum):
        known = [each.value for each in kind]
        return kind(value) if value in known else wrong(at, value, f"one of {', '.join(map(str, known))}")
    return _scalar(kind, value, at)


def _written(name: str, value: Any) -> str:
    return write({"version": VERSION, name: plain(value)}).decode()


def _read(kind: type[T], name: str, data: str, what: str, limit: int) -> T:
    def reader(document: Fields) -> T:
        return cast(T, value_of(kind, document.anything(name), f"{what}: {name}"))

    return read(data, what, VERSION, limit, reader)


def _alternative(kind: Any, value: Any, at: str) -> Any:
    choices = get_args(kind)
    if value is None and type(None) in choices:
        return None
    failure: DocumentError | None = None
    for choice in choices:
        if choice is type(None):
            continue
        try:
            return value_of(choice, value, at)
        except DocumentError as error:
            failure = failure or error
    raise failure or DocumentError(f"{at}: found something, expected null")


def _items(kind: Any, value: Any, at: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        wrong(at, value, "a list")
    return tuple(value_of(kind, each, f"{at}[{index}]") for index, each in enumerate(value))


def _object(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        wrong(at, value, "an object")
    return cast(dict[str, Any], value)


def _dataclass(kind: Any, value: Any, at: str) -> Any:
    known = _schema(kind)
    given = _object(value, at)
    for name in sorted(known.keys() ^ given.keys()):
        raise DocumentError(f'{at}: field "{name}" is {"missing" if name in known else "not known"}')
    return kind(**{name: value_of(known[name], given[name], f"{at}.{name}") for name in known})


@cache
def _schema(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}


def _scalar(kind: Any, value: Any, at: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
        wrong(at, value, names[kind])
    if kind is int and value < 0:
        wrong(at, value, "a whole number that is not negative")
    return value

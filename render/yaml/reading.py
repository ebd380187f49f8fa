"""Text to documents: line by line where that is enough, by the whole grammar where it is not.

Values are shared where texts repeat and where aliases share them: nobody may change what is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from render.errors import YamlError
from render.yaml.brackets import Unusual
from render.yaml.dialects import KUSTOMIZATION, RESOURCES, Dialect
from render.yaml.lines import Lines, read_lines


def parse(data: bytes, path: str, *, repeated_keys: bool = False) -> list[Any]:
    """The documents of a file of resources, in order; empty ones and `null` are dropped, as Kustomize does.

    With `repeated_keys`, a mapping that has a key twice keeps the first and says so under `REPEATED`, and one with keys
    that are no texts takes them for texts and says so under `NO_TEXT`.

    Values are dict (str keys), list, str, int, float, bool and None; dates are RFC 3339 text. They may be shared:
    copy before changing. Raises `YamlError` with the place for everything that Kustomize would refuse, for a recursive
    alias, and for more nodes or levels than any manifest needs.
    """
    try:
        return read_lines(data, RESOURCE_LINES)
    except Unusual:
        return parse_whole(data, path, repeated_keys=repeated_keys)


def parse_whole(data: bytes, path: str, *, repeated_keys: bool = False) -> list[Any]:
    """The same by the whole grammar alone."""
    documents = _by_grammar(data, path, RESOURCES, repeated_keys=repeated_keys)
    return [document for document in documents if document is not None]


def parse_kustomization(data: bytes, path: str, *, unique_keys: bool = False) -> Any:
    """The first document of a kustomization.yaml, by YAML 1.1: `yes`, `on`, `n` are booleans, the last duplicate wins.

    None for an empty file. Raises `YamlError`; with `unique_keys` also for a key that stands twice.
    """
    if data.count(b"\n---") + data.startswith(b"---") <= 1:  # of several documents, the first one may be empty
        try:
            documents = read_lines(data, KUSTOMIZATION_LINES)
            return documents[0] if documents else None
        except Unusual:
            pass
    return parse_kustomization_whole(data, path, unique_keys=unique_keys)


def parse_kustomization_whole(data: bytes, path: str, *, unique_keys: bool = False) -> Any:
    """The same by the whole grammar alone."""
    documents = _by_grammar(data, path, KUSTOMIZATION._replace(unique=True) if unique_keys else KUSTOMIZATION)
    return documents[0] if documents else None


def position(data: bytes, path: str, document: int, field: Sequence[str | int]) -> tuple[int, int]:
    """Line and column, from 1, of a field in a document; `document` counts what `parse` returned.

    A mapping's field is where its key is, an item of a list where it begins. What is not written there (it came
    through an alias or a patch) has the place of its nearest parent. Raises `YamlError` if the file cannot be parsed.
    """
    from render.yaml import positions

    return positions.position(data, path, document, field)


def _by_grammar(
    data: bytes, path: str, dialect: Dialect, *, repeated_keys: bool = False, inner: bool = False
) -> list[Any]:
    from render.yaml.grammar import Reader  # it takes as long to load as a small build, which seldom needs it

    return Reader(data, path, dialect, repeated_keys=repeated_keys, inner=inner).documents()


def _node_by(dialect: Dialect) -> Callable[[str], Any]:
    def node(text: str) -> Any:
        """The value of a text that is one node. Raises `Unusual` if it is none."""
        try:
            documents = _by_grammar(text.encode(), "", dialect, inner=True)
        except YamlError:
            raise Unusual from None
        if len(documents) != 1:
            raise Unusual
        return documents[0]

    return node


RESOURCE_LINES = Lines(RESOURCES.resolve, _node_by(RESOURCES))
KUSTOMIZATION_LINES = Lines(KUSTOMIZATION.resolve, _node_by(KUSTOMIZATION))

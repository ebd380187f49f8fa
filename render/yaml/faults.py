"""libyaml's complaints as errors with a place, and the refusals that it leaves to us."""

from __future__ import annotations

import re
from typing import Any

from render.errors import YamlError

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

_SEPARATOR = re.compile(rb"\n---([^\n]*)\n")
_INNER_MARK = re.compile(rb"(\n---[^\n]*\n)\xef\xbb\xbf")
_END_FIRST = re.compile(rb"(?:\A|\n---[^\n]*\n)(?:[ \t\r]*(?:#[^\n]*)?\n)*\.\.\.(?:\s|\Z)")
"""A document that ends before it begins."""


def text_of(data: bytes) -> str:
    """The file as characters, numbered as libyaml numbers them: without a byte-order mark."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return data.decode(encoding, "replace")


def from_libyaml(error: Any, data: bytes, path: str) -> YamlError:
    """An error of libyaml's reader, scanner or parser."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if getattr(error, "context", None) == "while scanning a simple key":
        mark = error.context_mark  # the key itself: the scanner misses its colon only on a later line
    if mark is not None:
        context = f"{error.context}: " if error.context else ""
        return YamlError(f"{context}{error.problem}", path=path, line=mark.line + 1, column=mark.column + 1)
    before = text_of(data[: error.position])
    line = before.count("\n") + 1
    reason = error.reason
    hint = "save the file as UTF-8" if "UTF-8" in reason else None
    return YamlError(reason, path=path, line=line, column=len(before) - before.rfind("\n"), hint=hint)


def from_time(error: ValueError, data: bytes, path: str) -> YamlError:
    """A time whose zone is no zone."""
    before, _, _ = text_of(data).partition(str(error))
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return YamlError(
        f"the time {error} has a zone outside of 0 to 23 hours", path=path, line=line, column=column, hint="quote it"
    )


def may_escape_slash(data: bytes) -> bool:
    """Whether a `\\/` may stand in the file (always possible where bytes are no characters: UTF-16)."""
    return b"\\/" in data or b"\0" in data


def refuse_escaped_slash(event: Any, data: bytes, path: str) -> None:
    """go-yaml does not know JSON's escaped slash; libyaml does."""
    if not may_escape_slash(data):
        return
    start = event.start_mark
    source = text_of(data)[start.index : event.end_mark.index]
    for escape in _ESCAPE.finditer(source):
        if escape[1] == "/":
            before = source[: escape.start()]
            lines = before.count("\n")
            column = len(before) - before.rfind("\n") if lines else start.column + len(before) + 1
            raise YamlError(
                "found unknown escape character",
                path=path,
                line=start.line + lines + 1,
                column=column,
                hint="write / instead of \\/",
            )


def as_split(data: bytes) -> bytes:
    """The file as Kustomize splits it: no byte-order marks at the start of its later documents, and `---#` parts them
    as `--- #` does."""
    if b"\n---#" in data:
        data = data.replace(b"\n---#", b"\n--- #")
    return _INNER_MARK.sub(rb"\1", data) if b"\n\xef\xbb\xbf" in data else data


def refuse_content_beside_separator(data: bytes, path: str) -> None:
    """Kustomize splits a file at its `---` lines before it parses, and wants nothing but a comment on them."""
    if b"..." in data and (match := _END_FIRST.search(data)) is not None:
        line = data.count(b"\n", 0, match.end() - 1) + 1
        raise YamlError("did not find expected node content", path=path, line=line, column=1, hint="leave ... out")
    if b"\n---" not in data:
        return
    for separator in _SEPARATOR.finditer(data):
        rest = separator[1].strip()
        if rest and not rest.startswith(b"#"):
            raise YamlError(
                f"invalid document separator: ---{separator[1].decode(errors='replace')}",
                path=path,
                line=data.count(b"\n", 0, separator.start()) + 2,
                column=1,
                hint="begin the document on the next line",
            )

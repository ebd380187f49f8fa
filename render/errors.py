"""The one exception tree; `reconciler.errors` grows its branches from the same root.

SiteshiftError                a person can act on it; the command line prints it without a traceback
├── InputError                something that a person wrote is wrong: file, line, column, what to do
│   ├── YamlError             the text is no YAML that Kubernetes would take
│   ├── TreeError             a file or folder cannot be read, or leaves the repository
│   │   └── NotInTree         there is nothing at that path
│   ├── KustomizationError    a kustomization cannot be built
│   └── FleetError            the fleet's own files (reconciler.fleet)
└── InputErrors               several of them, shown together and sorted
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


def readable(text: str) -> str:
    """The text with every character that a terminal would obey rather than show as an escape; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else one.encode("unicode_escape").decode() for one in text)


class SiteshiftError(Exception):
    """Anything that is reported to a person as one clear message."""


class InputError(SiteshiftError):
    """Something that a person wrote is wrong.

    `path` is relative to the root of what was read, `line` and `column` count from 1. The text is
    `path:line:column: error: message`, then at most one `hint:` line. Who raises it deep inside a file may know the
    `document` and the field `within` it instead of a line; somebody on the way up finds the line.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
        document: int = 0,
        within: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        self.hint = hint
        self.document = document
        self.within = within

    def __str__(self) -> str:
        place = ""
        if self.path is not None:
            numbers = [str(number) for number in (self.line, self.column) if number is not None]
            place = ":".join([self.path, *numbers]) + ": "
        text = f"{place}error: {self.message}"
        return readable(text if self.hint is None else f"{text}\n  hint: {self.hint}")

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """Errors are shown by file, then from top to bottom."""
        return (self.path or "", self.line or 0, self.column or 0, self.message)


class YamlError(InputError):
    """The text is no YAML that Kubernetes would take."""


class TreeError(InputError):
    """A file or folder cannot be read, or a path leaves the repository. Never an empty result."""


class NotInTree(TreeError):
    """There is nothing at that path: the only read error that may be taken as an answer."""


class KustomizationError(InputError):
    """A kustomization cannot be built; the message names the culprit as Kustomize names it."""


@contextmanager
def within(*steps: str | int) -> Iterator[None]:
    """Errors in here that name no file are about a part of what the caller works on: the field or item `steps`."""
    try:
        yield
    except KustomizationError as error:
        if error.path is None:
            error.within = (*steps, *error.within)
        raise


class InputErrors(SiteshiftError):
    """All errors of one input, sorted by place."""

    def __init__(self, errors: Iterable[InputError]) -> None:
        self.errors: tuple[InputError, ...] = tuple(sorted(errors, key=lambda error: error.sort_key))
        super().__init__(f"{len(self.errors)} errors")

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)

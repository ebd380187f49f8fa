"""What is found: a place, which rule found it, and what to do."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One thing that somebody should look at. `line` and `column` count from 1; `path` is the tree's.

    `level` is "error" for what keeps the build from working at all, `rule` names the rule that speaks.
    """

    path: str
    line: int
    column: int
    rule: str
    message: str
    hint: str
    level: Literal["warning", "error"] = "warning"

    def __str__(self) -> str:
        text = f"{self.path}:{self.line}:{self.column}: {self.level}: {self.message}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text

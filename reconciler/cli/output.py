"""`-o`: the same names mean the same in every command that reads. Without it a command prints text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

OUTPUTS: Mapping[str, str] = {
    "yaml": "everything, as YAML",
    "json": "everything, as JSON",
    "name": "the names alone, one a line",
    "wide": "text with more detail",
}
"""What `-o` takes, and what each means."""


def add(parser: argparse.ArgumentParser, *more: str, default: str | None = None) -> None:
    """Give a command's parser the option; `more` are forms that only this command has."""
    usual = "text for people" if default is None else default
    words = "; ".join(f"{name}: {meaning}" for name, meaning in OUTPUTS.items())
    choices = (*OUTPUTS, *more)
    parser.add_argument(
        "-o", "--output", choices=choices, default=default, help=f"how to print; {words} (default: {usual})"
    )


def data(value: Any, output: str) -> str:
    """A plain value as JSON or YAML."""
    import json

    if output == "json":
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
    return text

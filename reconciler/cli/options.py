"""Every option that can also be set by the environment, as one table: flag, variable, default, help.

`--help`, the docs and the error for a bad value all read this table, and a value can say where it came from.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any, NamedTuple


class Option(NamedTuple):
    """A flag, the environment variable behind it, its default (None: computed, see the help) and its help."""

    name: str
    default: str | None
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    short: str | None = None
    switch: bool = False

    @property
    def flag(self) -> str:
        """As it is written on the command line."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """As it is written in the environment."""
        return "SITESHIFT_" + self.name.upper().replace("-", "_")

    @property
    def attribute(self) -> str:
        """Its name among parsed arguments."""
        return self.name.replace("-", "_")


OPTIONS: tuple[Option, ...] = (
    Option("fleet", None, "folder of the fleet repository (default: the nearest siteshift.yaml upwards)", "DIR"),
    Option("rev", None, "read this Git revision instead of the files as they are", "REV"),
    Option("site", None, "the site", "SITE"),
    Option("app", None, "only this application", "NAME"),
    Option("kubeconfig", None, "kubeconfig file (default: as kubectl finds it)", "FILE"),
    Option("context", None, "context of the kubeconfig (default: the site's in siteshift.yaml)", "NAME"),
    Option("fleet-url", None, "URL of the fleet repository's Git server", "URL"),
    Option("branch", "main", "branch of the fleet repository whose commits count", "NAME"),
    Option("state", None, "folder for the mirror of the fleet repository (default: in the user's cache folder)", "DIR"),
    Option("log-format", None, "text or json (default: text on a terminal, else json)", "FORMAT", ("text", "json")),
    Option("color", "auto", "colour on the terminal", "WHEN", ("never", "auto", "always")),
    Option("git-timeout", "60", "how long one exchange with a Git server may take, in seconds", "SECONDS"),
    Option("no-cache", None, "neither use nor keep results of earlier builds in the user's cache folder", switch=True),
    Option("git-credentials", None, "file with `https://user:token@host` lines, as Git's store helper writes", "FILE"),
    Option(
        "signing-key",
        None,
        "SSH key by which the site signs what it says; siteshift.yaml names its public half",
        "FILE",
    ),
)
"""The shared options. A command takes those that it needs with `add`."""

BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS}


def add(parser: argparse.ArgumentParser, *names: str, required: tuple[str, ...] = ()) -> None:
    """Give a command's parser these options of the table; the environment fills in what the line leaves out."""
    for name in names:
        option = BY_NAME[name]
        if option.switch:
            _add_switch(parser, option)
            continue
        value = os.environ.get(option.variable) or option.default
        if value is not None and option.choices and value not in option.choices:
            value = _refuse_environment(parser, option, value)
        parser.add_argument(
            option.flag,
            default=value,
            required=name in required and value is None,
            metavar=option.metavar,
            choices=option.choices or None,
            help=f"{option.help}{_default(option)} [{option.variable}]",
        )


def _default(option: Option) -> str:
    """Its default for the help, where the help does not say how it is found."""
    return f" (default: {option.default})" if option.default is not None else ""


def _add_switch(parser: argparse.ArgumentParser, option: Option) -> None:
    is_set = bool(os.environ.get(option.variable))
    parser.add_argument(option.flag, action="store_true", default=is_set, help=f"{option.help} [{option.variable}]")


def source(option: Option, arguments: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Where an option's value came from: "flag", "environment" or "default"."""
    value: Any = getattr(arguments, option.attribute)
    from_environment = environment.get(option.variable)
    if value is None or (value == option.default and not from_environment):
        return "default"
    return "environment" if value == from_environment else "flag"


def _refuse_environment(parser: argparse.ArgumentParser, option: Option, value: str) -> str:
    parser.error(f'{option.variable} is "{value}", expected {" or ".join(option.choices)}')


def seconds(name: str, arguments: argparse.Namespace) -> float:
    """An option that is a number of seconds. Raises `UsageError`."""
    from reconciler.errors import UsageError

    option = BY_NAME[name]
    text = getattr(arguments, option.attribute)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 86400:
        raise UsageError(f'{option.flag} is "{text}", expected a number of seconds')
    return value

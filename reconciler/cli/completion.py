"""`siteshift completion bash`: what a shell needs to complete our command lines, with the names of the fleet.

The scripts ask this command what may follow (`--words`), so they never change and know every option.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.cli.main import CommandParser
    from reconciler.fleet.model import Fleet

EXAMPLES = """\
  source <(siteshift completion bash)                                      in ~/.bashrc
  siteshift completion zsh > ~/.zfunc/_siteshift                           with ~/.zfunc in fpath
  siteshift completion fish > ~/.config/fish/completions/siteshift.fish
"""

FOLDER = Path(__file__).parent / "completions"
SCRIPTS = {"bash": "siteshift.bash", "zsh": "_siteshift", "fish": "siteshift.fish"}


def _sites(fleet: Fleet) -> Iterable[str]:
    return (site.name for site in fleet.sites)


def _applications(fleet: Fleet) -> Iterable[str]:
    return (application.name for application in fleet.applications)


NAMES: Mapping[str, Callable[[Fleet], Iterable[str]]] = {
    "site": _sites,
    "to": _sites,
    "declare_down": _sites,
    "allow_discard": _sites,
    "app": _applications,
    "apps": _applications,
}
"""Arguments that take a name of the fleet: where the names come from."""


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    import argparse

    parser.add_argument("shell", nargs="?", choices=tuple(SCRIPTS), help="print the script of this shell")
    parser.add_argument(
        "--words", nargs=argparse.REMAINDER, metavar="WORD", help="print what may stand in place of the last word"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the script, or the candidates one a line."""
    if arguments.words is not None:
        for candidate in candidates(arguments.words or [""]):
            print(candidate)
        return 0
    from reconciler.errors import UsageError

    if arguments.shell is None:
        raise UsageError(f"a shell is needed: {', '.join(SCRIPTS)}")
    print((FOLDER / SCRIPTS[arguments.shell]).read_text(encoding="utf-8"), end="")
    return 0


def candidates(words: Sequence[str]) -> list[str]:
    """What may stand in place of the last word, after the words before it; empty where a file may, or nothing."""
    from reconciler.cli.main import COMMANDS, load_command

    before, last = words[:-1], words[-1]
    command = next((word for word in before if not word.startswith("-")), None)
    if command is None:
        found: Iterable[str] = (*COMMANDS, "help")
    elif command not in COMMANDS:
        found = COMMANDS if command == "help" else ()
    else:
        found = _arguments(load_command(command), before[before.index(command) + 1 :], last)
    return sorted({word for word in found if word.startswith(last)})


def _arguments(parser: CommandParser, before: Sequence[str], last: str) -> Iterable[str]:
    import argparse

    taking = next((one for one in parser.declared if before and before[-1] in one.option_strings), None)
    if taking is not None and taking.nargs != 0:
        return _values(taking, before)
    if last.startswith("-"):
        shown = (action for action in parser.declared if action.help != argparse.SUPPRESS)
        return (option for action in shown for option in action.option_strings)
    return (value for action in parser.declared if not action.option_strings for value in _values(action, before))


def _values(action: argparse.Action, before: Sequence[str]) -> Iterable[str]:
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    if action.dest not in NAMES:
        return ()
    fleet = _fleet(before)
    return () if fleet is None else [name for name in NAMES[action.dest](fleet) if name not in before]


def _fleet(before: Sequence[str]) -> Fleet | None:
    """The fleet that the line is about; None where it cannot be read: a shell that completes shows no errors."""
    import argparse

    from reconciler.cli.where import fleet_tree
    from reconciler.errors import SiteshiftError
    from reconciler.fleet.load import load

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--fleet")
    parser.add_argument("--rev")
    try:
        return load(fleet_tree(parser.parse_known_args(list(before))[0]))
    except (SiteshiftError, OSError):
        return None

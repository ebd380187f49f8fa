"""Where every command begins and ends: which module a name means, how an error looks, which number the shell gets.

A command's module is imported only once its name is on the line, so that a quick command stays quick.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from render.errors import InputError, InputErrors, SiteshiftError, readable

BRIEF = frozenset({"build", "render", "lint", "validate"})
"""Commands that read, print and end."""

USUAL_WIDTH = 80
"""Columns, where nobody says how many there are."""

DONE, NOT_DONE, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("reconciler.cli.init", "make a new fleet repository that works as it stands"),
    "validate": ("reconciler.cli.validate", "say everything that is wrong with a fleet"),
    "render": ("reconciler.cli.render", "print what a site would have"),
    "lint": ("reconciler.cli.lint", "point at what is deprecated or will not do what it seems to"),
    "build": ("reconciler.cli.build", "print what `kustomize build` prints"),
    "diff": ("reconciler.cli.diff", "compare what a site should have with what it has"),
    "apply": ("reconciler.cli.apply", "bring one site to what Git says, in one pass"),
    "install": ("reconciler.cli.install", "put the controller and the guard of a site into its cluster"),
    "uninstall": ("reconciler.cli.uninstall", "take them away, and leave the applications as they are"),
    "run": ("reconciler.cli.run", "keep one site at what Git says: the controller"),
    "guard": ("reconciler.cli.guard", "keep one site's permits, leases and gates: beside the controller"),
    "status": ("reconciler.cli.status", "show sites, applications and what is waited for"),
    "failover": ("reconciler.cli.failover", "commit a move of applications to another site"),
    "failback": ("reconciler.cli.failback", "commit a move of applications to their home"),
    "suspend": ("reconciler.cli.suspend", "commit that applications are left alone"),
    "resume": ("reconciler.cli.resume", "commit that applications are looked after again"),
    "allow-discard": ("reconciler.cli.allow_discard", "commit that a returning site's copy may be overwritten"),
    "override-fence": ("reconciler.cli.override_fence", "commit that a site is dark although nothing proves it"),
    "accept-rewind": ("reconciler.cli.accept_rewind", "commit that a rewound branch counts as it is"),
    "rebind": ("reconciler.cli.rebind", "commit which cluster a site is, once the old one is destroyed"),
    "retire": ("reconciler.cli.retire", "commit that a site carries applications no longer"),
    "remote": ("reconciler.cli.remote", "point a site at another Git server"),
    "promote-by-hand": ("reconciler.cli.promote_by_hand", "make a site's copy the primary without a move"),
    "break-glass": ("reconciler.cli.break_glass", "let a site start an application although its gate is closed"),
    "forget-api-server": ("reconciler.cli.forget_api_server", "say that an API server of a cluster is gone for good"),
    "sandbox": ("sandbox.cli.sandbox", "run sites on this machine, without a cluster"),
    "demo": ("sandbox.cli.demo", "watch two sites on this machine survive a failover"),
    "completion": ("reconciler.cli.completion", "print what bash, zsh or fish needs to complete these commands"),
}
"""A command's name: its module, which has `register(parser)` and `run(arguments) -> int`, and its line of help."""

SANDBOX = "siteshift-sandbox"
"""The distribution that holds the package `sandbox`; the product runs without it."""

EPILOG = """\
siteshift COMMAND --help says more about a command. Options can also be set by the environment variables in brackets.

exit codes: 0 done, 1 not done, 2 wrong usage, 130 interrupted (diff: 0 same, 1 differs, 2 error)
"""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal. argparse would find that out with a module for compressed archives in tow, and
    asks for every option."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_width() - 2)


class CommandParser(argparse.ArgumentParser):
    """A parser that says what was declared: argparse keeps that to itself."""

    def __init__(self, **settings: Any) -> None:
        self.declared: list[argparse.Action] = []
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """A wrong command line is an error like any other, and not the whole usage text."""
        from reconciler.errors import UsageError

        raise UsageError(f"{message}\n  hint: {self.prog} --help shows how")

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """Declare an argument, as argparse takes it."""
        action = super().add_argument(*names, **settings)
        self.declared.append(action)
        return action


@cache
def _width() -> int:
    if os.environ.get("COLUMNS", "").isdecimal():
        return int(os.environ["COLUMNS"]) or USUAL_WIDTH
    try:
        return os.get_terminal_size(1).columns or USUAL_WIDTH
    except OSError:
        return USUAL_WIDTH


def main(line: Sequence[str] | None = None) -> int:
    """Run the command line and return the shell's exit code; the only place that knows exit codes."""
    words = list(sys.argv[1:] if line is None else line)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  (for as long as the process lasts)
    if sys.stdout is None:
        # A file that is opened next would be taken for the output.
        print("error: the standard output is closed", file=sys.stderr)
        return NOT_DONE
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE
    except KeyboardInterrupt as stop:
        return _say(str(stop) or "interrupted", INTERRUPTED, words)
    except BrokenPipeError:
        _close_output()  # whoever read it has had enough (`| head`)
        return DONE
    except SiteshiftError as error:
        return _say(_text(error), _code(error, words), words)
    except OSError as error:
        return _say(_trouble(error), _code(error, words), words)
    except Exception as error:
        return _say(_bug(error), _code(error, words), words)


def program() -> NoReturn:
    """The installed command: `main` in a process of its own.

    A brief command's process ends at once: taking apart all that it has made would take a twentieth of its time.
    """
    code = main()
    if not BRIEF.isdisjoint(sys.argv[1:2]):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)
    sys.exit(code)


def parser() -> argparse.ArgumentParser:
    """The parser of everything before a command's own options."""
    top = argparse.ArgumentParser(
        prog="siteshift",
        description="Commit to fail over: keep every site as Git says, and move applications between sites safely.",
        epilog=EPILOG,
        formatter_class=HelpFormatter,
        usage="siteshift COMMAND [options]",
    )
    top.add_argument("--version", action="store_true", help="print the version and end")
    top.add_argument("--debug", action="store_true", help="show tracebacks [SITESHIFT_DEBUG]")
    commands = top.add_argument_group("commands")
    for name, (_, summary) in COMMANDS.items():
        commands.add_argument(name, nargs="?", help=summary)
    return top


def command_parser(name: str, module: ModuleType) -> CommandParser:
    """The parser of one command, as its module fills it in; a module's EXAMPLES stand below its options."""
    examples = getattr(module, "EXAMPLES", "")
    own = CommandParser(
        prog=f"siteshift {name}",
        description=f"{COMMANDS[name][1][0].upper()}{COMMANDS[name][1][1:]}.",
        epilog=f"examples:\n{examples}" if examples else None,
    )
    module.register(own)
    own.add_argument("--debug", action="store_true", help="show tracebacks [SITESHIFT_DEBUG]")
    return own


def load_command(name: str) -> CommandParser:
    """The parser of a command by its name. Raises `UsageError` where its package is not installed."""
    return command_parser(name, _module(name))


def _run(words: list[str]) -> int:
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    command = next((word for word in words if not word.startswith("-")), None)
    before = words if command is None else words[: words.index(command)]
    if command is None or "--version" in before or {"-h", "--help"} & set(before):
        return _without_command(words, before)
    unknown = [word for word in before if word != "--debug"]
    if command not in COMMANDS or unknown:
        _wrong(unknown[0] if unknown else command)
    module = _module(command)
    arguments = command_parser(command, module).parse_args(words[len(before) + 1 :])
    with _without_collecting(command in BRIEF and not getattr(arguments, "watch", False)):
        result: int = module.run(arguments)
    return result


def _module(command: str) -> ModuleType:
    """The module of a command. Raises `UsageError` for a command of the sandbox where that is not installed."""
    name = COMMANDS[command][0]
    if name.startswith("sandbox."):
        from importlib.metadata import PackageNotFoundError, version

        from reconciler.errors import UsageError

        try:
            version(SANDBOX)
        except PackageNotFoundError:
            hint = "pip install 'siteshift[sandbox]', or make demo in a checkout"
            raise UsageError(f"`siteshift {command}` needs the package {SANDBOX}\n  hint: {hint}") from None
    return import_module(name)


@contextmanager
def _without_collecting(brief: bool) -> Iterator[None]:
    """What a brief command makes is needed to its end: looking for garbage would take a fifth of its time."""
    if not brief or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # not even the interpreter's own end looks through it
        gc.enable()


def _without_command(words: list[str], before: list[str]) -> int:
    if "--version" in before:
        from importlib.metadata import version

        print(f"siteshift {version('siteshift')}")
        return DONE
    asked = bool({"-h", "--help"} & set(before))
    unknown = [word for word in words if word not in ("-h", "--help", "--debug")]
    if unknown and not asked:
        _wrong(unknown[0])
    parser().print_help(sys.stdout if asked else sys.stderr)
    return DONE if asked else WRONG_USAGE


def _wrong(word: str) -> NoReturn:
    import difflib

    from reconciler.errors import UsageError

    near = difflib.get_close_matches(word, COMMANDS, n=1)
    what = "option" if word.startswith("-") else "command"
    hint = f'did you mean "{near[0]}"?' if near else "siteshift --help lists them"
    raise UsageError(f'there is no {what} "{word}"\n  hint: {hint}')


def _text(error: SiteshiftError) -> str:
    """An error as it is printed; what people wrote wrongly says `error:` after its place."""
    return str(error) if isinstance(error, InputError | InputErrors) else f"error: {readable(str(error))}"


def _code(error: Exception, words: list[str]) -> int:
    from reconciler.errors import UsageError

    # As with kubectl, 1 from diff means that there are differences, so its errors need another number.
    if isinstance(error, UsageError) or "diff" in words[:2]:
        return WRONG_USAGE
    return NOT_DONE


def _trouble(error: OSError) -> str:
    """What the machine refused: a full disk, a folder that is not there or not ours."""
    where = "" if error.filename is None else f"{error.filename}: "
    return f"error: {where}{error.strerror or error}"


def _bug(error: Exception) -> str:
    return (
        f"error: this is a bug in siteshift: {type(error).__name__}: {error}\n"
        "  hint: report it with the output of the same command and --debug"
    )


def _say(text: str, code: int, words: list[str]) -> int:
    if "--debug" in words or os.environ.get("SITESHIFT_DEBUG"):
        import traceback

        traceback.print_exc()
    try:
        sys.stdout.flush()
    except OSError:
        _close_output()
    from reconciler.cli import colour

    print(colour.report(text, colour.asked(words)), file=sys.stderr)
    return code


def _close_output() -> None:
    """Output that can no longer be written goes nowhere; else Python would complain about it again while it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    program()

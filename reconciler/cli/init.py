"""`siteshift init`: a new fleet repository that works as it stands, made from the files in `new_fleet/`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import SiteshiftError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

EXAMPLES = """\
  siteshift init fleet
  siteshift init fleet --name bank --sites seoul,busan
  siteshift init .                          in a clone of an empty repository
  siteshift init fleet --example symmetric  one of the examples, to try things on
"""

SHIPPED = Path(__file__).parent / "new_fleet"
"""`fleet/` is copied once; `site/` once for each site, into the sample application."""

APPLICATION = "apps/hello"

EXAMPLE_FOLDER = Path(__file__).parents[2] / "examples"
SCHEMAS = ".siteshift/schemas"
"""Where a fleet keeps the JSON Schemas that its editors read."""

SCHEMA_OF = {"siteshift.yaml": "fleet", "application.yaml": "application", "placement.yaml": "placement"}
"""File names and the schema of what is in them."""

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dir", metavar="DIR", help="the folder to make; it must be new, empty or an empty clone")
    parser.add_argument("--name", help="the fleet's name (default: the folder's)")
    parser.add_argument("--sites", metavar="A,B", help="the sites' names (default: a,b)")
    parser.add_argument("--example", choices=("active-passive", "symmetric"), help="copy this example as it is")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and make the first commit."""
    folder = Path(arguments.dir).absolute()
    if arguments.example is not None:
        if arguments.name or arguments.sites:
            raise UsageError("--example is copied as it is: leave out --name and --sites")
        name, last, files = arguments.example, "b", example(arguments.example)
    else:
        name, sites = arguments.name or folder.name, _site_names(arguments)
        last, files = sites[-1], contents(_checked(name, "--name"), sites)
    write(folder, files)
    commit = _first_commit(folder, name, list(files))
    print(f"{arguments.dir}: fleet {name}, {commit}")
    print(f"Next: cd {arguments.dir} && siteshift validate && siteshift render --site {last}")
    return 0


def _site_names(arguments: argparse.Namespace) -> list[str]:
    sites = [_checked(site.strip(), "--sites") for site in (arguments.sites or "a,b").split(",")]
    if len(set(sites)) != len(sites):
        raise UsageError(f"--sites names a site twice: {arguments.sites}")
    return sites


def _checked(word: str, option: str) -> str:
    if NAME.fullmatch(word) is None:
        raise UsageError(f'{option}: "{word}" is no name of lower-case letters, digits and dashes')
    return word


def example(name: str) -> dict[str, str]:
    """The files of an example by their path."""
    folder = EXAMPLE_FOLDER / name
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return with_schemas({name: path.read_text(encoding="utf-8") for name, path in files.items()})


def with_schemas(files: Mapping[str, str]) -> dict[str, str]:
    """The files with the JSON Schemas of a fleet, and with the line by which editors find them."""
    found = {f"{SCHEMAS}/{kind}.schema.json": _schema(kind) for kind in SCHEMA_OF.values()}
    for path, text in files.items():
        kind = SCHEMA_OF.get(path.rpartition("/")[2])
        if kind is not None:
            up = "../" * path.count("/")
            text = f"# yaml-language-server: $schema={up}{SCHEMAS}/{kind}.schema.json\n{text}"
        found[path] = text
    return found


def _schema(kind: str) -> str:
    import schemas

    return (schemas.FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8")


def contents(name: str, sites: Sequence[str]) -> dict[str, str]:
    """The files of a new fleet by their path."""
    values = {
        "name": name,
        "first": sites[0],
        "last": sites[-1],
        "site_list": ", ".join(sites),
        "sites": "\n".join(f"  - name: {site}\n    cluster: {{context: {site}}}" for site in sites),
    }
    files = _filled(SHIPPED / "fleet", "", values)
    for site in sites:
        files |= _filled(SHIPPED / "site", f"{APPLICATION}/sites/{site}/", {**values, "site": site})
    return with_schemas(files)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files, or none: they are made in a folder beside it, and moved to their places at the end."""
    import shutil
    import tempfile

    try:
        is_there = folder.exists()
        if is_there and (not folder.is_dir() or any(path.name != ".git" for path in folder.iterdir())):
            raise SiteshiftError(f"{folder} exists and is not empty")
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".siteshift-", dir=folder.parent))
        try:
            for path, text in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8")
            made.chmod(0o755)
            if is_there:
                _move_into(made, folder)
            else:
                made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise SiteshiftError(f"{folder} cannot be written: {error.strerror}") from None


def _move_into(made: Path, folder: Path) -> None:
    """Move everything from one folder into another; nothing stays there if that fails in the middle."""
    moved: list[Path] = []
    try:
        for path in sorted(made.iterdir()):
            target = folder / path.name
            path.rename(target)
            moved.append(target)
    except BaseException:
        for target in reversed(moved):
            target.rename(made / target.name)
        raise


def _filled(folder: Path, prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    from string import Template

    return {
        prefix + path.relative_to(folder).as_posix(): Template(path.read_text(encoding="utf-8")).substitute(values)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _first_commit(folder: Path, name: str, files: Sequence[str]) -> str:
    """Commit the files; says what came of it. Inside another repository that is left to its owner."""
    import subprocess

    def git(*words: str) -> tuple[bool, str]:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout.strip()

    try:
        inside, top = git("rev-parse", "--show-toplevel")
        if inside and (Path(top) != folder.resolve() or git("rev-parse", "--verify", "HEAD")[0]):
            return "not committed: the folder is inside another Git repository"
        if not inside and not git("init", "--quiet", "--initial-branch=main")[0]:
            return "not committed: `git init` failed"
        if not git("add", "--", *files)[0]:
            return "not committed: `git add` failed"
        if not git("commit", "--quiet", "--message", f"Begin the fleet {name}")[0]:
            return "not committed: tell Git your user.name and user.email, then `git commit`"
        branch = git("branch", "--show-current")[1]
    except FileNotFoundError:
        return "not committed: git is not installed"
    return f"committed on branch {branch}"

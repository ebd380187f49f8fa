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
"""

SHIPPED = Path(__file__).parent / "new_fleet"
"""`fleet/` is copied once; `site/` once for each site, into the sample application."""

APPLICATION = "apps/hello"

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("dir", metavar="DIR", help="the folder to make; it must not exist yet, or be empty")
    parser.add_argument("--name", help="the fleet's name (default: the folder's)")
    parser.add_argument("--sites", default="a,b", metavar="A,B", help="the sites' names (default: a,b)")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and make the first commit."""
    folder = Path(arguments.dir).absolute()
    name, sites = arguments.name or folder.name, [site.strip() for site in arguments.sites.split(",")]
    for word, option in ((name, "--name"), *((site, "--sites") for site in sites)):
        if NAME.fullmatch(word) is None:
            raise UsageError(f'{option}: "{word}" is no name of lower-case letters, digits and dashes')
    if len(set(sites)) != len(sites):
        raise UsageError(f"--sites names a site twice: {arguments.sites}")
    files = contents(name, sites)
    write(folder, files)
    commit = _first_commit(folder, name)
    print(f"{arguments.dir}: fleet {name} with the sites {', '.join(sites)}, {commit}")
    print(f"Next: cd {arguments.dir} && siteshift validate && siteshift render --site {sites[-1]}")
    return 0


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
    return files


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files, or none: they are made beside the folder and put in its place at the end."""
    import shutil
    import tempfile

    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SiteshiftError(f"{folder} exists and is not empty")
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".siteshift-", dir=folder.parent))
        try:
            for path, text in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8")
            made.chmod(0o755)
            made.rename(folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        raise SiteshiftError(f"{folder} cannot be written: {error.strerror}") from None


def _filled(folder: Path, prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    from string import Template

    return {
        prefix + path.relative_to(folder).as_posix(): Template(path.read_text(encoding="utf-8")).substitute(values)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _first_commit(folder: Path, name: str) -> str:
    """Commit the files; says what came of it. Inside another repository that is left to its owner."""
    import subprocess

    def git(*words: str) -> bool:
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False).returncode == 0

    try:
        if git("rev-parse", "--git-dir"):
            return "not committed: the folder is inside another Git repository"
        if not (git("init", "--quiet", "--initial-branch=main") and git("add", "--all")):
            return "not committed: `git init` failed"
        if not git("commit", "--quiet", "--message", f"Begin the fleet {name}"):
            return "not committed: tell Git your user.name and user.email, then `git commit`"
    except FileNotFoundError:
        return "not committed: git is not installed"
    return "committed on branch main"

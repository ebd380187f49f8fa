"""Makes the demo's fleet repository: the example of two sites that carry half of the applications each, in a hurry.

What is changed are times alone: minutes become seconds, and `siteshift validate` must still accept them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import reconciler
from reconciler.errors import SiteshiftError

EXAMPLE = "examples/symmetric"

TIMES: Mapping[str, Any] = {"poll": "1s", "freshness": "2s", "permit": "4s", "requestTimeout": "1s"}
LEASE: Mapping[str, str] = {"time": "5s", "fenceAfter": "10s"}
LEASE_SECONDS = 5.0
"""What `LEASE` says, for those who check that it was kept."""

GRACE = 1
"""Seconds that a guest or a container has to end; the lease must outlast a stop."""

CAP = 3
"""How many workloads of a site may be starting at once."""

STARTS = {"maxInFlight": CAP, "perMinute": 600}

Edit = Callable[[dict[str, Any]], None]


def example() -> Path:
    """The folder of the example. Raises SiteshiftError where it was not installed."""
    package = Path(str(reconciler.__file__)).parent
    for folder in (package / "demo" / EXAMPLE, package.parent / EXAMPLE):
        if (folder / "siteshift.yaml").is_file():
            return folder
    raise SiteshiftError(f"{EXAMPLE} is not there\n  hint: run `make demo` in a checkout of Siteshift")


def make(folder: Path) -> None:
    """Copy the example into a new folder and shorten its times."""
    shutil.copytree(example(), folder)
    edit(folder / "siteshift.yaml", _hurry_fleet)
    for path in sorted(folder.glob("apps/*/application.yaml")):
        edit(path, _hurry_application)
    for path in sorted(folder.glob("apps/*/base/*.yaml")):
        if "terminationGracePeriodSeconds" in path.read_text() or path.name.endswith("_deployment.yaml"):
            edit(path, _hurry_guest)


def edit(path: Path, change: Edit) -> None:
    """Change a file's documents and keep everything else of them."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    documents = list(yaml.load_all(path.read_text()))
    for document in documents:
        change(document)
    with path.open("w") as stream:
        yaml.dump_all(documents, stream)


def _hurry_fleet(document: dict[str, Any]) -> None:
    document["spec"].update(TIMES)
    document["spec"]["starts"].update(STARTS)


def _hurry_application(document: dict[str, Any]) -> None:
    document["spec"]["lease"].update(LEASE)


def _hurry_guest(document: dict[str, Any]) -> None:
    if document["kind"] in ("VirtualMachine", "Deployment"):
        document["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = GRACE

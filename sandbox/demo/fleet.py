"""Makes the demo's fleet repository: the example of two sites that carry half of the applications each, in a hurry.

Minutes become seconds, which `siteshift validate` must still accept, and two applications get more virtual machines, so
that a single run level holds more than twice as many as may start at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import reconciler
from reconciler.errors import SiteshiftError

EXAMPLE = "examples/symmetric"

TIMES: Mapping[str, Any] = {"poll": "500ms", "freshness": "2s", "permit": "4s", "requestTimeout": "1s"}
LEASE: Mapping[str, str] = {"time": "5s", "fenceAfter": "20s"}
LEASE_SECONDS = 5.0
"""What `LEASE` says, for those who check that it was kept."""

GRACE = 1
"""Seconds that a guest or a container has to end; the lease must outlast a stop."""

CAP = 3
"""How many workloads of a site may be starting at once."""

STARTS = {"maxInFlight": CAP, "perMinute": 600}

MORE = (("orders", "scanner", 4), ("catalog", "search", 3))
"""Applications, the virtual machine of theirs that is copied, and how often."""

Edit = Callable[[dict[str, Any]], None]


def example() -> Path:
    """The folder of the example: beside the packages, in a checkout as in a wheel. SiteshiftError if it is missing."""
    folder = Path(str(reconciler.__file__)).parent.parent / EXAMPLE
    if not (folder / "siteshift.yaml").is_file():
        raise SiteshiftError(f"{folder} is missing\n  hint: install siteshift again, its package holds this folder")
    return folder


def make(folder: Path) -> None:
    """Copy the example into a new folder, add to it, and shorten its times."""
    shutil.copytree(example(), folder)
    for application, name, count in MORE:
        _multiply(folder / "apps" / application / "base", name, count)
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


def _multiply(base: Path, name: str, count: int) -> None:
    """Add copies of a virtual machine, as files of their own."""
    original = base / f"0000_50_{name}_01_vm.yaml"
    copies = [f"{name}-{number}" for number in range(2, count + 2)]
    for copy in copies:
        path = base / f"0000_50_{copy}_01_vm.yaml"
        shutil.copyfile(original, path)
        edit(path, lambda document, copy=copy: _rename(document, copy))  # type: ignore[misc]
    names = [f"0000_50_{copy}_01_vm.yaml" for copy in copies]
    edit(base / "kustomization.yaml", lambda document: document["resources"].extend(names))


def _rename(document: dict[str, Any], name: str) -> None:
    document["metadata"]["name"] = name
    document["spec"]["template"]["metadata"]["labels"]["app"] = name


def _hurry_fleet(document: dict[str, Any]) -> None:
    document["spec"].update(TIMES)
    document["spec"]["starts"].update(STARTS)


def _hurry_application(document: dict[str, Any]) -> None:
    document["spec"]["lease"].update(LEASE)


def _hurry_guest(document: dict[str, Any]) -> None:
    if document["kind"] in ("VirtualMachine", "Deployment"):
        document["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = GRACE

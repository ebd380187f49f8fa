"""What the fleet's plain files say, read without the renderer: run levels by file names, and volumes' handles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sandbox.demo.checker.history import WORKLOADS
from sandbox.demo.checker.observer import Key

NAME = re.compile(r"0000_([0-9]+)_.*\.yaml")


def run_levels(fleet: Path) -> dict[Key, int]:
    """The run level of every workload of every application, by its key."""
    return {
        (document["kind"], document["metadata"]["namespace"], document["metadata"]["name"]): level
        for _, level, document in _documents(fleet)
        if document["kind"] in WORKLOADS
    }


def volumes(fleet: Path, application: str) -> tuple[str, ...]:
    """The handles of an application's volumes."""
    found = {
        document["spec"]["csi"]["volumeHandle"]
        for name, _, document in _documents(fleet)
        if name == application and document["kind"] == "PersistentVolume"
    }
    return tuple(sorted(found))


def _documents(fleet: Path) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for path in sorted(fleet.glob("apps/*/**/0000_*.yaml")):
        matched = NAME.fullmatch(path.name)
        if matched:
            for document in yaml.safe_load_all(path.read_text()):
                if document:
                    yield path.relative_to(fleet).parts[1], int(matched[1]), document

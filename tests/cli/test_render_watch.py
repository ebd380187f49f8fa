"""`render --watch`: a save's difference, at the cost of what the save touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from clones import Clone

from reconciler.cli.render import print_yaml
from reconciler.cli.rerendering import Rendered, Rerendering, difference
from reconciler.fleet.load import load
from reconciler.fleet.units import application_unit
from render.errors import InputError
from render.site import Unit, render_unit
from render.tree import FolderTree, Tree

LEDGER = "apps/ledger/base/0000_50_web_01_deployment.yaml"


def units(tree: Tree) -> tuple[Unit, ...]:
    return tuple(application_unit(tree, one, "a", "active") for one in load(tree).applications)


@pytest.fixture
def rerendering(clone) -> Rerendering:  # type: ignore[no-untyped-def]
    return Rerendering(clone.folder, units, lambda tree: tree)


def anew(folder: Path) -> Rendered:
    """What a render without any memory gives."""
    tree = FolderTree(folder)
    return {unit: render_unit(tree, unit) for unit in units(tree)}


def save(folder: Path, path: str, text: str | None) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        (folder / path).unlink()
    else:
        (folder / path).write_text(text)


REAL = "apps/ledger/base/real.yaml"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"
SAVES: dict[str, tuple[dict[str, str | None], int]] = {
    "a-manifest": ({LEDGER: CONFIG}, 1),
    "a-kustomization": (
        {"apps/ledger/base/kustomization.yaml": "resources: [0000_50_web_01_deployment.yaml]\nnamePrefix: p-\n"},
        1,
    ),
    "a-new-manifest": (
        {
            "apps/ledger/base/more.yaml": CONFIG,
            "apps/ledger/base/kustomization.yaml": "resources: [0000_50_web_01_deployment.yaml, more.yaml]\n",
        },
        1,
    ),
    "a-site-of-its-own": (
        {"apps/ledger/sites/a/kustomization.yaml": "resources: [../../base]\nnameSuffix: -a\n"},
        1,
    ),
    "what-nobody-reads": ({"notes.txt": "hello"}, 0),
}


@pytest.mark.parametrize("case", SAVES)
def test_after_a_save_the_result_is_that_of_a_new_render_at_the_cost_of_the_save(
    clone,  # type: ignore[no-untyped-def]
    rerendering: Rerendering,
    case: str,
) -> None:
    files, built = SAVES[case]
    rerendering.render()
    assert rerendering.built == 2
    for path, text in files.items():
        save(clone.folder, path, text)
    rerendering.touched(frozenset(files))
    assert rerendering.render() == anew(clone.folder)
    assert rerendering.built == 2 + built


def test_an_error_is_told_and_the_next_save_mends_it(clone: Clone, rerendering: Rerendering) -> None:
    rerendering.render()
    good = (clone.folder / LEDGER).read_text()
    save(clone.folder, LEDGER, None)
    rerendering.touched({LEDGER})
    with pytest.raises(InputError):
        rerendering.render()
    save(clone.folder, LEDGER, good)
    rerendering.touched({LEDGER})
    assert rerendering.render() == anew(clone.folder)


def test_behind_a_link_everything_is_read_again(clone: Clone) -> None:
    (clone.folder / REAL).write_text((clone.folder / LEDGER).read_text())
    (clone.folder / LEDGER).unlink()
    (clone.folder / LEDGER).symlink_to(clone.folder / REAL)
    rerendering = Rerendering(clone.folder, units, lambda tree: tree)
    rerendering.render()
    (clone.folder / REAL).write_text(CONFIG)
    rerendering.touched({REAL})
    assert rerendering.render() == anew(clone.folder)


def test_only_what_differs_is_told_object_by_object(clone: Clone, rerendering: Rerendering) -> None:
    before = rerendering.render()
    save(clone.folder, LEDGER, (clone.folder / LEDGER).read_text().replace("web:1", "web:2"))
    rerendering.touched({LEDGER})
    lines = list(difference(before, rerendering.render(), print_yaml))
    assert lines[:2] == [
        "--- before the save: ledger/Deployment/ledger/ledger\n",
        "+++ after the save: ledger/Deployment/ledger/ledger\n",
    ]
    changed = [line.strip() for line in lines[2:] if line[0] in "+-"]
    assert [line.replace(" ", "") for line in changed] == [
        "--image:registry.example.com/web:1",
        "+-image:registry.example.com/web:2",
    ]


def test_a_number_that_becomes_a_boolean_differs(clone: Clone, rerendering: Rerendering) -> None:
    path = "apps/ledger/base/more.yaml"
    save(clone.folder, "apps/ledger/base/kustomization.yaml", "resources: [more.yaml]\n")
    save(clone.folder, path, f"{CONFIG}data: {{a: 1}}\n")
    before = rerendering.render()
    save(clone.folder, path, f"{CONFIG}data: {{a: true}}\n")
    rerendering.touched({path})
    assert "+  a: true\n" in list(difference(before, rerendering.render(), print_yaml))


def test_a_real_save_is_told_by_the_running_command(clone: Clone) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler.cli.main", "render", "--site", "a", "--watch"],
        cwd=clone.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert process.stdout is not None
        assert process.stderr.readline().startswith("watching .: ")
        save(clone.folder, LEDGER, (clone.folder / LEDGER).read_text().replace("web:1", "web:2"))
        told = [process.stdout.readline() for _ in range(2)]
        assert told == [
            "--- before the save: ledger/Deployment/ledger/ledger\n",
            "+++ after the save: ledger/Deployment/ledger/ledger\n",
        ]
        save(clone.folder, LEDGER, "kind: [")
        assert process.stderr.readline().startswith(f"{LEDGER}:")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130

"""The benchmark program runs, on sizes that take no time, and what it builds is what it says it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from quality.sources import ROOT

from benchmarks import __main__ as program
from benchmarks import guard, move, programs, rows, trees
from benchmarks.measuring import Failed, Measure, interleaved, median, run
from reconciler.fleet.load import load
from render import yaml
from render.kustomization import build
from render.tree import FolderTree

OBJECTS = 40


def built(folder: Path) -> list[dict[str, Any]]:
    return [resource.manifest for resource in build(FolderTree("/"), str(folder).lstrip("/"))]


def test_an_object_is_as_long_and_of_the_kinds_that_the_table_promises(tmp_path: Path) -> None:
    folder = trees.plain(tmp_path, 20)
    sizes = [file.stat().st_size for file in folder.iterdir() if file.name != "kustomization.yaml"]
    assert 1200 <= sum(sizes) / len(sizes) <= 1400
    kinds = [manifest["kind"] for manifest in built(folder)]
    counted = {kind: kinds.count(kind) for kind in kinds}
    assert counted == {"Deployment": 6, "Service": 5, "ConfigMap": 6, "VirtualMachine": 3}


def test_the_overlay_has_everything_that_makes_it_one(tmp_path: Path) -> None:
    manifests = built(trees.overlay(tmp_path, 100))
    maps = [manifest["metadata"]["name"] for manifest in manifests if "-generated-" in manifest["metadata"]["name"]]
    assert len(maps) == 2
    assert all(manifest["metadata"]["name"].startswith("prod-") for manifest in manifests)
    assert {manifest["metadata"]["namespace"] for manifest in manifests} == {"shop"}
    deployments = [manifest["spec"] for manifest in manifests if manifest["kind"] == "Deployment"]
    assert all(spec["selector"]["matchLabels"]["environment"] == "production" for spec in deployments)
    containers = [spec["template"]["spec"]["containers"][0] for spec in deployments]
    referred = [source["configMapRef"]["name"] for one in containers for source in one.get("envFrom", [])]
    assert len(referred) == 10
    assert set(referred) == set(maps)


def test_definitions_are_as_large_as_asked(tmp_path: Path) -> None:
    folder = trees.definitions(tmp_path, 100_000)
    assert (folder / "crds.yaml").stat().st_size >= 100_000
    assert {manifest["kind"] for manifest in built(folder)} == {"CustomResourceDefinition"}


def small(name: str, size: int) -> rows.Row:
    (row,) = (row for row in rows.ROWS if row.name == name)
    return rows.Row(row.name, row.target, row.measure, row.bound, size)


@pytest.mark.testbed
@pytest.mark.parametrize(
    "row",
    [
        small("start", 1),
        small("overlay-100", OBJECTS),
        small("plain-10000", OBJECTS),
        small("memory-10000", OBJECTS),
        small("definitions-2MB", 10_000),
        small("warm-1000", OBJECTS),
        small("change-100", 6),
        small("base-100", 6),
        small("watch-1000", OBJECTS),
    ],
    ids=lambda row: row.name,
)
def test_each_kind_of_row_measures(
    row: rows.Row,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kustomize_binary: Path,
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(kustomize_binary.parent))
    monkeypatch.setattr(rows, "COMPARED", OBJECTS)
    monkeypatch.setattr(program, "ROWS", (row,))
    assert program.main(["--rows", row.name, "--runs", "1"]) in (0, 1)
    cells = capsys.readouterr().out.splitlines()[-1].split()
    assert cells[0] == row.name
    assert cells[-1] in ("yes", "NO")
    assert float(cells[1]) > 0


def test_an_unknown_row_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--rows", "nothing-*"]) == 2
    assert "overlay-1000" in capsys.readouterr().err


def test_programs_that_differ_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "kustomize", lambda: "/bin/echo")
    bench = programs.Bench(tmp_path)
    with pytest.raises(AssertionError, match="differ"):
        bench.refuse_difference(trees.plain(tmp_path / "tree", 1))


def test_a_program_that_fails_has_no_figures() -> None:
    with pytest.raises(Failed, match="ended with 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_process_has_time_and_memory(tmp_path: Path) -> None:
    measure = run([sys.executable, "-c", "print(len(b'x' * 50_000_000))"], output=tmp_path / "out")
    assert (tmp_path / "out").read_text() == "50000000\n"
    assert measure.megabytes > 50
    assert measure.processor > 0


def test_medians_are_of_each_figure_and_programs_take_turns() -> None:
    order: list[str] = []

    def program_of(name: str, figures: list[float]) -> Measure:
        order.append(name)
        return Measure(*[figures.pop()] * 3)

    one, other = [3.0, 1.0, 2.0], [5.0, 6.0, 4.0]
    found = interleaved(3, lambda: program_of("a", one), lambda: program_of("b", other))
    assert [measure.seconds for measure in found] == [2.0, 5.0]
    assert order == ["a", "b"] * 3
    assert median([Measure(1, 9, 5), Measure(2, 8, 6), Measure(3, 7, 4)]) == (2, 8, 5)


def test_all_builds_of_a_catalog_are_printed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        trees.plain(tmp_path / name, 2)
    command = [sys.executable, "-m", "benchmarks.catalog", str(tmp_path), "one/base", "two/base"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    assert len(yaml.parse(output, "output")) == 4


def test_the_guard_s_time_is_measured_from_an_order_to_a_stop() -> None:
    case = guard.Case("stop order", 0.0, 2)
    assert 0 < guard.measure(case, applications=3) <= guard.bound_of(case)


@pytest.mark.parametrize(("timeout", "must_wait"), [(60.0, 60.0), (1.0, 4.0)], ids=["requests", "a long stop"])
def test_a_move_may_take_what_it_must_wait_for_and_five_seconds(timeout: float, must_wait: float) -> None:
    phases = move.Phases(stopping=10.0, stopped=14.0, demoting=71.0, in_sync=73.0, promoted=75.0, active=76.5, said={})
    assert phases.downtime == 66.5
    assert phases.bound(timeout) == must_wait + 2.0 + 1.5 + move.GRANTED


def test_the_fleet_of_the_move_has_the_times_of_init_unless_told_otherwise(tmp_path: Path) -> None:
    as_made = load(FolderTree(str(move._made(tmp_path / "one", {}))))
    assert (as_made.poll, as_made.request_timeout) == (30.0, 60.0)
    changed = load(FolderTree(str(move._made(tmp_path / "two", {"requestTimeout": "5s"}))))
    assert changed.request_timeout == 5.0

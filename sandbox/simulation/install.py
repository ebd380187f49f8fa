"""The kinds that the simulated controllers serve: their definitions, put into a cluster before they are watched."""

from __future__ import annotations

import importlib.resources
import time
from collections.abc import Iterable, Iterator

import yaml

from reconciler.cluster.client import Cluster
from reconciler.errors import NotFound, Unreachable
from reconciler.objects import Manifest

MANAGER = "siteshift-sandbox"
LONGEST_WAIT = 30.0
"""Seconds until a definition must be served."""

FILES = {
    "kubevirt": ("virtualmachines", "virtualmachineinstances"),
    "replication": (
        "volumereplicationclasses",
        "volumereplications",
        "volumegroupreplicationclasses",
        "volumegroupreplicationcontents",
        "volumegroupreplications",
    ),
}
"""Definitions by the group of controllers that needs them."""


def definitions(groups: Iterable[str] = tuple(FILES)) -> Iterator[Manifest]:
    """The CustomResourceDefinitions of these groups of controllers; a group without any is no error."""
    folder = importlib.resources.files(__package__).joinpath("crds")
    for group in groups:
        for name in FILES.get(group, ()):
            manifest: Manifest = yaml.safe_load(folder.joinpath(f"{name}.yaml").read_text())
            yield manifest


def install(cluster: Cluster, groups: Iterable[str] = tuple(FILES)) -> None:
    """Apply the definitions and wait until the API serves their kinds. Raises Unreachable if it never does."""
    wanted = list(definitions(groups))
    for manifest in wanted:
        cluster.apply(manifest, manager=MANAGER)
    deadline = time.monotonic() + LONGEST_WAIT
    for manifest in wanted:
        _wait_served(cluster, manifest, deadline)


def _wait_served(cluster: Cluster, definition: Manifest, deadline: float) -> None:
    spec = definition["spec"]
    api_version, kind = f"{spec['group']}/{spec['versions'][0]['name']}", spec["names"]["kind"]
    while True:
        try:
            cluster.list(api_version, kind)
        except NotFound as error:
            if time.monotonic() > deadline:
                raise Unreachable(f"{cluster.server} does not serve {kind}: {error}") from error
            time.sleep(0.05)
        else:
            return

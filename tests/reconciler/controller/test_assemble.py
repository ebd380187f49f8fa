"""What a controller begins with when Git is silent or its newest commit is wrong."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from reconciler.controller import assemble
from reconciler.controller.desired import Desired
from reconciler.errors import InputErrors, SourceError
from reconciler.git.memory import MemoryRepository, MemoryServer
from reconciler.status.log import Log

RIGHT = {
    "siteshift.yaml": b"apiVersion: siteshift.io/v1alpha1\nkind: Fleet\nmetadata: {name: bank}\n"
    b"spec: {sites: [{name: a}], applications: [apps/x]}\n",
    "apps/x/application.yaml": b"apiVersion: siteshift.io/v1alpha1\nkind: Application\nmetadata: {name: x}\n",
    "apps/x/placement.yaml": b"apiVersion: siteshift.io/v1alpha1\nkind: Placement\nmetadata: {name: x}\n"
    b"spec: {active: a, epoch: 1}\n",
    "apps/x/base/kustomization.yaml": b"resources: []\n",
}
WRONG = {"siteshift.yaml": b"spec: [\n"}


class World:
    """A Git server, and what the site's status says was acted on last."""

    def __init__(self, tmp_path: Path) -> None:
        self.server = MemoryServer()
        self.repository = MemoryRepository(self.server)
        self.settings = assemble.Settings("a", "u", "main", tmp_path, None, None)
        self.said = io.StringIO()
        self.last = ""

    def begin(self) -> str:
        desired = Desired(self.repository, "a")
        return assemble._first_revision(self.settings, self.repository, desired, Log("a", "text", self.said)).commit  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path)
    monkeypatch.setattr(assemble, "_connect", lambda *_: None)
    monkeypatch.setattr(assemble, "last_revision", lambda *_: found.last)
    return found


def test_it_begins_with_the_newest_commit(world: World) -> None:
    newest = world.server.commit(RIGHT)
    assert world.begin() == newest
    assert world.said.getvalue() == ""


@pytest.mark.parametrize(("trouble", "event"), [("silent", "git-unreachable"), ("wrong", "fleet-invalid")])
def test_it_goes_on_with_the_last_good_commit_and_says_why(world: World, trouble: str, event: str) -> None:
    world.last = world.server.commit(RIGHT)
    world.repository.fetch()
    if trouble == "silent":
        world.server.fails = "no route"
    else:
        world.server.commit(WRONG)
    assert world.begin() == world.last
    assert f" a {event}" in world.said.getvalue()


@pytest.mark.parametrize(("trouble", "error"), [("silent", SourceError), ("wrong", InputErrors)])
def test_a_site_that_never_acted_on_a_commit_waits(world: World, trouble: str, error: type[Exception]) -> None:
    world.server.commit(WRONG)
    world.server.fails = "no route" if trouble == "silent" else None
    with pytest.raises(error):
        world.begin()

"""Bases in other repositories, as a fleet takes them: from the hosts that it allows, and from nowhere without leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from clones import Clone

from reconciler.controller.desired import Desired
from reconciler.fleet.model import Fleet
from reconciler.git.bases import check_host
from render.errors import SiteshiftError
from render.tree import FolderTree, MemoryTree, Tree
from render.tree.remote import Fetch, Remote

Run = Callable[..., tuple[int, str, str]]
BASE = "https://git.example.com/team/base?ref=v1"
ELSEWHERE = {
    "kustomization.yaml": "resources: [c.yaml]\n",
    "c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
}


def with_base(folder: Path, allow: str = "") -> None:
    (folder / "apps/ledger/base/kustomization.yaml").write_text(f"resources: ['{BASE}']\n")
    with (folder / "siteshift.yaml").open("a") as file:
        file.write(f"  remoteBases: {{allow: [{allow}]}}\n" if allow else "")


def test_a_fleet_takes_no_bases_unless_it_says_from_where(clone: Clone, siteshift: Run) -> None:
    with_base(clone.folder)
    code, out, err = siteshift("render", "--site", "a", "--app", "ledger")
    assert (code, out) == (1, "")
    assert err.startswith("apps/ledger/base/kustomization.yaml:1:13: error: ")
    assert "this fleet takes bases from nowhere" in err
    assert "spec.remoteBases.allow in siteshift.yaml" in err


def test_a_host_that_is_not_in_the_list_is_not_asked(clone: Clone, siteshift: Run) -> None:
    with_base(clone.folder, "git.example.org")
    code, _, err = siteshift("render", "--site", "a", "--app", "ledger")
    assert code == 1
    assert "this fleet takes bases only from git.example.org" in err


def test_a_list_must_hold_hosts_or_beginnings_of_urls(clone: Clone, siteshift: Run) -> None:
    with_base(clone.folder, "'http://git.example.com/'")
    code, _, err = siteshift("validate")
    assert code == 1
    assert err.startswith("siteshift.yaml:7:")
    assert "the name of a host in lower case" in err


class Repository:
    """The clone's files as every commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tree(self, commit: str) -> Tree:
        return FolderTree(self.folder)


@pytest.mark.parametrize("allow", ["", "git.example.com"], ids=["without-leave", "with-leave"])
def test_the_controller_asks_only_whom_the_fleet_allows(clone: Clone, allow: str) -> None:
    with_base(clone.folder, allow)

    def bases(fleet: Fleet) -> Fetch:
        def fetch(base: Remote) -> Tree:
            check_host(base, fleet.remote_bases)
            return MemoryTree(ELSEWHERE)

        return fetch

    desired = Desired(Repository(clone.folder), "a", bases)
    revision = desired.at("0" * 40)
    ledger = revision.fleet.application("ledger")
    assert ledger is not None
    if allow:
        assert [item.manifest["metadata"]["name"] for item in desired.application(revision, ledger, "active")] == ["c"]
    else:
        with pytest.raises(SiteshiftError, match="remote bases are not read here"):
            desired.application(revision, ledger, "active")

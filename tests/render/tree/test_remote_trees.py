"""Repositories elsewhere: what an entry means, and how their files stand in a tree."""

from __future__ import annotations

import pytest

from render.errors import SiteshiftError, TreeError
from render.kustomization import build
from render.tree import MemoryTree, Tree
from render.tree.remote import Remote, RemoteTree, is_remote, parse_remote, remote_of
from render.tree.seam import normalise

MEANT = {
    "https://host.example/org/repo": ("https://host.example/org/repo", "", ""),
    "https://host.example/org/repo?ref=v1": ("https://host.example/org/repo", "v1", ""),
    "https://host.example/org/repo/deploy/base?ref=v1": ("https://host.example/org/repo", "v1", "deploy/base"),
    "https://host.example/org/repo.git/deploy": ("https://host.example/org/repo.git", "", "deploy"),
    "https://host.example/a/b/c//deploy?version=v2": ("https://host.example/a/b/c", "v2", "deploy"),
    "https://host.example/a/_git/c/deploy": ("https://host.example/a/_git/c", "", "deploy"),
    "https://user@host.example:8443/org/repo//x": ("https://user@host.example:8443/org/repo", "", "x"),
    "git::https://host.example/org/repo//x/../y": ("https://host.example/org/repo", "", "y"),
    "git@host.example:org/repo.git//x?ref=a/b": ("git@host.example:org/repo.git", "a/b", "x"),
    "ssh://git@host.example/org/repo.git/x": ("ssh://git@host.example/org/repo.git", "", "x"),
    "github.com/org/repo/x?ref=main": ("https://github.com/org/repo", "main", "x"),
    "git@host.example:/srv/git/repo.git": ("ssh://git@host.example/srv/git/repo.git", "", ""),
    "file:///srv/git/repo": ("file:///srv/git/repo", "", ""),
    "file:///srv/git/repo.git//x?ref=v1&timeout=90s": ("file:///srv/git/repo.git", "v1", "x"),
}


@pytest.mark.parametrize("entry", MEANT)
def test_an_entry_names_repository_ref_and_folder(entry: str) -> None:
    assert is_remote(entry)
    assert parse_remote(entry) == MEANT[entry]


@pytest.mark.parametrize(
    "entry",
    ["../base", "base", "a:b", "/srv/base", "dir/github.com/org", "c:/x/y@z", "x.yaml"],
    ids=lambda entry: entry,
)
def test_a_path_is_no_repository(entry: str) -> None:
    assert not is_remote(entry)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("https://host.example", "names no Git repository"),
        ("https://host.example/", "names no Git repository"),
        ("git::deploy", "names no Git repository"),
        ("https://host.example/org/..", "names no Git repository"),
        ("https://host.example/org/repo//../../x", "leaves its repository"),
    ],
    ids=["host-alone", "no-name", "no-host", "dots", "leaves"],
)
def test_what_names_no_repository_is_refused(entry: str, why: str) -> None:
    with pytest.raises(TreeError, match=why):
        parse_remote(entry)


@pytest.mark.parametrize("entry", MEANT)
def test_a_place_in_the_tree_says_what_it_is(entry: str) -> None:
    remote = parse_remote(entry)
    assert remote_of(remote.place) == remote
    assert remote.place == normalise(remote.place)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user:secret@Host.Example:8443/a/b", "host.example"),
        ("git@host.example:a/b", "host.example"),
        ("file:///srv/a", ""),
    ],
    ids=["port-and-user", "short", "disk"],
)
def test_the_host_is_told(url: str, host: str) -> None:
    assert Remote(url, "", "").host == host


BASE = {
    "deploy/kustomization.yaml": "resources: [../common, r.yaml]\n",
    "deploy/r.yaml": "kind: A\nmetadata: {name: a}\n",
    "common/kustomization.yaml": "resources: [r.yaml]\nnamePrefix: p-\n",
    "common/r.yaml": "kind: B\nmetadata: {name: b}\n",
}


def fetched(asked: list[Remote]) -> RemoteTree:
    def fetch(remote: Remote) -> Tree:
        asked.append(remote)
        return MemoryTree(BASE)

    entry = "https://host.example/org/repo//deploy?ref=v1"
    return RemoteTree(MemoryTree({"kustomization.yaml": f"resources: ['{entry}']\nnameSuffix: -s\n"}), fetch)


def test_a_remote_base_is_built_like_a_local_one_and_fetched_once() -> None:
    asked: list[Remote] = []
    found = {one.manifest["metadata"]["name"]: one.origin.path for one in build(fetched(asked), "")}
    assert found == {
        "p-b-s": "https:/host.example/org/repo@v1:/common/r.yaml",
        "a-s": "https:/host.example/org/repo@v1:/deploy/r.yaml",
    }
    assert [remote.ref for remote in asked] == ["v1"]


@pytest.mark.parametrize("entry", ["../../outside", "../../../x"], ids=["beside", "above"])
def test_a_remote_base_reads_nothing_outside_of_its_repository(entry: str) -> None:
    files = {"kustomization.yaml": "resources: ['https://host.example/org/repo//deploy']\n", "outside/r.yaml": ""}
    tree = RemoteTree(MemoryTree(files), lambda _: MemoryTree({"deploy/kustomization.yaml": f"resources: [{entry}]\n"}))
    with pytest.raises(SiteshiftError, match="must be within the repo"):
        build(tree, "")


def test_a_repository_that_cannot_be_fetched_is_an_error_at_the_entry() -> None:
    def fetch(_: Remote) -> Tree:
        raise SiteshiftError("no answer")

    tree = RemoteTree(MemoryTree({"kustomization.yaml": "resources:\n- github.com/org/repo\n"}), fetch)
    with pytest.raises(TreeError) as caught:
        build(tree, "")
    assert str(caught.value).startswith("kustomization.yaml:2:3: error: ")
    assert "no answer" in str(caught.value)


def test_a_repository_that_has_itself_as_a_base_is_a_cycle() -> None:
    entry = "https://host.example/org/repo?ref=v1"
    itself = MemoryTree({"kustomization.yaml": f"resources: ['{entry}']\n"})
    with pytest.raises(SiteshiftError, match="cycle detected"):
        build(RemoteTree(itself, lambda _: itself), "")


@pytest.mark.parametrize("field", ["resources", "crds", "configurations"])
def test_a_file_on_a_web_server_is_refused(field: str) -> None:
    text = f"namePrefix: p-\n{field}:\n- https://host.example/org/repo/main/r.yaml\n"
    tree = RemoteTree(MemoryTree({"kustomization.yaml": text}), lambda _: MemoryTree(BASE))
    with pytest.raises(SiteshiftError, match="3:3: error: remote files are not supported"):
        build(tree, "")


def test_the_same_repositories_stand_around_another_tree() -> None:
    asked: list[Remote] = []
    tree = fetched(asked)
    place = parse_remote("https://host.example/org/repo//deploy?ref=v1").place
    assert tree.list(place) == ["kustomization.yaml", "r.yaml"]
    other = tree.around(MemoryTree({"x": "y"}))
    assert (other.read("x"), other.kind(place), other.identity(place)) == (b"y", "folder", tree.identity(place))
    assert len(asked) == 1

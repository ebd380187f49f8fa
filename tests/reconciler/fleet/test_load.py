"""A right fleet becomes values; everything wrong with another is said at once, each at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import InputErrors
from reconciler.fleet.load import load
from reconciler.fleet.model import Contents, Fleet, Group, Lease, Placement, Rebind, Replication, Site
from render.tree import FolderTree, MemoryTree

Files = dict[str, str | bytes]


def messages(files: Files) -> list[str]:
    with pytest.raises(InputErrors) as caught:
        load(MemoryTree(dict(files)))
    return [str(error) for error in caught.value.errors]


def test_a_fleet_is_read_with_its_defaults(files: Files) -> None:
    fleet = load(MemoryTree(dict(files)))
    ledger, payments = fleet.applications
    assert fleet == Fleet(
        name="bank",
        topology="symmetric",
        sites=(Site("a", "dc-a"), Site("b")),
        platform=("platform/storage",),
        applications=(ledger, payments),
    )
    assert ledger.replication == Replication(
        "csi-addons", (Group("VolumeGroupReplication", "ledger", "ledger"),), 300.0
    )
    assert ledger.placement == Placement("a", 4, "planned", "apps/ledger/placement.yaml")
    assert (payments.sites, payments.home, payments.depends_on) == (("a", "b"), "a", ("ledger",))


def test_every_field_reaches_the_model(files: Files) -> None:
    files["siteshift.yaml"] = str(files["siteshift.yaml"]) + (
        "  topology: active-passive\n"
        "  starts: {maxInFlight: 3, perMinute: 120}\n"
        "  poll: 1s\n  freshness: 2s\n  permit: 4s\n  requestTimeout: 1s\n"
        "  prune: {budget: 2}\n"
        "  refs: {acks: 'refs/heads/siteshift/acks-{site}', heartbeats: 'refs/heads/siteshift/beats-{site}'}\n"
        "  contents: {clusterKinds: [PriorityClass.scheduling.k8s.io], namespaces: {ledger: [l]}, takeOver: [l]}\n"
    )
    files["apps/ledger/application.yaml"] = str(files["apps/ledger/application.yaml"]) + (
        "  overlay: sites/{site}\n  passive: hot\n  roles: {passive: roles/passive}\n  volumes: static\n"
        "  onIsolation: fence\n  lease: {time: 5s, fenceAfter: 20s}\n  readiness: {timeout: 1m30s}\n  suspend: true\n"
    )
    files["apps/ledger/placement.yaml"] = (
        "apiVersion: siteshift.io/v1alpha1\nkind: Placement\nmetadata: {name: ledger}\n"
        "spec: {active: b, epoch: 5, move: disaster, declaredDown: [a], allowDataLoss: 10m, reason: fire,\n"
        "  overrideFence: by phone, allowDiscard: [a], acceptRewind: {from: [3f9c2d1], to: 81c04aa}}\n"
    )
    for folder in ("sites/a", "sites/b", "roles/passive"):
        files[f"apps/ledger/{folder}/kustomization.yaml"] = ""
    fleet = load(MemoryTree(dict(files)))
    ledger = fleet.applications[0]
    assert (fleet.topology, fleet.starts.max_in_flight, fleet.starts.per_minute) == ("active-passive", 3, 120)
    assert (fleet.poll, fleet.freshness, fleet.permit, fleet.request_timeout, fleet.prune_budget) == (1, 2, 4, 1, 2)
    assert (fleet.refs.acks, fleet.refs.heartbeats) == (
        "refs/heads/siteshift/acks-{site}",
        "refs/heads/siteshift/beats-{site}",
    )
    assert fleet.contents == Contents(("PriorityClass.scheduling.k8s.io",), {"ledger": ("l",)}, ("l",))
    assert (ledger.overlay, ledger.passive) == ("apps/ledger/sites/{site}", "hot")
    assert ledger.roles == {"passive": "apps/ledger/roles/passive"}
    assert (ledger.lease, ledger.readiness_timeout, ledger.suspended) == (Lease(5, 20), 90, True)
    placed = ledger.placement
    assert (placed.move, placed.declared_down, placed.allow_data_loss) == ("disaster", ("a",), 600)
    assert (placed.reason, placed.override_fence, placed.allow_discard) == ("fire", "by phone", ("a",))
    assert placed.accept_rewind is not None
    assert (placed.accept_rewind.marks, placed.accept_rewind.to) == (("3f9c2d1",), "81c04aa")


FLEET, APP, PLACEMENT = "siteshift.yaml", "apps/ledger/application.yaml", "apps/ledger/placement.yaml"

WRONG = {
    "misspelt field": (
        FLEET,
        "  platform:",
        "  platfrom:",
        ['unknown field "platfrom" in spec', 'did you mean "platform"?'],
    ),
    "unknown field": (APP, "  home: a", "  zebra: a", ['unknown field "zebra" in spec', "spec has: sites, home"]),
    "site that is not there": (
        PLACEMENT,
        "active: a",
        "active: c",
        ['spec.active is "c", which is no site', "(a, b)", "siteshift.yaml:5"],
    ),
    "site of an application that is not there": (APP, "[a, b]", "[a, z]", ['spec.sites names "z"', "siteshift.yaml:5"]),
    "no site": (
        FLEET,
        "  sites:\n  - {name: a, cluster: {context: dc-a}}\n  - {name: b}\n",
        "  sites: []\n",
        ["spec.sites is [], expected at least 1 entry"],
    ),
    "missing field": (PLACEMENT, "  active: a\n", "", ["spec.active is missing", "The site that runs it"]),
    "missing kind": (PLACEMENT, "kind: Placement\n", "", ["kind is missing", "write kind: Placement"]),
    "other kind": (PLACEMENT, "kind: Placement", "kind: Application", ['kind is "Application", expected "Placement"']),
    "duplicate site": (FLEET, "{name: b}", "{name: b}\n  - {name: a}", ["site a is listed twice"]),
    "bad name": (FLEET, "{name: b}", "{name: B_2}", ['spec.sites[1].name is "B_2", expected a name of lower-case']),
    "text for a number": (PLACEMENT, "epoch: 4", 'epoch: "4"', ['spec.epoch is "4", expected a whole number']),
    "epoch beyond all": (
        PLACEMENT,
        "epoch: 4",
        f"epoch: {10**30}",
        ["spec.epoch is 1e+30, expected at most 999999999"],
    ),
    "endless duration": (APP, "rpo: 5m", f"rpo: {'9' * 400}h", ["expected a duration such as"]),
    "epoch zero": (PLACEMENT, "epoch: 4", "epoch: 0", ["spec.epoch is 0, expected at least 1"]),
    "empty field": (APP, "  home: a", "  home:", ["spec.home is empty, expected a name"]),
    "unknown move": (PLACEMENT, "planned", "panic", ['spec.move is "panic", expected planned or disaster']),
    "bad duration": (APP, "rpo: 5m", "rpo: soon", ['spec.replication.rpo is "soon", expected a duration such as']),
    "metro": (FLEET, "  platform:", "  topology: metro\n  platform:", ["spec.topology: metro is not supported yet"]),
    "several active sites": (PLACEMENT, "active: a", "active: [a, b]", ["a list of sites is not supported yet"]),
    "weights": (PLACEMENT, "  epoch: 4", "  epoch: 4\n  weights: {a: 1}", ["spec.weights is not supported yet"]),
    "commits": (FLEET, "  platform:", "  commits: {}\n  platform:", ["spec.commits is not supported yet"]),
    "starts per node": (
        FLEET,
        "  platform:",
        "  starts: {perNode: 1}\n  platform:",
        ["spec.starts.perNode is not supported yet"],
    ),
    "volumes from metadata": (APP, "  home: a", "  volumes: metadata", ["spec.volumes: metadata is not supported yet"]),
    "retired": (APP, "  home: a", "  retired: true", ["spec.retired is not supported yet"]),
    "home elsewhere": (
        APP,
        "sites: [a, b]\n  home: a",
        "sites: [a]\n  home: b",
        ['spec.home is "b", which is none of its sites (a)'],
    ),
    "placed where it may not be": (
        APP,
        "sites: [a, b]\n  home: a",
        "sites: [b]\n  home: b",
        [f"{PLACEMENT}:5:3", 'spec.active is "a", which is no site of ledger (b)', f"{APP}:5"],
    ),
    "name of another": (
        PLACEMENT,
        "{name: ledger}",
        "{name: ledgre}",
        ['metadata.name is "ledgre", expected "ledger"'],
    ),
    "dependency that is not there": (
        APP,
        "  home: a",
        "  dependsOn: [nobody]",
        ['spec.dependsOn names "nobody"', "(ledger, payments)"],
    ),
    "cycle": (
        APP,
        "  home: a",
        "  dependsOn: [payments]",
        ["spec.dependsOn goes in a circle: ledger > payments > ledger"],
    ),
    "depends on itself": (
        APP,
        "  home: a",
        "  dependsOn: [ledger]",
        ["spec.dependsOn goes in a circle: ledger > ledger"],
    ),
    "bad YAML": (PLACEMENT, "spec:\n", "spec: [\n", [f"{PLACEMENT}:"]),
    "two documents": (
        PLACEMENT,
        "spec:\n",
        "---\nspec:\n",
        ["2 documents found, expected exactly one of kind Placement"],
    ),
    "a list for a document": (PLACEMENT, "spec", None, ["0 documents found"]),
    "pattern without a match": (FLEET, "apps/*", "services/*", ['spec.applications: no folder matches "services/*"']),
    "pattern that leaves": (FLEET, "platform/*", "../platform/*", ['"../platform/*" leaves the repository']),
    "overlay that leaves": (APP, "  home: a", "  overlay: ../../../x", ['"../../../x" leaves the repository']),
    "overlay that is not there": (
        APP,
        "  home: a",
        "  overlay: over",
        ["spec.overlay: there is no folder apps/ledger/over"],
    ),
    "role overlay that is not there": (
        APP,
        "  home: a",
        "  roles: {active: roles/x}",
        ["spec.roles.active: there is no folder apps/ledger/roles/x"],
    ),
    "driver without groups": (
        APP,
        "    groups:\n    - {kind: VolumeGroupReplication, name: ledger, namespace: ledger}\n",
        "",
        ["spec.replication.groups is missing"],
    ),
    "driver none with an rpo": (
        "apps/payments/application.yaml",
        "spec:",
        "spec:\n  replication: {driver: none, rpo: 1m}",
        ["spec.replication.rpo means nothing with driver: none"],
    ),
    "fence without a lease": (APP, "  home: a", "  onIsolation: fence", ["spec.onIsolation: fence needs spec.lease"]),
    "lease without a fence": (APP, "  home: a", "  lease: {time: 5m, fenceAfter: 20m}", ["spec.lease has no effect"]),
    "disaster without a loss": (
        PLACEMENT,
        "move: planned",
        "move: disaster\n  declaredDown: [b]\n  reason: x",
        ["a disaster move needs spec.allowDataLoss"],
    ),
    "disaster without sites": (
        PLACEMENT,
        "move: planned",
        "move: disaster\n  allowDataLoss: unknown\n  reason: x",
        ["a disaster move needs spec.declaredDown"],
    ),
    "disaster without a reason": (
        PLACEMENT,
        "move: planned",
        "move: disaster\n  declaredDown: [b]\n  allowDataLoss: 1m",
        ["a disaster move needs spec.reason"],
    ),
    "active site declared down": (
        PLACEMENT,
        "move: planned",
        "move: disaster\n  declaredDown: [a]\n  allowDataLoss: 1m\n  reason: x",
        ["spec.declaredDown names a, which is the active site"],
    ),
    "planned move that declares": (
        PLACEMENT,
        "move: planned",
        "declaredDown: [b]",
        ["spec.declaredDown means nothing in a planned move"],
    ),
    "commit id without quotes": (
        PLACEMENT,
        "move: planned",
        "acceptRewind: {from: [1234567], to: abcdef0}",
        ["spec.acceptRewind.from[0] is 1234567, expected a commit id in quotes"],
    ),
    "freshness above the permit": (
        FLEET,
        "  platform:",
        "  freshness: 3m\n  platform:",
        ["spec.freshness is 3m, expected less than spec.permit (2m)"],
    ),
    "permit below three polls": (
        FLEET,
        "  platform:",
        "  poll: 50s\n  platform:",
        ["spec.permit is 2m, expected at least 2m30s", "50s"],
    ),
    "poll too quick": (
        FLEET,
        "  platform:",
        "  poll: 50ms\n  platform:",
        ["spec.poll is 50ms, expected at least 200ms"],
    ),
}


@pytest.mark.parametrize(("path", "old", "new", "said"), WRONG.values(), ids=WRONG.keys())
def test_one_mistake_is_one_clear_error(files: Files, path: str, old: str, new: str | None, said: list[str]) -> None:
    text = str(files[path])
    assert old in text
    files[path] = "" if new is None else text.replace(old, new, 1)
    found = messages(files)
    assert len(found) == 1, found
    assert found[0].startswith(said[0] if said[0].startswith("apps/") else f"{path}:")
    for words in said:
        assert words in found[0]


def test_the_line_and_column_are_those_of_the_field(files: Files) -> None:
    files[PLACEMENT] = str(files[PLACEMENT]).replace("active: a", "active: c")
    assert messages(files)[0].startswith(f"{PLACEMENT}:5:3: error: ")


def test_all_errors_are_said_at_once_by_file_and_line(files: Files) -> None:
    files[PLACEMENT] = str(files[PLACEMENT]).replace("active: a", "active: c").replace("planned", "panic")
    files["apps/payments/application.yaml"] = "kind: [\n"
    files[FLEET] = str(files[FLEET]).replace("{name: b}", "{name: b}\n  - {name: a}")
    places = [message.split(": error: ")[0] for message in messages(files)]
    assert places == [f"{PLACEMENT}:7:3", "apps/payments/application.yaml:2:1", f"{FLEET}:8:6"]


def test_an_empty_repository_says_how_to_make_one() -> None:
    (found,) = messages({})
    assert found.startswith("siteshift.yaml: error: there is no siteshift.yaml")
    assert "siteshift init" in found


def test_a_file_that_is_not_utf8_is_named(files: Files) -> None:
    files[PLACEMENT] = b"kind: Placement\nname: \xff\xfe\n"
    (found,) = messages(files)
    assert found.startswith(PLACEMENT)
    assert "UTF-8" in found


@pytest.mark.parametrize("path", [APP, PLACEMENT])
def test_a_missing_file_of_an_application_is_named(files: Files, path: str) -> None:
    del files[path]
    found = messages(files)
    assert [message.split(": error: ")[0] for message in found if "this file is missing" in message] == [path]


def test_two_applications_of_one_name_are_told(files: Files) -> None:
    for name in ("application", "placement"):
        files[f"apps/payments/{name}.yaml"] = str(files[f"apps/payments/{name}.yaml"]).replace(
            "name: payments", "name: ledger"
        )
    assert any("application ledger is also in apps/ledger/application.yaml" in found for found in messages(files))


def test_a_group_in_two_applications_is_told(files: Files) -> None:
    replication = str(files[APP]).partition("  replication:")[2]
    files["apps/payments/application.yaml"] = (
        str(files["apps/payments/application.yaml"]) + "  replication:" + replication
    )
    (found,) = messages(files)
    assert found.startswith("apps/payments/application.yaml:9:")
    assert "VolumeGroupReplication ledger/ledger is also a group of ledger" in found


def test_a_platform_folder_that_cannot_be_built_is_told(files: Files) -> None:
    files["platform/notes/README.md"] = "hello"
    (found,) = messages(files)
    assert "spec.platform matches platform/notes, which has no kustomization.yaml" in found


def test_an_application_with_nothing_to_build_is_told(files: Files) -> None:
    del files["apps/payments/sites/b/kustomization.yaml"]
    (found,) = messages(files)
    assert "nothing to build for site b" in found


def test_files_and_hidden_folders_match_no_pattern(files: Files) -> None:
    files["apps/README.md"] = "hello"
    files["apps/.cache/x"] = "hello"
    assert [application.name for application in load(MemoryTree(dict(files))).applications] == ["ledger", "payments"]


def test_a_folder_that_cannot_be_read_is_the_only_thing_said_about_it(files: Files, tmp_path: Path) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(str(text))
    (tmp_path / "apps" / "loop").symlink_to("loop")
    with pytest.raises(InputErrors) as caught:
        load(FolderTree(str(tmp_path)))
    (only,) = caught.value.errors
    assert (only.path, "symbolic links" in only.message) == ("apps/loop", True)


def test_a_site_is_bound_to_another_cluster_by_a_commit(files: Files) -> None:
    files["siteshift.yaml"] = str(files["siteshift.yaml"]).replace(
        "{name: b}", "{name: b, rebind: {from: u1, to: u2, old: destroyed, reason: fire}}"
    )
    assert load(MemoryTree(dict(files))).sites[1] == Site("b", rebind=Rebind("u1", "u2", "fire"))


@pytest.mark.parametrize(
    ("rebind", "said"),
    [
        ("{from: u1, to: u1, old: destroyed, reason: x}", "does not say which heartbeats it covers"),
        ("{from: u1, to: u2, old: asleep, reason: x}", "destroyed"),
        ("{from: u1, to: u2, reason: x}", "old"),
    ],
)
def test_a_rebind_says_what_became_of_the_old_cluster(files: Files, rebind: str, said: str) -> None:
    files["siteshift.yaml"] = str(files["siteshift.yaml"]).replace("{name: b}", f"{{name: b, rebind: {rebind}}}")
    assert any(said in error for error in messages(files))


def test_the_keys_of_a_site_are_the_sites(files: Files) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP5dFHGNqfJz0Jp2Yl3h0Hx1G9b1rWQ9cLqXxXxXxXxX a-2026"
    assert "{name: a" in str(files["siteshift.yaml"])
    files["siteshift.yaml"] = str(files["siteshift.yaml"]).replace("{name: a", f"{{keys: ['{key}'], name: a")
    assert load(MemoryTree(dict(files))).keys == {"a": (key,)}

"""What is installed in a cluster: stock Kustomize builds it alike, and the roles are those of the table."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.installing import Installation, manifests
from reconciler.rights import roles
from render import build_folder, dump, parse

DEPLOY = Path(__file__).parents[2] / "deploy"
HEAD = "# Made from the table in reconciler/rights.py, which says why each right is needed.\n"


def installed(**changes: str) -> list[dict[str, Any]]:
    settings = {"site": "b", "url": "https://git.example.com/bank.git", "branch": "main", "image": "x/siteshift:1.0"}
    return manifests(Installation(**(settings | changes)))


def one(found: list[dict[str, Any]], kind: str, name: str = "siteshift") -> dict[str, Any]:
    (manifest,) = (each for each in found if each["kind"] == kind and each["metadata"]["name"].startswith(name))
    return manifest


def containers(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    template: dict[str, Any] = one(found, "Deployment")["spec"]["template"]["spec"]
    return list(template["containers"])


@pytest.mark.testbed
def test_stock_kustomize_prints_the_same(testbed_binaries: Path) -> None:
    command = [str(testbed_binaries / "kustomize"), "build", str(DEPLOY)]
    stock = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert dump(resource.manifest for resource in build_folder(str(DEPLOY))) == stock


def test_the_roles_are_those_of_the_table() -> None:
    written = (DEPLOY / "roles.yaml").read_text()
    assert written == HEAD + dump(roles()), "write it anew from reconciler.rights.roles()"


def test_no_right_is_a_wildcard_and_secrets_are_in_no_role() -> None:
    for role in roles():
        for rule in role.get("rules", ()):
            assert "*" not in {*rule["verbs"], *rule["resources"], *rule["apiGroups"]}
            assert "secrets" not in rule["resources"]


def test_the_namespace_enforces_restricted_and_every_container_keeps_to_it() -> None:
    found = installed()
    assert one(found, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for container in containers(found):
        context = container["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]


def test_the_settings_of_a_site_reach_both_containers() -> None:
    found = installed(branch="live")
    settings = one(found, "ConfigMap", "siteshift-settings")
    assert settings["data"] == {
        "SITESHIFT_SITE": "b",
        "SITESHIFT_FLEET_URL": "https://git.example.com/bank.git",
        "SITESHIFT_BRANCH": "live",
    }
    for container in containers(found):
        assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("reg.example.com:5000/a/siteshift:1.0", "reg.example.com:5000/a/siteshift:1.0"),
        ("reg.example.com:5000/a/siteshift", "reg.example.com:5000/a/siteshift:latest"),
        ("siteshift@sha256:" + "a" * 64, "siteshift@sha256:" + "a" * 64),
    ],
)
def test_the_image_is_the_one_that_is_named(image: str, expected: str) -> None:
    assert {container["image"] for container in containers(installed(image=image))} == {expected}


def test_the_credentials_of_git_are_the_controllers_alone() -> None:
    controller, guard = containers(installed(git_secret="siteshift-git"))
    assert {"name": "SITESHIFT_GIT_CREDENTIALS", "value": "/var/run/siteshift/git/credentials"} in controller["env"]
    assert "git" in {mount["name"] for mount in controller["volumeMounts"]}
    assert "git" not in {mount["name"] for mount in guard["volumeMounts"]}


def test_the_overlay_is_text_that_a_value_cannot_leave() -> None:
    found = installed(url="https://git.example.com/a.git?x=#y: {z}", branch="feature: x")
    assert one(found, "ConfigMap", "siteshift-settings")["data"]["SITESHIFT_BRANCH"] == "feature: x"
    assert list(parse(dump(found).encode(), "installed.yaml"))

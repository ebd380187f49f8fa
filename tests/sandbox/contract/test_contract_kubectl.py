"""The real kubectl against both servers: it prints the same."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.testbed

MANIFESTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
data: {colour: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: main, image: "registry.example/web:1", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
"""

Kubectl = Callable[..., str]


@pytest.fixture
def kubectl(api, namespace, api_binaries: Path, tmp_path: Path, request) -> Kubectl:
    """Runs kubectl in the test's namespace; the answer is what it prints, errors and warnings included."""
    if api.name == "sandbox":
        config = tmp_path / "kubeconfig"
        config.write_text(request.getfixturevalue("sandbox_server").kubeconfig())
    else:
        config = request.getfixturevalue("real_api").kubeconfig()

    def run(*arguments: str, text: str | None = None, code: int = 0) -> str:
        command = [str(api_binaries / "kubectl"), "--kubeconfig", str(config), "-n", namespace, *arguments]
        result = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            env={"HOME": str(tmp_path), "KUBECACHEDIR": str(tmp_path / "cache")},
        )
        assert result.returncode == code, result.stdout + result.stderr
        return (result.stdout + result.stderr).replace(namespace, "NAMESPACE")

    return run


@pytest.fixture
def applied(kubectl: Kubectl) -> Kubectl:
    """kubectl, after the manifests have been applied."""
    kubectl("apply", "--server-side", "-f", "-", text=MANIFESTS)
    return kubectl


def squeezed(table: str) -> list[str]:
    """Lines with single spaces and without ages."""
    return [re.sub(r" +", " ", re.sub(r"\b\d+s\b", "AGE", line)).strip() for line in table.splitlines() if line]


def test_apply_says_what_it_did(kubectl) -> None:
    names = ("configmap/settings", "deployment.apps/web", "service/web")
    said = "".join(f"{name} serverside-applied\n" for name in names)
    assert kubectl("apply", "--server-side", "-f", "-", text=MANIFESTS) == said
    assert kubectl("apply", "--server-side", "-f", "-", text=MANIFESTS) == said


def test_apply_refuses_a_misspelt_field(kubectl) -> None:
    said = kubectl("apply", "--server-side", "-f", "-", text=MANIFESTS.replace("\ndata:", "\ndato:"), code=1)
    assert ".dato: field not declared in schema" in said


def test_apply_names_the_manager_in_whose_way_it_is(applied) -> None:
    applied(
        "patch", "configmap", "settings", "--field-manager=editor", "--type=merge", "-p", '{"data":{"colour":"red"}}'
    )
    said = applied("apply", "--server-side", "-f", "-", text=MANIFESTS, code=1)
    assert 'conflict with "editor"' in said
    assert ".data.colour" in said
    applied("apply", "--server-side", "--force-conflicts", "-f", "-", text=MANIFESTS)
    assert applied("get", "configmap", "settings", "-o", "jsonpath={.data.colour}") == "blue"


def test_get_prints_tables(applied) -> None:
    assert squeezed(applied("get", "configmap,deployment,service")) == [
        "NAME DATA AGE",
        "configmap/settings 1 AGE",
        "NAME READY UP-TO-DATE AVAILABLE AGE",
        "deployment.apps/web 0/2 0 0 AGE",
        "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE",
        "service/web ClusterIP None <none> 80/TCP AGE",
    ]


HEAD, WEB = "NAME READY UP-TO-DATE AVAILABLE AGE", "web 0/2 0 0 AGE"
GETS = [
    pytest.param(["-l", "app=web"], [HEAD, WEB], id="by label"),
    pytest.param(["-l", "app!=web"], ["No resources found in NAMESPACE namespace."], id="by another label"),
    pytest.param(["--field-selector", "metadata.name=web"], [HEAD, WEB], id="by field"),
    pytest.param(["-o", "name"], ["deployment.apps/web"], id="names"),
    pytest.param(["--show-labels"], [f"{HEAD} LABELS", f"{WEB} app=web"], id="with labels"),
]


@pytest.mark.parametrize(("arguments", "lines"), GETS)
def test_get_selects_and_formats(applied, arguments, lines) -> None:
    assert squeezed(applied("get", "deployments", *arguments)) == lines


def test_short_names_and_categories_are_known(applied) -> None:
    assert applied("get", "cm", "settings", "-o", "name") == "configmap/settings\n"
    assert applied("get", "all", "-o", "name") == "service/web\ndeployment.apps/web\n"


def test_describe_tells_about_an_object_and_its_events(applied) -> None:
    told = squeezed(applied("describe", "deployment", "web"))
    assert "Replicas: 2 desired | 0 updated | 0 total | 0 available | 0 unavailable" in told
    assert told[-1] == "Events: <none>"


def test_labels_and_patches(applied) -> None:
    assert applied("label", "deployment", "web", "tier=front") == "deployment.apps/web labeled\n"
    patches = {
        "merge": '{"spec":{"replicas":3}}',
        "json": '[{"op":"add","path":"/metadata/labels/j","value":"1"}]',
        "strategic": '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"s:1"}]}}}}',
    }
    for kind, patch in patches.items():
        assert applied("patch", "deployment", "web", f"--type={kind}", "-p", patch) == "deployment.apps/web patched\n"
    found = json.loads(applied("get", "deployment", "web", "-o", "json"))
    assert found["metadata"]["labels"] == {"app": "web", "tier": "front", "j": "1"}
    assert found["spec"]["replicas"] == 3
    assert [one["name"] for one in found["spec"]["template"]["spec"]["containers"]] == ["side", "main"]


def test_a_dry_run_at_the_server_changes_nothing(kubectl) -> None:
    said = kubectl("create", "--dry-run=server", "-f", "-", text=MANIFESTS)
    assert said.splitlines()[0] == "configmap/settings created (server dry run)"
    assert (
        kubectl("get", "configmap", "settings", code=1)
        == 'Error from server (NotFound): configmaps "settings" not found\n'
    )


def test_wait_waits_for_a_condition_and_for_deletion(applied) -> None:
    condition = '{"status":{"conditions":[{"type":"Available","status":"True"}]}}'
    applied("patch", "deployment", "web", "--subresource=status", "--type=merge", "-p", condition)
    met = "deployment.apps/web condition met\n"
    assert applied("wait", "--for=condition=Available", "deployment/web", "--timeout=30s") == met
    assert applied("wait", "--for=jsonpath={.spec.replicas}=2", "deployment/web", "--timeout=30s") == met
    assert applied("delete", "configmap", "settings").startswith('configmap "settings" deleted')
    assert applied("wait", "--for=delete", "configmap/settings", "--timeout=30s") in (
        "",
        "configmap/settings condition met\n",
    )


def test_a_watch_prints_changes_as_they_come(applied, kubectl) -> None:
    told = applied("get", "configmap", "settings", "-w", "--output-watch-events", "--request-timeout=2s", code=0)
    assert squeezed(told)[:2] == ["EVENT NAME DATA AGE", "ADDED settings 1 AGE"]


def test_explain_knows_the_schema(kubectl) -> None:
    assert "replicas\t<integer>" in kubectl("explain", "deployment.spec")


def test_delete_removes_what_was_applied(applied) -> None:
    said = applied("delete", "-f", "-", text=MANIFESTS)
    assert [line.split(" deleted")[0] for line in said.splitlines()] == [
        'configmap "settings"',
        'deployment.apps "web"',
        'service "web"',
    ]
    assert applied("get", "all") == "No resources found in NAMESPACE namespace.\n"

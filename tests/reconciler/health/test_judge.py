"""Verdicts of our own rules: what run levels, moves and people build upon."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.health import judge
from reconciler.objects import STANDBY_LABEL

NOW = 1_800_000_000.0

Live = dict[str, Any]


def live(api_version: str, kind: str, /, spec: Any = None, status: Any = None, **metadata: Any) -> Live:
    made: Live = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "shop", **metadata}}
    if spec is not None:
        made["spec"] = spec
    if status is not None:
        made["status"] = status
    return made


def conditions(**statuses: str) -> Live:
    return {"conditions": [{"type": kind, "status": value} for kind, value in statuses.items()]}


def machine(strategy: str = "Always", **status: Any) -> Live:
    return live("kubevirt.io/v1", "VirtualMachine", {"runStrategy": strategy}, status)


def replica(asked: str, state: str, generation: int = 2, **conditions: tuple[str, str]) -> Live:
    made = [
        {"type": kind, "status": value, "reason": reason, "observedGeneration": generation}
        for kind, (value, reason) in conditions.items()
    ]
    return live(
        "replication.storage.openshift.io/v1alpha1",
        "VolumeGroupReplication",
        {"replicationState": asked},
        {"state": state, "conditions": made},
        generation=2,
    )


INSTANCE_READY = live("kubevirt.io/v1", "VirtualMachineInstance", {}, {"phase": "Running", **conditions(Ready="True")})
INSTANCE_STARTING = live("kubevirt.io/v1", "VirtualMachineInstance", {}, {"phase": "Scheduling"})

PROMOTED = {"Completed": ("True", "Promoted"), "Degraded": ("False", "Healthy")}
DEMOTED = {"Completed": ("True", "Demoted")}
IN_SYNC = {**DEMOTED, "Degraded": ("False", "Healthy"), "Resyncing": ("False", "NotResyncing")}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(live("v1", "ConfigMap"), ("Healthy", ""), id="a-config-map-need-only-be-there"),
        pytest.param(live("v1", "ServiceAccount"), ("Healthy", ""), id="a-service-account-too"),
        pytest.param(live("x.io/v1", "Thing"), ("NoRule", "NoRule"), id="an-unknown-kind-has-no-rule"),
        pytest.param(live("x.io/v1", "Thing", status={"phase": "Up"}), ("NoRule", "NoRule"), id="nor-with-some-status"),
        pytest.param(
            live("x.io/v1", "Thing", status=conditions(Ready="True")), ("Healthy", ""), id="unknown-kind-that-is-ready"
        ),
        pytest.param(
            live("x.io/v1", "Thing", status=conditions(Ready="Unknown")),
            ("Progressing", "NotReady"),
            id="unknown-kind-that-does-not-know",
        ),
        pytest.param(
            live("x.io/v1", "Thing", status={"observedGeneration": 1, **conditions(Ready="True")}, generation=2),
            ("Progressing", "LatestGenerationNotObserved"),
            id="ready-for-an-older-generation",
        ),
        pytest.param(
            live("v1", "ConfigMap", deletionTimestamp="2026-11-22T08:00:00Z"), ("Terminating", "Deleting"), id="leaving"
        ),
        pytest.param(
            live("apps/v1", "Deployment", {"replicas": 1}), ("Progressing", "LessReplicas"), id="not-seen-deployment"
        ),
        pytest.param(live("apps/v1", "Deployment", {"paused": True}), ("Suspended", "Paused"), id="paused-deployment"),
        pytest.param(live("batch/v1", "Job", {}), ("Progressing", "JobNotStarted"), id="not-seen-job"),
        pytest.param(
            live("batch/v1", "Job", {}, {"startTime": "2026-11-22T08:00:00Z", "active": 1}),
            ("Progressing", "JobRunning"),
            id="running-job",
        ),
        pytest.param(
            live("batch/v1", "Job", {}, conditions(Complete="True")), ("Healthy", "Complete"), id="complete-job"
        ),
        pytest.param(live("batch/v1", "Job", {}, conditions(Failed="True")), ("Failed", "JobFailed"), id="failed-job"),
        pytest.param(live("batch/v1", "Job", {"suspend": True}, {}), ("Suspended", "Suspended"), id="suspended-job"),
        pytest.param(
            live("v1", "Service", {"type": "LoadBalancer", "clusterIP": "10.0.0.9"}, {"loadBalancer": {}}),
            ("Progressing", "NoAddress"),
            id="load-balancer-without-address",
        ),
        pytest.param(
            live(
                "v1",
                "Service",
                {"type": "LoadBalancer", "clusterIP": "10.0.0.9"},
                {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
            ),
            ("Healthy", ""),
            id="load-balancer-with-address",
        ),
        pytest.param(live("v1", "Service", {"clusterIP": "10.0.0.9"}), ("Healthy", ""), id="cluster-service"),
        pytest.param(live("v1", "Pod", {}, {"phase": "Failed"}), ("Failed", "PodFailed"), id="failed-pod"),
        pytest.param(
            live(
                "v1",
                "Pod",
                {},
                {
                    "phase": "Pending",
                    "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
                },
            ),
            ("Failed", "ImagePullBackOff"),
            id="pod-without-image",
        ),
        pytest.param(
            live("v1", "PersistentVolumeClaim", {}, {"phase": "Pending"}), ("Progressing", "NotBound"), id="open-claim"
        ),
        pytest.param(live("v1", "PersistentVolumeClaim", {}, {"phase": "Lost"}), ("Failed", "Lost"), id="lost-claim"),
        pytest.param(
            live("v1", "PersistentVolume", {}, {"phase": "Released"}), ("Healthy", "Released"), id="kept-volume"
        ),
        pytest.param(
            live("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("Progressing", "Installing"), id="new-crd"
        ),
        pytest.param(
            live("config.openshift.io/v1", "ClusterOperator", {}, conditions(Available="True", Degraded="True")),
            ("Failed", "Degraded"),
            id="degraded-operator",
        ),
        pytest.param(
            live("apiregistration.k8s.io/v1", "APIService", {}), ("Progressing", "NotObserved"), id="unseen-api-service"
        ),
    ],
)
def test_verdicts(given: Live, expected: tuple[str, str]) -> None:
    found = judge(given, now=NOW)

    assert (found.state, found.reason) == expected


@pytest.mark.parametrize(
    ("given", "instance", "expected"),
    [
        pytest.param(
            live("kubevirt.io/v1", "VirtualMachine", {"runStrategy": "Always"}), None, "NotObserved", id="unseen"
        ),
        pytest.param(machine(printableStatus="Starting", created=True), None, "Starting", id="starting"),
        pytest.param(machine(printableStatus="Running", created=True, ready=True), None, "Healthy", id="ready"),
        pytest.param(
            machine(printableStatus="Running", created=True, ready=True), INSTANCE_READY, "Healthy", id="both-ready"
        ),
        pytest.param(
            machine(printableStatus="Running", created=True, ready=True),
            INSTANCE_STARTING,
            "InstanceNotReady",
            id="ready-by-an-older-instance",
        ),
        pytest.param(machine(printableStatus="Stopped"), None, "Stopped", id="always-but-stopped"),
        pytest.param(machine(printableStatus="CrashLoopBackOff"), None, "CrashLoopBackOff", id="crashing"),
        pytest.param(machine(printableStatus="ErrorUnschedulable"), None, "ErrorUnschedulable", id="no-node"),
        pytest.param(machine("Halted", printableStatus="Stopped"), None, "Halted", id="halted"),
        pytest.param(machine("Halted", printableStatus="Stopped"), INSTANCE_READY, "Stopping", id="stopped-too-early"),
        pytest.param(machine("Halted", printableStatus="Stopping", created=True), None, "Stopping", id="stopping"),
        pytest.param(machine("RerunOnFailure", printableStatus="Stopped"), None, "StoppedByGuest", id="shut-down"),
        pytest.param(machine("Once", printableStatus="Stopped"), None, "Finished", id="ran-once"),
        pytest.param(machine("Always", printableStatus="Paused", ready=False), None, "Paused", id="paused"),
    ],
)
def test_a_virtual_machine_by_its_run_strategy_and_instance(given: Live, instance: Live | None, expected: str) -> None:
    found = judge(given, now=NOW, instance=instance)

    assert expected in (found.reason, found.state)


def test_a_change_that_waits_for_the_next_start_of_a_machine_does_not_make_it_unready() -> None:
    changed = machine(printableStatus="Running", created=True, ready=True, observedGeneration=1)
    changed["metadata"]["generation"] = 3

    assert judge(changed, now=NOW).state == "Healthy"


@pytest.mark.parametrize(
    ("given", "active", "passive"),
    [
        pytest.param(machine("Halted", printableStatus="Stopped"), "Suspended", "Healthy", id="halted-machine"),
        pytest.param(
            machine("Halted", printableStatus="Stopping", created=True), "Progressing", "Progressing", id="halting"
        ),
        pytest.param(
            machine(printableStatus="Running", created=True, ready=True), "Healthy", "Progressing", id="running-machine"
        ),
        pytest.param(live("batch/v1", "CronJob", {"suspend": True}), "Suspended", "Healthy", id="suspended-cron-job"),
        pytest.param(live("batch/v1", "CronJob", {"suspend": False}), "Healthy", "Progressing", id="cron-job"),
        pytest.param(
            live("apps/v1", "StatefulSet", {"replicas": 0}, {"replicas": 2}),
            "Progressing",
            "Progressing",
            id="pods-left",
        ),
        pytest.param(
            live("apps/v1", "StatefulSet", {"replicas": 0}, {"replicas": 0}), "Healthy", "Healthy", id="no-pods-left"
        ),
        pytest.param(live("v1", "ConfigMap"), "Healthy", "Healthy", id="nothing-to-stop"),
        pytest.param(replica("primary", "Primary", **PROMOTED), "Healthy", "Progressing", id="promoted"),
        pytest.param(
            replica("primary", "Primary", generation=1, **PROMOTED), "Progressing", "Progressing", id="promoted-before"
        ),
        pytest.param(
            replica("primary", "Unknown", Completed=("False", "FailedToPromote")), "Failed", "Progressing", id="refused"
        ),
        pytest.param(replica("secondary", "Secondary", **DEMOTED), "Progressing", "Progressing", id="demoted"),
        pytest.param(replica("secondary", "Secondary", **IN_SYNC), "Progressing", "Healthy", id="in-sync"),
        pytest.param(
            replica("secondary", "Secondary", **{**IN_SYNC, "Degraded": ("True", "Degraded")}),
            "Progressing",
            "Progressing",
            id="behind",
        ),
        pytest.param(
            replica("secondary", "Primary", Completed=("True", "Promoted")),
            "Progressing",
            "Progressing",
            id="asked-only",
        ),
    ],
)
def test_verdicts_depend_on_the_effective_role(given: Live, active: str, passive: str) -> None:
    assert judge(given, role="active", now=NOW).state == active
    assert judge(given, role="passive", now=NOW).state == passive


def test_what_runs_at_a_hot_passive_site_is_judged_as_running() -> None:
    standby = machine(printableStatus="Running", created=True, ready=True)
    standby["metadata"]["labels"] = {STANDBY_LABEL: "true"}

    assert judge(standby, role="passive", now=NOW).state == "Healthy"


def test_an_unschedulable_pod_fails_only_after_a_while() -> None:
    reason = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    pod = live("v1", "Pod", {}, {"phase": "Pending", "conditions": [reason]}, creationTimestamp="2026-11-22T08:00:00Z")
    created = 1795334400.0

    assert judge(pod, now=created + 14).state == "Progressing"
    assert judge(pod, now=created + 16).state == "Failed"

"""Each kind here has a rule of its own somewhere in Kustomize: names, references, scope, lists or selectors.

A table of kinds, each with how its fields are made. Objects refer to each other by names that mostly exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import workloads
from .choosing import Chooser, given
from .workloads import KEYS, VARS, WORDS, Refer, labels

NAMES = ["web", "db", "api", "v1.metrics.example"]
NAMESPACES = ["shop", "ops"]


@dataclass(frozen=True)
class Thing:
    """An object as a kustomization sees it: what it is, the names that it has had, and what was written."""

    group: str
    version: str
    kind: str
    names: tuple[str, ...]
    namespace: str | None
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name now."""
        return self.names[-1]

    @property
    def api_version(self) -> str:
        """Group and version as manifests write them."""
        return f"{self.group}/{self.version}" if self.group else self.version


Make = Callable[[Chooser, Refer], dict[str, Any]]


def _data(choose: Chooser, refer: Refer) -> dict[str, Any]:
    values = [
        "info",
        "8080",
        VARS[0],
        "a=b,c=d",
        '{"port": 80, "on": [1, "x"]}',
        "port: 80\non:\n- x\n",
        "l1\nl2\n",
        "l1\n  l2\n\nl3\n",
    ]
    return {"data": {key: choose.one(values) for key in choose.some(["level", "port", "conf.yaml", "LIST"], 1, 3)}}


def _secret(choose: Chooser, refer: Refer) -> dict[str, Any]:
    return given(
        type=choose.maybe(60, lambda: "Opaque"),
        data={"level": "aW5mbw=="},
        stringData=choose.maybe(20, lambda: {"port": "80"}),
    )


def _service(choose: Chooser, refer: Refer) -> dict[str, Any]:
    ports = [
        given(port=port, name=choose.maybe(60, lambda: "http"), protocol=choose.maybe(30, lambda: "TCP"), targetPort=to)
        for port, to in choose.some([(80, 8080), (443, "https"), (53, None)], 1, 2)
    ]
    return {"spec": given(selector=choose.maybe(70, lambda: labels(choose)), ports=ports)}


def _spec(make: Make) -> Make:
    return lambda choose, refer: {"spec": make(choose, refer)}


def _nothing(choose: Chooser, refer: Refer) -> dict[str, Any]:
    return {}


def _service_account(choose: Chooser, refer: Refer) -> dict[str, Any]:
    return given(
        secrets=choose.maybe(20, lambda: [{"name": refer("Secret")}]),
        imagePullSecrets=choose.maybe(20, lambda: [{"name": refer("Secret")}]),
    )


def _role(choose: Chooser, refer: Refer) -> dict[str, Any]:
    rule = given(
        apiGroups=[""],
        resources=["configmaps"],
        verbs=["get"],
        resourceNames=choose.maybe(50, lambda: [refer("ConfigMap"), refer("Secret")]),
    )
    return {"rules": [rule]}


def _binding(role: str) -> Make:
    def make(choose: Chooser, refer: Refer) -> dict[str, Any]:
        return {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": refer(role)},
            "subjects": [
                given(
                    kind=choose.one(["ServiceAccount", "ServiceAccount", "User"]),
                    name=choose.one([refer("ServiceAccount"), "default"]),
                    namespace=choose.one([*NAMESPACES, "default", None]),
                )
                for _ in range(choose.integer(1, 2))
            ],
        }

    return make


def _ingress(choose: Chooser, refer: Refer) -> dict[str, Any]:
    backend = {"service": {"name": refer("Service"), "port": {"number": 80}}}
    return {
        "spec": given(
            ingressClassName=choose.maybe(20, lambda: refer("IngressClass")),
            tls=choose.maybe(30, lambda: [{"hosts": ["a.example"], "secretName": refer("Secret")}]),
            defaultBackend=choose.maybe(20, lambda: backend),
            rules=[
                {
                    "host": choose.one(["a.example", "$(ADDRESS).example"]),
                    "http": {
                        "paths": [{"path": "/", "backend": choose.one([backend, {"serviceName": refer("Service")}])}]
                    },
                }
            ],
        )
    }


def _scaler(choose: Chooser, refer: Refer) -> dict[str, Any]:
    kind = choose.one(["Deployment", "StatefulSet", "ReplicaSet"])
    return {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": refer(kind)}, "maxReplicas": 3}}


def _claim(choose: Chooser, refer: Refer) -> dict[str, Any]:
    return given(
        volumeName=choose.maybe(40, lambda: refer("PersistentVolume")),
        storageClassName=choose.maybe(40, lambda: refer("StorageClass")),
        dataSource=choose.maybe(20, lambda: {"kind": "PersistentVolumeClaim", "name": refer("PersistentVolumeClaim")}),
        resources={"requests": {"storage": choose.one(["1Gi", 10])}},
    )


def _volume(choose: Chooser, refer: Refer) -> dict[str, Any]:
    return given(
        storageClassName=refer("StorageClass"),
        claimRef=choose.maybe(
            50, lambda: {"name": refer("PersistentVolumeClaim"), "namespace": choose.one(NAMESPACES)}
        ),
        rbd=choose.maybe(20, lambda: {"secretRef": {"name": refer("Secret")}}),
        azureFile=choose.maybe(20, lambda: {"secretName": refer("Secret"), "secretNamespace": "default"}),
        csi=choose.maybe(
            20, lambda: {"driver": "d", "controllerPublishSecretRef": {"name": refer("Secret"), "namespace": "shop"}}
        ),
    )


def _webhooks(choose: Chooser, refer: Refer) -> dict[str, Any]:
    def hook(name: str) -> dict[str, Any]:
        service = {"name": refer("Service"), "namespace": choose.one([*NAMESPACES, "default", "system"])}
        return {
            "name": name,
            "clientConfig": {"service": service},
            "namespaceSelector": {"matchLabels": labels(choose)},
        }

    return {"webhooks": [hook(name) for name in choose.some(["a.example", "b.example"], 1, 2)]}


def _policy(choose: Chooser, refer: Refer) -> dict[str, Any]:
    peers = [{"podSelector": {"matchLabels": labels(choose)}}, {"namespaceSelector": {}}]
    return given(
        podSelector=choose.one([{}, {"matchLabels": labels(choose)}]),
        ingress=choose.maybe(50, lambda: [{"from": peers}]),
        egress=choose.maybe(30, lambda: [{"to": peers}]),
    )


def _budget(choose: Chooser, refer: Refer) -> dict[str, Any]:
    return {"minAvailable": choose.one([1, "50%"]), "selector": {"matchLabels": labels(choose)}}


def _definition(choose: Chooser, refer: Refer) -> dict[str, Any]:
    conversion = {"webhook": {"clientConfig": {"service": {"name": refer("Service"), "namespace": "shop"}}}}
    return {
        "spec": given(group="example.com", names={"kind": "Widget"}, conversion=choose.maybe(40, lambda: conversion))
    }


def _api_service(choose: Chooser, refer: Refer) -> dict[str, Any]:
    return {"spec": {"service": {"name": refer("Service"), "namespace": choose.one(NAMESPACES)}, "version": "v1"}}


def _machine(choose: Chooser, refer: Refer) -> dict[str, Any]:
    return {
        "runStrategy": "Always",
        "dataVolumeTemplates": [
            {"metadata": {"name": "disk"}, "spec": {"pvc": {"storageClassName": refer("StorageClass")}}}
        ],
        "template": {
            "metadata": {"labels": labels(choose)},
            "spec": {
                "domain": {"devices": {"disks": [{"name": "disk", "disk": {"bus": "virtio"}}, {"name": "init"}]}},
                "volumes": [{"name": "disk", "dataVolume": {"name": "disk"}}, workloads.volume(choose, refer, "more")],
            },
        },
    }


def _widget(choose: Chooser, refer: Refer) -> dict[str, Any]:
    return given(
        size=choose.one([1, 2.5, "3", True, None]),
        serviceName=choose.maybe(40, lambda: refer("Service")),
        configRef=choose.maybe(40, lambda: {"kind": "ConfigMap", "apiVersion": "v1", "name": refer("ConfigMap")}),
        image=choose.maybe(30, lambda: choose.one(workloads.IMAGES)),
        address=choose.maybe(30, lambda: choose.one(VARS)),
        selector=choose.maybe(30, lambda: labels(choose)),
        parts=choose.maybe(
            50,
            lambda: [
                given(name=name, image=choose.maybe(40, lambda: "part:1"), count=choose.integer(0, 2))
                for name in choose.some(["left", "right", "top"], 1, 3)
            ],
        ),
        tags=choose.maybe(30, lambda: choose.some(["a", "b", "10", "no"], 0, 3)),
        template=choose.maybe(20, lambda: workloads.pod_template(choose, refer)),
    )


RBAC = "rbac.authorization.k8s.io/v1"
HOOKS = "admissionregistration.k8s.io/v1"

KINDS: dict[str, tuple[str, bool, Make]] = {
    "Deployment": ("apps/v1", True, _spec(workloads.with_template)),
    "ConfigMap": ("v1", True, _data),
    "Service": ("v1", True, _service),
    "Secret": ("v1", True, _secret),
    "ServiceAccount": ("v1", True, _service_account),
    "StatefulSet": ("apps/v1", True, _spec(workloads.stateful_set)),
    "DaemonSet": ("apps/v1", True, _spec(workloads.with_template)),
    "ReplicaSet": ("apps/v1", True, _spec(workloads.with_template)),
    "ReplicationController": ("v1", True, _spec(workloads.replication_controller)),
    "Pod": ("v1", True, _spec(workloads.pod_spec)),
    "Job": ("batch/v1", True, _spec(workloads.job)),
    "CronJob": ("batch/v1", True, _spec(workloads.cron_job)),
    "Role": (RBAC, True, _role),
    "RoleBinding": (RBAC, True, _binding("Role")),
    "ClusterRole": (RBAC, False, _role),
    "ClusterRoleBinding": (RBAC, False, _binding("ClusterRole")),
    "Ingress": ("networking.k8s.io/v1", True, _ingress),
    "IngressClass": ("networking.k8s.io/v1", False, _nothing),
    "HorizontalPodAutoscaler": ("autoscaling/v2", True, _scaler),
    "PersistentVolumeClaim": ("v1", True, _spec(_claim)),
    "PersistentVolume": ("v1", False, _spec(_volume)),
    "StorageClass": ("storage.k8s.io/v1", False, _nothing),
    "PriorityClass": ("scheduling.k8s.io/v1", False, _nothing),
    "ValidatingWebhookConfiguration": (HOOKS, False, _webhooks),
    "MutatingWebhookConfiguration": (HOOKS, False, _webhooks),
    "NetworkPolicy": ("networking.k8s.io/v1", True, _spec(_policy)),
    "PodDisruptionBudget": ("policy/v1", True, _spec(_budget)),
    "Namespace": ("v1", False, _nothing),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", False, _definition),
    "APIService": ("apiregistration.k8s.io/v1", False, _api_service),
    "VirtualMachine": ("kubevirt.io/v1", True, _spec(_machine)),
    "Widget": ("example.com/v1", True, _spec(_widget)),
    "Gadget": ("example.com/v1beta1", True, _spec(_widget)),
}
WORKLOADS = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")

_COMMON = ["Deployment", "ConfigMap", "Service", "Secret", "ServiceAccount", "StatefulSet", "Widget"]


def make_things(choose: Chooser, taken: set[tuple[str, str]], most: int) -> list[Thing]:
    """Objects whose kinds and names are not taken yet; they refer to each other and to what a generator may make."""
    wanted: list[tuple[str, str]] = []
    for _ in range(choose.integer(1, most)):
        kind = choose.one(_COMMON) if choose.chance(50) else choose.one(list(KINDS))
        name = choose.one(NAMESPACES) if kind == "Namespace" else choose.one(NAMES)
        if (kind, name) not in taken:
            taken.add((kind, name))
            wanted.append((kind, name))

    def refer(kind: str) -> str:
        there = [name for of, name in wanted if of == kind]
        if there and not choose.chance(15):
            return choose.one(there)
        return choose.one([*NAMES, "settings", "login"])

    return [_thing(choose, refer, kind, name) for kind, name in wanted]


def _thing(choose: Chooser, refer: Refer, kind: str, name: str) -> Thing:
    api_version, is_namespaced, make = KINDS[kind]
    group, _, version = api_version.rpartition("/")
    namespace = choose.one(NAMESPACES) if is_namespaced and choose.chance(15) else None
    metadata = given(
        name=name,
        namespace=namespace,
        labels=choose.maybe(30, lambda: labels(choose)),
        annotations=choose.maybe(20, lambda: _annotations(choose)),
    )
    manifest = {**({"apiVersion": api_version} if api_version else {}), "kind": kind, "metadata": metadata}
    return Thing(group, version, kind, (name,), namespace, {**manifest, **make(choose, refer)})


ODD_WORDS = [*WORDS, 5, 2.5, None, True, "l1\n  l2\nl3\n"]


def _annotations(choose: Chooser) -> dict[str, Any]:
    found: dict[str, Any] = {key: choose.one(ODD_WORDS) for key in choose.some(KEYS, 1, 2)}
    if choose.chance(8):
        found["config.kubernetes.io/local-config"] = choose.one(["true", "false"])
    return found

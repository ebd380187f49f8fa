"""Most of what Kustomize changes sits in pod templates, so these have all the places that it knows of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .choosing import Chooser, given

Refer = Callable[[str], str]
"""A name of an object of that kind, most of the time of one that is there."""

IMAGES = [
    "nginx",
    "nginx:1.25",
    "registry.example/team/api:v1",
    "redis@sha256:24a0c4b4a4c0eb97",
    "db:7",
    "localhost:5000/db",
]
KEYS = ["app", "tier", "part"]
WORDS = ["web", "data", "blue", "7", "yes", "a.b", ""]
VARS = ["$(ADDRESS)", "http://$(ADDRESS):$(PORT)/", "$$(ADDRESS)", "$(ABSENT)"]


def labels(choose: Chooser, most: int = 2) -> dict[str, Any]:
    """A few labels, or annotations."""
    return {key: choose.one(WORDS) for key in choose.some(KEYS, 0, most)}


def pod_template(choose: Chooser, refer: Refer) -> dict[str, Any]:
    """A pod template."""
    metadata = given(
        labels=choose.maybe(70, lambda: {"app": choose.one(WORDS[:3]), **labels(choose)}),
        annotations=choose.maybe(20, lambda: labels(choose)),
    )
    return given(metadata=metadata or None, spec=pod_spec(choose, refer))


def pod_spec(choose: Chooser, refer: Refer) -> dict[str, Any]:
    """What a pod is made of."""
    return given(
        serviceAccountName=choose.maybe(30, lambda: refer("ServiceAccount")),
        serviceAccount=choose.maybe(5, lambda: refer("ServiceAccount")),
        priorityClassName=choose.maybe(10, lambda: refer("PriorityClass")),
        imagePullSecrets=choose.maybe(15, lambda: [{"name": refer("Secret")}]),
        initContainers=choose.maybe(25, lambda: [container(choose, refer, "init")]),
        containers=[container(choose, refer, name) for name in choose.some(["main", "side", "log"], 1, 3)],
        volumes=choose.maybe(
            50, lambda: [volume(choose, refer, name) for name in choose.some(["etc", "tls", "disk", "all"], 1, 3)]
        ),
        affinity=choose.maybe(10, lambda: {choose.one(["podAffinity", "podAntiAffinity"]): _affinity(choose)}),
        topologySpreadConstraints=choose.maybe(
            8, lambda: [{"maxSkew": 1, "labelSelector": {"matchLabels": labels(choose)}}]
        ),
        tolerations=choose.maybe(10, lambda: [{"key": "gpu", "operator": "Exists"}, {"key": "spot", "value": "yes"}]),
        hostAliases=choose.maybe(5, lambda: [{"ip": "10.0.0.1", "hostnames": ["a", "b"]}]),
        nodeSelector=choose.maybe(10, lambda: labels(choose)),
        terminationGracePeriodSeconds=choose.maybe(10, lambda: 30),
    )


def _affinity(choose: Chooser) -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": labels(choose)}, "topologyKey": "zone"}
    if choose.chance(50):
        return {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}


def container(choose: Chooser, refer: Refer, name: str) -> dict[str, Any]:
    """A container."""
    return given(
        name=name,
        image=choose.maybe(95, lambda: choose.one(IMAGES)),
        command=choose.maybe(15, lambda: ["sh", "-c", choose.one(VARS)]),
        args=choose.maybe(20, lambda: [choose.one(VARS), "--level=3"]),
        env=choose.maybe(50, lambda: [_env(choose, refer, name) for name in choose.some(["A", "B", "C"], 1, 3)]),
        envFrom=choose.maybe(
            25,
            lambda: [
                {"configMapRef": {"name": refer("ConfigMap")}},
                {"secretRef": {"name": refer("Secret")}, "prefix": "S_"},
            ][: choose.integer(1, 2)],
        ),
        ports=choose.maybe(
            40,
            lambda: [
                given(containerPort=port, name=choose.maybe(50, lambda: "http"), protocol=protocol)
                for port, protocol in choose.some([(80, None), (80, "UDP"), (443, "TCP"), (53, "UDP")], 1, 3)
            ],
        ),
        resources=choose.maybe(20, lambda: {"limits": {"cpu": choose.one([1, "500m", 0.5]), "memory": "64Mi"}}),
        volumeMounts=choose.maybe(
            25, lambda: [{"name": name, "mountPath": f"/{name}"} for name in choose.some(["etc", "tls"], 1, 2)]
        ),
        livenessProbe=choose.maybe(10, lambda: {"httpGet": {"path": "/", "port": choose.one([80, "http"])}}),
        securityContext=choose.maybe(10, lambda: {"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}}),
    )


def _env(choose: Chooser, refer: Refer, name: str) -> dict[str, Any]:
    kind = choose.integer(0, 4)
    if kind < 3:
        return {"name": name, "value": [choose.one(WORDS), choose.one(VARS), "x"][kind]}
    if kind == 3:
        return {"name": name, "valueFrom": {"configMapKeyRef": {"name": refer("ConfigMap"), "key": "level"}}}
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": refer("Secret"), "key": "level"}}}


def volume(choose: Chooser, refer: Refer, name: str) -> dict[str, Any]:
    """A volume."""
    make: list[Callable[[], dict[str, Any]]] = [
        lambda: {"emptyDir": {}},
        lambda: {"configMap": {"name": refer("ConfigMap"), "items": [{"key": "level", "path": "l"}]}},
        lambda: {"secret": {"secretName": refer("Secret")}},
        lambda: {"persistentVolumeClaim": {"claimName": refer("PersistentVolumeClaim")}},
        lambda: {
            "projected": {
                "sources": [{"configMap": {"name": refer("ConfigMap")}}, {"secret": {"name": refer("Secret")}}]
            }
        },
        lambda: {"image": {"reference": choose.one(IMAGES)}},
        lambda: {"ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": refer("StorageClass")}}}},
        lambda: {"csi": {"driver": "d", "nodePublishSecretRef": {"name": refer("Secret")}}},
        lambda: {"hostPath": {"path": choose.one(VARS)}},
    ]
    return {"name": name, **choose.one(make)()}


def _selector(choose: Chooser) -> dict[str, Any]:
    return {"matchLabels": {"app": choose.one(WORDS[:3]), **labels(choose)}}


def with_template(choose: Chooser, refer: Refer) -> dict[str, Any]:
    """The spec of a Deployment, ReplicaSet or DaemonSet."""
    return given(
        replicas=choose.maybe(50, lambda: choose.integer(0, 3)),
        selector=choose.maybe(70, lambda: _selector(choose)),
        strategy=choose.maybe(10, lambda: {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}),
        template=pod_template(choose, refer),
    )


def stateful_set(choose: Chooser, refer: Refer) -> dict[str, Any]:
    """The spec of a StatefulSet."""
    claim = {
        "metadata": given(name="disk", labels=choose.maybe(30, lambda: labels(choose))),
        "spec": given(
            accessModes=["ReadWriteOnce"],
            storageClassName=choose.maybe(50, lambda: refer("StorageClass")),
            resources={"requests": {"storage": "1Gi"}},
        ),
    }
    return given(
        serviceName=refer("Service"),
        volumeClaimTemplates=choose.maybe(60, lambda: [claim]),
        **with_template(choose, refer),
    )


def replication_controller(choose: Chooser, refer: Refer) -> dict[str, Any]:
    """The spec of a ReplicationController, whose selector is a plain mapping."""
    return given(
        replicas=choose.maybe(50, lambda: 2),
        selector=choose.maybe(60, lambda: labels(choose)),
        template=pod_template(choose, refer),
    )


def job(choose: Chooser, refer: Refer) -> dict[str, Any]:
    """The spec of a Job."""
    return given(
        backoffLimit=choose.maybe(30, lambda: 3),
        selector=choose.maybe(15, lambda: _selector(choose)),
        template=pod_template(choose, refer),
    )


def cron_job(choose: Chooser, refer: Refer) -> dict[str, Any]:
    """The spec of a CronJob."""
    return {"schedule": "0 3 * * *", "jobTemplate": {"spec": job(choose, refer)}}

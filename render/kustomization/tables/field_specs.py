"""Which fields each built-in transformer changes when a kustomization says nothing else.

Facts of Kustomize 5.8.1 (kubernetes-sigs/kustomize, Apache-2.0), written down as a table.
Each entry: group, version and kind of the object ("" is any), path, and whether the field is created.
"""

from __future__ import annotations

FIELD_SPECS: dict[str, tuple[tuple[str, str, str, str, bool], ...]] = {
    "namePrefix": (("", "", "", "metadata/name", False),),
    "nameSuffix": (("", "", "", "metadata/name", False),),
    "commonLabels": (
        ("", "v1", "Service", "spec/selector", True),
        (
            "apps",
            "",
            "Deployment",
            "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/"
            "podAffinityTerm/labelSelector/matchLabels",
            False,
        ),
        (
            "apps",
            "",
            "Deployment",
            "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/"
            "labelSelector/matchLabels",
            False,
        ),
        (
            "apps",
            "",
            "Deployment",
            "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/"
            "podAffinityTerm/labelSelector/matchLabels",
            False,
        ),
        (
            "apps",
            "",
            "Deployment",
            "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/"
            "labelSelector/matchLabels",
            False,
        ),
        ("apps", "", "Deployment", "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels", False),
        ("", "", "Deployment", "spec/selector/matchLabels", True),
        ("", "", "Deployment", "spec/template/metadata/labels", True),
        ("apps", "", "StatefulSet", "spec/selector/matchLabels", True),
        (
            "apps",
            "",
            "StatefulSet",
            "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/"
            "podAffinityTerm/labelSelector/matchLabels",
            False,
        ),
        (
            "apps",
            "",
            "StatefulSet",
            "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/"
            "labelSelector/matchLabels",
            False,
        ),
        (
            "apps",
            "",
            "StatefulSet",
            "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/"
            "podAffinityTerm/labelSelector/matchLabels",
            False,
        ),
        (
            "apps",
            "",
            "StatefulSet",
            "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/"
            "labelSelector/matchLabels",
            False,
        ),
        ("apps", "", "StatefulSet", "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels", False),
        ("apps", "", "StatefulSet", "spec/template/metadata/labels", True),
        ("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", True),
        ("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", False),
        ("batch", "", "CronJob", "spec/jobTemplate/metadata/labels", True),
        ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", True),
        ("policy", "", "PodDisruptionBudget", "spec/selector/matchLabels", False),
        ("batch", "", "Job", "spec/selector/matchLabels", False),
        ("batch", "", "Job", "spec/template/metadata/labels", True),
        ("networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels", False),
        ("networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", False),
        ("networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", False),
        ("", "v1", "ReplicationController", "spec/selector", True),
        ("", "v1", "ReplicationController", "spec/template/metadata/labels", True),
        ("", "", "DaemonSet", "spec/selector/matchLabels", True),
        ("", "", "DaemonSet", "spec/template/metadata/labels", True),
        ("", "", "ReplicaSet", "spec/selector/matchLabels", True),
        ("", "", "ReplicaSet", "spec/template/metadata/labels", True),
        ("", "", "", "metadata/labels", True),
    ),
    "templateLabels": (
        ("", "", "Deployment", "spec/template/metadata/labels", True),
        ("apps", "", "StatefulSet", "spec/template/metadata/labels", True),
        ("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", True),
        ("batch", "", "CronJob", "spec/jobTemplate/metadata/labels", True),
        ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", True),
        ("batch", "", "Job", "spec/template/metadata/labels", True),
        ("", "v1", "ReplicationController", "spec/template/metadata/labels", True),
        ("", "", "DaemonSet", "spec/template/metadata/labels", True),
        ("", "", "ReplicaSet", "spec/template/metadata/labels", True),
        ("", "", "", "metadata/labels", True),
    ),
    "commonAnnotations": (
        ("", "", "Deployment", "spec/template/metadata/annotations", True),
        ("", "", "StatefulSet", "spec/template/metadata/annotations", True),
        ("batch", "", "CronJob", "spec/jobTemplate/metadata/annotations", True),
        ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations", True),
        ("batch", "", "Job", "spec/template/metadata/annotations", True),
        ("", "v1", "ReplicationController", "spec/template/metadata/annotations", True),
        ("", "", "DaemonSet", "spec/template/metadata/annotations", True),
        ("", "", "ReplicaSet", "spec/template/metadata/annotations", True),
        ("", "", "", "metadata/annotations", True),
    ),
    "namespace": (
        ("", "", "Namespace", "metadata/name", True),
        (
            "apiextensions.k8s.io",
            "",
            "CustomResourceDefinition",
            "spec/conversion/webhook/clientConfig/service/namespace",
            False,
        ),
        ("apiregistration.k8s.io", "", "APIService", "spec/service/namespace", True),
    ),
    "images": (
        ("", "", "", "spec/containers[]/image", True),
        ("", "", "", "spec/initContainers[]/image", True),
        ("", "", "", "spec/volumes[]/image/reference", True),
        ("", "", "", "spec/template/spec/containers[]/image", True),
        ("", "", "", "spec/template/spec/initContainers[]/image", True),
        ("", "", "", "spec/template/spec/volumes[]/image/reference", True),
    ),
    "replicas": (
        ("", "", "Deployment", "spec/replicas", True),
        ("", "", "StatefulSet", "spec/replicas", True),
        ("", "", "ReplicaSet", "spec/replicas", True),
        ("", "", "ReplicationController", "spec/replicas", True),
    ),
}

"""How a strategic merge patch merges the lists of Kubernetes' own kinds.

Facts of the OpenAPI schema of Kubernetes 1.21 that Kustomize 5.8.1 carries (Apache-2.0), only as far as they lead to a
list that merges. A field leads to another definition, or is a list: its merge keys (none: a set of plain values) and
the definition of its elements.
"""

from __future__ import annotations

Field = str | tuple[tuple[str, ...], str | None]

# What each API version has. A kind without a definition of its own has merging lists in its metadata only.
KINDS: dict[str, str] = {
    "admissionregistration.k8s.io/v1": "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1beta1": "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "apiextensions.k8s.io/v1beta1": "CustomResourceDefinition",
    "apiregistration.k8s.io/v1": "APIService",
    "apiregistration.k8s.io/v1beta1": "APIService",
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "authentication.k8s.io/v1": "TokenRequest TokenReview",
    "authentication.k8s.io/v1beta1": "TokenReview",
    "authorization.k8s.io/v1": (
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"
    ),
    "authorization.k8s.io/v1beta1": (
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"
    ),
    "autoscaling/v1": "HorizontalPodAutoscaler Scale",
    "autoscaling/v2beta1": "HorizontalPodAutoscaler",
    "autoscaling/v2beta2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "batch/v1beta1": "CronJob",
    "certificates.k8s.io/v1": "CertificateSigningRequest",
    "certificates.k8s.io/v1beta1": "CertificateSigningRequest",
    "coordination.k8s.io/v1": "Lease",
    "coordination.k8s.io/v1beta1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "discovery.k8s.io/v1beta1": "EndpointSlice",
    "events.k8s.io/v1": "Event",
    "events.k8s.io/v1beta1": "Event",
    "extensions/v1beta1": "Ingress",
    "flowcontrol.apiserver.k8s.io/v1beta1": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io/v1": "Ingress IngressClass NetworkPolicy",
    "networking.k8s.io/v1beta1": "Ingress IngressClass",
    "node.k8s.io/v1": "RuntimeClass",
    "node.k8s.io/v1beta1": "RuntimeClass",
    "policy/v1": "PodDisruptionBudget",
    "policy/v1beta1": "Eviction PodDisruptionBudget PodSecurityPolicy",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "rbac.authorization.k8s.io/v1beta1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "scheduling.k8s.io/v1": "PriorityClass",
    "scheduling.k8s.io/v1beta1": "PriorityClass",
    "storage.k8s.io/v1": "CSIDriver CSINode StorageClass VolumeAttachment",
    "storage.k8s.io/v1beta1": "CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment",
    "v1": (
        "Binding ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume "
        "PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount"
    ),
}

DEFINITIONS: dict[str, dict[str, Field]] = {
    "OnlyMetadata": {"metadata": "ObjectMeta"},
    "Container": {
        "env": (("name",), None),
        "ports": (("containerPort", "protocol"), None),
        "volumeDevices": (("devicePath",), None),
        "volumeMounts": (("mountPath",), None),
    },
    "DaemonSetSpec": {"template": "PodTemplateSpec"},
    "DaemonSetStatus": {"conditions": (("type",), None)},
    "DeploymentSpec": {"template": "PodTemplateSpec"},
    "DeploymentStatus": {"conditions": (("type",), None)},
    "EphemeralContainer": {
        "env": (("name",), None),
        "volumeDevices": (("devicePath",), None),
        "volumeMounts": (("mountPath",), None),
    },
    "EphemeralVolumeSource": {"volumeClaimTemplate": "PersistentVolumeClaimTemplate"},
    "JobSpec": {"template": "PodTemplateSpec"},
    "JobStatus": {"conditions": (("type",), None)},
    "NamespaceStatus": {"conditions": (("type",), None)},
    "NodeSpec": {"podCIDRs": ((), None)},
    "NodeStatus": {"addresses": (("type",), None), "conditions": (("type",), None)},
    "ObjectMeta": {"finalizers": ((), None), "ownerReferences": (("uid",), None)},
    "PersistentVolumeClaimStatus": {"conditions": (("type",), None)},
    "PersistentVolumeClaimTemplate": {"metadata": "ObjectMeta"},
    "PodSpec": {
        "containers": (("name",), "Container"),
        "ephemeralContainers": (("name",), "EphemeralContainer"),
        "hostAliases": (("ip",), None),
        "imagePullSecrets": (("name",), None),
        "initContainers": (("name",), "Container"),
        "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"), None),
        "volumes": (("name",), "Volume"),
    },
    "PodStatus": {"conditions": (("type",), None), "podIPs": (("ip",), None)},
    "PodTemplateSpec": {"metadata": "ObjectMeta", "spec": "PodSpec"},
    "ReplicaSetSpec": {"template": "PodTemplateSpec"},
    "ReplicaSetStatus": {"conditions": (("type",), None)},
    "ReplicationControllerSpec": {"template": "PodTemplateSpec"},
    "ReplicationControllerStatus": {"conditions": (("type",), None)},
    "ServiceSpec": {"ports": (("port", "protocol"), None)},
    "ServiceStatus": {"conditions": (("type",), None)},
    "StatefulSetSpec": {"template": "PodTemplateSpec"},
    "StatefulSetStatus": {"conditions": (("type",), None)},
    "Volume": {"ephemeral": "EphemeralVolumeSource"},
    "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration": {
        "metadata": "ObjectMeta",
        "webhooks": (("name",), None),
    },
    "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": {
        "metadata": "ObjectMeta",
        "webhooks": (("name",), None),
    },
    "admissionregistration.k8s.io/v1beta1/MutatingWebhookConfiguration": {
        "metadata": "ObjectMeta",
        "webhooks": (("name",), None),
    },
    "admissionregistration.k8s.io/v1beta1/ValidatingWebhookConfiguration": {
        "metadata": "ObjectMeta",
        "webhooks": (("name",), None),
    },
    "apiregistration.k8s.io/v1/APIService": {"metadata": "ObjectMeta", "status": "apiregistration.v1.APIServiceStatus"},
    "apiregistration.k8s.io/v1beta1/APIService": {
        "metadata": "ObjectMeta",
        "status": "apiregistration.v1beta1.APIServiceStatus",
    },
    "apiregistration.v1.APIServiceStatus": {"conditions": (("type",), None)},
    "apiregistration.v1beta1.APIServiceStatus": {"conditions": (("type",), None)},
    "apps/v1/DaemonSet": {"metadata": "ObjectMeta", "spec": "DaemonSetSpec", "status": "DaemonSetStatus"},
    "apps/v1/Deployment": {"metadata": "ObjectMeta", "spec": "DeploymentSpec", "status": "DeploymentStatus"},
    "apps/v1/ReplicaSet": {"metadata": "ObjectMeta", "spec": "ReplicaSetSpec", "status": "ReplicaSetStatus"},
    "apps/v1/StatefulSet": {"metadata": "ObjectMeta", "spec": "StatefulSetSpec", "status": "StatefulSetStatus"},
    "batch.v1.CronJobSpec": {"jobTemplate": "batch.v1.JobTemplateSpec"},
    "batch.v1.JobTemplateSpec": {"metadata": "ObjectMeta", "spec": "JobSpec"},
    "batch.v1beta1.CronJobSpec": {"jobTemplate": "batch.v1beta1.JobTemplateSpec"},
    "batch.v1beta1.JobTemplateSpec": {"metadata": "ObjectMeta", "spec": "JobSpec"},
    "batch/v1/CronJob": {"metadata": "ObjectMeta", "spec": "batch.v1.CronJobSpec"},
    "batch/v1/Job": {"metadata": "ObjectMeta", "spec": "JobSpec", "status": "JobStatus"},
    "batch/v1beta1/CronJob": {"metadata": "ObjectMeta", "spec": "batch.v1beta1.CronJobSpec"},
    "policy.v1.PodDisruptionBudgetStatus": {"conditions": (("type",), None)},
    "policy.v1beta1.PodDisruptionBudgetStatus": {"conditions": (("type",), None)},
    "policy/v1/PodDisruptionBudget": {"metadata": "ObjectMeta", "status": "policy.v1.PodDisruptionBudgetStatus"},
    "policy/v1beta1/PodDisruptionBudget": {
        "metadata": "ObjectMeta",
        "status": "policy.v1beta1.PodDisruptionBudgetStatus",
    },
    "storage.k8s.io/v1/CSINode": {"metadata": "ObjectMeta", "spec": "storage.v1.CSINodeSpec"},
    "storage.k8s.io/v1beta1/CSINode": {"metadata": "ObjectMeta", "spec": "storage.v1beta1.CSINodeSpec"},
    "storage.v1.CSINodeSpec": {"drivers": (("name",), None)},
    "storage.v1beta1.CSINodeSpec": {"drivers": (("name",), None)},
    "v1/Namespace": {"metadata": "ObjectMeta", "status": "NamespaceStatus"},
    "v1/Node": {"metadata": "ObjectMeta", "spec": "NodeSpec", "status": "NodeStatus"},
    "v1/PersistentVolumeClaim": {"metadata": "ObjectMeta", "status": "PersistentVolumeClaimStatus"},
    "v1/Pod": {"metadata": "ObjectMeta", "spec": "PodSpec", "status": "PodStatus"},
    "v1/PodTemplate": {"metadata": "ObjectMeta", "template": "PodTemplateSpec"},
    "v1/ReplicationController": {
        "metadata": "ObjectMeta",
        "spec": "ReplicationControllerSpec",
        "status": "ReplicationControllerStatus",
    },
    "v1/Service": {"metadata": "ObjectMeta", "spec": "ServiceSpec", "status": "ServiceStatus"},
    "v1/ServiceAccount": {"metadata": "ObjectMeta", "secrets": (("name",), None)},
}

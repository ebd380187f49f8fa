"""What an application may not contain, whoever wrote it: the walls between applications, the platform and Siteshift.

Pure, and the same for `validate` and for the controller: anyone can push, so what only `validate` refused would be no
wall at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.errors import FleetError
from reconciler.fleet.rendered import Found, Rendered, mapping
from reconciler.objects import SYSTEM_NAMESPACE, group_of

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""A namespace's name."""

NAME = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9._:]{0,251}[a-zA-Z0-9])?")
"""An object's name: RBAC's may have colons and capitals. A slash, a percent sign or `..` would leave its path."""

REFUSED = {
    ("admissionregistration.k8s.io", "*"): "it decides what everybody may write in this cluster",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "it changes a kind for everybody",
    ("apiregistration.k8s.io", "APIService"): "it changes an API for everybody",
    ("rbac.authorization.k8s.io", "ClusterRole"): "it gives rights in everybody's namespaces",
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): "it gives rights in everybody's namespaces",
    ("siteshift.io", "*"): "it is Siteshift's own",
}
"""(group, kind; * for all) → why an application may not have it. The platform may."""


def wall_errors(unit: Rendered) -> Iterator[FleetError]:
    """Everything that an application may not contain; the platform may."""
    if unit.application is not None:
        for found in unit.objects:
            yield from _of_each(found)


def _of_each(found: Found) -> Iterator[FleetError]:
    manifest = found.manifest
    metadata, kind = mapping(manifest.get("metadata")), manifest.get("kind")
    name, namespace = metadata.get("name"), metadata.get("namespace")
    for field, value, pattern in (("name", name, NAME), ("namespace", namespace, LABEL)):
        if value is not None and (not isinstance(value, str) or not pattern.fullmatch(value) or ".." in value):
            message = f"metadata.{field} of a {kind} is {value!r}, which is no name in Kubernetes"
            yield found.wrong(message, "metadata", field, hint="letters, digits and dashes")
    if SYSTEM_NAMESPACE in (namespace, name if kind == "Namespace" else None):
        message = f"{kind} {name} lies in {SYSTEM_NAMESPACE}, which is Siteshift's own"
        yield found.wrong(message, "metadata", hint="put it into a namespace of its own")
    group = group_of(str(manifest.get("apiVersion")))
    why = REFUSED.get((group, str(kind))) or REFUSED.get((group, "*"))
    if why:
        message = f"an application may not contain a {kind}: {why}"
        yield found.wrong(message, "kind", hint="put it into a platform folder")

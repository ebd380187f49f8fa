"""What `install` puts into a cluster: the shipped kustomization with one site's settings, as objects in their order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.objects import SYSTEM_NAMESPACE
from render.kustomization import Options, build
from render.tree import FolderTree, MemoryTree, OverlayTree

if TYPE_CHECKING:
    from reconciler.objects import Manifest

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds `deploy` and `schemas`, in a checkout as in an installation."""

MANAGER = "siteshift-install"
"""The field manager of what is installed; the controller never writes as this one."""

SETTINGS = "siteshift-settings"
DEPLOYMENT = "siteshift"
KEPT = frozenset({"Namespace", "CustomResourceDefinition"})
"""What an uninstall leaves: the records of the applications lie in the one, the reports are of the other."""

SECRET_MOUNT = "/var/run/siteshift/git"


@dataclass(frozen=True, slots=True)
class Installation:
    """One site's settings. `image` is a whole reference; `git_secret` names a Secret of the system namespace whose key
    `credentials` is a file of logins or an SSH key ("": none is needed)."""

    site: str
    url: str
    branch: str
    image: str
    git_secret: str = ""


def manifests(installation: Installation) -> list[Manifest]:
    """Everything, in the order in which it is applied."""
    top = MemoryTree({"kustomization.yaml": kustomization(installation)})
    shipped = {name: FolderTree(ROOT / name) for name in ("deploy", "schemas")}
    whole = OverlayTree(top, dict(shipped))
    return [resource.manifest for resource in build(whole, "", Options(reorder="legacy"))]


def kustomization(installation: Installation) -> str:
    """The overlay of a site over `deploy`."""
    name, digest, tag = _image(installation.image)
    lines = [
        "apiVersion: kustomize.config.k8s.io/v1beta1",
        "kind: Kustomization",
        "resources:",
        "- deploy",
        "configMapGenerator:",
        f"- name: {SETTINGS}",
        f"  namespace: {SYSTEM_NAMESPACE}",
        "  options: {labels: {app.kubernetes.io/name: siteshift}}",
        "  literals:",
        *(f"  - {json.dumps(literal)}" for literal in _literals(installation)),
        "images:",
        "- name: siteshift",
        f"  newName: {json.dumps(name)}",
        *([f"  digest: {json.dumps(digest)}"] if digest else [f"  newTag: {json.dumps(tag)}"]),
    ]
    if installation.git_secret:
        lines += _credentials(installation.git_secret)
    return "\n".join(lines) + "\n"


def _literals(installation: Installation) -> tuple[str, ...]:
    """The settings as variables of the environment; the quotes keep those that begin or end a value."""
    settings = {"SITE": installation.site, "FLEET_URL": installation.url, "BRANCH": installation.branch}
    return tuple(f'SITESHIFT_{name}="{value}"' for name, value in settings.items())


def _image(reference: str) -> tuple[str, str, str]:
    """Name, digest and tag of an image reference; the tag is `latest` where neither is said."""
    name, _, digest = reference.partition("@")
    tag = ""
    if ":" in name.rpartition("/")[2]:
        name, _, tag = name.rpartition(":")
    return name, digest, tag or "latest"


def _credentials(secret: str) -> list[str]:
    template = "/spec/template/spec"
    operations = [
        {
            "path": f"{template}/volumes/-",
            "value": {"name": "git", "secret": {"secretName": secret, "defaultMode": 288}},
        },
        {
            "path": f"{template}/containers/0/volumeMounts/-",
            "value": {"name": "git", "mountPath": SECRET_MOUNT, "readOnly": True},
        },
        {
            "path": f"{template}/containers/0/env/-",
            "value": {"name": "SITESHIFT_GIT_CREDENTIALS", "value": f"{SECRET_MOUNT}/credentials"},
        },
    ]
    return [
        "patches:",
        f"- target: {{kind: Deployment, name: {DEPLOYMENT}}}",
        "  patch: |",
        *(f"    - {json.dumps({'op': 'add', **operation})}" for operation in operations),
    ]

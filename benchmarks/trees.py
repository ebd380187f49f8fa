"""Folders to build: many objects in one file each, plain or under an overlay, big CRDs, and a fleet of applications."""

from __future__ import annotations

from pathlib import Path

from benchmarks.definitions import definitions_text
from benchmarks.manifests import letter, manifest, name_of

HEADER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
OBJECTS_A_GENERATED_MAP = 50
OBJECTS_A_PATCH = 10

SHARED_BASE = "bases/shop"
SHARING = 5
"""Applications of a fleet that share a base."""

_FLEET = """\
apiVersion: siteshift.io/v1alpha1
kind: Fleet
metadata: {name: benchmark}
spec:
  topology: symmetric
  sites:
  - {name: a, cluster: {context: a}}
  - {name: b, cluster: {context: b}}
  platform: []
  applications: [apps/*]
"""

_APPLICATION = """\
apiVersion: siteshift.io/v1alpha1
kind: Application
metadata: {{name: {name}}}
spec:
  sites: [a, b]
  home: a
  replication: {{driver: none}}
"""

_PLACEMENT = """\
apiVersion: siteshift.io/v1alpha1
kind: Placement
metadata: {{name: {name}}}
spec: {{active: a, epoch: 1}}
"""


def plain(folder: Path, objects: int) -> Path:
    """A list of resources. Returns the folder to build."""
    _write_objects(folder / "base", objects)
    return folder / "base"


def overlay(folder: Path, objects: int) -> Path:
    """The plain tree under a prefix, a namespace, labels with selectors, generated ConfigMaps and patches."""
    _write_objects(folder / "base", objects)
    maps = max(1, objects // OBJECTS_A_GENERATED_MAP)
    deployments = [number for number in range(objects) if letter(number) == "D"]
    lines = [HEADER, "resources:\n- ../base\nnamePrefix: prod-\nnamespace: shop\n"]
    lines.append("labels:\n- pairs:\n    environment: production\n    team: shop\n  includeSelectors: true\n")
    lines.append("configMapGenerator:\n")
    for number in range(maps):
        lines.append(
            f"- name: generated-{number}\n  literals:\n  - number={number}\n  - greeting=hello {number}\n"
            f"  - url=https://shop-{number}.example.com/\n"
        )
    lines.append("patches:\n")
    place = folder / "overlay"
    place.mkdir(parents=True, exist_ok=True)
    for number in range(objects // OBJECTS_A_PATCH):
        patched = deployments[number % len(deployments)]
        (place / f"patch-{number}.yaml").write_text(_patch(patched, number, number % maps))
        lines.append(f"- path: patch-{number}.yaml\n")
    (place / "kustomization.yaml").write_text("".join(lines))
    return place


def definitions(folder: Path, size: int) -> Path:
    """CustomResourceDefinitions of `size` bytes and more in one file, as operators ship them, under a namespace."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "crds.yaml").write_text(definitions_text(size))
    (folder / "kustomization.yaml").write_text(
        HEADER
        + "resources:\n- crds.yaml\nnamespace: operators\nlabels:\n- pairs: {app.kubernetes.io/part-of: operator}\n"
    )
    return folder


def fleet(folder: Path, applications: int, objects: int) -> Path:
    """A fleet repository for two sites. Each application has its objects in a base of its own and an overlay for each
    site; the last ones take their objects from one base that they share."""
    _write(folder / "siteshift.yaml", _FLEET)
    _write_objects(folder / SHARED_BASE, objects)
    for number in range(applications):
        place = folder / "apps" / f"shop-{number:03}"
        shares = number >= applications - SHARING
        if not shares:
            _write_objects(place / "base", objects)
        base = f"../../../../{SHARED_BASE}" if shares else "../../base"
        _write(place / "application.yaml", _APPLICATION.format(name=place.name))
        _write(place / "placement.yaml", _PLACEMENT.format(name=place.name))
        for site in ("a", "b"):
            text = f"{HEADER}resources:\n- {base}\nnamespace: {place.name}\n"
            _write(place / "sites" / site / "kustomization.yaml", text)
    return folder


def _write_objects(folder: Path, objects: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [HEADER, "resources:\n"]
    for number in range(objects):
        name = f"{name_of(number)}.yaml"
        (folder / name).write_text(manifest(number))
        lines.append(f"- {name}\n")
    (folder / "kustomization.yaml").write_text("".join(lines))


def _patch(patched: int, number: int, generated: int) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name_of(patched)}
spec:
  replicas: {2 + number % 5}
  template:
    spec:
      containers:
      - name: server
        env:
        - name: REGION
          value: west
        envFrom:
        - configMapRef:
            name: generated-{generated}
"""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

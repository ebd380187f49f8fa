"""The small fleet that the two-site tests work on, and the Git repository that it lives in.

Three applications of the same shape (a virtual machine with a replicated volume at run level 10, a Deployment at run
level 50), so that each test can move one and see that the others are left alone.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAMES = ("a", "b")
"""The sites."""

CAP = 1
"""How many workloads of a site may be starting at once: fewer than could."""

REQUEST_TIMEOUT = 3
"""Of the API servers, in seconds; a planned move waits at least so long before its proof."""

SITESHIFT = f"""
apiVersion: siteshift.io/v1alpha1
kind: Fleet
metadata:
  name: testbed
spec:
  topology: symmetric
  sites:
  - name: a
    cluster: {{context: a}}
  - name: b
    cluster: {{context: b}}
  platform: [platform/*]
  applications: [apps/*]
  starts:
    maxInFlight: {CAP}
    perMinute: 600
  poll: 1s
  freshness: 3s
  permit: 8s
  requestTimeout: {REQUEST_TIMEOUT}s
"""

COMMENT = "# Kept by every move: this comment and the line below it.\n"
"""What people wrote at the top of each placement."""

PLATFORM = {
    "kustomization.yaml": """
resources:
- 0000_10_classes_01_storage.yaml
- 0000_20_notes_01_namespace.yaml
- 0000_20_notes_02_kept.yaml
- 0000_30_notes_01_dropped.yaml
""",
    "0000_10_classes_01_storage.yaml": """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: replicated}
provisioner: array.sandbox.siteshift.io
reclaimPolicy: Retain
---
apiVersion: replication.storage.openshift.io/v1alpha1
kind: VolumeReplicationClass
metadata: {name: replicated}
spec:
  provisioner: array.sandbox.siteshift.io
  parameters: {schedulingInterval: 1s}
---
apiVersion: replication.storage.openshift.io/v1alpha1
kind: VolumeGroupReplicationClass
metadata: {name: replicated}
spec:
  provisioner: array.sandbox.siteshift.io
  parameters: {schedulingInterval: 1s}
""",
    "0000_20_notes_01_namespace.yaml": """
apiVersion: v1
kind: Namespace
metadata: {name: notes}
""",
    "0000_20_notes_02_kept.yaml": """
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, namespace: notes}
data: {color: blue}
""",
    "0000_30_notes_01_dropped.yaml": """
apiVersion: v1
kind: ConfigMap
metadata: {name: dropped, namespace: notes}
data: {color: red}
""",
}


@dataclass(frozen=True, slots=True)
class App:
    """One application of the fleet: its name, and where it is active at first."""

    name: str
    active: str

    def files(self) -> dict[str, str]:
        """Its files, by their paths below its folder."""
        name = self.name
        files = {
            "application.yaml": f"""
apiVersion: siteshift.io/v1alpha1
kind: Application
metadata: {{name: {name}}}
spec:
  sites: [a, b]
  home: {self.active}
  replication:
    driver: csi-addons
    groups:
    - {{kind: VolumeGroupReplication, name: {name}, namespace: {name}}}
    rpo: 1m
  volumes: static
  onIsolation: fence
  lease: {{time: 20s, fenceAfter: 60s}}
  readiness: {{timeout: 3m}}
""",
            "placement.yaml": f"""{COMMENT}
apiVersion: siteshift.io/v1alpha1
kind: Placement
metadata: {{name: {name}}}
spec:
  active: {self.active}
  epoch: 1
  move: planned
""",
            "base/kustomization.yaml": """
resources:
- 0000_10_database_01_namespace.yaml
- 0000_10_database_02_storage.yaml
- 0000_10_database_03_vm.yaml
- 0000_50_web_01_deployment.yaml
""",
            "base/0000_10_database_01_namespace.yaml": f"""
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
""",
            "base/0000_10_database_02_storage.yaml": _storage(name),
            "base/0000_10_database_03_vm.yaml": _virtual_machine(name),
            "base/0000_50_web_01_deployment.yaml": _deployment(name),
        }
        for site in ("a", "b"):
            files[f"sites/{site}/kustomization.yaml"] = (
                "\nresources:\n- ../../base\n- 0000_10_database_00_volume.yaml\n"
            )
            files[f"sites/{site}/0000_10_database_00_volume.yaml"] = _volume(name)
        return files


APPS = (App("ledger", "a"), App("orders", "b"), App("stock", "a"))


def _storage(name: str) -> str:
    return f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
  namespace: {name}
  labels: {{replication: {name}}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: replicated
  volumeName: {name}-data
  resources: {{requests: {{storage: 1Gi}}}}
---
apiVersion: replication.storage.openshift.io/v1alpha1
kind: VolumeGroupReplication
metadata: {{name: {name}, namespace: {name}}}
spec:
  volumeGroupReplicationClassName: replicated
  volumeReplicationClassName: replicated
  replicationState: primary
  autoResync: false
  source: {{selector: {{matchLabels: {{replication: {name}}}}}}}
"""


def _volume(name: str) -> str:
    return f"""
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {name}-data}}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {{storage: 1Gi}}
  claimRef: {{namespace: {name}, name: data}}
  csi: {{driver: array.sandbox.siteshift.io, volumeHandle: {name}-data}}
  persistentVolumeReclaimPolicy: Retain
  storageClassName: replicated
"""


def _virtual_machine(name: str) -> str:
    return f"""
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {{name: database, namespace: {name}}}
spec:
  runStrategy: Always
  template:
    metadata: {{labels: {{app: database}}}}
    spec:
      terminationGracePeriodSeconds: 2
      domain:
        cpu: {{cores: 1}}
        memory: {{guest: 256Mi}}
        devices: {{disks: [{{name: data, disk: {{bus: virtio}}}}]}}
      volumes:
      - name: data
        persistentVolumeClaim: {{claimName: data}}
"""


def _deployment(name: str) -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {name}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: registry.example/web:1
"""


class Repository:
    """A working copy of the fleet repository, with the remote that the sites share as `origin`."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def create(self) -> None:
        """Write the whole fleet and push it."""
        self.folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", self.url)
        self.write({"siteshift.yaml": SITESHIFT})
        self.write({f"platform/base/{path}": text for path, text in PLATFORM.items()})
        for app in APPS:
            self.write({f"apps/{app.name}/{path}": text for path, text in app.files().items()})
        self.commit("Begin")

    def write(self, files: dict[str, str]) -> None:
        """Write files, by paths below the root."""
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.removeprefix("\n"))

    def commit(self, message: str) -> str:
        """Commit everything as it is and push it; the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "--set-upstream", "origin", "main")
        return self.git("rev-parse", "HEAD").strip()

    def read(self, path: str) -> str:
        """A file of the working copy."""
        return (self.folder / path).read_text()

    def ack(self, site: str, app: str) -> str:
        """What a site has published last about an application; empty where it never did."""
        self.git("fetch", "--quiet", "--prune", "origin", "+refs/siteshift/*:refs/siteshift/*")
        try:
            return self.git("show", f"refs/siteshift/acks/{site}:{app}.json")
        except subprocess.CalledProcessError:
            return ""

    def git(self, *arguments: str) -> str:
        """Run git here; what it printed."""
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env=git_environment(), capture_output=True, text=True, check=True
        ).stdout


def git_environment() -> dict[str, str]:
    """Git without anything of the user's own."""
    return {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Operator",
        "GIT_AUTHOR_EMAIL": "operator@example.com",
        "GIT_COMMITTER_NAME": "Operator",
        "GIT_COMMITTER_EMAIL": "operator@example.com",
    }

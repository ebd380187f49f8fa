"""A small fleet that is right, as files, for tests that break one thing in it."""

from __future__ import annotations

import pytest

FILES = {
    "siteshift.yaml": """\
apiVersion: siteshift.io/v1alpha1
kind: Fleet
metadata: {name: bank}
spec:
  sites:
  - {name: a, cluster: {context: dc-a}}
  - {name: b}
  platform: [platform/*]
  applications: [apps/*]
""",
    "platform/storage/kustomization.yaml": "resources: []\n",
    "apps/ledger/application.yaml": """\
apiVersion: siteshift.io/v1alpha1
kind: Application
metadata: {name: ledger}
spec:
  sites: [a, b]
  home: a
  replication:
    driver: csi-addons
    groups:
    - {kind: VolumeGroupReplication, name: ledger, namespace: ledger}
    rpo: 5m
""",
    "apps/ledger/placement.yaml": """\
apiVersion: siteshift.io/v1alpha1
kind: Placement
metadata: {name: ledger}
spec:
  active: a
  epoch: 4
  move: planned
""",
    "apps/ledger/base/kustomization.yaml": "resources: []\n",
    "apps/payments/application.yaml": """\
apiVersion: siteshift.io/v1alpha1
kind: Application
metadata: {name: payments}
spec:
  dependsOn: [ledger]
""",
    "apps/payments/placement.yaml": """\
apiVersion: siteshift.io/v1alpha1
kind: Placement
metadata: {name: payments}
spec: {active: b, epoch: 1}
""",
    "apps/payments/sites/a/kustomization.yaml": "resources: []\n",
    "apps/payments/sites/b/kustomization.yaml": "resources: []\n",
}


@pytest.fixture
def files() -> dict[str, str | bytes]:
    return dict(FILES)

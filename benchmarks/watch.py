"""How long after a save `siteshift render --watch` has shown its difference.

Each round writes one file and waits for the last line of the difference, in another process, as a person would see it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

FLEET = """\
apiVersion: siteshift.io/v1alpha1
kind: Fleet
metadata: {name: bank}
spec: {sites: [{name: a}, {name: b}], applications: [apps/*]}
"""
APPLICATION = "apiVersion: siteshift.io/v1alpha1\nkind: Application\nmetadata: {name: big}\nspec: {home: a}\n"
PLACEMENT = "apiVersion: siteshift.io/v1alpha1\nkind: Placement\nmetadata: {name: big}\nspec: {active: a, epoch: 1}\n"
OBJECT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-%(number)d
  namespace: shop
  labels: {app: web-%(number)d, tier: front, team: bank}
  annotations: {description: "number %(number)d of many", owner: somebody@example.com}
spec:
  replicas: %(replicas)d
  selector: {matchLabels: {app: web-%(number)d}}
  template:
    metadata: {labels: {app: web-%(number)d}}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1
        ports: [{containerPort: 8080, name: http}]
        env: [{name: LEVEL, value: info}, {name: NUMBER, value: "%(number)d"}]
        resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
        livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 10}
        readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 5}
"""


def make_fleet(folder: Path, objects: int) -> Path:
    """A fleet with one application of many objects; its folder of manifests is returned."""
    base = folder / "apps" / "big" / "base"
    base.mkdir(parents=True)
    (folder / "siteshift.yaml").write_text(FLEET)
    (base.parent / "application.yaml").write_text(APPLICATION)
    (base.parent / "placement.yaml").write_text(PLACEMENT)
    names = [f"web-{number:04}.yaml" for number in range(objects)]
    for number, name in enumerate(names):
        (base / name).write_text(OBJECT % {"number": number, "replicas": 2})
    (base / "kustomization.yaml").write_text("resources:\n" + "".join(f"- {name}\n" for name in names))
    return base


def measure(folder: Path, objects: int, rounds: int) -> list[float]:
    """Seconds from each write to the line of the difference that it made, for a fleet made in an empty folder."""
    base = make_fleet(folder, objects)
    command = [sys.executable, "-m", "reconciler.cli.main", "render", "--fleet", str(folder), "--site", "a", "--watch"]
    here = str(Path(__file__).resolve().parent.parent)
    environment = {**os.environ, "PYTHONPATH": here}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        watching.stderr.readline()
        taken = [_round(base, number, watching.stdout) for number in range(rounds)]
        watching.terminate()
    return taken


def _round(base: Path, number: int, told: object) -> float:
    text = OBJECT % {"number": number, "replicas": 3}
    began = time.perf_counter()
    (base / f"web-{number:04}.yaml").write_text(text)
    for line in told:  # type: ignore[attr-defined]
        if line.startswith("+") and "replicas: 3" in line:
            return time.perf_counter() - began
    raise AssertionError("the watching command has ended")

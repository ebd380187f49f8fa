"""YAML as Kubernetes reads it and as Kustomize prints it.

Holds: parsing with go-yaml's rules (`parse`, and `parse_kustomization` for the one file that is read by older rules),
places in a file (`position`), printing (`dump`). Knows nothing of files, Kustomize's fields or Kubernetes' kinds.

The grammar is libyaml's, through PyYAML's event parser; what a scalar means and how a value looks is settled here.

Where this differs from Kustomize, it is on purpose: `docs/differences.md` is the table.
"""

from render.yaml.dialects import NO_TEXT, REPEATED
from render.yaml.printing import dump
from render.yaml.reading import parse, parse_kustomization, position

__all__ = ["NO_TEXT", "REPEATED", "dump", "parse", "parse_kustomization", "position"]

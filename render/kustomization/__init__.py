"""The Kustomize engine: a folder with a kustomization.yaml in, Kubernetes objects out.

Holds: Kustomize's language (its fields, its transformers and generators, its order of steps) and its words for errors.
The yardstick is Kustomize 5.8.1: the same objects, and through `render.yaml` the same bytes. Knows nothing of where
files come from (`render.tree`), of how YAML looks (`render.yaml`), of sites, roles and run levels (`render.site`).

The flow: `build` loads a `layer` for each kustomization, bases first; layers gather `draft`s in an `accumulate`d whole
and run `steps` (one module under `transformers/` each) over it; what must wait for all layers happens in `build`.
Comments cite Kustomize's semantics by number; `docs/kustomize-semantics.md` defines them.
"""

from render.kustomization.build import build
from render.kustomization.model import Manifest, Options, Origin, Resource

__all__ = ["Manifest", "Options", "Origin", "Resource", "build"]

"""What a kustomization says that is deprecated, or that will not do what it seems to.

Holds: one module for each family of findings, the watcher that sees a build from inside, and `lint`, which puts them
together. Findings are about what people wrote, with its place; what cannot be built is an error and no finding of a
rule. Knows nothing of fleets and sites but the grammar of run-level file names (`render.site`).
"""

from render.linting.finding import Finding
from render.linting.run import lint

__all__ = ["Finding", "lint"]

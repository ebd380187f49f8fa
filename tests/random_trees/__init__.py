"""Random kustomization trees, to build with Kustomize and with ours. This is the generator's domain.

Fields: every field of Kustomization and Component but the ones below, with every field inside them. Trees: one base,
two bases, a base below one or two layers, two overlays of one base; any of them may have objects of its own and a
component, and is named `kustomization.yaml`, `kustomization.yml` or `Kustomization`.

Kinds: the table `objects.KINDS`: all that have a rule of their own (names, references, selectors, scope, order), two
custom kinds of a group of their own, a KubeVirt machine, and lists. Names come from a few, so that references, targets,
sources and behaviours mostly mean something that is there; everything that a layer may mean it means by any name that
the object has had. Values are those that such fields have, now and then one of another type.

Files: YAML in blocks, in flow, with all texts in quotes, and JSON.

Left out, and why:

* `helmCharts`, `helmGlobals`, `helmChartInflationGenerator`: they need Helm; `test_helm_charts.py` has it.
* bases in other repositories and files on web servers: they need a network.
* plugins, containers and programs: refused here.
* `imageTags`, an older name of `images`.
* what `docs/differences.md` lists: integers beyond 2^53 below a JSON patch, patches that copy annotations, panics.
* replacements of numbers by texts that are none: Kustomize fails only if nothing replaces them once more.
* replacements by nothing at all: what they make prints as `null` or `""` by the style of what it is made in.
* patches of all annotations at once: Kustomize keeps its own notes there.
* malformed YAML and odd scalars: `tests/render/yaml` has them.
* objects without `apiVersion`: no cluster takes them.
"""

from __future__ import annotations

from hypothesis import strategies as st

from .choosing import Chooser
from .trees import Files, tree


@st.composite
def trees(draw: st.DrawFn) -> Files:
    """The files of a tree by path; `top` is the folder to build."""
    return tree(Chooser(lambda lowest, highest: draw(st.integers(lowest, highest))))

"""HelmChartInflationGenerator: the objects that `helm template` makes of a chart.

Helm itself is run by whoever gives `build` a `Helm`; here are its arguments and its values. A chart lies in the chart
home (`charts` below the kustomization unless `helmGlobals` says otherwise) or is pulled from its repository.
"""

from __future__ import annotations

import re
from typing import Any

from render import yaml
from render.errors import KustomizationError, NotInTree, SiteshiftError, YamlError
from render.kustomization.accumulate import Accumulator
from render.kustomization.copying import deep_copy
from render.kustomization.draft import Draft
from render.kustomization.generators.config_map_secret import absorb
from render.kustomization.layer import Layer
from render.kustomization.loader import Loader
from render.tree.seam import below

Arguments = dict[str, Any]

CHART_HOME = "charts"
MERGES = ("merge", "override", "replace")

_OF_OLD = (
    ("chartName", "name"),
    ("chartVersion", "version"),
    ("chartRepoUrl", "repo"),
    ("values", "valuesFile"),
    ("valuesLocal", "valuesInline"),
    ("valuesMerge", "valuesMerge"),
    ("releaseName", "releaseName"),
    ("chartHome", "chartHome"),
)
"""The fields of `helmChartInflationGenerator` that count, and what they are called in `helmCharts`."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_API_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]*")
_NAMES = {
    "name": re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*"),
    "releaseName": _WORD,
    "namespace": _WORD,
    "version": re.compile(r"[A-Za-z0-9^~<>=*][A-Za-z0-9 .,|^~<>=*+_-]*"),
    "kubeVersion": _WORD,
    "repo": re.compile(r"(https?|oci)://\S+"),
    "nameTemplate": re.compile(r"[^-].*"),
}
"""What a field may be before it becomes a word of Helm's command line or the name of a folder."""

_TEXTS = (("namespace", "--namespace"), ("nameTemplate", "--name-template"))
_SWITCHES = (
    ("includeCRDs", "--include-crds"),
    ("skipTests", "--skip-tests"),
    ("skipHooks", "--no-hooks"),
    ("debug", "--debug"),
    ("devel", "--devel"),
)


def run_helm(layer: Layer, accumulator: Accumulator) -> None:
    """Add the objects of a kustomization's charts."""
    common = layer.get("helmGlobals") or {}
    charts = [("helmCharts", place, chart) for place, chart in enumerate(layer.get("helmCharts") or [])]
    for place, chart in enumerate(layer.get("helmChartInflationGenerator") or []):
        renamed = {new: chart[old] for old, new in _OF_OLD if chart.get(old)}
        charts.append(("helmChartInflationGenerator", place, renamed))
    namespace = layer.get("namespace") or layer.outer_namespace
    for field, place, chart in charts:
        with layer.at(field, place):
            told = {**common, **chart, "namespace": chart.get("namespace") or namespace}
            for made in inflate(layer.loader, told, layer.path):
                if layer.provenance is not None:
                    made.provenance = layer.provenance.of_builtin(layer.path, "HelmChartInflationGenerator")
                absorb(accumulator, made)


def inflate(loader: Loader, chart: Arguments, path: str) -> list[Draft]:
    """The objects of one chart. Raises `KustomizationError` where Helm may not run, or fails."""
    helm = loader.context.helm
    if not loader.context.options.enable_helm or helm is None:
        raise KustomizationError(
            "trouble configuring builtin HelmChartInflationGenerator: must specify --enable-helm",
            hint="charts run the program helm: allow it with --enable-helm, or list what it prints as a resource",
        )
    _check(chart)
    try:
        files = _files(loader, chart) or helm.pull(
            chart["repo"], chart["name"], chart.get("version") or "", devel=bool(chart.get("devel"))
        )
        printed = helm.template(chart["name"], files, _values(loader, chart, files), arguments(chart))
    except (KustomizationError, NotInTree):
        raise
    except SiteshiftError as error:
        raise KustomizationError(f"chart {chart['name']}: {error}") from error
    drafts = _objects(loader, printed, path, chart["name"])
    for draft in drafts:
        draft.from_helm = True
    return drafts


def arguments(chart: Arguments) -> tuple[str, ...]:
    """The arguments of `helm template` beside chart and values."""
    words = [chart["releaseName"]] if chart.get("releaseName") else ["--generate-name"]
    for field, flag in _TEXTS:
        if chart.get(field):
            words += [flag, chart[field]]
    for version in chart.get("apiVersions") or ():
        words += ["--api-versions", version]
    if chart.get("kubeVersion"):
        words += ["--kube-version", chart["kubeVersion"]]
    return (*words, *(flag for field, flag in _SWITCHES if chart.get(field)))


def _check(chart: Arguments) -> None:
    if not chart.get("name"):
        raise KustomizationError("chart name cannot be empty", hint="name: says which chart of the chart home it is")
    words = [(field, chart.get(field), pattern) for field, pattern in _NAMES.items()]
    words += [("apiVersions", value, _API_VERSION) for value in chart.get("apiVersions") or ()]
    for field, value, pattern in words:
        if value and (not isinstance(value, str) or not pattern.fullmatch(value) or ".." in value.split("/")):
            raise KustomizationError(
                f"{field} of a chart is {value!r}, which is none",
                hint="it must not begin with a dash or leave its folder",
            )
    merge = chart.get("valuesMerge") or "override"
    if merge not in MERGES:
        raise KustomizationError(f"valuesMerge must be one of [{' '.join(MERGES)}], found {merge!r}")
    inline = chart.get("valuesInline")
    if inline is not None and not isinstance(inline, dict):
        raise KustomizationError(f"valuesInline must be a mapping, found {type(inline).__name__}")


def _place(chart: Arguments) -> str:
    """Where a chart lies, or would lie once it is pulled."""
    place = f"{chart.get('chartHome') or CHART_HOME}/{chart['name']}"
    return f"{place}-{chart['version']}/{chart['name']}" if chart.get("repo") and chart.get("version") else place


def _files(loader: Loader, chart: Arguments) -> dict[str, bytes]:
    """The files of a chart that lies in the chart home; none if it has to be pulled."""
    folder = loader.path(_place(chart))
    tree = loader.context.tree
    if tree.kind(folder) == "folder":
        return dict(_walk(loader, folder, ""))
    if not chart.get("repo"):
        raise KustomizationError(
            f"no repo specified for pull, no chart found at '{loader.context.display(folder)}'",
            hint="put the chart there, or give its repo",
        )
    return {}


def _walk(loader: Loader, folder: str, inside: str) -> list[tuple[str, bytes]]:
    context = loader.context
    found: list[tuple[str, bytes]] = []
    for name in context.tree.list(folder):
        path, place = below(folder, name), below(inside, name)
        if context.tree.kind(path) == "folder":
            found += _walk(loader, path, place)
        else:
            found.append((place, context.read(path)))
    return found


def _values(loader: Loader, chart: Arguments, files: dict[str, bytes]) -> tuple[bytes, ...]:
    """The values files: the chart's own or the one that is named, with the inline values, then the additional ones."""
    named, inline = chart.get("valuesFile"), chart.get("valuesInline")
    how = chart.get("valuesMerge") or "override"
    own = b""
    if not inline or how != "replace":
        own = loader.load(named) if named else _own_values(loader, chart, files)
    if inline:
        if how != "replace":
            given = yaml.parse_kustomization(own, named or f"{chart['name']}/values.yaml") or {}
            inline = _merged(inline, given) if how == "merge" else _merged(given, inline)
        own = yaml.dump([inline]).encode("utf-8", "surrogateescape")
    return (own, *(loader.load(entry) for entry in chart.get("additionalValuesFiles") or ()))


def _own_values(loader: Loader, chart: Arguments, files: dict[str, bytes]) -> bytes:
    """The chart's own values file. Raises `KustomizationError` if the kustomization may not read it, or has none."""
    path = loader.path(f"{_place(chart)}/values.yaml")
    there = _nearest(loader, path)
    if not loader.is_inside(there):
        raise loader.outside(
            there, "a chart home that several share: give valuesFile, or build without the restriction"
        )
    if "values.yaml" not in files:
        raise KustomizationError(f"'{loader.context.display(path)}' doesn't exist", hint="give the chart's valuesFile")
    return files["values.yaml"]


def _nearest(loader: Loader, path: str) -> str:
    """The path itself, or the nearest folder above it that is there: a pulled chart is not in the tree, and its chart
    home decides whether it may be read."""
    while path and loader.context.tree.kind(path) is None:
        path = path.rpartition("/")[0]
    return path


def _merged(below_it: Any, above: Any) -> Any:
    """`above` over `below_it`: mappings field by field, where null takes a field away; all else is replaced."""
    if not isinstance(above, dict):
        return deep_copy(above)
    kept = below_it if isinstance(below_it, dict) else {}
    result = {key: value for key, value in kept.items() if above.get(key, ...) is not None}
    for key, value in above.items():
        if value is not None:
            result[key] = _merged(kept.get(key), value)
    return result


def _objects(loader: Loader, printed: bytes, path: str, name: str) -> list[Draft]:
    text = printed.decode("utf-8", "surrogateescape")
    try:
        return loader.inline_drafts(text, path)
    except (KustomizationError, YamlError) as error:
        # Helm and its plugins may say something before the first document.
        _, found, rest = text.partition("\n---\n")
        try:
            if found:
                return loader.inline_drafts(rest, path)
        except (KustomizationError, YamlError):
            pass
        raise KustomizationError(f"chart {name}: what helm printed are no objects: {error.message}") from error

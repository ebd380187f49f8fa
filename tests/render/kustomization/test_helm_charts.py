"""Charts: which arguments, values and files Helm is given, and what becomes of what it prints."""

from __future__ import annotations

from typing import Any

import pytest

from render import yaml
from render.errors import SiteshiftError
from render.kustomization import Options, build
from render.tree import MemoryTree

CHART = {
    "charts/web/Chart.yaml": "name: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "replicas: 1\nimage: {name: web, tag: '1'}\nlist: [a]\ngone: here\n",
    "charts/web/templates/web.yaml": "a template",
}
PRINTED = b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"


class Recorder:
    """A Helm that only writes down what it was asked."""

    def __init__(self, printed: bytes = PRINTED, pulled: dict[str, bytes] | None = None) -> None:
        self.printed = printed
        self.pulled = pulled or {}
        self.asked: list[Any] = []
        self.values: list[Any] = []
        self.arguments: tuple[str, ...] = ()
        self.files: dict[str, bytes] = {}

    def pull(self, repository: str, name: str, version: str, *, devel: bool) -> dict[str, bytes]:
        self.asked.append((repository, name, version, devel))
        return self.pulled

    def template(
        self, name: str, files: dict[str, bytes], values: tuple[bytes, ...], arguments: tuple[str, ...]
    ) -> bytes:
        self.files, self.arguments = files, arguments
        self.values = [(yaml.parse(text, name) or [{}])[0] for text in values]
        return self.printed


def inflate(field: str, helm: Recorder | None = None, **files: str) -> tuple[list[dict[str, Any]], Recorder]:
    helm = helm or Recorder()
    tree = MemoryTree({**CHART, **files, "kustomization.yaml": field})
    return [found.manifest for found in build(tree, "", Options(enable_helm=True), helm=helm)], helm


@pytest.mark.parametrize(
    ("fields", "arguments"),
    [
        ("", ("--generate-name",)),
        ("releaseName: r, namespace: ns", ("r", "--namespace", "ns")),
        ("releaseName: r, apiVersions: [a/v1, b/v1], kubeVersion: v1.30", (
            *("r", "--api-versions", "a/v1", "--api-versions", "b/v1", "--kube-version", "v1.30"),
        )),
        ("releaseName: r, includeCRDs: true, skipTests: true, skipHooks: true, debug: true", (
            *("r", "--include-crds", "--skip-tests", "--no-hooks", "--debug"),
        )),
        ("nameTemplate: x", ("--generate-name", "--name-template", "x")),
    ],
    ids=["nothing", "release", "capabilities", "switches", "name-template"],
)  # fmt: skip
def test_fields_become_arguments(fields: str, arguments: tuple[str, ...]) -> None:
    found, helm = inflate(f"helmCharts: [{{name: web, {fields}}}]\n")
    assert helm.arguments == arguments
    assert set(helm.files) == {"Chart.yaml", "values.yaml", "templates/web.yaml"}
    assert [manifest["kind"] for manifest in found] == ["Pod"]


INLINE = "{replicas: 3, image: {tag: '2'}, list: [b], gone: null, new: {x: null}}"


@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        ("override", {"replicas": 3, "image": {"name": "web", "tag": "2"}, "list": ["b"], "new": {}}),
        (
            "merge",
            {"replicas": 1, "image": {"name": "web", "tag": "1"}, "list": ["a"], "gone": "here", "new": {"x": None}},
        ),
        ("replace", {"replicas": 3, "image": {"tag": "2"}, "list": ["b"], "gone": None, "new": {"x": None}}),
    ],
    ids=["override", "merge", "replace"],
)
def test_inline_values_are_merged_as_asked(merge: str, expected: dict[str, Any]) -> None:
    field = f"helmCharts: [{{name: web, releaseName: r, valuesInline: {INLINE}, valuesMerge: {merge}}}]\n"
    assert inflate(field)[1].values == [expected]


def test_additional_values_come_last_and_files_are_the_kustomizations() -> None:
    field = "helmCharts: [{name: web, releaseName: r, valuesFile: own.yaml, additionalValuesFiles: [a.yaml, b.yaml]}]\n"
    files = {"own.yaml": "x: 1\n", "a.yaml": "x: 2\n", "b.yaml": "x: 3\n"}
    assert inflate(field, **files)[1].values == [{"x": 1}, {"x": 2}, {"x": 3}]


@pytest.mark.parametrize(
    ("chart", "asked"),
    [
        ("{name: far, repo: https://r.example, releaseName: r}", ("https://r.example", "far", "", False)),
        ("{name: web, repo: https://r.example, version: 2.0.0, devel: true}", (
            *("https://r.example", "web", "2.0.0", True),
        )),
    ],
    ids=["not-here", "here-in-no-version"],
)  # fmt: skip
def test_a_chart_that_is_not_here_is_pulled(chart: str, asked: tuple[str, ...]) -> None:
    _, helm = inflate(f"helmCharts: [{chart}]\n", Recorder(pulled={"values.yaml": b"from: afar\n"}))
    assert helm.asked == [asked]
    assert helm.values == [{"from": "afar"}]


def test_a_chart_of_a_version_lies_in_a_folder_of_its_own() -> None:
    field = "helmGlobals: {chartHome: home}\nhelmCharts: [{name: web, repo: https://r.example, version: 2.0.0}]\n"
    own = {"Chart.yaml": "name: web\n", "values.yaml": "a: b\n"}
    _, helm = inflate(field, **{f"home/web-2.0.0/web/{name}": text for name, text in own.items()})
    assert (helm.asked, helm.files) == ([], {name: text.encode() for name, text in own.items()})


TWO = b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" + b"---\nkind: Pod\nmetadata: {name: b, namespace: c}\n"


def test_a_chart_is_told_the_namespace_and_then_left_alone() -> None:
    """As Kustomize since 5.8: charts set their namespaces themselves, all else is moved."""
    field = "resources: [base]\nnamespace: top\nnamePrefix: p-\n"
    base = "resources: [own.yaml]\nhelmCharts: [{name: web, releaseName: r}]\n"
    own = "apiVersion: v1\nkind: Service\nmetadata: {name: own}\n"
    chart = {path.replace("charts", "base/charts"): text for path, text in CHART.items()}
    found, helm = inflate(field, Recorder(TWO), **{"base/kustomization.yaml": base, "base/own.yaml": own, **chart})
    assert helm.arguments == ("r", "--namespace", "top")
    assert {one["metadata"]["name"]: one["metadata"].get("namespace") for one in found} == {
        "p-a": None,
        "p-b": "c",
        "p-own": "top",
    }


def test_words_before_the_first_document_are_left_out() -> None:
    assert len(inflate("helmCharts: [{name: web}]\n", Recorder(b"Pulled: something\n---\n" + PRINTED))[0]) == 1


def test_a_generator_file_may_be_a_chart() -> None:
    text = "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: g}\nname: web\nreleaseName: r\n"
    found, helm = inflate("generators: [g.yaml]\n", **{"g.yaml": text})
    assert (len(found), helm.arguments) == (1, ("r",))


def test_the_field_of_old_still_works() -> None:
    field = (
        "helmChartInflationGenerator:\n- {chartName: web, releaseName: r, releaseNamespace: ns, valuesLocal: {a: b}}\n"
    )
    _, helm = inflate(field)
    assert helm.arguments == ("r",)  # Kustomize does not pass that namespace on either
    assert helm.values[0]["a"] == "b"


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        ("{releaseName: r}", "chart name cannot be empty"),
        ("{name: nope}", "no repo specified for pull, no chart found at 'memory/charts/nope'"),
        ("{name: web, valuesMerge: mix}", "valuesMerge must be one of [merge override replace], found 'mix'"),
        ("{name: web, valuesInline: [a]}", "valuesInline must be a mapping, found list"),
        ("{name: web, valuesFile: nope.yaml}", "'memory/nope.yaml' doesn't exist"),
    ],
    ids=["no-name", "not-there", "merge", "inline", "values"],
)
def test_what_is_wrong_with_a_chart_is_said_where_it_stands(chart: str, said: str) -> None:
    with pytest.raises(SiteshiftError) as caught:
        inflate(f"helmCharts:\n- {chart}\n")
    assert str(caught.value).splitlines()[0] == f"kustomization.yaml:2:3: error: {said}"


def test_what_helm_says_is_an_error_at_the_chart() -> None:
    class Failing(Recorder):
        def template(self, *_: object) -> bytes:
            raise SiteshiftError("no such value")

    with pytest.raises(SiteshiftError) as caught:
        inflate("helmCharts:\n- name: web\n", Failing())
    assert str(caught.value) == "kustomization.yaml:2:3: error: chart web: no such value"


@pytest.mark.parametrize("options", [Options(), Options(enable_helm=True)], ids=["not-allowed", "no-helm"])
def test_without_leave_no_chart_is_inflated(options: Options) -> None:
    tree = MemoryTree({**CHART, "kustomization.yaml": "helmCharts: [{name: web}]\n"})
    with pytest.raises(SiteshiftError, match="must specify --enable-helm"):
        build(tree, "", options)


SHARED = "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: web, releaseName: r%s}]\n"


def build_beside(field: str, restrictor: Any = "rootOnly", **files: str) -> Recorder:
    helm = Recorder()
    tree = MemoryTree({**CHART, **files, "app/kustomization.yaml": field})
    build(tree, "app", Options(enable_helm=True, load_restrictor=restrictor), helm=helm)
    return helm


def test_values_of_a_shared_chart_home_are_outside_of_the_kustomization() -> None:
    with pytest.raises(SiteshiftError) as caught:
        build_beside(SHARED % "")
    assert "security; file" in str(caught.value)
    assert "valuesFile" in str(caught.value)
    assert build_beside(SHARED % "", restrictor="none").values[0]["replicas"] == 1


def test_a_shared_chart_takes_values_of_the_kustomization() -> None:
    own = {"app/own.yaml": "replicas: 5\n"}
    assert build_beside(SHARED % ", valuesFile: own.yaml", **own).values == [{"replicas": 5}]
    inline = ", valuesInline: {replicas: 6}, valuesMerge: replace"
    assert build_beside(SHARED % inline).values == [{"replicas": 6}]


def test_a_chart_without_values_needs_a_values_file() -> None:
    with pytest.raises(SiteshiftError, match=r"values\.yaml' doesn't exist"):
        build(
            MemoryTree({"charts/web/Chart.yaml": "name: web\n", "kustomization.yaml": "helmCharts: [{name: web}]\n"}),
            "",
            Options(enable_helm=True),
            helm=Recorder(),
        )


@pytest.mark.parametrize(
    "fields",
    [
        "name: ../../etc",
        "name: web/../../x",
        "name: --post-renderer=x",
        "name: /etc",
        "name: web, releaseName: --post-renderer=./x",
        "name: web, releaseName: 'a b'",
        "name: web, namespace: --kubeconfig=x",
        "name: web, nameTemplate: --post-renderer=x",
        "name: web, version: --devel, repo: 'https://charts.example'",
        "name: web, version: ../../x, repo: 'https://charts.example'",
        "name: web, repo: --ca-file=x",
        "name: web, repo: 'file:///etc'",
        "name: web, kubeVersion: --x",
        "name: web, apiVersions: [--x]",
    ],
)
def test_no_name_becomes_a_flag_or_leaves_its_folder(fields: str) -> None:
    helm = Recorder()
    with pytest.raises(SiteshiftError, match="of a chart is"):
        inflate(f"helmCharts: [{{{fields}}}]\n", helm)
    assert helm.asked == []
    assert helm.arguments == ()

"""An application or a part of the platform at a site: what is joined, in which order, and stock Kustomize agrees."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.fleet.load import load
from reconciler.fleet.units import application_unit, platform_units
from render.cache import UnitCache
from render.errors import InputError
from render.site import Unit, read_files, render_unit, shipped
from render.tree import FolderTree, MemoryTree
from render.yaml import dump

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations: {{{annotations}}}\n"


def fleet(**files: str) -> MemoryTree:
    resources = "".join(f"- {name}\n" for name in files)
    return MemoryTree(
        {"base/kustomization.yaml": f"resources:\n{resources}"} | {f"base/{name}": text for name, text in files.items()}
    )


def unit(*components: str) -> Unit:
    return Unit("ledger", "base", "siteshift.io/application", components)


def config_map(name: str, annotations: str = "") -> str:
    return CONFIG_MAP.format(name=name, annotations=annotations)


@pytest.mark.parametrize(
    ("file", "text", "level", "component"),
    [
        pytest.param("0000_10_postgres_01_x.yaml", config_map("x"), "10", "postgres", id="the file name says it"),
        pytest.param("0000_5_web-ui_x.yaml", config_map("x"), "5", "web-ui", id="components may have dashes"),
        pytest.param("settings.yaml", config_map("x"), "50", "ledger", id="nothing says it"),
        pytest.param(
            "0000_10_postgres_01_x.yaml",
            config_map("x", 'siteshift.io/run-level: "7"'),
            "7",
            "postgres",
            id="an annotation wins over the file name",
        ),
        pytest.param(
            "settings.yaml", config_map("x", "siteshift.io/component: cache"), "50", "cache", id="component alone"
        ),
        pytest.param(
            "namespace.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: x\n",
            "00",
            "ledger",
            id="what is cluster-wide comes first",
        ),
    ],
)
def test_run_level_and_component(file: str, text: str, level: str, component: str) -> None:
    (found,) = render_unit(fleet(**{file: text}), unit())
    assert (found.run_level, found.component) == (level, component)
    assert (found.origin.path, found.origin.document) == (f"base/{file}", 0)


def test_objects_come_in_order_of_application_and_levels_are_numbers() -> None:
    tree = fleet(
        **{
            "0000_100_a_1.yaml": config_map("last"),
            "0000_20_b_2.yaml": config_map("third"),
            "0000_20_b_1.yaml": config_map("second"),
            "0000_9_z_1.yaml": config_map("first"),
        }
    )
    assert [found.manifest["metadata"]["name"] for found in render_unit(tree, unit())] == [
        "first",
        "second",
        "third",
        "last",
    ]


def test_a_run_level_that_is_no_number_is_an_error_at_its_file() -> None:
    tree = fleet(**{"settings.yaml": config_map("x", "siteshift.io/run-level: early")})
    with pytest.raises(InputError) as found:
        render_unit(tree, unit())
    assert str(found.value) == (
        'base/settings.yaml: error: annotation siteshift.io/run-level is "early", expected digits such as "50"\n'
        "  hint: it is on ConfigMap x"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("kind: ConfigMap\nmetadata: {name: x}\n", "apiVersion is None", id="no version"),
        pytest.param("apiVersion: 1\nkind: ConfigMap\nmetadata: {name: x}\n", "apiVersion is 1", id="a number"),
        pytest.param("apiVersion: v1\nkind: [x]\nmetadata: {name: x}\n", "kind", id="a list"),
        pytest.param(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: 3}\n", "namespace", id="a number there"
        ),
    ],
)
def test_an_object_that_cannot_be_named_is_an_error_and_no_surprise(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        render_unit(fleet(**{"x.yaml": text}), unit())


def test_errors_name_the_users_own_paths() -> None:
    with pytest.raises(InputError) as found:
        render_unit(MemoryTree({"base/kustomization.yaml": "resource: []\n"}), unit())
    assert str(found.value).startswith("base/kustomization.yaml:1")


VIRTUAL_MACHINE = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: postgres
  labels: {labels}
spec:
  {start}
  template:
    metadata:
      labels: {{app: postgres}}
    spec: {{domain: {{}}}}
"""


@pytest.mark.parametrize(
    ("role", "labels", "start", "strategy"),
    [
        pytest.param("active", "{}", "runStrategy: Always", "Always", id="active as written"),
        pytest.param("passive-warm", "{}", "runStrategy: Always", "Halted", id="warm is stopped"),
        pytest.param("passive-warm", "{}", "running: true", "Halted", id="running gives way to runStrategy"),
        pytest.param("passive-hot", "{}", "runStrategy: Always", "Halted", id="hot stops what is not on standby"),
        pytest.param(
            "passive-hot",
            '{siteshift.io/standby: "true"}',
            "runStrategy: Always",
            "Always",
            id="hot runs what is on standby",
        ),
    ],
)
def test_role_overlays_set_the_start_field(role: str, labels: str, start: str, strategy: str) -> None:
    tree = fleet(**{"vm.yaml": VIRTUAL_MACHINE.format(labels=labels, start=start)})
    (found,) = render_unit(tree, unit(shipped(role)))
    assert found.manifest["spec"]["runStrategy"] == strategy
    assert "running" not in found.manifest["spec"]
    assert found.manifest["metadata"]["labels"]["siteshift.io/role"] == role.partition("-")[0]


def test_the_applications_label_reaches_every_template() -> None:
    tree = fleet(**{"vm.yaml": VIRTUAL_MACHINE.format(labels="{}", start="runStrategy: Always")})
    (found,) = render_unit(tree, unit())
    assert found.manifest["spec"]["template"]["metadata"]["labels"] == {
        "app": "postgres",
        "siteshift.io/application": "ledger",
    }


def every_unit() -> list[object]:
    cases: list[object] = []
    for folder in sorted(path.parent for path in EXAMPLES.glob("*/siteshift.yaml")):
        tree = FolderTree(str(folder))
        loaded = load(tree)
        cases += [pytest.param(folder, found, id=f"{folder.name}-{found.name}") for found in platform_units(loaded)]
        cases += [
            pytest.param(
                folder,
                application_unit(tree, application, site.name, role),
                id=f"{folder.name}-{application.name}-{site.name}-{role}",
            )
            for application in loaded.applications
            for site in loaded.sites
            for role in ("active", "passive")
        ]
    return cases


@pytest.mark.testbed
@pytest.mark.parametrize(("folder", "one"), every_unit())
def test_stock_kustomize_prints_the_same(folder: Path, one: Unit, tmp_path: Path, kustomize_binary: Path) -> None:
    tree = FolderTree(str(folder))
    for path, data in read_files(tree, one).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    stock = subprocess.run([kustomize_binary, "build", tmp_path], capture_output=True, check=True)
    ours = sorted(render_unit(tree, one), key=lambda item: item.position)
    assert dump(item.manifest for item in ours).encode() == stock.stdout


def test_a_commit_builds_only_what_it_touches() -> None:
    files = {
        "a/kustomization.yaml": "resources: [x.yaml]\n",
        "a/x.yaml": config_map("x"),
        "b/kustomization.yaml": "resources: [../shared, y.yaml]\n",
        "b/y.yaml": config_map("y"),
        "shared/kustomization.yaml": "resources: [z.yaml]\n",
        "shared/z.yaml": config_map("z"),
    }
    units = [Unit(name, name, "siteshift.io/application") for name in ("a", "b")]
    cache = UnitCache()

    def render(version: str) -> int:
        before = cache.built
        for one in units:
            assert cache.render(MemoryTree(files), one, version) == render_unit(MemoryTree(files), one)
        return cache.built - before

    assert render("1") == 2
    assert render("2") == 0
    files["a/x.yaml"] = config_map("changed")
    assert render("3") == 1
    files["shared/z.yaml"] = config_map("changed")
    assert render("4") == 1
    files["b/kustomization.yml"] = files["b/kustomization.yaml"]
    with pytest.raises(InputError, match="multiple kustomization files"):
        render("5")

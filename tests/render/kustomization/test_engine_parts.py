"""The parts of the engine that are worth a look of their own, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from render.errors import KustomizationError
from render.kustomization import Options, build
from render.kustomization.context import Context
from render.kustomization.draft import Draft
from render.kustomization.expressions import expression
from render.kustomization.fieldpath import split_field_path
from render.kustomization.fieldspec import FieldSpec, find, merge_specs, split_path
from render.kustomization.generators.config_map_secret import encode_base64
from render.kustomization.hasher import content_hash, encode
from render.kustomization.label_selector import label_selector
from render.kustomization.model import Origin
from render.kustomization.provenance import Provenance
from render.kustomization.selector import Selector
from render.kustomization.transformers.image_tag import Image, split_image
from render.kustomization.transformers.ref_var import expand
from render.kustomization.transformers.value_add import insert_part
from render.tree import MemoryTree

ANY = ("", "", "")


def draft_of(manifest: dict[str, Any]) -> Draft:
    return Draft(manifest, Origin("x.yaml"), Context(MemoryTree({"x.yaml": "a: b"}), Options()))


@pytest.mark.parametrize("text", ["", "a", "{}", "0123456789abcdef"])
def test_a_hash_spells_no_words(text: str) -> None:
    assert len(encode(text)) == 10
    assert set(encode(text)) <= set("245678bcdfghkmt9")


def test_a_hash_leaves_name_and_labels_out() -> None:
    one = {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    other = {"kind": "ConfigMap", "metadata": {"name": "b", "labels": {"l": "m"}}, "data": {"x": "1"}}
    assert content_hash(one) == content_hash(other) == "hmg6f82fh6"


def test_a_hash_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(KustomizationError, match="kind Foo"):
        content_hash({"kind": "Foo"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", 1),
        ("x$(A)y", "x1y"),
        ("$$(A)", "$(A)"),
        ("$(B)", "$(B)"),
        ("$", "$"),
        ("$(A", "$(A"),
        ("$x", "$x"),
        ("$(T)$(T)", "truetrue"),
        ("$$$(A)", "$1"),
        ("$()", "$()"),
    ],
)
def test_variables_expand(text: str, expected: object) -> None:
    assert expand(text, {"A": 1, "T": True}) == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", ("nginx", "", "")),
        ("nginx:1", ("nginx", "1", "")),
        ("r.io:5000/a/b:2", ("r.io:5000/a/b", "2", "")),
        ("r.io:5000/a", ("r.io:5000/a", "", "")),
        ("a@sha256:b", ("a", "", "sha256:b")),
        ("a:1@sha256:b", ("a", "1", "sha256:b")),
    ],
)
def test_images_split(image: str, expected: tuple[str, str, str]) -> None:
    assert split_image(image) == expected


@pytest.mark.parametrize(
    ("entry", "image", "expected"),
    [
        ({"name": "nginx", "newTag": "2"}, "nginx@sha256:a", "nginx:2"),
        ({"name": "nginx", "digest": "sha256:b"}, "nginx:1", "nginx@sha256:b"),
        ({"name": "nginx", "newTag": "2"}, "docker.io/nginx:1", "docker.io/nginx:1"),
        ({"name": "nginx", "newTag": "2"}, "nginx2:1", "nginx2:1"),
        ({"name": "nginx", "newName": "a/b"}, "nginx:1", "a/b:1"),
    ],
)
def test_images_change(entry: dict[str, str], image: str, expected: str) -> None:
    assert Image(entry).change(image) == expected


def test_an_image_name_that_is_no_expression_is_one_clear_error() -> None:
    with pytest.raises(KustomizationError, match="no valid regular expression"):
        Image({"name": "a("})


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ("a=b", {"a": "b"}, True),
        ("a==b,c!=d", {"a": "b"}, True),
        ("a in (b, c)", {"a": "c"}, True),
        ("a notin (b)", {}, True),
        ("!a", {"a": ""}, False),
        ("a", {"a": ""}, True),
        ("a>1", {"a": "2"}, True),
        ("a>1", {"a": "x"}, False),
        ("", {}, True),
    ],
)
def test_label_selectors(selector: str, labels: dict[str, str], expected: bool) -> None:
    assert label_selector(selector)(labels) is expected


@pytest.mark.parametrize("selector", ["a=b c", "=b", "a in b"])
def test_a_label_selector_that_cannot_be_read_is_an_error(selector: str) -> None:
    with pytest.raises(KustomizationError, match="unable to parse requirement"):
        label_selector(selector)


def test_expressions_are_those_of_go() -> None:
    with pytest.raises(KustomizationError, match="Perl syntax"):
        expression("(?=a)")


def test_a_selector_takes_its_name_as_an_anchored_expression() -> None:
    draft = draft_of({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-1"}})
    assert Selector({"name": "web-.*"}).matches(draft)
    assert not Selector({"name": "web"}).matches(draft)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/b", ["a", "b"]), ("/a/b", ["a", "b"]), ("a\\/b/c", ["a/b", "c"])],
)
def test_paths_split(path: str, expected: list[str]) -> None:
    assert split_path(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b", ["a", "b"]),
        ("a\\.b.c", ["a.b", "c"]),
        ("a.[n=x.y].c", ["a", "[n=x.y]", "c"]),
        ("m.[a.b/c]", ["m", "a.b/c"]),
    ],
)
def test_field_paths_split(path: str, expected: list[str]) -> None:
    assert split_field_path(path) == expected


@pytest.mark.parametrize(
    ("path", "create", "expected"),
    [
        ("spec/list/x", False, [("spec", "list", 0, "x"), ("spec", "list", 1, "x")]),
        ("spec/none/x", False, []),
        ("spec/none/x", True, [("spec", "none", "x")]),
        ("spec/null", False, [("spec", "null")]),
        ("spec/null/x", True, [("spec", "null", "x")]),
        ("spec/gone[]/x", True, []),
    ],
)
def test_the_walker_goes_through_lists_and_makes_mappings(path: str, create: bool, expected: list[Any]) -> None:
    draft = draft_of({"kind": "Foo", "spec": {"list": [{"x": 1}, {"x": 2}, {}], "null": None}})
    assert find(draft, FieldSpec(ANY, path, create), create=True) == expected


def test_a_path_through_text_is_an_error_that_names_the_object() -> None:
    draft = draft_of({"kind": "Foo", "metadata": {"name": "f"}, "spec": "text"})
    with pytest.raises(KustomizationError, match=r"considering field 'spec/a' of object Foo\..*/f\."):
        find(draft, FieldSpec(ANY, "spec/a"))


def test_field_specs_that_disagree_about_creating_are_an_error() -> None:
    with pytest.raises(KustomizationError, match="conflicting fieldspecs"):
        merge_specs([FieldSpec(ANY, "a", True)], [FieldSpec(ANY, "a", False)])


def test_drafts_copy_what_they_change_and_nothing_else() -> None:
    shared = {"kind": "Foo", "metadata": {"name": "f"}, "spec": {"a": {"x": 1}, "b": {"y": 2}}}
    draft = draft_of(shared)
    draft.set(("spec", "a", "x"), 9)
    draft.set(("spec", "new", "z"), 3)
    assert shared["spec"] == {"a": {"x": 1}, "b": {"y": 2}}
    assert draft.content["spec"] == {"a": {"x": 9}, "b": {"y": 2}, "new": {"z": 3}}
    assert draft.content["spec"]["b"] is shared["spec"]["b"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "position", "expected"),
    [("/a/b", 0, "/v/a/b"), ("a/b", 1, "a/v/b"), ("/a", 9, "/a/v"), ("", 0, "v")],
)
def test_parts_are_put_into_file_paths(path: str, position: int, expected: str) -> None:
    assert insert_part(path, position, "v") == expected


def test_long_base64_comes_in_lines() -> None:
    assert encode_base64(b"abc") == "YWJj"
    assert encode_base64(b"x" * 60).splitlines() == [("eHh4" * 20)[:70], ("eHh4" * 20)[70:]]


def test_provenance_is_relative_to_the_folder_that_is_built() -> None:
    below = Provenance().below("../base")
    assert below.of_file("r.yaml").text() == "path: ../base/r.yaml\n"


def test_objects_say_which_document_they_came_from() -> None:
    files = {
        "o/kustomization.yaml": "resources: [../b]\nconfigMapGenerator: [{name: g, literals: [a=b]}]\n",
        "b/kustomization.yaml": "resources: [r.yaml]\n",
        "b/r.yaml": "kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n",
    }
    found = {resource.manifest["kind"]: resource.origin for resource in build(MemoryTree(files), "o")}
    assert found == {
        "A": Origin("b/r.yaml", 0),
        "B": Origin("b/r.yaml", 1),
        "ConfigMap": Origin("o/kustomization.yaml", 0),
    }


@pytest.mark.parametrize(
    ("field", "name"), [("helmCharts", "name"), ("helmChartInflationGenerator", "chartName")], ids=["now", "of-old"]
)
def test_charts_are_inflated_only_where_it_is_allowed(field: str, name: str) -> None:
    files = {"kustomization.yaml": f"resources: []\n{field}: [{{{name}: a}}]\n"}
    with pytest.raises(KustomizationError, match="must specify --enable-helm") as caught:
        build(MemoryTree(files), "")
    assert (caught.value.path, caught.value.line) == ("kustomization.yaml", 2)


@pytest.mark.parametrize("entry", ["https://github.com/a/b//c?ref=v1", "github.com/a/b", "git@host:a/b.git"])
def test_nothing_is_fetched(entry: str) -> None:
    files = {"kustomization.yaml": f"resources: ['{entry}']\n"}
    with pytest.raises(KustomizationError, match="remote bases are not read here"):
        build(MemoryTree(files), "")


def test_no_load_restriction_lets_a_patch_lie_elsewhere() -> None:
    files = {
        "a/kustomization.yaml": "resources: [r.yaml]\npatches: [{path: ../p.yaml}]\n",
        "a/r.yaml": "kind: A\nmetadata: {name: a}\n",
        "p.yaml": "kind: A\nmetadata: {name: a}\nx: y\n",
    }
    (resource,) = build(MemoryTree(files), "a", Options(load_restrictor="none"))
    assert resource.manifest["x"] == "y"


def test_a_folder_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KustomizationError, match="is not a folder"):
        build(MemoryTree({"a/b": ""}), "nowhere")


def test_two_kustomization_files_are_an_error() -> None:
    files = {"kustomization.yaml": "resources: []", "Kustomization": "resources: []"}
    with pytest.raises(KustomizationError, match="Found multiple kustomization files"):
        build(MemoryTree(files), "")

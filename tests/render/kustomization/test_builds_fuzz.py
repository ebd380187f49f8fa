"""Builds that somebody has broken, or meant to: objects, or one error of ours that says where, and nothing else.

The builds are those under `cases/`, with files edited, exchanged, renamed and removed, and with fields of each other.
`SITESHIFT_FUZZ` tries more of them.
"""

from __future__ import annotations

import re

from corpus import CASES, read_case
from fuzzing import mutated, tries
from hypothesis import event, given
from hypothesis import strategies as st

from render import explain, lint
from render.errors import InputError, InputErrors, SiteshiftError
from render.kustomization import build
from render.tree import MemoryTree
from render.yaml import dump, parse
from render.yaml.reading import parse_whole

BUILDS = [read_case(path) for path in CASES]
TEXTS = sorted({text for case in BUILDS for text in case.files.values()})
FIELDS = sorted(
    {
        field
        for case in BUILDS
        for name, text in case.files.items()
        if name.endswith("kustomization.yaml")
        for field in re.findall(r"^[a-z]\w+:.*\n(?:[ -].*\n)*", text, re.MULTILINE)
    }
)
VALUES = st.sampled_from(
    [
     "null", "~", "''", "[]", "{}", "1", "-1", "true", "1.50", "0x1F", "[a]", "{a: b}", "[null]", "[[]]", "{a: null}",
     "a b", "2024-01-01", "é", "*", "a/b", "a.b", "a:b", "a=b", "../x", "..", "/", "a//b", "x" * 300, "$(A)", "$(",
     "&a 1", "*a", "!!str 1", "a@sha256:0", "-", "- x", "<<", "9" * 30,
     "spec.template.spec.containers.[name=x].image", "a\\.b", "[a=b]", "[=]", "metadata.name", "data.a.0", "v1",
     "apps/v1", "ConfigMap", "Pod", "r.yaml", "base", ".*", "^a$", "(a|b", "[a-", "(?i)a", "a{2}", "\\d", "a!=b",
     "a in (b,c)", "!a", "a in (", "merge", "Component",
    ]
)  # fmt: skip
WAYS = ["value", "value", "value", "edit", "edit", "field", "field", "exchange", "name", "gone"]
SCALAR = re.compile(r"(?<=[:\-\[,{] )[^\s\[\]{},#][^\n,\]}]*")


@st.composite
def with_another_value(draw: st.DrawFn, text: str) -> str:
    places = list(SCALAR.finditer(text))
    if not places:
        return text
    place = draw(st.sampled_from(places))
    return text[: place.start()] + draw(VALUES) + text[place.end() :]


@st.composite
def builds(draw: st.DrawFn) -> tuple[dict[str, str], str]:
    """The files of a build that is more or less one, and the folder to build."""
    case = draw(st.sampled_from(BUILDS))
    files = dict(case.files)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(files)))
        what = draw(st.sampled_from(WAYS))
        if what == "value":
            files[name] = draw(with_another_value(files[name]))
        elif what == "edit":
            files[name] = draw(mutated([files[name]], most=2))
        elif what == "field" and name.endswith("kustomization.yaml"):
            files[name] = files[name].rstrip("\n") + "\n" + draw(st.sampled_from(FIELDS))
        elif what == "exchange":
            files[name] = draw(st.sampled_from(TEXTS))
        elif what == "name":
            files[f"{name}{draw(st.sampled_from(['~', '.yml', 'x']))}"] = files.pop(name)
        elif what == "gone" and len(files) > 1:
            del files[name]
    return files, case.target


def printed(files: dict[str, str], target: str) -> str | SiteshiftError:
    try:
        return dump(resource.manifest for resource in build(MemoryTree(files, ""), target))
    except SiteshiftError as error:
        return error


@given(builds())
@tries(1200)
def test_a_build_is_objects_or_one_error_with_a_place(case: tuple[dict[str, str], str]) -> None:
    found = printed(*case)
    event("objects" if isinstance(found, str) else "an error")
    if not isinstance(found, str):
        assert isinstance(found, InputError | InputErrors)
        for error in found.errors if isinstance(found, InputErrors) else [found]:
            assert error.path is not None
            assert (error.line or 1) >= 1
            assert len(str(error)) < 20_000
    assert repr(printed(*case)) == repr(found), "a second time the same, whatever is remembered"


@given(builds())
@tries(300)
def test_what_is_remembered_of_files_is_never_changed_by_a_build(case: tuple[dict[str, str], str]) -> None:
    files, target = case
    if isinstance(printed(files, target), str):
        for text in files.values():
            data = text.encode("utf-8", "surrogatepass")
            try:
                expected = parse_whole(data, "file.yaml")
            except SiteshiftError:
                continue
            assert repr(parse(data, "file.yaml")) == repr(expected)


@given(builds())
@tries(500)
def test_a_broken_build_is_linted_and_explained_or_refused(case: tuple[dict[str, str], str]) -> None:
    files, target = case
    tree = MemoryTree(files, "")
    for look in (lambda: lint([(tree, target)]), lambda: explain(tree, target, "ConfigMap/a.metadata.name")):
        try:
            look()
        except SiteshiftError as error:
            event(type(error).__name__)

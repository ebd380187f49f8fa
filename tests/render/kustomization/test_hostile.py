"""Small inputs that ask for very much, or lead astray: each ends in one clear error or a sane result.

Each is built in a process of its own that may use little memory and processor time, so a bomb that goes off fails its
test instead of the machine. Run as a program, this file builds one of them.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from render import yaml
from render.errors import SiteshiftError
from render.kustomization import build
from render.kustomization.limits import MOST_NESTED
from render.tree import MemoryTree

Files = dict[str, str]

MEMORY, SECONDS = 1 << 30, 60
"""What the process of one build may use."""

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: b}\n"
RENAME = "- op: add\n  path: /x\n  value: 1\n"


def plain(kustomization: str, resource: str = CONFIG_MAP % "a", **others: str) -> Files:
    return {"kustomization.yaml": f"resources: [r.yaml]\n{kustomization}", "r.yaml": resource, **others}


def doubling_bases(fields: str) -> Files:
    """Each base names the one below twice, through two overlays: 2^20 paths down."""
    files = {"b0/kustomization.yaml": "resources: [r.yaml]\n", "b0/r.yaml": CONFIG_MAP % "a"}
    for level in range(1, 21):
        for side in "lr":
            files[f"{side}{level}/kustomization.yaml"] = (
                f"resources: [../b{level - 1}]\n{fields.replace('SIDE', side)}\n"
            )
        files[f"b{level}/kustomization.yaml"] = f"resources: [../l{level}, ../r{level}]\n"
    return {**files, "kustomization.yaml": "resources: [b20]\n"}


def doubling_components() -> Files:
    files = {"c0/kustomization.yaml": "kind: Component\nnamePrefix: a\n"}
    for level in range(1, 26):
        below = f"../c{level - 1}"
        files[f"c{level}/kustomization.yaml"] = f"kind: Component\ncomponents: [{below}, {below}]\n"
    return {**plain("components: [c25]\n"), **files}


def nested_bases(count: int) -> Files:
    files = plain("")
    files = {f"b0/{name}": text for name, text in files.items()}
    for level in range(1, count):
        files[f"b{level}/kustomization.yaml"] = f"resources: [../b{level - 1}]\n"
    return {**files, "kustomization.yaml": f"resources: [b{count - 1}]\n"}


def alias_bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
    return CONFIG_MAP % "a" + "\n".join(lines) + "\n"


def long_alias_bomb() -> str:
    text = "x" * 1_000_000
    return CONFIG_MAP % "a" + f"t: &t {text}\nl: [{', '.join(['*t'] * 10_000)}]\n"


def doubling_replacements(target: str, create: str = "") -> Files:
    one = f"{{source: {{kind: ConfigMap, fieldPath: data}}, targets: [{{select: {{kind: ConfigMap}}, {target}}}]}}"
    return plain(f"replacements: [{', '.join([one] * 60)}]\n{create}")


def doubling_text() -> Files:
    one = (
        "{source: {kind: ConfigMap, fieldPath: data.a}, targets:"
        " [{select: {kind: ConfigMap}, fieldPaths: [data.a], options: {delimiter: ':', index: 99999999}}]}"
    )
    return plain(f"replacements: [{', '.join([one] * 60)}]\n")


def doubling_json() -> Files:
    one = (
        "{source: {kind: ConfigMap, fieldPath: data.j}, targets:"
        " [{select: {kind: ConfigMap}, fieldPaths: [data.j.k, data.j.l]}]}"
    )
    resource_text = CONFIG_MAP % "a" + "  \n"
    resource_text = resource_text.replace("{a: b}", '{j: \'{"k": "v", "l": "w"}\'}')
    return plain(f"replacements: [{', '.join([one] * 60)}]\n", resource_text)


def doubling_copies() -> Files:
    operations = [{"op": "copy", "from": "/data", "path": f"/data/k{number}"} for number in range(60)]
    return plain("patches: [{target: {kind: ConfigMap}, path: p.json}]\n", **{"p.json": json.dumps(operations)})


def many_variables() -> Files:
    config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: %s}\n" % ("x" * 500_000)
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{args: ['%s']}]}\n"
    var = "vars: [{name: A, objref: {kind: ConfigMap, name: a, apiVersion: v1}, fieldref: {fieldPath: data.a}}]\n"
    return plain(var, config_map + pod % ("$(A)" * 100_000))


def repeated_files() -> Files:
    files = ", ".join(f"k{number}=big" for number in range(2_000))
    return {"kustomization.yaml": f"configMapGenerator: [{{name: a, files: [{files}]}}]\n", "big": "x" * 500_000}


def pods(elements: str) -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{ports: [{elements}]}}\n"


def expression(pattern: str, name: str = "a" * 5_000) -> Files:
    patch = json.dumps({"target": {"name": pattern}, "patch": RENAME})
    return plain(f"patches: [{patch}]\n", CONFIG_MAP % f"{name}b")


SMP = "patches: [{patch: '{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 1}]}}'}]\n"

REFUSED: dict[str, tuple[Callable[[], Files], str]] = {
    "alias bomb": (lambda: plain("", alias_bomb()), "aliases unfold to more than"),
    "bomb of a long text": (lambda: plain("", long_alias_bomb()), "aliases unfold to more than"),
    "bomb in kustomization.yaml": (lambda: {"kustomization.yaml": alias_bomb()}, "aliases unfold to more than"),
    "alias to itself": (lambda: plain("", CONFIG_MAP % "a" + "x: &x [*x]\n"), "contains itself"),
    "alias to its parent": (lambda: plain("", CONFIG_MAP % "a" + "x: &x {y: {z: [*x]}}\n"), "contains itself"),
    "deep lists": (lambda: plain("", CONFIG_MAP % "a" + "x: " + "[" * 100_000), "levels deep"),
    "deep mappings": (lambda: plain("", CONFIG_MAP % "a" + "x: " + "{a: " * 100_000), "levels deep"),
    "deep blocks": (
        lambda: plain("", CONFIG_MAP % "a" + "".join(" " * level + "x:\n" for level in range(3_000))),
        "levels deep",
    ),
    "deep kustomization.yaml": (lambda: {"kustomization.yaml": "resources: " + "[" * 100_000}, "levels deep"),
    "deep JSON patch": (
        lambda: plain(
            "patches: [{target: {kind: ConfigMap}, path: p.json}]\n",
            **{"p.json": '[{"op": "add", "path": "/x", "value": ' + "[" * 100_000 + "]" * 100_000 + "}]"},
        ),
        "unable to parse SM or JSON patch",
    ),
    "doubling bases": (lambda: doubling_bases("namePrefix: SIDE-"), "more than"),
    "doubling bases in namespaces": (lambda: doubling_bases("nameSuffix: -SIDE\ncommonLabels: {a: b}"), "more than"),
    "doubling bases without objects": (
        lambda: {**doubling_bases(""), "b0/kustomization.yaml": "commonLabels: {a: b}\n"},
        "more than",
    ),
    "doubling components": (doubling_components, "more than"),
    "nested bases": (lambda: nested_bases(MOST_NESTED + 1), "nested in each other"),
    "bases within themselves": (
        lambda: {f"{'a/' * level}kustomization.yaml": "resources: [a]\n" for level in range(300)},
        "nested in each other",
    ),
    "doubling mappings": (
        lambda: doubling_replacements("fieldPaths: [data.k, data.l], options: {create: true}"),
        "out of what is written",
    ),
    "doubling text": (doubling_text, "out of what is written"),
    "doubling JSON in text": (doubling_json, "out of what is written"),
    "doubling copies": (doubling_copies, "out of what is written"),
    "many variables": (many_variables, "out of what is written"),
    "repeated files": (repeated_files, "out of what is written"),
    "expression that grows": (lambda: expression("((a{30}){30}b{900}c{900}d{900}e{900}){1,1}" * 12), "regexp"),
    "expression of many states": (lambda: expression("(a|b|c){1000}" * 10), "too large"),
    "repetitions inside each other": (lambda: expression("((a{100}){100}){100}"), "invalid repeat count"),
    "groups inside each other": (lambda: expression("(" * 5_000 + ")" * 5_000), "nests too deeply"),
    "elements that must be paired": (
        lambda: plain(SMP, pods(", ".join(f"{{protocol: p{number}}}" for number in range(20_000)))),
        "do not merge by one plain key",
    ),
    "a base that is itself": (lambda: {"kustomization.yaml": "resources: [./././.]\n"}, "cycle detected"),
    "a base that is above": (
        lambda: {"kustomization.yaml": "resources: [a]\n", "a/kustomization.yaml": "resources: [../a/../a/..]\n"},
        "cycle detected",
    ),
    "two bases in turn": (
        lambda: {
            "kustomization.yaml": "resources: [a]\n",
            "a/kustomization.yaml": "resources: [../b]\n",
            "b/kustomization.yaml": "resources: [./.././a/]\n",
        },
        "cycle detected",
    ),
    "components in turn": (
        lambda: {
            **plain("components: [a]\n"),
            "a/kustomization.yaml": "kind: Component\ncomponents: [../b]\n",
            "b/kustomization.yaml": "kind: Component\ncomponents: [../a]\n",
        },
        "cycle detected",
    ),
    "a file above the root": (lambda: {"kustomization.yaml": "resources: [../../../../etc/passwd]\n"}, "leaves"),
    "a base above the root": (lambda: {"kustomization.yaml": "resources: [../..]\n"}, "leaves"),
    "data above the root": (
        lambda: {"kustomization.yaml": "configMapGenerator: [{name: a, files: [x=../../x]}]\n"},
        "leaves",
    ),
    "an absolute file": (lambda: {"kustomization.yaml": "resources: [/etc/passwd]\n"}, "absolute"),
    "a path with NUL": (lambda: {"kustomization.yaml": 'resources: ["a\\0b"]\n'}, "NUL"),
    "a schema that refers to itself": (
        lambda: plain(
            "openapi: {path: s.json}\n"
            "patches: [{patch: '{apiVersion: x/v1, kind: K, metadata: {name: a}, s: {a: 1}}'}]",
            "apiVersion: x/v1\nkind: K\nmetadata: {name: a}\ns: {a: [1]}\n",
            **{
                "s.json": json.dumps(
                    {
                        "definitions": {
                            "K": {
                                "$ref": "#/definitions/K",
                                "x-kubernetes-group-version-kind": [{"group": "x", "version": "v1", "kind": "K"}],
                            }
                        }
                    }
                )
            },
        ),
        "wrong node kind",
    ),
    "a condition that backtracks and never holds": (
        lambda: plain(
            "replacements: [{source: {kind: Pod}, targets: [{select: {kind: Pod}, fieldPaths:"
            " ['spec.containers.[name=(x+)+$].image'], options: {create: true}}]}]\n",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: %s!}]}\n" % ("x" * 5_000),
        ),
        "unable to find or create field",
    ),
    "a position of many digits": (
        lambda: plain(
            "replacements: [{source: {kind: ConfigMap}, targets: [{select: {kind: ConfigMap}, fieldPaths:"
            f" [data.{'9' * 5_000}]}}]}}]"
        ),
        "unable to find field",
    ),
    "a count of many digits": (
        lambda: plain(f"replicas: [{{name: a, count: {'9' * 5_000}}}]\n"),
        "cannot unmarshal",
    ),
}

BUILT: dict[str, tuple[Callable[[], Files], int]] = {
    "nested bases within reason": (lambda: nested_bases(MOST_NESTED - 1), 1),
    "a giant text": (lambda: plain("", CONFIG_MAP % "a" + f"x: {'y' * 20_000_000}\n"), 1),
    "a giant folded text": (lambda: plain("", CONFIG_MAP % "a" + "x: >\n" + "  word\n\n   x\n" * 200_000), 1),
    "a giant text of spaces": (lambda: plain("", CONFIG_MAP % "a" + f'x: "{" " * 2_000_000}"\n'), 1),
    "a giant text of next lines": (lambda: plain("", CONFIG_MAP % "a" + f'x: "{chr(0x85) * 200_000}"\n'), 1),
    "a giant key": (lambda: plain("", CONFIG_MAP % "a" + f"? {'k' * 2_000_000}\n: v\n"), 1),
    "digits in keys": (
        lambda: plain("", CONFIG_MAP % "a" + "".join(f"? k{'9' * 20_000}{number}\n: v\n" for number in range(50))),
        1,
    ),
    "huge numbers": (
        lambda: plain(
            "", CONFIG_MAP % "a" + f"x: [{'9' * 10_000}, 0x{'f' * 10_000}, 1e{'9' * 10_000}, 0b{'1' * 9_999}]\n"
        ),
        1,
    ),
    "many documents": (lambda: plain("", "---\n".join(CONFIG_MAP % f"n{number}" for number in range(20_000))), 20_000),
    "many empty documents": (lambda: plain("", "---\n" * 200_000 + CONFIG_MAP % "a"), 1),
    "many keys": (lambda: plain("", CONFIG_MAP % "a" + "".join(f"k{number}: v\n" for number in range(100_000))), 1),
    "an expression that backtracks": (lambda: expression("(a+)+$"), 1),
    "another that backtracks": (lambda: expression("(a|a)*(a|a)*c"), 1),
    "optional parts": (lambda: expression("(a?){200}a{200}", "a" * 200), 1),
    "an image that backtracks": (
        lambda: plain(
            "images: [{name: '(a+)+', newTag: x}]\n",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{image: %s!}]}\n" % ("a" * 5_000),
        ),
        1,
    ),
    "many dollars": (
        lambda: plain(
            "vars: [{name: A, objref: {kind: Pod, name: a, apiVersion: v1}}]\n",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{args: ['%s']}]}\n" % ("$x" * 500_000),
        ),
        1,
    ),
    "a long label selector": (
        lambda: plain(
            f"patches: [{{path: p, target: {{labelSelector: '{','.join(f'a{part}' for part in range(50_000))}'}}}}]",
            p=RENAME,
        ),
        1,
    ),
    "a bomb within bounds is shared": (
        lambda: plain("namePrefix: p-\n", CONFIG_MAP % "a" + "x: &x [1, 2]\ny: [*x, *x, *x]\n"),
        1,
    ),
}


def outcome(name: str) -> str:
    """What comes of a case, from a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, name], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"the process ended with {done.returncode}: {done.stderr[-2_000:]}"
    return done.stdout


@pytest.mark.parametrize("name", REFUSED)
def test_a_bomb_is_one_clear_error(name: str) -> None:
    said = outcome(name)
    assert said.startswith("error ")
    assert REFUSED[name][1] in said
    assert len(said) < 10_000


@pytest.mark.parametrize("name", BUILT)
def test_what_is_only_large_is_built(name: str) -> None:
    assert outcome(name) == f"built {BUILT[name][1]}\n"


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _main(name: str) -> None:
    files = (REFUSED.get(name) or BUILT[name])[0]()
    _limit()
    try:
        resources = build(MemoryTree(files, ""), "")
        printed = len(yaml.dump(found.manifest for found in resources))
    except SiteshiftError as error:
        sys.stdout.write(f"error {error}\n")
    else:
        assert printed
        sys.stdout.write(f"built {len(resources)}\n")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))
    _main(sys.argv[1])

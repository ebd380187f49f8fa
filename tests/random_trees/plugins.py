"""Every builtin generator, transformer and validator can also be listed with its settings, in a file or in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import copying, generating
from .choosing import Chooser, given
from .configuring import mapping_spec, scalar_spec
from .objects import NAMESPACES, Thing
from .patching import merge_patch, operations, selector
from .workloads import IMAGES, labels
from .writing import write

Settings = dict[str, Any]


def _image(choose: Chooser, things: list[Thing]) -> Settings:
    specs = [{"path": "spec/template/spec/containers[]/image"}, scalar_spec(choose, choose.one(things))]
    return {"imageTag": image(choose), "fieldSpecs": specs[: choose.integer(1, 2)]}


def image(choose: Chooser) -> dict[str, str]:
    """One entry of `images`."""
    name = choose.one([*(image.partition("@")[0] for image in IMAGES), "part", ".*"])
    return given(
        name=choose.one([name, name.rpartition(":")[0] or name]),
        newName=choose.maybe(50, lambda: choose.one(["mirror.example/x", "mirror:5000/y"])),
        newTag=choose.maybe(50, lambda: choose.one(["v2", "2", "1.0"])),
        digest=choose.maybe(15, lambda: "sha256:1234"),
        tagSuffix=choose.maybe(10, lambda: "-alpine"),
    )


def _labels(choose: Chooser, things: list[Thing]) -> Settings:
    specs = [{"path": "metadata/labels", "create": True}, mapping_spec(choose, choose.one(things), "marks")]
    return {"labels": {"extra": "yes", **labels(choose)}, "fieldSpecs": specs[: choose.integer(1, 2)]}


def _annotations(choose: Chooser, things: list[Thing]) -> Settings:
    specs = [{"path": "metadata/annotations", "create": True}, mapping_spec(choose, choose.one(things), "notes")]
    return {"annotations": {"note": "7", **labels(choose)}, "fieldSpecs": specs[: choose.integer(1, 2)]}


def _names(choose: Chooser, things: list[Thing]) -> list[dict[str, Any]]:
    return [{"path": "metadata/name"}, scalar_spec(choose, choose.one(things))][: choose.integer(1, 2)]


def _namespace(choose: Chooser, things: list[Thing]) -> Settings:
    subjects = choose.maybe(60, lambda: choose.one(["defaultOnly", "allServiceAccounts", "none"]))
    return given(
        metadata={"name": "plugin", "namespace": choose.one(NAMESPACES)},
        setRoleBindingSubjects=subjects,
        unsetOnly=choose.maybe(30, lambda: True),
        fieldSpecs=choose.maybe(60, lambda: [{"path": "metadata/namespace", "create": True}]),
    )


def _patch(choose: Chooser, things: list[Thing]) -> Settings:
    thing = choose.one(things)
    if choose.chance(40):
        return {"patch": operations(choose, thing), "target": selector(choose, thing)}
    return given(
        patch=write(choose, merge_patch(choose, thing)), target=choose.maybe(50, lambda: selector(choose, thing))
    )


def _json_patch(choose: Chooser, things: list[Thing]) -> Settings:
    thing = choose.one(things)
    target = given(group=thing.group or None, version=thing.version or None, kind=thing.kind, name=thing.name)
    return {"target": target, "jsonOp": operations(choose, thing)}


def _replicas(choose: Chooser, things: list[Thing]) -> Settings:
    thing = choose.one(things)
    return {
        "replica": {"name": thing.names[0], "count": choose.integer(0, 9)},
        "fieldSpecs": [{"path": "spec/replicas", "kind": thing.kind, "create": True}],
    }


def _value_add(choose: Chooser, things: list[Thing]) -> Settings:
    thing = choose.one(things)
    place = given(
        selector=given(kind=thing.kind, name=choose.maybe(50, lambda: thing.name)),
        fieldPath=scalar_spec(choose, thing)["path"].replace("[]", ""),
        filePathPosition=choose.maybe(40, lambda: choose.integer(0, 2)),
    )
    return given(value=choose.one(["added", "7"]), targets=[place])


TRANSFORMERS: dict[str, Callable[[Chooser, list[Thing]], Settings]] = {
    "PatchTransformer": _patch,
    "LabelTransformer": _labels,
    "AnnotationsTransformer": _annotations,
    "PrefixTransformer": lambda choose, things: {"prefix": "t-", "fieldSpecs": _names(choose, things)},
    "SuffixTransformer": lambda choose, things: {"suffix": "-t", "fieldSpecs": _names(choose, things)},
    "PrefixSuffixTransformer": lambda choose, things: {"prefix": "u-", "fieldSpecs": _names(choose, things)},
    "NamespaceTransformer": _namespace,
    "ImageTagTransformer": _image,
    "ReplicaCountTransformer": _replicas,
    "PatchStrategicMergeTransformer": lambda choose, things: {
        "patches": write(choose, merge_patch(choose, choose.one(things)))
    },
    "PatchJson6902Transformer": _json_patch,
    "ReplacementTransformer": lambda choose, things: {"replacements": [copying.replacement(choose, things)]},
    "ValueAddTransformer": _value_add,
    "HashTransformer": lambda choose, things: {},
}


def transformers(choose: Chooser, folder: str, things: list[Thing], files: dict[str, str]) -> list[str]:
    """The value of `transformers`."""
    configs = []
    for place in range(choose.integer(1, 2)):
        kind = choose.one(list(TRANSFORMERS))
        settings = TRANSFORMERS[kind](choose, things)
        configs.append(_config(kind, f"t{place}", settings))
    return _listed(choose, folder, "transformers", configs, files)


def validators(choose: Chooser, folder: str, things: list[Thing], files: dict[str, str]) -> list[str]:
    """The value of `validators`: a transformer that changes nothing, or one that does and must not."""
    target = {"kind": choose.one(things).kind if choose.chance(10) else "Absent"}
    settings = {"patch": '[{"op": "add", "path": "/made", "value": 1}]', "target": target}
    return _listed(choose, folder, "validators", [_config("PatchTransformer", "v", settings)], files)


def generators(
    choose: Chooser, folder: str, known: list[Thing], files: dict[str, str]
) -> tuple[list[str], list[Thing]]:
    """The value of `generators`, and what they make."""
    kind = choose.one(["ConfigMap", "Secret", "ServiceAccount"])
    if kind == "ServiceAccount":
        settings: Settings = {
            "cloud": "gke",
            "kubernetesService": {"name": "robot"},
            "serviceAccount": {"name": "cloud-robot", "projectId": "p"},
        }
        return _listed(choose, folder, "generators", [_config("IAMPolicyGenerator", "g", settings)], files), []
    arguments = generating.arguments(choose, folder, kind, known, files)
    name = arguments.pop("name")
    config = _config(f"{kind}Generator", name, arguments)
    if "namespace" in arguments:
        config["metadata"]["namespace"] = arguments.pop("namespace")
        config.pop("namespace")
    made = generating.generated(kind, [{**arguments, "name": name}])
    return _listed(choose, folder, "generators", [config], files), made


def _config(kind: str, name: str, settings: Settings) -> dict[str, Any]:
    return {"apiVersion": "builtin", "kind": kind, "metadata": {"name": name}, **settings}


def _listed(
    choose: Chooser, folder: str, field: str, configs: list[dict[str, Any]], files: dict[str, str]
) -> list[str]:
    """In place, in a file each, or in a folder with a kustomization of its own."""
    form = choose.integer(0, 4)
    if form <= 1:
        return [write(choose, config) for config in configs]
    names = [f"{field}{place}.yaml" for place in range(len(configs))]
    if form == 4:
        inside = f"{folder}/{field}"
        for name, config in zip(names, configs, strict=True):
            files[f"{inside}/{name}"] = write(choose, config)
        files[f"{inside}/kustomization.yaml"] = write(choose, {"resources": names})
        return [field]
    for name, config in zip(names, configs, strict=True):
        files[f"{folder}/{name}"] = write(choose, config)
    return names

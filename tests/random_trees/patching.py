"""Patches of both kinds are made out of the objects that they change, so that most have something to change."""

from __future__ import annotations

import json
from typing import Any

from .choosing import Chooser, given
from .objects import Thing
from .workloads import KEYS, WORDS
from .writing import in_style, write

Steps = tuple[str | int, ...]

VALUES: list[Any] = [
    "new",
    7,
    "7",
    True,
    "true",
    None,
    "",
    2.5,
    "a b: c",
    ["x"],
    {"k": "v"},
    "l1\nl2\n",
    {},
    [],
    "l1\n  l2\nl3\n",
]
MERGE_KEYS = ("name", "containerPort", "port", "ip", "mountPath", "key", "uid")
OPERATIONS = [*["replace"] * 7, *["add"] * 7, *["remove"] * 2, "test", "copy", "move"]
PROTECTED = {
    ("apiVersion",),
    ("kind",),
    ("metadata",),
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("metadata", "annotations"),
}


def steps_in(value: Any, above: Steps = ()) -> list[Steps]:
    """Where something stands in an object, what identifies the object left out."""
    found: list[Steps] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        here = (*above, key)
        if here not in PROTECTED:
            found.append(here)
        found.extend(steps_in(item, here))
    return found


def at(value: Any, steps: Steps) -> Any:
    """What stands there."""
    for step in steps:
        value = value[step]
    return value


def like(choose: Chooser, value: Any) -> Any:
    """A value that could stand where this one does; now and then one that could not."""
    if choose.chance(12):
        return choose.one(VALUES)
    if isinstance(value, bool) or value is None:
        return choose.one([True, False])
    if isinstance(value, int):
        return choose.integer(0, 9)
    if isinstance(value, str):
        return choose.one(["new", "x", "other:2", "8", "l1\nl2\n", "l1\n  l2\nl3"])
    return value


def identity(choose: Chooser, thing: Thing) -> dict[str, Any]:
    """What names an object in a patch."""
    metadata = given(name=choose.one([thing.name, *thing.names]), namespace=thing.namespace)
    head = {"apiVersion": thing.api_version} if thing.api_version else {}
    return {**head, "kind": thing.kind, "metadata": metadata}


def merge_patch(choose: Chooser, thing: Thing) -> dict[str, Any]:
    """A strategic merge patch."""
    patch = identity(choose, thing)
    if choose.chance(4):
        return {**patch, "$patch": choose.one(["delete", "delete", "replace", "merge"])}
    body = {key: value for key, value in thing.manifest.items() if key not in ("apiVersion", "kind", "metadata")}
    for key in choose.some(list(body), 1, 2):
        patch[key] = _merged(choose, body[key])
    if choose.chance(30):
        field = choose.one(["labels", "annotations"])
        patch["metadata"][field] = {key: choose.one([*WORDS, None]) for key in choose.some(KEYS, 1, 2)}
    return patch


def _merged(choose: Chooser, value: Any) -> Any:
    if choose.chance(4):
        return None
    if isinstance(value, dict):
        made = {key: _merged(choose, value[key]) for key in choose.some(list(value), 1, 2)}
        if choose.chance(15):
            made[choose.one(["added", "env", "image", "level"])] = choose.one(VALUES)
        if choose.chance(4):
            made["$patch"] = choose.one(["delete", "replace"])
        return made
    if isinstance(value, list):
        return _merged_list(choose, value)
    return like(choose, value)


def _merged_list(choose: Chooser, value: list[Any]) -> list[Any]:
    if not all(isinstance(item, dict) for item in value) or not value:
        return [like(choose, item) for item in choose.some(value, 0, 2)] + choose.some(["a", "z"], 0, 1)
    made: list[Any] = []
    for item in choose.some(value, 0, 2):
        keys = {key: item[key] for key in MERGE_KEYS if key in item}
        rest = [key for key in item if key not in keys]
        if choose.chance(10):
            made.append({**keys, "$patch": "delete"})
        else:
            made.append({**keys, **{key: _merged(choose, item[key]) for key in choose.some(rest, 0, 2)}})
    if choose.chance(35) or not made:
        key = next((key for key in MERGE_KEYS if key in value[0]), "name")
        made.append({**value[0], key: 99 if isinstance(value[0].get(key), int) else "fresh"})
    if choose.chance(4):
        made.append({"$patch": choose.one(["replace", "delete"])})
    if choose.chance(30):
        made.reverse()
    return made


def pointer(steps: Steps) -> str:
    """A JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def json_patch(choose: Chooser, thing: Thing) -> list[dict[str, Any]]:
    """JSON patch operations."""
    places = steps_in(thing.manifest)
    if not places:
        return [{"op": "add", "path": "/spec", "value": {"made": 1}}]
    made: list[dict[str, Any]] = []
    for _ in range(choose.integer(1, 3)):
        steps = choose.one(places)
        value = at(thing.manifest, steps)
        op = choose.one(OPERATIONS if steps[0] != "metadata" else OPERATIONS[:16])
        operation: dict[str, Any] = {"op": op, "path": pointer(steps)}
        if op == "test":
            operation["value"] = value
        elif op in ("copy", "move"):
            operation["from"], operation["path"] = pointer(steps), pointer((*steps[:-1], _beside(steps)))
        elif op != "remove":
            if op == "add":
                operation["path"] = pointer((*steps[:-1], _beside(steps)))
            operation["value"] = like(choose, value)
        made.append(operation)
        if op in ("move", "remove"):
            places = [place for place in places if place[: len(steps)] != steps and isinstance(steps[-1], str)]
            if not places:
                break
    return made


def _beside(steps: Steps) -> str:
    return "-" if isinstance(steps[-1], int) else "fresh"


def selector(choose: Chooser, thing: Thing) -> dict[str, Any]:
    """What selects an object, and perhaps others."""
    form = choose.integer(0, 9)
    name = choose.one([thing.name, *thing.names])
    if form <= 3:
        return {"kind": thing.kind, "name": name}
    if form == 4:
        return {"kind": thing.kind}
    if form == 5:
        return {
            "name": choose.one([name, name[:1] + ".*", f"{name}|none", "none"]),
            "kind": choose.one([thing.kind, ".*"]),
        }
    if form == 6:
        return given(group=thing.group or None, version=thing.version, kind=thing.kind)
    labels = thing.manifest["metadata"].get("labels") or {"app": "web"}
    key, value = next(iter(labels.items())) if labels else ("app", "web")
    if form == 7:
        texts = [f"{key}={value}", f"{key} in ({value}, other)", f"{key}!=other", f"!{key}", key]
        return given(labelSelector=choose.one(texts), kind=choose.maybe(60, lambda: thing.kind))
    if form == 8:
        return {"annotationSelector": choose.one(["app=web", "tier", "!part"]), "kind": thing.kind}
    return given(namespace=thing.namespace or choose.one(["default", "shop"]), kind=thing.kind)


def patches(choose: Chooser, folder: str, things: list[Thing], files: dict[str, str]) -> list[dict[str, Any]]:
    """The value of `patches`."""
    made = []
    for place in range(choose.integer(1, 3)):
        thing = choose.one(things)
        entry: dict[str, Any] = {}
        if choose.chance(40):
            text = operations(choose, thing)
            entry["target"] = selector(choose, thing)
        else:
            text = write(choose, merge_patch(choose, thing))
            if choose.chance(40):
                entry["target"] = selector(choose, thing)
                if choose.chance(25):
                    entry["options"] = {choose.one(["allowNameChange", "allowKindChange"]): True}
            elif choose.chance(15):
                text = write_several(choose, text, merge_patch(choose, choose.one(things)))
        if choose.chance(40):
            files[f"{folder}/patch{place}.yaml"] = text
            entry["path"] = f"patch{place}.yaml"
        else:
            entry["patch"] = text
        made.append(entry)
    return made


def write_several(choose: Chooser, text: str, patch: dict[str, Any]) -> str:
    """A text with one more document."""
    return f"{text.rstrip()}\n---\n{write(choose, patch)}"


def operations(choose: Chooser, thing: Thing) -> str:
    """JSON patch operations as a text."""
    made = json_patch(choose, thing)
    return json.dumps(made) if choose.chance(30) else in_style([made], quoted=choose.chance(10))


def patches_strategic_merge(choose: Chooser, folder: str, things: list[Thing], files: dict[str, str]) -> list[str]:
    """The value of `patchesStrategicMerge`: files, or patches written in place."""
    made = []
    for place in range(choose.integer(1, 2)):
        text = write(choose, merge_patch(choose, choose.one(things)))
        if choose.chance(60):
            files[f"{folder}/merge{place}.yaml"] = text
            made.append(f"merge{place}.yaml")
        else:
            made.append(text)
    return made


def patches_json6902(choose: Chooser, folder: str, things: list[Thing], files: dict[str, str]) -> list[dict[str, Any]]:
    """The value of `patchesJson6902`."""
    made = []
    for place in range(choose.integer(1, 2)):
        thing = choose.one(things)
        target = given(group=thing.group or None, version=thing.version or None, kind=thing.kind, name=thing.name)
        entry: dict[str, Any] = {"target": target}
        text = operations(choose, thing)
        if choose.chance(50):
            files[f"{folder}/json{place}.yaml"] = text
            entry["path"] = f"json{place}.yaml"
        else:
            entry["patch"] = text
        made.append(entry)
    return made

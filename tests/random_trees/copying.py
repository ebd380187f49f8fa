"""Replacements and vars, made out of paths that are there, with every option."""

from __future__ import annotations

from typing import Any

from .choosing import Chooser, given
from .objects import Thing
from .patching import Steps, at, selector, steps_in
from .writing import write


def path_to(choose: Chooser, manifest: Any, steps: Steps) -> str:
    """A path with dots: positions, conditions or `*` for elements."""
    parts: list[str] = []
    for place, step in enumerate(steps):
        if isinstance(step, str):
            parts.append(f"[{step}]" if "." in step and choose.chance(30) else step.replace(".", "\\."))
            continue
        item = at(manifest, steps[: place + 1])
        forms = [str(step), "*"]
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            forms[:0] = [f"[name={item['name']}]"] * 3
        elif isinstance(item, str):
            forms.append(f"[={item}]")
        parts.append(choose.one(forms))
    return ".".join(parts)


def _leaf(choose: Chooser, thing: Thing, number: int = 0, *, filled: bool = False) -> Steps:
    places = [*steps_in(thing.manifest), ("metadata", "name")]
    leaves = [steps for steps in places if isinstance(text := at(thing.manifest, steps), str) and (text or not filled)]
    numbers = [steps for steps in places if isinstance(at(thing.manifest, steps), int | float)]
    return choose.one(numbers if numbers and choose.chance(number) else leaves)


def _without_wildcard(path: str) -> str:
    return path.replace("*", "0")


def source(choose: Chooser, thing: Thing) -> dict[str, Any]:
    """Where a replacement takes its value from."""
    path = _without_wildcard(path_to(choose, thing.manifest, _leaf(choose, thing, number=10, filled=True)))
    return given(
        group=choose.maybe(10, lambda: thing.group or None),
        version=choose.maybe(15, lambda: thing.version),
        kind=thing.kind,
        name=choose.one([thing.name, *thing.names]),
        namespace=choose.maybe(10, lambda: thing.namespace or "default"),
        fieldPath=choose.maybe(80, lambda: path),
        options=choose.maybe(20, lambda: options(choose, create=False)),
    )


def options(choose: Chooser, *, create: bool = True) -> dict[str, Any]:
    """How a part of a value is taken or put."""
    split = given(
        delimiter=choose.maybe(70, lambda: choose.one([":", "/", ".", "-", "="])),
        index=choose.maybe(70, lambda: choose.one([0, 0, 1, 2, -1])),
    )
    return {**split, "create": choose.chance(70)} if create and choose.chance(60) else split


def target(choose: Chooser, things: list[Thing]) -> dict[str, Any]:
    """What a replacement writes to."""
    thing = choose.one(things)
    paths, makes = [], False
    for _ in range(choose.integer(1, 2)):
        steps = _leaf(choose, thing)
        path = path_to(choose, thing.manifest, steps)
        value = at(thing.manifest, steps)
        if isinstance(value, str) and "port" in value and choose.chance(70):
            path += choose.one([".port", ".port", ".on.1", ".new"])
            makes = makes or path.endswith("new")
        elif choose.chance(12) and isinstance(steps[-1], str):
            last = choose.one(["fresh", "fresh.deep", "list.0", "list.[name=new].x"])
            path, makes = f"{path_to(choose, thing.manifest, steps[:-1])}.{last}", True
        paths.append(path)
    made: dict[str, Any] = {"select": selector(choose, thing)}
    if choose.chance(15):
        made["reject"] = [selector(choose, choose.one(things))]
    if choose.chance(90):
        made["fieldPaths"] = paths
    if makes and choose.chance(90):
        made["options"] = {"create": True}
    elif choose.chance(25):
        made["options"] = options(choose)
    return made


def replacement(choose: Chooser, things: list[Thing]) -> dict[str, Any]:
    """One replacement."""
    targets = [target(choose, things) for _ in range(choose.integer(1, 2))]
    if choose.chance(10):
        return {"sourceValue": choose.one(["fixed", "7", "a:b"]), "targets": targets}
    return {"source": source(choose, choose.one(things)), "targets": targets}


def replacements(choose: Chooser, folder: str, things: list[Thing], files: dict[str, str]) -> list[dict[str, Any]]:
    """The value of `replacements`."""
    made = []
    for place in range(choose.integer(1, 2)):
        entry = replacement(choose, things)
        if choose.chance(25):
            name = f"replacement{place}.yaml"
            files[f"{folder}/{name}"] = write(choose, choose.one([entry, [entry]]))
            entry = {"path": name}
        made.append(entry)
    return made


def variables(choose: Chooser, things: list[Thing]) -> list[dict[str, Any]]:
    """The value of `vars`."""
    made = []
    for name in choose.some(["ADDRESS", "PORT"], 1, 2):
        thing = choose.one(things)
        namespace = thing.namespace if choose.chance(20) else None
        objref = given(apiVersion=thing.api_version, kind=thing.kind, name=thing.names[0], namespace=namespace)
        path = _without_wildcard(path_to(choose, thing.manifest, _leaf(choose, thing)))
        field = {"fieldPath": path} if choose.chance(50) else None
        made.append(given(name=name, objref=objref, fieldref=field))
    return made

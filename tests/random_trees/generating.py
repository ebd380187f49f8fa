"""Generated ConfigMaps and Secrets, with every kind of source, behaviour and option."""

from __future__ import annotations

from typing import Any

from .choosing import Chooser, given
from .objects import NAMES, NAMESPACES, Thing
from .workloads import labels

FILES = {
    "app.properties": "level=info\nport=80\n",
    "env.txt": "# a note\nA=1\nB=two words\n\nC=\n",
    "conf/site.yaml": "port: 80\non: [1, x]\n",
    "odd name.txt": "text with $(ADDRESS)",
}


def options(choose: Chooser) -> dict[str, Any]:
    """The value of `options`, or of `generatorOptions`."""
    return given(
        labels=choose.maybe(40, lambda: labels(choose)),
        annotations=choose.maybe(30, lambda: labels(choose)),
        disableNameSuffixHash=choose.maybe(40, lambda: choose.one([True, False])),
        immutable=choose.maybe(20, lambda: choose.one([True, False])),
    )


def arguments(choose: Chooser, folder: str, kind: str, known: list[Thing], files: dict[str, str]) -> dict[str, Any]:
    """What one generated ConfigMap or Secret is made of."""
    there = [thing for thing in known if thing.kind == kind]
    made: dict[str, Any] = {}
    if there and choose.chance(70):
        thing = choose.one(there)
        made["name"] = choose.one([thing.name, thing.names[0]])
        made["behavior"] = choose.one(["merge", "merge", "replace"])
        if thing.namespace:
            made["namespace"] = thing.namespace
    else:
        names = [thing.name for thing in there]
        names += [name for thing in there for name in thing.names]
        free = [name for name in ("settings", "login", *NAMES[:2]) if name not in names] or ["more"]
        made["name"] = choose.one(free if choose.chance(95) else ["settings"])
        made |= given(
            behavior=choose.maybe(10, lambda: "create"), namespace=choose.maybe(10, lambda: choose.one(NAMESPACES))
        )
    if choose.chance(75):
        made["literals"] = choose.some(["level=debug", "port=8080", "quoted='x y'", 'json={"a": 1}', "empty="], 1, 3)
    if choose.chance(30):
        chosen = choose.some(["app.properties", "conf/site.yaml", "other=odd name.txt", "a=env.txt"], 1, 2)
        made["files"] = chosen
    if choose.chance(20):
        made.update(choose.one([{"envs": ["env.txt"]}, {"env": "env.txt"}]))
    for name, text in FILES.items():
        if any(entry.rpartition("=")[2] == name for entry in (*made.get("files", ()), "env.txt")):
            files[f"{folder}/{name}"] = text
    if kind == "Secret" and choose.chance(40):
        made["type"] = choose.one(["Opaque", "kubernetes.io/tls"])
    if choose.chance(35):
        made["options"] = options(choose)
    return made


def generated(kind: str, made: list[dict[str, Any]]) -> list[Thing]:
    """The objects that generators make, as later layers see them."""
    things = []
    for entry in made:
        if entry.get("behavior", "create") == "create":
            data = {"level": "info"}
            metadata = given(name=entry["name"], namespace=entry.get("namespace"))
            manifest = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data}
            things.append(Thing("", "v1", kind, (entry["name"],), entry.get("namespace"), manifest))
    return things

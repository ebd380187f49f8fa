"""FencedWriter-made histories of a site, in few words: what the checker would have seen."""

from __future__ import annotations

from typing import Any

from sandbox.demo.checker.history import Instance, Life, Point
from sandbox.demo.checker.observer import Key, Seen

DATABASE: Key = ("VirtualMachine", "ledger", "db")
SERVICES: tuple[Key, ...] = tuple(("VirtualMachine", "ledger", f"vm{number}") for number in range(1, 10))
LEVELS: dict[Key, int] = {DATABASE: 10, **dict.fromkeys(SERVICES, 50)}


def point(moment: float | None) -> Point | None:
    return None if moment is None else Point(int(moment * 10), moment)


def life(key: Key, asked: float, ready: float | None = None, stopped: float | None = None) -> Life:
    began = point(asked)
    assert began is not None
    return Life(key, began, point(ready), point(stopped))


def instance(
    uid: str, first: float, gone: float | None = None, *phases: tuple[float, str], name: str = "db"
) -> Instance:
    began = point(first)
    assert began is not None
    known = tuple((Point(int(at * 10), at), phase) for at, phase in phases)
    return Instance(uid, "ledger", name, began, known, point(gone))


def machine(at: float, strategy: str, *, ready: bool = False, name: str = "db", version: int | None = None) -> Seen:
    """An event of a VirtualMachine."""
    order = int(at * 10) if version is None else version
    value = {
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": "ledger", "resourceVersion": str(order)},
        "spec": {"runStrategy": strategy},
        "status": {"ready": ready},
    }
    return Seen(at, order, ("VirtualMachine", "ledger", name), value)


def deployment(at: float, replicas: int, ready: int, *, observed: int = 1) -> Seen:
    """An event of a Deployment of generation 1."""
    value = {
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "ledger", "generation": 1},
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": observed, "readyReplicas": ready},
    }
    return Seen(at, int(at * 10), ("Deployment", "ledger", "web"), value)


def running(at: float, uid: str | None, phase: str = "Running", name: str = "db") -> Seen:
    """An event of a VirtualMachineInstance; no uid: it is gone."""
    key = ("VirtualMachineInstance", "ledger", name)
    metadata = {"name": name, "namespace": "ledger", "uid": uid}
    value: dict[str, Any] | None = {"kind": key[0], "metadata": metadata, "status": {"phase": phase}}
    return Seen(at, int(at * 10), key, value if uid else None)

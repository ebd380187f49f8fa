"""The graph of tasks, as CVO makes it: split on Jobs, then cut into nodes that may run side by side.

A node is a list of tasks that run one after the other; it runs when every node that it `needs` is done. The modes
differ in one function only: when *installing* and *updating*, run levels are barriers (`by_number_and_component`); in
*steady* state every component goes by itself (`flatten`), and the nodes are rotated and permuted from pass to pass so
that one broken component cannot starve those behind it.

Source: the rules of cluster-version-operator `pkg/payload/task_graph.go`, checked against its own vectors. CVO installs
without barriers, because its operators wait for each other anyway; a fleet's platform is told to keep them always.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, Literal, TypeVar

Payload = TypeVar("Payload")
Mode = Literal["installing", "updating", "steady"]

FILE_NAME = re.compile(r"0000_(\d+)_([a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*?)_", re.ASCII)
"""CVO's file name grammar: run level and component. The level is text: `05` is not `5`."""

STEADY_STRIDE = 8
"""A steady pass is permuted anew after so many passes and rotated by an eighth in between."""


@dataclass(frozen=True, slots=True)
class Task(Generic[Payload]):
    """One thing to do. Without run level and component it cannot be grouped ("unsplittable")."""

    name: str
    payload: Payload
    run_level: str | None = None
    component: str | None = None
    is_job: bool = False

    @property
    def group(self) -> tuple[str, str] | None:
        """What decides where a list of tasks is cut."""
        return None if self.run_level is None or self.component is None else (self.run_level, self.component)


@dataclass(frozen=True, slots=True)
class Node(Generic[Payload]):
    """Tasks that run one after the other, once the nodes at the indexes in `needs` are done."""

    tasks: tuple[Task[Payload], ...]
    needs: tuple[int, ...] = ()


Graph = tuple[Node[Payload], ...]
Tasks = tuple[Task[Payload], ...]
Buckets = list[list[Tasks[Payload]]]


def parse_file_name(name: str) -> tuple[str, str] | None:
    """Run level and component of a file name, or None where it does not follow the grammar."""
    found = FILE_NAME.match(name)
    return None if found is None else (found[1], found[2])


def build(tasks: Iterable[Task[Payload]], mode: Mode, attempt: int = 0) -> Graph[Payload]:
    """The graph of one pass. `attempt` counts steady passes and decides their order."""
    nodes = split_on_jobs((Node(tuple(tasks)),))
    if mode != "steady":
        return parallelize(nodes, by_number_and_component)

    def rotated(group: Sequence[Task[Payload]]) -> Buckets[Payload]:
        return shift(permute(flatten(group), attempt // STEADY_STRIDE), attempt % STEADY_STRIDE, STEADY_STRIDE)

    return parallelize(nodes, rotated)


def barriers(tasks: Iterable[Task[Payload]], level: Callable[[str], object] = int) -> Graph[Payload]:
    """An application's own graph, in every mode: each run level waits for the whole level before it; inside a level
    the components go side by side and each is serial.

    `level` orders the levels; they are numbers here, so 100 comes after 20.
    """
    buckets: Buckets[Payload] = []
    ordered = sorted(tasks, key=lambda task: level(task.run_level or "0"))  # type: ignore[arg-type,return-value]
    for _, same_level in groupby(ordered, key=lambda task: level(task.run_level or "0")):
        components: dict[str, list[Task[Payload]]] = {}
        for task in same_level:
            components.setdefault(task.component or "", []).append(task)
        buckets.append([tuple(found) for found in components.values()])
    return _chain((), buckets)


def split_on_jobs(nodes: Graph[Payload]) -> Graph[Payload]:
    """A Job becomes a node of its own: what stands before it comes before it, what stands after it comes after it."""
    growing = [(list(node.tasks), list(node.needs)) for node in nodes]
    index = 0
    while index < len(growing):
        tasks, needs = growing[index]
        at = next((i for i, task in enumerate(tasks) if task.is_job), None) if len(tasks) > 1 else None
        if at is not None:
            before, after = tasks[:at], tasks[at + 1 :]
            if before:
                growing.append((before, needs))
                needs = [len(growing) - 1]
            if after:
                _replace_need(growing, index, len(growing))
                growing.append((after, [index]))
            growing[index] = ([tasks[at]], needs)
        index += 1
    return tuple(Node(tuple(tasks), tuple(needs)) for tasks, needs in growing)


def pieces(tasks: Sequence[Task[Payload]]) -> list[Tasks[Payload]]:
    """Cut at every change of run level and component, and around every task without them."""
    cut: list[Tasks[Payload]] = []
    for group, run in groupby(tasks, key=lambda task: task.group):
        alike = tuple(run)
        cut.extend([alike] if group is not None else [(task,) for task in alike])
    return cut


def flatten(tasks: Sequence[Task[Payload]]) -> Buckets[Payload]:
    """One bucket: every piece goes by itself. Nothing to do for fewer than two tasks."""
    return [pieces(tasks)] if len(tasks) > 1 else []


def by_number_and_component(tasks: Sequence[Task[Payload]]) -> Buckets[Payload]:
    """Buckets in run-level order: the components of a level side by side. Neighbouring levels with one component
    each, and tasks without a level, are joined into one serial node. Nothing to do for fewer than two tasks."""
    if len(tasks) < 2:
        return []
    buckets: Buckets[Payload] = []
    for level, run in groupby(pieces(tasks), key=lambda piece: piece[0].run_level if piece[0].group else None):
        same_level = list(run)
        if level is not None and len(same_level) > 1:
            buckets.append(same_level)
            continue
        serial = tuple(task for piece in same_level for task in piece)
        if buckets and len(buckets[-1]) == 1:
            buckets[-1] = [buckets[-1][0] + serial]
        else:
            buckets.append([serial])
    return buckets


def permute(buckets: Buckets[Payload], start: int) -> Buckets[Payload]:
    """Each bucket in a random order that follows from `start` alone."""
    chance = random.Random(start)
    return [chance.sample(bucket, len(bucket)) for bucket in buckets]


def shift(buckets: Buckets[Payload], step: int, stride: int) -> Buckets[Payload]:
    """Each bucket rotated left, by `step` where it is smaller than the stride, else by that share of its length."""
    rotated: Buckets[Payload] = []
    for bucket in buckets:
        size = len(bucket)
        by = (step if size < stride else step * size // stride) % size if size else 0
        rotated.append(bucket[by:] + bucket[:by])
    return rotated


def parallelize(nodes: Graph[Payload], cut: Callable[[Sequence[Task[Payload]]], Buckets[Payload]]) -> Graph[Payload]:
    """Replace each node by its buckets, one after the other. The node itself stays as an empty anchor before them;
    an empty anchor after them joins them again where other nodes wait for it."""
    growing = [(list(node.tasks), list(node.needs)) for node in nodes]
    for index in range(len(nodes)):
        buckets = cut(growing[index][0])
        if not buckets or (len(buckets) == 1 and len(buckets[0]) == 1):
            continue
        growing[index] = ([], growing[index][1])
        waiting = [later for later, (_, needs) in enumerate(growing) if index in needs]
        last = _append_chain(growing, [index], buckets)
        if waiting:
            growing.append(([], last))
            for later in waiting:
                growing[later] = (
                    growing[later][0],
                    [len(growing) - 1 if need == index else need for need in growing[later][1]],
                )
    return tuple(Node(tuple(tasks), tuple(needs)) for tasks, needs in growing)


_Growing = list[tuple[list[Task[Payload]], list[int]]]


def _chain(needs: tuple[int, ...], buckets: Buckets[Payload]) -> Graph[Payload]:
    growing: _Growing[Payload] = []
    _append_chain(growing, list(needs), buckets)
    return tuple(Node(tuple(tasks), tuple(found)) for tasks, found in growing)


def _append_chain(growing: _Growing[Payload], needs: list[int], buckets: Buckets[Payload]) -> list[int]:
    """Append the buckets one after the other; M nodes before N get an empty spacer instead of M×N edges."""
    for bucket in buckets:
        if len(needs) > 1 and len(bucket) > 1:
            growing.append(([], needs))
            needs = [len(growing) - 1]
        first = len(growing)
        growing.extend((list(tasks), list(needs)) for tasks in bucket)
        needs = list(range(first, len(growing)))
    return needs


def _replace_need(growing: _Growing[Payload], old: int, new: int) -> None:
    for position, (tasks, needs) in enumerate(growing):
        if old in needs:
            growing[position] = (tasks, [new if need == old else need for need in needs])

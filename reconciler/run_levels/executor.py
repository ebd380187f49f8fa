"""One pass over a graph: runs every node whose needs are done, lowest index first, at most so many side by side.

As in CVO, the first task that is not done ends its node, nodes that need it never run, and independent nodes go on.
"Not done" is either *waiting* (applied, not healthy yet) or *failed*; a pass never blocks on a wait, so a new commit
can always get in: the next pass finds out again what is true.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from reconciler.run_levels.graph import Graph, Node, Task

Payload = TypeVar("Payload")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one task ended in this pass; `reason` says what is waited for or what failed."""

    state: Literal["done", "waiting", "failed"]
    reason: str = ""


DONE = Outcome("done")


@dataclass(frozen=True, slots=True)
class Report(Generic[Payload]):
    """What a pass came to. `ended` has every task that ran, with its outcome, in the order of the graph."""

    ended: tuple[tuple[Task[Payload], Outcome], ...]
    total: int

    @property
    def done(self) -> int:
        """How many tasks are done."""
        return sum(outcome.state == "done" for _, outcome in self.ended)

    @property
    def complete(self) -> bool:
        """Whether every task of the graph is done."""
        return self.done == self.total

    @property
    def unfinished(self) -> tuple[tuple[Task[Payload], Outcome], ...]:
        """The tasks that stopped their nodes."""
        return tuple(pair for pair in self.ended if pair[1].state != "done")


def execute(
    graph: Graph[Payload],
    run: Callable[[Task[Payload]], Outcome],
    *,
    workers: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> Report[Payload]:
    """Carry out one pass. `run` must not raise; `cancelled` is asked before each task."""
    waits_for = [len(node.needs) for node in graph]
    needed_by: list[list[int]] = [[] for _ in graph]
    for index, node in enumerate(graph):
        for need in node.needs:
            needed_by[need].append(index)
    ready = [index for index, open_needs in enumerate(waits_for) if not open_needs]
    ended: dict[int, list[tuple[Task[Payload], Outcome]]] = {}
    running: dict[Future[list[tuple[Task[Payload], Outcome]]], int] = {}
    with ThreadPoolExecutor(workers) as pool:
        while ready or running:
            while ready and len(running) < workers and not cancelled():
                index = heapq.heappop(ready)
                running[pool.submit(_run_node, graph[index], run, cancelled)] = index
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                index = running.pop(future)
                ended[index] = future.result()
                if sum(outcome.state == "done" for _, outcome in ended[index]) == len(graph[index].tasks):
                    for later in needed_by[index]:
                        waits_for[later] -= 1
                        if not waits_for[later]:
                            heapq.heappush(ready, later)
    return Report(
        tuple(pair for index in sorted(ended) for pair in ended[index]), sum(len(node.tasks) for node in graph)
    )


def _run_node(
    node: Node[Payload], run: Callable[[Task[Payload]], Outcome], cancelled: Callable[[], bool]
) -> list[tuple[Task[Payload], Outcome]]:
    ended: list[tuple[Task[Payload], Outcome]] = []
    for task in node.tasks:
        if cancelled():
            break
        outcome = run(task)
        ended.append((task, outcome))
        if outcome.state != "done":
            break
    return ended

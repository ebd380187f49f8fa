"""Who runs next, and what time it is: one task runs at a time, and a seeded draw says which.

A task is a thread of its own that waits for the baton. It gives the baton away where it waits (for time, an event, a
lock) and, by chance, at each request; nothing else ends its turn. So one seed has one history.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

FOREVER = float("inf")


class Killed(BaseException):
    """The process is gone in the middle of what it did."""


class StuckError(AssertionError):
    """Nobody can go on, and nothing will ever happen."""


@dataclass(eq=False)
class Process:
    """One operating-system process of a site: it is killed and stopped as a whole. `rate` and `offset` are its
    machine's monotonic clock; `points` counts its requests, and `armed` says what happens at one of them."""

    name: str
    site: str
    rate: float = 1.0
    offset: float = 0.0
    dead: bool = False
    stopped_until: float = 0.0
    tasks: list[Task] = field(default_factory=list)
    armed: list[Armed] = field(default_factory=list)


@dataclass
class Armed:
    """A fault that waits for the process's next `after` requests of one of these verbs (all, where there are none)."""

    after: int
    verbs: frozenset[str]
    strike: Callable[[], None]


@dataclass(eq=False)
class Task:
    """One thread of a process. `token` tells a wake-up that was overtaken by an earlier one."""

    name: str
    process: Process
    target: Callable[[], Any]
    baton: threading.Lock
    token: int = 0
    done: bool = False
    debt: float = 0.0
    joined: list[Task] = field(default_factory=list)


Entry = tuple[float, float, int, "Task | None", int, Callable[[], None] | None]


class Scheduler:
    """Virtual time in seconds since the story began, and everything that is due."""

    def __init__(self, seed: str, switches: float = 0.1) -> None:
        self.random = random.Random(seed)
        self.switches = switches
        self.now = 0.0
        self.current: Task | None = None
        self.failure: BaseException | None = None
        self._heap: list[Entry] = []
        self._number = 0
        self._until = 0.0
        self._stop: Callable[[], bool] = lambda: False
        self._main = threading.Lock()
        self._main.acquire()

    # What is due

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Call at a moment, between two turns of tasks."""
        self._push(when, None, 0, call)

    def spawn(self, name: str, process: Process, target: Callable[[], Any]) -> Task:
        """A new task, which begins now."""
        baton = threading.Lock()
        baton.acquire()
        task = Task(name, process, target, baton)
        process.tasks.append(task)
        _WORKERS.start(lambda: self._main_of(task))
        self.wake(task, self.now)
        return task

    def wake(self, task: Task, when: float) -> None:
        """Let a task go on at a moment; it forgets an earlier appointment."""
        task.token += 1
        self._push(when, task, task.token, None)

    def _push(self, when: float, task: Task | None, token: int, call: Callable[[], None] | None) -> None:
        self._number += 1
        heapq.heappush(self._heap, (max(when, self.now), self.random.random(), self._number, task, token, call))

    # Turns

    def run(self, until: float, stop: Callable[[], bool] = lambda: False) -> bool:
        """Go on until a moment, or until `stop` holds between two turns; says whether it does."""
        self._until, self._stop = until, stop
        if not stop() and self._next(None):
            self._main.acquire()
        self.current = None
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return stop()

    def _next(self, giving: Task | None) -> bool:
        """Pass the baton on; False where the story's main line has it now (or `giving` keeps it)."""
        while True:
            if self.failure is not None or self._stop():
                break
            if not self._heap or self._heap[0][0] > self._until:
                self.now = max(self.now, self._until)
                break
            when, _, _, task, token, call = heapq.heappop(self._heap)
            self.now = max(self.now, when)
            if call is not None:
                try:
                    call()
                except BaseException as error:
                    self.failure = error
                continue
            assert task is not None
            if token != task.token or task.done:
                continue
            if task.process.stopped_until > self.now and not task.process.dead:
                self._push(task.process.stopped_until, task, token, None)
                continue
            self.current = task
            if task is giving:
                return False
            task.baton.release()
            return True
        if giving is None:
            return False
        self._main.release()
        return True

    def _switch(self) -> None:
        """Give the baton away until this task is woken."""
        task = self.current
        assert task is not None
        if self._next(task):
            task.baton.acquire()
        if task.process.dead:
            raise Killed

    def _main_of(self, task: Task) -> None:
        task.baton.acquire()
        try:
            if not task.process.dead:
                task.target()
        except Killed:
            pass
        except BaseException as error:
            self.failure = error
        task.done = True
        task.process.tasks.remove(task)
        for each in task.joined:
            self.wake(each, self.now)
        if not self._next(None):
            self._main.release()

    # What a task may do

    def sleep(self, seconds: float) -> None:
        """Let time pass for this task."""
        task = self.current
        assert task is not None
        if task.process.dead:
            raise Killed
        self.wake(task, self.now + seconds)
        self._switch()

    def block(self) -> None:
        """Wait until somebody wakes this task."""
        assert self.current is not None
        if self.current.process.dead:
            raise Killed
        self._switch()

    def point(self, verb: str, cost: float) -> None:
        """A request begins or ends here: whatever is armed strikes, and by chance others go on first."""
        task = self.current
        assert task is not None
        process = task.process
        if process.dead:
            raise Killed
        for armed in [each for each in process.armed if not each.verbs or verb in each.verbs]:
            armed.after -= 1
            if armed.after <= 0:
                process.armed.remove(armed)
                armed.strike()
        task.debt += cost
        if process.dead:
            raise Killed
        if task.debt > 0.5 or process.stopped_until > self.now or self.random.random() < self.switches:
            debt, task.debt = task.debt, 0.0
            self.sleep(max(debt, process.stopped_until - self.now) * (1.0 + self.random.random()))

    # What happens to processes

    def kill(self, process: Process) -> None:
        """SIGKILL: nothing of it reaches anybody any more."""
        process.dead = True
        for task in process.tasks:
            self.wake(task, self.now)

    def finish(self, processes: list[Process]) -> None:
        """End every thread of a story."""
        for each in processes:
            self.kill(each)
        self.failure = None
        self.run(self.now, lambda: all(not each.tasks for each in processes))


class _Workers:
    """Threads that are used again: a story begins some thousand tasks."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []

    def start(self, job: Callable[[], None]) -> None:
        worker = self._idle.pop() if self._idle else _Worker(self._idle)
        worker.job = job
        worker.go.release()


class _Worker:
    def __init__(self, idle: list[_Worker]) -> None:
        self.job: Callable[[], None] = lambda: None
        self.go = threading.Lock()
        self.go.acquire()
        self._idle = idle
        threading.Thread(target=self._run, name="simulated", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.go.acquire()
            self.job()
            self._idle.append(self)


_WORKERS = _Workers()

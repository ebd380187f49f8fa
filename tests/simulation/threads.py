"""What of Python's threads, pools and random tokens the product uses, as the scheduler has it.

`installed` puts them in place of the real ones for as long as a story is told; the product's code is not changed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from reconciler.controller import applying, contests, loop
from reconciler.failover.execute import admission_gate, effects, publisher, record, site_record, sites_seen
from reconciler.failover.guard import application as guard_application
from reconciler.failover.guard import program as guard_program
from reconciler.failover.guard import reading, stopping
from reconciler.inventory import store
from reconciler.run_levels import executor
from simulation.scheduler import FOREVER, Killed, Process, Scheduler, Task


class Event:
    """`threading.Event`, waited for in virtual time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._set = False
        self._waiting: list[Task] = []

    def is_set(self) -> bool:
        return self._set

    def clear(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._scheduler.wake(task, self._scheduler.now)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            task = self._scheduler.current
            assert task is not None
            self._waiting.append(task)
            if timeout is None:
                self._scheduler.block()
            else:
                self._scheduler.sleep(timeout)
            if task in self._waiting:
                self._waiting.remove(task)
        return self._set


class Lock:
    """`threading.Lock` and `RLock`: who waits for it gives the baton away."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._holder: Task | None = None
        self._depth = 0
        self._waiting: list[Task] = []

    def acquire(self) -> bool:
        task = self._scheduler.current
        while self._holder is not None and self._holder is not task:
            assert task is not None
            self._waiting.append(task)
            self._scheduler.block()
        self._holder = task
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if self._depth:
            return
        self._holder = None
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._scheduler.wake(task, self._scheduler.now)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Thread:
    """`threading.Thread`: a task of the process that begins it."""

    def __init__(
        self, scheduler: Scheduler, target: Callable[..., Any], args: tuple[Any, ...] = (), name: str = "", **_: Any
    ) -> None:
        self._scheduler = scheduler
        self._work = lambda: target(*args)
        self._name = name
        self._task: Task | None = None

    def start(self) -> None:
        current = self._scheduler.current
        assert current is not None
        self._task = self._scheduler.spawn(self._name, current.process, self._work)

    def is_alive(self) -> bool:
        return self._task is not None and not self._task.done

    def join(self, timeout: float | None = None) -> None:
        task, current = self._task, self._scheduler.current
        if task is None or task.done or current is None:
            return
        task.joined.append(current)
        if timeout is not None:
            self._scheduler.sleep(timeout)
            return
        while not task.done:
            self._scheduler.block()


class Future:
    """What was submitted: its value or what it raised."""

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.thread: Thread | None = None

    def run(self, work: Callable[[], Any]) -> None:
        try:
            self.value = work()
        except Exception as error:
            self.error = error

    def result(self) -> Any:
        if self.thread is not None:
            self.thread.join()
        if self.error is not None:
            raise self.error
        return self.value


class Pool:
    """`ThreadPoolExecutor`: what is submitted is a task each, so that one that hangs keeps no other waiting."""

    def __init__(self, scheduler: Scheduler, max_workers: int = 1) -> None:
        self._scheduler = scheduler
        self._futures: list[Future] = []

    def submit(self, work: Callable[..., Any], *args: Any) -> Future:
        future = Future()
        future.thread = Thread(self._scheduler, lambda: future.run(lambda: work(*args)), name="pool")
        future.thread.start()
        self._futures.append(future)
        return future

    def map(self, work: Callable[..., Any], *given: Iterable[Any]) -> Iterator[Any]:
        futures = [self.submit(work, *args) for args in zip(*given, strict=False)]
        return (each.result() for each in futures)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not Killed:
            for each in self._futures:
                if each.thread is not None:
                    each.thread.join()


class Inline(Pool):
    """A pool that does at once what it is given: for passes, whose objects are compared without a request."""

    def submit(self, work: Callable[..., Any], *args: Any) -> Future:
        future = Future()
        future.run(lambda: work(*args))
        return future


class MachineClock:
    """The monotonic clock of one process's machine: it drifts, and never goes back."""

    def __init__(self, scheduler: Scheduler, process: Process) -> None:
        self._scheduler = scheduler
        self._process = process

    def monotonic(self) -> float:
        return self._process.offset + self._scheduler.now * self._process.rate

    def wait(self, event: Any, seconds: float) -> bool:
        """Wait in virtual time; a real event (one of the main line's) is not waited for."""
        if isinstance(event, Event):
            return event.wait(min(seconds, FOREVER) / self._process.rate)
        self._scheduler.sleep(seconds / self._process.rate)
        return bool(event.is_set())


THREADED = (publisher, site_record, guard_application, guard_program, reading, applying, contests, loop, store)
POOLED = (reading, stopping, admission_gate)


PURE = (
    (record, "read_journal"),
    (record, "read_card"),
    (sites_seen, "read_ack"),
    (sites_seen, "read_heartbeat"),
    (publisher, "read_ack"),
)
"""Readers of documents, which take most of a story's time: what was read once is not read again."""

READ = {(module, name): functools.lru_cache(4096)(getattr(module, name)) for module, name in PURE}


def _done(futures: Iterable[Future], **_: Any) -> Any:
    return SimpleNamespace(done=list(futures))


@contextmanager
def installed(scheduler: Scheduler) -> Iterator[None]:
    """The scheduler's threads in place of Python's, in every module of the product that uses them."""
    lock, event = lambda: Lock(scheduler), lambda: Event(scheduler)
    shim = SimpleNamespace(Lock=lock, RLock=lock, Event=event, Thread=lambda **given: Thread(scheduler, **given))
    tokens = SimpleNamespace(token_hex=lambda count: f"{scheduler.random.getrandbits(8 * count):0{2 * count}x}")
    changes: list[tuple[Any, str, Any]] = [(each, "threading", shim) for each in THREADED]
    changes += [(each, "ThreadPoolExecutor", lambda **given: Pool(scheduler, **given)) for each in POOLED]
    changes += [(executor, "ThreadPoolExecutor", lambda *_: Inline(scheduler)), (executor, "wait", _done)]
    changes += [(effects, "secrets", tokens), *((module, name, READ[module, name]) for module, name in PURE)]
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)

"""The queue under the simulated controllers: keys are due once, in their order, at the earliest moment asked for."""

from __future__ import annotations

import threading

from sandbox.simulation.engine import Queue


class ManualClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.is_set()


def names(queue: Queue, count: int) -> list[str]:
    taken = [queue.take() for _ in range(count)]
    return [key[1] for key in taken if key is not None]


def test_keys_come_in_the_order_in_which_they_are_due() -> None:
    clock = ManualClock()
    queue = Queue(clock)
    for name, delay in (("late", 5.0), ("now", 0.0), ("soon", 1.0)):
        queue.add(("ns", name), delay)
    clock.now += 10
    assert names(queue, 3) == ["now", "soon", "late"]


def test_a_key_that_is_added_again_is_due_once_at_the_earlier_moment() -> None:
    clock = ManualClock()
    queue = Queue(clock)
    queue.add(("ns", "first"), 3.0)
    queue.add(("ns", "second"), 2.0)
    queue.add(("ns", "first"), 1.0)
    queue.add(("ns", "first"), 9.0)
    queue.add(("ns", "end"), 20.0)
    clock.now += 20
    assert names(queue, 3) == ["first", "second", "end"]


def test_a_queue_that_is_stopped_gives_nothing() -> None:
    queue = Queue(ManualClock())
    queue.add(("ns", "name"))
    queue.stop()
    assert queue.take() is None

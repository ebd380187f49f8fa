"""What holds of every pass, whatever the graph."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.run_levels import graph
from reconciler.run_levels.executor import DONE, Outcome, execute


def task(name: str) -> graph.Task[None]:
    level, component = graph.parse_file_name(name) or (None, None)
    return graph.Task(name, None, level, component)


NAMES = st.lists(
    st.builds("0000_{:02}_{}_{}".format, st.integers(0, 3), st.sampled_from("ab"), st.integers(0, 2)),
    unique=True,
    max_size=8,
)


@given(names=NAMES, failing=st.sets(st.integers(0, 7), max_size=2), workers=st.integers(1, 4))
def test_a_task_runs_only_after_every_lower_level_is_done(names: list[str], failing: set[int], workers: int) -> None:
    tasks = [task(name) for name in sorted(names)]
    bad = {tasks[index].name for index in failing if index < len(tasks)}
    done: set[str] = set()
    lock = threading.Lock()

    def run(found: graph.Task[None]) -> Outcome:
        with lock:
            lower = {other.name for other in tasks if int(other.run_level or 0) < int(found.run_level or 0)}
            assert lower <= done
            if found.name in bad:
                return Outcome("failed", "told to")
            done.add(found.name)
            return DONE

    report = execute(graph.barriers(tasks), run, workers=workers)
    assert report.total == len(tasks)
    assert report.done == len(done)
    assert report.complete == (not bad)
    assert {found.name for found, _ in report.unfinished} <= bad


def test_an_independent_component_goes_on_when_another_fails() -> None:
    tasks = [task(name) for name in ("0000_10_a_1", "0000_10_a_2", "0000_10_b_1", "0000_20_c_1")]
    seen: list[str] = []

    def run(found: graph.Task[None]) -> Outcome:
        seen.append(found.name)
        return Outcome("waiting", "not healthy") if found.name == "0000_10_a_1" else DONE

    report = execute(graph.barriers(tasks), run, workers=1)
    assert seen == ["0000_10_a_1", "0000_10_b_1"]
    assert [(found.name, outcome.reason) for found, outcome in report.unfinished] == [("0000_10_a_1", "not healthy")]


def test_levels_of_an_application_are_numbers() -> None:
    tasks = [task(name) for name in ("0000_100_a_1", "0000_20_a_1", "0000_9_a_1")]
    assert [node.tasks[0].name for node in graph.barriers(tasks)] == ["0000_9_a_1", "0000_20_a_1", "0000_100_a_1"]


def test_nothing_more_runs_after_a_cancellation() -> None:
    seen: list[str] = []

    def run(found: graph.Task[None]) -> Outcome:
        seen.append(found.name)
        return DONE

    tasks = [task(name) for name in ("0000_10_a_1", "0000_10_a_2", "0000_20_a_1")]
    report = execute(graph.barriers(tasks), run, workers=1, cancelled=lambda: len(seen) == 1)
    assert seen == ["0000_10_a_1"]
    assert not report.complete


@pytest.mark.parametrize("mode", ["installing", "updating"])
def test_run_levels_of_the_platform_are_barriers(mode: graph.Mode) -> None:
    nodes = graph.build([task(name) for name in ("0000_05_x_1", "0000_05_y_1", "0000_06_z_1")], mode)
    assert [[found.name for found in node.tasks] for node in nodes] == [
        [],
        ["0000_05_x_1"],
        ["0000_05_y_1"],
        ["0000_06_z_1"],
    ]
    assert nodes[-1].needs == (1, 2)


def test_steady_passes_have_an_order_that_follows_from_the_attempt() -> None:
    tasks = [task(f"0000_{level:02}_a_1") for level in range(10, 20)]
    orders = [
        [found.name for node in graph.build(tasks, "steady", attempt) for found in node.tasks] for attempt in range(16)
    ]
    assert orders == [
        [found.name for node in graph.build(tasks, "steady", attempt) for found in node.tasks] for attempt in range(16)
    ]
    assert all(sorted(order) == sorted(orders[0]) for order in orders)
    assert len({order[0] for order in orders}) > 4

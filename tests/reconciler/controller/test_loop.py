"""What wakes and what ends a pass, and that nothing which goes wrong ends the work."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.controller.desired import Desired, Revision
from reconciler.controller.loop import Controller, Parts, _Work
from reconciler.errors import NotFound
from reconciler.fleet.territory import Territory
from reconciler.git.memory import MemoryRepository, MemoryServer
from reconciler.status.log import Log

APPLICATION = {
    "apps/x/application.yaml": b"apiVersion: siteshift.io/v1alpha1\nkind: Application\nmetadata: {name: x}\n",
    "apps/x/placement.yaml": b"apiVersion: siteshift.io/v1alpha1\nkind: Placement\nmetadata: {name: x}\n"
    b"spec: {active: a, epoch: 1}\n",
    "apps/x/base/kustomization.yaml": b"resources: []\n",
}


def files(text: str = "") -> dict[str, bytes]:
    header = "apiVersion: siteshift.io/v1alpha1\nkind: Fleet\nmetadata: {name: bank}\n"
    spec = "spec:\n  sites: [{name: a}]\n  applications: [apps/x]\n  poll: 200ms\n  freshness: 1s\n  permit: 2s\n"
    return {"siteshift.yaml": (header + spec + text).encode(), **APPLICATION}


class World:
    """The threads of a controller whose passes are a function of the test's."""

    def __init__(self) -> None:
        self.server = MemoryServer()
        self.commit = self.server.commit(files())
        self.repository = MemoryRepository(self.server)
        self.repository.fetch()
        self.out, self.stop, self.listed = io.StringIO(), threading.Event(), threading.Event()
        self.latest: Any = SimpleNamespace(head=self.commit, proven=True)
        self.desired = Desired(self.repository, "a")
        self.heartbeats: list[Callable[[], None]] = []
        self.renewals: list[Callable[[], None]] = []
        self.news = False
        self.pointed: str | None = None

    def get(self, *_: object) -> dict[str, Any]:
        if self.pointed is None:
            raise NotFound("not there")
        return {"data": {"site": "a", "url": self.pointed}}

    def speak(self, _: object, **__: object) -> None:
        self._next(self.heartbeats)

    def has_news(self) -> bool:
        return self.news

    def renew(self) -> bool:
        self._next(self.renewals)
        return True

    def _next(self, steps: list[Callable[[], None]]) -> None:
        step = steps.pop(0) if steps else None
        if step is not None:
            step()

    def head(self, commit: str) -> None:
        self.repository.fetch()
        self.latest = SimpleNamespace(head=commit, proven=True)

    def work(self, run: Callable[[Revision, Callable[[], bool]], Any]) -> _Work:
        leadership = SimpleNamespace(held=True, renew=self.renew, duration=0.2)
        caches = SimpleNamespace(changed=threading.Event(), drain=lambda: None, stop=lambda: None)
        mover: Any = SimpleNamespace()
        around: Any = SimpleNamespace(publisher=self, cluster=self)
        parts: Any = Parts(
            "a",
            self.desired.at(self.commit),
            self,
            caches,
            around,
            mover,
            leadership,
            self.desired,  # type: ignore[arg-type]
        )
        work = _Work(parts, Log("a", "text", self.out), SystemClock(), self.stop)
        work._speaker = self  # type: ignore[assignment]
        work._passes = SimpleNamespace(run=run, territory=Territory())  # type: ignore[assignment]
        work._reporter = SimpleNamespace(report=lambda _: None)  # type: ignore[assignment]
        work._pruner = SimpleNamespace(report_unmanaged=lambda _: None, namespaces=dict)  # type: ignore[assignment]
        return work

    def of(self, _: str) -> None:
        return None


REPORT = SimpleNamespace(applications=(), changed=True, quiet=False)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("text", "overtaken"), [("  poll: 400ms\n", True), ("  bogus: 1\n", False)], ids=["right", "wrong"]
)
def test_only_a_commit_that_can_be_acted_on_ends_the_pass_over_the_one_before(
    world: World, text: str, overtaken: bool
) -> None:
    seen: list[tuple[str, bool, bool]] = []

    def run(revision: Revision, cancelled: Callable[[], bool]) -> Any:
        before = cancelled()
        if not seen:
            newer = (
                files()["siteshift.yaml"]
                .decode()
                .replace("  poll: 200ms\n", text if overtaken else "  poll: 200ms\n" + text)
            )
            world.head(world.server.commit({**files(), "siteshift.yaml": newer.encode()}))
        else:
            world.stop.set()
        seen.append((revision.commit, before, cancelled()))
        return REPORT

    world.work(run).run()
    newest = world.latest.head
    assert seen[0] == (world.commit, False, True)
    assert (seen[1][0] == newest) is overtaken
    assert seen[1][1] is False
    assert ("fleet-invalid" in world.out.getvalue()) is not overtaken


def fail() -> None:
    raise ZeroDivisionError("oh")


@pytest.mark.parametrize("where", ["passes", "heartbeats", "renewals"])
def test_a_bug_is_said_and_the_work_goes_on(world: World, where: str) -> None:
    again: dict[str, list[str]] = {"passes": [], "heartbeats": [], "renewals": []}

    def note(name: str) -> None:
        again[name].append("again")
        if name == where:
            world.stop.set()

    def run(_: Revision, __: Callable[[], bool]) -> Any:
        if where == "passes":
            if not again["passes"] and "oh" not in world.out.getvalue():
                fail()
            note("passes")
        return REPORT

    world.heartbeats += [fail if where == "heartbeats" else lambda: None, lambda: note("heartbeats")]
    world.renewals += [fail if where == "renewals" else lambda: None, lambda: note("renewals")]
    giving_up = threading.Timer(20.0, world.stop.set)
    giving_up.start()
    try:
        world.work(run).run()
    finally:
        giving_up.cancel()
    assert again[where] == ["again"]
    assert "a bug: ZeroDivisionError: oh" in world.out.getvalue()


class Hands:
    """A clock that only waiting moves on; after each wait it does what the test says."""

    def __init__(self, after: dict[int, Callable[[], None]]) -> None:
        self.now, self.waits, self._after = 0.0, 0, after

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.now += seconds
        self.waits += 1
        self._after.get(self.waits, lambda: None)()
        return event.is_set()


def moves(world: World, work: _Work) -> None:
    del world
    work._moving = True


def has_news(world: World, work: _Work) -> None:
    del work
    world.news = True


def stops(world: World, work: _Work) -> None:
    del work
    world.stop.set()


@pytest.mark.parametrize(
    ("happens", "failed", "waited"),
    [
        (None, False, 30.0),
        (moves, False, 4.0),
        (moves, True, 4.0),
        (has_news, False, 4.0),
        (has_news, True, 30.0),
        (stops, False, 4.0),
    ],
)
def test_a_move_that_begins_and_news_do_not_wait_for_a_poll(
    world: World, happens: Callable[[World, _Work], None] | None, failed: bool, waited: float
) -> None:
    work = world.work(lambda *_: REPORT)
    work._fleet = replace(work._fleet, poll=30.0)
    hands = Hands({4: lambda: happens(world, work)} if happens else {})
    work._clock = hands
    work._rest(failed)
    assert hands.now == waited


@pytest.mark.parametrize(("bound", "url", "ends"), [("", "u2", True), ("u2", "", True), ("u2", "u2", False)])
def test_another_git_server_begins_everything_anew(world: World, bound: str, url: str, ends: bool) -> None:
    work = world.work(lambda *_: REPORT)
    work._parts = replace(work._parts, bound_url=bound)
    world.pointed = url
    assert work._is_pointed_elsewhere() is ends
    assert world.stop.is_set() is ends
    assert ("the Git server is" in world.out.getvalue()) is ends


def test_a_controller_works_anew_until_it_is_told_to_stop(world: World) -> None:
    begun: list[str] = []

    def assemble() -> Any:
        begun.append("assembled")
        if len(begun) == 3:
            controller.stop()
            return None
        desired = SimpleNamespace(close=lambda: None)
        leadership = SimpleNamespace(release=lambda: None)
        return SimpleNamespace(
            caches=SimpleNamespace(changed=threading.Event(), stop=lambda: None), desired=desired, leadership=leadership
        )

    controller = Controller(assemble, Log("a", "text", world.out), SystemClock())
    controller._begin = lambda _: False  # type: ignore[method-assign]
    controller._until = lambda attempt: attempt()  # type: ignore[method-assign,assignment]
    controller.run()
    assert len(begun) == 3

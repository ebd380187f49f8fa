"""Watches and watch caches: what they take in, what they survive, and that they never forget by accident."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reconciler.cluster import Caches, Cluster, Event, WatchCache
from reconciler.errors import ClusterError, Expired, NotFound, Refused, Unreachable
from reconciler.objects import Ref

MAPS = "/api/v1/configmaps"
PATIENCE = 10.0
"""Seconds after which a test that waits for another thread gives up."""


def _event(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": item}


def _bookmark(version: str) -> dict[str, Any]:
    return _event("BOOKMARK", {"kind": "ConfigMap", "metadata": {"resourceVersion": version}})


def _gone() -> dict[str, Any]:
    return _event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})


class Changes:
    """Collects refs from a watch's thread, and waits for them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._more = threading.Condition()

    def __call__(self, ref: Ref) -> None:
        with self._more:
            self.names.append(ref.name)
            self._more.notify_all()

    def until(self, count: int) -> list[str]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.names) >= count, PATIENCE), self.names
            return list(self.names)


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def cache(cluster: Cluster, clock: Any, changes: Changes) -> Iterator[Callable[[], WatchCache]]:
    made: list[WatchCache] = []

    def make() -> WatchCache:
        made.append(WatchCache(cluster, "v1", "ConfigMap", on_change=changes, clock=clock))
        return made[0]

    yield make
    for one in made:
        one.stop()


def test_events_come_in_order_and_bookmarks_with_them(cluster: Cluster, script: Any, say: Any) -> None:
    lines = [_event("ADDED", say.config_map("a", "2")), _bookmark("5"), _event("DELETED", say.config_map("a", "6"))]
    script.on("WATCH", MAPS, say.Answer(lines=lines))

    events = list(cluster.watch("v1", "ConfigMap", resource_version="1", label_selector="app=shop"))

    assert [(event.type, event.resource_version) for event in events] == [
        ("ADDED", "2"),
        ("BOOKMARK", "5"),
        ("DELETED", "6"),
    ]
    (asked,) = script.requests(MAPS)
    assert asked.query["resourceVersion"] == "1"
    assert asked.query["allowWatchBookmarks"] == "true"
    assert asked.query["labelSelector"] == "app=shop"


@pytest.mark.parametrize("how", ["as an event", "as the answer"])
def test_a_version_that_is_too_old_is_expired(cluster: Cluster, script: Any, say: Any, how: str) -> None:
    late, early = say.Answer(lines=[_gone()]), say.status(410, "Expired", "too old")
    script.on("WATCH", MAPS, late if how == "as an event" else early)

    with pytest.raises(Expired, match="too old"):
        list(cluster.watch("v1", "ConfigMap", resource_version="1"))


def test_closing_a_watch_wakes_the_thread_that_reads_it(cluster: Cluster, script: Any, say: Any) -> None:
    script.on("WATCH", MAPS, say.Answer(lines=[_event("ADDED", say.config_map("a", "2")), None]))
    watch = cluster.watch("v1", "ConfigMap", resource_version="1")
    first = threading.Event()
    reader = threading.Thread(target=lambda: [first.set() for _ in watch], daemon=True)
    reader.start()
    assert first.wait(PATIENCE)

    watch.close()
    reader.join(PATIENCE)

    assert not reader.is_alive()


def test_a_cache_lists_once_and_then_follows(
    cache: Callable[[], WatchCache], script: Any, say: Any, changes: Changes
) -> None:
    script.on("GET", MAPS, say.listing("1", say.config_map("a", "1"), say.config_map("b", "1")))
    changed = [_event("MODIFIED", say.config_map("a", "2", x="y")), _event("DELETED", say.config_map("b", "3"))]
    script.on("WATCH", MAPS, say.Answer(lines=[*changed, None]))

    seen = cache()

    assert changes.until(4) == ["a", "b", "a", "b"]
    assert [item["metadata"]["name"] for item in seen.items()] == ["a"]
    assert seen.get("shop", "a")["data"] == {"x": "y"}
    assert seen.get("shop", "b") is None
    assert len([asked for asked in script.requests(MAPS) if "watch" not in asked.query]) == 1


def test_a_cache_lists_again_when_history_is_gone_and_tells_what_differs(
    cache: Callable[[], WatchCache], script: Any, say: Any, changes: Changes
) -> None:
    before = say.listing("1", say.config_map("same", "1"), say.config_map("old", "1"), say.config_map("went", "1"))
    after = say.listing("9", say.config_map("same", "1"), say.config_map("old", "5"), say.config_map("new", "6"))
    script.on("GET", MAPS, before, after)
    script.on("WATCH", MAPS, say.Answer(lines=[_gone()]), say.Answer(lines=[None]))

    seen = cache()

    assert sorted(changes.until(6)[3:]) == ["new", "old", "went"]
    assert sorted(item["metadata"]["name"] for item in seen.items()) == ["new", "old", "same"]


def test_the_last_good_state_outlives_an_outage(
    cache: Callable[[], WatchCache], script: Any, say: Any, changes: Changes, clock: Any
) -> None:
    outage = say.status(500, "InternalError", "store is down")
    script.on("GET", MAPS, say.listing("1", say.config_map("a", "1")), *[outage] * 5, say.listing("2"))
    script.on("WATCH", MAPS, outage, outage, outage, say.Answer(lines=[None]))
    before = clock.now

    seen = cache()
    assert seen.wait_synced(PATIENCE) or seen.synced.wait(PATIENCE)
    assert changes.until(2) == ["a", "a"]

    assert seen.items() == ()
    assert clock.now - before > 1.0, "tries follow each other without a pause"


def test_an_outage_is_told_and_keeps_the_objects(
    cache: Callable[[], WatchCache], script: Any, say: Any, changes: Changes, clock: Any
) -> None:
    script.on("GET", MAPS, say.listing("1", say.config_map("a", "1")), say.status(403, "Forbidden", "revoked"))
    script.on("WATCH", MAPS, say.status(403, "Forbidden", "revoked"))

    seen = cache()
    changes.until(1)
    while len(script.requests(MAPS)) < 4:
        seen.synced.wait(PATIENCE)

    assert [item["metadata"]["name"] for item in seen.items()] == ["a"]
    assert "revoked" in str(seen.error)
    assert (seen.stale_for() or 0.0) > 0.0


def test_before_the_first_list_there_is_an_error_not_an_empty_set(
    cache: Callable[[], WatchCache], script: Any, say: Any
) -> None:
    script.on("GET", MAPS, say.status(503, "ServiceUnavailable", "starting"))

    with pytest.raises(Unreachable):
        cache().items()


def test_an_answer_to_a_write_is_read_at_once_and_older_events_do_not_undo_it(
    cache: Callable[[], WatchCache], script: Any, say: Any, changes: Changes
) -> None:
    late = [_event("MODIFIED", say.config_map("a", "2", x="older")), _event("ADDED", say.config_map("b", "4"))]
    script.on("GET", MAPS, say.listing("1", say.config_map("a", "1")))
    script.on("WATCH", MAPS, say.Answer(lines=[]), say.Answer(lines=[None]))
    seen = cache()
    changes.until(1)
    seen.absorb(say.config_map("a", "3", x="ours"))

    for event in late:
        seen._take(Event(event["type"], event["object"]))

    assert seen.get("shop", "a")["data"] == {"x": "ours"}
    assert seen.get("shop", "b") is not None


def test_an_answer_that_comes_after_the_deletion_does_not_bring_the_object_back(
    cache: Callable[[], WatchCache], script: Any, say: Any, changes: Changes
) -> None:
    script.on("GET", MAPS, say.listing("1", say.config_map("a", "1")))
    script.on("WATCH", MAPS, say.Answer(lines=[_event("DELETED", say.config_map("a", "3")), None]))
    seen = cache()
    changes.until(2)

    seen.absorb(say.config_map("a", "2", x="ours"))

    assert seen.get("shop", "a") is None


def test_stopping_ends_a_silent_watch(cache: Callable[[], WatchCache], script: Any, say: Any, changes: Changes) -> None:
    script.on("GET", MAPS, say.listing("1", say.config_map("a", "1")))
    script.on("WATCH", MAPS, say.Answer(lines=[_event("ADDED", say.config_map("b", "2")), None]))
    seen = cache()
    changes.until(2)

    seen.stop()

    assert not seen._thread.is_alive()
    assert len(seen.items()) == 2


def test_caches_watch_each_kind_once_and_say_what_changed(cluster: Cluster, script: Any, say: Any, clock: Any) -> None:
    script.on("GET", MAPS, say.listing("1", say.config_map("a", "1")))
    script.on("WATCH", MAPS, say.Answer(lines=[None]))
    caches = Caches(cluster, selectors={("", "ConfigMap"): "app=shop"})
    try:
        assert caches.live(say.config_map("a", ""), timeout=PATIENCE) is not None
        assert caches.live(say.config_map("none", ""), timeout=PATIENCE) is None
        assert caches.of("v1", "ConfigMap") is caches.of("v1", "ConfigMap")
        assert caches.changed.wait(PATIENCE)
        assert [ref.name for ref in caches.drain()] == ["a"]
        assert not caches.changed.is_set()
        assert script.requests(MAPS)[0].query["labelSelector"] == "app=shop"
    finally:
        caches.stop()


def test_an_object_of_a_kind_that_is_not_installed_is_not_there(cluster: Cluster, script: Any) -> None:
    caches = Caches(cluster)
    thing = {"apiVersion": "demo.io/v1", "kind": "Thing", "metadata": {"name": "x"}}
    try:
        cache = caches.of("demo.io/v1", "Thing")
        while cache.error is None:
            cache.synced.wait(0.01)
        assert isinstance(cache.error, NotFound)
        assert caches.live(thing, timeout=0.0) is None
    finally:
        caches.stop()


class CallersClock:
    """Notes what the test's own thread waits for; time passes only for it. Watches pause for as long as it takes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waited: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if threading.current_thread() is not threading.main_thread():
            return event.wait(PATIENCE)
        self.waited.append(seconds)
        self.now += seconds
        return event.wait(0.05)


THING = {"apiVersion": "demo.io/v1", "kind": "Thing", "metadata": {"name": "x"}}


@pytest.mark.parametrize(
    ("trouble", "found"),
    [("not installed", None), ("forbidden", Refused), ("failing", ClusterError)],
)
def test_a_kind_that_cannot_be_listed_holds_nobody_up(
    cluster: Cluster, script: Any, say: Any, trouble: str, found: Any
) -> None:
    manifest = THING if trouble == "not installed" else say.config_map("a", "")
    answer = say.status(403, "Forbidden", "no") if trouble == "forbidden" else say.status(500, "InternalError", "no")
    script.on("GET", MAPS, answer)
    clock = CallersClock()
    caches = Caches(cluster, clock=clock)
    try:
        cache = caches.of(manifest["apiVersion"], manifest["kind"])
        assert cache._answered.wait(PATIENCE)
        for _ in range(3):
            if found is None:
                assert caches.live(manifest, timeout=PATIENCE) is None
            else:
                with pytest.raises(found):
                    caches.live(manifest, timeout=PATIENCE)
        assert clock.waited == []
    finally:
        caches.stop()


def test_a_kind_that_does_not_answer_is_waited_for_once(cluster: Cluster, script: Any, say: Any) -> None:
    script.on("GET", MAPS, say.Answer(lines=[None]))
    clock = CallersClock()
    caches = Caches(cluster, clock=clock)
    try:
        for _ in range(3):
            with pytest.raises(Unreachable):
                caches.live(say.config_map("a", ""), timeout=PATIENCE)
        assert clock.waited == [PATIENCE]
    finally:
        script.over.set()
        caches.stop()


def test_a_kind_whose_definition_was_just_applied_is_waited_for(cluster: Cluster, script: Any, say: Any) -> None:
    caches = Caches(cluster, clock=PatientClock())
    try:
        assert caches.live(THING, timeout=PATIENCE) is None
        group = {"name": "demo.io", "versions": [{"groupVersion": "demo.io/v1"}]}
        script.on("GET", "/apis", say.Answer(body={"kind": "APIGroupList", "groups": [group]}))
        things = {"resources": [{"name": "things", "kind": "Thing", "namespaced": False}]}
        script.on("GET", "/apis/demo.io/v1", say.Answer(body=things))
        script.on("GET", "/apis/demo.io/v1/things", say.listing("1", THING))
        script.on("WATCH", "/apis/demo.io/v1/things", say.Answer(lines=[None]))
        definition = {"kind": "CustomResourceDefinition", "spec": {"group": "demo.io", "names": {"kind": "Thing"}}}
        caches.absorb({"apiVersion": "apiextensions.k8s.io/v1", "metadata": {"name": "things.demo.io"}, **definition})

        assert caches.live(THING, timeout=PATIENCE) is not None
    finally:
        caches.stop()


class PatientClock:
    """Waits until it is woken, however short the wait was meant to be."""

    def monotonic(self) -> float:
        return 0.0

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(PATIENCE)


def test_a_kind_that_was_just_written_is_looked_for_at_once(cluster: Cluster, script: Any, say: Any) -> None:
    core = script.answers["GET", "/api/v1"][0]
    script.on("GET", "/api/v1", say.Answer(body={"resources": []}))
    script.on("GET", MAPS, say.listing("3", say.config_map("a", "3")))
    script.on("WATCH", MAPS, say.Answer(lines=[None]))
    cache = WatchCache(cluster, "v1", "ConfigMap", clock=PatientClock())
    while cache.error is None:
        cache.synced.wait(0.01)

    script.on("GET", "/api/v1", core)
    cache.absorb(say.config_map("a", "3"))

    assert cache.wait_synced(PATIENCE)
    assert cache.get("shop", "a") is not None
    cache.stop()

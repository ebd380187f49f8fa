"""Rendering in processes that are killed: what is slow, huge or broken is one application's error and nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pygit2
import pytest

from reconciler.clock import SystemClock
from reconciler.controller import render_limits, rendering
from reconciler.controller.rendering import BasesSettings, RenderService, RenderStopped
from reconciler.objects import APPLICATION_LABEL
from render.errors import InputError
from render.site import Unit

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\n"
SLOW = "patches: [{path: p.yaml, target: {kind: ConfigMap, name: '" + "a?" * 4500 + "b'}}]\n"
NAMES = "---\n".join(MAP.format(name="a" * 200 + str(number)) for number in range(1000))
"""A pattern that is followed in a second for each name, and a thousand names."""

WHO = pygit2.Signature("t", "t@example.com", 1_700_000_000, 0)
PATIENCE = 60.0


class Fleet:
    """A repository of units, each a folder with a kustomization, and a service that renders it."""

    def __init__(self, folder: Path) -> None:
        self.repository = pygit2.init_repository(str(folder), bare=True)
        self.files: dict[str, bytes] = {}
        self.commit = ""
        self.service = RenderService(folder, BasesSettings(folder / "bases", None, 5.0), SystemClock())

    def put(self, name: str, kustomization: str = "", **files: str) -> str:
        """Commit a unit; returns the commit."""
        self.files[f"apps/{name}/kustomization.yaml"] = f"resources: [c.yaml]\n{kustomization}".encode()
        self.files[f"apps/{name}/c.yaml"] = MAP.format(name=name).encode()
        self.files |= {f"apps/{name}/{path.replace('_', '.')}": text.encode() for path, text in files.items()}
        index = pygit2.Index()
        for path, data in self.files.items():
            index.add(pygit2.IndexEntry(path, self.repository.create_blob(data), pygit2.enums.FileMode.BLOB))
        tree = index.write_tree(self.repository)
        parents = [self.commit] if self.commit else []
        self.commit = str(self.repository.create_commit(None, WHO, WHO, "change", tree, parents))
        return self.commit

    def render(self, name: str, commit: str | None = None) -> tuple[Any, ...]:
        return self.service.render(commit or self.commit, unit(name), ())

    def ends(self, name: str, commit: str | None = None) -> tuple[Any, ...] | InputError:
        """What comes of a unit in the end, whatever the pass that asked first was told."""
        while True:
            try:
                return self.render(name, commit)
            except InputError as error:
                if "is still being rendered" not in error.message:
                    return error


def unit(name: str) -> Unit:
    return Unit(name, f"apps/{name}", APPLICATION_LABEL)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path / "mirror")
    yield made
    made.service.close()


def stall(fleet: Fleet, name: str, monkeypatch: pytest.MonkeyPatch, *, seconds: float) -> None:
    """Commit a unit that takes a quarter of an hour."""
    monkeypatch.setattr(rendering, "SECONDS", seconds)
    fleet.put(name, SLOW, p_yaml=MAP.format(name="x"), c_yaml=NAMES)


def processes() -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", rendering.MODULE], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def test_a_unit_is_rendered_once_and_stays_the_same_tuple_while_its_files_do(fleet: Fleet) -> None:
    fleet.put("ledger")
    first = fleet.ends("ledger")
    assert [item.manifest["metadata"]["name"] for item in first] == ["ledger"]  # type: ignore[union-attr]
    fleet.put("other")
    assert fleet.ends("ledger") is first
    fleet.put("ledger", "namePrefix: new-\n")
    assert fleet.ends("ledger")[0].manifest["metadata"]["name"] == "new-ledger"  # type: ignore[index]


def test_what_was_rendered_is_asked_of_no_process_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fleet.put("ledger")
    fleet.ends("ledger")
    second = fleet.put("ledger", "nameSuffix: -v2\n")
    fleet.ends("ledger")
    monkeypatch.setattr(rendering.Worker, "call", lambda *_: pytest.fail("it crossed the pipe"))
    assert fleet.render("ledger", first)[0].manifest["metadata"]["name"] == "ledger"
    assert fleet.render("ledger", second)[0].manifest["metadata"]["name"] == "ledger-v2"


def test_an_error_names_file_and_line_and_is_not_looked_for_in_every_pass(fleet: Fleet) -> None:
    fleet.put("ledger", "nonsense: true\n")
    error = fleet.ends("ledger")
    assert isinstance(error, InputError)
    assert error.path == "apps/ledger/kustomization.yaml"
    assert fleet.ends("ledger") is error


def test_a_pattern_without_end_is_ended_and_the_others_go_on(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.put("ledger")
    fleet.ends("ledger")
    monkeypatch.setattr(rendering, "PATIENCE", 0.2)
    stall(fleet, "bad", monkeypatch, seconds=PATIENCE)
    with pytest.raises(InputError, match="apps/bad is still being rendered; its time is over after 60 seconds"):
        fleet.render("bad")

    fleet.put("ledger", "nameSuffix: -v2\n")
    assert fleet.ends("ledger")[0].manifest["metadata"]["name"] == "ledger-v2"  # type: ignore[index]
    with pytest.raises(InputError, match="still being rendered"):
        fleet.render("bad")


def test_what_takes_too_long_is_one_clear_error_and_can_be_repaired(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = fleet.put("bad")
    fleet.ends("bad")
    stall(fleet, "bad", monkeypatch, seconds=0.5)
    error = fleet.ends("bad")
    assert isinstance(error, RenderStopped)
    assert str(error).startswith("apps/bad: error: rendering apps/bad: took longer than 0.5 seconds\n  hint: ")
    assert fleet.render("bad", good)[0].manifest["metadata"]["name"] == "bad", "the last good definition stays"
    assert fleet.ends("bad") is error, "the same commit is not tried again at once"

    monkeypatch.setattr(rendering, "SECONDS", PATIENCE)
    fleet.put("bad", c_yaml=MAP.format(name="bad"))
    assert fleet.ends("bad")[0].manifest["metadata"]["name"] == "bad"  # type: ignore[index]


def test_what_takes_too_much_memory_is_one_clear_error(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.put("ledger")
    fleet.ends("ledger")
    long = "x" * (100 << 20)
    generator = "configMapGenerator:\n" + "".join(f"- {{name: m{i}, files: [big.txt]}}\n" for i in range(12))
    fleet.put("bad", generator, big_txt=long)
    error = fleet.ends("bad")
    assert isinstance(error, InputError)
    assert "memory" in str(error) or "MiB" in str(error)
    assert fleet.ends("ledger")[0].manifest["metadata"]["name"] == "ledger"  # type: ignore[index]


def test_applications_that_were_stopped_before_share_one_process(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bad", "worse"):
        stall(fleet, name, monkeypatch, seconds=0.3)
        assert isinstance(fleet.ends(name), RenderStopped)
    monkeypatch.setattr(rendering, "PATIENCE", 0.2)
    monkeypatch.setattr(rendering, "SECONDS", PATIENCE)
    fleet.put("bad", SLOW + "nameSuffix: -v2\n", p_yaml=MAP.format(name="x"), c_yaml=NAMES)
    for name in ("bad", "worse"):
        with pytest.raises(InputError, match="still being rendered"):
            fleet.render(name)
    fleet.put("ledger")
    assert fleet.ends("ledger")[0].manifest["metadata"]["name"] == "ledger"  # type: ignore[index]


def test_closing_ends_a_process_that_listens_to_nobody(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "PATIENCE", 0.2)
    before = set(processes())
    stall(fleet, "bad", monkeypatch, seconds=PATIENCE)
    with pytest.raises(InputError, match="still being rendered"):
        fleet.render("bad")
    assert set(processes()) - before
    fleet.service.close()
    assert not set(processes()) - before


PARENT = """
import os, sys
from pathlib import Path
from reconciler.clock import SystemClock
from reconciler.controller import rendering
from reconciler.controller.rendering import BasesSettings, RenderService
from render.site import Unit
rendering.PATIENCE = 0.2
rendering.SECONDS = 1.0
service = RenderService(Path(sys.argv[1]), BasesSettings(Path("bases"), None, 5.0), SystemClock())
try:
    service.render(sys.argv[2], Unit("bad", "apps/bad", "l"), ())
except Exception as error:
    print(service._lanes[0]._worker._process.pid, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_process_whose_parent_was_killed_ends_by_itself(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    stall(fleet, "bad", monkeypatch, seconds=1.0)
    words = [sys.executable, "-c", PARENT, fleet.repository.path, fleet.commit]
    orphan = int(subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE).stdout)
    _until(lambda: not Path(f"/proc/{orphan}").exists() or "Z" in Path(f"/proc/{orphan}/stat").read_text())


def _until(true: Callable[[], bool]) -> None:
    ended = threading.Event()
    for _ in range(600):
        if true():
            return
        ended.wait(0.1)
    pytest.fail("it goes on")


def test_the_limits_leave_room_for_what_people_write() -> None:
    assert render_limits.PATIENCE < render_limits.SECONDS
    assert render_limits.FIRST_PAUSE < render_limits.LONGEST_PAUSE

"""Kept outputs never change what `siteshift build` prints: with them, without them, and whatever happens to them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cli.kept_bench import MAP, Bench

from reconciler.cli import kept


def test_an_unchanged_build_is_not_done_again(bench: Bench) -> None:
    first = bench.build()
    assert "name: x-one" in first
    assert bench.build() == first
    assert bench.builds == 1


@pytest.mark.parametrize("option", ["flag", "environment"])
def test_without_a_cache_nothing_is_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    if option == "environment":
        monkeypatch.setenv("SITESHIFT_NO_CACHE", "1")
    words = ["--no-cache"] if option == "flag" else []
    assert bench.build(*words) == bench.build(*words)
    assert bench.builds == 2
    assert not bench.cache.exists()


def _rewrite(bench: Bench) -> None:
    bench.write("a.yaml", MAP.format(name="two"))


def _append(bench: Bench) -> None:
    bench.write("a.yaml", MAP.format(name="one") + "data: {a: b}\n")


def _replace(bench: Bench) -> None:
    bench.write("b.yaml", MAP.format(name="two"))
    os.replace(bench.folder / "b.yaml", bench.folder / "a.yaml")


def _remove(bench: Bench) -> None:
    (bench.folder / "a.yaml").unlink()


def _become_a_link(bench: Bench) -> None:
    bench.write("b.yaml", MAP.format(name="two"))
    (bench.folder / "a.yaml").unlink()
    (bench.folder / "a.yaml").symlink_to("b.yaml")


def _become_a_folder(bench: Bench) -> None:
    (bench.folder / "a.yaml").unlink()
    bench.write("a.yaml/kustomization.yaml", "resources: [c.yaml]\n")
    bench.write("a.yaml/c.yaml", MAP.format(name="three"))


def _second_kustomization_appears(bench: Bench) -> None:
    bench.write("kustomization.yml", "resources: []\n")


def _another_name_instead(bench: Bench) -> None:
    bench.write("kustomization.yml", "resources: [a.yaml]\n")
    (bench.folder / "kustomization.yaml").unlink()


def _move_an_older_one_over(bench: Bench) -> None:
    bench.write("b.yaml", MAP.format(name="two"))
    os.utime(bench.folder / "b.yaml", ns=(1, 1))
    os.replace(bench.folder / "b.yaml", bench.folder / "a.yaml")


def _link_another_file_hard(bench: Bench) -> None:
    bench.write("b.yaml", MAP.format(name="two"))
    (bench.folder / "a.yaml").unlink()
    os.link(bench.folder / "b.yaml", bench.folder / "a.yaml")


def _new_file_in_the_old_place_on_the_disk(bench: Bench) -> None:
    (bench.folder / "a.yaml").unlink()
    bench.write("a.yaml", MAP.format(name="two"))


def _write_from_the_future(bench: Bench) -> None:
    _rewrite(bench)
    os.utime(bench.folder / "a.yaml", ns=(1 << 62, 1 << 62))


CHANGES = [
    _rewrite,
    _append,
    _replace,
    _remove,
    _become_a_link,
    _become_a_folder,
    _second_kustomization_appears,
    _another_name_instead,
    _move_an_older_one_over,
    _link_another_file_hard,
    _new_file_in_the_old_place_on_the_disk,
    _write_from_the_future,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_change_is_seen(bench: Bench, change: Callable[[Bench], None]) -> None:
    before = bench.build()
    change(bench)
    after = bench.build()
    assert after != before
    assert after == bench.build("--no-cache")


def _same_for_ever(ask: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    """The status of files as a disk tells it whose clock stands still and that numbers no files."""

    def status(*given: Any, **named: Any) -> os.stat_result:
        found = ask(*given, **named)
        return os.stat_result(
            (found.st_mode, 1, 1, 1, found.st_uid, found.st_gid, found.st_size, 0, 0, 0),
            {"st_mtime_ns": 0, "st_ctime_ns": 0, "st_atime_ns": 0},
        )

    return status


def test_a_change_within_one_tick_of_the_clock_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stat", "lstat", "fstat"):
        monkeypatch.setattr(os, name, _same_for_ever(getattr(os, name)))
    before = bench.build()
    assert bench.build() == before
    assert bench.builds == 1
    _rewrite(bench)
    assert bench.build() == before.replace("one", "two")


def test_a_change_that_hides_behind_the_old_time_is_seen(bench: Bench) -> None:
    before = bench.build()
    times = (bench.folder / "a.yaml").stat()
    _rewrite(bench)
    os.utime(bench.folder / "a.yaml", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert bench.build() == before.replace("one", "two")


def test_times_alone_are_no_change(bench: Bench) -> None:
    before = bench.build()
    os.utime(bench.folder / "a.yaml", ns=(1, 1))
    bench.write("b.yaml", MAP.format(name="one"))
    os.replace(bench.folder / "b.yaml", bench.folder / "a.yaml")
    assert bench.build() == before
    assert bench.builds == 1


def test_a_folder_behind_a_link_is_another_folder(bench: Bench) -> None:
    for name in ("one", "two"):
        bench.write(f"bases/{name}/kustomization.yaml", "resources: [a.yaml]\n")
        bench.write(f"bases/{name}/a.yaml", MAP.format(name=name))
    bench.write("kustomization.yaml", "resources: [base]\n")
    (bench.folder / "base").symlink_to("bases/one")
    assert "name: one" in bench.build()
    (bench.folder / "base").unlink()
    (bench.folder / "base").symlink_to("bases/two")
    assert "name: two" in bench.build()


def test_options_are_part_of_the_question(bench: Bench) -> None:
    assert bench.build() != bench.build("--enable-managedby-label")
    assert bench.builds == 2


def test_another_program_does_its_own_build(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench.build()
    monkeypatch.setattr(kept, "_program", lambda: "another program")
    assert bench.build() == first
    assert bench.builds == 2


def test_a_program_that_is_being_changed_keeps_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_program", lambda: None)
    assert bench.build() == bench.build()
    assert bench.builds == 2
    assert not bench.cache.exists()


def test_the_program_is_all_that_takes_part_in_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name for place in kept._program_folders() for _, name in kept._files(place)}
    loaded = {
        str(module.__file__)
        for name, module in sys.modules.items()
        if name.split(".")[0] in ("render", "yaml") or name in ("reconciler.cli.build", "reconciler.cli.kept")
    }
    assert loaded <= files


def test_a_program_just_written_is_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "part.py").write_text("1")
    monkeypatch.setattr(kept, "_program_folders", lambda: [str(tmp_path)])
    now = time.time_ns()
    for seconds, is_known in ((0, False), (1, False), (3, True)):
        monkeypatch.setattr(kept.time, "time_ns", lambda seconds=seconds: now + seconds * 1_000_000_000)
        assert (kept._program() is not None) is is_known


def test_a_program_on_an_image_is_known_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "scandir", lambda folder: _Image(Path(folder)))
    monkeypatch.setattr(kept, "_program_folders", lambda: [str(tmp_path)])
    found = []
    for text in ("1", "2", "2"):
        (tmp_path / "part.py").write_text(text)
        found.append(kept._program())
    assert None not in found
    assert found[0] != found[1] == found[2]


class _Image:
    """A folder all of whose files are as old as the image and have its one number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> list[Any]:
        still = _same_for_ever(os.stat)
        return [
            SimpleNamespace(name=file.name, path=str(file), is_dir=file.is_dir, stat=lambda file=file: still(file))
            for file in self._folder.iterdir()
        ]

    def __exit__(self, *_: object) -> None:
        return None


def test_a_program_that_does_not_lie_in_a_folder_keeps_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(bench.cache))
    monkeypatch.setattr(kept, "_program_folders", lambda: [str(tmp_path / "program.zip" / "render")])
    assert bench.build() == bench.build()
    assert not bench.cache.exists()


def test_an_error_is_not_kept(bench: Bench) -> None:
    bench.write("a.yaml", "no: {{object\n")
    first = bench.build()
    assert "error" in first
    assert bench.build() == first
    assert bench.builds == 2

"""Kept outputs never change what `siteshift build` prints: with them, without them, and whatever happens to them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import render.kustomization
from reconciler.cli import kept
from reconciler.cli.main import main
from render.tree import noted

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"
HOUR = 3_600_000_000_000


class Bench:
    """A folder to build, a cache, and how often a build was really done."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = root / "app"
        self.cache = root / "cache"
        self.builds = 0
        self._capsys = capsys
        self.write("kustomization.yaml", "resources: [a.yaml]\nnamePrefix: x-\n")
        self.write("a.yaml", MAP.format(name="one"))

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self, *options: str) -> str:
        """What is printed: output, or the error."""
        main(["build", str(self.folder), *options])
        out, err = self._capsys.readouterr()
        return out + err

    def entries(self) -> list[Path]:
        return sorted((self.cache / "siteshift" / "builds").iterdir())


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    bench = Bench(tmp_path, capsys)
    really_build = render.kustomization.build

    def counted(*given: object, **named: object) -> object:
        bench.builds += 1
        return really_build(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setenv("XDG_CACHE_HOME", str(bench.cache))
    monkeypatch.delenv("SITESHIFT_NO_CACHE", raising=False)
    monkeypatch.setattr(render.kustomization, "build", counted)
    monkeypatch.setattr(kept, "_program", lambda _settled: "this program")
    return bench


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets an hour pass, so that every file counts as left alone."""
    now = kept.time.time_ns

    def pass_an_hour() -> None:
        monkeypatch.setattr(kept.time, "time_ns", lambda: now() + HOUR)

    return pass_an_hour


def test_an_unchanged_build_is_not_done_again(bench: Bench) -> None:
    first = bench.build()
    assert "name: x-one" in first
    assert bench.build() == first
    assert bench.builds == 1


def test_what_is_kept_survives_that_files_settle(bench: Bench, later: Callable[[], None]) -> None:
    first = bench.build()
    later()
    before = bench.entries()[0].read_bytes()
    assert bench.build() == first
    assert bench.entries()[0].read_bytes() != before, "stamps suffice from now on, and the entry should say so"
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


@pytest.mark.parametrize("settled", [False, True], ids=["just-written", "settled"])
@pytest.mark.parametrize(
    "change",
    [_rewrite, _append, _replace, _remove, _become_a_link, _become_a_folder, _second_kustomization_appears],
    ids=lambda change: change.__name__.strip("_"),
)
def test_a_change_is_seen(
    bench: Bench, later: Callable[[], None], change: Callable[[Bench], None], settled: bool
) -> None:
    if settled:
        later()
    before = bench.build()
    change(bench)
    after = bench.build()
    assert after != before
    assert after == bench.build("--no-cache")


def test_a_change_within_one_tick_of_the_clock_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noted, "stamp", lambda _status: "the same for ever")
    before = bench.build()
    _rewrite(bench)
    assert bench.build() == before.replace("one", "two")


def test_a_change_that_hides_behind_the_old_time_is_seen(bench: Bench, later: Callable[[], None]) -> None:
    later()
    before = bench.build()
    times = (bench.folder / "a.yaml").stat()
    _rewrite(bench)
    os.utime(bench.folder / "a.yaml", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert bench.build() == before.replace("one", "two")


def test_a_folder_behind_a_link_is_another_folder(bench: Bench, later: Callable[[], None]) -> None:
    for name in ("one", "two"):
        bench.write(f"bases/{name}/kustomization.yaml", "resources: [a.yaml]\n")
        bench.write(f"bases/{name}/a.yaml", MAP.format(name=name))
    bench.write("kustomization.yaml", "resources: [base]\n")
    (bench.folder / "base").symlink_to("bases/one")
    later()
    assert "name: one" in bench.build()
    (bench.folder / "base").unlink()
    (bench.folder / "base").symlink_to("bases/two")
    assert "name: two" in bench.build()


def test_options_are_part_of_the_question(bench: Bench) -> None:
    assert bench.build() != bench.build("--enable-managedby-label")
    assert bench.builds == 2


def test_another_program_does_its_own_build(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench.build()
    monkeypatch.setattr(kept, "_program", lambda _settled: "another program")
    assert bench.build() == first
    assert bench.builds == 2


def test_a_program_that_is_being_changed_keeps_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_program", lambda _settled: None)
    assert bench.build() == bench.build()
    assert bench.builds == 2
    assert not bench.cache.exists()


def test_the_program_is_all_that_takes_part_in_a_build() -> None:
    for_ever = 1 << 62
    assert kept._program(for_ever) is not None
    assert kept._program(for_ever) == kept._program(for_ever)
    assert kept._program(0) is None
    files = {name for place in render.__path__ for _, name in kept._files(place)}
    loaded = {str(module.__file__) for name, module in sys.modules.items() if name.split(".")[0] == "render"}
    assert loaded <= files


def test_an_error_is_not_kept(bench: Bench) -> None:
    bench.write("a.yaml", "no: {{object\n")
    first = bench.build()
    assert "error" in first
    assert bench.build() == first
    assert bench.builds == 2


def _damages() -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    yield "empty", lambda _: b""
    yield "other-text", lambda _: b"apiVersion: v1\n"
    yield "cut-in-the-head", lambda data: data[:20]
    yield "cut-in-the-output", lambda data: data[:-5]
    yield "longer", lambda data: data + b"more: 1\n"
    yield "other-output", lambda data: data.replace(b"x-one", b"x-two")
    yield "other-form", lambda data: data.replace(b"build 1", b"build 2")
    for share in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999):
        yield f"byte-at-{share}", lambda data, share=share: _flipped(data, int(len(data) * share))


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x20]) + data[place + 1 :]


@pytest.mark.parametrize("damage", [pytest.param(damage, id=name) for name, damage in _damages()])
def test_a_damaged_entry_counts_as_none(bench: Bench, damage: Callable[[bytes], bytes]) -> None:
    first = bench.build()
    (entry,) = bench.entries()
    entry.write_bytes(damage(entry.read_bytes()))
    assert bench.build() == first
    assert bench.builds == 2
    assert bench.build() == first
    assert bench.builds == 2, "the damaged entry was replaced"


def test_an_entry_under_another_builds_name_is_not_taken(bench: Bench) -> None:
    first = bench.build()
    (own,) = bench.entries()
    bench.build("--enable-managedby-label")
    (other,) = (entry for entry in bench.entries() if entry != own)
    os.replace(other, own)
    assert bench.build() == first


@pytest.mark.parametrize("place", ["cache", "cache/siteshift", "cache/siteshift/builds"])
def test_a_cache_that_cannot_be_written_is_silently_none(bench: Bench, tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("not a folder")
    first = bench.build()
    assert "name: x-one" in first
    assert "error" not in first
    assert bench.build() == first
    assert bench.builds == 2


def test_a_folder_in_an_entrys_place_is_left_alone(bench: Bench) -> None:
    first = bench.build()
    (entry,) = bench.entries()
    entry.unlink()
    entry.mkdir()
    assert bench.build() == first
    assert bench.entries() == [entry]


def test_the_cache_stays_within_its_limit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench.build()
    size = bench.entries()[0].stat().st_size
    monkeypatch.setattr(kept, "LIMIT", 5 * size)
    for number in range(12):
        bench.write(f"apps/{number}/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: x-\n")
        bench.write(f"apps/{number}/a.yaml", MAP.format(name="one"))
        main(["build", str(bench.folder / "apps" / str(number))])
        assert sum(entry.stat().st_size for entry in bench.entries()) <= 5 * size
    assert bench.build().endswith(first)


def test_a_giant_output_is_not_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LIMIT", 400)
    assert bench.build() == bench.build()
    assert not bench.cache.exists()


def test_two_processes_at_once_print_the_same(bench: Bench) -> None:
    for number in range(30):
        bench.write(f"{number}.yaml", MAP.format(name=f"number-{number}"))
    entries = "".join(f"- {number}.yaml\n" for number in range(30))
    bench.write("kustomization.yaml", f"resources:\n{entries}")
    command = [sys.executable, "-m", "reconciler.cli.main", "build", str(bench.folder)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    results = [process.communicate(timeout=120) for process in processes]
    expected = bench.build("--no-cache").encode()
    assert results == [(expected, b"")] * 4
    assert bench.build().encode() == expected

"""Whatever happens to the cache folder, `siteshift build` prints what it prints without one; the folder stays small."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.kept_bench import MAP, Bench
from quality.sources import ROOT

from reconciler.cli import kept
from reconciler.cli.main import main

LATER = "import time; now = time.time_ns; time.time_ns = lambda: now() + 3_600_000_000_000; "
"""For a process of its own: the program's files count as left alone for an hour."""

BUILD = "import sys; from reconciler.cli.main import main; sys.exit(main(sys.argv[1:]))"


def in_a_process(bench: Bench, before: str = "", *, program: Path = ROOT, **options: Any) -> subprocess.Popen[bytes]:
    """`siteshift build` of the folder, after some Python of the test's own."""
    return subprocess.Popen(
        [sys.executable, "-c", LATER + before + BUILD, "build", str(bench.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(program)},
        cwd=bench.folder,
        **options,
    )


def said(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out.decode(), err.decode()


def _damages() -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    yield "empty", lambda _: b""
    yield "other-text", lambda _: b"apiVersion: v1\n"
    yield "cut-in-the-head", lambda data: data[:20]
    yield "cut-in-the-output", lambda data: data[:-5]
    yield "longer", lambda data: data + b"more: 1\n"
    yield "other-output", lambda data: data.replace(b"x-one", b"x-two")
    yield "other-form", lambda data: data.replace(kept.FORM, b"siteshift build 0\n")
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


def _link_to_an_entry_elsewhere(entry: Path) -> None:
    shutil.move(entry, entry.parents[3] / "elsewhere")
    entry.symlink_to(entry.parents[3] / "elsewhere")


def _pipe(entry: Path) -> None:
    entry.unlink()
    os.mkfifo(entry)


def _dangling_link(entry: Path) -> None:
    entry.unlink()
    entry.symlink_to("nowhere")


def _link_to_itself(entry: Path) -> None:
    entry.unlink()
    entry.symlink_to(entry.name)


def _sparse_and_giant(entry: Path) -> None:
    os.truncate(entry, 1 << 40)


@pytest.mark.parametrize(
    "change",
    [_link_to_an_entry_elsewhere, _pipe, _dangling_link, _link_to_itself, _sparse_and_giant],
    ids=lambda change: change.__name__.strip("_"),
)
def test_what_is_no_entry_in_an_entrys_place_is_replaced(bench: Bench, change: Callable[[Path], None]) -> None:
    first = bench.build()
    (entry,) = bench.entries()
    change(entry)
    assert bench.build() == first
    assert bench.builds == 2
    assert bench.build() == first
    assert bench.builds == 2
    assert entry.is_file()
    assert not entry.is_symlink()


def test_an_entry_of_another_user_is_not_taken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench.build()
    own = os.getuid()
    monkeypatch.setattr(kept.os, "getuid", lambda: own + 1)
    assert bench.build() == first
    assert bench.builds == 2


def test_where_a_link_lies_in_the_way_of_writing_its_target_is_left_alone(bench: Bench) -> None:
    first = bench.build()
    (entry,) = bench.entries()
    precious = bench.cache / "precious"
    precious.write_text("precious")
    entry.unlink()
    (entry.parent / f"{entry.name}.{os.getpid()}").symlink_to(precious)
    assert bench.build() == first
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("base", ["relative", "~", ""])
def test_a_cache_folder_is_absolute_or_the_usual_one(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("XDG_CACHE_HOME", base)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    before = sorted(bench.folder.iterdir())
    bench.build()
    assert sorted(bench.folder.iterdir()) == before
    assert list((tmp_path / "home" / ".cache" / "siteshift" / "builds").iterdir())


def test_without_a_home_nothing_is_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bench.folder)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does for a user whom nobody knows
    before = sorted(bench.folder.iterdir())
    assert "name: x-one" in bench.build()
    assert sorted(bench.folder.iterdir()) == before


def test_the_entries_longest_unused_go_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(number: int) -> Path:
        known = set(bench.entries()) if bench.cache.exists() else set()
        bench.write(f"apps/{number}/kustomization.yaml", "resources: [a.yaml]\n")
        bench.write(f"apps/{number}/a.yaml", MAP.format(name="one"))
        main(["build", str(bench.folder / "apps" / str(number))])
        (new,) = set(bench.entries()) - known or {Path()}
        return new

    entries = [build(number) for number in range(4)]
    for number, entry in enumerate(entries):
        os.utime(entry, ns=(number, number))
    monkeypatch.setattr(kept, "LIMIT", 5 * entries[0].stat().st_size)
    main(["build", str(bench.folder / "apps" / "0")])  # used again: now 1 is the oldest
    build(4)
    monkeypatch.setattr(kept, "LIMIT", 4 * entries[0].stat().st_size)
    new = build(5)
    left = bench.entries()
    assert [entry in left for entry in entries] == [True, False, False, True]
    assert new in left


def test_strange_things_in_the_folder_do_not_stop_it_from_being_kept_small(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.build()
    folder = bench.entries()[0].parent
    (folder / "0-dangling").symlink_to("nowhere")
    (folder / "0-folder").mkdir()
    for number in range(5):
        (folder / f"{number}.1234").write_bytes(b"x" * 10_000)  # what a killed process has left
        os.utime(folder / f"{number}.1234", ns=(number, number))
    monkeypatch.setattr(kept, "LIMIT", 20_000)
    bench.write("a.yaml", MAP.format(name="two"))
    assert "name: x-two" in bench.build()
    assert sum(entry.lstat().st_size for entry in bench.entries() if entry.is_file()) <= 20_000
    bench.build()
    assert bench.builds == 2


def many_objects(bench: Bench) -> str:
    for number in range(30):
        bench.write(f"{number}.yaml", MAP.format(name=f"number-{number}"))
    entries = "".join(f"- {number}.yaml\n" for number in range(30))
    bench.write("kustomization.yaml", f"resources:\n{entries}")
    return bench.build("--no-cache")


def test_two_processes_at_once_print_the_same(bench: Bench) -> None:
    expected = many_objects(bench)
    for _ in range(2):  # the second time they read what the first have written
        assert [said(process) for process in [in_a_process(bench) for _ in range(4)]] == [(0, expected, "")] * 4
    assert len(bench.entries()) == 1


KILLS = {
    "before-a-byte": "import os; o = os.open; os.open = lambda p, f, *m: (o(p, f, *m), os.kill(0 or os.getpid(), 9))"
    " if f & os.O_CREAT and 'builds' in str(p) else o(p, f, *m); ",
    "before-the-name": "import os; os.replace = lambda *_: os.kill(os.getpid(), 9); ",
    "before-the-room-is-made": "from reconciler.cli import kept; import os;"
    " kept._make_room = lambda _: os.kill(os.getpid(), 9); ",
}


@pytest.mark.parametrize("kill", KILLS.values(), ids=KILLS)
def test_a_process_killed_while_it_writes_changes_nothing(bench: Bench, kill: str) -> None:
    expected = many_objects(bench)
    killed = said(in_a_process(bench, kill))
    assert killed[0] == -signal.SIGKILL
    assert expected.startswith(killed[1])
    for _ in range(2):
        assert said(in_a_process(bench)) == (0, expected, "")


def test_an_interruption_while_it_writes_leaves_nothing_behind(bench: Bench) -> None:
    many_objects(bench)
    interrupt = "import os, signal; os.replace = lambda *_: signal.raise_signal(signal.SIGINT); "
    assert said(in_a_process(bench, interrupt)) == (130, "", "interrupted\n")
    assert bench.entries() == []


def test_a_full_disk_is_silently_no_cache(bench: Bench) -> None:
    expected = many_objects(bench)

    def no_more_bytes() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    assert said(in_a_process(bench, preexec_fn=no_more_bytes)) == (0, expected, "")
    assert bench.entries() == []


@pytest.mark.parametrize("times", ["new", "put-back"])
def test_two_versions_of_the_program_have_entries_of_their_own(bench: Bench, tmp_path: Path, times: str) -> None:
    copy = tmp_path / "program"
    for room in ("render", "reconciler"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    first = [said(in_a_process(bench, program=copy)) for _ in range(2)]
    assert first[0] == first[1]
    assert "name: x-one" in first[0][1]
    (entry,) = bench.entries()
    module = copy / "render" / "kustomization" / "transformers" / "prefix.py"
    old = module.stat()
    text = module.read_text()
    module.write_text(text.replace('prefix, ""', '"", prefix'))
    if times == "put-back":
        os.utime(module, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert module.stat().st_size == old.st_size
    assert "name: onex-" in said(in_a_process(bench, program=copy))[1]
    module.write_text(text)
    assert said(in_a_process(bench, program=copy)) == first[0]
    assert entry in bench.entries()
    assert len(bench.entries()) == 3

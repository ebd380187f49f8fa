"""Brief commands that are interrupted, unread or asked nonsense: a quiet end or one clear error, nothing left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from quality.sources import ROOT

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n%d}\ndata: {text: %s}\n"

STOP = (
    "import signal, sys, render.kustomization;"
    " sys.modules['render.kustomization.build']._built = lambda _: signal.raise_signal(%s); "
)
"""For a process of its own: the signal comes in the middle of the build."""

RUN = "import sys; from reconciler.cli.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "app"
    place.mkdir()
    (place / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    (place / "a.yaml").write_text("---\n".join(MAP % (number, "x" * 1000) for number in range(300)))
    return place


def command(*words: str, before: str = "") -> list[str]:
    return [sys.executable, "-c", before + RUN, *words]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(folder.parent / "cache"), "PYTHONPATH": str(ROOT)}


def run(folder: Path, *words: str, before: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        command(*words, before=before),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(folder),
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def left_behind(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder.parent)) for path in folder.parent.rglob("*") if path.is_file())


FILES = ["app/a.yaml", "app/kustomization.yaml"]


def test_an_interrupted_build_says_so_and_leaves_nothing(folder: Path) -> None:
    assert run(folder, "build", before=STOP % "signal.SIGINT") == (130, "", "interrupted\n")
    assert left_behind(folder) == FILES


def test_a_terminated_build_ends_at_once_and_leaves_nothing(folder: Path) -> None:
    assert run(folder, "build", before=STOP % "signal.SIGTERM") == (-signal.SIGTERM, "", "")
    assert left_behind(folder) == FILES


@pytest.mark.parametrize("words", ["build", "build --no-cache", "build --explain ConfigMap/n1", "--help"])
def test_a_reader_who_has_had_enough_is_no_error(folder: Path, words: str) -> None:
    process = subprocess.Popen(
        command(*words.split()), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=environment(folder)
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(120), said) == (0, b"")


def test_an_output_that_is_full_is_one_error(folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("build"),
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment(folder),
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"error: No space left on device\n")


@pytest.mark.parametrize(
    "words",
    [
        ["build", ""],
        ["build", "nowhere"],
        ["build", "a.yaml"],
        ["build", "x" * 5000],
        ["build", "a\nb"],
        ["build", "\udcff"],
        ["build", "https://"],
        ["build", "-o", "/dev/null/x"],
        ["build", "-o", ""],
        ["build", "--explain", ""],
        ["build", "--explain", "ConfigMap/n1.[[["],
        ["build", "--explain", "ConfigMap/n1." + "a." * 5000],
        ["build", "--explain", "\udcff/\udcff"],
        ["build", "--reorder", "\udcff"],
        ["build", "--load-restrictor", ""],
        ["build", ".", "."],
        ["lint", "nowhere"],
        ["lint", "\udcff"],
        ["render", "--site", "\udcff"],
        ["render", "--site", "a", "--watch"],
        ["\udcff"],
    ],
    ids=lambda words: ascii(" ".join(words))[:40],
)
def test_nonsense_is_one_clear_error(folder: Path, words: list[str]) -> None:
    code, out, err = run(folder, *words)
    assert code in (1, 2)
    assert out == ""
    assert "error: " in err
    assert "Traceback" not in err
    assert "bug in siteshift" not in err
    assert [path for path in left_behind(folder) if not path.startswith("cache/")] == FILES


LIES = {
    "fifo": lambda path: (path.unlink(), os.mkfifo(path)),
    "loop": lambda path: (path.unlink(), path.symlink_to(path.name)),
    "device": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "giant": lambda path: os.truncate(path, 1 << 40),
    "dangling": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("name", ["a.yaml", "kustomization.yaml"])
@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_is_none_is_one_clear_error(folder: Path, name: str, lie: str) -> None:
    LIES[lie](folder / name)
    code, out, err = run(folder, "build")
    assert (code, out) == (1, "")
    assert "error: " in err
    assert "Traceback" not in err
    assert "bug in siteshift" not in err

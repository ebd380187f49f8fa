"""Of many different builds, every file that was read and every one that was looked for counts: none can change unseen.

Each case's files are changed one by one, keeping what a cheaper look would go by: place, size and times.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.kept_bench import Bench
from corpus import BUILDS, read_case, write_files

from reconciler.cli.main import main


def _with_another_letter(path: Path) -> None:
    """Same size, same place on the disk, same times."""
    times, data = path.stat(), path.read_bytes()
    letter = next((place for place in range(len(data)) if data[place : place + 1].isalnum()), None)
    if letter is not None:
        path.write_bytes(data[:letter] + (b"b" if data[letter : letter + 1] == b"a" else b"a") + data[letter + 1 :])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _gone(path: Path) -> None:
    path.unlink()


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("change", [_with_another_letter, _emptied, _gone, _a_folder], ids=lambda one: one.__name__[1:])
def test_no_file_of_a_build_changes_unseen(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], None]
) -> None:
    def printed(folder: Path, *options: str) -> tuple[str, str]:
        main(["build", str(folder), *options])
        return capsys.readouterr()

    seen = 0
    for case_path in BUILDS:
        case = read_case(case_path)
        folder = tmp_path / case_path.stem
        for name in case.files:
            write_files(case.files, folder)
            before = printed(folder / case.target)
            change(folder / name)
            after = printed(folder / case.target)
            assert after == printed(folder / case.target, "--no-cache")
            seen += before != after
            if (folder / name).is_dir():
                (folder / name).rmdir()
    assert seen > len(BUILDS)


def test_no_file_appears_unseen(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for case_path in BUILDS:
        case = read_case(case_path)
        folder = tmp_path / case_path.stem
        write_files(case.files, folder)
        main(["build", str(folder / case.target)])
        (folder / case.target / "Kustomization").write_text("resources: []\n")
        capsys.readouterr()
        assert main(["build", str(folder / case.target)]) == 1
        assert "Found multiple kustomization files" in capsys.readouterr().err

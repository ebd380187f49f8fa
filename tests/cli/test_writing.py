"""A closed output, a full disk, a folder that cannot be written: one error, nothing half made, and it heals."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from clones import Clone

from reconciler.cli.writing import write_file, write_files

Run = Callable[..., tuple[int, str, str]]
PROGRAM = Path(sys.executable).with_name("siteshift")


def full() -> None:
    """In the child: no file may grow, as on a disk without space."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def command(folder: Path, *words: str, disk_is_full: bool = False) -> tuple[int, str]:
    done = subprocess.run(
        [str(PROGRAM), *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        preexec_fn=full if disk_is_full else None,
        check=False,
    )
    return done.returncode, done.stdout


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    (folder / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    return folder


@pytest.mark.parametrize("words", ["build --no-cache", "--help", "completion bash"])
def test_a_closed_output_is_one_error(app: Path, words: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{PROGRAM} {words} >&-"], cwd=app, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (1, "error: the standard output is closed\n")


def test_a_full_disk_leaves_the_file_of_before_and_heals(app: Path) -> None:
    (app / "out.yaml").write_text("of before\n")
    before = files(app)
    code, text = command(app, "build", "--no-cache", "-o", "out.yaml", disk_is_full=True)
    assert code == 1
    assert text == "error: File too large\n"
    assert ((app / "out.yaml").read_text(), files(app)) == ("of before\n", before)
    assert command(app, "build", "--no-cache", "-o", "out.yaml") == (0, "")
    assert "kind: ConfigMap" in (app / "out.yaml").read_text()


@pytest.mark.parametrize("output", ["dir", "kustomization"])
def test_a_folder_is_written_whole_or_not_at_all(siteshift: Run, tmp_path: Path, output: str) -> None:
    assert siteshift("init", str(tmp_path / "fleet"), "--name", "bank")[0] == 0
    line = ["render", "--fleet", "fleet", "--site", "a", "-o", output, "--to", "made"]
    code, text = command(tmp_path, *line, disk_is_full=True)
    assert code == 1
    assert text.startswith("error: ")
    assert [path.name for path in tmp_path.iterdir() if path.name != "gitconfig"] == ["fleet"]
    assert command(tmp_path, *line)[0] == 0
    assert files(tmp_path / "made")


def test_a_fleet_is_begun_whole_or_not_at_all(tmp_path: Path) -> None:
    code, text = command(tmp_path, "init", "bank", disk_is_full=True)
    assert (code, text) == (1, f"error: {tmp_path / 'bank'} cannot be written: File too large\n")
    assert list(tmp_path.iterdir()) == []
    assert command(tmp_path, "init", "bank")[0] == 0


def test_a_mirror_heals_when_there_is_space_again(clone: Clone, tmp_path: Path) -> None:
    line = ["status", "--fleet-url", clone.bare.as_uri(), "--state", str(tmp_path / "state"), "--kubeconfig", "none"]
    code, text = command(clone.folder, *line, disk_is_full=True)
    assert code == 1
    assert text.startswith("error: ")
    assert text.count("\n") <= 2
    code, text = command(clone.folder, *line)
    assert "FLEET bank " in text or text.startswith("error: kubeconfig none: "), text


def test_a_state_folder_that_is_none_is_one_error(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    line = ["status", "--fleet-url", clone.bare.as_uri(), "--state", str(tmp_path / "state")]
    code, text = command(clone.folder, *line)
    assert code == 1
    assert text.startswith(f"error: the mirror in {tmp_path / 'state'}")


def test_files_are_replaced_together_and_keep_their_permissions(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o600)
    (tmp_path / "b").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_file(str(tmp_path / "b"), b"new")
    write_files(str(tmp_path), {"a": b"new", "c": b"new"})
    assert ((tmp_path / "a").read_text(), (tmp_path / "a").stat().st_mode & 0o777) == ("new", 0o600)
    assert files(tmp_path) == ["a", "c"]


def test_what_is_no_file_is_written_to_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    write_file("/dev/stdout", b"shown\n")
    assert capfd.readouterr().out == "shown\n"

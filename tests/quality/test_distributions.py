"""The product works alone: its wheel holds nothing of the sandbox, and runs where only its own packages are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from quality.sources import ROOT

EXAMPLE = "examples/symmetric"


def build(folder: Path, source: Path) -> Path:
    """The wheel of a project folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    return wheel


def link_packages(folder: Path, lock: Path) -> None:
    """Links to the packages that a lock file names, from this environment: one can import these and no others."""
    folder.mkdir()
    for name in re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE):
        try:
            found = distribution(name)
        except PackageNotFoundError:  # for another platform
            continue
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(found.locate_file(top))))


@pytest.fixture(scope="module")
def product_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("product"), ROOT)


@pytest.fixture(scope="module")
def sandbox_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("sandbox"), ROOT / "sandbox")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, product_wheel: Path) -> Path:
    """An environment with the product's wheel and the packages of its lock file; the path of its `siteshift`."""
    folder = tmp_path_factory.mktemp("alone")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True, timeout=60)
    link_packages(folder / "packages", ROOT / "requirements" / "product.lock")
    python = folder / "venv" / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*command, str(product_wheel)], check=True, timeout=120)
    (site_packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site_packages / "locked.pth").write_text(f"{folder / 'packages'}\n")
    return folder / "venv" / "bin" / "siteshift"


def run(program: Path, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(program), *words],
        cwd=folder or program.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def top_level(wheel: Path) -> set[str]:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    return {name for name in names if not name.endswith((".dist-info", ".data"))}


def test_the_products_wheel_holds_the_product_and_the_examples(product_wheel: Path) -> None:
    assert top_level(product_wheel) == {"render", "reconciler", "overlays", "schemas", "examples", "deploy"}
    assert f"{EXAMPLE}/siteshift.yaml" in zipfile.ZipFile(product_wheel).namelist()


def test_the_sandboxs_wheel_holds_every_file_of_the_sandbox(sandbox_wheel: Path) -> None:
    assert top_level(sandbox_wheel) == {"sandbox"}
    listed = subprocess.run(["git", "ls-files", "sandbox"], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = {path for path in listed.stdout.split() if path.endswith((".py", ".json", ".yaml"))}
    assert wanted - set(zipfile.ZipFile(sandbox_wheel).namelist()) == set()


def test_the_product_starts_without_the_sandbox(alone: Path) -> None:
    version = run(alone, "--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert re.fullmatch(r"siteshift \d+\.\d+\.\d+\n", version.stdout)


def test_the_product_validates_and_renders_without_the_sandbox(alone: Path) -> None:
    (example,) = (alone.parents[1] / "lib").glob(f"python*/site-packages/{EXAMPLE}")
    validated = run(alone, "validate", "--fleet", str(example))
    assert validated.returncode == 0, validated.stderr
    rendered = run(alone, "render", "--fleet", str(example), "--site", "b")
    assert rendered.returncode == 0, rendered.stderr
    assert "kind: VirtualMachine\n" in rendered.stdout


def test_the_controller_is_there_without_the_sandbox(alone: Path) -> None:
    """Every module of the product can be imported: nothing of it waits for the sandbox until it runs."""
    code = (
        "import pkgutil, importlib, render, reconciler\n"
        "for package in (render, reconciler):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
    )
    imported = run(alone.with_name("python"), "-c", code)
    assert imported.returncode == 0, imported.stderr


@pytest.mark.parametrize("command", ["demo", "sandbox"])
def test_a_command_of_the_sandbox_says_how_to_install_it(alone: Path, command: str) -> None:
    result = run(alone, command)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        f"error: `siteshift {command}` needs the package siteshift-sandbox\n"
        "  hint: pip install 'siteshift[sandbox]', or make demo in a checkout\n"
    )


@pytest.mark.parametrize(
    "path",
    [
        "share/bash-completion/completions/siteshift",
        "share/zsh/site-functions/_siteshift",
        "share/fish/vendor_completions.d/siteshift.fish",
    ],
)
def test_completion_comes_with_the_wheel(alone: Path, path: str) -> None:
    assert "siteshift completion --words" in (alone.parents[1] / path).read_text()

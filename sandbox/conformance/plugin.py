"""The plug-in of pytest that says whose storage is tried: `--siteshift-storage package.module:function`."""

from __future__ import annotations

from importlib import import_module

import pytest

from sandbox.conformance.storage import Storage

OURS = ("sandbox.conformance.csi_addons:CsiAddonsStorage",)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.addoption(
        "--siteshift-storage",
        action="append",
        metavar="MODULE:FUNCTION",
        help="what returns the Storage to try, for the kit in sandbox.conformance (default: Siteshift's own)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case of the kit once for each storage."""
    if "storage_name" in metafunc.fixturenames:
        names = metafunc.config.getoption("--siteshift-storage") or list(OURS)
        metafunc.parametrize("storage_name", names, ids=[name.partition(":")[2] for name in names])


@pytest.fixture
def storage(storage_name: str) -> Storage:
    """The storage that is tried."""
    module, _, name = storage_name.partition(":")
    if not name:
        raise pytest.UsageError(f"--siteshift-storage is {storage_name!r}, expected package.module:function")
    found: Storage = getattr(import_module(module), name)()
    return found

"""One pair of sites for all stories of this folder: they run on one worker, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.two_sites.world import TwoSites


@pytest.fixture(scope="package")
def two_sites(testbed_binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSites]:
    """Both sites, with every application where its first placement wants it."""
    pair = TwoSites(tmp_path_factory.mktemp("two-sites"), testbed_binaries)
    try:
        yield pair.start()
    finally:
        pair.close()

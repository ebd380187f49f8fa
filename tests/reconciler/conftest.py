"""An API server to test against: the embedded one, which is always there, and a real one where it was built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.apiserver import ApiServer


class Api(NamedTuple):
    """Where an API server is, and an admin's token. `ca` is a file."""

    server: str
    token: str
    ca: str
    kubeconfig: str


@pytest.fixture(scope="module", params=["sandbox", pytest.param("real", marks=pytest.mark.testbed)])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Each in turn. Take namespaces and names of your own: it is shared by all tests of a module."""
    if request.param == "real":
        real = request.getfixturevalue("real_api")
        yield Api(real.server, real.token(), str(real.ca_file), str(real.kubeconfig()))
        return
    with ApiServer() as sandbox:
        file = Path(tmp_path_factory.mktemp("sandbox")) / "kubeconfig"
        file.write_text(sandbox.kubeconfig())
        yield Api(sandbox.url, sandbox.tokens["admin"], str(sandbox.ca_file), str(file))

"""What a person gets wrong about servers and kubeconfigs is said as their mistake, not as a bug."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.main import main


@pytest.mark.parametrize("command", [["run", "--site", "a"], ["status"]], ids=["run", "status"])
@pytest.mark.parametrize("value", ["abc", "0", "nan"])
def test_a_time_that_is_none_is_wrong_usage(
    command: list[str], value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = (tmp_path / "nowhere.git").as_uri()
    words = [*command, "--fleet-url", server, "--state", str(tmp_path / "state"), "--git-timeout", value]
    assert main(words) == 2
    assert f'--git-timeout is "{value}", expected a number of seconds' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "No configuration found"), ("a: [", "expected the node content"), ("[]", "cannot be used")],
    ids=["missing", "no yaml", "a list"],
)
def test_a_kubeconfig_that_is_none_is_named(
    text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["init", str(tmp_path / "bank")]) == 0
    file = tmp_path / "kubeconfig"
    if text is not None:
        file.write_text(text)
    monkeypatch.chdir(tmp_path / "bank")
    assert main(["diff", "--site", "a", "--kubeconfig", str(file)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: kubeconfig {file}")
    assert said in err

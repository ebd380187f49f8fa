"""The commits that people make with failover, failback, suspend and resume, on a real clone with a real upstream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clones import Clone

Run = Callable[..., tuple[int, str, str]]
LEDGER = "apps/ledger/placement.yaml"


@pytest.fixture(autouse=True)
def workloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the sites would start is the renderer's business, not this file's."""
    monkeypatch.setattr("reconciler.cli.moving._started", lambda *_: ())
    return iter(())


def test_a_failover_is_one_pushed_commit_of_the_placement_alone(clone: Clone, siteshift: Run) -> None:
    before = clone.read(LEDGER)
    code, out, err = siteshift("failover", "ledger", "--to", "b", "--reason", "maintenance", "--yes")
    assert (code, err) == (0, "")
    assert clone.read(LEDGER) == before.replace("'a'", "'b'").replace(
        "    epoch: 1\n", "    epoch: 2\n    move: planned\n    reason: maintenance\n"
    )
    assert clone.pushed == clone.head
    assert clone.git("status", "--porcelain") == ""
    assert clone.git("show", "--format=", "--name-only", "HEAD") == LEDGER
    assert clone.git("log", "-1", "--format=%B") == (
        "Move ledger to b (planned)\n\nledger: a > b, epoch 2\n\nReason: maintenance"
    )
    assert clone.git("log", "-1", "--format=%an") == "Tester"
    assert out.splitlines()[:6] == [
        LEDGER,
        "-    active:   'a'     # the site",
        "+    active:   'b'     # the site",
        "-    epoch: 1",
        "+    epoch: 2",
        "+    move: planned",
    ]


@pytest.mark.parametrize("line", [["failover", "ledger", "--to", "b"], ["failback", "ledger"], ["suspend", "ledger"]])
def test_to_say_it_again_is_no_error_and_commits_nothing(clone: Clone, siteshift: Run, line: list[str]) -> None:
    if line[0] != "failback":
        assert siteshift(*line, "--yes")[0] == 0
    head = clone.head
    code, out, err = siteshift(*line, "--yes")
    assert (code, err) == (0, "")
    assert "already" in out
    assert (clone.head, clone.pushed) == (head, head)


def test_only_what_is_not_there_yet_is_moved(clone: Clone, siteshift: Run) -> None:
    assert siteshift("failover", "ledger", "--to", "b", "--yes")[0] == 0
    code, out, _ = siteshift("failover", "ledger", "payments", "--to", "b", "--yes")
    assert code == 0
    assert out.startswith(f"ledger is placed at b already (epoch 2 in {LEDGER})\n")
    assert clone.git("log", "-1", "--format=%s") == "Move payments to b (planned)"


DISASTER = ["failover", "ledger", "--to", "b", "--disaster", "--declare-down", "a", "--reason", "fire"]
DISASTER += ["--override-fence", "dark"]


def test_a_planned_move_becomes_a_disaster_move_to_the_same_site(clone: Clone, siteshift: Run) -> None:
    assert siteshift("failover", "ledger", "--to", "b", "--yes")[0] == 0
    assert siteshift(*DISASTER, "--allow-data-loss", "10m", "--yes")[0] == 0
    text = clone.read(LEDGER)
    assert "epoch: 3" in text
    assert "move: disaster" in text
    assert siteshift("validate")[0] == 0
    code, out, _ = siteshift(*DISASTER, "--allow-data-loss", "10m", "--yes")
    assert code == 0
    assert "ledger is placed at b already (epoch 3" in out
    assert siteshift(*DISASTER, "--allow-data-loss", "unknown", "--yes")[0] == 0
    assert "epoch: 4" in clone.read(LEDGER)


@pytest.mark.parametrize("choice", ["--yes", "--dry-run"])
@pytest.mark.parametrize("case", ["behind", "detached", "nobody", "uncommitted", "no upstream"])
def test_a_dry_run_refuses_what_would_be_refused(  # type: ignore[no-untyped-def]
    clone: Clone, siteshift: Run, tmp_path: Path, monkeypatch, case: str, choice: str
) -> None:
    if case == "behind":
        _ahead(clone, tmp_path)
    elif case == "detached":
        clone.git("checkout", "-q", "--detach")
    elif case == "nobody":
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        clone.git("config", "user.useConfigOnly", "true")
    elif case == "uncommitted":
        (clone.folder / LEDGER).write_text(clone.read(LEDGER) + "# mine\n")
    else:
        clone.git("branch", "--unset-upstream")
    head = clone.head
    code, out, err = siteshift("failover", "ledger", "--to", "b", choice)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert clone.head == head


def test_several_applications_move_in_one_commit(clone: Clone, siteshift: Run) -> None:
    assert siteshift("failover", "ledger", "payments", "--to", "b", "--yes")[0] == 0
    assert clone.git("rev-list", "--count", "HEAD") == "2"
    assert clone.git("log", "-1", "--format=%s") == "Move ledger, payments to b (planned)"


def test_a_disaster_says_what_it_asserts_and_a_failback_takes_it_away(clone: Clone, siteshift: Run) -> None:
    before = clone.read(LEDGER)
    line = ["failover", "ledger", "--to", "b", "--disaster", "--declare-down", "a", "--allow-data-loss", "10m"]
    consents = ("--allow-discard", "a", "--override-fence", "dark")
    assert siteshift(*line, "--reason", "INC-1: fire", *consents, "--yes")[0] == 0
    assert clone.read(LEDGER) == before.replace("'a'", "'b'").replace(
        "    epoch: 1\n",
        "    epoch: 2\n    move: disaster\n    declaredDown: [a]\n    allowDataLoss: 10m\n"
        '    reason: "INC-1: fire"\n    overrideFence: dark\n    allowDiscard: [a]\n',
    )
    assert "Declared down: a\nData that may be lost: 10m\n\nReason: INC-1: fire" in clone.git(
        "log", "-1", "--format=%B"
    )
    assert siteshift("failback", "ledger", "--yes")[0] == 0
    assert clone.read(LEDGER) == before.replace("    epoch: 1\n", "    epoch: 3\n    move: planned\n")


def test_a_dirty_tree_and_index_are_not_swept_in(clone: Clone, siteshift: Run) -> None:
    (clone.folder / "notes.txt").write_text("staged")
    clone.git("add", "notes.txt")
    (clone.folder / "siteshift.yaml").write_text(clone.read("siteshift.yaml") + "# half a thought\n")
    assert siteshift("failover", "ledger", "--to", "b", "--yes")[0] == 0
    assert clone.git("show", "--format=", "--name-only", "HEAD") == LEDGER
    assert clone.git("status", "--porcelain").splitlines() == ["A  notes.txt", " M siteshift.yaml"]


def test_a_placement_with_uncommitted_changes_is_refused(clone: Clone, siteshift: Run) -> None:
    (clone.folder / LEDGER).write_text(clone.read(LEDGER) + "# mine\n")
    code, _, err = siteshift("failover", "ledger", "--to", "b", "--yes")
    assert code == 1
    assert f"{LEDGER} has changes that are not committed" in err


def _ahead(clone, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    other = tmp_path / "other"
    clone.git("clone", "-q", str(clone.bare), str(other), folder=tmp_path)
    clone.git("commit", "-q", "--allow-empty", "-m", "somebody else", folder=other)
    clone.git("push", "-q", folder=other)


def test_an_upstream_that_is_ahead_is_said_before_anything_is_asked(
    clone: Clone, siteshift: Run, tmp_path: Path
) -> None:
    _ahead(clone, tmp_path)
    head, text = clone.head, clone.read(LEDGER)
    code, out, err = siteshift("failover", "ledger", "--to", "b", "--yes")
    assert (code, out) == (1, "")
    assert err == "error: origin/main has commits that are not here\n  hint: git pull --rebase, then try again\n"
    assert (clone.head, clone.read(LEDGER)) == (head, text)


def test_a_refused_push_leaves_nothing_half_done(clone: Clone, siteshift: Run) -> None:
    hook = clone.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho two approvals are needed >&2\nexit 1\n")
    hook.chmod(0o755)
    head, text = clone.head, clone.read(LEDGER)
    code, _, err = siteshift("failover", "ledger", "--to", "b", "--yes")
    assert code == 1
    assert "origin/main did not take the commit, nothing was changed" in err
    assert "two approvals are needed" in err
    assert (clone.head, clone.read(LEDGER), clone.git("status", "--porcelain")) == (head, text, "")


def test_earlier_commits_that_would_go_along_are_shown(clone: Clone, siteshift: Run) -> None:
    clone.git("commit", "-q", "--allow-empty", "-m", "a draft")
    _, out, _ = siteshift("failover", "ledger", "--to", "b", "--yes")
    assert "1 earlier commit would be pushed along:" in out
    assert '"a draft"' in out


def test_no_push_commits_only(clone: Clone, siteshift: Run) -> None:
    pushed = clone.pushed
    code, out, _ = siteshift("failover", "ledger", "--to", "b", "--no-push", "--yes")
    assert code == 0
    assert "committed, not pushed" in out
    assert clone.pushed == pushed != clone.head


def test_a_dry_run_changes_nothing(clone: Clone, siteshift: Run) -> None:
    head = clone.head
    code, out, _ = siteshift("failover", "ledger", "--to", "b", "--dry-run")
    assert code == 0
    assert "Nothing was changed" in out
    assert (clone.head, clone.git("status", "--porcelain")) == (head, "")


def test_without_a_terminal_and_without_yes_it_is_an_error(clone: Clone, siteshift: Run) -> None:
    code, out, err = siteshift("failover", "ledger", "--to", "b")
    assert (code, out) == (2, "")
    assert "--yes" in err


@pytest.mark.parametrize(("answer", "code", "moved"), [("y", 0, True), ("", 1, False), ("no", 1, False)])
def test_on_a_terminal_it_asks(clone: Clone, siteshift: Run, monkeypatch, answer: str, code: int, moved: bool) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or answer)
    head = clone.head
    assert siteshift("failover", "ledger", "--to", "b")[0] == code
    assert asked == ["Commit and push to origin/main? [y/N] "]
    assert (clone.head != head) is moved


def test_an_interrupt_between_showing_and_acting_leaves_nothing(clone: Clone, siteshift: Run, monkeypatch) -> None:
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", interrupt)
    head = clone.head
    code, _, err = siteshift("failover", "ledger", "--to", "b")
    assert (code, err) == (130, "interrupted: nothing was changed\n")
    assert (clone.head, clone.pushed) == (head, head)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (["ledger", "--to", "c"], 1, '"c" is no site of ledger (a, b)'),
        (["nobody", "--to", "b"], 1, 'there is no application "nobody" in this fleet (ledger, payments)'),
        (["ledger", "--to", "b", "--disaster"], 2, "--disaster needs --declare-down"),
        (["ledger", "--to", "b", "--declare-down", "a"], 2, "--declare-down means nothing without --disaster"),
        (
            ["ledger", "--to", "b", "--disaster", "--declare-down", "b", "--allow-data-loss", "1m", "--reason", "x"],
            1,
            "--declare-down b: this is the site that ledger would move to",
        ),
        (
            ["ledger", "--to", "b", "--disaster", "--declare-down", "a", "--allow-data-loss", "bit", "--reason", "x"],
            1,
            'spec.allowDataLoss is "bit", expected a duration such as 30s or 10m, or unknown',
        ),
    ],
    ids=["no site", "no application", "half a disaster", "no disaster", "taker down", "bad loss"],
)
def test_a_move_that_makes_no_sense_is_refused(
    clone: Clone, siteshift: Run, line: list[str], code: int, said: str
) -> None:
    head = clone.head
    result = siteshift("failover", *line, "--yes")
    assert result[0] == code
    assert said in result[2]
    assert clone.head == head


def test_the_fleet_is_found_upwards_and_by_option(clone: Clone, siteshift: Run, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(clone.folder / "apps" / "ledger" / "base")
    assert siteshift("failover", "ledger", "--to", "b", "--dry-run")[0] == 0
    monkeypatch.chdir(tmp_path)
    assert siteshift("failover", "ledger", "--to", "b", "--dry-run")[0] == 2
    assert siteshift("failover", "ledger", "--to", "b", "--dry-run", "--fleet", str(clone.folder))[0] == 0


def test_a_fleet_in_a_folder_of_its_repository_is_committed_there(clone: Clone, siteshift: Run, monkeypatch) -> None:
    (clone.folder / "fleets").mkdir()
    for name in ("siteshift.yaml", "apps"):
        clone.git("mv", name, f"fleets/{name}")
    clone.git("commit", "-q", "-m", "move the fleet")
    monkeypatch.chdir(clone.folder / "fleets")
    assert siteshift("failover", "ledger", "--to", "b", "--yes")[0] == 0
    assert clone.git("show", "--format=", "--name-only", "HEAD") == f"fleets/{LEDGER}"
    assert "'b'" in clone.read(f"fleets/{LEDGER}")


def test_suspend_and_resume_edit_the_application(clone: Clone, siteshift: Run) -> None:
    path = "apps/ledger/application.yaml"
    before = clone.read(path)
    assert siteshift("suspend", "ledger", "--reason", "INC-1", "--yes")[0] == 0
    assert clone.read(path) == before + "  suspend: true\n"
    assert clone.git("log", "-1", "--format=%B") == "Suspend ledger\n\nReason: INC-1"
    code, _, err = siteshift("failover", "ledger", "--to", "b", "--yes")
    assert (code, err) == (1, "error: ledger is suspended\n  hint: siteshift resume ledger\n")
    assert siteshift("resume", "ledger", "--yes")[0] == 0
    assert clone.read(path) == before + "  suspend: false\n"
    assert clone.pushed == clone.head

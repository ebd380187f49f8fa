"""The matrix of what a failover must survive, by the ids of the handbook's page, and what shows each case.

A case is one or more stories, which keep every invariant and come to rest, or tests elsewhere; a few are not shown,
with the reason. `python -m simulation.cases` (with tests on PYTHONPATH) writes the page's tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulation.stories import Action, Story, ends

PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulation.md"
MARK = "<!-- generated -->"

GROUPS = {
    "A": "Normal",
    "B": "Planned",
    "C": "Disaster",
    "D": "Return",
    "E": "Git",
    "F": "Controller, guard and API servers",
    "G": "Storage",
    "H": "Restart",
    "I": "Topology",
    "J": "Drill",
    "K": "Races of a rival, where the last write wins",
}

EXECUTE = "tests/reconciler/failover/execute/"
PROTOCOL = "tests/reconciler/failover/protocol/"
GUARD = "tests/reconciler/failover/guard/"
TESTBED = "tests/testbed/two_sites/"


@dataclass(frozen=True)
class Case:
    """`stories` are told by `test_cases`; `tests` are `file::name`; `why` says why nothing shows it."""

    words: str
    stories: tuple[Story, ...] = ()
    tests: tuple[str, ...] = ()
    why: str = ""


def story(*actions: Any, sites: str = "ab", lease: bool = True, seed: str = "case") -> Story:
    """Actions as (at, kind, *given); all that lasts may last."""
    told = tuple(Action(float(at), kind, tuple(given)) for at, kind, *given in actions)
    return Story(seed, sites, lease, 0.08, (*told, Action(max(map(ends, told)), "wait")))


def seen(words: str, *tests: str) -> Case:
    """A case that tests elsewhere show."""
    return Case(words, tests=tests)


def told(words: str, *stories: Story, tests: tuple[str, ...] = ()) -> Case:
    """A case that stories show."""
    return Case(words, stories, tests)


def unseen(words: str, why: str) -> Case:
    """A case that nothing shows."""
    return Case(words, why=why)


TO_B = (20, "move", "ledger", "b")
FIRE = ("disaster", "ledger", "b", "unknown", False, False)
FIRE_AND_DISCARD = ("disaster", "ledger", "b", "unknown", True, True)
STEPS = (0.5, 3.0, 6.0, 11.0)
"""Seconds after the commit of a move that lie in each of its steps."""


def after(kind: str, *given: Any, steps: tuple[float, ...] = STEPS, **more: Any) -> tuple[Story, ...]:
    """One story a step of a planned move: something happens then."""
    return tuple(story(TO_B, (20 + step, kind, *given), **more) for step in steps)


CASES: dict[str, Case] = {
    "A1": seen(
        "First placement.",
        EXECUTE + "test_stories.py::test_first_placement_starts_at_the_named_site_and_the_other_says_passive",
        TESTBED + "test_first_placement.py::test_every_workload_is_created_stopped",
    ),
    "A2": seen(
        "Adoption of what already runs, without a restart.",
        EXECUTE + "test_cases.py::test_what_runs_already_is_adopted_without_a_restart",
    ),
    "A3": seen("Idle loop: nothing is changed.", EXECUTE + "test_cases.py::test_a_steady_fleet_changes_nothing"),
    "A4": told(
        "A virtual machine is added to a protected application, changed, and taken out, also while it moves.",
        story(
            (20, "define", "ledger", "extra", 30), (40, "move", "ledger", "b"), (42, "define", "ledger", "extra", None)
        ),
        story((20, "define", "ledger", "extra", 5), TO_B, (24, "define", "ledger", "extra", 60)),
    ),
    "A5": told(
        "A replication object is deleted by hand, at either side.",
        story((20, "delete replication", "a"), (50, "move", "ledger", "b")),
        story((20, "delete replication", "b"), (50, "move", "ledger", "b")),
        story(TO_B, (23, "delete replication", "b"), (24, "delete replication", "a")),
    ),
    "A6": told(
        "A site is added to an application and taken out.",
        story((20, "sites", "shop", "a"), (30, "sites", "shop", "ac"), (45, "move", "shop", "c"), sites="abc"),
        story((20, "move", "shop", "b"), (40, "sites", "shop", "bc"), (60, "move", "shop", "c"), sites="abc"),
    ),
    "A7": seen(
        "A site joins the fleet.",
        EXECUTE + "test_sites_seen.py::test_a_site_that_joins_the_fleet_is_seen_from_then_on",
    ),
    "A8": seen(
        "An application is removed from Git: what holds data stays.",
        "tests/reconciler/inventory/test_plan.py::test_each_guard_keeps_with_a_reason_and_says_what_would_lift_it",
    ),
    "A9": unseen("An application is renamed, or retired with its data.", "`retired: true` is not built"),
    "B1": told(
        "There and back.",
        story(TO_B, (50, "move", "ledger", "a"), lease=False),
        story(TO_B, (50, "move", "ledger", "a")),
    ),
    "B2": seen("Ten times to and fro.", EXECUTE + "test_cases.py::test_ten_moves_to_and_fro_lose_nothing"),
    "B3": told("The replica lags above the RPO.", story((16, "link", 60.0), (60, "move", "ledger", "b"))),
    "B4": seen(
        "A guest ignores shutdown; one of several machines does not stop.",
        EXECUTE + "test_cases.py::test_a_guest_that_ignores_shutdown_is_waited_for_and_named",
        PROTOCOL + "test_lease_gate_and_rest.py::test_a_stop_that_takes_too_long_is_a_named_hold_and_goes_on",
    ),
    "B5": seen(
        "A volume stays attached.", PROTOCOL + "test_planned_moves.py::test_without_the_whole_proof_nothing_is_demoted"
    ),
    "B6": seen(
        "A group is half demoted.", "tests/reconciler/drivers/test_csi_addons.py::test_a_group_half_demoted_has_no_role"
    ),
    "B7": seen(
        "The target lacks capacity, class, network, secret, image or a bound claim: nothing stops.",
        EXECUTE + "test_cases.py::test_a_target_that_lacks_something_stops_nobody",
    ),
    "B8": told(
        "The target is dead, or dies after `Ready`: it stops nobody, or the move goes on when it is back.",
        story((16, "dark", "b"), TO_B),
        *after("dark", "b"),
        tests=(EXECUTE + "test_cases.py::test_a_dead_target_stops_nobody",),
    ),
    "B9": seen(
        "A `Ready` of an hour ago.",
        PROTOCOL + "test_planned_moves.py::test_no_other_word_than_a_living_ready_for_this_epoch_stops_anybody",
    ),
    "B10": told(
        "A push is accepted and its answer is lost, each of the move's pushes in turn.",
        *(story((19.5, "lose", site, "git", count), TO_B) for site in "ab" for count in (1, 2, 3, 4)),
    ),
    "B11": seen(
        "Degraded is reported at one side only, or flaps.",
        PROTOCOL + "test_planned_moves.py::test_a_flapping_replica_proves_nothing",
    ),
    "B12": told(
        "Stopped and secondary, never in sync, then moved to and fro.",
        story((16, "link", 90.0), TO_B, (40, "move", "ledger", "a"), (60, "move", "ledger", "b")),
    ),
    "B13": seen(
        "With three sites, in sync with another replica than the target's.",
        PROTOCOL
        + "test_planned_moves.py::test_in_sync_with_another_replica_than_the_targets_is_no_proof_but_a_barrier_"
        "token_is",
    ),
    "B14": told("A move is overtaken at every step, by one to another target.", *after("move", "ledger", "a")),
    "B15": told("A move is overtaken at every step, by a disaster to the same target.", *after(*FIRE)),
    "B16": told(
        "The definition changes during the move; the driver changes in its commit.",
        *after("define", "ledger", "extra", 30, steps=(1.5, 5.0)),
        tests=(
            EXECUTE
            + "test_attacks.py::test_attack_a15_a_commit_that_takes_the_driver_away_lets_no_move_leave_the_data_behind",
        ),
    ),
    "C1": told(
        "The site is dead.",
        story((20, "dark", "a"), (25, *FIRE_AND_DISCARD)),
        story((20, "dark", "a"), (25, *FIRE)),
        tests=(
            TESTBED
            + "test_disaster.py::test_a_killed_site_is_taken_over_from_returns_as_passive_and_gets_its_own_back",
        ),
    ),
    "C2": told(
        "The site dies in the middle of a planned move: before the point of no return, after it, after its ack.",
        *(story(TO_B, (20 + step, "dark", "a"), (22 + step, *FIRE_AND_DISCARD)) for step in STEPS),
    ),
    "C3": told(
        "The site lives and is cut off from Git, by refusals and by packets that vanish.",
        *(story((20, "isolated", "ledger", mode, 80.0, 3.0)) for mode in ("refuse", "hang")),
        *(story((20, "git", "a", mode, 60.0), (23, *FIRE_AND_DISCARD), lease=False) for mode in ("refuse", "hang")),
    ),
    "C4": told(
        "The site lives and lost its push rights only, or its heartbeat ref only.",
        *(story((20, "isolated", "ledger", mode, 80.0, 3.0)) for mode in ("push", "heartbeats")),
    ),
    "C5": told("The site lives with the link of its array broken.", story((16, "link", 60.0), (20, *FIRE_AND_DISCARD))),
    "C6": unseen("The array is dead and the machines live.", "an array without an answer is not simulated"),
    "C7": told(
        "The controller is dead and the guard lives, and the reverse.",
        story((20, "kill", "a", "controller", "any", 1, 70.0, True), (22, *FIRE)),
        story((20, "kill", "a", "guard", "any", 1, 70.0, True), (22, *FIRE)),
    ),
    "C8": told("The API server is dead and the machines live.", story((20, "api", "a", "refuse", 80.0), (24, *FIRE))),
    "C9": told(
        "One business service only.",
        story((20, "disaster", "shop", "b", "unknown", False, False), (60, "move", "shop", "a")),
    ),
    "C10": told(
        "The site and Git are dead together.",
        story((20, "dark", "a"), (20, "git", "b", "hang", 40.0), (30, *FIRE_AND_DISCARD)),
    ),
    "C11": seen(
        "A crash-looping guest after it.",
        "tests/reconciler/starts/test_start_gate.py::test_what_hangs_gives_its_slot_back",
    ),
    "C12": told(
        "Failback before `Active`.",
        *(story((20, *FIRE_AND_DISCARD), (20 + step, "move", "ledger", "a")) for step in STEPS),
    ),
    "D1": told(
        "The returning site's machines say `Always`.",
        story((20, "dark", "a"), (24, *FIRE_AND_DISCARD), (60, "light", "a", True)),
    ),
    "D2": told(
        "It returns with a mark that is two epochs old.",
        story(
            (20, "dark", "a"),
            (24, *FIRE_AND_DISCARD),
            (50, "suspend", "ledger", False),
            (60, *FIRE),
            (90, "light", "a", True),
        ),
    ),
    "D3": told(
        "It returns with a new pod and no mirror, or with a stale one.",
        story((20, "dark", "a"), (24, *FIRE_AND_DISCARD), (60, "light", "a", False)),
        story((20, "dark", "a"), (24, *FIRE_AND_DISCARD), (60, "git", "a", "hang", 30.0), (60.1, "light", "a", True)),
    ),
    "D4": told(
        "It returns while the other side promotes, with consent to discard.",
        *(story((20, "dark", "a"), (24, *FIRE_AND_DISCARD), (24 + step, "light", "a", True)) for step in STEPS),
    ),
    "D5": seen(
        "It returns without consent to discard.",
        EXECUTE + "test_cases.py::test_a_returning_site_keeps_its_copy_until_people_let_it_go",
    ),
    "D6": told(
        "It returns during a failback.",
        story((20, "dark", "a"), (24, *FIRE_AND_DISCARD), (50, "move", "ledger", "a"), (52, "light", "a", True)),
    ),
    "D7": told(
        "It returns with an older controller beside a newer one.",
        story((19, "pause", "a", "controller", "write", 1, 40.0, True), (24, *FIRE_AND_DISCARD)),
    ),
    "D8": told(
        "The cluster is rebuilt with another UID, or its store is restored in place.",
        story((20, "replace", "a")),
        story(
            (18, "backup"), (20, "dark", "a"), (24, *FIRE_AND_DISCARD), (60, "light", "a", True), (62, "replace", "a")
        ),
        story((18, "backup"), TO_B, (45, "restore store", "b")),
    ),
    "E1": told(
        "Git is unreachable, refusing or hanging, at either or at both sites, with a node lost meanwhile.",
        *(
            story((20, "git", sites, mode, 70.0), (40, "node", "a"), lease=lease)
            for sites, mode, lease in (
                ("a", "hang", True),
                ("a", "refuse", False),
                ("b", "refuse", True),
                ("ab", "hang", False),
                ("ab", "refuse", True),
            )
        ),
    ),
    "E2": seen(
        "A lagging replica of the server.",
        EXECUTE + "test_publisher.py::test_only_a_list_after_an_accepted_push_is_a_proof",
    ),
    "E3": told(
        "The branch is forced back, also beyond what a fresh mirror knows.",
        story(TO_B, (45, "rewind", 1)),
        story(TO_B, (45, "rewind", 1), (46, "kill", "b", "controller", "any", 1, 2.0, False)),
        tests=(EXECUTE + "test_ways_out.py::test_a_rewound_branch_is_frozen_until_people_accept_it",),
    ),
    "E4": told(
        "The server is restored from a backup, then a lost site returns.",
        *(
            story(
                (18, "backup"),
                (20, "dark", "a"),
                (24, *FIRE_AND_DISCARD),
                (60, "restore git", branch),
                (61, "light", "a", True),
            )
            for branch in (True, False)
        ),
        tests=(EXECUTE + "test_attacks.py::test_attack_a03_a_server_restored_from_a_backup_starts_no_second_writer",),
    ),
    "E5": told(
        "Flip-flop within one poll.",
        story(*((20 + number / 5, "move", "ledger", "ba"[number % 2]) for number in range(5))),
    ),
    "E6": told(
        "A skipped disaster epoch is followed by a planned one.", story((20, *FIRE), (20.2, "move", "ledger", "a"))
    ),
    "E7": seen(
        "A disaster commit reuses an epoch; a merge reverts one.",
        PROTOCOL + "test_epochs.py::test_a_placement_that_changes_under_its_epoch_freezes",
        PROTOCOL + "test_epochs.py::test_an_epoch_that_does_not_follow_freezes",
    ),
    "E8": told("Two commits at once.", story(TO_B, TO_B, (20, "move", "shop", "b"))),
    "E9": unseen("An unsigned commit, or one approval of two.", "signatures and approvals are not built"),
    "E10": told(
        "Another application's file is malformed.",
        story((19, "break", "shop", 60.0), TO_B),
        story(TO_B, (21, "break", "ledger", 20.0)),
    ),
    "E11": told("An ack's push is refused.", *after("git", "a", "push", 8.0, steps=(0.5, 3.0, 8.0))),
    "E12": seen(
        "A corrupt or shallow clone.", "tests/reconciler/git/test_mirror.py::test_a_damaged_folder_is_cloned_anew"
    ),
    "E13": seen(
        "Hostile refs: many parents, giant, deep, without end, forged.",
        EXECUTE + "test_publisher_on_git.py::test_a_hostile_ref_of_one_site_costs_the_others_nothing",
        PROTOCOL + "test_trust.py::test_an_ack_of_somebody_else_is_distrusted",
    ),
    "E14": told(
        "A site's ref is deleted.",
        *(story((20, "delete ref", "a", which), (35, "move", "ledger", "b")) for which in ("acks", "heartbeats")),
    ),
    "F1": told(
        "Controller and guard are killed between every two steps of a move.",
        *(
            story((19.9, "kill", site, "controller", "any", count, 2.0, True), TO_B)
            for site in "ab"
            for count in (10, 30, 60)
        ),
        story((20.5, "kill", "a", "guard", "any", 3, 2.0, True), TO_B),
        tests=(TESTBED + "test_moves.py::test_a_controller_killed_in_the_middle_of_a_move_goes_on_with_it",),
    ),
    "F2": told(
        "The controller is paused for long just before a write or a push, with and without a successor at work.",
        *(
            story(
                (19.9, "pause", site, "controller", point, count, 60.0, successor),
                TO_B,
                (50, "move", "ledger", "a"),
            )
            for site in "ab"
            for point, count, successor in (
                ("write", 2, True),
                ("write", 5, False),
                ("push", 1, False),
                ("push", 2, True),
            )
        ),
    ),
    "F3": told(
        "It is restarted while it is cut off, with a lease, with and without its mirror.",
        *(
            story((20, "git", "a", "hang", 60.0), (22, "kill", "a", "controller", "any", 1, 2.0, mirror))
            for mirror in (True, False)
        ),
    ),
    "F4": told(
        "Two controllers of one site.",
        story((18, "pause", "a", "controller", "any", 1, 12.0, True), TO_B, (50, "move", "ledger", "a")),
    ),
    "F5": told(
        "Clocks jump by a day or by seconds, either way; each machine's drifts in every story.",
        *(
            story((20, "clock", "a", by), (40, "move", "ledger", "b"), lease=lease)
            for by, lease in ((-86400.0, True), (-30.0, False), (30.0, True), (86400.0, False))
        ),
    ),
    "F6": told(
        "A node is rebooted in the middle of a move.", *after("node", "a", steps=(1.5, 5.0)), *after("node", "b")
    ),
    "F7": told(
        "The API server refuses, or does not answer.",
        *(story((20.5, "api", site, mode, 20.0), TO_B) for site in "ab" for mode in ("refuse", "hang")),
    ),
    "F8": told(
        "One API server of three is frozen and wakes up in the move.",
        *(story((20 - early, "freeze", "a", 12.0), TO_B) for early in (1, 5)),
        tests=(
            EXECUTE
            + "test_api_servers.py::test_attack_a21_a_frozen_server_that_left_the_endpoints_keeps_the_gate_unproven",
        ),
    ),
    "F9": seen(
        "The gate or a policy is missing or changed.",
        GUARD + "test_guard_process.py::test_attack_s03_a_gate_that_somebody_changed_or_deleted_is_put_back_and_named",
    ),
    "F10": seen(
        "Rights are revoked midway.",
        "tests/reconciler/failover/admission/test_gates.py::test_a_prober_without_the_right_to_create_pods_proves_nothing_and_says_so_once",
    ),
    "F11": seen(
        "One application's journal is damaged.",
        GUARD + "test_guard_process.py::test_attack_a07_one_damaged_record_among_thirty_delays_nobody",
    ),
    "F12": seen(
        "The wrong context.",
        PROTOCOL + "test_binding.py::test_a_cluster_is_bound_to_one_site_and_a_site_to_one_cluster",
    ),
    "G1": seen(
        "Degraded flaps, the generation is stale, an error is false, a state's value is unknown.",
        "tests/reconciler/drivers/test_csi_addons.py::test_judging_one_volume",
    ),
    "G2": seen("Stuck promoting.", PROTOCOL + "test_promotions.py::test_a_promotion_that_takes_too_long_is_a_hold"),
    "G3": seen(
        "A resource is deleted by hand.",
        "tests/reconciler/drivers/test_csi_addons.py::test_an_absent_resource_is_no_copy_and_not_an_unknown_one",
    ),
    "G4": unseen(
        "Promotion asks for force; an imperative action is delivered twice; a resync without end.",
        "the simulated array knows none of them",
    ),
    "H1": seen(
        "The cap is held at every instant.",
        "tests/reconciler/starts/test_start_gate.py::test_the_caps_hold_at_every_instant",
        TESTBED + "test_first_placement.py::test_the_start_gate_reaches_its_cap_and_never_passes_it",
    ),
    "H2": seen(
        "Databases are not ready: services wait.",
        TESTBED + "test_first_placement.py::test_a_service_starts_once_the_database_is_ready",
    ),
    "H3": seen(
        "A crash-looping machine blocks nobody.",
        "tests/reconciler/starts/test_start_gate.py::test_what_hangs_gives_its_slot_back",
    ),
    "H4": unseen("Too little capacity: lower priorities are shed.", "shedding is not built"),
    "H5": told("A node is lost while it starts.", *after("node", "b", steps=(9.0, 11.0, 13.0))),
    "H6": seen(
        "The other half's machines are untouched.",
        TESTBED + "test_moves.py::test_a_planned_move_loses_nothing_and_touches_nothing_else",
    ),
    "I1": told(
        "The witness is lost, for everybody.",
        story((20, "git", "ab", "hang", 40.0), TO_B),
        story((20, "git", "ab", "refuse", 40.0), TO_B, lease=False),
    ),
    "I2": told(
        "Three sites: a disaster from a to b, then a planned move to c while a still runs.",
        story(
            (20, "git", "a", "hang", 70.0),
            (22, "disaster", "shop", "b", "unknown", True, False),
            (50, "move", "shop", "c"),
            sites="abc",
        ),
    ),
    "I3": told(
        "Three sites: a to b to c in quick succession.",
        story((20, "move", "shop", "b"), (22, "move", "shop", "c"), sites="abc"),
        story((20, "move", "shop", "b"), (27, "move", "shop", "c"), sites="abc"),
    ),
    "I4": told(
        "Two opposite moves at once.",
        story((20, "move", "shop", "b"), (45, "move", "shop", "a"), (45, "move", "ledger", "b")),
    ),
    "I5": seen(
        "Hot and warm passive sites.",
        "tests/reconciler/failover/admission/test_gates.py::test_what_stands_by_without_volumes_runs",
    ),
    "J1": unseen("A drill.", "drills are not built"),
    "K1": seen(
        "A stale word overwrites a newer one, of two writes one is lost: with last-write-wins the same seeds fail.",
        "tests/simulation/test_stories.py::test_what_is_broken_on_purpose_is_found",
    ),
    "K2": seen(
        "Nothing discovered counts as success.",
        EXECUTE + "test_cases.py::test_nothing_is_concluded_from_what_cannot_be_read",
    ),
    "K3": seen(
        "A planned move in which each waits for the other's word.",
        PROTOCOL + "test_promotions.py::test_a_third_site_that_carries_the_application_must_answer",
        PROTOCOL + "test_planned_moves.py::test_the_source_stops_nothing_before_the_target_is_ready",
    ),
    "K4": seen(
        "Healthy is reported before the peer's replication exists.",
        PROTOCOL + "test_planned_moves.py::test_ready_is_not_said_without_its_proof",
    ),
}


def page() -> str:
    """The tables of the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for group, name in GROUPS.items():
        yield f"### {group}: {name}\n"
        yield "| case | | shown by |"
        yield "|---|---|---|"
        for number, case in CASES.items():
            if number[0] == group:
                yield f"| {number} | {case.words} | {_shown(case)} |"
        yield ""


def _shown(case: Case) -> str:
    stories = [f"{len(case.stories)} {'story' if len(case.stories) == 1 else 'stories'}"] if case.stories else []
    tests = [f"`{each.rpartition('/')[2].partition('::')[2]}`" for each in case.tests]
    return "; ".join([*stories, *tests]) or f"not shown: {case.why}"


def written(text: str) -> str:
    """The page with its tables as the code has them."""
    before, _, rest = text.partition(MARK)
    _, _, behind = rest.partition("<!-- end -->")
    return f"{before}{MARK}\n{page()}<!-- end -->{behind}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))

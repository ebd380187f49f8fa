"""Cases A to D: normal work, planned moves, disasters, and what returns after them."""

from __future__ import annotations

from simulation.case import (
    EXECUTE,
    FIRE,
    FIRE_AND_DISCARD,
    PROTOCOL,
    STEPS,
    TESTBED,
    TO_B,
    Case,
    after,
    seen,
    story,
    told,
    unseen,
)

MOVES: dict[str, Case] = {
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
}

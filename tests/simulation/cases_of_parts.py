"""Cases E to K: Git, controllers and guards, storage, restarts, topologies, drills, and a rival's races."""

from __future__ import annotations

from simulation.case import (
    EXECUTE,
    FIRE,
    FIRE_AND_DISCARD,
    GUARD,
    PROTOCOL,
    TESTBED,
    TO_B,
    Case,
    after,
    seen,
    story,
    told,
    unseen,
)

PARTS: dict[str, Case] = {
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

"""Decisions laid over a partition, with no store and no run: places, contradictions, what is broken, what is said."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tests.fixtures.builders import NOON, build_theme, planted_vectors

from patternmind.domain.edits import Edit, EditAction, binding_edits
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import (
    OUTLIER,
    Lineage,
    Partition,
    Vectors,
)
from patternmind.edits import (
    EditedAssignments,
    apply_edits,
    are_compatible,
    assign_cases,
    find_conflicts,
    find_contradictory_edits,
    find_violations,
    resolve_edits,
)

SIZES = (6, 5, 4)
"""Themes t-0, t-1, t-2 of cases c-00 ... c-14; c-15 and c-16 are in none."""


def a_network(*, strength: float = 0.9, spread: float = 0.35) -> tuple[MachineResult, Vectors]:
    vectors, labels = planted_vectors(SIZES, n_outliers=2, spread=spread)
    centres = np.stack([vectors[labels == label].mean(axis=0) for label in range(len(SIZES))])
    centres = (centres / np.linalg.norm(centres, axis=1, keepdims=True)).astype(np.float32)
    part = Partition(
        labels=labels,
        areas=np.asarray([0, 0, 1], np.int32),
        strength=np.where(labels == OUTLIER, 0.3, strength).astype(np.float32),
        nearest=np.where(labels == OUTLIER, 0, labels).astype(np.int32),
        centres=centres,
        stability=np.full(len(SIZES), strength, np.float32),
    )
    found = MachineResult(
        case_ids=tuple(f"c-{row:02d}" for row in range(len(labels))),
        theme_ids=("t-0", "t-1", "t-2"),
        area_ids=("a-0", "a-0", "a-1"),
        partition=part,
        encoder="planted",
    )
    return found, vectors


def said(action: str, *case_ids: str, **known: Any) -> dict[str, Any]:
    return {"action": EditAction(action), "case_ids": case_ids, **known}


def a_log(*lines: dict[str, Any]) -> list[Edit]:
    return [Edit(seq=seq, lens="all", by="Ada", at=NOON, **line) for seq, line in enumerate(lines, 1)]


def placed(*lines: dict[str, Any], **network: Any) -> EditedAssignments:
    found, vectors = a_network(**network)
    return assign_cases(found, vectors, resolve_edits(a_log(*lines)))


def members(outcome: EditedAssignments, theme_id: str | None) -> list[str]:
    return [case_id for case_id, place in outcome.theme_of.items() if place == theme_id]


# places


def test_without_a_decision_the_partition_is_the_very_one_that_was_found() -> None:
    found, vectors = a_network()
    decisions = resolve_edits([])
    outcome = assign_cases(found, vectors, decisions)
    part, theme_ids = apply_edits(found, outcome, decisions, vectors)
    assert part is found.partition
    assert theme_ids == found.theme_ids
    assert (outcome.strength, outcome.reasons) == ({}, {})


@pytest.mark.parametrize("action", ["pin", "move_in"])
def test_a_case_that_is_held_goes_there_and_no_other_case_moves(action: str) -> None:
    outcome = placed(said(action, "c-00", theme_id="t-2"))
    assert members(outcome, "t-2") == ["c-00", "c-11", "c-12", "c-13", "c-14"]
    assert members(outcome, "t-0") == ["c-01", "c-02", "c-03", "c-04", "c-05"]
    assert outcome.strength == {"c-00": 1.0}
    assert outcome.reasons["c-00"].endswith("by a person (decision 1)")


def test_a_case_that_lies_far_from_all_other_themes_stands_alone_when_moved_out() -> None:
    outcome = placed(said("move_out", "c-00", theme_id="t-0"))
    assert outcome.theme_of["c-00"] is None
    assert outcome.reasons == {"c-00": "moved out by a person (decision 1)"}


def test_a_case_that_lies_near_another_theme_joins_it_when_moved_out() -> None:
    found, vectors = a_network()
    vectors = vectors.copy()
    vectors[0] = found.partition.centres[1]
    outcome = assign_cases(found, vectors, resolve_edits(a_log(said("move_out", "c-00", theme_id="t-0"))))
    assert outcome.theme_of["c-00"] == "t-1"
    assert 0.25 <= outcome.strength["c-00"] <= 1


def test_no_case_is_handed_to_a_retired_theme() -> None:
    found, vectors = a_network()
    vectors = vectors.copy()
    vectors[0] = found.partition.centres[1]
    log = a_log(said("retire", "c-06", theme_id="t-1"), said("move_out", "c-00", theme_id="t-0"))
    outcome = assign_cases(found, vectors, resolve_edits(log))
    assert outcome.theme_of["c-00"] is None
    assert len(members(outcome, "t-1")) == 5


def test_merges_are_followed_to_their_end_and_decisions_with_them() -> None:
    outcome = placed(
        said("pin", "c-15", theme_id="t-0"),
        said("merge", theme_id="t-0", other_theme_id="t-1"),
        said("merge", theme_id="t-1", other_theme_id="t-2"),
    )
    assert len(members(outcome, "t-2")) == 16
    assert members(outcome, None) == ["c-16"]


def test_cases_kept_together_go_where_most_are_and_outliers_with_them() -> None:
    outcome = placed(said("together", "c-00", "c-06"), said("together", "c-06", "c-07", "c-15"))
    assert {outcome.theme_of[case_id] for case_id in ("c-00", "c-06", "c-07", "c-15")} == {"t-1"}


def test_outliers_kept_together_stay_outliers_together() -> None:
    outcome = placed(said("together", "c-15", "c-16"))
    assert members(outcome, None) == ["c-15", "c-16"]


def test_one_held_case_draws_those_that_must_be_with_it() -> None:
    outcome = placed(said("together", "c-00", "c-01", "c-02"), said("move_in", "c-02", theme_id="t-2"))
    assert {"c-00", "c-01", "c-02"} <= set(members(outcome, "t-2"))


def test_of_cases_kept_apart_the_held_and_then_the_firmest_keeps_the_theme() -> None:
    outcome = placed(said("apart", "c-00", "c-01", "c-02"), said("pin", "c-02", theme_id="t-0"))
    assert outcome.theme_of["c-02"] == "t-0"
    assert "t-0" not in {outcome.theme_of["c-00"], outcome.theme_of["c-01"]}


def test_decisions_about_cases_that_the_run_did_not_look_at_wait() -> None:
    outcome = placed(said("pin", "c-99", theme_id="t-0"), said("together", "c-00", "c-98"))
    assert set(outcome.theme_of) == set(a_network()[0].case_ids)
    assert outcome.strength == {}


def test_the_order_of_the_cases_in_a_decision_does_not_matter() -> None:
    one = placed(said("together", "c-00", "c-06", "c-11"), said("apart", "c-01", "c-02"))
    other = placed(said("together", "c-11", "c-00", "c-06"), said("apart", "c-02", "c-01"))
    assert one.theme_of == other.theme_of


# the partition


def test_a_laid_over_partition_has_its_clusters_by_size_with_centres_areas_and_stability() -> None:
    found, vectors = a_network()
    decisions = resolve_edits(
        a_log(
            said("merge", theme_id="t-2", other_theme_id="t-1"),
            said("split_off", "c-00", "c-15", theme_id="t-0", other_theme_id="t-9"),
        )
    )
    part, theme_ids = apply_edits(found, assign_cases(found, vectors, decisions), decisions, vectors)
    assert theme_ids == ("t-1", "t-0", "t-9")
    assert [len(part.rows_of(label)) for label in range(3)] == [9, 5, 2]
    assert part.areas.tolist() == [0, 0, 0]
    assert np.linalg.norm(part.centres, axis=1) == pytest.approx(1, abs=1e-5)
    assert part.stability == pytest.approx([0.9, 0.9, 0.45])
    assert part.nearest[part.labels != OUTLIER].tolist() == part.labels[part.labels != OUTLIER].tolist()
    assert (part.strength[0], part.strength[15]) == (1.0, 1.0)


def test_an_outliers_nearest_theme_is_none_that_it_was_moved_out_of() -> None:
    found, vectors = a_network()
    decisions = resolve_edits(a_log(said("move_out", "c-00", theme_id="t-0")))
    part, theme_ids = apply_edits(found, assign_cases(found, vectors, decisions), decisions, vectors)
    assert theme_ids[part.nearest[0]] != "t-0"


# contradictions


TOGETHER = said("together", "c-00", "c-01")
PIN_0 = said("pin", "c-00", theme_id="t-0")
LOCK_0 = said("lock", "c-00", theme_id="t-0", name="x")
RETIRE_0 = said("retire", "c-00", theme_id="t-0")
MERGE_0_1 = said("merge", theme_id="t-0", other_theme_id="t-1")


@pytest.mark.parametrize(
    ("stands", "new"),
    [
        (PIN_0, said("pin", "c-00", theme_id="t-1")),
        (PIN_0, said("move_out", "c-00", theme_id="t-0")),
        (said("move_out", "c-00", theme_id="t-0"), said("move_in", "c-00", theme_id="t-0")),
        (TOGETHER, said("apart", "c-01", "c-00")),
        (said("apart", "c-00", "c-01", "c-02"), said("together", "c-02", "c-01")),
        (LOCK_0, said("rename", theme_id="t-0", name="y")),
        (LOCK_0, MERGE_0_1),
        (LOCK_0, said("merge", theme_id="t-1", other_theme_id="t-0")),
        (LOCK_0, said("split_off", "c-00", theme_id="t-0", other_theme_id="t-9")),
        (RETIRE_0, MERGE_0_1),
        (RETIRE_0, said("merge", theme_id="t-1", other_theme_id="t-0")),
        (RETIRE_0, said("move_in", "c-09", theme_id="t-0")),
        (RETIRE_0, said("move_in", "c-00", theme_id="t-1")),
        (MERGE_0_1, said("merge", theme_id="t-1", other_theme_id="t-0")),
        (MERGE_0_1, said("merge", theme_id="t-0", other_theme_id="t-2")),
        (MERGE_0_1, said("rename", theme_id="t-0", name="y")),
        (MERGE_0_1, said("pin", "c-05", theme_id="t-0")),
    ],
)
def test_a_decision_against_one_that_stands_is_refused_and_that_one_named(
    stands: dict[str, Any], new: dict[str, Any]
) -> None:
    other, *log, against = a_log(said("rename", theme_id="t-2", name="z"), stands, new)
    assert find_contradictory_edits([other, *log], against) == (*log,)


@pytest.mark.parametrize(
    ("log", "new", "because_of"),
    [
        ([TOGETHER, said("together", "c-01", "c-02")], said("apart", "c-00", "c-02"), (1, 2)),
        ([PIN_0, said("pin", "c-06", theme_id="t-1")], said("together", "c-00", "c-06"), (1, 2)),
        ([PIN_0, said("pin", "c-06", theme_id="t-1"), said("apart", "c-00", "c-06")], MERGE_0_1, (1, 2, 3)),
        ([PIN_0, said("move_out", "c-00", theme_id="t-1")], MERGE_0_1, (1, 2)),
        ([TOGETHER, said("move_out", "c-01", theme_id="t-0")], PIN_0, (1, 2)),
    ],
)
def test_what_only_several_decisions_forbid_names_all_of_them(
    log: list[dict[str, Any]], new: dict[str, Any], because_of: tuple[int, ...]
) -> None:
    *stands, against = a_log(*log, new)
    assert tuple(edit.seq for edit in find_contradictory_edits(stands, against)) == because_of


@pytest.mark.parametrize(
    "log",
    [
        [PIN_0, said("move_in", "c-00", theme_id="t-0"), LOCK_0, RETIRE_0],
        [said("rename", theme_id="t-0", name="a"), said("rename", theme_id="t-0", name="b"), LOCK_0],
        [PIN_0, MERGE_0_1, said("move_in", "c-00", theme_id="t-1")],
        [MERGE_0_1, said("lock", "c-00", "c-06", theme_id="t-1", name="x")],
        [said("apart", "c-00", "c-01"), said("pin", "c-00", theme_id="t-0"), said("pin", "c-01", theme_id="t-1")],
        [
            said("split_off", "c-00", theme_id="t-0", other_theme_id="t-9"),
            said("merge", theme_id="t-9", other_theme_id="t-0"),
        ],
    ],
)
def test_what_can_be_kept_at_once_is_not_refused(log: list[dict[str, Any]]) -> None:
    assert are_compatible(a_log(*log))


def test_an_undone_merge_may_leave_two_decisions_that_only_it_reconciled() -> None:
    merge, pin, other, bond = a_log(
        MERGE_0_1,
        said("pin", "c-00", theme_id="t-1"),
        said("pin", "c-06", theme_id="t-1"),
        said("together", "c-00", "c-06"),
    )
    assert find_contradictory_edits([merge, pin, other, bond]) == ()
    assert find_contradictory_edits([pin, other, bond]) == ()


def test_what_stands_is_what_no_undo_took_back() -> None:
    log = a_log(PIN_0, TOGETHER, said("undo", undoes=1))
    assert [edit.seq for edit in binding_edits(reversed(log))] == [2]


# what is broken


def test_every_broken_decision_is_listed_with_how() -> None:
    themes = [
        build_theme("t-0", name="machine", case_ids=("c-00", "c-01", "c-03")),
        build_theme("t-1", name="one", case_ids=("c-02",), lineage=Lineage.CONTINUED),
    ]
    theme_of = {"c-00": "t-0", "c-01": "t-0", "c-02": "t-1", "c-03": "t-0"}
    log = a_log(
        said("rename", theme_id="t-0", name="given"),
        said("move_out", "c-00", theme_id="t-0"),
        said("pin", "c-02", theme_id="t-0"),
        said("together", "c-01", "c-02"),
        said("apart", "c-00", "c-01"),
        said("retire", "c-02", theme_id="t-1"),
        said("split_off", "c-03", theme_id="t-0", other_theme_id="t-9"),
    )
    broken = find_violations(theme_of, themes, log)
    assert {one.edit.seq for one in broken} == {1, 2, 3, 4, 5, 6, 7}
    assert (
        find_violations(
            {}, [build_theme("t-0", name="given"), build_theme("t-1", lineage=Lineage.RETIRED), build_theme("t-9")], log
        )
        == ()
    )


def test_a_merged_theme_with_cases_is_a_broken_merge() -> None:
    log = a_log(MERGE_0_1)
    themes = [build_theme("t-0"), build_theme("t-1", case_ids=())]
    assert [one.detail for one in find_violations({"c-1": "t-0"}, themes, log)] == ["t-0 has cases"]


# what is said


def kinds(lines: Sequence[dict[str, Any]], **network: Any) -> list[tuple[str, int]]:
    found, _ = a_network(**network)
    return [(one.kind, one.edit_seq) for one in find_conflicts(found, a_log(*lines))]


AGAINST = [
    said("move_in", "c-00", theme_id="t-1"),
    said("move_out", "c-01", theme_id="t-0"),
    said("split_off", "c-02", "c-03", theme_id="t-0", other_theme_id="t-9"),
    said("together", "c-04", "c-12"),
    said("apart", "c-13", "c-14"),
]


def test_firm_data_against_a_decision_is_said_and_weak_data_is_not() -> None:
    expected = [(line["action"].value, seq) for seq, line in enumerate(AGAINST, 1)]
    assert kinds(AGAINST) == expected
    assert kinds(AGAINST, strength=0.5) == []


def test_a_merge_is_doubted_only_where_neither_is_the_others_nearest() -> None:
    vectors = np.eye(8, dtype=np.float32)
    pairs = np.stack([vectors[0], vectors[0] + vectors[1] / 2, vectors[2], vectors[2] + vectors[3] / 2])
    found, _ = a_network()
    centres = (pairs / np.linalg.norm(pairs, axis=1, keepdims=True)).astype(np.float32)
    part = Partition(
        labels=np.arange(4, dtype=np.int32),
        areas=np.zeros(4, np.int32),
        strength=np.ones(4, np.float32),
        nearest=np.arange(4, dtype=np.int32),
        centres=centres,
        stability=np.ones(4, np.float32),
    )
    four = MachineResult(
        case_ids=("a", "b", "c", "d"),
        theme_ids=("t-0", "t-1", "t-2", "t-3"),
        area_ids=("a-0",) * 4,
        partition=part,
        encoder=found.encoder,
    )
    near, far = a_log(MERGE_0_1, said("merge", theme_id="t-1", other_theme_id="t-2"))
    assert find_conflicts(four, [near]) == ()
    assert [one.theme_ids for one in find_conflicts(four, [far])] == [("t-1", "t-2")]


def test_a_retired_theme_that_goes_on_growing_is_worth_a_word() -> None:
    assert kinds([said("retire", "c-00", "c-01", theme_id="t-0")]) == [("retire", 1)]
    assert kinds([said("retire", *(f"c-0{n}" for n in range(6)), theme_id="t-0")]) == []


def test_a_proposal_speaks_in_ids_and_names_its_decision() -> None:
    found, _ = a_network()
    (one,) = find_conflicts(found, a_log(AGAINST[0]))
    assert one.text == (
        "Decision 1: c-00 is held in t-1, but the data clearly assigns it to t-0. Undo the decision, or keep it."
    )

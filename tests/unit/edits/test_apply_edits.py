"""Tests of edits without a store or a run: assignments, contradictions, violations and conflicts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tests.fixtures.builders import NOON, build_theme, planted_vectors

from patternmind.domain.edits import Edit, EditAction, binding_edits
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER, Lineage, Partition, Vectors
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
"""Sizes of themes t-0, t-1, t-2 with cases c-00 to c-14; c-15 and c-16 have no theme."""


def planted_result(*, strength: float = 0.9, spread: float = 0.35) -> tuple[MachineResult, Vectors]:
    vectors, labels = planted_vectors(SIZES, n_outliers=2, spread=spread)
    centroids = np.stack([vectors[labels == label].mean(axis=0) for label in range(len(SIZES))])
    centroids = (centroids / np.linalg.norm(centroids, axis=1, keepdims=True)).astype(np.float32)
    partition = Partition(
        labels=labels,
        areas=np.asarray([0, 0, 1], np.int32),
        strength=np.where(labels == OUTLIER, 0.3, strength).astype(np.float32),
        nearest=np.where(labels == OUTLIER, 0, labels).astype(np.int32),
        centres=centroids,
        stability=np.full(len(SIZES), strength, np.float32),
    )
    machine_result = MachineResult(
        case_ids=tuple(f"c-{row:02d}" for row in range(len(labels))),
        theme_ids=("t-0", "t-1", "t-2"),
        area_ids=("a-0", "a-0", "a-1"),
        partition=partition,
        encoder="planted",
    )
    return machine_result, vectors


def edit_fields(action: str, *case_ids: str, **fields: Any) -> dict[str, Any]:
    return {"action": EditAction(action), "case_ids": case_ids, **fields}


def build_log(*lines: dict[str, Any]) -> list[Edit]:
    return [Edit(seq=seq, lens="all", by="Ada", at=NOON, **line) for seq, line in enumerate(lines, 1)]


def assign_with(*lines: dict[str, Any], **network: Any) -> EditedAssignments:
    machine_result, vectors = planted_result(**network)
    return assign_cases(machine_result, vectors, resolve_edits(build_log(*lines)))


def members(outcome: EditedAssignments, theme_id: str | None) -> list[str]:
    return [case_id for case_id, theme in outcome.theme_of.items() if theme == theme_id]


# assignments


def test_apply_edits_returns_the_machine_partition_without_edits() -> None:
    machine_result, vectors = planted_result()
    resolved = resolve_edits([])
    outcome = assign_cases(machine_result, vectors, resolved)
    partition, theme_ids = apply_edits(machine_result, outcome, resolved, vectors)
    assert partition is machine_result.partition
    assert theme_ids == machine_result.theme_ids
    assert (outcome.strength, outcome.reasons) == ({}, {})


@pytest.mark.parametrize("action", ["pin", "move_in"])
def test_held_case_moves_to_its_theme_and_no_other_case_moves(action: str) -> None:
    outcome = assign_with(edit_fields(action, "c-00", theme_id="t-2"))
    assert members(outcome, "t-2") == ["c-00", "c-11", "c-12", "c-13", "c-14"]
    assert members(outcome, "t-0") == ["c-01", "c-02", "c-03", "c-04", "c-05"]
    assert outcome.strength == {"c-00": 1.0}
    assert outcome.reasons["c-00"].endswith("by a person (decision 1)")


def test_moved_out_case_has_no_theme_when_all_others_are_far() -> None:
    outcome = assign_with(edit_fields("move_out", "c-00", theme_id="t-0"))
    assert outcome.theme_of["c-00"] is None
    assert outcome.reasons == {"c-00": "moved out by a person (decision 1)"}


def test_moved_out_case_joins_another_near_theme() -> None:
    machine_result, vectors = planted_result()
    vectors = vectors.copy()
    vectors[0] = machine_result.partition.centres[1]
    outcome = assign_cases(
        machine_result, vectors, resolve_edits(build_log(edit_fields("move_out", "c-00", theme_id="t-0")))
    )
    assert outcome.theme_of["c-00"] == "t-1"
    assert 0.25 <= outcome.strength["c-00"] <= 1


def test_retired_theme_gets_no_moved_case() -> None:
    machine_result, vectors = planted_result()
    vectors = vectors.copy()
    vectors[0] = machine_result.partition.centres[1]
    log = build_log(edit_fields("retire", "c-06", theme_id="t-1"), edit_fields("move_out", "c-00", theme_id="t-0"))
    outcome = assign_cases(machine_result, vectors, resolve_edits(log))
    assert outcome.theme_of["c-00"] is None
    assert len(members(outcome, "t-1")) == 5


def test_merges_and_edits_resolve_to_the_final_theme() -> None:
    outcome = assign_with(
        edit_fields("pin", "c-15", theme_id="t-0"),
        edit_fields("merge", theme_id="t-0", other_theme_id="t-1"),
        edit_fields("merge", theme_id="t-1", other_theme_id="t-2"),
    )
    assert len(members(outcome, "t-2")) == 16
    assert members(outcome, None) == ["c-16"]


def test_cases_kept_together_go_to_the_theme_of_most() -> None:
    outcome = assign_with(edit_fields("together", "c-00", "c-06"), edit_fields("together", "c-06", "c-07", "c-15"))
    assert {outcome.theme_of[case_id] for case_id in ("c-00", "c-06", "c-07", "c-15")} == {"t-1"}


def test_outliers_kept_together_stay_outliers() -> None:
    outcome = assign_with(edit_fields("together", "c-15", "c-16"))
    assert members(outcome, None) == ["c-15", "c-16"]


def test_held_case_takes_its_unit_along() -> None:
    outcome = assign_with(
        edit_fields("together", "c-00", "c-01", "c-02"), edit_fields("move_in", "c-02", theme_id="t-2")
    )
    assert {"c-00", "c-01", "c-02"} <= set(members(outcome, "t-2"))


def test_separated_cases_leave_the_theme_to_the_held_then_the_strongest() -> None:
    outcome = assign_with(edit_fields("apart", "c-00", "c-01", "c-02"), edit_fields("pin", "c-02", theme_id="t-0"))
    assert outcome.theme_of["c-02"] == "t-0"
    assert "t-0" not in {outcome.theme_of["c-00"], outcome.theme_of["c-01"]}


def test_edits_of_cases_outside_the_run_have_no_effect() -> None:
    outcome = assign_with(edit_fields("pin", "c-99", theme_id="t-0"), edit_fields("together", "c-00", "c-98"))
    assert set(outcome.theme_of) == set(planted_result()[0].case_ids)
    assert outcome.strength == {}


def test_apply_edits_ignores_the_order_of_cases_in_an_edit() -> None:
    outcome = assign_with(edit_fields("together", "c-00", "c-06", "c-11"), edit_fields("apart", "c-01", "c-02"))
    reordered = assign_with(edit_fields("together", "c-11", "c-00", "c-06"), edit_fields("apart", "c-02", "c-01"))
    assert outcome.theme_of == reordered.theme_of


# the partition


def test_edited_partition_has_clusters_by_size_with_centroids_areas_and_stability() -> None:
    machine_result, vectors = planted_result()
    resolved = resolve_edits(
        build_log(
            edit_fields("merge", theme_id="t-2", other_theme_id="t-1"),
            edit_fields("split_off", "c-00", "c-15", theme_id="t-0", other_theme_id="t-9"),
        )
    )
    partition, theme_ids = apply_edits(
        machine_result, assign_cases(machine_result, vectors, resolved), resolved, vectors
    )
    assert theme_ids == ("t-1", "t-0", "t-9")
    assert [len(partition.rows_of(label)) for label in range(3)] == [9, 5, 2]
    assert partition.areas.tolist() == [0, 0, 0]
    assert np.linalg.norm(partition.centres, axis=1) == pytest.approx(1, abs=1e-5)
    assert partition.stability == pytest.approx([0.9, 0.9, 0.45])
    assert (
        partition.nearest[partition.labels != OUTLIER].tolist()
        == partition.labels[partition.labels != OUTLIER].tolist()
    )
    assert (partition.strength[0], partition.strength[15]) == (1.0, 1.0)


def test_outlier_nearest_theme_is_never_an_excluded_one() -> None:
    machine_result, vectors = planted_result()
    resolved = resolve_edits(build_log(edit_fields("move_out", "c-00", theme_id="t-0")))
    partition, theme_ids = apply_edits(
        machine_result, assign_cases(machine_result, vectors, resolved), resolved, vectors
    )
    assert theme_ids[partition.nearest[0]] != "t-0"


# contradictions


TOGETHER = edit_fields("together", "c-00", "c-01")
PIN_0 = edit_fields("pin", "c-00", theme_id="t-0")
LOCK_0 = edit_fields("lock", "c-00", theme_id="t-0", name="x")
RETIRE_0 = edit_fields("retire", "c-00", theme_id="t-0")
MERGE_0_1 = edit_fields("merge", theme_id="t-0", other_theme_id="t-1")


@pytest.mark.parametrize(
    ("active", "new"),
    [
        (PIN_0, edit_fields("pin", "c-00", theme_id="t-1")),
        (PIN_0, edit_fields("move_out", "c-00", theme_id="t-0")),
        (edit_fields("move_out", "c-00", theme_id="t-0"), edit_fields("move_in", "c-00", theme_id="t-0")),
        (TOGETHER, edit_fields("apart", "c-01", "c-00")),
        (edit_fields("apart", "c-00", "c-01", "c-02"), edit_fields("together", "c-02", "c-01")),
        (LOCK_0, edit_fields("rename", theme_id="t-0", name="y")),
        (LOCK_0, MERGE_0_1),
        (LOCK_0, edit_fields("merge", theme_id="t-1", other_theme_id="t-0")),
        (LOCK_0, edit_fields("split_off", "c-00", theme_id="t-0", other_theme_id="t-9")),
        (RETIRE_0, MERGE_0_1),
        (RETIRE_0, edit_fields("merge", theme_id="t-1", other_theme_id="t-0")),
        (RETIRE_0, edit_fields("move_in", "c-09", theme_id="t-0")),
        (RETIRE_0, edit_fields("move_in", "c-00", theme_id="t-1")),
        (MERGE_0_1, edit_fields("merge", theme_id="t-1", other_theme_id="t-0")),
        (MERGE_0_1, edit_fields("merge", theme_id="t-0", other_theme_id="t-2")),
        (MERGE_0_1, edit_fields("rename", theme_id="t-0", name="y")),
        (MERGE_0_1, edit_fields("pin", "c-05", theme_id="t-0")),
    ],
)
def test_contradictory_edit_is_found_with_the_active_edit(active: dict[str, Any], new: dict[str, Any]) -> None:
    other, *log, new_edit = build_log(edit_fields("rename", theme_id="t-2", name="z"), active, new)
    assert find_contradictory_edits([other, *log], new_edit) == (*log,)


@pytest.mark.parametrize(
    ("log", "new", "contradicted"),
    [
        ([TOGETHER, edit_fields("together", "c-01", "c-02")], edit_fields("apart", "c-00", "c-02"), (1, 2)),
        ([PIN_0, edit_fields("pin", "c-06", theme_id="t-1")], edit_fields("together", "c-00", "c-06"), (1, 2)),
        (
            [PIN_0, edit_fields("pin", "c-06", theme_id="t-1"), edit_fields("apart", "c-00", "c-06")],
            MERGE_0_1,
            (1, 2, 3),
        ),
        ([PIN_0, edit_fields("move_out", "c-00", theme_id="t-1")], MERGE_0_1, (1, 2)),
        ([TOGETHER, edit_fields("move_out", "c-01", theme_id="t-0")], PIN_0, (1, 2)),
    ],
)
def test_contradictory_edits_include_all_that_are_needed(
    log: list[dict[str, Any]], new: dict[str, Any], contradicted: tuple[int, ...]
) -> None:
    *active, new_edit = build_log(*log, new)
    assert tuple(edit.seq for edit in find_contradictory_edits(active, new_edit)) == contradicted


@pytest.mark.parametrize(
    "log",
    [
        [PIN_0, edit_fields("move_in", "c-00", theme_id="t-0"), LOCK_0, RETIRE_0],
        [edit_fields("rename", theme_id="t-0", name="a"), edit_fields("rename", theme_id="t-0", name="b"), LOCK_0],
        [PIN_0, MERGE_0_1, edit_fields("move_in", "c-00", theme_id="t-1")],
        [MERGE_0_1, edit_fields("lock", "c-00", "c-06", theme_id="t-1", name="x")],
        [
            edit_fields("apart", "c-00", "c-01"),
            edit_fields("pin", "c-00", theme_id="t-0"),
            edit_fields("pin", "c-01", theme_id="t-1"),
        ],
        [
            edit_fields("split_off", "c-00", theme_id="t-0", other_theme_id="t-9"),
            edit_fields("merge", theme_id="t-9", other_theme_id="t-0"),
        ],
    ],
)
def test_compatible_edits_are_accepted(log: list[dict[str, Any]]) -> None:
    assert are_compatible(build_log(*log))


def test_undone_merge_can_leave_contradictory_edits() -> None:
    merge, pin, other, together = build_log(
        MERGE_0_1,
        edit_fields("pin", "c-00", theme_id="t-1"),
        edit_fields("pin", "c-06", theme_id="t-1"),
        edit_fields("together", "c-00", "c-06"),
    )
    assert find_contradictory_edits([merge, pin, other, together]) == ()
    assert find_contradictory_edits([pin, other, together]) == ()


def test_active_edits_exclude_undone_edits() -> None:
    log = build_log(PIN_0, TOGETHER, edit_fields("undo", undoes=1))
    assert [edit.seq for edit in binding_edits(reversed(log))] == [2]


# violations


def test_violations_list_every_violated_edit_with_detail() -> None:
    themes = [
        build_theme("t-0", name="machine", case_ids=("c-00", "c-01", "c-03")),
        build_theme("t-1", name="one", case_ids=("c-02",), lineage=Lineage.CONTINUED),
    ]
    theme_of = {"c-00": "t-0", "c-01": "t-0", "c-02": "t-1", "c-03": "t-0"}
    log = build_log(
        edit_fields("rename", theme_id="t-0", name="given"),
        edit_fields("move_out", "c-00", theme_id="t-0"),
        edit_fields("pin", "c-02", theme_id="t-0"),
        edit_fields("together", "c-01", "c-02"),
        edit_fields("apart", "c-00", "c-01"),
        edit_fields("retire", "c-02", theme_id="t-1"),
        edit_fields("split_off", "c-03", theme_id="t-0", other_theme_id="t-9"),
    )
    violations = find_violations(theme_of, themes, log)
    assert {violation.edit.seq for violation in violations} == {1, 2, 3, 4, 5, 6, 7}
    assert (
        find_violations(
            {}, [build_theme("t-0", name="given"), build_theme("t-1", lineage=Lineage.RETIRED), build_theme("t-9")], log
        )
        == ()
    )


def test_violations_include_a_merged_theme_with_cases() -> None:
    log = build_log(MERGE_0_1)
    themes = [build_theme("t-0"), build_theme("t-1", case_ids=())]
    assert [violation.detail for violation in find_violations({"c-1": "t-0"}, themes, log)] == ["t-0 has cases"]


# conflicts


def kinds(lines: Sequence[dict[str, Any]], **network: Any) -> list[tuple[str, int]]:
    machine_result, _ = planted_result(**network)
    return [(conflict.kind, conflict.edit_seq) for conflict in find_conflicts(machine_result, build_log(*lines))]


AGAINST = [
    edit_fields("move_in", "c-00", theme_id="t-1"),
    edit_fields("move_out", "c-01", theme_id="t-0"),
    edit_fields("split_off", "c-02", "c-03", theme_id="t-0", other_theme_id="t-9"),
    edit_fields("together", "c-04", "c-12"),
    edit_fields("apart", "c-13", "c-14"),
]


def test_conflicts_need_strong_evidence_against_an_edit() -> None:
    expected = [(line["action"].value, seq) for seq, line in enumerate(AGAINST, 1)]
    assert kinds(AGAINST) == expected
    assert kinds(AGAINST, strength=0.5) == []


def test_merge_conflicts_only_when_neither_theme_is_nearest_to_the_other() -> None:
    vectors = np.eye(8, dtype=np.float32)
    pairs = np.stack([vectors[0], vectors[0] + vectors[1] / 2, vectors[2], vectors[2] + vectors[3] / 2])
    machine_result, _ = planted_result()
    centroids = (pairs / np.linalg.norm(pairs, axis=1, keepdims=True)).astype(np.float32)
    partition = Partition(
        labels=np.arange(4, dtype=np.int32),
        areas=np.zeros(4, np.int32),
        strength=np.ones(4, np.float32),
        nearest=np.arange(4, dtype=np.int32),
        centres=centroids,
        stability=np.ones(4, np.float32),
    )
    four_themes = MachineResult(
        case_ids=("a", "b", "c", "d"),
        theme_ids=("t-0", "t-1", "t-2", "t-3"),
        area_ids=("a-0",) * 4,
        partition=partition,
        encoder=machine_result.encoder,
    )
    near, far = build_log(MERGE_0_1, edit_fields("merge", theme_id="t-1", other_theme_id="t-2"))
    assert find_conflicts(four_themes, [near]) == ()
    assert [conflict.theme_ids for conflict in find_conflicts(four_themes, [far])] == [("t-1", "t-2")]


def test_retired_theme_conflicts_when_it_keeps_growing() -> None:
    assert kinds([edit_fields("retire", "c-00", "c-01", theme_id="t-0")]) == [("retire", 1)]
    assert kinds([edit_fields("retire", *(f"c-0{n}" for n in range(6)), theme_id="t-0")]) == []


def test_conflict_text_names_ids_and_the_edit() -> None:
    machine_result, _ = planted_result()
    (conflict,) = find_conflicts(machine_result, build_log(AGAINST[0]))
    assert conflict.text == (
        "Decision 1: c-00 is held in t-1, but the data clearly assigns it to t-0. Undo the decision, or keep it."
    )

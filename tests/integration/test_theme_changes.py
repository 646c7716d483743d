"""Answers to a run's theme changes, to conflicts with edits, and to proposed edits."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fixtures.builders import NOON, build_submission
from tests.fixtures.edit_histories import group_once, short_cases

from patternmind.clock import FixedClock
from patternmind.domain.edits import EditAction, theme_owners
from patternmind.domain.themes import Neighbours, Partition, Theme, Vectors
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import ContradictoryEdit, NotFound, UsageError, VersionConflict
from patternmind.pipeline import run_pipeline
from patternmind.ports import RunParameters, RunRecord
from patternmind.services.theme_changes import (
    ChangeToReview,
    accept_change,
    accept_remaining_changes,
    answer_conflict,
    answer_proposed_edit,
    decline_change,
    list_changes_to_review,
    list_conflicts_to_review,
    list_proposed_edits,
)
from patternmind.services.theme_edits import (
    EditResult,
    ThemeEditRequest,
    get_last_edit_seq,
    list_logged_edits,
    submit_edit,
)
from patternmind.storage import SqlStore

JOINED = 7
"""Seed of runs that join the two smallest groups."""


def group(vectors: Vectors, neighbours: Neighbours, *, seed: int, **options: Any) -> Partition:
    """Return the real partition, computed once for all tests here; the seed ``JOINED`` simulates changed data."""
    partition = group_once(vectors, neighbours, seed=0, **options)
    if seed != JOINED:
        return partition
    last, removed = partition.n_clusters - 2, partition.n_clusters - 1
    return replace(
        partition,
        labels=np.where(partition.labels == removed, last, partition.labels).astype(np.int32),
        nearest=np.where(partition.nearest == removed, last, partition.nearest).astype(np.int32),
        areas=partition.areas[:removed],
        centres=partition.centres[:removed],
        stability=partition.stability[:removed],
    )


@pytest.fixture(autouse=True)
def share_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.pipeline.group_rows", group)


class ChangeNetwork:
    """A network with a first run, and helpers to edit themes and run again."""

    def __init__(self, folder: Path) -> None:
        self.store = SqlStore(folder / "patternmind.db")
        self.clock = FixedClock(NOON)
        self.import_cases(0, 58)
        self.run()

    def import_cases(self, first: int, n: int) -> None:
        cases = short_cases(0, first, n)
        self.store.cases.save_all([(build_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, **values: Any) -> RunRecord:
        self.clock.at += dt.timedelta(minutes=1)
        return run_pipeline(self.store, HashingEncoder(), self.clock, RunParameters(draft=False, **values))

    def decide(self, action: EditAction, *case_ids: str, by: str = "Ada", **values: Any) -> EditResult:
        return submit_edit(
            self.store, self.clock, ThemeEditRequest(action=action, actor=by, case_ids=case_ids, **values)
        )

    def themes(self) -> list[Theme]:
        return [theme for theme in self.store.themes.list_all("all") if theme.case_ids]

    def theme_ids(self) -> dict[str, str | None]:
        return {assignment.case_id: assignment.theme_id for assignment in self.store.runs.assignments("all")}

    def names(self) -> dict[str, str]:
        return {theme.id: theme.name for theme in self.store.themes.list_all("all")}

    def join_smallest(self) -> tuple[RunRecord, ChangeToReview]:
        """Run again with the smallest theme joined to another; return the run and that change."""
        run = self.run(seed=JOINED)
        changes = list_changes_to_review(self.store, run.id)
        return run, next(change for change in changes if change.former_case_ids)


@pytest.fixture
def network(tmp_path: Path) -> ChangeNetwork:
    return ChangeNetwork(tmp_path)


# changes of a run


def test_first_run_reports_every_theme_as_a_change_that_cannot_be_declined(network: ChangeNetwork) -> None:
    changes = list_changes_to_review(network.store, "run-0001")
    assert {change.change.theme_id for change in changes} == {theme.id for theme in network.themes()}
    assert all(change.answer is None and not change.former_case_ids for change in changes)
    with pytest.raises(UsageError, match="none can be restored"):
        decline_change(network.store, network.clock, "run-0001", changes[0].change.theme_id, actor="Ada")


def test_accept_change_is_logged_and_moves_no_case(network: ChangeNetwork) -> None:
    before, theme = network.theme_ids(), network.themes()[0]
    edit = accept_change(network.store, network.clock, "run-0001", theme.id, actor="Ada").edit
    reviews = list_changes_to_review(network.store, "run-0001")
    review = next(review for review in reviews if review.change.theme_id == theme.id)
    assert review.answer == edit
    assert network.theme_ids() == before
    with pytest.raises(UsageError, match="answered already"):
        accept_change(network.store, network.clock, "run-0001", theme.id, actor="Bo")
    network.decide(EditAction.UNDO, undoes=edit.seq)
    assert accept_remaining_changes(network.store, network.clock, "run-0001", actor="Bo") == len(network.themes())
    assert accept_remaining_changes(network.store, network.clock, "run-0001", actor="Bo") == 0


def test_decline_change_restores_the_cases_until_one_undo_reverts_it(network: ChangeNetwork) -> None:
    before = network.theme_ids()
    run, change = network.join_smallest()
    assert all(before[case_id] == former for former, case_ids in change.former_case_ids.items() for case_id in case_ids)
    results = decline_change(network.store, network.clock, run.id, change.change.theme_id, actor="Ada")
    restored = {case_id: former for former, case_ids in change.former_case_ids.items() for case_id in case_ids}
    assert restored.items() <= network.theme_ids().items()
    assert {result.edit.because for result in results[1:]} == {results[0].edit.seq}
    network.run(seed=JOINED, label="2026Q4")
    assert restored.items() <= network.theme_ids().items()
    network.decide(EditAction.UNDO, undoes=results[0].edit.seq)
    assert not restored.items() <= network.theme_ids().items()
    logged = list_logged_edits(network.store)[: len(results)]
    assert [edit.undone_by for edit in logged] == [results[-1].edit.seq + 1] * len(results)


def test_undo_right_after_declining_restores_the_assignments(network: ChangeNetwork) -> None:
    run, change = network.join_smallest()
    before = network.theme_ids()
    results = decline_change(network.store, network.clock, run.id, change.change.theme_id, actor="Ada")
    network.decide(EditAction.UNDO, undoes=results[0].edit.seq)
    assert network.theme_ids() == before
    with pytest.raises(UsageError, match="was made for decision"):
        network.decide(EditAction.UNDO, undoes=results[-1].edit.seq)


def test_changes_exclude_cases_that_a_person_moved(network: ChangeNetwork) -> None:
    first, second, *_ = network.themes()
    moved = first.case_ids[0]
    network.decide(EditAction.MOVE_IN, moved, theme_id=second.id)
    run = network.run(seed=JOINED)
    changes = list_changes_to_review(network.store, run.id)
    assert all(moved not in case_ids for change in changes for case_ids in change.former_case_ids.values())


def test_decline_change_refuses_an_older_run(network: ChangeNetwork) -> None:
    run, change = network.join_smallest()
    network.run(seed=JOINED, label="2026Q4")
    with pytest.raises(UsageError, match="newer run"):
        decline_change(network.store, network.clock, run.id, change.change.theme_id, actor="Ada")
    with pytest.raises(NotFound):
        accept_change(network.store, network.clock, run.id, "t-none", actor="Ada")


# proposed edits


def test_proposal_changes_no_theme_until_it_is_accepted(network: ChangeNetwork) -> None:
    theme, before = network.themes()[0], network.names()
    proposal = network.decide(
        EditAction.RENAME, theme_id=theme.id, name="Yard at night", by="Partner", proposed=True
    ).edit
    assert network.names() == before
    network.run(seed=JOINED)
    assert "Yard at night" not in network.names().values()
    accepted = answer_proposed_edit(network.store, network.clock, proposal.seq, is_accepted=True, actor="Ada").edit
    assert (accepted.by, accepted.answers, accepted.proposed) == ("Ada", proposal.seq, False)
    assert network.names()[theme.id] == "Yard at night"
    proposals = list_proposed_edits(network.store)
    assert [(proposed.edit.seq, proposed.answer and proposed.answer.seq) for proposed in proposals] == [(1, 2)]
    with pytest.raises(UsageError, match="answered already"):
        answer_proposed_edit(network.store, network.clock, proposal.seq, is_accepted=False, actor="Bo")
    network.decide(EditAction.UNDO, undoes=accepted.seq)
    assert list_proposed_edits(network.store)[0].answer is None


def test_declined_proposal_is_open_again_after_an_undo(network: ChangeNetwork) -> None:
    first, second, *_ = network.themes()
    proposal = network.decide(EditAction.MERGE, theme_id=first.id, other_theme_id=second.id, by="P", proposed=True).edit
    declined = answer_proposed_edit(
        network.store, network.clock, proposal.seq, is_accepted=False, actor="Ada", note="two desks"
    ).edit
    assert list_proposed_edits(network.store)[0].answer == declined
    assert len(network.themes()) == len({*network.theme_ids().values()} - {None})
    network.decide(EditAction.UNDO, undoes=declined.seq)
    assert list_proposed_edits(network.store)[0].answer is None


def test_proposed_split_creates_its_theme_when_accepted(network: ChangeNetwork) -> None:
    theme = network.themes()[0]
    case_ids = theme.case_ids[:2]
    proposal = network.decide(
        EditAction.SPLIT_OFF, *case_ids, theme_id=theme.id, name="Ramps", by="P", proposed=True
    ).edit
    assert proposal.other_theme_id is None
    accepted = answer_proposed_edit(network.store, network.clock, proposal.seq, is_accepted=True, actor="Ada").edit
    assert network.names()[accepted.other_theme_id or ""] == "Ramps"
    assert {network.theme_ids()[case_id] for case_id in case_ids} == {accepted.other_theme_id}


def test_proposed_undo_reverts_an_edit_only_when_accepted(network: ChangeNetwork) -> None:
    theme = network.themes()[0]
    rename = network.decide(EditAction.RENAME, theme_id=theme.id, name="Yard at night").edit
    proposal = network.decide(EditAction.UNDO, undoes=rename.seq, by="P", proposed=True).edit
    assert network.names()[theme.id] == "Yard at night"
    answer_proposed_edit(network.store, network.clock, proposal.seq, is_accepted=True, actor="Ada")
    assert network.names()[theme.id] == theme.name


def test_proposal_that_contradicts_an_edit_is_refused(network: ChangeNetwork) -> None:
    theme = network.themes()[0]
    left, right = theme.case_ids[:2]
    network.decide(EditAction.PIN, left, right, theme_id=theme.id)
    with pytest.raises(ContradictoryEdit):
        network.decide(EditAction.APART, left, right, by="P", proposed=True)


# conflicts, owners, and edits based on outdated data


def test_conflicting_edit_is_confirmed_or_undone(network: ChangeNetwork) -> None:
    first, second, *_ = network.themes()
    case_id = next(id for id in first.case_ids if network.store.runs.assignment_of(id, "all"))
    network.decide(EditAction.PIN, case_id, theme_id=second.id)
    conflict, *_ = list_conflicts_to_review(network.store, "all")
    assert conflict.answer is None
    confirmation = answer_conflict(network.store, network.clock, 1, is_accepted=False, actor="Bo").edit
    assert list_conflicts_to_review(network.store, "all")[0].answer == confirmation
    assert network.theme_ids()[case_id] == second.id
    with pytest.raises(UsageError, match="confirmed already"):
        answer_conflict(network.store, network.clock, 1, is_accepted=True, actor="Bo")
    network.decide(EditAction.UNDO, undoes=confirmation.seq)
    answer_conflict(network.store, network.clock, 1, is_accepted=True, actor="Bo")
    assert network.theme_ids()[case_id] == first.id
    assert list_conflicts_to_review(network.store, "all") == []
    with pytest.raises(NotFound):
        answer_conflict(network.store, network.clock, 1, is_accepted=True, actor="Bo")


def test_theme_owner_is_the_last_person_who_took_it(network: ChangeNetwork) -> None:
    theme, before = network.themes()[0], network.theme_ids()
    network.decide(EditAction.OWN, theme_id=theme.id, by="Ada")
    network.decide(EditAction.OWN, theme_id=theme.id, by="Bo")
    assert theme_owners(network.store.edits.list_all()) == {theme.id: "Bo"}
    network.decide(EditAction.UNDO, undoes=2)
    assert theme_owners(network.store.edits.list_all()) == {theme.id: "Ada"}
    assert network.theme_ids() == before


def test_edit_is_refused_when_others_edited_the_theme_meanwhile(network: ChangeNetwork) -> None:
    first, second, *_ = network.themes()
    expected_seq = get_last_edit_seq(network.store)
    network.decide(EditAction.RENAME, theme_id=first.id, name="Yard", expected_seq=expected_seq)
    network.decide(EditAction.RENAME, theme_id=second.id, name="Ramp", expected_seq=expected_seq)
    with pytest.raises(VersionConflict):
        network.decide(EditAction.RENAME, theme_id=first.id, name="Gate", expected_seq=expected_seq)
    network.decide(EditAction.RENAME, theme_id=first.id, name="Gate", expected_seq=get_last_edit_seq(network.store))
    assert network.names()[first.id] == "Gate"

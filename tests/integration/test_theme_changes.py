"""What waits after a run: changes accepted or declined, doubts answered, and what a data partner proposed."""

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
from patternmind.domain.themes import (
    Neighbours,
    Partition,
    Theme,
    Vectors,
)
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import (
    ContradictoryEdit,
    NotFound,
    UsageError,
    VersionConflict,
)
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
"""The seed of runs that find the smallest two groups to be one."""


def group(vectors: Vectors, neighbours: Neighbours, *, seed: int, **how: Any) -> Partition:
    """The real grouping, each computed once in all tests here; data that changed is told by the seed."""
    found = group_once(vectors, neighbours, seed=0, **how)
    if seed != JOINED:
        return found
    last, gone = found.n_clusters - 2, found.n_clusters - 1
    return replace(
        found,
        labels=np.where(found.labels == gone, last, found.labels).astype(np.int32),
        nearest=np.where(found.nearest == gone, last, found.nearest).astype(np.int32),
        areas=found.areas[:gone],
        centres=found.centres[:gone],
        stability=found.stability[:gone],
    )


@pytest.fixture(autouse=True)
def one_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.pipeline.group_rows", group)


class Desk:
    """A network with a first run, and a second one under another engine where a test asks for it."""

    def __init__(self, folder: Path) -> None:
        self.store = SqlStore(folder / "patternmind.db")
        self.clock = FixedClock(NOON)
        self.take_in(0, 58)
        self.run()

    def take_in(self, first: int, n: int) -> None:
        cases = short_cases(0, first, n)
        self.store.save_cases([(build_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, **known: Any) -> RunRecord:
        self.clock.at += dt.timedelta(minutes=1)
        return run_pipeline(self.store, HashingEncoder(), self.clock, RunParameters(draft=False, **known))

    def decide(self, action: EditAction, *case_ids: str, by: str = "Ada", **known: Any) -> EditResult:
        return submit_edit(
            self.store, self.clock, ThemeEditRequest(action=action, actor=by, case_ids=case_ids, **known)
        )

    def themes(self) -> list[Theme]:
        return [theme for theme in self.store.themes("all") if theme.case_ids]

    def places(self) -> dict[str, str | None]:
        return {one.case_id: one.theme_id for one in self.store.assignments("all")}

    def names(self) -> dict[str, str]:
        return {theme.id: theme.name for theme in self.store.themes("all")}

    def changed(self) -> tuple[RunRecord, ChangeToReview]:
        """A second run that took the smallest theme into another, and that change."""
        run = self.run(seed=JOINED)
        return run, next(one for one in list_changes_to_review(self.store, run.id) if one.former_case_ids)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# changes of a run


def test_every_theme_of_a_first_run_is_a_change_with_nothing_to_put_back(desk: Desk) -> None:
    told = list_changes_to_review(desk.store, "run-0001")
    assert {one.change.theme_id for one in told} == {theme.id for theme in desk.themes()}
    assert all(one.answer is None and not one.former_case_ids for one in told)
    with pytest.raises(UsageError, match="none can be restored"):
        decline_change(desk.store, desk.clock, "run-0001", told[0].change.theme_id, actor="Ada")


def test_accepting_is_written_down_and_changes_nothing(desk: Desk) -> None:
    before, theme = desk.places(), desk.themes()[0]
    line = accept_change(desk.store, desk.clock, "run-0001", theme.id, actor="Ada").edit
    told = next(one for one in list_changes_to_review(desk.store, "run-0001") if one.change.theme_id == theme.id)
    assert told.answer == line
    assert desk.places() == before
    with pytest.raises(UsageError, match="answered already"):
        accept_change(desk.store, desk.clock, "run-0001", theme.id, actor="Bo")
    desk.decide(EditAction.UNDO, undoes=line.seq)
    assert accept_remaining_changes(desk.store, desk.clock, "run-0001", actor="Bo") == len(desk.themes())
    assert accept_remaining_changes(desk.store, desk.clock, "run-0001", actor="Bo") == 0


def test_declining_puts_the_cases_back_for_good_and_one_undo_takes_all_of_it_back(desk: Desk) -> None:
    before = desk.places()
    run, one = desk.changed()
    assert all(before[case_id] == was for was, case_ids in one.former_case_ids.items() for case_id in case_ids)
    lines = decline_change(desk.store, desk.clock, run.id, one.change.theme_id, actor="Ada")
    back = {case_id: was for was, case_ids in one.former_case_ids.items() for case_id in case_ids}
    assert back.items() <= desk.places().items()
    assert {line.edit.because for line in lines[1:]} == {lines[0].edit.seq}
    desk.run(seed=JOINED, label="2026Q4")
    assert back.items() <= desk.places().items()
    desk.decide(EditAction.UNDO, undoes=lines[0].edit.seq)
    assert not back.items() <= desk.places().items()
    assert [one.undone_by for one in list_logged_edits(desk.store)[: len(lines)]] == [lines[-1].edit.seq + 1] * len(
        lines
    )


def test_an_undo_right_after_declining_leaves_no_trace(desk: Desk) -> None:
    run, one = desk.changed()
    before = desk.places()
    lines = decline_change(desk.store, desk.clock, run.id, one.change.theme_id, actor="Ada")
    desk.decide(EditAction.UNDO, undoes=lines[0].edit.seq)
    assert desk.places() == before
    with pytest.raises(UsageError, match="was made for decision"):
        desk.decide(EditAction.UNDO, undoes=lines[-1].edit.seq)


def test_what_a_person_moved_is_no_change_of_the_run(desk: Desk) -> None:
    first, second, *_ = desk.themes()
    moved = first.case_ids[0]
    desk.decide(EditAction.MOVE_IN, moved, theme_id=second.id)
    run = desk.run(seed=JOINED)
    told = list_changes_to_review(desk.store, run.id)
    assert all(moved not in case_ids for one in told for case_ids in one.former_case_ids.values())


def test_changes_of_an_older_run_cannot_be_declined(desk: Desk) -> None:
    run, one = desk.changed()
    desk.run(seed=JOINED, label="2026Q4")
    with pytest.raises(UsageError, match="newer run"):
        decline_change(desk.store, desk.clock, run.id, one.change.theme_id, actor="Ada")
    with pytest.raises(NotFound):
        accept_change(desk.store, desk.clock, run.id, "t-none", actor="Ada")


# what a data partner proposes


def test_a_proposal_changes_nothing_until_somebody_accepts_it(desk: Desk) -> None:
    theme, before = desk.themes()[0], desk.names()
    wish = desk.decide(EditAction.RENAME, theme_id=theme.id, name="Yard at night", by="Partner", proposed=True).edit
    assert desk.names() == before
    desk.run(seed=JOINED)
    assert "Yard at night" not in desk.names().values()
    done = answer_proposed_edit(desk.store, desk.clock, wish.seq, is_accepted=True, actor="Ada").edit
    assert (done.by, done.answers, done.proposed) == ("Ada", wish.seq, False)
    assert desk.names()[theme.id] == "Yard at night"
    assert [(one.edit.seq, one.answer and one.answer.seq) for one in list_proposed_edits(desk.store)] == [(1, 2)]
    with pytest.raises(UsageError, match="answered already"):
        answer_proposed_edit(desk.store, desk.clock, wish.seq, is_accepted=False, actor="Bo")
    desk.decide(EditAction.UNDO, undoes=done.seq)
    assert list_proposed_edits(desk.store)[0].answer is None


def test_a_proposal_may_be_declined_and_its_undo_opens_it_again(desk: Desk) -> None:
    first, second, *_ = desk.themes()
    wish = desk.decide(EditAction.MERGE, theme_id=first.id, other_theme_id=second.id, by="P", proposed=True).edit
    no = answer_proposed_edit(desk.store, desk.clock, wish.seq, is_accepted=False, actor="Ada", note="two desks").edit
    assert list_proposed_edits(desk.store)[0].answer == no
    assert len(desk.themes()) == len({*desk.places().values()} - {None})
    desk.decide(EditAction.UNDO, undoes=no.seq)
    assert list_proposed_edits(desk.store)[0].answer is None


def test_a_proposed_split_gets_its_theme_when_it_is_accepted(desk: Desk) -> None:
    theme = desk.themes()[0]
    some = theme.case_ids[:2]
    wish = desk.decide(EditAction.SPLIT_OFF, *some, theme_id=theme.id, name="Ramps", by="P", proposed=True).edit
    assert wish.other_theme_id is None
    done = answer_proposed_edit(desk.store, desk.clock, wish.seq, is_accepted=True, actor="Ada").edit
    assert desk.names()[done.other_theme_id or ""] == "Ramps"
    assert {desk.places()[case_id] for case_id in some} == {done.other_theme_id}


def test_a_proposed_undo_takes_nothing_back(desk: Desk) -> None:
    theme = desk.themes()[0]
    name = desk.decide(EditAction.RENAME, theme_id=theme.id, name="Yard at night").edit
    wish = desk.decide(EditAction.UNDO, undoes=name.seq, by="P", proposed=True).edit
    assert desk.names()[theme.id] == "Yard at night"
    answer_proposed_edit(desk.store, desk.clock, wish.seq, is_accepted=True, actor="Ada")
    assert desk.names()[theme.id] == theme.name


def test_what_contradicts_a_decision_cannot_even_be_proposed(desk: Desk) -> None:
    theme = desk.themes()[0]
    left, right = theme.case_ids[:2]
    desk.decide(EditAction.PIN, left, right, theme_id=theme.id)
    with pytest.raises(ContradictoryEdit):
        desk.decide(EditAction.APART, left, right, by="P", proposed=True)


# doubts, owners, and decisions on what one has not seen


def test_a_doubted_decision_is_let_stand_or_taken_back(desk: Desk) -> None:
    first, second, *_ = desk.themes()
    sure = next(id for id in first.case_ids if desk.store.find_assignment(id, "all"))
    desk.decide(EditAction.PIN, sure, theme_id=second.id)
    doubt, *_ = list_conflicts_to_review(desk.store, "all")
    assert doubt.answer is None
    kept = answer_conflict(desk.store, desk.clock, 1, is_accepted=False, actor="Bo").edit
    assert list_conflicts_to_review(desk.store, "all")[0].answer == kept
    assert desk.places()[sure] == second.id
    with pytest.raises(UsageError, match="confirmed already"):
        answer_conflict(desk.store, desk.clock, 1, is_accepted=True, actor="Bo")
    desk.decide(EditAction.UNDO, undoes=kept.seq)
    answer_conflict(desk.store, desk.clock, 1, is_accepted=True, actor="Bo")
    assert desk.places()[sure] == first.id
    assert list_conflicts_to_review(desk.store, "all") == []
    with pytest.raises(NotFound):
        answer_conflict(desk.store, desk.clock, 1, is_accepted=True, actor="Bo")


def test_who_looks_after_a_theme_is_the_last_who_said_so(desk: Desk) -> None:
    theme, before = desk.themes()[0], desk.places()
    desk.decide(EditAction.OWN, theme_id=theme.id, by="Ada")
    desk.decide(EditAction.OWN, theme_id=theme.id, by="Bo")
    assert theme_owners(desk.store.edits()) == {theme.id: "Bo"}
    desk.decide(EditAction.UNDO, undoes=2)
    assert theme_owners(desk.store.edits()) == {theme.id: "Ada"}
    assert desk.places() == before


def test_a_decision_on_what_others_decided_about_since_is_refused(desk: Desk) -> None:
    first, second, *_ = desk.themes()
    seen = get_last_edit_seq(desk.store)
    desk.decide(EditAction.RENAME, theme_id=first.id, name="Yard", seen=seen)
    desk.decide(EditAction.RENAME, theme_id=second.id, name="Ramp", seen=seen)
    with pytest.raises(VersionConflict):
        desk.decide(EditAction.RENAME, theme_id=first.id, name="Gate", seen=seen)
    desk.decide(EditAction.RENAME, theme_id=first.id, name="Gate", seen=get_last_edit_seq(desk.store))
    assert desk.names()[first.id] == "Gate"

"""What people decided about themes stands at once and after every run, engine and encoder, until it is taken back."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.builders import NOON, build_submission
from tests.fixtures.edit_histories import (
    QUICK_HISTORY,
    WordEncoder,
    group_once,
    run_histories,
    short_cases,
)

from patternmind.clock import FixedClock
from patternmind.domain.edits import BINDING_ACTIONS, Edit, EditAction
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import (
    Assignment,
    Lineage,
    Partition,
    Theme,
)
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import (
    ContradictoryEdit,
    EditsViolated,
    NotFound,
    UsageError,
    VersionConflict,
)
from patternmind.pipeline import run_pipeline
from patternmind.ports import (
    Encoder,
    RunParameters,
    RunRecord,
    RunRevision,
)
from patternmind.services.roster import redact_all
from patternmind.services.theme_edits import (
    EditResult,
    ThemeEditRequest,
    list_logged_edits,
    submit_edit,
)
from patternmind.storage import SqlStore

N_CASES = 58


@pytest.fixture(autouse=True)
def one_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same cases are grouped once in all tests here."""
    monkeypatch.setattr("patternmind.pipeline.group_rows", group_once)


class Desk:
    """A network with a first run; ``decide`` says what a person wants."""

    def __init__(self, folder: Path) -> None:
        self.store = SqlStore(folder / "patternmind.db")
        self.clock = FixedClock(NOON)
        self.encoder: Encoder = HashingEncoder()
        self.take_in(0, N_CASES)

    def take_in(self, first: int, n: int) -> None:
        cases = short_cases(0, first, n)
        self.store.save_cases([(build_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, **known: Any) -> RunRecord:
        self.clock.at += dt.timedelta(minutes=1)
        given: dict[str, Any] = {"draft": False, **known}
        return run_pipeline(self.store, self.encoder, self.clock, RunParameters(**given))

    def decide(self, action: EditAction, *case_ids: str, by: str = "Ada", **known: Any) -> EditResult:
        return submit_edit(
            self.store, self.clock, ThemeEditRequest(action=action, actor=by, case_ids=case_ids, **known)
        )

    def undo(self, seq: int) -> EditResult:
        return self.decide(EditAction.UNDO, by="Bo", undoes=seq)

    def themes(self) -> list[Theme]:
        return [theme for theme in self.store.themes("all") if theme.case_ids]

    def theme(self, theme_id: str) -> Theme:
        return next(theme for theme in self.store.themes("all") if theme.id == theme_id)

    def place(self, case_id: str) -> Assignment:
        return next(one for one in self.store.assignments("all") if one.case_id == case_id)

    def shown(self) -> list[Any]:
        """What people see but for the words that tell what a run changed, and the map, which moves at the next run."""
        themes = [
            replace(
                theme,
                lineage=Lineage.NEW,
                new_cases=0,
                quiet_runs=0,
                new_by_period=(),
                unseen_case_ids=(),
                former_exemplars=(),
            )
            for theme in sorted(self.store.themes("all"), key=lambda theme: theme.id)
        ]
        assignments = [replace(one, x=None, y=None) for one in self.store.assignments("all")]
        return [themes, assignments, self.store.areas("all")]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.run()
    return desk


# random histories


def test_every_standing_decision_holds_through_random_histories(tmp_path: Path) -> None:
    counts, broken = run_histories(tmp_path, range(25), QUICK_HISTORY)
    assert broken == []
    assert counts["checked"] > 500
    assert counts["run on the same cases"] > 20
    assert min(counts[action.value] for action in BINDING_ACTIONS | {EditAction.UNDO}) > 3
    assert min(counts[event] for event in ("engine", "encoder", "new", "Contradiction")) > 3


# what a decision does at once


def test_a_rename_is_seen_at_once_and_kept_when_cases_come(desk: Desk) -> None:
    theme = desk.themes()[0]
    desk.decide(EditAction.RENAME, theme_id=theme.id, name="  Nobody  asked the yard ")
    assert desk.theme(theme.id).name == "Nobody asked the yard"
    assert desk.theme(theme.id).name_locked
    desk.take_in(100, 6)
    desk.run()
    assert desk.theme(theme.id).name == "Nobody asked the yard"


def test_a_name_that_a_person_gave_may_be_another_themes_name_too(desk: Desk) -> None:
    first, second, *_ = desk.themes()
    desk.decide(EditAction.RENAME, theme_id=first.id, name=second.name)
    desk.run()
    assert desk.theme(first.id).name == desk.theme(second.id).name == second.name


def test_an_undone_rename_gives_the_machines_name_back(desk: Desk) -> None:
    theme = desk.themes()[0]
    desk.decide(EditAction.RENAME, theme_id=theme.id, name="First")
    desk.decide(EditAction.RENAME, theme_id=theme.id, name="Second")
    desk.undo(2)
    assert desk.theme(theme.id).name == "First"
    desk.undo(1)
    assert desk.theme(theme.id).name == theme.name
    desk.run(label="2026Q4")
    assert desk.theme(theme.id).name == theme.name
    assert not desk.theme(theme.id).name_locked


def test_a_merged_theme_goes_into_the_other_and_stays_on_record(desk: Desk) -> None:
    first, second, *_ = desk.themes()
    desk.decide(EditAction.MERGE, theme_id=second.id, other_theme_id=first.id)
    for encoder in (desk.encoder, WordEncoder()):
        desk.encoder = encoder
        assert set(desk.theme(first.id).case_ids) >= {*first.case_ids} & {*desk.theme(first.id).case_ids}
        assert (desk.theme(second.id).case_ids, desk.theme(second.id).lineage) == ((), Lineage.MERGED)
        desk.run()
    assert desk.theme(second.id).name == second.name


def test_merges_follow_one_another_and_never_come_round(desk: Desk) -> None:
    a, b, c, *_ = desk.themes()
    desk.decide(EditAction.MERGE, theme_id=a.id, other_theme_id=b.id)
    desk.decide(EditAction.MERGE, theme_id=b.id, other_theme_id=c.id)
    desk.run()
    assert {*a.case_ids, *b.case_ids, *c.case_ids} == {*desk.theme(c.id).case_ids}
    with pytest.raises(ContradictoryEdit) as refused:
        desk.decide(EditAction.MERGE, theme_id=c.id, other_theme_id=a.id)
    assert refused.value.edit_numbers == (1,)
    desk.undo(1)
    assert {*desk.theme(a.id).case_ids} == {*a.case_ids}


def test_a_case_that_was_moved_out_does_not_come_back(desk: Desk) -> None:
    theme = desk.themes()[0]
    case_id = theme.case_ids[0]
    desk.decide(EditAction.MOVE_OUT, case_id, theme_id=theme.id)
    for _ in range(2):
        place = desk.place(case_id)
        assert place.theme_id != theme.id
        assert place.reason == "moved out by a person (decision 1)"
        assert place.nearest_theme_id != theme.id
        desk.run(label="2026Q4")


def test_an_outlier_can_be_pulled_in_by_its_external_id(desk: Desk) -> None:
    theme = desk.themes()[0]
    outlier = next(one.case_id for one in desk.store.assignments("all") if one.theme_id is None)
    desk.decide(EditAction.MOVE_IN, outlier.upper(), theme_id=theme.id)
    for _ in range(2):
        assert desk.place(outlier).theme_id == theme.id
        assert outlier in desk.theme(theme.id).case_ids
        desk.run(engine="hdbscan")


def test_a_theme_split_off_is_there_at_once_and_keeps_its_cases(desk: Desk) -> None:
    theme = desk.themes()[0]
    decided = desk.decide(EditAction.SPLIT_OFF, *theme.case_ids[:2], theme_id=theme.id, name="Yard at night")
    own = decided.edit.other_theme_id or ""
    assert desk.theme(own).name == "Yard at night"
    assert own not in {one.id for one in desk.store.themes("all") if one.id == theme.id}
    for encoder, engine in ((desk.encoder, "graph"), (WordEncoder(), "graph"), (WordEncoder(), "hdbscan")):
        assert {*desk.theme(own).case_ids} >= {*theme.case_ids[:2]}
        assert not {*desk.theme(theme.id).case_ids} & {*theme.case_ids[:2]}
        desk.encoder = encoder
        desk.run(engine=engine)


def test_a_theme_split_off_is_continued_by_the_data_once_it_sees_it(tmp_path: Path) -> None:
    """A person saw two themes in one; when enough cases come, the group is matched with the person's theme."""
    desk = Desk(tmp_path)
    desk.run(level="area")
    wide = desk.themes()[0]
    inside = {case.id: case.text["problem"] for case in desk.store.cases() if case.id in wide.case_ids}
    words = _largest_subject(inside)
    mine = [case_id for case_id, text in inside.items() if words & set(text.casefold().split())]
    own = desk.decide(EditAction.SPLIT_OFF, *mine, theme_id=wide.id).edit.other_theme_id or ""
    desk.run()
    assert {*desk.theme(own).case_ids} >= {*mine}
    found = desk.store.machine_result(desk.run().id)
    assert found is not None
    assert own in found.theme_ids


def _largest_subject(texts: Mapping[str, str]) -> set[str]:
    from tests.fixtures.edit_histories import SUBJECTS

    return max(
        ({*subject.split()} for subject in SUBJECTS),
        key=lambda words: sum(len(words & {*text.casefold().rstrip(".").split()}) > 2 for text in texts.values()),
    )


def test_cases_kept_together_join_the_theme_of_most_of_them(desk: Desk) -> None:
    first, second, *_ = desk.themes()
    desk.decide(EditAction.TOGETHER, *first.case_ids[:2], second.case_ids[0])
    desk.run()
    assert desk.place(second.case_ids[0]).theme_id == first.id


def test_cases_kept_apart_are_never_in_one_theme(desk: Desk) -> None:
    theme = desk.themes()[0]
    desk.decide(EditAction.APART, *theme.case_ids[:3])
    desk.run(engine="hdbscan")
    places = [desk.place(case_id).theme_id for case_id in theme.case_ids[:3]]
    assert len({place for place in places if place}) == len([place for place in places if place])


def test_a_pinned_theme_outlives_the_cluster_it_came_from(desk: Desk) -> None:
    theme = desk.themes()[-1]
    desk.decide(EditAction.PIN, theme.case_ids[0], theme_id=theme.id)
    other = desk.themes()[0]
    desk.decide(EditAction.MOVE_IN, *theme.case_ids[1:], theme_id=other.id)
    desk.run()
    assert desk.theme(theme.id).case_ids == (theme.case_ids[0],)
    desk.run(level="area", since="2026-01-05")
    assert desk.theme(theme.id).name == theme.name


def test_a_strange_case_pinned_to_a_theme_and_taken_back_leaves_its_name(desk: Desk) -> None:
    first, other = desk.themes()[0], desk.themes()[-1]
    split = desk.decide(EditAction.SPLIT_OFF, *first.case_ids[:3], theme_id=first.id).edit
    made = next(theme for theme in desk.themes() if set(theme.case_ids) == set(first.case_ids[:3]))
    desk.undo(split.seq)
    pinned = desk.decide(EditAction.PIN, other.case_ids[0], theme_id=made.id).edit
    assert desk.theme(made.id).name == made.name
    desk.undo(pinned.seq)
    assert desk.theme(made.id).name == made.name


def test_a_theme_whose_cases_a_run_does_not_look_at_stays_on_record(desk: Desk) -> None:
    theme = desk.themes()[0]
    desk.decide(EditAction.LOCK, theme_id=theme.id)
    desk.run(since="2030-01-01")
    assert (desk.theme(theme.id).case_ids, desk.theme(theme.id).name) == ((), theme.name)
    desk.run()
    assert {*desk.theme(theme.id).case_ids} >= {*theme.case_ids}


def test_a_locked_theme_is_neither_renamed_nor_merged(desk: Desk) -> None:
    first, second, *_ = desk.themes()
    desk.decide(EditAction.LOCK, theme_id=first.id)
    for action, known in (
        (EditAction.RENAME, {"name": "Other"}),
        (EditAction.MERGE, {"other_theme_id": second.id}),
    ):
        with pytest.raises(ContradictoryEdit, match="lock"):
            desk.decide(action, theme_id=first.id, **known)
    with pytest.raises(ContradictoryEdit, match="lock"):
        desk.decide(EditAction.MOVE_OUT, first.case_ids[0], theme_id=first.id)


def test_a_rename_under_a_lock_is_taken_back_only_after_the_lock(desk: Desk) -> None:
    theme = desk.themes()[0]
    desk.decide(EditAction.RENAME, theme_id=theme.id, name="Given")
    desk.decide(EditAction.LOCK, theme_id=theme.id)
    with pytest.raises(ContradictoryEdit, match="lock"):
        desk.undo(1)
    desk.undo(2)
    desk.undo(1)
    assert desk.theme(theme.id).name == theme.name


def test_a_retired_theme_keeps_its_cases_and_gets_no_drafts(desk: Desk) -> None:
    desk.run(draft=True, label="2026Q3")
    theme = desk.themes()[0]
    drafted = {draft.theme_id for draft, _, _ in desk.store.drafts()}
    assert theme.id in drafted
    desk.decide(EditAction.RETIRE, theme_id=theme.id)
    for _ in range(2):
        assert desk.theme(theme.id).lineage is Lineage.RETIRED
        assert {*desk.theme(theme.id).case_ids} >= {*theme.case_ids}
        assert {draft.theme_id for draft, _, _ in desk.store.drafts()} == drafted - {theme.id}
        desk.run(draft=True, label="2026Q4")
    desk.undo(1)
    assert desk.theme(theme.id).lineage is not Lineage.RETIRED
    assert {draft.theme_id for draft, _, _ in desk.store.drafts()} == drafted


# both ways give the same


@pytest.mark.parametrize("action", sorted(BINDING_ACTIONS))
def test_what_is_seen_at_once_is_what_the_next_run_finds(desk: Desk, action: EditAction) -> None:
    before = desk.shown()
    _decide_something(desk, action)
    at_once = desk.shown()
    assert at_once != before or action is EditAction.RETIRE
    assert desk.run().number == 2
    assert desk.shown() == at_once
    desk.undo(1)
    kept = {theme.id for theme in before[0]}
    after = desk.shown()
    assert [[theme for theme in after[0] if theme.id in kept], *after[1:]] == before


def _decide_something(desk: Desk, action: EditAction) -> EditResult:
    first, second, *_ = desk.themes()
    match action:
        case EditAction.RENAME:
            return desk.decide(action, theme_id=first.id, name="Given")
        case EditAction.MERGE:
            return desk.decide(action, theme_id=first.id, other_theme_id=second.id)
        case EditAction.MOVE_OUT | EditAction.SPLIT_OFF:
            return desk.decide(action, *first.case_ids[:2], theme_id=first.id)
        case EditAction.MOVE_IN | EditAction.PIN:
            return desk.decide(action, second.case_ids[0], theme_id=first.id)
        case EditAction.TOGETHER | EditAction.APART:
            return desk.decide(action, first.case_ids[0], first.case_ids[1], second.case_ids[0])
        case _:
            return desk.decide(action, theme_id=first.id)


def test_a_decision_makes_the_next_run_compute_anew_and_taking_it_back_does_not(desk: Desk) -> None:
    theme = desk.themes()[0]
    desk.decide(EditAction.RENAME, theme_id=theme.id, name="Given")
    assert desk.run().number == 2
    assert desk.run().number == 2
    desk.undo(1)
    assert desk.run().number == 3


def test_decisions_belong_to_their_lens(desk: Desk) -> None:
    theme = desk.themes()[0]
    desk.run(lens="problem")
    with pytest.raises(NotFound, match="--lens"):
        desk.decide(EditAction.RENAME, theme_id=theme.id, name="Given")
    desk.decide(EditAction.RENAME, theme_id=theme.id, name="Given", lens="all")
    desk.decide(EditAction.APART, *theme.case_ids[:2])
    assert [(one.edit.lens, one.edit.action) for one in list_logged_edits(desk.store)] == [
        ("all", EditAction.RENAME),
        ("problem", EditAction.APART),
    ]
    with pytest.raises(NotFound):
        desk.decide(EditAction.UNDO, undoes=1, lens="problem")
    assert [one.undone_by for one in list_logged_edits(desk.store, "all")] == [None]


# where data and decision disagree


def test_a_run_says_where_its_cases_firmly_disagree_and_undoes_nothing(desk: Desk) -> None:
    firm = max(
        (one for one in desk.store.assignments("all") if one.theme_id), key=lambda one: (one.strength, one.case_id)
    )
    other = next(theme for theme in desk.themes() if theme.id != firm.theme_id)
    decided = desk.decide(EditAction.MOVE_IN, firm.case_id, theme_id=other.id)
    record = desk.run()
    assert firm.strength >= 0.8
    assert decided.conflicts == record.conflicts
    (proposal,) = record.conflicts
    assert (proposal.kind, proposal.edit_seq, proposal.case_ids) == ("move_in", 1, (firm.case_id,))
    assert set(proposal.theme_ids) == {firm.theme_id, other.id}
    assert desk.place(firm.case_id).theme_id == other.id
    assert desk.store.last_run() == record


# refusals


def test_a_contradiction_names_both_decisions_with_who_and_when(desk: Desk) -> None:
    first, second, *_ = desk.themes()
    case_id = first.case_ids[0]
    desk.decide(EditAction.PIN, case_id, theme_id=first.id, by="Ines")
    with pytest.raises(ContradictoryEdit) as refused:
        desk.decide(EditAction.PIN, case_id, theme_id=second.id, by="Bo")
    said = str(refused.value)
    assert f"Decision 2 (pin {case_id} to {second.id}; Bo, 2026-11-20 12:01)" in said
    assert f"decision 1 (pin {case_id} to {first.id}; Ines, 2026-11-20 12:01)" in said
    assert [edit.seq for edit in desk.store.edits()] == [1]


def test_what_is_not_known_or_says_nothing_is_refused(desk: Desk) -> None:
    theme = desk.themes()[0]
    ask: list[tuple[type[Exception], dict[str, Any]]] = [
        (NotFound, {"action": EditAction.RENAME, "theme_id": "t-none", "name": "x"}),
        (UsageError, {"action": EditAction.RENAME, "theme_id": theme.id, "name": " … "}),
        (UsageError, {"action": EditAction.RENAME, "theme_id": theme.id, "name": "x" * 121}),
        (UsageError, {"action": EditAction.RENAME, "theme_id": theme.id, "name": "x", "by": " "}),
        (NotFound, {"action": EditAction.PIN, "theme_id": theme.id, "case_ids": ("c-none",)}),
        (UsageError, {"action": EditAction.PIN, "theme_id": theme.id}),
        (UsageError, {"action": EditAction.APART, "case_ids": (theme.case_ids[0], theme.case_ids[0])}),
        (UsageError, {"action": EditAction.MERGE, "theme_id": theme.id, "other_theme_id": theme.id}),
        (UsageError, {"action": EditAction.SPLIT_OFF, "theme_id": theme.id, "case_ids": theme.case_ids}),
        (NotFound, {"action": EditAction.UNDO, "undoes": 1}),
    ]
    for error, asked in ask:
        said: dict[str, Any] = {"by": "Ada", **asked}
        with pytest.raises(error):
            submit_edit(desk.store, desk.clock, ThemeEditRequest(**said))
    assert desk.store.edits() == []


def test_an_undo_is_taken_back_by_deciding_anew(desk: Desk) -> None:
    theme = desk.themes()[0]
    desk.decide(EditAction.RENAME, theme_id=theme.id, name="Given")
    desk.undo(1)
    for seq in (1, 2):
        with pytest.raises(UsageError):
            desk.undo(seq)


def test_the_name_of_a_person_on_the_roster_never_becomes_a_themes_name(desk: Desk) -> None:
    theme = desk.themes()[0]
    desk.decide(EditAction.RENAME, theme_id=theme.id, name="Scanner docks, Anna Hansen")
    desk.store.add_to_roster([("Anna Hansen", None, None)])
    redact_all(desk.store)
    desk.run(label="2026Q4")
    assert desk.theme(theme.id).name == desk.store.edits()[0].name == "Scanner docks"
    with pytest.raises(UsageError, match="names a person"):
        desk.decide(EditAction.RENAME, theme_id=theme.id, name="Anna Hansen's dock")


# others at the same time


def test_a_decision_made_while_a_run_goes_on_is_in_what_it_stores(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    theme = desk.themes()[0]
    finish, decided = desk.store.finish_run, list[EditResult]()

    def decide_first(*known: Any) -> RunRecord:
        if not decided:
            decided.append(desk.decide(EditAction.RENAME, theme_id=theme.id, name="Given meanwhile"))
        return finish(*known)

    monkeypatch.setattr(desk.store, "finish_run", decide_first)
    record = desk.run(label="2026Q4")
    assert desk.theme(theme.id).name == "Given meanwhile"
    assert desk.run(label="2026Q4") == record


def test_of_two_decisions_at_once_the_second_is_checked_against_the_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = desk.themes()
    append = desk.store.append_edits
    came = list[Edit]()

    def another_first(edits: Sequence[Edit], *, expected_seq: int, amended: RunRevision | None = None) -> None:
        if not came:
            came.extend(edits)
            desk.decide(EditAction.PIN, first.case_ids[0], theme_id=first.id, by="Bo")
        append(edits, expected_seq=expected_seq, revision=amended)

    monkeypatch.setattr(desk.store, "append_edits", another_first)
    with pytest.raises(ContradictoryEdit, match="Bo"):
        desk.decide(EditAction.PIN, first.case_ids[0], theme_id=second.id)
    assert [edit.by for edit in desk.store.edits()] == ["Bo"]


def test_who_is_overtaken_every_time_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(edits: Sequence[Edit], **known: Any) -> None:
        raise VersionConflict("themes of lens", "all")

    monkeypatch.setattr(desk.store, "append_edits", always)
    with pytest.raises(VersionConflict):
        desk.decide(EditAction.LOCK, theme_id=desk.themes()[0].id)


def test_a_run_that_would_break_a_decision_is_not_stored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = desk.themes()
    desk.decide(EditAction.MOVE_IN, first.case_ids[0], theme_id=second.id)
    before = desk.shown()
    monkeypatch.setattr("patternmind.assembly.apply_edits", _as_found)
    with pytest.raises(EditsViolated, match="decision 1"):
        desk.run(label="2026Q4")
    assert desk.shown() == before
    assert desk.store.runs()[-1].state == "failed"


def _as_found(found: MachineResult, *others: object) -> tuple[Partition, tuple[str, ...]]:
    return found.partition, found.theme_ids

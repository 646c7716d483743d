"""Theme edits apply at once, and in every later run, until they are undone."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.builders import NOON, build_submission
from tests.fixtures.edit_histories import QUICK_HISTORY, WordEncoder, group_once, run_histories, short_cases

from patternmind.clock import FixedClock
from patternmind.domain.edits import BINDING_ACTIONS, Edit, EditAction
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import Assignment, Lineage, Partition, Theme
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import ContradictoryEdit, EditsViolated, NotFound, UsageError, VersionConflict
from patternmind.pipeline import run_pipeline
from patternmind.ports import Encoder, RunParameters, RunRecord, RunRevision
from patternmind.services.roster import add_people
from patternmind.services.theme_edits import EditResult, ThemeEditRequest, list_logged_edits, submit_edit
from patternmind.storage import SqlStore

N_CASES = 58


@pytest.fixture(autouse=True)
def share_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute the partition of the same cases once for all tests here."""
    monkeypatch.setattr("patternmind.pipeline.group_rows", group_once)


class ThemeNetwork:
    """A network of cases, with helpers to run and to edit themes."""

    def __init__(self, folder: Path) -> None:
        self.store = SqlStore(folder / "patternmind.db")
        self.clock = FixedClock(NOON)
        self.encoder: Encoder = HashingEncoder()
        self.import_cases(0, N_CASES)

    def import_cases(self, first: int, n: int) -> None:
        cases = short_cases(0, first, n)
        self.store.cases.save_all([(build_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, **values: Any) -> RunRecord:
        self.clock.at += dt.timedelta(minutes=1)
        parameters: dict[str, Any] = {"draft": False, **values}
        return run_pipeline(self.store, self.encoder, self.clock, RunParameters(**parameters))

    def decide(self, action: EditAction, *case_ids: str, by: str = "Ada", **values: Any) -> EditResult:
        return submit_edit(
            self.store, self.clock, ThemeEditRequest(action=action, actor=by, case_ids=case_ids, **values)
        )

    def undo(self, seq: int) -> EditResult:
        return self.decide(EditAction.UNDO, by="Bo", undoes=seq)

    def themes(self) -> list[Theme]:
        return [theme for theme in self.store.themes.list_all("all") if theme.case_ids]

    def theme(self, theme_id: str) -> Theme:
        return next(theme for theme in self.store.themes.list_all("all") if theme.id == theme_id)

    def assignment(self, case_id: str) -> Assignment:
        return next(assignment for assignment in self.store.runs.assignments("all") if assignment.case_id == case_id)

    def visible_state(self) -> list[Any]:
        """Return themes, assignments and areas, without lineage details and map positions, which each run changes."""
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
            for theme in sorted(self.store.themes.list_all("all"), key=lambda theme: theme.id)
        ]
        assignments = [replace(assignment, x=None, y=None) for assignment in self.store.runs.assignments("all")]
        return [themes, assignments, self.store.themes.areas("all")]


@pytest.fixture
def network(tmp_path: Path) -> ThemeNetwork:
    network = ThemeNetwork(tmp_path)
    network.run()
    return network


# random histories


def test_active_edits_hold_through_a_few_random_histories(tmp_path: Path) -> None:
    _, broken = run_histories(tmp_path, range(100, 105), QUICK_HISTORY)
    assert broken == []


@pytest.mark.prove(reason="25 histories of edits, runs and new cases: 76 s")
def test_active_edits_hold_through_random_histories(tmp_path: Path) -> None:
    counts, broken = run_histories(tmp_path, range(25), QUICK_HISTORY)
    assert broken == []
    assert counts["checked"] > 500
    assert counts["run on the same cases"] > 20
    assert min(counts[action.value] for action in BINDING_ACTIONS | {EditAction.UNDO}) > 3
    assert min(counts[event] for event in ("engine", "encoder", "new", "ContradictoryEdit")) > 3


# effects without a run


def test_rename_applies_at_once_and_survives_new_cases(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    network.decide(EditAction.RENAME, theme_id=theme.id, name="  Nobody  asked the yard ")
    assert network.theme(theme.id).name == "Nobody asked the yard"
    assert network.theme(theme.id).name_locked
    network.import_cases(100, 6)
    network.run()
    assert network.theme(theme.id).name == "Nobody asked the yard"


def test_rename_may_reuse_the_name_of_another_theme(network: ThemeNetwork) -> None:
    first, second, *_ = network.themes()
    network.decide(EditAction.RENAME, theme_id=first.id, name=second.name)
    network.run()
    assert network.theme(first.id).name == network.theme(second.id).name == second.name


def test_undone_rename_restores_the_generated_name(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    network.decide(EditAction.RENAME, theme_id=theme.id, name="First")
    network.decide(EditAction.RENAME, theme_id=theme.id, name="Second")
    network.undo(2)
    assert network.theme(theme.id).name == "First"
    network.undo(1)
    assert network.theme(theme.id).name == theme.name
    network.run(label="2026Q4")
    assert network.theme(theme.id).name == theme.name
    assert not network.theme(theme.id).name_locked


def test_merged_theme_moves_into_the_other_and_stays_on_record(network: ThemeNetwork) -> None:
    first, second, *_ = network.themes()
    network.decide(EditAction.MERGE, theme_id=second.id, other_theme_id=first.id)
    for encoder in (network.encoder, WordEncoder()):
        network.encoder = encoder
        assert set(network.theme(first.id).case_ids) >= {*first.case_ids} & {*network.theme(first.id).case_ids}
        assert (network.theme(second.id).case_ids, network.theme(second.id).lineage) == ((), Lineage.MERGED)
        network.run()
    assert network.theme(second.id).name == second.name


def test_chained_merges_apply_and_a_circular_merge_is_refused(network: ThemeNetwork) -> None:
    a, b, c, *_ = network.themes()
    network.decide(EditAction.MERGE, theme_id=a.id, other_theme_id=b.id)
    network.decide(EditAction.MERGE, theme_id=b.id, other_theme_id=c.id)
    network.run()
    assert {*a.case_ids, *b.case_ids, *c.case_ids} == {*network.theme(c.id).case_ids}
    with pytest.raises(ContradictoryEdit) as refused:
        network.decide(EditAction.MERGE, theme_id=c.id, other_theme_id=a.id)
    assert refused.value.edit_numbers == (1,)
    network.undo(1)
    assert {*network.theme(a.id).case_ids} == {*a.case_ids}


def test_moved_out_case_does_not_return(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    case_id = theme.case_ids[0]
    network.decide(EditAction.MOVE_OUT, case_id, theme_id=theme.id)
    for _ in range(2):
        assignment = network.assignment(case_id)
        assert assignment.theme_id != theme.id
        assert assignment.reason == "moved out by a person (decision 1)"
        assert assignment.nearest_theme_id != theme.id
        network.run(label="2026Q4")


def test_outlier_can_be_moved_in_by_its_external_id(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    outlier = next(
        assignment.case_id for assignment in network.store.runs.assignments("all") if assignment.theme_id is None
    )
    network.decide(EditAction.MOVE_IN, outlier.upper(), theme_id=theme.id)
    for _ in range(2):
        assert network.assignment(outlier).theme_id == theme.id
        assert outlier in network.theme(theme.id).case_ids
        network.run(engine="hdbscan")


def test_split_off_theme_exists_at_once_and_keeps_its_cases(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    result = network.decide(EditAction.SPLIT_OFF, *theme.case_ids[:2], theme_id=theme.id, name="Yard at night")
    new_id = result.edit.other_theme_id or ""
    assert network.theme(new_id).name == "Yard at night"
    assert new_id not in {other.id for other in network.store.themes.list_all("all") if other.id == theme.id}
    for encoder, engine in ((network.encoder, "graph"), (WordEncoder(), "graph"), (WordEncoder(), "hdbscan")):
        assert {*network.theme(new_id).case_ids} >= {*theme.case_ids[:2]}
        assert not {*network.theme(theme.id).case_ids} & {*theme.case_ids[:2]}
        network.encoder = encoder
        network.run(engine=engine)


def test_split_off_theme_is_matched_when_the_data_shows_it(tmp_path: Path) -> None:
    """A person splits a theme in two; when the data shows the group too, it is matched with the person's theme."""
    network = ThemeNetwork(tmp_path)
    network.run(level="area")
    wide_theme = network.themes()[0]
    texts = {case.id: case.text["problem"] for case in network.store.cases.list_all() if case.id in wide_theme.case_ids}
    words = _largest_subject(texts)
    case_ids = [case_id for case_id, text in texts.items() if words & set(text.casefold().split())]
    new_id = network.decide(EditAction.SPLIT_OFF, *case_ids, theme_id=wide_theme.id).edit.other_theme_id or ""
    network.run()
    assert {*network.theme(new_id).case_ids} >= {*case_ids}
    machine_result = network.store.runs.machine_result(network.run().id)
    assert machine_result is not None
    assert new_id in machine_result.theme_ids


def _largest_subject(texts: Mapping[str, str]) -> set[str]:
    from tests.fixtures.edit_histories import SUBJECTS

    return max(
        ({*subject.split()} for subject in SUBJECTS),
        key=lambda words: sum(len(words & {*text.casefold().rstrip(".").split()}) > 2 for text in texts.values()),
    )


def test_cases_kept_together_join_the_theme_of_most_of_them(network: ThemeNetwork) -> None:
    first, second, *_ = network.themes()
    network.decide(EditAction.TOGETHER, *first.case_ids[:2], second.case_ids[0])
    network.run()
    assert network.assignment(second.case_ids[0]).theme_id == first.id


def test_cases_kept_apart_are_never_in_one_theme(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    network.decide(EditAction.APART, *theme.case_ids[:3])
    network.run(engine="hdbscan")
    theme_ids = [network.assignment(case_id).theme_id for case_id in theme.case_ids[:3]]
    in_themes = [theme_id for theme_id in theme_ids if theme_id]
    assert len(set(in_themes)) == len(in_themes)


def test_pinned_theme_survives_without_its_cluster(network: ThemeNetwork) -> None:
    theme = network.themes()[-1]
    network.decide(EditAction.PIN, theme.case_ids[0], theme_id=theme.id)
    other = network.themes()[0]
    network.decide(EditAction.MOVE_IN, *theme.case_ids[1:], theme_id=other.id)
    network.run()
    assert network.theme(theme.id).case_ids == (theme.case_ids[0],)
    network.run(level="area", since="2026-01-05")
    assert network.theme(theme.id).name == theme.name


def test_theme_name_survives_a_pinned_case_and_its_undo(network: ThemeNetwork) -> None:
    first, other = network.themes()[0], network.themes()[-1]
    split = network.decide(EditAction.SPLIT_OFF, *first.case_ids[:3], theme_id=first.id).edit
    split_theme = next(theme for theme in network.themes() if set(theme.case_ids) == set(first.case_ids[:3]))
    network.undo(split.seq)
    pinned = network.decide(EditAction.PIN, other.case_ids[0], theme_id=split_theme.id).edit
    assert network.theme(split_theme.id).name == split_theme.name
    network.undo(pinned.seq)
    assert network.theme(split_theme.id).name == split_theme.name


def test_locked_theme_stays_on_record_when_a_run_excludes_its_cases(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    network.decide(EditAction.LOCK, theme_id=theme.id)
    network.run(since="2030-01-01")
    assert (network.theme(theme.id).case_ids, network.theme(theme.id).name) == ((), theme.name)
    network.run()
    assert {*network.theme(theme.id).case_ids} >= {*theme.case_ids}


def test_locked_theme_is_neither_renamed_nor_merged(network: ThemeNetwork) -> None:
    first, second, *_ = network.themes()
    network.decide(EditAction.LOCK, theme_id=first.id)
    for action, values in ((EditAction.RENAME, {"name": "Other"}), (EditAction.MERGE, {"other_theme_id": second.id})):
        with pytest.raises(ContradictoryEdit, match="lock"):
            network.decide(action, theme_id=first.id, **values)
    with pytest.raises(ContradictoryEdit, match="lock"):
        network.decide(EditAction.MOVE_OUT, first.case_ids[0], theme_id=first.id)


def test_rename_under_a_lock_is_undone_only_after_the_lock(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    network.decide(EditAction.RENAME, theme_id=theme.id, name="Given")
    network.decide(EditAction.LOCK, theme_id=theme.id)
    with pytest.raises(ContradictoryEdit, match="lock"):
        network.undo(1)
    network.undo(2)
    network.undo(1)
    assert network.theme(theme.id).name == theme.name


def test_retired_theme_keeps_its_cases_and_gets_no_drafts(network: ThemeNetwork) -> None:
    network.run(draft=True, label="2026Q3")
    theme = network.themes()[0]
    drafted = {draft.theme_id for draft, _, _ in network.store.drafts.list_all()}
    assert theme.id in drafted
    network.decide(EditAction.RETIRE, theme_id=theme.id)
    for _ in range(2):
        assert network.theme(theme.id).lineage is Lineage.RETIRED
        assert {*network.theme(theme.id).case_ids} >= {*theme.case_ids}
        assert {draft.theme_id for draft, _, _ in network.store.drafts.list_all()} == drafted - {theme.id}
        network.run(draft=True, label="2026Q4")
    network.undo(1)
    assert network.theme(theme.id).lineage is not Lineage.RETIRED
    assert {draft.theme_id for draft, _, _ in network.store.drafts.list_all()} == drafted


# the edit and the next run give the same themes


@pytest.mark.parametrize("action", sorted(BINDING_ACTIONS))
def test_edit_shows_at_once_the_result_of_the_next_run(network: ThemeNetwork, action: EditAction) -> None:
    before = network.visible_state()
    _decide_something(network, action)
    after_edit = network.visible_state()
    assert after_edit != before or action is EditAction.RETIRE
    assert network.run().number == 2
    assert network.visible_state() == after_edit
    network.undo(1)
    former_ids = {theme.id for theme in before[0]}
    after_undo = network.visible_state()
    assert [[theme for theme in after_undo[0] if theme.id in former_ids], *after_undo[1:]] == before


def _decide_something(network: ThemeNetwork, action: EditAction) -> EditResult:
    first, second, *_ = network.themes()
    match action:
        case EditAction.RENAME:
            return network.decide(action, theme_id=first.id, name="Given")
        case EditAction.MERGE:
            return network.decide(action, theme_id=first.id, other_theme_id=second.id)
        case EditAction.MOVE_OUT | EditAction.SPLIT_OFF:
            return network.decide(action, *first.case_ids[:2], theme_id=first.id)
        case EditAction.MOVE_IN | EditAction.PIN:
            return network.decide(action, second.case_ids[0], theme_id=first.id)
        case EditAction.TOGETHER | EditAction.APART:
            return network.decide(action, first.case_ids[0], first.case_ids[1], second.case_ids[0])
        case _:
            return network.decide(action, theme_id=first.id)


def test_edit_makes_the_next_run_compute_again(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    network.decide(EditAction.RENAME, theme_id=theme.id, name="Given")
    assert network.run().number == 2
    assert network.run().number == 2
    network.undo(1)
    assert network.run().number == 3


def test_edits_belong_to_their_lens(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    network.run(lens="problem")
    with pytest.raises(NotFound, match="another lens"):
        network.decide(EditAction.RENAME, theme_id=theme.id, name="Given")
    network.decide(EditAction.RENAME, theme_id=theme.id, name="Given", lens="all")
    network.decide(EditAction.APART, *theme.case_ids[:2])
    assert [(logged.edit.lens, logged.edit.action) for logged in list_logged_edits(network.store)] == [
        ("all", EditAction.RENAME),
        ("problem", EditAction.APART),
    ]
    with pytest.raises(NotFound):
        network.decide(EditAction.UNDO, undoes=1, lens="problem")
    assert [logged.undone_by for logged in list_logged_edits(network.store, "all")] == [None]


# conflicts between data and edits


def test_run_reports_conflicts_and_undoes_no_edit(network: ThemeNetwork) -> None:
    firm = max(
        (assignment for assignment in network.store.runs.assignments("all") if assignment.theme_id),
        key=lambda assignment: (assignment.strength, assignment.case_id),
    )
    other = next(theme for theme in network.themes() if theme.id != firm.theme_id)
    result = network.decide(EditAction.MOVE_IN, firm.case_id, theme_id=other.id)
    record = network.run()
    assert firm.strength >= 0.8
    assert result.conflicts == record.conflicts
    (conflict,) = record.conflicts
    assert (conflict.kind, conflict.edit_seq, conflict.case_ids) == ("move_in", 1, (firm.case_id,))
    assert set(conflict.theme_ids) == {firm.theme_id, other.id}
    assert network.assignment(firm.case_id).theme_id == other.id
    assert network.store.runs.latest() == record


# refusals


def test_contradiction_names_both_edits_with_person_and_time(network: ThemeNetwork) -> None:
    first, second, *_ = network.themes()
    case_id = first.case_ids[0]
    network.decide(EditAction.PIN, case_id, theme_id=first.id, by="Ines")
    with pytest.raises(ContradictoryEdit) as refused:
        network.decide(EditAction.PIN, case_id, theme_id=second.id, by="Bo")
    message = str(refused.value)
    assert f"Decision 2 (pin {case_id} to {second.id}; Bo, 2026-11-20 12:01)" in message
    assert f"decision 1 (pin {case_id} to {first.id}; Ines, 2026-11-20 12:01)" in message
    assert [edit.seq for edit in network.store.edits.list_all()] == [1]


def test_invalid_edit_requests_are_refused(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    invalid: list[tuple[type[Exception], dict[str, Any]]] = [
        (NotFound, {"action": EditAction.RENAME, "theme_id": "t-none", "name": "x"}),
        (UsageError, {"action": EditAction.RENAME, "theme_id": theme.id, "name": " … "}),
        (UsageError, {"action": EditAction.RENAME, "theme_id": theme.id, "name": "x" * 121}),
        (UsageError, {"action": EditAction.RENAME, "theme_id": theme.id, "name": "x", "actor": " "}),
        (NotFound, {"action": EditAction.PIN, "theme_id": theme.id, "case_ids": ("c-none",)}),
        (UsageError, {"action": EditAction.PIN, "theme_id": theme.id}),
        (UsageError, {"action": EditAction.APART, "case_ids": (theme.case_ids[0], theme.case_ids[0])}),
        (UsageError, {"action": EditAction.MERGE, "theme_id": theme.id, "other_theme_id": theme.id}),
        (UsageError, {"action": EditAction.SPLIT_OFF, "theme_id": theme.id, "case_ids": theme.case_ids}),
        (NotFound, {"action": EditAction.UNDO, "undoes": 1}),
    ]
    for error, values in invalid:
        request: dict[str, Any] = {"actor": "Ada", **values}
        with pytest.raises(error):
            submit_edit(network.store, network.clock, ThemeEditRequest(**request))
    assert network.store.edits.list_all() == []


def test_undo_cannot_be_undone(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    network.decide(EditAction.RENAME, theme_id=theme.id, name="Given")
    network.undo(1)
    for seq in (1, 2):
        with pytest.raises(UsageError):
            network.undo(seq)


def test_theme_name_never_contains_a_person_on_the_roster(network: ThemeNetwork) -> None:
    theme = network.themes()[0]
    network.decide(EditAction.RENAME, theme_id=theme.id, name="Scanner docks, Anna Hansen")
    network.store.network.add_to_roster([("Anna Hansen", None, None)])
    add_people(network.store, ())
    network.run(label="2026Q4")
    assert network.theme(theme.id).name == network.store.edits.list_all()[0].name == "Scanner docks"
    with pytest.raises(UsageError, match="person's name or contact details"):
        network.decide(EditAction.RENAME, theme_id=theme.id, name="Anna Hansen's dock")


# concurrent edits and runs


def test_run_stores_edits_made_while_it_was_running(network: ThemeNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    theme = network.themes()[0]
    finish, edits = network.store.finish_run, list[EditResult]()

    def edit_first(*values: Any) -> RunRecord:
        if not edits:
            edits.append(network.decide(EditAction.RENAME, theme_id=theme.id, name="Given meanwhile"))
        return finish(*values)

    monkeypatch.setattr(network.store, "finish_run", edit_first)
    record = network.run(label="2026Q4")
    assert network.theme(theme.id).name == "Given meanwhile"
    assert network.run(label="2026Q4") == record


def test_second_of_two_concurrent_edits_is_checked_against_the_first(
    network: ThemeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = network.themes()
    append = network.store.append_edits
    appended = list[Edit]()

    def pin_first(edits: Sequence[Edit], *, expected_seq: int, revision: RunRevision | None = None) -> None:
        if not appended:
            appended.extend(edits)
            network.decide(EditAction.PIN, first.case_ids[0], theme_id=first.id, by="Bo")
        append(edits, expected_seq=expected_seq, revision=revision)

    monkeypatch.setattr(network.store, "append_edits", pin_first)
    with pytest.raises(ContradictoryEdit, match="Bo"):
        network.decide(EditAction.PIN, first.case_ids[0], theme_id=second.id)
    assert [edit.by for edit in network.store.edits.list_all()] == ["Bo"]


def test_edit_fails_with_a_version_conflict_after_all_attempts(
    network: ThemeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflict(edits: Sequence[Edit], **values: Any) -> None:
        raise VersionConflict("themes of lens", "all")

    monkeypatch.setattr(network.store, "append_edits", conflict)
    with pytest.raises(VersionConflict):
        network.decide(EditAction.LOCK, theme_id=network.themes()[0].id)


def test_run_that_violates_an_edit_is_not_stored(network: ThemeNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = network.themes()
    network.decide(EditAction.MOVE_IN, first.case_ids[0], theme_id=second.id)
    before = network.visible_state()
    monkeypatch.setattr("patternmind.assembly.apply_edits", _ignore_edits)
    with pytest.raises(EditsViolated, match="decision 1"):
        network.run(label="2026Q4")
    assert network.visible_state() == before
    assert network.store.runs.list_all()[-1].state == "failed"


def _ignore_edits(result: MachineResult, *_: object) -> tuple[Partition, tuple[str, ...]]:
    return result.partition, result.theme_ids

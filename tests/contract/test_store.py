"""Contract of the store: exact round trips, separate networks, and atomic writes."""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fixtures.builders import NOON, build_case, build_quote, build_submission, build_theme

from patternmind.domain.cases import Case, CaseKind, Consent
from patternmind.domain.drafts import (
    Claim,
    Decision,
    Draft,
    DraftAction,
    DraftKind,
    DraftState,
    Provenance,
    RejectionReason,
)
from patternmind.domain.edits import Edit, EditAction, EditConflict
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.members import ApiToken
from patternmind.domain.networks import Network, PublishingRule, RosterEntry
from patternmind.domain.stored_fits import FitLabels, StoredFits
from patternmind.domain.themes import Assignment, Flow, Lineage, Neighbours, Partition, Theme, ThemeChange
from patternmind.errors import NotFound, RawTextKeyInvalid, StoreUnavailable, VersionConflict
from patternmind.ports import (
    CaseSaveCounts,
    Erasure,
    RawTextCounts,
    RosterChange,
    RunOutcome,
    RunParameters,
    RunRecord,
    RunRevision,
    Store,
    TextRewrite,
)
from patternmind.storage import SqlStore
from patternmind.storage.encryption import FieldCipher, key_id
from patternmind.storage.engine import purge_deleted
from patternmind.storage.records import change_record, read_change, read_theme, theme_record

LATER = NOON + dt.timedelta(minutes=7)

Opener = Callable[[str], Store]

INVALID_ID: Any = None
"""Id that every table rejects, so that a write fails in the middle."""


@pytest.fixture
def open_network(tmp_path: Path) -> Iterator[Opener]:
    """Open networks of one database; every call makes a connection of its own, like another process."""
    opened: list[SqlStore] = []

    def opener(network_id: str) -> Store:
        opened.append(SqlStore(tmp_path / "patternmind.db", network_id, name=f"The {network_id}"))
        return opened[-1]

    yield opener
    for store in opened:
        store.close()


@pytest.fixture
def store(open_network: Opener) -> Store:
    return open_network("north")


def with_submissions(*cases: Case) -> list[Any]:
    return [(build_submission(case.text, external_id=case.external_id), case) for case in cases]


FULL = build_case(
    "c-1",
    {"title": "Fünf Töne 東京 \ud800", "problem": 'She said "no".\n\0 Then —'},
    extra={"label": "gold"},
    facts={"status": "open"},
    linked_cases=("HN-2",),
    content_hash="h1",
    flags=("redacted",),
)
BARE = Case(id="r-1", kind=CaseKind.RECAP, external_id=None, text={}, content_hash="h2")


# network and roster


def test_network_is_created_once_and_keeps_changes(open_network: Opener) -> None:
    store = open_network("north")
    assert store.network.get() == Network(id="north", name="The north")
    changed = Network(
        id="north",
        name="Nord",
        purpose="Fewer returns",
        rule=PublishingRule(min_contributors=3, min_teams=4),
        default_consent=Consent.NETWORK_ONLY,
    )
    store.network.save(changed)
    assert open_network("north").network.get() == changed


def test_contributor_secret_is_created_once_per_network(open_network: Opener) -> None:
    secret = open_network("north").network.contributor_secret()
    assert len(secret) == 32
    assert open_network("north").network.contributor_secret() == secret
    assert open_network("south").network.contributor_secret() != secret


def test_roster_adds_each_name_once_with_a_permanent_number(store: Store) -> None:
    assert store.network.add_to_roster([("Anna Hansen", "anna@example.org", "North"), ("Bo", None, None)]) == 2
    assert store.network.add_to_roster([("anna hansen", None, None), ("Cy", None, None), ("Cy", None, None)]) == 1
    assert store.network.roster() == [
        RosterEntry(number=1, name="Anna Hansen", email="anna@example.org", team="North"),
        RosterEntry(number=2, name="Bo"),
        RosterEntry(number=3, name="Cy"),
    ]
    assert store.network.add_to_roster([]) == 0


# cases


def test_cases_are_returned_unchanged_by_id(store: Store) -> None:
    assert store.cases.save_all(with_submissions(BARE, FULL)) == CaseSaveCounts(
        accepted=2, unchanged=0, duplicates=0, updated=0
    )
    assert store.cases.list_all() == [FULL, BARE]
    assert (store.cases.get("c-1"), store.cases.get("C-1"), store.cases.get("r-1")) == (FULL, FULL, BARE)
    with pytest.raises(NotFound):
        store.cases.get("c-9")


def test_save_cases_skips_unchanged_and_replaces_changed_cases(store: Store) -> None:
    store.cases.save_all(with_submissions(FULL))
    assert store.cases.save_all(with_submissions(FULL)) == CaseSaveCounts(
        accepted=0, unchanged=1, duplicates=0, updated=0
    )
    changed = replace(FULL, team="South")
    assert store.cases.save_all(with_submissions(changed)) == CaseSaveCounts(
        accepted=1, unchanged=0, duplicates=0, updated=1
    )
    assert store.cases.list_all() == [changed]


def test_save_cases_counts_a_repeated_text_under_another_id(store: Store) -> None:
    cases = [build_case(f"c-{n}", content_hash="h") for n in range(3)]
    assert store.cases.save_all(with_submissions(*cases[:2])) == CaseSaveCounts(
        accepted=2, unchanged=0, duplicates=1, updated=0
    )
    assert store.cases.save_all(with_submissions(cases[2])) == CaseSaveCounts(
        accepted=1, unchanged=0, duplicates=1, updated=0
    )
    assert store.cases.save_all(with_submissions(*cases)) == CaseSaveCounts(
        accepted=0, unchanged=3, duplicates=0, updated=0
    )


def test_save_cases_counts_a_repeated_id_like_two_batches(open_network: Opener) -> None:
    first, second = build_case("c-1", "First.", content_hash="h1"), build_case("c-1", "Second.", content_hash="h2")
    store = open_network("at once")
    assert store.cases.save_all(with_submissions(first, second)) == CaseSaveCounts(
        accepted=2, unchanged=0, duplicates=0, updated=1
    )
    assert store.cases.list_all() == [second]
    assert store.cases.save_all(with_submissions(first, second)) == CaseSaveCounts(
        accepted=2, unchanged=0, duplicates=0, updated=2
    )
    assert store.cases.list_all() == [second]
    assert store.cases.save_all(with_submissions(second, second)).unchanged == 2


def test_save_cases_stores_nothing_in_a_dry_run(store: Store) -> None:
    store.cases.save_all(with_submissions(FULL))
    again = with_submissions(FULL, replace(FULL, id="c-2"), BARE)
    assert store.cases.save_all(again, dry_run=True) == CaseSaveCounts(accepted=2, unchanged=1, duplicates=1, updated=0)
    assert store.cases.list_all() == [FULL]
    assert len(store.submissions.list_all()) == 1


def test_save_cases_stores_nothing_when_one_case_fails(store: Store) -> None:
    with pytest.raises(StoreUnavailable) as failed:
        store.cases.save_all(with_submissions(FULL, replace(CASES[0], id=INVALID_ID)))
    assert "lane 4" not in f"{failed.value} {failed.value.__cause__}"
    assert store.cases.list_all() == []
    assert store.submissions.list_all() == []


def test_submissions_return_the_newest_version_unredacted(store: Store) -> None:
    first = build_submission(
        "Anna waited.", external_id="HN-1", facts={"submitter": "Anna"}, linked_cases=("x",), row=3
    )
    second = replace(first, text={"problem": "Anna waited long."})
    store.cases.save_all([(first, build_case("c-1", "[person 1] waited."))])
    store.cases.save_all([(second, build_case("c-1", "[person 1] waited long."))])
    assert store.submissions.list_all() == [second]
    store.cases.save_all([(second, build_case("c-1", "[person] waited long."))])
    assert store.submissions.list_all() == [second]


def test_cases_are_filtered_by_kind_and_date(store: Store) -> None:
    old, new = build_case("c-1", date=dt.date(2026, 1, 1)), build_case("c-2", date=dt.date(2026, 7, 1))
    undated = build_case("c-3", date=None)
    store.cases.save_all(with_submissions(old, new, undated, BARE))
    assert store.cases.list_all(kind=CaseKind.CASE) == [old, new, undated]
    assert store.cases.list_all(kind=CaseKind.RECAP) == [BARE]
    assert store.cases.list_all(since="2026-07-01") == [new, undated, BARE]
    assert store.cases.list_all(kind=CaseKind.CASE, since="2027-01-01") == [undated]


def test_save_cases_accepts_more_cases_than_one_statement(store: Store) -> None:
    many = [build_case(f"c-{n:05d}", content_hash=f"h{n}") for n in range(2000)]
    assert store.cases.save_all(with_submissions(*many)).accepted == 2000
    assert store.cases.save_all(with_submissions(*many)).unchanged == 2000
    assert [case.id for case in store.cases.list_all()] == [case.id for case in many]


# vectors


def test_vectors_are_returned_bit_for_bit_for_their_encoder(store: Store) -> None:
    rows = np.random.default_rng(0).standard_normal((1000, 8)).astype(np.float32)
    stored = {f"{n:032x}": row for n, row in enumerate(rows)}
    store.vectors.save_all("mini/1", stored)
    vectors = store.vectors.get_many("mini/1", [*stored, "unknown"])
    assert list(vectors) == sorted(stored)
    assert all(np.array_equal(vectors[key], stored[key]) and vectors[key].dtype == np.float32 for key in stored)
    assert store.vectors.get_many("mini/2", list(stored)) == {}
    assert store.vectors.get_many("mini/1", []) == {}


def test_save_vectors_never_replaces_a_vector(store: Store) -> None:
    store.vectors.save_all("mini/1", {"h": np.ones(3, np.float32)})
    store.vectors.save_all("mini/1", {"h": np.zeros(3, np.float32)})
    store.vectors.save_all("mini/1", {})
    assert store.vectors.get_many("mini/1", ["h"])["h"].tolist() == [1, 1, 1]


# runs

PARAMETERS = RunParameters(label="2026Q4", lens="all", level="area", engine="hdbscan", seed=3, since="2026-01-01")
CASES = [build_case("c-1", "The pallet stood in lane 4."), build_case("c-2", "Red tape on the goods helps.")]
THEME = build_theme(
    "t-1",
    case_ids=("c-1", "c-2"),
    keywords=("tape",),
    exemplars=("c-1",),
    edge_case="c-2",
    differs_by=("lane",),
    trend={"2026Q3": 2},
    lineage=Lineage.GREW,
    centre=(0.6, 0.8),
    gist="Red tape.",
    nearest_theme_id="t-2",
)
DORMANT = build_theme(
    "t-2",
    case_ids=(),
    lineage=Lineage.DORMANT,
    encoder="minilm",
    unseen_case_ids=("c-3", "c-4"),
    former_exemplars=("c-3",),
    new_by_period=(("2026Q2", 2), ("2026Q3", 0)),
)
PLACED = Assignment(case_id="c-1", theme_id="t-1", area_id="a-1", strength=0.5, nearest_theme_id="t-1")
OUTLIER = Assignment(
    case_id="c-2", theme_id=None, area_id=None, strength=0.1, nearest_theme_id="t-1", reason="not close enough"
)
CHANGES = [
    ThemeChange(theme_id="t-1", lineage=Lineage.GREW, n_before=1, n_after=2, n_shared=1, overlap=0.5, similarity=0.9),
    ThemeChange(
        theme_id="t-2",
        lineage=Lineage.MERGED,
        others=("t-1",),
        former_lineage=Lineage.GREW,
        n_before=3,
        shared_exemplars=("c-1",),
        went=(Flow(theme_id="t-1", n_cases=2, share=0.6667), Flow(theme_id=None, n_cases=1, share=0.3333)),
        came=(Flow(theme_id="t-2", n_cases=3, share=1.0),),
    ),
]


def make_draft(id: str = "d-1", theme_id: str | None = "t-1", kind: DraftKind = DraftKind.PATTERN) -> Draft:
    quote = build_quote(CASES[1])
    return Draft(
        id=id,
        kind=kind,
        theme_id=theme_id,
        name="Red tape",
        fields={"solution": (quote.text,), "patlet": "Red tape."},
        claims=(Claim(text=quote.text, field="solution", quotes=(quote,)),),
        provenance=Provenance(
            run_id="run-0001", model="m", prompt="p", prompt_hash="h", inputs=("c-2@v1",), n_tokens=3, cost_usd=0.25
        ),
    )


def make_outcome(**overrides: Any) -> RunOutcome:
    values: dict[str, Any] = {
        "themes": [THEME, DORMANT],
        "areas": {"a-1": "Goods"},
        "changes": CHANGES,
        "assignments": [PLACED, OUTLIER],
        "duplicate_of": {"c-2": "c-1"},
        "drafts": [make_draft()],
        "seconds": {"embed": 0.1},
        "notes": ["one note"],
        "fingerprint": "f",
        **overrides,
    }
    return RunOutcome(**values)


def finish_run(store: Store, outcome: RunOutcome | None = None, parameters: RunParameters = PARAMETERS) -> RunRecord:
    run = store.runs.begin(parameters, NOON)
    return store.finish_run(run.id, outcome or make_outcome(), LATER)


def read_all(store: Store) -> list[object]:
    last = store.runs.latest()
    return [
        store.cases.list_all(),
        store.themes.list_all(),
        store.themes.all_ids(),
        store.themes.areas(),
        store.runs.assignments(),
        store.themes.changes(last.id if last else ""),
        store.drafts.list_all(current=False),
        last,
    ]


def test_store_without_runs_returns_empty_results(store: Store) -> None:
    assert read_all(store) == [[], [], set(), {}, [], [], [], None]
    assert store.runs.list_all() == []


def test_finished_run_is_returned_with_its_complete_outcome(store: Store) -> None:
    store.cases.save_all(with_submissions(*CASES))
    record = finish_run(store)
    assert record == RunRecord(
        id="run-0001",
        number=1,
        parameters=PARAMETERS,
        state="finished",
        started_at=NOON,
        finished_at=LATER,
        n_cases=2,
        n_themes=1,
        n_outliers=1,
        n_drafts=1,
        seconds={"embed": 0.1},
        notes=("one note",),
        fingerprint="f",
    )
    assert (store.runs.latest(), store.runs.latest("all"), store.runs.latest("helped")) == (record, record, None)
    assert store.themes.list_all() == store.themes.list_all("all") == [THEME, DORMANT]
    assert store.themes.all_ids() == {"t-1", "t-2"}
    assert store.themes.areas() == {"a-1": "Goods"}
    assert store.runs.assignments() == [PLACED, OUTLIER]
    assert store.themes.changes("run-0001") == CHANGES
    assert store.drafts.list_all() == [(make_draft(), (), LATER)]
    assert store.cases.list_all() == [CASES[0], replace(CASES[1], duplicate_of="c-1")]
    assert store.themes.list_all("helped") == []


def test_themes_are_those_of_the_newest_finished_run_of_the_lens(store: Store) -> None:
    finish_run(store)
    helped = build_theme("t-9", lens="helped")
    finish_run(store, make_outcome(themes=[helped], drafts=[]), RunParameters(lens="helped"))
    store.runs.begin(PARAMETERS, LATER)
    assert (store.themes.list_all("all"), store.themes.list_all("helped"), store.themes.list_all()) == (
        [THEME, DORMANT],
        [helped],
        [helped],
    )
    assert [run.number for run in store.runs.list_all()] == [1, 2, 3]
    assert store.themes.all_ids() == {"t-1", "t-2", "t-9"}


def test_seen_case_ids_are_limited_by_lens_and_run_number(store: Store) -> None:
    assert store.runs.seen_case_ids() == set()
    finish_run(store, make_outcome(assignments=[PLACED]))
    finish_run(store, make_outcome(assignments=[OUTLIER], drafts=[]), RunParameters(lens="helped"))
    finish_run(store, make_outcome(assignments=[replace(PLACED, case_id="c-3")]))
    store.runs.fail(store.runs.begin(PARAMETERS, LATER).id, "why", LATER)
    assert store.runs.seen_case_ids() == {"c-1", "c-2", "c-3"}
    assert (store.runs.seen_case_ids("all"), store.runs.seen_case_ids("helped")) == ({"c-1", "c-3"}, {"c-2"})
    assert (store.runs.seen_case_ids(up_to_number=2), store.runs.seen_case_ids("all", up_to_number=2)) == (
        {"c-1", "c-2"},
        {"c-1"},
    )


def test_records_of_the_first_release_are_read_with_defaults() -> None:
    theme, change = theme_record(THEME), change_record(CHANGES[0])
    for name in ("encoder", "unseen_case_ids", "former_exemplars", "new_by_period"):
        del theme[name]
    for name in ("former_lineage", "n_known", "n_new", "quiet_runs", "shared_exemplars", "went", "came"):
        del change[name]
    assert (read_theme(theme), read_change(change)) == (THEME, CHANGES[0])


def test_duplicates_are_those_of_the_last_run(store: Store) -> None:
    store.cases.save_all(with_submissions(*CASES))
    finish_run(store)
    finish_run(store, make_outcome(duplicate_of={}))
    assert store.cases.list_all() == CASES


def test_begin_run_marks_a_dead_run_as_interrupted(store: Store) -> None:
    dead = store.runs.begin(PARAMETERS, NOON)
    running = store.runs.begin(PARAMETERS, LATER)
    assert store.runs.list_all() == [replace(dead, state="interrupted", finished_at=LATER), running]
    assert (running.state, running.id, store.runs.latest()) == ("running", "run-0002", None)


def test_failed_run_stores_its_reason_and_keeps_the_last_results(store: Store) -> None:
    record = finish_run(store)
    run = store.runs.begin(PARAMETERS, NOON)
    store.runs.fail(run.id, "ModelUnavailable", LATER)
    assert store.runs.list_all()[1] == replace(run, state="failed", finished_at=LATER, notes=("ModelUnavailable",))
    assert store.runs.latest() == record


def test_finish_and_fail_raise_for_an_unknown_run(store: Store) -> None:
    with pytest.raises(NotFound):
        store.finish_run("run-0009", make_outcome(), NOON)
    with pytest.raises(NotFound):
        store.runs.fail("run-0009", "why", NOON)


@pytest.mark.parametrize(
    "broken",
    [
        {"assignments": [PLACED, PLACED]},
        {"themes": [THEME, THEME]},
        {"drafts": [make_draft("d-2"), replace(make_draft(), id=INVALID_ID)]},
    ],
    ids=["assignments", "themes", "drafts"],
)
def test_finish_run_stores_nothing_when_one_row_fails(store: Store, broken: dict[str, Any]) -> None:
    store.cases.save_all(with_submissions(*CASES))
    finish_run(store)
    before = read_all(store)
    run = store.runs.begin(PARAMETERS, LATER)
    new: dict[str, Any] = {"duplicate_of": {}, "themes": [build_theme("t-8")], "drafts": [make_draft("d-9")], **broken}
    with pytest.raises(StoreUnavailable):
        store.finish_run(run.id, make_outcome(**new), LATER)
    assert read_all(store) == before
    assert store.runs.list_all()[-1] == run


# people's edits of themes


def make_edit(seq: int = 1, action: EditAction = EditAction.RENAME, **overrides: Any) -> Edit:
    values: dict[str, Any] = {"lens": "all", "by": "Ada", "at": NOON, "theme_id": "t-1", "name": "Given", **overrides}
    return Edit(seq=seq, action=action, **values)


def make_revision(run_id: str = "run-0001", **overrides: Any) -> RunRevision:
    values: dict[str, Any] = {
        "themes": [replace(THEME, name="Given"), DORMANT],
        "areas": {"a-1": "Goods"},
        "assignments": [PLACED, OUTLIER],
        "drafts": [make_draft("d-2")],
        "conflicts": [CONFLICT],
        **overrides,
    }
    return RunRevision(run_id=run_id, **values)


CONFLICT = EditConflict(kind="pin", edit_seq=1, theme_ids=("t-1",), case_ids=("c-1",), text="Decision 1: elsewhere.")

RESULT = MachineResult(
    case_ids=("c-1", "r-1"),
    theme_ids=("t-1",),
    area_ids=("a-1",),
    partition=Partition(
        labels=np.asarray([0, -1], np.int32),
        areas=np.asarray([0], np.int32),
        strength=np.asarray([0.9, 0.1], np.float32),
        nearest=np.asarray([0, 0], np.int32),
        centres=np.eye(1, 3, dtype=np.float32),
        stability=np.asarray([0.9], np.float32),
    ),
    encoder="mini/1",
    known_themes=(THEME, DORMANT),
    new_cases=("r-1",),
    duplicate_of={"r-1": "c-1"},
)


def test_edits_are_returned_complete_and_in_order_by_lens(store: Store) -> None:
    pin = make_edit(action=EditAction.PIN, case_ids=("c-1", "r-1"), name="", note="seen twice")
    split = make_edit(2, EditAction.SPLIT_OFF, lens="helped", other_theme_id="t-9", case_ids=("c-1",))
    undo = make_edit(3, EditAction.UNDO, theme_id=None, name="", undoes=1)
    rename = make_edit(4, former_name="Goods")
    for edit in (pin, split, undo, rename):
        store.append_edits([edit], expected_seq=edit.seq - 1)
    assert store.edits.list_all() == [pin, split, undo, rename]
    assert (store.edits.list_all("helped"), store.edits.list_all("problem")) == ([split], [])


def test_append_edit_revises_the_last_run(store: Store) -> None:
    store.cases.save_all(with_submissions(*CASES))
    record = finish_run(store)
    changes = store.themes.changes(record.id)
    alone = replace(PLACED, theme_id=None, area_id=None, reason="moved out by a person (decision 1)")
    store.append_edits([make_edit()], expected_seq=0, revision=make_revision(assignments=[alone, OUTLIER]))
    assert store.themes.list_all() == [replace(THEME, name="Given"), DORMANT]
    assert store.runs.assignments() == [alone, OUTLIER]
    assert [draft.id for draft, _, _ in store.drafts.list_all()] == ["d-2"]
    assert store.runs.latest() == replace(record, n_outliers=2, conflicts=(CONFLICT,))
    assert store.themes.changes(record.id) == changes
    assert store.cases.list_all() == [CASES[0], replace(CASES[1], duplicate_of="c-1")]


def test_append_edit_conflicts_when_a_newer_edit_exists(open_network: Opener) -> None:
    first_store, second_store = open_network("north"), open_network("north")
    first_store.append_edits([make_edit()], expected_seq=0)
    with pytest.raises(VersionConflict):
        second_store.append_edits([make_edit(by="Bo")], expected_seq=0)
    assert [edit.by for edit in second_store.edits.list_all()] == ["Ada"]


def test_append_edit_conflicts_when_a_newer_run_exists(store: Store) -> None:
    finish_run(store)
    finish_run(store)
    before = read_all(store)
    for revision in (make_revision("run-0001"), None):
        with pytest.raises(VersionConflict):
            store.append_edits([make_edit()], expected_seq=0, revision=revision)
    assert (store.edits.list_all(), read_all(store)) == ([], before)


def test_append_edit_stores_nothing_when_the_revision_fails(store: Store) -> None:
    finish_run(store)
    before = read_all(store)
    with pytest.raises(StoreUnavailable):
        store.append_edits([make_edit()], expected_seq=0, revision=make_revision(assignments=[PLACED, PLACED]))
    assert (store.edits.list_all(), read_all(store)) == ([], before)


def test_append_edits_stores_all_edits_or_no_edit(store: Store) -> None:
    finish_run(store)
    decline = make_edit(1, EditAction.DECLINE, name="", run_id="run-0001")
    pins = [make_edit(seq, EditAction.PIN, name="", case_ids=("c-1",), because=1) for seq in (2, 3)]
    with pytest.raises(StoreUnavailable):
        store.append_edits([decline, pins[0], pins[0]], expected_seq=0, revision=make_revision())
    with pytest.raises(VersionConflict):
        store.append_edits([decline, *pins], expected_seq=0)
    assert store.edits.list_all() == []
    store.append_edits([decline, *pins], expected_seq=0, revision=make_revision())
    assert store.edits.list_all() == [decline, *pins]


def test_annotations_and_proposals_do_not_change_themes(store: Store) -> None:
    finish_run(store)
    before = read_all(store)
    edits = [
        make_edit(1, proposed=True),
        make_edit(2, EditAction.OWN, name=""),
        make_edit(3, EditAction.DECLINE, answers=1),
    ]
    for edit in edits:
        store.append_edits([edit], expected_seq=edit.seq - 1)
    assert (store.edits.list_all(), read_all(store)) == (edits, before)


def test_cases_moved_by_run_are_listed_with_both_themes(open_network: Opener) -> None:
    store = open_network("north")
    before = [replace(PLACED, case_id=f"c-{n}", theme_id=theme) for n, theme in enumerate(("t-1", "t-1", "t-2", None))]
    after = [
        replace(assignment, theme_id=theme)
        for assignment, theme in zip(before, ("t-1", "t-2", None, "t-1"), strict=True)
    ]
    first = finish_run(store, make_outcome(assignments=before))
    finish_run(store, make_outcome(assignments=[]), replace(PARAMETERS, lens="helped"))
    second = finish_run(store, make_outcome(assignments=after))
    finish_run(open_network("south"), make_outcome(assignments=before))
    assert store.runs.moved_cases(first.id) == []
    assert store.runs.moved_cases(second.id) == [("c-1", "t-1", "t-2"), ("c-2", "t-2", None)]


def test_finish_run_conflicts_when_a_theme_was_edited_meanwhile(store: Store) -> None:
    run = store.runs.begin(PARAMETERS, NOON)
    store.append_edits([make_edit(lens="helped")], expected_seq=0)
    store.append_edits([make_edit(2)], expected_seq=1)
    with pytest.raises(VersionConflict):
        store.finish_run(run.id, make_outcome(last_edit_seq=0), LATER)
    assert store.runs.latest() is None
    assert store.finish_run(run.id, make_outcome(last_edit_seq=2, conflicts=[CONFLICT]), LATER).conflicts == (CONFLICT,)


def test_machine_result_is_stored_for_the_newest_run_of_each_lens(store: Store) -> None:
    first = finish_run(store, make_outcome(machine_result=RESULT))
    helped = finish_run(store, make_outcome(machine_result=RESULT, themes=[], drafts=[]), RunParameters(lens="helped"))
    last = finish_run(store, make_outcome(machine_result=replace(RESULT, encoder="mini/2")))
    assert store.runs.machine_result(first.id) is None
    for run_id, encoder in ((helped.id, "mini/1"), (last.id, "mini/2")):
        result = store.runs.machine_result(run_id)
        assert result is not None
        for field in fields(Partition):
            assert np.array_equal(getattr(result.partition, field.name), getattr(RESULT.partition, field.name))
            stored, expected = getattr(result.partition, field.name), getattr(RESULT.partition, field.name)
            assert (type(stored), np.asarray(stored).dtype) == (type(expected), np.asarray(expected).dtype)
        assert (result.case_ids, result.theme_ids, result.area_ids) == (RESULT.case_ids, ("t-1",), ("a-1",))
        assert result.encoder == encoder
        assert (result.known_themes, result.new_cases, result.duplicate_of) == (
            RESULT.known_themes,
            ("r-1",),
            {"r-1": "c-1"},
        )


def make_fits(run_id: str, holds_for: str = "these") -> StoredFits:
    return StoredFits(
        run_id=run_id,
        config_hash=holds_for,
        row_digests=np.array([[1, 2**64 - 1], [2, 3]], np.uint64),
        baseline_digests=np.array([[1, 5]], np.uint64),
        neighbours=Neighbours(np.array([[1], [0]], np.int32), np.array([[0.25], [0.25]], np.float32)),
        labels=FitLabels(np.array([[0, 1], [0, 0]], np.int32), np.array([[-2, 0]], np.int32)),
    )


def test_fits_are_stored_bit_for_bit_for_the_newest_run_of_each_lens(store: Store) -> None:
    assert store.runs.stored_fits("all") is None
    for lens, holds_for in (("all", "former"), ("helped", "those"), ("all", "these")):
        run = store.runs.begin(RunParameters(lens=lens), NOON)
        outcome = make_outcome(themes=[], drafts=[], fits=make_fits(run.id, holds_for))
        store.finish_run(run.id, outcome, LATER)
    last, other = store.runs.stored_fits("all"), store.runs.stored_fits("helped")
    assert last is not None
    assert other is not None
    assert (last.run_id, last.config_hash) == ("run-0003", "these")
    assert (other.run_id, other.config_hash) == ("run-0002", "those")
    expected = make_fits("run-0003")
    for stored_array, expected_array in (
        (last.row_digests, expected.row_digests),
        (last.baseline_digests, expected.baseline_digests),
        (last.neighbours.index, expected.neighbours.index),
        (last.neighbours.similarity, expected.neighbours.similarity),
        (last.labels.edge_fits, expected.labels.edge_fits),
        (last.labels.row_fits, expected.labels.row_fits),
    ):
        assert np.array_equal(stored_array, expected_array)
        assert stored_array.dtype == expected_array.dtype


def test_fits_are_deleted_by_a_run_without_fits_and_kept_by_a_failed_run(store: Store) -> None:
    run = store.runs.begin(PARAMETERS, NOON)
    store.finish_run(run.id, make_outcome(fits=make_fits(run.id)), LATER)
    store.runs.fail(store.runs.begin(PARAMETERS, NOON).id, "Broke", LATER)
    failing = store.runs.begin(PARAMETERS, NOON)
    broken = make_outcome(fits=make_fits(failing.id), drafts=[make_draft(id=INVALID_ID)])
    with pytest.raises(StoreUnavailable):
        store.finish_run(failing.id, broken, LATER)
    fits = store.runs.stored_fits("all")
    assert fits is not None
    assert fits.run_id == run.id
    finish_run(store)
    assert store.runs.stored_fits("all") is None


def make_rewrite(rewrite_text: Callable[[str], str], **overrides: Any) -> TextRewrite:
    """Make a rewrite that applies one function to all text; of a theme only its name is rewritten."""

    def rewrite_theme(theme: Theme) -> Theme:
        return replace(theme, name=rewrite_text(theme.name))

    def rewrite_draft(draft: Draft, log: tuple[Decision, ...]) -> tuple[Draft, tuple[Decision, ...]]:
        return replace(draft, name=rewrite_text(draft.name)), tuple(
            replace(decision, note=rewrite_text(decision.note)) for decision in log
        )

    values: dict[str, Any] = {
        "rewrite_theme": rewrite_theme,
        "rewrite_name": rewrite_text,
        "rewrite_text": rewrite_text,
        "rewrite_draft": rewrite_draft,
        **overrides,
    }
    return TextRewrite(**values)


def test_rewrite_includes_names_and_notes_of_edits(store: Store) -> None:
    store.append_edits([make_edit(name="by Anna", former_name="Anna's", note="says Anna")], expected_seq=0)
    store.extend_roster((), lambda _: ((), make_rewrite(lambda text: text.replace("Anna", "[person]"))))
    (edit,) = store.edits.list_all()
    assert (edit.name, edit.former_name, edit.note) == ("by [person]", "[person]'s", "says [person]")


# roster changes


def test_roster_change_stores_nothing_when_a_rewrite_fails(store: Store) -> None:
    anna = build_submission("Anna waited.", external_id="C-1")
    store.cases.save_all([(anna, build_case("c-1", "Anna waited."))])
    finish_run(store, make_outcome(drafts=[replace(make_draft(), name="Anna's tape")]))
    store.drafts.append_decision(make_decision(note="as Anna said"), expected_version=0)
    store.vectors.save_all("mini/1", {"old": np.ones(3, np.float32), "other": np.ones(3, np.float32)})
    before = [read_all(store), store.network.roster(), store.edits.list_all()]

    def replace_name(text: str) -> str:
        return text.replace("Anna", "[person 1]")

    def redact(roster: list[RosterEntry]) -> tuple[list[Any], TextRewrite]:
        assert [entry.name for entry in roster] == ["Anna"]
        assert [read_all(store), store.network.roster(), store.edits.list_all()] == before
        return [(anna, build_case("c-1", "[person 1] waited."))], make_rewrite(
            replace_name, dropped_text_hashes=frozenset({"old"})
        )

    def raise_error(*_: object) -> Any:
        raise KeyError

    def fail(roster: list[RosterEntry]) -> tuple[list[Any], TextRewrite]:
        return redact(roster)[0], make_rewrite(replace_name, rewrite_draft=raise_error)

    with pytest.raises(KeyError):
        store.extend_roster([("Anna", None, None)], fail)
    assert [read_all(store), store.network.roster(), store.edits.list_all()] == before
    assert store.extend_roster([("Anna", None, None)], redact) == RosterChange(added=1, changed=1)
    ((draft, log, _),) = store.drafts.list_all()
    assert (draft.name, [decision.note for decision in log]) == ("[person 1]'s tape", ["as [person 1] said"])
    assert store.cases.get("c-1").text == {"problem": "[person 1] waited."}
    assert list(store.vectors.get_many("mini/1", ["old", "other"])) == ["other"]
    assert store.submissions.list_all() == [anna]


def test_save_cases_conflicts_when_the_roster_has_grown(store: Store) -> None:
    store.network.add_to_roster([("Anna", None, None)])
    with pytest.raises(VersionConflict):
        store.cases.save_all(with_submissions(FULL), roster_version=0)
    assert store.cases.list_all() == []
    assert store.cases.save_all(with_submissions(FULL), roster_version=1).accepted == 1


# raw text

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
ANNA = build_submission("Anna's pallet stood in lane 4.", external_id="C-1", facts={"submitter": "Anna Hansen"})


def open_encrypted(tmp_path: Path, key: bytes | None = KEY, previous_key: bytes | None = None) -> SqlStore:
    return SqlStore(tmp_path / "patternmind.db", cipher=FieldCipher(key, previous_key))


def raw_bytes(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_raw_text_is_encrypted_and_readable_with_its_key_only(tmp_path: Path) -> None:
    open_encrypted(tmp_path).cases.save_all([(ANNA, build_case("c-1", "[person]'s pallet."))])
    assert b"Anna" not in raw_bytes(tmp_path)
    again = open_encrypted(tmp_path)
    assert again.submissions.list_all() == [again.submissions.get("c-1")] == [ANNA]
    assert again.submissions.count_raw_texts() == RawTextCounts(
        n_texts=1, n_encrypted=1, key_id=key_id(KEY), is_readable=True
    )
    for key, message in ((None, "PATTERNMIND_RAW_KEY is not set"), (OTHER_KEY, "PATTERNMIND_RAW_KEY is another key")):
        locked = open_encrypted(tmp_path, key)
        reads: list[Callable[[], object]] = [
            locked.submissions.list_all,
            lambda store=locked: store.submissions.get("c-1"),
        ]
        writes: list[Callable[[], object]] = [
            locked.submissions.reencrypt_all,
            lambda store=locked: store.cases.save_all(with_submissions(FULL)),
            lambda store=locked: store.extend_roster((), lambda _: ((), make_rewrite(str))),
        ]
        for attempt in (*reads, *writes):
            with pytest.raises(RawTextKeyInvalid, match=message) as refused:
                attempt()
            assert key_id(KEY) in str(refused.value)
            assert "Anna" not in str(refused.value)
        assert [case.id for case in locked.cases.list_all()] == ["c-1"]
        assert locked.submissions.count_raw_texts().is_readable is False


def test_unencrypted_raw_text_is_encrypted_and_decrypted_on_request(tmp_path: Path) -> None:
    plain = open_encrypted(tmp_path, None)
    plain.cases.save_all([(ANNA, build_case("c-1", "[person]'s pallet."))])
    plain.cases.save_all(
        [(replace(ANNA, text={"problem": "Anna's second text."}), build_case("c-1", "[person]'s second."))]
    )
    plain.close()
    assert b"Anna" in raw_bytes(tmp_path)
    store = open_encrypted(tmp_path)
    assert store.submissions.count_raw_texts() == RawTextCounts(n_texts=2, n_encrypted=0, key_id=None, is_readable=True)
    assert store.submissions.reencrypt_all() == 2
    store.purge_deleted()
    assert b"Anna" not in raw_bytes(tmp_path)
    assert store.submissions.get("c-1").text == {"problem": "Anna's second text."}
    assert store.submissions.count_raw_texts() == RawTextCounts(
        n_texts=2, n_encrypted=2, key_id=key_id(KEY), is_readable=True
    )
    assert open_encrypted(tmp_path, None, KEY).submissions.reencrypt_all() == 2
    assert open_encrypted(tmp_path, None).submissions.list_all() == store.submissions.list_all()


def test_raw_text_key_is_changed_with_the_previous_key(tmp_path: Path) -> None:
    open_encrypted(tmp_path).cases.save_all([(ANNA, build_case("c-1", "[person]'s pallet."))])
    changed = open_encrypted(tmp_path, OTHER_KEY, KEY)
    assert changed.submissions.list_all() == [ANNA]
    with pytest.raises(RawTextKeyInvalid):
        changed.cases.save_all(with_submissions(BARE))
    assert changed.submissions.reencrypt_all() == 1
    assert changed.cases.save_all(with_submissions(BARE)).accepted == 1
    assert len(open_encrypted(tmp_path, OTHER_KEY).submissions.list_all()) == 2
    with pytest.raises(RawTextKeyInvalid):
        open_encrypted(tmp_path, KEY).submissions.list_all()


def test_encrypted_text_is_unreadable_when_moved_to_another_row(tmp_path: Path) -> None:
    store = open_encrypted(tmp_path)
    store.cases.save_all([(ANNA, build_case("c-1", "a")), (replace(ANNA, external_id="C-2"), build_case("c-2", "b"))])
    with closing(sqlite3.connect(tmp_path / "patternmind.db")) as connection:
        connection.execute(
            "UPDATE submission SET body = (SELECT body FROM submission WHERE case_id = 'c-1') WHERE case_id = 'c-2'"
        )
        connection.commit()
    assert store.submissions.get("c-1") == ANNA
    with pytest.raises(StoreUnavailable, match="damaged"):
        store.submissions.get("c-2")


# erasure


def test_erase_case_leaves_only_the_id(store: Store) -> None:
    erased, remaining = build_case("c-1", "The zyxquokka stood."), build_case("r-1", "Left.", duplicate_of=None)
    store.cases.save_all(with_submissions(erased, remaining))
    store.vectors.save_all("mini/1", {"its": np.ones(3, np.float32), "left": np.ones(3, np.float32)})
    run = store.runs.begin(PARAMETERS, NOON)
    outcome = make_outcome(
        machine_result=RESULT, fits=make_fits(run.id), assignments=[PLACED, replace(OUTLIER, case_id="r-1")],
        duplicate_of={"r-1": "c-1"},
    )  # fmt: skip
    store.finish_run(run.id, outcome, LATER)

    def remove_case(theme: Theme) -> Theme:
        return replace(theme, case_ids=tuple(id for id in theme.case_ids if id != "c-1"), centre=())

    rewrite = make_rewrite(lambda text: text, rewrite_theme=remove_case)
    store.erase_case("c-1", rewrite, kept_text_hashes={"left"}, actor="Ada", at=LATER)
    assert store.cases.erasures() == [Erasure(case_id="c-1", by="Ada", at=LATER)]
    assert store.cases.list_all() == [remaining]
    assert [assignment.case_id for assignment in store.runs.assignments()] == ["r-1"]
    assert list(store.vectors.get_many("mini/1", ["its", "left"])) == ["left"]
    assert store.runs.stored_fits("all") is None
    result = store.runs.machine_result(run.id)
    assert result is not None
    assert (result.case_ids, result.theme_ids, result.duplicate_of) == (("r-1",), (), {})
    assert len(store.submissions.list_all()) == 1
    for read in (store.submissions.get, store.cases.get):
        with pytest.raises(NotFound):
            read("c-1")
    with pytest.raises(NotFound):
        store.erase_case("c-1", rewrite, kept_text_hashes=(), actor="Ada", at=LATER)


def test_erase_case_changes_nothing_when_a_statement_fails(store: Store) -> None:
    store.cases.save_all(with_submissions(*CASES))
    finish_run(store)
    before = read_all(store)
    with pytest.raises(StoreUnavailable):
        store.erase_case("c-1", make_rewrite(lambda text: text), kept_text_hashes=(), actor=INVALID_ID, at=LATER)
    assert (read_all(store), store.cases.erasures()) == (before, [])


def test_save_drafts_conflicts_when_a_quoted_case_was_erased(store: Store) -> None:
    store.cases.save_all(with_submissions(*CASES))
    store.erase_case("c-2", make_rewrite(lambda text: text), kept_text_hashes=(), actor="Ada", at=LATER)
    with pytest.raises(VersionConflict, match="c-2"):
        store.drafts.save_all([make_draft()], LATER)
    assert store.drafts.list_all(current=False) == []


def test_purge_deleted_raises_while_another_process_reads(tmp_path: Path) -> None:
    store = open_encrypted(tmp_path, None)
    store.cases.save_all(with_submissions(FULL))
    with closing(sqlite3.connect(tmp_path / "patternmind.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM submission").fetchall()
        with pytest.raises(StoreUnavailable, match="Another process is reading"):
            purge_deleted(tmp_path / "patternmind.db", seconds=0.05)
    purge_deleted(tmp_path / "patternmind.db")


# drafts and decisions


def make_decision(draft_id: str = "d-1", seq: int = 1, **overrides: Any) -> Decision:
    values: dict[str, Any] = {
        "action": DraftAction.REJECT,
        "by": "Ada",
        "at": NOON,
        "before": DraftState.CANDIDATE,
        "after": DraftState.REJECTED,
        "reason": RejectionReason.DUPLICATE,
        "note": "of d-0",
        **overrides,
    }
    return Decision(id=f"{draft_id}.{seq}", draft_id=draft_id, **values)


def test_decisions_are_returned_in_order(store: Store) -> None:
    store.drafts.save_all([make_draft()], NOON)
    edit = make_decision(action=DraftAction.EDIT, reason=None, edits={"name": "Tape", "solution": ("a", "b")})
    undo = make_decision(seq=2, action=DraftAction.UNDO, reason=None, undoes="d-1.1")
    store.drafts.append_decision(edit, expected_version=0)
    store.drafts.append_decision(undo, expected_version=1)
    assert store.drafts.get("d-1") == (make_draft(), (edit, undo), NOON)
    assert store.drafts.list_all() == [(make_draft(), (edit, undo), NOON)]
    with pytest.raises(NotFound):
        store.drafts.get("d-9")


def test_append_decision_conflicts_when_the_version_differs(open_network: Opener) -> None:
    first_store, second_store = open_network("north"), open_network("north")
    first_store.drafts.save_all([make_draft()], NOON)
    first_store.drafts.append_decision(make_decision(), expected_version=0)
    with pytest.raises(VersionConflict):
        second_store.drafts.append_decision(make_decision(by="Bo"), expected_version=0)
    with pytest.raises(VersionConflict):
        second_store.drafts.append_decision(make_decision(by="Bo"), expected_version=2)
    assert [decision.by for decision in second_store.drafts.get("d-1")[1]] == ["Ada"]


def test_draft_is_replaced_when_a_later_run_does_not_repeat_it(store: Store) -> None:
    finish_run(store)
    finish_run(store, make_outcome(drafts=[make_draft("d-2")]))
    assert [draft.id for draft, _, _ in store.drafts.list_all()] == ["d-2"]
    assert [draft.id for draft, _, _ in store.drafts.list_all(current=False)] == ["d-1", "d-2"]
    finish_run(store, make_outcome(drafts=[make_draft("d-1")]))
    assert [(draft.id, created) for draft, _, created in store.drafts.list_all()] == [("d-1", LATER)]


def test_draft_with_a_decision_is_kept_by_later_runs(store: Store) -> None:
    finish_run(store)
    store.drafts.append_decision(make_decision(), expected_version=0)
    again = replace(make_draft(), provenance=Provenance(run_id="run-0002"))
    finish_run(store, make_outcome(drafts=[again, make_draft("d-2")]))
    finish_run(store, make_outcome(drafts=[]))
    assert store.drafts.list_all() == [(make_draft(), (make_decision(),), LATER)]


def test_drafts_are_kept_by_runs_of_another_lens_or_without_drafting(store: Store) -> None:
    finish_run(store)
    finish_run(store, make_outcome(themes=[build_theme("t-9", lens="helped")], drafts=[]), RunParameters(lens="helped"))
    finish_run(store, make_outcome(drafts=[]), replace(PARAMETERS, draft=False))
    assert [draft.id for draft, _, _ in store.drafts.list_all()] == ["d-1"]


def test_prereading_is_kept_by_later_runs(store: Store) -> None:
    finish_run(store)
    store.drafts.save_all([make_draft("d-5", kind=DraftKind.PREREADING)], LATER)
    finish_run(store, make_outcome(drafts=[]))
    assert [draft.id for draft, _, _ in store.drafts.list_all()] == ["d-5"]


# tokens


def test_tokens_are_listed_oldest_first(store: Store) -> None:
    first = ApiToken(id="a", name="laptop", sha256="0" * 64, created_at=NOON, expires_at=LATER)
    second = ApiToken(id="b", name="script", sha256="1" * 64, created_at=LATER)
    store.tokens.save(second)
    store.tokens.save(first)
    assert store.tokens.list_all() == [first, second]


# other networks and other processes


def test_network_reads_no_rows_of_another_network(open_network: Opener) -> None:
    north, south = open_network("north"), open_network("south")
    north.cases.save_all(with_submissions(*CASES))
    north.network.add_to_roster([("Anna", None, None)])
    north.vectors.save_all("mini/1", {"h": np.ones(3, np.float32)})
    finish_run(north)
    north.drafts.append_decision(make_decision(), expected_version=0)
    north.append_edits([make_edit()], expected_seq=0, revision=make_revision())
    north.tokens.save(ApiToken(id="a", name="laptop", sha256="0" * 64, created_at=NOON))
    assert read_all(south) == [[], [], set(), {}, [], [], [], None]
    assert (south.runs.list_all(), south.network.roster(), south.tokens.list_all(), south.submissions.list_all()) == (
        [],
        [],
        [],
        [],
    )
    assert south.vectors.get_many("mini/1", ["h"]) == {}
    assert (south.edits.list_all(), south.runs.machine_result("run-0001")) == ([], None)
    for read in (lambda: south.cases.get("c-1"), lambda: south.drafts.get("d-1")):
        with pytest.raises(NotFound):
            read()


def test_network_writes_change_no_rows_of_another_network(open_network: Opener) -> None:
    north, south = open_network("north"), open_network("south")
    for store in (north, south):
        store.cases.save_all(with_submissions(*CASES))
        finish_run(store)
    before = read_all(south)
    north.cases.save_all(with_submissions(replace(CASES[0], team="other")))
    finish_run(north, make_outcome(themes=[build_theme("t-9")], duplicate_of={}, drafts=[]))
    north.runs.begin(PARAMETERS, NOON)
    north.drafts.append_decision(make_decision(), expected_version=0)
    north.network.save(replace(north.network.get(), name="Nord"))
    assert read_all(south) == before
    assert south.network.get().name == "The south"
    assert south.cases.save_all(with_submissions(*CASES)).unchanged == 2


def test_stored_data_is_visible_to_another_process(open_network: Opener) -> None:
    store = open_network("north")
    store.cases.save_all(with_submissions(*CASES))
    finish_run(store)
    assert read_all(open_network("north")) == read_all(store)

"""The store keeps every noun as it was, shows one network to itself alone, and stores a step whole or not at all."""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fixtures.builders import (
    NOON,
    build_case,
    build_quote,
    build_submission,
    build_theme,
)

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
from patternmind.domain.themes import (
    Assignment,
    Flow,
    Lineage,
    Neighbours,
    Partition,
    Theme,
    ThemeChange,
)
from patternmind.errors import (
    NotFound,
    RawTextKeyInvalid,
    StoreUnavailable,
    VersionConflict,
)
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
from patternmind.storage.records import (
    change_record,
    read_change,
    read_theme,
    theme_record,
)

LATER = NOON + dt.timedelta(minutes=7)

Opener = Callable[[str], Store]

nothing: Any = None
"""What no table takes for an id: a write that fails half-way."""


@pytest.fixture
def open_network(tmp_path: Path) -> Iterator[Opener]:
    """Opens one network of one database; every call is a connection of its own, as another process would have."""
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


def pairs(*cases: Case) -> list[Any]:
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


# the network and its people


def test_a_network_is_made_once_and_kept_as_it_is_changed(open_network: Opener) -> None:
    store = open_network("north")
    assert store.network == Network(id="north", name="The north")
    changed = Network(
        id="north",
        name="Nord",
        purpose="Fewer returns",
        rule=PublishingRule(min_contributors=3, min_teams=4),
        default_consent=Consent.NETWORK_ONLY,
    )
    store.save_network(changed)
    assert open_network("north").network == changed


def test_the_secret_is_made_once_and_is_no_other_networks(open_network: Opener) -> None:
    secret = open_network("north").contributor_secret()
    assert len(secret) == 32
    assert open_network("north").contributor_secret() == secret
    assert open_network("south").contributor_secret() != secret


def test_people_are_put_on_the_roster_once_with_numbers_that_never_change(store: Store) -> None:
    assert store.add_to_roster([("Anna Hansen", "anna@example.org", "North"), ("Bo", None, None)]) == 2
    assert store.add_to_roster([("anna hansen", None, None), ("Cy", None, None), ("Cy", None, None)]) == 1
    assert store.roster() == [
        RosterEntry(number=1, name="Anna Hansen", email="anna@example.org", team="North"),
        RosterEntry(number=2, name="Bo"),
        RosterEntry(number=3, name="Cy"),
    ]
    assert store.add_to_roster([]) == 0


# cases


def test_cases_come_back_as_they_were_by_id(store: Store) -> None:
    assert store.save_cases(pairs(BARE, FULL)) == CaseSaveCounts(accepted=2, unchanged=0, duplicates=0, updated=0)
    assert store.cases() == [FULL, BARE]
    assert (store.case("c-1"), store.case("C-1"), store.case("r-1")) == (FULL, FULL, BARE)
    with pytest.raises(NotFound):
        store.case("c-9")


def test_the_same_case_again_is_unchanged_and_a_changed_one_replaces_it(store: Store) -> None:
    store.save_cases(pairs(FULL))
    assert store.save_cases(pairs(FULL)) == CaseSaveCounts(accepted=0, unchanged=1, duplicates=0, updated=0)
    changed = replace(FULL, team="South")
    assert store.save_cases(pairs(changed)) == CaseSaveCounts(accepted=1, unchanged=0, duplicates=0, updated=1)
    assert store.cases() == [changed]


def test_the_same_text_under_another_id_is_accepted_and_counted(store: Store) -> None:
    same = [build_case(f"c-{n}", content_hash="h") for n in range(3)]
    assert store.save_cases(pairs(*same[:2])) == CaseSaveCounts(accepted=2, unchanged=0, duplicates=1, updated=0)
    assert store.save_cases(pairs(same[2])) == CaseSaveCounts(accepted=1, unchanged=0, duplicates=1, updated=0)
    assert store.save_cases(pairs(*same)) == CaseSaveCounts(accepted=0, unchanged=3, duplicates=0, updated=0)


def test_one_id_twice_in_a_batch_counts_as_it_would_in_two(open_network: Opener) -> None:
    first, second = build_case("c-1", "First.", content_hash="h1"), build_case("c-1", "Second.", content_hash="h2")
    at_once = open_network("at once")
    assert at_once.save_cases(pairs(first, second)) == CaseSaveCounts(accepted=2, unchanged=0, duplicates=0, updated=1)
    assert at_once.cases() == [second]
    assert at_once.save_cases(pairs(first, second)) == CaseSaveCounts(accepted=2, unchanged=0, duplicates=0, updated=2)
    assert at_once.cases() == [second]
    assert at_once.save_cases(pairs(second, second)).unchanged == 2


def test_a_dry_run_counts_and_stores_nothing(store: Store) -> None:
    store.save_cases(pairs(FULL))
    again = pairs(FULL, replace(FULL, id="c-2"), BARE)
    assert store.save_cases(again, dry_run=True) == CaseSaveCounts(accepted=2, unchanged=1, duplicates=1, updated=0)
    assert store.cases() == [FULL]
    assert len(store.submissions()) == 1


def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(StoreUnavailable) as failed:
        store.save_cases(pairs(FULL, replace(CASES[0], id=nothing)))
    assert "lane 4" not in f"{failed.value} {failed.value.__cause__}"
    assert store.cases() == []
    assert store.submissions() == []


def test_submissions_come_back_as_handed_in_the_newest_of_each(store: Store) -> None:
    first = build_submission(
        "Anna waited.", external_id="HN-1", facts={"submitter": "Anna"}, linked_cases=("x",), row=3
    )
    second = replace(first, text={"problem": "Anna waited long."})
    store.save_cases([(first, build_case("c-1", "[person 1] waited."))])
    store.save_cases([(second, build_case("c-1", "[person 1] waited long."))])
    assert store.submissions() == [second]
    store.save_cases([(second, build_case("c-1", "[person] waited long."))])
    assert store.submissions() == [second]


def test_cases_can_be_asked_for_by_kind_and_by_date(store: Store) -> None:
    old, new = build_case("c-1", date=dt.date(2026, 1, 1)), build_case("c-2", date=dt.date(2026, 7, 1))
    undated = build_case("c-3", date=None)
    store.save_cases(pairs(old, new, undated, BARE))
    assert store.cases(kind=CaseKind.CASE) == [old, new, undated]
    assert store.cases(kind=CaseKind.RECAP) == [BARE]
    assert store.cases(since="2026-07-01") == [new, undated, BARE]
    assert store.cases(kind=CaseKind.CASE, since="2027-01-01") == [undated]


def test_more_cases_than_one_statement_takes(store: Store) -> None:
    many = [build_case(f"c-{n:05d}", content_hash=f"h{n}") for n in range(2000)]
    assert store.save_cases(pairs(*many)).accepted == 2000
    assert store.save_cases(pairs(*many)).unchanged == 2000
    assert [case.id for case in store.cases()] == [case.id for case in many]


# vectors


def test_vectors_come_back_bit_for_bit_for_their_encoder_alone(store: Store) -> None:
    rows = np.random.default_rng(0).standard_normal((1000, 8)).astype(np.float32)
    kept = {f"{n:032x}": row for n, row in enumerate(rows)}
    store.save_vectors("mini/1", kept)
    found = store.vectors("mini/1", [*kept, "unknown"])
    assert list(found) == sorted(kept)
    assert all(np.array_equal(found[key], kept[key]) and found[key].dtype == np.float32 for key in kept)
    assert store.vectors("mini/2", list(kept)) == {}
    assert store.vectors("mini/1", []) == {}


def test_a_vector_once_kept_stays(store: Store) -> None:
    store.save_vectors("mini/1", {"h": np.ones(3, np.float32)})
    store.save_vectors("mini/1", {"h": np.zeros(3, np.float32)})
    store.save_vectors("mini/1", {})
    assert store.vectors("mini/1", ["h"])["h"].tolist() == [1, 1, 1]


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
ASLEEP = build_theme(
    "t-2",
    case_ids=(),
    lineage=Lineage.DORMANT,
    encoder="minilm",
    unseen_case_ids=("c-3", "c-4"),
    former_exemplars=("c-3",),
    new_by_period=(("2026Q2", 2), ("2026Q3", 0)),
)
PLACED = Assignment(case_id="c-1", theme_id="t-1", area_id="a-1", strength=0.5, nearest_theme_id="t-1")
ALONE = Assignment(
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


def a_draft(id: str = "d-1", theme_id: str | None = "t-1", kind: DraftKind = DraftKind.PATTERN) -> Draft:
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


def an_outcome(**known: Any) -> RunOutcome:
    given: dict[str, Any] = {
        "themes": [THEME, ASLEEP],
        "areas": {"a-1": "Goods"},
        "changes": CHANGES,
        "assignments": [PLACED, ALONE],
        "duplicate_of": {"c-2": "c-1"},
        "drafts": [a_draft()],
        "seconds": {"embed": 0.1},
        "notes": ["one note"],
        "fingerprint": "f",
        **known,
    }
    return RunOutcome(**given)


def finished(store: Store, outcome: RunOutcome | None = None, parameters: RunParameters = PARAMETERS) -> RunRecord:
    run = store.begin_run(parameters, NOON)
    return store.finish_run(run.id, outcome or an_outcome(), LATER)


def everything(store: Store) -> list[object]:
    last = store.last_run()
    return [
        store.cases(),
        store.themes(),
        store.theme_ids(),
        store.areas(),
        store.assignments(),
        store.theme_changes(last.id if last else ""),
        store.drafts(current=False),
        last,
    ]


def test_a_store_without_a_run_has_none(store: Store) -> None:
    assert everything(store) == [[], [], set(), {}, [], [], [], None]
    assert store.runs() == []


def test_what_a_run_found_comes_back_as_it_was(store: Store) -> None:
    store.save_cases(pairs(*CASES))
    record = finished(store)
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
    assert (store.last_run(), store.last_run("all"), store.last_run("helped")) == (record, record, None)
    assert store.themes() == store.themes("all") == [THEME, ASLEEP]
    assert store.theme_ids() == {"t-1", "t-2"}
    assert store.areas() == {"a-1": "Goods"}
    assert store.assignments() == [PLACED, ALONE]
    assert store.theme_changes("run-0001") == CHANGES
    assert store.drafts() == [(a_draft(), (), LATER)]
    assert store.cases() == [CASES[0], replace(CASES[1], duplicate_of="c-1")]
    assert store.themes("helped") == []


def test_the_newest_finished_run_of_a_lens_is_the_one_that_is_shown(store: Store) -> None:
    finished(store)
    helped = build_theme("t-9", lens="helped")
    finished(store, an_outcome(themes=[helped], drafts=[]), RunParameters(lens="helped"))
    store.begin_run(PARAMETERS, LATER)
    assert (store.themes("all"), store.themes("helped"), store.themes()) == ([THEME, ASLEEP], [helped], [helped])
    assert [run.number for run in store.runs()] == [1, 2, 3]
    assert store.theme_ids() == {"t-1", "t-2", "t-9"}


def test_every_case_that_runs_looked_at_is_known_by_lens_and_by_time(store: Store) -> None:
    assert store.seen_case_ids() == set()
    finished(store, an_outcome(assignments=[PLACED]))
    finished(store, an_outcome(assignments=[ALONE], drafts=[]), RunParameters(lens="helped"))
    finished(store, an_outcome(assignments=[replace(PLACED, case_id="c-3")]))
    store.fail_run(store.begin_run(PARAMETERS, LATER).id, "why", LATER)
    assert store.seen_case_ids() == {"c-1", "c-2", "c-3"}
    assert (store.seen_case_ids("all"), store.seen_case_ids("helped")) == ({"c-1", "c-3"}, {"c-2"})
    assert (store.seen_case_ids(up_to_number=2), store.seen_case_ids("all", up_to_number=2)) == (
        {"c-1", "c-2"},
        {"c-1"},
    )


def test_themes_and_changes_of_the_first_release_are_read_by_defaults() -> None:
    theme, change = theme_record(THEME), change_record(CHANGES[0])
    for name in ("encoder", "unseen_case_ids", "former_exemplars", "new_by_period"):
        del theme[name]
    for name in ("former_lineage", "n_known", "n_new", "quiet_runs", "shared_exemplars", "went", "came"):
        del change[name]
    assert (read_theme(theme), read_change(change)) == (THEME, CHANGES[0])


def test_duplicates_belong_to_the_last_run(store: Store) -> None:
    store.save_cases(pairs(*CASES))
    finished(store)
    finished(store, an_outcome(duplicate_of={}))
    assert store.cases() == CASES


def test_a_run_that_died_is_interrupted_when_the_next_begins(store: Store) -> None:
    dead = store.begin_run(PARAMETERS, NOON)
    begun = store.begin_run(PARAMETERS, LATER)
    assert store.runs() == [replace(dead, state="interrupted", finished_at=LATER), begun]
    assert (begun.state, begun.id, store.last_run()) == ("running", "run-0002", None)


def test_a_failed_run_says_why_and_leaves_the_last_results(store: Store) -> None:
    record = finished(store)
    run = store.begin_run(PARAMETERS, NOON)
    store.fail_run(run.id, "ModelUnavailable", LATER)
    assert store.runs()[1] == replace(run, state="failed", finished_at=LATER, notes=("ModelUnavailable",))
    assert store.last_run() == record


def test_a_run_that_does_not_exist_cannot_end(store: Store) -> None:
    with pytest.raises(NotFound):
        store.finish_run("run-0009", an_outcome(), NOON)
    with pytest.raises(NotFound):
        store.fail_run("run-0009", "why", NOON)


@pytest.mark.parametrize(
    "broken",
    [
        {"assignments": [PLACED, PLACED]},
        {"themes": [THEME, THEME]},
        {"drafts": [a_draft("d-2"), replace(a_draft(), id=nothing)]},
    ],
    ids=["assignments", "themes", "drafts"],
)
def test_an_outcome_is_stored_whole_or_not_at_all(store: Store, broken: dict[str, Any]) -> None:
    store.save_cases(pairs(*CASES))
    finished(store)
    before = everything(store)
    run = store.begin_run(PARAMETERS, LATER)
    new: dict[str, Any] = {"duplicate_of": {}, "themes": [build_theme("t-8")], "drafts": [a_draft("d-9")], **broken}
    with pytest.raises(StoreUnavailable):
        store.finish_run(run.id, an_outcome(**new), LATER)
    assert everything(store) == before
    assert store.runs()[-1] == run


# people's edits of themes


def an_edit(seq: int = 1, action: EditAction = EditAction.RENAME, **known: Any) -> Edit:
    given: dict[str, Any] = {"lens": "all", "by": "Ada", "at": NOON, "theme_id": "t-1", "name": "Given", **known}
    return Edit(seq=seq, action=action, **given)


def amended(run_id: str = "run-0001", **known: Any) -> RunRevision:
    given: dict[str, Any] = {
        "themes": [replace(THEME, name="Given"), ASLEEP],
        "areas": {"a-1": "Goods"},
        "assignments": [PLACED, ALONE],
        "drafts": [a_draft("d-2")],
        "conflicts": [PROPOSAL],
        **known,
    }
    return RunRevision(run_id=run_id, **given)


PROPOSAL = EditConflict(kind="pin", edit_seq=1, theme_ids=("t-1",), case_ids=("c-1",), text="Decision 1: elsewhere.")

FOUND = MachineResult(
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
    known_themes=(THEME, ASLEEP),
    new_cases=("r-1",),
    duplicate_of={"r-1": "c-1"},
)


def test_edits_come_back_whole_and_in_order_of_a_lens_or_of_all(store: Store) -> None:
    pin = an_edit(action=EditAction.PIN, case_ids=("c-1", "r-1"), name="", note="seen twice")
    split = an_edit(2, EditAction.SPLIT_OFF, lens="helped", other_theme_id="t-9", case_ids=("c-1",))
    undo = an_edit(3, EditAction.UNDO, theme_id=None, name="", undoes=1)
    rename = an_edit(4, former_name="Goods")
    for edit in (pin, split, undo, rename):
        store.append_edit(edit, expected_seq=edit.seq - 1)
    assert store.edits() == [pin, split, undo, rename]
    assert (store.edits("helped"), store.edits("problem")) == ([split], [])


def test_an_edit_puts_the_last_run_as_it_leaves_it(store: Store) -> None:
    store.save_cases(pairs(*CASES))
    record = finished(store)
    changes = store.theme_changes(record.id)
    alone = replace(PLACED, theme_id=None, area_id=None, reason="moved out by a person (decision 1)")
    store.append_edit(an_edit(), expected_seq=0, revision=amended(assignments=[alone, ALONE]))
    assert store.themes() == [replace(THEME, name="Given"), ASLEEP]
    assert store.assignments() == [alone, ALONE]
    assert [draft.id for draft, _, _ in store.drafts()] == ["d-2"]
    assert store.last_run() == replace(record, n_outliers=2, conflicts=(PROPOSAL,))
    assert store.theme_changes(record.id) == changes
    assert store.cases() == [CASES[0], replace(CASES[1], duplicate_of="c-1")]


def test_of_two_edits_made_on_the_same_state_the_second_is_told(open_network: Opener) -> None:
    one, two = open_network("north"), open_network("north")
    one.append_edit(an_edit(), expected_seq=0)
    with pytest.raises(VersionConflict):
        two.append_edit(an_edit(by="Bo"), expected_seq=0)
    assert [edit.by for edit in two.edits()] == ["Ada"]


def test_an_edit_made_on_a_run_that_is_not_the_last_any_more_is_told(store: Store) -> None:
    finished(store)
    finished(store)
    before = everything(store)
    for made_on in (amended("run-0001"), None):
        with pytest.raises(VersionConflict):
            store.append_edit(an_edit(), expected_seq=0, revision=made_on)
    assert (store.edits(), everything(store)) == ([], before)


def test_an_edit_is_stored_with_what_it_changes_or_not_at_all(store: Store) -> None:
    finished(store)
    before = everything(store)
    with pytest.raises(StoreUnavailable):
        store.append_edit(an_edit(), expected_seq=0, revision=amended(assignments=[PLACED, PLACED]))
    assert (store.edits(), everything(store)) == ([], before)


def test_several_edits_are_added_all_or_none(store: Store) -> None:
    finished(store)
    note = an_edit(1, EditAction.DECLINE, name="", run_id="run-0001")
    pins = [an_edit(seq, EditAction.PIN, name="", case_ids=("c-1",), because=1) for seq in (2, 3)]
    with pytest.raises(StoreUnavailable):
        store.append_edits([note, pins[0], pins[0]], expected_seq=0, revision=amended())
    with pytest.raises(VersionConflict):
        store.append_edits([note, *pins], expected_seq=0)
    assert store.edits() == []
    store.append_edits([note, *pins], expected_seq=0, revision=amended())
    assert store.edits() == [note, *pins]


def test_notes_and_proposals_change_no_themes(store: Store) -> None:
    finished(store)
    before = everything(store)
    lines = [an_edit(1, proposed=True), an_edit(2, EditAction.OWN, name=""), an_edit(3, EditAction.DECLINE, answers=1)]
    for line in lines:
        store.append_edit(line, expected_seq=line.seq - 1)
    assert (store.edits(), everything(store)) == (lines, before)


def test_cases_that_a_run_moved_are_told_with_where_they_were(open_network: Opener) -> None:
    store = open_network("north")
    there = [replace(PLACED, case_id=f"c-{n}", theme_id=theme) for n, theme in enumerate(("t-1", "t-1", "t-2", None))]
    now = [replace(one, theme_id=theme) for one, theme in zip(there, ("t-1", "t-2", None, "t-1"), strict=True)]
    first = finished(store, an_outcome(assignments=there))
    finished(store, an_outcome(assignments=[]), replace(PARAMETERS, lens="helped"))
    second = finished(store, an_outcome(assignments=now))
    finished(open_network("south"), an_outcome(assignments=there))
    assert store.cases_moved_by_run(first.id) == []
    assert store.cases_moved_by_run(second.id) == [("c-1", "t-1", "t-2"), ("c-2", "t-2", None)]


def test_a_run_does_not_end_on_themes_that_were_changed_while_it_went_on(store: Store) -> None:
    run = store.begin_run(PARAMETERS, NOON)
    store.append_edit(an_edit(lens="helped"), expected_seq=0)
    store.append_edit(an_edit(2), expected_seq=1)
    with pytest.raises(VersionConflict):
        store.finish_run(run.id, an_outcome(last_edit_seq=0), LATER)
    assert store.last_run() is None
    assert store.finish_run(run.id, an_outcome(last_edit_seq=2, conflicts=[PROPOSAL]), LATER).conflicts == (PROPOSAL,)


def test_what_a_run_found_is_kept_whole_of_the_newest_run_of_each_lens(store: Store) -> None:
    first = finished(store, an_outcome(machine_result=FOUND))
    helped = finished(store, an_outcome(machine_result=FOUND, themes=[], drafts=[]), RunParameters(lens="helped"))
    last = finished(store, an_outcome(machine_result=replace(FOUND, encoder="mini/2")))
    assert store.machine_result(first.id) is None
    for run_id, encoder in ((helped.id, "mini/1"), (last.id, "mini/2")):
        found = store.machine_result(run_id)
        assert found is not None
        for one in fields(Partition):
            assert np.array_equal(getattr(found.partition, one.name), getattr(FOUND.partition, one.name))
            kept, given = getattr(found.partition, one.name), getattr(FOUND.partition, one.name)
            assert (type(kept), np.asarray(kept).dtype) == (type(given), np.asarray(given).dtype)
        assert (found.case_ids, found.theme_ids, found.area_ids) == (FOUND.case_ids, ("t-1",), ("a-1",))
        assert found.encoder == encoder
        assert (found.known_themes, found.new_cases, found.duplicate_of) == (
            FOUND.known_themes,
            ("r-1",),
            {"r-1": "c-1"},
        )


def kept_fits(run_id: str, holds_for: str = "these") -> StoredFits:
    return StoredFits(
        run_id=run_id,
        config_hash=holds_for,
        row_digests=np.array([[1, 2**64 - 1], [2, 3]], np.uint64),
        baseline_digests=np.array([[1, 5]], np.uint64),
        neighbours=Neighbours(np.array([[1], [0]], np.int32), np.array([[0.25], [0.25]], np.float32)),
        labels=FitLabels(np.array([[0, 1], [0, 0]], np.int32), np.array([[-2, 0]], np.int32)),
    )


def test_what_the_fits_said_is_kept_bit_for_bit_of_the_newest_run_of_each_lens(store: Store) -> None:
    assert store.stored_fits("all") is None
    for lens, holds_for in (("all", "former"), ("helped", "those"), ("all", "these")):
        run = store.begin_run(RunParameters(lens=lens), NOON)
        outcome = an_outcome(themes=[], drafts=[], fits=kept_fits(run.id, holds_for))
        store.finish_run(run.id, outcome, LATER)
    last, other = store.stored_fits("all"), store.stored_fits("helped")
    assert last is not None
    assert other is not None
    assert (last.run_id, last.config_hash) == ("run-0003", "these")
    assert (other.run_id, other.config_hash) == ("run-0002", "those")
    wanted = kept_fits("run-0003")
    for mine, theirs in (
        (last.row_digests, wanted.row_digests),
        (last.baseline_digests, wanted.baseline_digests),
        (last.neighbours.index, wanted.neighbours.index),
        (last.neighbours.similarity, wanted.neighbours.similarity),
        (last.labels.edge_fits, wanted.labels.edge_fits),
        (last.labels.row_fits, wanted.labels.row_fits),
    ):
        assert np.array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype


def test_a_run_without_fits_leaves_none_and_one_that_fails_leaves_the_former(store: Store) -> None:
    run = store.begin_run(PARAMETERS, NOON)
    store.finish_run(run.id, an_outcome(fits=kept_fits(run.id)), LATER)
    store.fail_run(store.begin_run(PARAMETERS, NOON).id, "Broke", LATER)
    half = store.begin_run(PARAMETERS, NOON)
    broken = an_outcome(fits=kept_fits(half.id), drafts=[a_draft(id=nothing)])
    with pytest.raises(StoreUnavailable):
        store.finish_run(half.id, broken, LATER)
    kept = store.stored_fits("all")
    assert kept is not None
    assert kept.run_id == run.id
    finished(store)
    assert store.stored_fits("all") is None


def retelling(words: Callable[[str], str], **known: Any) -> TextRewrite:
    """Every word through one function; themes are told by their names."""

    def theme(told: Theme) -> Theme:
        return replace(told, name=words(told.name))

    def draft(told: Draft, log: tuple[Decision, ...]) -> tuple[Draft, tuple[Decision, ...]]:
        return replace(told, name=words(told.name)), tuple(replace(one, note=words(one.note)) for one in log)

    given: dict[str, Any] = {"rewrite_theme": theme, "rewrite_name": words, "rewrite_text": words, "rewrite_draft": draft, **known}
    return TextRewrite(**given)


def test_names_in_the_log_of_edits_are_rewritten_with_those_of_the_themes(store: Store) -> None:
    store.append_edit(an_edit(name="by Anna", former_name="Anna's", note="says Anna"), expected_seq=0)
    store.extend_roster((), lambda _: ((), retelling(lambda told: told.replace("Anna", "[person]"))))
    (edit,) = store.edits()
    assert (edit.name, edit.former_name, edit.note) == ("by [person]", "[person]'s", "says [person]")


# a roster that changes


def test_a_roster_change_is_stored_with_all_that_it_changes_or_not_at_all(store: Store) -> None:
    anna = build_submission("Anna waited.", external_id="C-1")
    store.save_cases([(anna, build_case("c-1", "Anna waited."))])
    finished(store, an_outcome(drafts=[replace(a_draft(), name="Anna's tape")]))
    store.append_decision(a_decision(note="as Anna said"), expected_version=0)
    store.save_vectors("mini/1", {"old": np.ones(3, np.float32), "other": np.ones(3, np.float32)})
    before = [everything(store), store.roster(), store.edits()]

    def clean(told: str) -> str:
        return told.replace("Anna", "[person 1]")

    def redact(people: list[RosterEntry]) -> tuple[list[Any], TextRewrite]:
        assert [person.name for person in people] == ["Anna"]
        assert [everything(store), store.roster(), store.edits()] == before
        return [(anna, build_case("c-1", "[person 1] waited."))], retelling(clean, dropped_text_hashes=frozenset({"old"}))

    def break_off(*_: object) -> Any:
        raise KeyError

    def fail(people: list[RosterEntry]) -> tuple[list[Any], TextRewrite]:
        return redact(people)[0], retelling(clean, rewrite_draft=break_off)

    with pytest.raises(KeyError):
        store.extend_roster([("Anna", None, None)], fail)
    assert [everything(store), store.roster(), store.edits()] == before
    assert store.extend_roster([("Anna", None, None)], redact) == RosterChange(added=1, changed=1)
    ((draft, log, _),) = store.drafts()
    assert (draft.name, [one.note for one in log]) == ("[person 1]'s tape", ["as [person 1] said"])
    assert store.case("c-1").text == {"problem": "[person 1] waited."}
    assert list(store.vectors("mini/1", ["old", "other"])) == ["other"]
    assert store.submissions() == [anna]


def test_cases_redacted_by_a_roster_that_has_grown_since_are_told(store: Store) -> None:
    store.add_to_roster([("Anna", None, None)])
    with pytest.raises(VersionConflict):
        store.save_cases(pairs(FULL), roster_version=0)
    assert store.cases() == []
    assert store.save_cases(pairs(FULL), roster_version=1).accepted == 1


# raw text

KEY, OTHER = b"k" * 32, b"o" * 32
ANNA = build_submission("Anna's pallet stood in lane 4.", external_id="C-1", facts={"submitter": "Anna Hansen"})


def sealed_network(tmp_path: Path, key: bytes | None = KEY, before: bytes | None = None) -> SqlStore:
    return SqlStore(tmp_path / "patternmind.db", cipher=FieldCipher(key, before))


def raw_bytes(tmp_path: Path) -> bytes:
    return b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_raw_text_is_sealed_by_the_key_and_opens_with_it_alone(tmp_path: Path) -> None:
    sealed_network(tmp_path).save_cases([(ANNA, build_case("c-1", "[person]'s pallet."))])
    assert b"Anna" not in raw_bytes(tmp_path)
    again = sealed_network(tmp_path)
    assert again.submissions() == [again.submission("c-1")] == [ANNA]
    assert again.raw_text_counts() == RawTextCounts(n_texts=1, n_encrypted=1, key_id=key_id(KEY), is_readable=True)
    for key, said in ((None, "PATTERNMIND_RAW_KEY is not set"), (OTHER, "PATTERNMIND_RAW_KEY is another one")):
        locked = sealed_network(tmp_path, key)
        reads: list[Callable[[], object]] = [locked.submissions, lambda one=locked: one.submission("c-1")]
        writes: list[Callable[[], object]] = [
            locked.reencrypt_submissions,
            lambda one=locked: one.save_cases(pairs(FULL)),
            lambda one=locked: one.extend_roster((), lambda _: ((), retelling(str))),
        ]
        for attempt in (*reads, *writes):
            with pytest.raises(RawTextKeyInvalid, match=said) as refused:
                attempt()
            assert key_id(KEY) in str(refused.value)
            assert "Anna" not in str(refused.value)
        assert [case.id for case in locked.cases()] == ["c-1"]
        assert locked.raw_text_counts().is_readable is False


def test_what_was_taken_in_before_there_was_a_key_is_sealed_on_demand_and_opened_again(tmp_path: Path) -> None:
    plain = sealed_network(tmp_path, None)
    plain.save_cases([(ANNA, build_case("c-1", "[person]'s pallet."))])
    plain.save_cases(
        [(replace(ANNA, text={"problem": "Anna's second text."}), build_case("c-1", "[person]'s second."))]
    )
    plain.close()
    assert b"Anna" in raw_bytes(tmp_path)
    store = sealed_network(tmp_path)
    assert store.raw_text_counts() == RawTextCounts(n_texts=2, n_encrypted=0, key_id=None, is_readable=True)
    assert store.reencrypt_submissions() == 2
    store.purge_deleted()
    assert b"Anna" not in raw_bytes(tmp_path)
    assert store.submission("c-1").text == {"problem": "Anna's second text."}
    assert store.raw_text_counts() == RawTextCounts(n_texts=2, n_encrypted=2, key_id=key_id(KEY), is_readable=True)
    assert sealed_network(tmp_path, None, KEY).reencrypt_submissions() == 2
    assert sealed_network(tmp_path, None).submissions() == store.submissions()


def test_a_key_is_changed_by_naming_the_one_before_it(tmp_path: Path) -> None:
    sealed_network(tmp_path).save_cases([(ANNA, build_case("c-1", "[person]'s pallet."))])
    changed = sealed_network(tmp_path, OTHER, KEY)
    assert changed.submissions() == [ANNA]
    with pytest.raises(RawTextKeyInvalid):
        changed.save_cases(pairs(BARE))
    assert changed.reencrypt_submissions() == 1
    assert changed.save_cases(pairs(BARE)).accepted == 1
    assert len(sealed_network(tmp_path, OTHER).submissions()) == 2
    with pytest.raises(RawTextKeyInvalid):
        sealed_network(tmp_path, KEY).submissions()


def test_a_sealed_text_that_was_changed_or_put_elsewhere_does_not_open(tmp_path: Path) -> None:
    store = sealed_network(tmp_path)
    store.save_cases([(ANNA, build_case("c-1", "a")), (replace(ANNA, external_id="C-2"), build_case("c-2", "b"))])
    with closing(sqlite3.connect(tmp_path / "patternmind.db")) as connection:
        connection.execute(
            "UPDATE submission SET body = (SELECT body FROM submission WHERE case_id = 'c-1') WHERE case_id = 'c-2'"
        )
        connection.commit()
    assert store.submission("c-1") == ANNA
    with pytest.raises(StoreUnavailable, match="damaged"):
        store.submission("c-2")


# erasing


def test_an_erased_case_leaves_its_id_and_nothing_else(store: Store) -> None:
    gone, left = build_case("c-1", "The zyxquokka stood."), build_case("r-1", "Left.", duplicate_of=None)
    store.save_cases(pairs(gone, left))
    store.save_vectors("mini/1", {"its": np.ones(3, np.float32), "left": np.ones(3, np.float32)})
    begun = store.begin_run(PARAMETERS, NOON)
    outcome = an_outcome(
        machine_result=FOUND, fits=kept_fits(begun.id), assignments=[PLACED, replace(ALONE, case_id="r-1")],
        duplicate_of={"r-1": "c-1"},
    )  # fmt: skip
    store.finish_run(begun.id, outcome, LATER)

    def forgetting(theme: Theme) -> Theme:
        return replace(theme, case_ids=tuple(id for id in theme.case_ids if id != "c-1"), centre=())

    told = retelling(lambda words: words, rewrite_theme=forgetting)
    store.erase_case("c-1", told, kept_text_hashes={"left"}, actor="Ada", at=LATER)
    assert store.erasures() == [Erasure(case_id="c-1", by="Ada", at=LATER)]
    assert store.cases() == [left]
    assert [one.case_id for one in store.assignments()] == ["r-1"]
    assert list(store.vectors("mini/1", ["its", "left"])) == ["left"]
    assert store.stored_fits("all") is None
    found = store.machine_result(begun.id)
    assert found is not None
    assert (found.case_ids, found.theme_ids, found.duplicate_of) == (("r-1",), (), {})
    assert len(store.submissions()) == 1
    for attempt in (store.submission, store.case):
        with pytest.raises(NotFound):
            attempt("c-1")
    with pytest.raises(NotFound):
        store.erase_case("c-1", told, kept_text_hashes=(), actor="Ada", at=LATER)


def test_an_erasure_is_stored_whole_or_not_at_all(store: Store) -> None:
    store.save_cases(pairs(*CASES))
    finished(store)
    before = everything(store)
    with pytest.raises(StoreUnavailable):
        store.erase_case("c-1", retelling(lambda words: words), kept_text_hashes=(), actor=nothing, at=LATER)
    assert (everything(store), store.erasures()) == (before, [])


def test_a_draft_that_quotes_a_case_erased_meanwhile_is_not_kept(store: Store) -> None:
    store.save_cases(pairs(*CASES))
    store.erase_case("c-2", retelling(lambda words: words), kept_text_hashes=(), actor="Ada", at=LATER)
    with pytest.raises(VersionConflict, match="c-2"):
        store.save_drafts([a_draft()], LATER)
    assert store.drafts(current=False) == []


def test_the_files_are_not_clean_while_another_process_reads_them(tmp_path: Path) -> None:
    store = sealed_network(tmp_path, None)
    store.save_cases(pairs(FULL))
    with closing(sqlite3.connect(tmp_path / "patternmind.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM submission").fetchall()
        with pytest.raises(StoreUnavailable, match="Another process is reading"):
            purge_deleted(tmp_path / "patternmind.db", seconds=0.05)
    purge_deleted(tmp_path / "patternmind.db")


# drafts and decisions


def a_decision(draft_id: str = "d-1", seq: int = 1, **known: Any) -> Decision:
    given: dict[str, Any] = {
        "action": DraftAction.REJECT,
        "by": "Ada",
        "at": NOON,
        "before": DraftState.CANDIDATE,
        "after": DraftState.REJECTED,
        "reason": RejectionReason.DUPLICATE,
        "note": "of d-0",
        **known,
    }
    return Decision(id=f"{draft_id}.{seq}", draft_id=draft_id, **given)


def test_decisions_come_back_in_the_order_they_were_taken(store: Store) -> None:
    store.save_drafts([a_draft()], NOON)
    edit = a_decision(action=DraftAction.EDIT, reason=None, edits={"name": "Tape", "solution": ("a", "b")})
    undo = a_decision(seq=2, action=DraftAction.UNDO, reason=None, undoes="d-1.1")
    store.append_decision(edit, expected_version=0)
    store.append_decision(undo, expected_version=1)
    assert store.draft("d-1") == (a_draft(), (edit, undo), NOON)
    assert store.drafts() == [(a_draft(), (edit, undo), NOON)]
    with pytest.raises(NotFound):
        store.draft("d-9")


def test_of_two_who_decide_on_the_same_state_the_second_is_told(open_network: Opener) -> None:
    one, two = open_network("north"), open_network("north")
    one.save_drafts([a_draft()], NOON)
    one.append_decision(a_decision(), expected_version=0)
    with pytest.raises(VersionConflict):
        two.append_decision(a_decision(by="Bo"), expected_version=0)
    with pytest.raises(VersionConflict):
        two.append_decision(a_decision(by="Bo"), expected_version=2)
    assert [decision.by for decision in two.draft("d-1")[1]] == ["Ada"]


def test_a_candidate_that_a_later_run_does_not_repeat_steps_aside(store: Store) -> None:
    finished(store)
    finished(store, an_outcome(drafts=[a_draft("d-2")]))
    assert [draft.id for draft, _, _ in store.drafts()] == ["d-2"]
    assert [draft.id for draft, _, _ in store.drafts(current=False)] == ["d-1", "d-2"]
    finished(store, an_outcome(drafts=[a_draft("d-1")]))
    assert [(draft.id, created) for draft, _, created in store.drafts()] == [("d-1", LATER)]


def test_a_draft_that_a_person_decided_on_stays_as_it_is(store: Store) -> None:
    finished(store)
    store.append_decision(a_decision(), expected_version=0)
    again = replace(a_draft(), provenance=Provenance(run_id="run-0002"))
    finished(store, an_outcome(drafts=[again, a_draft("d-2")]))
    finished(store, an_outcome(drafts=[]))
    assert store.drafts() == [(a_draft(), (a_decision(),), LATER)]


def test_a_run_of_another_lens_or_without_drafts_lets_drafts_be(store: Store) -> None:
    finished(store)
    finished(store, an_outcome(themes=[build_theme("t-9", lens="helped")], drafts=[]), RunParameters(lens="helped"))
    finished(store, an_outcome(drafts=[]), replace(PARAMETERS, draft=False))
    assert [draft.id for draft, _, _ in store.drafts()] == ["d-1"]


def test_a_prereading_outlives_later_runs(store: Store) -> None:
    finished(store)
    store.save_drafts([a_draft("d-5", kind=DraftKind.PREREADING)], LATER)
    finished(store, an_outcome(drafts=[]))
    assert [draft.id for draft, _, _ in store.drafts()] == ["d-5"]


# tokens


def test_tokens_come_back_oldest_first(store: Store) -> None:
    first = ApiToken(id="a", name="laptop", sha256="0" * 64, created_at=NOON, expires_at=LATER)
    second = ApiToken(id="b", name="script", sha256="1" * 64, created_at=LATER)
    store.save_token(second)
    store.save_token(first)
    assert store.tokens() == [first, second]


# other networks and other processes


def test_a_network_sees_nothing_of_another(open_network: Opener) -> None:
    north, south = open_network("north"), open_network("south")
    north.save_cases(pairs(*CASES))
    north.add_to_roster([("Anna", None, None)])
    north.save_vectors("mini/1", {"h": np.ones(3, np.float32)})
    finished(north)
    north.append_decision(a_decision(), expected_version=0)
    north.append_edit(an_edit(), expected_seq=0, revision=amended())
    north.save_token(ApiToken(id="a", name="laptop", sha256="0" * 64, created_at=NOON))
    assert everything(south) == [[], [], set(), {}, [], [], [], None]
    assert (south.runs(), south.roster(), south.tokens(), south.submissions()) == ([], [], [], [])
    assert south.vectors("mini/1", ["h"]) == {}
    assert (south.edits(), south.machine_result("run-0001")) == ([], None)
    for ask in (lambda: south.case("c-1"), lambda: south.draft("d-1")):
        with pytest.raises(NotFound):
            ask()


def test_what_one_network_does_changes_nothing_in_another(open_network: Opener) -> None:
    north, south = open_network("north"), open_network("south")
    for store in (north, south):
        store.save_cases(pairs(*CASES))
        finished(store)
    before = everything(south)
    north.save_cases(pairs(replace(CASES[0], team="other")))
    finished(north, an_outcome(themes=[build_theme("t-9")], duplicate_of={}, drafts=[]))
    north.begin_run(PARAMETERS, NOON)
    north.append_decision(a_decision(), expected_version=0)
    north.save_network(replace(north.network, name="Nord"))
    assert everything(south) == before
    assert south.network.name == "The south"
    assert south.save_cases(pairs(*CASES)).unchanged == 2


def test_another_process_sees_what_was_stored(open_network: Opener) -> None:
    store = open_network("north")
    store.save_cases(pairs(*CASES))
    finished(store)
    assert everything(open_network("north")) == everything(store)

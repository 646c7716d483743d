"""What lists read page by page is what reading everything gives, filtered and sorted; in its own network alone."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fixtures.builders import (
    NOON,
    build_case,
    build_claim,
    build_submission,
    build_theme,
)

from patternmind.domain.cases import Case, CaseKind, Consent
from patternmind.domain.drafts import (
    Decision,
    Draft,
    DraftAction,
    DraftKind,
    DraftState,
    Provenance,
)
from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.read_models import (
    CaseFilter,
    CaseOrder,
    CaseWithAssignment,
    DraftFilter,
    NetworkCounts,
    Page,
    SimilarTheme,
    ThemeCard,
    VectorVersion,
)
from patternmind.domain.themes import Assignment, Lineage, ThemeChange
from patternmind.errors import NotFound, UsageError
from patternmind.ports import (
    RunOutcome,
    RunParameters,
    RunRevision,
    Store,
    TextRewrite,
)
from patternmind.review import state_of
from patternmind.storage import SqlStore

N = 60
SAYS = ("The pump leaked.", "Die Tür klemmt über Nacht.", "A scanner froze: 東京 dock.", "Nobody told the night shift.")
STAY = TextRewrite(rewrite_theme=lambda one: one, rewrite_name=str, rewrite_text=str, rewrite_draft=lambda draft, log: (draft, log))


def the_cases() -> list[Case]:
    return [
        build_case(
            f"{'r' if n % 9 == 0 else 'c'}-{n:03d}",
            SAYS[n % 4] + f" Told as number{n}.",
            kind=CaseKind.RECAP if n % 9 == 0 else CaseKind.CASE,
            external_id=f"HN-{n}",
            date=None if n % 7 == 0 else dt.date(2026, 1 + n % 5, 1 + n % 3),
            team=None if n % 11 == 0 else f"Team {n % 3}",
            facts={"status": "open"} if n % 2 else {},
            flags=("redacted", "suspicious: it gives orders") if n % 10 == 0 else (),
            consent=Consent.ORGANISATION,
        )
        for n in range(N)
    ]


def placed(case_id: str, n: int) -> Assignment:
    theme = [None, "t-1", "t-2"][n % 3]
    return Assignment(case_id=case_id, theme_id=theme, area_id="a-1", strength=0.5, nearest_theme_id="t-1")


def the_outcome(cases: list[Case], **known: Any) -> RunOutcome:
    ids = [case.id for case in cases]
    homes = [placed(id, n) for n, id in enumerate(ids)]
    members = {theme: tuple(one.case_id for one in homes if one.theme_id == theme) for theme in ("t-1", "t-2")}
    themes = [
        build_theme("t-2", case_ids=members["t-2"], exemplars=members["t-2"][:2], edge_case=members["t-2"][-1],
                centre=(0.6, 0.8), unseen_case_ids=("x",), former_exemplars=("y",), new_by_period=(("2026Q1", 3),)),
        build_theme("t-1", name="doors", case_ids=members["t-1"], centre=(1.0, 0.0)),
        build_theme("t-0", name="was once", case_ids=(), lineage=Lineage.DORMANT, centre=(0.0, 1.0)),
    ]  # fmt: skip
    changes = [ThemeChange(theme_id="t-2", lineage=Lineage.NEW, n_after=20)]
    given: dict[str, Any] = {
        "themes": themes,
        "areas": {"a-1": "Docks"},
        "changes": changes,
        "assignments": homes,
        "duplicate_of": {},
        "drafts": [],
        **known,
    }
    return RunOutcome(**given)


Opener = Callable[[str], Store]


@pytest.fixture(scope="module")
def opener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opener]:
    opened: list[SqlStore] = []
    path = tmp_path_factory.mktemp("reads") / "patternmind.db"

    def open_one(network_id: str) -> Store:
        opened.append(SqlStore(path, network_id))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


def fill(store: Store) -> Store:
    cases = the_cases()
    store.save_cases([(build_submission(case.text), case) for case in cases])
    run = store.begin_run(RunParameters(label="2026Q1"), NOON)
    store.finish_run(run.id, the_outcome(cases[:50]), NOON)
    return store


@pytest.fixture(scope="module")
def store(opener: Opener) -> Store:
    """Sixty cases, fifty of which a run looked at; beside it, a network with cases of the same words."""
    fill(opener("south"))
    return fill(opener("north"))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Store]:
    store = SqlStore(tmp_path / "patternmind.db")
    yield store
    store.close()


# cases


def pages(
    store: Store, wanted: CaseFilter, *, limit: int = 7, order: CaseOrder = CaseOrder.ID
) -> list[CaseWithAssignment]:
    found: list[CaseWithAssignment] = []
    after: str | None = None
    while True:
        page = store.list_cases(wanted, limit=limit, cursor=after, order=order)
        found += page.rows
        if page.next_cursor is None:
            assert len(page.rows) <= limit
            return found
        assert len(page.rows) == limit
        after = page.next_cursor


def is_wanted(case: Case, theme: str | None, wanted: CaseFilter) -> bool:
    """The same, said once more the slow way."""
    said = " ".join([*case.text.values(), case.external_id or ""]).casefold()
    dated = case.date.isoformat() if case.date else ""
    return (
        wanted.kind in (None, case.kind)
        and wanted.theme_id in (None, theme)
        and not (wanted.unplaced_only and theme is not None)
        and wanted.team in (None, case.team)
        and wanted.status in (None, case.facts.get("status"))
        and (wanted.since is None or dated >= wanted.since.isoformat())
        and (wanted.until is None or "" < dated <= wanted.until.isoformat())
        and (wanted.flag is None or any(flag.startswith(wanted.flag) for flag in case.flags))
        and all(word in said for word in wanted.search_words.casefold().split())
    )


WANTED = (
    CaseFilter(),
    CaseFilter(kind=CaseKind.RECAP),
    CaseFilter(theme_id="t-1"),
    CaseFilter(theme_id="t-9"),
    CaseFilter(unplaced_only=True),
    CaseFilter(team="Team 1", status="open"),
    CaseFilter(since=dt.date(2026, 2, 2)),
    CaseFilter(until=dt.date(2026, 2, 2)),
    CaseFilter(since=dt.date(2026, 2, 1), until=dt.date(2026, 3, 2), kind=CaseKind.CASE),
    CaseFilter(flag="suspicious:"),
    CaseFilter(flag="redacted"),
    CaseFilter(search_words="night"),
    CaseFilter(search_words="klemmt über"),
    CaseFilter(search_words="PUMP number4"),
    CaseFilter(search_words="hn-5", team="Team 2", unplaced_only=True),
    CaseFilter(search_words="unheard of"),
    CaseFilter(search_words="pump", theme_id="t-2", kind=CaseKind.CASE, status="open"),
)


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("order", CaseOrder)
def test_pages_hold_what_is_wanted_once_and_in_order(store: Store, wanted: CaseFilter, order: CaseOrder) -> None:
    homes = {one.case_id: one for one in store.assignments()}
    expected = [
        CaseWithAssignment(case, homes.get(case.id))
        for case in store.cases()
        if is_wanted(case, homes[case.id].theme_id if case.id in homes else None, wanted)
    ]
    if order is CaseOrder.NEWEST:
        expected.sort(key=lambda one: (one.case.date.isoformat() if one.case.date else "", one.case.id), reverse=True)
    assert pages(store, wanted, order=order) == expected
    assert store.count_cases(wanted) == len(expected)


def test_some_wishes_find_something_and_some_do_not(store: Store) -> None:
    assert {bool(store.count_cases(wanted)) for wanted in WANTED} == {True, False}


@pytest.mark.parametrize("words", ['"', "-", "NEAR(", "a OR b*", 'x" OR rowid:1 "', "AND", "* ( )", "%", "_"])
def test_signs_among_words_are_no_language(store: Store, words: str) -> None:
    """Nothing here is in any case, and nothing here may be read as a question to the index."""
    assert store.list_cases(CaseFilter(search_words=words), limit=5).rows == ()


def test_accents_and_case_make_no_difference_to_words(store: Store) -> None:
    wanted = [store.count_cases(CaseFilter(search_words=word)) for word in ("tür", "TUR", "Tür", "tü")]
    assert wanted == [15] * 4


def test_a_place_of_another_order_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="another order"):
        store.list_cases(CaseFilter(), limit=5, cursor="c-001", order=CaseOrder.NEWEST)


def test_teams_are_told_once_and_in_order_whatever_they_are_called(own: Store) -> None:
    assert own.list_teams() == []
    names = ["B", "a", "", None, "B", "Ä", "a b", None, "10", "9", "日本"]
    cases = [build_case(f"c-{n}", team=team) for n, team in enumerate(names)]
    own.save_cases([(build_submission(one.text), one) for one in cases])
    assert own.list_teams() == sorted({one for one in names if one is not None})


def test_cases_are_read_by_their_ids(store: Store) -> None:
    assert store.cases_by_id(["c-001", "c-001", "HN-2", "c-999"]) == {"c-001": store.case("c-001")}
    assert store.cases_by_id([]) == {}
    assert store.find_assignment("c-001") == placed("c-001", 1)
    assert store.find_assignment("c-055") is None
    assert store.list_teams() == ["Team 0", "Team 1", "Team 2"]


def test_words_follow_a_case_as_it_changes_and_goes(own: Store) -> None:
    first, second = build_case("c-1", "The pump leaked."), build_case("c-2", "A pump, too.")
    own.save_cases([(build_submission(one.text), one) for one in (first, second)])

    def found(word: str) -> list[str]:
        return [row.case.id for row in own.list_cases(CaseFilter(search_words=word), limit=9).rows]

    assert (found("pump"), found("door")) == (["c-1", "c-2"], [])
    own.save_cases([(build_submission("x"), replace(first, text={"problem": "The door jammed."}))])
    assert (found("pump"), found("door")) == (["c-2"], ["c-1"])
    own.erase_case("c-1", STAY, kept_text_hashes=(), actor="Ada", at=NOON)
    assert (found("pump"), found("door")) == (["c-2"], [])


# themes


def test_beside_a_case_are_those_that_repeat_it_those_it_names_and_those_that_name_it(own: Store) -> None:
    cases = [
        build_case("c-1", "The pump leaked."),
        build_case("c-2", "The pump leaked again."),
        build_case("c-3", "A door."),
        build_case("r-1", "Of the door and the pump.", kind=CaseKind.RECAP, linked_cases=("C-1", "c-3")),
        build_case("r-2", 'It says "C-1" and links to nothing.', kind=CaseKind.RECAP),
    ]
    own.save_cases([(build_submission(case.text), case) for case in cases])
    run = own.begin_run(RunParameters(), NOON)
    own.finish_run(run.id, the_outcome(cases, themes=[], duplicate_of={"c-2": "c-1"}), NOON)
    beside = {case.id: [one.id for one in own.related_cases(own.case(case.id))] for case in cases}
    assert beside == {"c-1": ["c-2", "r-1"], "c-2": ["c-1"], "c-3": ["r-1"], "r-1": ["c-1", "c-3"], "r-2": []}
    assert own.related_cases(own.case("c-1"))[0].duplicate_of == "c-1"


def test_drafts_that_quote_a_case_are_found_by_it(own: Store) -> None:
    cases = [build_case("c-1", "The pump leaked."), build_case("c-10", "The door stuck.")]
    own.save_cases([(build_submission(case.text), case) for case in cases])
    one, other = (replace(a_draft(n), claims=(build_claim("problem", case),)) for n, case in enumerate(cases))
    named = replace(a_draft(3), name="c-1")
    own.save_drafts([one, other, named], NOON)
    assert own.drafts_quoting("c-1") == [one]
    assert own.drafts_quoting("c-10") == [other]
    assert own.drafts_quoting("c-%") == []


def test_cards_are_the_themes_without_their_members(store: Store) -> None:
    def card(theme: Any) -> ThemeCard:
        empty: dict[str, Any] = dict.fromkeys(("case_ids", "centre", "unseen_case_ids", "former_exemplars", "new_by_period"), ())
        return ThemeCard(replace(theme, **empty), len(theme.case_ids))

    themes = store.themes()
    assert store.list_theme_cards(include_dormant=True) == [card(theme) for theme in themes]
    assert store.list_theme_cards() == [card(theme) for theme in themes if theme.case_ids]
    assert store.list_theme_cards("helped") == []
    assert store.theme_card("t-1") == card(themes[1])
    assert store.theme_case_ids("t-2") == themes[0].case_ids
    assert store.theme_names() == {theme.id: theme.name for theme in themes}
    for ask in (store.theme_card, store.theme_case_ids, store.theme_detail):
        with pytest.raises(NotFound):
            ask("t-9")
        with pytest.raises(NotFound):
            ask("t-1", "helped")


def test_a_theme_tells_its_story(own: Store) -> None:
    fill(own)
    cases = own.cases()
    later = NOON + dt.timedelta(days=90)
    run = own.begin_run(RunParameters(label="2026Q2"), later)
    grew = ThemeChange(theme_id="t-2", lineage=Lineage.GREW, n_before=20, n_after=20)
    outcome = the_outcome(cases, changes=[grew])
    own.finish_run(run.id, outcome, later)
    edits = [
        Edit(seq=1, lens="all", action=EditAction.RENAME, by="Ada", at=later, theme_id="t-2", name="pallets"),
        Edit(seq=2, lens="all", action=EditAction.MERGE, by="Bo", at=later, theme_id="t-0", other_theme_id="t-2"),
        Edit(seq=3, lens="all", action=EditAction.LOCK, by="Bo", at=later, theme_id="t-1", name="doors"),
        Edit(seq=4, lens="all", action=EditAction.UNDO, by="Cy", at=later, undoes=1),
    ]
    amended = RunRevision(
        run_id=run.id, themes=outcome.themes, areas=outcome.areas, assignments=outcome.assignments, drafts=()
    )
    for edit in edits:
        own.append_edit(edit, expected_seq=edit.seq - 1, revision=amended)
    story = own.theme_detail("t-2")
    assert story.card == own.theme_card("t-2")
    assert story.area == "Docks"
    assert story.similar_themes == (SimilarTheme("t-1", "doors", 0.6),)
    theme = own.themes()[0]
    assert [one.case.id for one in story.exemplars] == [*theme.exemplars, theme.edge_case]
    assert [(turn.label, turn.at, turn.change.lineage) for turn in story.run_changes] == [
        ("2026Q2", later, Lineage.GREW),
        ("2026Q1", NOON, Lineage.NEW),
    ]
    assert [edit.seq for edit in story.edits] == [4, 2, 1]


def test_a_run_is_found_by_its_id(store: Store) -> None:
    (run,) = store.runs()
    assert store.get_run(run.id) == run
    with pytest.raises(NotFound):
        store.get_run("run-9999")


# drafts


def a_draft(number: int, kind: DraftKind = DraftKind.PATTERN) -> Draft:
    return Draft(
        id=f"d-{number:02d}", kind=kind, theme_id=f"t-{number % 3}", name=f"Pattern {number}",
        fields={"problem": "x"}, claims=(), provenance=Provenance(run_id="run-0001"),
    )  # fmt: skip


def decide(store: Store, draft_id: str, *actions: tuple[DraftAction, DraftState, DraftState]) -> None:
    for version, (action, before, after) in enumerate(actions):
        undone = f"{draft_id}.{version}" if action is DraftAction.UNDO else None
        decision = Decision(
            id=f"{draft_id}.{version + 1}", draft_id=draft_id, action=action, by="Ada", at=NOON,
            before=before, after=after, undoes=undone,
        )  # fmt: skip
        store.append_decision(decision, expected_version=version)


C, V, A, R = DraftState.CANDIDATE, DraftState.IN_REVIEW, DraftState.ACCEPTED, DraftState.REJECTED


@pytest.fixture(scope="module")
def reviewed(opener: Opener) -> Store:
    """Twenty drafts of several times and kinds, three of them decided on, of which two a later run replaced."""
    own = fill(opener("west"))
    kinds = [DraftKind.PATTERN, DraftKind.PATTERN, DraftKind.PREREADING]
    for number in range(20):
        own.save_drafts([a_draft(number, kinds[number % 3])], NOON + dt.timedelta(minutes=number // 4))
    decide(own, "d-03", (DraftAction.NOT_SURE, C, V), (DraftAction.ACCEPT, V, A))
    decide(own, "d-04", (DraftAction.ACCEPT, C, A), (DraftAction.UNDO, A, C))
    decide(own, "d-06", (DraftAction.REJECT, C, R))
    run = own.begin_run(RunParameters(), NOON)
    own.finish_run(run.id, the_outcome(own.cases(), drafts=[a_draft(7)]), NOON)
    return own


def all_pages(ask: Callable[[str | None], Page[Any]]) -> list[Any]:
    page = ask(None)
    rows = list(page.rows)
    while page.next_cursor is not None:
        page = ask(page.next_cursor)
        rows += page.rows
    return rows


@pytest.mark.parametrize("kind", [None, DraftKind.PATTERN, DraftKind.PREREADING])
@pytest.mark.parametrize("state", [None, *DraftState])
@pytest.mark.parametrize("theme_id", [None, "t-1"])
def test_drafts_are_listed_by_what_their_logs_say(
    reviewed: Store, kind: DraftKind | None, state: DraftState | None, theme_id: str | None
) -> None:
    current = {draft.id for draft, _, _ in reviewed.drafts()}
    expected = [
        row
        for row in reviewed.drafts(current=False)
        if (row[0].id in current or row[1])
        and kind in (None, row[0].kind)
        and state in (None, state_of(row[1]))
        and theme_id in (None, row[0].theme_id)
    ]
    wanted = DraftFilter(kind=kind, state=state, theme_id=theme_id)
    assert all_pages(lambda after: reviewed.list_drafts(wanted, limit=3, cursor=after)) == expected
    lines = all_pages(lambda after: reviewed.list_draft_items(wanted, limit=3, cursor=after))
    assert [
        (one.id, one.kind, one.state, one.theme_id, one.name, one.version, one.created_at, one.model, one.n_claims)
        for one in lines
    ] == [
        (d.id, d.kind, state_of(log), d.theme_id, d.name, len(log), at, d.provenance.model, len(d.claims))
        for d, log, at in expected
    ]


def test_counts_say_how_much_there_is(reviewed: Store, tmp_path: Path) -> None:
    counts = reviewed.network_counts()
    homes = reviewed.assignments()
    assert (counts.n_cases, counts.n_recaps, counts.n_new) == (53, 7, 0)
    assert counts.n_unplaced == sum(one.theme_id is None for one in homes)
    assert counts.n_themes == 2
    lines = reviewed.list_draft_items(DraftFilter(), limit=99).rows
    assert sum(counts.drafts.values()) == len(lines)
    assert counts.drafts[DraftKind.PATTERN, A] == 1
    empty = SqlStore(tmp_path / "empty.db")
    assert empty.network_counts() == NetworkCounts()
    empty.save_cases([(build_submission(), build_case())])
    assert (empty.network_counts().n_cases, empty.network_counts().n_new) == (1, 1)
    empty.close()


# vectors


def test_new_changed_and_erased_cases_are_told_by_a_stamp(own: Store) -> None:
    assert own.vector_version() == VectorVersion(0, 0)
    texts = random.Random(1).sample(range(1000), 3)
    cases = [build_case(f"c-{n}", f"Text {text}") for n, text in enumerate(texts)]
    own.save_cases([(build_submission(case.text), case) for case in cases])
    first = own.vector_version()
    assert list(own.iter_vectors("e")) == [("c-0", None), ("c-1", None), ("c-2", None)]
    own.save_cases([(build_submission(case.text), case) for case in cases])
    assert own.vector_version() == first
    own.save_cases([(build_submission("x"), replace(cases[0], text={"problem": "Another."}))])
    assert [id for id, _ in own.iter_vectors("e", after_number=first.last_write_number)] == ["c-0"]
    own.erase_case("c-0", STAY, kept_text_hashes=(), actor="Ada", at=NOON)
    second = own.vector_version()
    assert second != first
    assert [id for id, _ in own.iter_vectors("e")] == ["c-1", "c-2"]
    own.withdraw_case("c-1", STAY, kept_text_hashes=(), actor="Ada", at=NOON)
    assert own.vector_version() not in {first, second}
    assert [id for id, _ in own.iter_vectors("e")] == ["c-2"]


def test_a_case_has_the_vector_of_its_whole_text(own: Store) -> None:
    from patternmind.embedding.lenses import lens_text
    from patternmind.embedding.vectors import text_hash

    case = build_case(text={"title": "Dock", "problem": "[person 3] told nobody."})
    own.save_cases([(build_submission(case.text), case)])
    row = np.asarray([0.6, 0.8], np.float32)
    own.save_vectors("e", {text_hash(lens_text(case, "all")): row})
    own.save_vectors("other", {text_hash(lens_text(case, "all")): -row})
    ((id, vector),) = own.iter_vectors("e")
    assert id == "c-1"
    assert vector is not None
    assert vector.tolist() == row.tolist()

"""Contract of the repositories' queries: pages equal all rows of the network, filtered and sorted."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fixtures.builders import NOON, build_case, build_claim, build_submission, build_theme

from patternmind.domain.cases import Case, CaseKind, Consent
from patternmind.domain.drafts import Decision, Draft, DraftAction, DraftKind, DraftState, Provenance, state_of
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
from patternmind.ports import RunOutcome, RunParameters, RunRevision, Store, TextRewrite
from patternmind.storage import SqlStore

N = 60
SENTENCES = (
    "The pump leaked.",
    "Die Tür klemmt über Nacht.",
    "A scanner froze: 東京 dock.",
    "Nobody told the night shift.",
)
NO_REWRITE = TextRewrite(
    rewrite_theme=lambda theme: theme, rewrite_name=str, rewrite_text=str, rewrite_draft=lambda draft, log: (draft, log)
)


def make_cases() -> list[Case]:
    return [
        build_case(
            f"{'r' if n % 9 == 0 else 'c'}-{n:03d}",
            SENTENCES[n % 4] + f" Told as number{n}.",
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


def make_assignment(case_id: str, n: int) -> Assignment:
    theme_id = [None, "t-1", "t-2"][n % 3]
    return Assignment(case_id=case_id, theme_id=theme_id, area_id="a-1", strength=0.5, nearest_theme_id="t-1")


def make_outcome(cases: list[Case], **overrides: Any) -> RunOutcome:
    ids = [case.id for case in cases]
    assignments = [make_assignment(id, n) for n, id in enumerate(ids)]
    members = {
        theme: tuple(assignment.case_id for assignment in assignments if assignment.theme_id == theme)
        for theme in ("t-1", "t-2")
    }
    themes = [
        build_theme("t-2", case_ids=members["t-2"], exemplars=members["t-2"][:2], edge_case=members["t-2"][-1],
                centre=(0.6, 0.8), unseen_case_ids=("x",), former_exemplars=("y",), new_by_period=(("2026Q1", 3),)),
        build_theme("t-1", name="doors", case_ids=members["t-1"], centre=(1.0, 0.0)),
        build_theme("t-0", name="was once", case_ids=(), lineage=Lineage.DORMANT, centre=(0.0, 1.0)),
    ]  # fmt: skip
    changes = [ThemeChange(theme_id="t-2", lineage=Lineage.NEW, n_after=20)]
    values: dict[str, Any] = {
        "themes": themes,
        "areas": {"a-1": "Docks"},
        "changes": changes,
        "assignments": assignments,
        "duplicate_of": {},
        "drafts": [],
        **overrides,
    }
    return RunOutcome(**values)


Opener = Callable[[str], Store]


@pytest.fixture(scope="module")
def opener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opener]:
    opened: list[SqlStore] = []
    path = tmp_path_factory.mktemp("reads") / "patternmind.db"

    def open_network(network_id: str) -> Store:
        opened.append(SqlStore(path, network_id))
        return opened[-1]

    yield open_network
    for store in opened:
        store.close()


def fill(store: Store) -> Store:
    cases = make_cases()
    store.cases.save_all([(build_submission(case.text), case) for case in cases])
    run = store.runs.begin(RunParameters(label="2026Q1"), NOON)
    store.finish_run(run.id, make_outcome(cases[:50]), NOON)
    return store


@pytest.fixture(scope="module")
def store(opener: Opener) -> Store:
    """Network with sixty cases, fifty of them in a run; another network has the same cases."""
    fill(opener("south"))
    return fill(opener("north"))


@pytest.fixture
def empty_store(tmp_path: Path) -> Iterator[Store]:
    store = SqlStore(tmp_path / "patternmind.db")
    yield store
    store.close()


# cases


def list_all_cases(
    store: Store, case_filter: CaseFilter, *, limit: int = 7, order: CaseOrder = CaseOrder.ID
) -> list[CaseWithAssignment]:
    rows: list[CaseWithAssignment] = []
    cursor: str | None = None
    while True:
        page = store.cases.page(case_filter, limit=limit, cursor=cursor, order=order)
        rows += page.rows
        if page.next_cursor is None:
            assert len(page.rows) <= limit
            return rows
        assert len(page.rows) == limit
        cursor = page.next_cursor


def matches(case: Case, theme_id: str | None, case_filter: CaseFilter) -> bool:
    """Check a filter against a case without the database."""
    text = " ".join([*case.text.values(), case.external_id or ""]).casefold()
    dated = case.date.isoformat() if case.date else ""
    return (
        case_filter.kind in (None, case.kind)
        and case_filter.theme_id in (None, theme_id)
        and not (case_filter.unplaced_only and theme_id is not None)
        and case_filter.team in (None, case.team)
        and case_filter.status in (None, case.facts.get("status"))
        and (case_filter.since is None or dated >= case_filter.since.isoformat())
        and (case_filter.until is None or "" < dated <= case_filter.until.isoformat())
        and (case_filter.flag is None or any(flag.startswith(case_filter.flag) for flag in case.flags))
        and all(word in text for word in case_filter.search_words.casefold().split())
    )


FILTERS = (
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


@pytest.mark.parametrize("case_filter", FILTERS)
@pytest.mark.parametrize("order", CaseOrder)
def test_case_pages_contain_each_matching_case_once_in_order(
    store: Store, case_filter: CaseFilter, order: CaseOrder
) -> None:
    assignments = {row.case_id: row for row in store.runs.assignments()}
    expected = [
        CaseWithAssignment(case, assignments.get(case.id))
        for case in store.cases.list_all()
        if matches(case, assignments[case.id].theme_id if case.id in assignments else None, case_filter)
    ]
    if order is CaseOrder.NEWEST:
        expected.sort(key=lambda row: (row.case.date.isoformat() if row.case.date else "", row.case.id), reverse=True)
    assert list_all_cases(store, case_filter, order=order) == expected
    assert store.cases.count(case_filter) == len(expected)


def test_case_filters_of_these_tests_match_some_or_no_cases(store: Store) -> None:
    assert {bool(store.cases.count(case_filter)) for case_filter in FILTERS} == {True, False}


@pytest.mark.parametrize("words", ['"', "-", "NEAR(", "a OR b*", 'x" OR rowid:1 "', "AND", "* ( )", "%", "_"])
def test_search_words_are_not_parsed_as_query_syntax(store: Store, words: str) -> None:
    """The words are in no case and must not be parsed as query syntax."""
    assert store.cases.page(CaseFilter(search_words=words), limit=5).rows == ()


def test_search_words_ignore_accents_and_letter_case(store: Store) -> None:
    counts = [store.cases.count(CaseFilter(search_words=word)) for word in ("tür", "TUR", "Tür", "tü")]
    assert counts == [15] * 4


def test_case_cursor_is_refused_when_the_order_differs(store: Store) -> None:
    with pytest.raises(UsageError, match="another order"):
        store.cases.page(CaseFilter(), limit=5, cursor="c-001", order=CaseOrder.NEWEST)


def test_teams_are_listed_once_and_sorted(empty_store: Store) -> None:
    assert empty_store.cases.teams() == []
    names = ["B", "a", "", None, "B", "Ä", "a b", None, "10", "9", "日本"]
    cases = [build_case(f"c-{n}", team=team) for n, team in enumerate(names)]
    empty_store.cases.save_all([(build_submission(case.text), case) for case in cases])
    assert empty_store.cases.teams() == sorted({case for case in names if case is not None})


def test_cases_by_id_returns_existing_cases_only(store: Store) -> None:
    assert store.cases.get_many(["c-001", "c-001", "HN-2", "c-999"]) == {"c-001": store.cases.get("c-001")}
    assert store.cases.get_many([]) == {}
    assert store.runs.assignment_of("c-001") == make_assignment("c-001", 1)
    assert store.runs.assignment_of("c-055") is None
    assert store.cases.teams() == ["Team 0", "Team 1", "Team 2"]


def test_word_index_follows_changed_and_erased_cases(empty_store: Store) -> None:
    first, second = build_case("c-1", "The pump leaked."), build_case("c-2", "A pump, too.")
    empty_store.cases.save_all([(build_submission(case.text), case) for case in (first, second)])

    def find(word: str) -> list[str]:
        return [row.case.id for row in empty_store.cases.page(CaseFilter(search_words=word), limit=9).rows]

    assert (find("pump"), find("door")) == (["c-1", "c-2"], [])
    empty_store.cases.save_all([(build_submission("x"), replace(first, text={"problem": "The door jammed."}))])
    assert (find("pump"), find("door")) == (["c-2"], ["c-1"])
    empty_store.erase_case("c-1", NO_REWRITE, kept_text_hashes=(), actor="Ada", at=NOON)
    assert (find("pump"), find("door")) == (["c-2"], [])


# themes


def test_related_cases_include_duplicates_and_links_in_both_directions(empty_store: Store) -> None:
    cases = [
        build_case("c-1", "The pump leaked."),
        build_case("c-2", "The pump leaked again."),
        build_case("c-3", "A door."),
        build_case("r-1", "Of the door and the pump.", kind=CaseKind.RECAP, linked_cases=("C-1", "c-3")),
        build_case("r-2", 'It says "C-1" and links to nothing.', kind=CaseKind.RECAP),
    ]
    empty_store.cases.save_all([(build_submission(case.text), case) for case in cases])
    run = empty_store.runs.begin(RunParameters(), NOON)
    empty_store.finish_run(run.id, make_outcome(cases, themes=[], duplicate_of={"c-2": "c-1"}), NOON)
    related = {
        case.id: [other.id for other in empty_store.cases.related_to(empty_store.cases.get(case.id))] for case in cases
    }
    assert related == {"c-1": ["c-2", "r-1"], "c-2": ["c-1"], "c-3": ["r-1"], "r-1": ["c-1", "c-3"], "r-2": []}
    assert empty_store.cases.related_to(empty_store.cases.get("c-1"))[0].duplicate_of == "c-1"


def test_drafts_quoting_returns_only_drafts_with_a_quote_of_the_case(empty_store: Store) -> None:
    cases = [build_case("c-1", "The pump leaked."), build_case("c-10", "The door stuck.")]
    empty_store.cases.save_all([(build_submission(case.text), case) for case in cases])
    quoting, quoting_another = (
        replace(make_draft(n), claims=(build_claim("problem", case),)) for n, case in enumerate(cases)
    )
    named_like_the_case = replace(make_draft(3), name="c-1")
    empty_store.drafts.save_all([quoting, quoting_another, named_like_the_case], NOON)
    assert empty_store.drafts.quoting("c-1") == [quoting]
    assert empty_store.drafts.quoting("c-10") == [quoting_another]
    assert empty_store.drafts.quoting("c-%") == []


def test_theme_cards_equal_the_themes_without_members(store: Store) -> None:
    def make_card(theme: Any) -> ThemeCard:
        names = ("case_ids", "centre", "unseen_case_ids", "former_exemplars", "new_by_period")
        empty: dict[str, Any] = dict.fromkeys(names, ())
        return ThemeCard(replace(theme, **empty), len(theme.case_ids))

    themes = store.themes.list_all()
    assert store.themes.cards(include_dormant=True) == [make_card(theme) for theme in themes]
    assert store.themes.cards() == [make_card(theme) for theme in themes if theme.case_ids]
    assert store.themes.cards("helped") == []
    assert store.themes.card("t-1") == make_card(themes[1])
    assert store.themes.case_ids("t-2") == themes[0].case_ids
    assert store.themes.names() == {theme.id: theme.name for theme in themes}
    for query in (store.themes.card, store.themes.case_ids, store.themes.detail):
        with pytest.raises(NotFound):
            query("t-9")
        with pytest.raises(NotFound):
            query("t-1", "helped")


def test_theme_detail_contains_changes_edits_and_exemplars(empty_store: Store) -> None:
    fill(empty_store)
    cases = empty_store.cases.list_all()
    later = NOON + dt.timedelta(days=90)
    run = empty_store.runs.begin(RunParameters(label="2026Q2"), later)
    growth = ThemeChange(theme_id="t-2", lineage=Lineage.GREW, n_before=20, n_after=20)
    outcome = make_outcome(cases, changes=[growth])
    empty_store.finish_run(run.id, outcome, later)
    edits = [
        Edit(seq=1, lens="all", action=EditAction.RENAME, by="Ada", at=later, theme_id="t-2", name="pallets"),
        Edit(seq=2, lens="all", action=EditAction.MERGE, by="Bo", at=later, theme_id="t-0", other_theme_id="t-2"),
        Edit(seq=3, lens="all", action=EditAction.LOCK, by="Bo", at=later, theme_id="t-1", name="doors"),
        Edit(seq=4, lens="all", action=EditAction.UNDO, by="Cy", at=later, undoes=1),
    ]
    revision = RunRevision(
        run_id=run.id, themes=outcome.themes, areas=outcome.areas, assignments=outcome.assignments, drafts=()
    )
    for edit in edits:
        empty_store.append_edits([edit], expected_seq=edit.seq - 1, revision=revision)
    detail = empty_store.themes.detail("t-2")
    assert detail.card == empty_store.themes.card("t-2")
    assert detail.area == "Docks"
    assert detail.similar_themes == (SimilarTheme("t-1", "doors", 0.6),)
    theme = empty_store.themes.list_all()[0]
    assert [exemplar.case.id for exemplar in detail.exemplars] == [*theme.exemplars, theme.edge_case]
    assert [(run_change.label, run_change.at, run_change.change.lineage) for run_change in detail.run_changes] == [
        ("2026Q2", later, Lineage.GREW),
        ("2026Q1", NOON, Lineage.NEW),
    ]
    assert [edit.seq for edit in detail.edits] == [4, 2, 1]


def test_get_run_returns_the_run_with_the_id(store: Store) -> None:
    (run,) = store.runs.list_all()
    assert store.runs.get(run.id) == run
    with pytest.raises(NotFound):
        store.runs.get("run-9999")


# drafts


def make_draft(number: int, kind: DraftKind = DraftKind.PATTERN) -> Draft:
    return Draft(
        id=f"d-{number:02d}", kind=kind, theme_id=f"t-{number % 3}", name=f"Pattern {number}",
        fields={"problem": "x"}, claims=(), provenance=Provenance(run_id="run-0001"),
    )  # fmt: skip


def decide(store: Store, draft_id: str, *actions: tuple[DraftAction, DraftState, DraftState]) -> None:
    for version, (action, before, after) in enumerate(actions):
        undone_id = f"{draft_id}.{version}" if action is DraftAction.UNDO else None
        decision = Decision(
            id=f"{draft_id}.{version + 1}", draft_id=draft_id, action=action, by="Ada", at=NOON,
            before=before, after=after, undoes=undone_id,
        )  # fmt: skip
        store.drafts.append_decision(decision, expected_version=version)


C, V, A, R = DraftState.CANDIDATE, DraftState.IN_REVIEW, DraftState.ACCEPTED, DraftState.REJECTED


@pytest.fixture(scope="module")
def reviewed(opener: Opener) -> Store:
    """Network with twenty drafts of several times and kinds.

    Three of them have decisions, and a later run replaced two of those three.
    """
    store = fill(opener("west"))
    kinds = [DraftKind.PATTERN, DraftKind.PATTERN, DraftKind.PREREADING]
    for number in range(20):
        store.drafts.save_all([make_draft(number, kinds[number % 3])], NOON + dt.timedelta(minutes=number // 4))
    decide(store, "d-03", (DraftAction.NOT_SURE, C, V), (DraftAction.ACCEPT, V, A))
    decide(store, "d-04", (DraftAction.ACCEPT, C, A), (DraftAction.UNDO, A, C))
    decide(store, "d-06", (DraftAction.REJECT, C, R))
    run = store.runs.begin(RunParameters(), NOON)
    store.finish_run(run.id, make_outcome(store.cases.list_all(), drafts=[make_draft(7)]), NOON)
    return store


def all_pages(query: Callable[[str | None], Page[Any]]) -> list[Any]:
    page = query(None)
    rows = list(page.rows)
    while page.next_cursor is not None:
        page = query(page.next_cursor)
        rows += page.rows
    return rows


@pytest.mark.parametrize("kind", [None, DraftKind.PATTERN, DraftKind.PREREADING])
@pytest.mark.parametrize("state", [None, *DraftState])
@pytest.mark.parametrize("theme_id", [None, "t-1"])
def test_draft_lists_filter_by_the_state_of_the_log(
    reviewed: Store, kind: DraftKind | None, state: DraftState | None, theme_id: str | None
) -> None:
    current = {draft.id for draft, _, _ in reviewed.drafts.list_all()}
    expected = [
        row
        for row in reviewed.drafts.list_all(current=False)
        if (row[0].id in current or row[1])
        and kind in (None, row[0].kind)
        and state in (None, state_of(row[1]))
        and theme_id in (None, row[0].theme_id)
    ]
    draft_filter = DraftFilter(kind=kind, state=state, theme_id=theme_id)
    assert all_pages(lambda cursor: reviewed.drafts.page(draft_filter, limit=3, cursor=cursor)) == expected
    items = all_pages(lambda cursor: reviewed.drafts.item_page(draft_filter, limit=3, cursor=cursor))
    assert [
        (
            item.id,
            item.kind,
            item.state,
            item.theme_id,
            item.name,
            item.version,
            item.created_at,
            item.model,
            item.n_claims,
        )
        for item in items
    ] == [
        (d.id, d.kind, state_of(log), d.theme_id, d.name, len(log), created_at, d.provenance.model, len(d.claims))
        for d, log, created_at in expected
    ]


def test_network_counts_equal_the_listed_rows(reviewed: Store, tmp_path: Path) -> None:
    counts = reviewed.network_counts()
    assignments = reviewed.runs.assignments()
    assert (counts.n_cases, counts.n_recaps, counts.n_new) == (53, 7, 0)
    assert counts.n_unplaced == sum(assignment.theme_id is None for assignment in assignments)
    assert counts.n_themes == 2
    items = reviewed.drafts.item_page(DraftFilter(), limit=99).rows
    assert sum(counts.drafts.values()) == len(items)
    assert counts.drafts[DraftKind.PATTERN, A] == 1
    empty = SqlStore(tmp_path / "empty.db")
    assert empty.network_counts() == NetworkCounts()
    empty.cases.save_all([(build_submission(), build_case())])
    assert (empty.network_counts().n_cases, empty.network_counts().n_new) == (1, 1)
    empty.close()


# vectors


def test_vector_version_changes_with_new_changed_and_removed_cases(empty_store: Store) -> None:
    assert empty_store.vectors.version() == VectorVersion(0, 0)
    texts = random.Random(1).sample(range(1000), 3)
    cases = [build_case(f"c-{n}", f"Text {text}") for n, text in enumerate(texts)]
    empty_store.cases.save_all([(build_submission(case.text), case) for case in cases])
    first = empty_store.vectors.version()
    assert list(empty_store.vectors.iter_by_case("e")) == [("c-0", None), ("c-1", None), ("c-2", None)]
    empty_store.cases.save_all([(build_submission(case.text), case) for case in cases])
    assert empty_store.vectors.version() == first
    empty_store.cases.save_all([(build_submission("x"), replace(cases[0], text={"problem": "Another."}))])
    assert [id for id, _ in empty_store.vectors.iter_by_case("e", after_number=first.last_write_number)] == ["c-0"]
    empty_store.erase_case("c-0", NO_REWRITE, kept_text_hashes=(), actor="Ada", at=NOON)
    second = empty_store.vectors.version()
    assert second != first
    assert [id for id, _ in empty_store.vectors.iter_by_case("e")] == ["c-1", "c-2"]
    empty_store.withdraw_case("c-1", NO_REWRITE, kept_text_hashes=(), actor="Ada", at=NOON)
    assert empty_store.vectors.version() not in {first, second}
    assert [id for id, _ in empty_store.vectors.iter_by_case("e")] == ["c-2"]


def test_iter_vectors_yields_the_vector_of_the_whole_text(empty_store: Store) -> None:
    from patternmind.embedding.lenses import lens_text
    from patternmind.embedding.vectors import text_hash

    case = build_case(text={"title": "Dock", "problem": "[person 3] told nobody."})
    empty_store.cases.save_all([(build_submission(case.text), case)])
    row = np.asarray([0.6, 0.8], np.float32)
    empty_store.vectors.save_all("e", {text_hash(lens_text(case, "all")): row})
    empty_store.vectors.save_all("other", {text_hash(lens_text(case, "all")): -row})
    ((id, vector),) = empty_store.vectors.iter_by_case("e")
    assert id == "c-1"
    assert vector is not None
    assert vector.tolist() == row.tolist()

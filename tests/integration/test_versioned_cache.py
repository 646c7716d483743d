"""Values cached by a process equal newly read values after writes of any process."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.builders import NOON, build_case, build_claim, build_submission, build_theme, case_inputs

from patternmind.clock import FixedClock
from patternmind.domain.cases import Case, Consent
from patternmind.domain.drafts import Draft, DraftAction, DraftKind, DraftReservation, Provenance, RejectionReason
from patternmind.domain.read_models import CaseFilter
from patternmind.domain.themes import Assignment, Lineage, ThemeChange
from patternmind.ports import RunOutcome, RunParameters, Store, TextRewrite
from patternmind.publishing.publication_rules import assess_pattern, select_patterns
from patternmind.review import possible_actions
from patternmind.services.counts import count_matching_cases, get_counts
from patternmind.services.network_settings import update_network
from patternmind.services.playbook import assess_pattern_publication, collect_playbook
from patternmind.services.review_queue import find_undoable_draft, get_review_queue, list_own_decisions
from patternmind.services.reviews import decide_draft, list_accepted_patterns
from patternmind.storage import SqlStore

NO_REWRITE = TextRewrite(
    rewrite_theme=lambda theme: theme, rewrite_name=str, rewrite_text=str, rewrite_draft=lambda draft, log: (draft, log)
)
CLOCK = FixedClock(NOON)
N = 24
SENTENCES = (
    "Pump {n} stood in lane {m} without its paper",
    "The night shift of hall {n} never heard of label {m}",
    "Our scanner froze while dock {n} waited for number {m}",
    "Supplier {n} sent the seals for valve {m} too late",
)


def make_case(n: int, consent: Consent = Consent.ORGANISATION, suffix: str = "") -> Case:
    text = {
        "problem": f"{SENTENCES[n % 4].format(n=n, m=n * 7)}. It was like that again.{suffix}",
        "lesson": f"Ask team {n}.",
    }
    return build_case(f"c-{n:02d}", text, consent=consent, text_version=f"v{len(suffix)}")


def make_draft(n: int) -> Draft:
    cases = [make_case((n + step) % N) for step in range(4)]
    claims = (
        *(build_claim("solution", case) for case in cases[:2]),
        build_claim("problem", cases[2]),
        build_claim("context", cases[3]),
    )
    fields = {name: tuple(claim.text for claim in claims if claim.field == name) for name in ("solution", "problem")}
    return Draft(
        id=f"d-{n:02d}", kind=DraftKind.PATTERN, theme_id=f"t-{n % 2}", name=f"A label of its own {n}", fields=fields,
        claims=claims, provenance=Provenance(run_id="run-0001", inputs=case_inputs(cases)),
    )  # fmt: skip


def finish_run(store: Store, stability: float, drafts: list[Draft], duplicate: str) -> None:
    themes = [build_theme(f"t-{n}", case_ids=("c-00",), n_teams=2 + n, stability=stability) for n in range(2)]
    run = store.runs.begin(RunParameters(), NOON)
    assignments = [Assignment(case_id="c-00", theme_id="t-0", area_id="a-1", strength=1.0, nearest_theme_id="t-0")]
    outcome = RunOutcome(
        themes=themes, areas={"a-1": "Docks"}, assignments=assignments, duplicate_of={duplicate: "c-01"}, drafts=drafts,
        changes=[ThemeChange(theme_id="t-0", lineage=Lineage.NEW, n_after=1)],
    )  # fmt: skip
    store.finish_run(run.id, outcome, NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "patternmind.db"


@pytest.fixture
def stores(path: Path) -> Iterator[tuple[SqlStore, SqlStore]]:
    """Two stores on one network, like two processes: one reads, the other writes."""
    reader = SqlStore(path)
    reader.cases.save_all([(build_submission(case.text), case) for case in map(make_case, range(N))])
    finish_run(reader, 0.9, [make_draft(n) for n in range(10)], "c-02")
    update_network(reader, min_contributors=3, min_teams=2)
    writer = SqlStore(path)
    yield reader, writer
    reader.close()
    writer.close()


def change_case(store: Store, rng: random.Random) -> None:
    consent = rng.choice((Consent.NETWORK_ONLY, Consent.ORGANISATION))
    case = make_case(rng.randrange(N), consent, rng.choice(("", " A label of its own helped.")))
    store.cases.save_all([(build_submission(case.text), case)])


def decide(store: Store, rng: random.Random) -> None:
    draft_id = f"d-{rng.randrange(10):02d}"
    actions = [action for action in possible_actions(store.drafts.get(draft_id)[1]) if action is not DraftAction.EDIT]
    if actions:
        action = rng.choice(actions)
        reason = RejectionReason.NOT_USEFUL if action is DraftAction.REJECT else None
        decide_draft(store, CLOCK, draft_id, action, actor=rng.choice(("Ada", "Bo")), reason=reason)


def accept(store: Store, n: int) -> None:
    for number in range(n):
        decide_draft(store, CLOCK, f"d-{number:02d}", DraftAction.ACCEPT, actor="Ada")


def rename(store: Store, rng: random.Random) -> None:
    draft_id = f"d-{rng.randrange(10):02d}"
    if DraftAction.EDIT in possible_actions(store.drafts.get(draft_id)[1]):
        text = make_case(rng.randrange(N)).text["problem"][:40]
        decide_draft(
            store,
            CLOCK,
            draft_id,
            DraftAction.EDIT,
            actor="Ada",
            edits={"name": f"Label {rng.random()}", "problem": (text,)},
        )


def erase(store: Store, rng: random.Random) -> None:
    ids = [case.id for case in store.cases.list_all()]
    if len(ids) > N - 4:
        store.erase_case(rng.choice(ids), NO_REWRITE, kept_text_hashes=(), actor="Ada", at=NOON)


def withdraw(store: Store, rng: random.Random) -> None:
    ids = [case.id for case in store.cases.list_all()]
    if len(ids) > N - 4:
        store.withdraw_case(rng.choice(ids), NO_REWRITE, kept_text_hashes=(), actor="Ada", at=NOON)


def run(store: Store, rng: random.Random) -> None:
    finish_run(store, rng.random(), [make_draft(n) for n in range(rng.randrange(10))], "c-03")


def change_rule(store: Store, rng: random.Random) -> None:
    update_network(store, min_contributors=rng.choice((2, 3, 4)))


def reserve(store: Store, rng: random.Random) -> None:
    reservation = DraftReservation(
        draft_id=f"d-{rng.randrange(10):02d}", by="Bo", until=NOON + dt.timedelta(minutes=15)
    )
    store.drafts.reserve(reservation, NOON)


def add_name(store: Store, rng: random.Random) -> None:
    store.network.add_to_roster([(f"Wilhelmina Krups{rng.randrange(99)}", None, None)])


WRITES: tuple[Callable[[Store, random.Random], None], ...] = (
    decide, decide, decide, decide, rename, change_case, change_case, erase, withdraw, run, change_rule, reserve,
    add_name,
)  # fmt: skip


def read_all_cached(store: Store) -> list[object]:
    """Read all cached values of one store that pages use."""
    queues = [get_review_queue(store, CLOCK, reviewer) for reviewer in ("Ada", "Bo", None)]
    own = [(list_own_decisions(store, by), find_undoable_draft(store, by)) for by in ("Ada", "Bo")]
    unplaced = CaseFilter(unplaced_only=True)
    return [queues, own, collect_playbook(store), get_counts(store), count_matching_cases(store, unplaced)]


def test_cached_values_equal_those_of_a_new_process(stores: tuple[SqlStore, SqlStore], path: Path) -> None:
    reader, writer = stores
    rng = random.Random(5)
    accept(writer, 6)
    n_published = 0
    for _ in range(30):
        write = rng.choice(WRITES)
        write(rng.choice((writer, reader)), rng)
        new_store = SqlStore(path)
        assert read_all_cached(reader) == read_all_cached(new_store), write.__name__
        new_store.close()
        cases = {case.id: case for case in reader.cases.list_all()}
        patterns = list_accepted_patterns(reader)
        collected = collect_playbook(reader)
        assert collected == select_patterns(patterns, cases, reader.network.get().rule), write.__name__
        assert get_counts(reader) == reader.network_counts()
        n_published += len(collected.published)
    assert n_published > 20


def test_pattern_assessment_equals_the_assessment_over_all_cases(stores: tuple[SqlStore, SqlStore]) -> None:
    store, _ = stores
    rng = random.Random(3)
    accept(store, 6)
    types: set[type] = set()
    for _ in range(16):
        change_case(store, rng)
        cases = {case.id: case for case in store.cases.list_all()}
        for pattern in list_accepted_patterns(store):
            assessment = assess_pattern_publication(store, pattern)
            assert assessment == assess_pattern(pattern, cases, store.network.get().rule)
            types.add(type(assessment))
    assert len(types) == 2


def test_cached_values_are_reused_when_nothing_was_written(stores: tuple[SqlStore, SqlStore]) -> None:
    store, _ = stores
    assert collect_playbook(store) is collect_playbook(store)
    assert get_review_queue(store, CLOCK, "Ada").items[0] is get_review_queue(store, CLOCK, "Bo").items[0]


@pytest.mark.parametrize("write", [decide, rename, change_case, change_rule, add_name])
def test_data_version_changes_with_every_visible_write(
    stores: tuple[SqlStore, SqlStore], write: Callable[[Store, random.Random], None]
) -> None:
    reader, writer = stores
    before = reader.data_version()
    assert writer.data_version() == before
    _until_written(write, writer, before)
    assert reader.data_version() == writer.data_version() != before


def _until_written(write: Callable[[Store, random.Random], None], store: Store, before: object) -> None:
    for seed in range(5):
        write(store, random.Random(seed))
        if store.data_version() != before:
            return


def test_data_version_ignores_writes_of_another_network(stores: tuple[SqlStore, SqlStore], path: Path) -> None:
    before = stores[0].data_version()
    other_network = SqlStore(path, "beside")
    case = replace(make_case(1), id="c-other")
    other_network.cases.save_all([(build_submission(case.text), case)])
    other_network.network.add_to_roster([("Wilhelmina Krups", None, None)])
    other_network.drafts.save_all([make_draft(3)], NOON)
    assert stores[0].data_version() == before
    other_network.close()

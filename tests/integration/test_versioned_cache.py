"""What a process keeps in memory is what it would read anew, whoever wrote meanwhile."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.builders import (
    NOON,
    build_case,
    build_claim,
    build_submission,
    build_theme,
    case_inputs,
)

from patternmind.clock import FixedClock
from patternmind.domain.cases import Case, Consent
from patternmind.domain.drafts import (
    Draft,
    DraftAction,
    DraftKind,
    DraftReservation,
    Provenance,
    RejectionReason,
)
from patternmind.domain.read_models import CaseFilter
from patternmind.domain.themes import Assignment, Lineage, ThemeChange
from patternmind.ports import (
    RunOutcome,
    RunParameters,
    Store,
    TextRewrite,
)
from patternmind.publishing.publication_rules import assess_pattern, select_patterns
from patternmind.review import possible_actions
from patternmind.services.counts import count_matching_cases, get_counts
from patternmind.services.network_settings import update_network
from patternmind.services.playbook import assess_pattern_publication, collect_playbook
from patternmind.services.review_queue import find_undoable_draft, get_review_queue, list_own_decisions
from patternmind.services.reviews import decide_draft, list_accepted_patterns
from patternmind.storage import SqlStore

STAY = TextRewrite(rewrite_theme=lambda one: one, rewrite_name=str, rewrite_text=str, rewrite_draft=lambda draft, log: (draft, log))
CLOCK = FixedClock(NOON)
N = 24
SAYS = (
    "Pump {n} stood in lane {m} without its paper",
    "The night shift of hall {n} never heard of label {m}",
    "Our scanner froze while dock {n} waited for number {m}",
    "Supplier {n} sent the seals for valve {m} too late",
)


def the_case(n: int, consent: Consent = Consent.ORGANISATION, more: str = "") -> Case:
    text = {"problem": f"{SAYS[n % 4].format(n=n, m=n * 7)}. It was like that again.{more}", "lesson": f"Ask team {n}."}
    return build_case(f"c-{n:02d}", text, consent=consent, text_version=f"v{len(more)}")


def the_draft(n: int) -> Draft:
    cases = [the_case((n + step) % N) for step in range(4)]
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


def a_run(store: Store, stability: float, drafts: list[Draft], duplicate: str) -> None:
    themes = [build_theme(f"t-{n}", case_ids=("c-00",), n_teams=2 + n, stability=stability) for n in range(2)]
    begun = store.begin_run(RunParameters(), NOON)
    homes = [Assignment(case_id="c-00", theme_id="t-0", area_id="a-1", strength=1.0, nearest_theme_id="t-0")]
    outcome = RunOutcome(
        themes=themes, areas={"a-1": "Docks"}, assignments=homes, duplicate_of={duplicate: "c-01"}, drafts=drafts,
        changes=[ThemeChange(theme_id="t-0", lineage=Lineage.NEW, n_after=1)],
    )  # fmt: skip
    store.finish_run(begun.id, outcome, NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "patternmind.db"


@pytest.fixture
def stores(path: Path) -> Iterator[tuple[SqlStore, SqlStore]]:
    """Two processes on one network: one reads, the other writes."""
    one = SqlStore(path)
    one.save_cases([(build_submission(case.text), case) for case in map(the_case, range(N))])
    a_run(one, 0.9, [the_draft(n) for n in range(10)], "c-02")
    update_network(one, min_contributors=3, min_teams=2)
    other = SqlStore(path)
    yield one, other
    one.close()
    other.close()


def rewrite(store: Store, draw: random.Random) -> None:
    consent = draw.choice((Consent.NETWORK_ONLY, Consent.ORGANISATION))
    case = the_case(draw.randrange(N), consent, draw.choice(("", " A label of its own helped.")))
    store.save_cases([(build_submission(case.text), case)])


def decide(store: Store, draw: random.Random) -> None:
    draft_id = f"d-{draw.randrange(10):02d}"
    actions = [one for one in possible_actions(store.draft(draft_id)[1]) if one is not DraftAction.EDIT]
    if actions:
        action = draw.choice(actions)
        reason = RejectionReason.NOT_USEFUL if action is DraftAction.REJECT else None
        decide_draft(store, CLOCK, draft_id, action, actor=draw.choice(("Ada", "Bo")), reason=reason)


def accept(store: Store, n: int) -> None:
    for number in range(n):
        decide_draft(store, CLOCK, f"d-{number:02d}", DraftAction.ACCEPT, actor="Ada")


def rename(store: Store, draw: random.Random) -> None:
    draft_id = f"d-{draw.randrange(10):02d}"
    if DraftAction.EDIT in possible_actions(store.draft(draft_id)[1]):
        said = the_case(draw.randrange(N)).text["problem"][:40]
        decide_draft(
            store,
            CLOCK,
            draft_id,
            DraftAction.EDIT,
            actor="Ada",
            edits={"name": f"Label {draw.random()}", "problem": (said,)},
        )


def erase(store: Store, draw: random.Random) -> None:
    ids = [case.id for case in store.cases()]
    if len(ids) > N - 4:
        store.erase_case(draw.choice(ids), STAY, kept_text_hashes=(), actor="Ada", at=NOON)


def withdraw(store: Store, draw: random.Random) -> None:
    ids = [case.id for case in store.cases()]
    if len(ids) > N - 4:
        store.withdraw_case(draw.choice(ids), STAY, kept_text_hashes=(), actor="Ada", at=NOON)


def run(store: Store, draw: random.Random) -> None:
    a_run(store, draw.random(), [the_draft(n) for n in range(draw.randrange(10))], "c-03")


def change_rule(store: Store, draw: random.Random) -> None:
    update_network(store, min_contributors=draw.choice((2, 3, 4)))


def hold(store: Store, draw: random.Random) -> None:
    held = DraftReservation(draft_id=f"d-{draw.randrange(10):02d}", by="Bo", until=NOON + dt.timedelta(minutes=15))
    store.reserve_draft(held, NOON)


def name_somebody(store: Store, draw: random.Random) -> None:
    store.add_to_roster([(f"Wilhelmina Krups{draw.randrange(99)}", None, None)])


WRITES: tuple[Callable[[Store, random.Random], None], ...] = (
    decide, decide, decide, decide, rename, rewrite, rewrite, erase, withdraw, run, change_rule, hold, name_somebody
)  # fmt: skip


def all_told(store: Store) -> list[object]:
    """What pages are made of, of one store."""
    desks = [get_review_queue(store, CLOCK, reviewer) for reviewer in ("Ada", "Bo", None)]
    own = [(list_own_decisions(store, by), find_undoable_draft(store, by)) for by in ("Ada", "Bo")]
    wanted = CaseFilter(unplaced_only=True)
    return [desks, own, collect_playbook(store), get_counts(store), count_matching_cases(store, wanted)]


def test_what_is_kept_is_what_a_new_process_reads(stores: tuple[SqlStore, SqlStore], path: Path) -> None:
    reads, writes = stores
    draw = random.Random(5)
    accept(writes, 6)
    n_published = 0
    for _ in range(30):
        write = draw.choice(WRITES)
        write(draw.choice((writes, reads)), draw)
        new = SqlStore(path)
        assert all_told(reads) == all_told(new), write.__name__
        new.close()
        cases = {case.id: case for case in reads.cases()}
        patterns = list_accepted_patterns(reads)
        collected = collect_playbook(reads)
        assert collected == select_patterns(patterns, cases, reads.network.rule), write.__name__
        assert get_counts(reads) == reads.network_counts()
        n_published += len(collected.published)
    assert n_published > 20


def test_one_pattern_is_judged_as_by_reading_every_case(stores: tuple[SqlStore, SqlStore]) -> None:
    store, _ = stores
    draw = random.Random(3)
    accept(store, 6)
    kinds: set[type] = set()
    for _ in range(16):
        rewrite(store, draw)
        cases = {case.id: case for case in store.cases()}
        for pattern in list_accepted_patterns(store):
            judged = assess_pattern_publication(store, pattern)
            assert judged == assess_pattern(pattern, cases, store.network.rule)
            kinds.add(type(judged))
    assert len(kinds) == 2


def test_nothing_is_read_again_where_nothing_was_written(stores: tuple[SqlStore, SqlStore]) -> None:
    store, _ = stores
    assert collect_playbook(store) is collect_playbook(store)
    assert get_review_queue(store, CLOCK, "Ada").items[0] is get_review_queue(store, CLOCK, "Bo").items[0]


@pytest.mark.parametrize("write", [decide, rename, rewrite, change_rule, name_somebody])
def test_every_write_that_people_read_changes_the_stamp(
    stores: tuple[SqlStore, SqlStore], write: Callable[[Store, random.Random], None]
) -> None:
    one, other = stores
    before = one.data_version()
    assert other.data_version() == before
    _until_written(write, other, before)
    assert one.data_version() == other.data_version() != before


def _until_written(write: Callable[[Store, random.Random], None], store: Store, before: object) -> None:
    for seed in range(5):
        write(store, random.Random(seed))
        if store.data_version() != before:
            return


def test_the_network_beside_it_changes_no_stamp(stores: tuple[SqlStore, SqlStore], path: Path) -> None:
    before = stores[0].data_version()
    beside = SqlStore(path, "beside")
    case = replace(the_case(1), id="c-other")
    beside.save_cases([(build_submission(case.text), case)])
    beside.add_to_roster([("Wilhelmina Krups", None, None)])
    beside.save_drafts([the_draft(3)], NOON)
    assert stores[0].data_version() == before
    beside.close()

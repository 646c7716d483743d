"""The whole line on a small generated network with planted groups: what a run finds, keeps, carries on and survives."""

import datetime as dt
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.builders import NOON, build_case, build_submission

from patternmind.bootstrap import DATABASE_FILE, AppContext
from patternmind.clock import FixedClock
from patternmind.clustering.clusterer import group_rows
from patternmind.domain.cases import Case, Consent
from patternmind.domain.drafts import DraftAction, DraftState, RejectionReason
from patternmind.domain.themes import Lineage, Theme, Vectors
from patternmind.drafting.keyphrases import Phrase
from patternmind.drafting.llm_proposals import PROMPT_ID
from patternmind.drafting.theme_names import lint_name
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import ModelUnavailable, UsageError
from patternmind.grounding import ground
from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir
from patternmind.llm.scripted_model import SERVER_FAILURE, ScriptedModel, ScriptedReply
from patternmind.pipeline import (
    EMBEDDING_CHUNK_SIZE,
    LlmContext,
    embed_cases,
    run_pipeline,
)
from patternmind.ports import Progress, RenderedPrompt, RunParameters, RunRecord
from patternmind.services.exports import export_rows
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.settings import Settings
from patternmind.storage import SqlStore

SUBJECTS = {
    "scanner": "scanner battery dock charger freezer display button cable",
    "pallet": "pallet lane tape forklift ramp shelf aisle wrap",
    "login": "login password account portal reset mail browser session",
    "pump": "pump valve hose leak gasket pressure motor bearing",
    "invoice": "invoice supplier ledger credit tax booking receipt auditor",
}
COMMON = (
    "morning shift colleague window late again office report floor summer phone night door meeting answer river".split()
)
STRANGERS = ["wasp nest chimney", "choir rehearsal piano", "parking snow shovel"]


def a_told_case(number: int, subject: str, **known: Any) -> Case:
    """A case whose words are its subject's; the same number gives the same words."""
    draw = random.Random(number)
    words = SUBJECTS[subject].split()

    def sentence() -> str:
        said = [*draw.sample(words, 6), *draw.sample(COMMON, 5)]
        draw.shuffle(said)
        return f"{' '.join(said)}."

    text = {"problem": f"The {subject} {sentence()} {sentence()}", "lesson": f"Our {subject} {sentence()}"}
    return build_case(f"c-{number:03d}", text, date=dt.date(2026, 1 + number % 9, 3), content_hash=str(number), **known)


def told(first: int, per_subject: int, subjects: Sequence[str] = tuple(SUBJECTS), **known: Any) -> list[Case]:
    return [
        a_told_case(first + position * per_subject + number, subject, **known)
        for position, subject in enumerate(subjects)
        for number in range(per_subject)
    ]


def strangers() -> list[Case]:
    return [
        build_case(f"c-{900 + n}", f"One {words} story of {words} and nothing but {words} here.", content_hash=words)
        for n, words in enumerate(STRANGERS)
    ]


class Cycle:
    """One network on disk with its encoder and clock; ``run`` runs the line on it."""

    def __init__(self, folder: Path) -> None:
        self.store = SqlStore(folder / DATABASE_FILE)
        self.encoder = HashingEncoder()
        self.clock = FixedClock(NOON)

    def take_in(self, cases: Sequence[Case]) -> None:
        self.store.save_cases([(build_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, namer: LlmContext | None = None, progress: Progress | None = None, **parameters: Any) -> RunRecord:
        self.clock.at += dt.timedelta(minutes=1)
        given = RunParameters(**parameters)
        return run_pipeline(self.store, self.encoder, self.clock, given, llm=namer, progress=progress)

    def theme_of(self, subject: str) -> Theme:
        """The theme that holds most cases of a subject."""
        return max(self.store.themes(), key=lambda theme: sum(self.tells(id, subject) for id in theme.case_ids))

    def tells(self, case_id: str, subject: str) -> bool:
        return f" {subject} " in self.store.case(case_id).text["problem"]

    def found(self) -> list[object]:
        """All that a run found, without its own name and time."""
        drafts = [(draft.id, draft.fields, draft.claims) for draft, _, _ in self.store.drafts()]
        return [self.store.themes(), self.store.areas(), self.store.assignments(), sorted(drafts)]


@pytest.fixture
def cycle(tmp_path: Path) -> Cycle:
    return Cycle(tmp_path)


@pytest.fixture
def network(cycle: Cycle) -> Cycle:
    cycle.take_in([*told(0, 8), *strangers()])
    return cycle


def test_a_run_finds_the_planted_groups_and_leaves_strangers_alone(network: Cycle) -> None:
    record = network.run()
    themes = network.store.themes()
    assert (record.state, record.n_cases, record.n_themes, record.n_drafts) == ("finished", 43, 5, 5)
    assert list(record.seconds) == ["embed", "cluster", "carry", "draft", "map"]
    for subject in SUBJECTS:
        theme = network.theme_of(subject)
        assert all(network.tells(case_id, subject) for case_id in theme.case_ids)
        assert theme.lineage is Lineage.NEW
        assert theme.new_cases == theme.n_cases == len(theme.case_ids)
        assert sum(theme.trend.values()) == theme.n_cases
        assert set(theme.exemplars) <= set(theme.case_ids)
        assert theme.nearest_theme_id in {one.id for one in themes} - {theme.id}
        assert any(theme.gist in text for id in theme.case_ids for text in network.store.case(id).text.values())
    placed = {one.case_id: one.theme_id for one in network.store.assignments()}
    assert [placed[case.id] for case in strangers()] == [None] * 3


def test_every_case_stands_in_the_outcome_exactly_once(network: Cycle) -> None:
    record = network.run()
    assignments, themes = network.store.assignments(), network.store.themes()
    assert [one.case_id for one in assignments] == [case.id for case in network.store.cases()]
    members = {case_id: theme.id for theme in themes for case_id in theme.case_ids}
    assert sum(len(theme.case_ids) for theme in themes) == len(members)
    assert {one.case_id: one.theme_id for one in assignments if one.theme_id} == members
    alone = [one for one in assignments if one.theme_id is None]
    assert len(alone) == record.n_outliers == 43 - len(members)
    assert all(one.reason and one.nearest_theme_id and one.area_id is None for one in alone)
    assert {one.area_id for one in assignments if one.theme_id} == set(network.store.areas())
    assert all(0 <= one.strength <= 1 for one in assignments)


def test_names_are_distinct_and_in_the_words_of_their_cases(network: Cycle) -> None:
    network.run()
    themes = network.store.themes()
    assert len({theme.name.casefold() for theme in themes}) == len(themes)
    for theme in themes:
        texts = ["\n".join(network.store.case(id).text.values()) for id in theme.case_ids]
        assert lint_name(theme.name, texts) == []


def test_every_drafted_claim_stands_on_a_quote_of_its_theme(network: Cycle) -> None:
    network.run()
    cases = {case.id: case for case in network.store.cases()}
    themes = {theme.id: theme for theme in network.store.themes()}
    for draft, _, _ in network.store.drafts():
        assert draft.claims
        assert ground(draft, cases).draft == draft
        quoted = {quote.case_id for claim in draft.claims for quote in claim.quotes}
        assert quoted <= set(themes[draft.theme_id or ""].case_ids)


def no_names(*_: object, **__: object) -> list[Phrase]:
    return []


@pytest.fixture
def names_by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wording is proposed as a name, so that the encoder's count is of cases alone."""
    monkeypatch.setattr("patternmind.assembly.propose_name_candidates", no_names)


@pytest.mark.usefixtures("names_by_words")
def test_running_again_without_a_change_is_the_same_run_and_embeds_nothing(network: Cycle) -> None:
    first = network.run()
    encoded = network.encoder.n_encoded
    assert encoded == 43
    assert network.run() == first
    assert (network.encoder.n_encoded, len(network.store.runs())) == (encoded, 1)
    assert network.run(seed=1).number == 2
    assert network.encoder.n_encoded == encoded


def test_the_order_in_which_cases_came_does_not_matter(tmp_path: Path) -> None:
    found: list[list[object]] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        one = Cycle(tmp_path / name)
        cases = [*told(0, 8), *strangers()]
        random.Random(name).shuffle(cases)
        for start in range(0, len(cases), 10):
            one.take_in(cases[start : start + 10])
        one.run()
        found.append(one.found())
    assert found[0] == found[1]


def test_a_run_in_a_process_that_ran_before_finds_the_same(tmp_path: Path) -> None:
    found: list[list[object]] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        one = Cycle(tmp_path / name)
        one.take_in([a_told_case(n, draw) for n, draw in enumerate(random.Random(1).choices(list(SUBJECTS), k=40))])
        one.run()
        found.append(one.found())
    assert found[0] == found[1]


# from run to run


def test_new_cases_join_their_themes_which_keep_id_and_name(network: Cycle) -> None:
    network.run(label="2026Q3")
    before = {subject: network.theme_of(subject) for subject in SUBJECTS}
    network.take_in(told(100, 2, ["pump"]))
    encoded = network.encoder.n_encoded
    record = network.run(label="2026Q4")
    assert network.encoder.n_encoded == encoded + 2
    for subject in SUBJECTS:
        theme = network.theme_of(subject)
        assert (theme.id, theme.name) == (before[subject].id, before[subject].name)
    pump = network.theme_of("pump")
    assert {"c-100", "c-101"} <= set(pump.case_ids)
    assert (pump.new_cases, pump.lineage) == (2, Lineage.GREW)
    assert network.theme_of("login").new_cases == 0
    change = next(one for one in network.store.changes(record.id) if one.theme_id == pump.id)
    assert (change.lineage, change.n_before, change.n_after, change.n_shared) == (Lineage.GREW, 8, 10, 8)


def test_a_new_subject_is_a_new_theme_with_a_name_of_its_own(cycle: Cycle) -> None:
    cycle.take_in(told(0, 10, ["scanner", "pallet", "login"]))
    cycle.run()
    before = cycle.store.themes()
    cycle.take_in(told(100, 10, ["invoice"]))
    cycle.run()
    invoice = cycle.theme_of("invoice")
    assert invoice.lineage is Lineage.NEW
    assert invoice.id not in {theme.id for theme in before}
    assert len({theme.name for theme in cycle.store.themes()}) == len(cycle.store.themes())


def test_a_theme_without_a_new_case_in_two_labelled_runs_is_dormant_and_one_brings_it_back(network: Cycle) -> None:
    network.run(label="2026Q1")
    for label, lineage in (("2026Q2", Lineage.CONTINUED), ("", Lineage.CONTINUED), ("2026Q3", Lineage.DORMANT)):
        network.run(label=label)
        assert {theme.lineage for theme in network.store.themes()} == {lineage}, label
    network.take_in(told(100, 1, ["login"]))
    network.run(label="2026Q4")
    assert network.theme_of("login").lineage is Lineage.RETURNED
    assert network.theme_of("pump").lineage is Lineage.DORMANT


def test_the_same_label_again_is_no_second_quiet_run(network: Cycle) -> None:
    network.run(label="2026Q1")
    for label in ("2026Q2", "", "2026Q2"):
        network.run(label=label)
    assert {theme.quiet_runs for theme in network.store.themes()} == {1}


def test_a_theme_that_a_narrowed_run_did_not_look_at_stays_on_record_and_goes_on_after_it(cycle: Cycle) -> None:
    old = [replace(case, date=dt.date(2025, 5, 5)) for case in told(0, 10, ["scanner", "pallet"])]
    cycle.take_in(old + told(100, 10, ["login", "pump"]))
    cycle.run()
    scanner = cycle.theme_of("scanner")
    cycle.run(since="2026-01-01")
    gone = next(theme for theme in cycle.store.themes() if theme.id == scanner.id)
    assert (gone.name, gone.case_ids, gone.lineage) == (scanner.name, (), Lineage.CONTINUED)
    assert (gone.n_cases, gone.n_teams, gone.n_contributors, gone.share) == (0, 0, 0, 0)
    assert cycle.store.themes()[-1].case_ids == ()
    cycle.run()
    again = cycle.theme_of("scanner")
    assert (again.id, again.lineage, again.new_cases) == (scanner.id, Lineage.CONTINUED, 0)


def test_an_unlabelled_run_within_the_quarter_does_not_use_up_what_is_new(network: Cycle) -> None:
    network.run(label="2026Q1")
    network.take_in(told(100, 2, ["login"]))
    for label, n_new in (("", 2), ("2026Q2", 2), ("2026Q2", 2), ("", 0), ("2026Q3", 0)):
        network.run(label=label)
        assert network.theme_of("login").new_cases == n_new, label
        assert network.theme_of("pump").new_cases == 0


def test_a_new_lens_counts_as_new_what_the_network_did_not_know_last_quarter(network: Cycle) -> None:
    network.run(label="2026Q1")
    network.take_in(told(100, 2, ["login"]))
    network.run(label="2026Q2", lens="problem")
    assert sum(theme.new_cases for theme in network.store.themes("problem")) == 2


def test_near_duplicates_stay_marked_after_a_narrowed_run_and_one_of_another_lens(network: Cycle) -> None:
    first = told(0, 1, ["scanner"])[0]
    again = replace(first, id="c-800", external_id="C-800", content_hash="again", date=dt.date(2026, 8, 1))
    network.take_in([again])
    network.run()
    assert [case.id for case in network.store.cases() if case.duplicate_of] == ["c-800"]
    narrow: list[dict[str, Any]] = [{"lens": "helped"}, {"since": "2026-02-01"}, {"since": "2026-09-01"}]
    for narrowed in narrow:
        network.run(**narrowed)
        assert network.store.case("c-800").duplicate_of == first.id, narrowed


def test_lenses_have_themes_of_their_own(network: Cycle) -> None:
    network.run()
    everything = network.store.themes("all")
    network.run(lens="helped")
    assert network.store.themes("all") == everything
    assert not {theme.id for theme in network.store.themes("helped")} & {theme.id for theme in everything}
    assert len(network.store.drafts()) == len(everything) + len(network.store.themes("helped"))
    with pytest.raises(UsageError):
        network.run(lens="colour")
    assert len(network.store.runs()) == 2


def test_the_area_level_groups_by_broad_areas(network: Cycle) -> None:
    network.run()
    n_areas = len(network.store.areas())
    assert network.run(level="area").n_themes == n_areas < 5


def test_above_a_limit_a_sample_is_fitted_and_the_run_says_what_it_may_not_see(
    network: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.run()
    known = {one.case_id: one.theme_id for one in network.store.assignments()}
    fewer = len(known) * 3 // 4
    monkeypatch.setattr("patternmind.pipeline.MAX_FITTED_ROWS", fewer)
    monkeypatch.setattr("patternmind.pipeline.group_rows", partial(group_rows, max_fitted_rows=fewer))
    run = network.run(from_scratch=True)
    assert any("A sample of the cases was fitted" in note for note in run.notes)
    now = {one.case_id: one.theme_id for one in network.store.assignments()}
    assert now.keys() == known.keys()
    assert sum(now[case_id] == theme_id for case_id, theme_id in known.items()) >= 0.8 * len(known)


def test_hdbscan_runs_the_whole_line_too(network: Cycle) -> None:
    record = network.run(engine="hdbscan")
    assert (record.state, record.n_cases) == ("finished", 43)
    assert len(network.store.assignments()) == 43


# where there is little or nothing


@pytest.mark.parametrize("n", [0, 1, 19])
def test_fewer_than_twenty_cases_are_too_few_and_it_says_so(cycle: Cycle, n: int) -> None:
    cycle.take_in(told(0, 4)[:n])
    record = cycle.run()
    assert (record.state, record.n_cases, record.n_themes, record.n_outliers) == ("finished", n, 0, n)
    assert record.notes == (f"Too few to group: {n} cases, 20 are needed.",)
    assert {one.reason for one in cycle.store.assignments()} <= {"too few cases to group"}
    assert cycle.store.drafts() == []


def test_where_nothing_recurs_it_says_so(cycle: Cycle) -> None:
    alone = [
        build_case(f"c-{n:02d}", " ".join(f"word{n}x{i}" for i in range(12)), content_hash=str(n)) for n in range(24)
    ]
    cycle.take_in(alone)
    record = cycle.run()
    if record.n_themes == 0:
        assert record.notes == ("Nothing recurs yet.",)
        assert {one.reason for one in cycle.store.assignments()} == {"nothing recurs yet"}
    assert record.n_cases == 24


def test_without_drafts_none_are_made_and_none_step_aside(network: Cycle) -> None:
    network.run()
    before = network.store.drafts()
    assert network.run(draft=False, seed=1).n_drafts == 0
    assert network.store.drafts() == before


def test_near_duplicates_are_counted_once_and_told_once(network: Cycle) -> None:
    first = build_case(
        "c-200", "The pump lost its gasket and the valve " + " ".join(f"detail{n}" for n in range(30)), content_hash="d"
    )
    network.take_in([first, replace(first, id="c-201"), replace(first, id="c-202")])
    network.run()
    repeated = [case for case in network.store.cases() if case.duplicate_of]
    assert [(case.id, case.duplicate_of) for case in repeated] == [("c-201", "c-200"), ("c-202", "c-200")]
    for theme in network.store.themes():
        inside = set(theme.case_ids) & {"c-200", "c-201", "c-202"}
        assert theme.n_cases == len(theme.case_ids) - max(0, len(inside) - 1)


def test_one_story_told_again_and_again_is_no_theme(network: Cycle) -> None:
    first = build_case("c-200", "The pump lost its gasket " + " ".join(f"detail{n}" for n in range(30)))
    again = [replace(first, id=f"c-{number}") for number in range(201, 206)]
    network.take_in([first, *again])
    network.run()
    inside = {one.case_id: one.theme_id for one in network.store.assignments()}
    with_it = {inside[case.id] for case in [first, *again]} - {None}
    assert all(theme.n_cases >= 3 for theme in network.store.themes() if theme.id in with_it)


def test_a_theme_that_never_had_words_for_a_name_is_not_said_to_have_lost_it(network: Cycle) -> None:
    small = "it was as that and is for with from this".split()
    network.take_in(
        [build_case(f"c-{300 + n}", " ".join(small[n:] + small[:n]), content_hash=str(n)) for n in range(6)]
    )
    network.run(label="2026Q3")
    words = [*small, "gasket"]
    network.take_in(
        [build_case(f"c-{310 + n}", " ".join(words[n:] + words[:n]), content_hash=str(n)) for n in range(6)]
    )
    assert any(theme.name == f"Theme {theme.id[-4:]}" for theme in network.store.themes())
    assert not [note for note in network.run(label="2026Q4").notes if "no longer called" in note]
    assert any("gasket" in theme.name.casefold() for theme in network.store.themes())


# what people decided


def test_what_people_decided_survives_later_runs_and_rejected_stays_rejected(network: Cycle) -> None:
    network.run(label="2026Q3")
    first, second, *_ = [draft.id for draft, _, _ in network.store.drafts()]
    decide_draft(network.store, network.clock, first, DraftAction.ACCEPT, actor="Ada")
    decide_draft(
        network.store, network.clock, second, DraftAction.REJECT, actor="Ada", reason=RejectionReason.NOT_USEFUL
    )
    network.run(label="2026Q4")
    states = {one.grounded.draft.id: one for one in list_all_drafts(network.store)}
    assert {states[first].decisions[-1].after, states[second].decisions[-1].after} == {
        DraftState.ACCEPTED,
        DraftState.REJECTED,
    }
    network.take_in(told(100, 3))
    network.run(label="2027Q1")
    after = {one.grounded.draft.id for one in list_all_drafts(network.store)}
    assert {first, second} <= after


# failures


class Failing(HashingEncoder):
    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        if self.n_encoded >= self.after:
            raise ModelUnavailable("the weights are gone")
        return super().encode(texts, progress=progress)


def test_a_run_whose_encoder_fails_is_marked_failed_and_the_last_results_stand(network: Cycle) -> None:
    network.run()
    before = network.found()
    network.take_in(told(100, 2))
    network.encoder = Failing(0)
    with pytest.raises(ModelUnavailable):
        network.run()
    assert [run.state for run in network.store.runs()] == ["finished", "failed"]
    assert network.store.runs()[1].notes == ("ModelUnavailable",)
    assert network.found() == before
    network.encoder = HashingEncoder()
    assert network.run().state == "finished"
    assert network.encoder.n_encoded == 10


@pytest.mark.usefixtures("names_by_words")
def test_what_was_embedded_before_a_failure_is_not_embedded_again(
    cycle: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patternmind.pipeline.EMBEDDING_CHUNK_SIZE", 10)
    cycle.take_in(told(0, 8))
    cycle.encoder = Failing(20)
    with pytest.raises(ModelUnavailable):
        cycle.run()
    cycle.encoder = HashingEncoder()
    cycle.run()
    assert cycle.encoder.n_encoded == 20
    assert EMBEDDING_CHUNK_SIZE == 512


def test_a_run_that_died_is_interrupted_and_the_next_one_finishes(network: Cycle) -> None:
    network.store.begin_run(RunParameters(), NOON)
    network.run()
    assert [run.state for run in network.store.runs()] == ["interrupted", "finished"]


def test_a_run_that_was_killed_in_between_finds_what_an_undisturbed_one_finds(tmp_path: Path) -> None:
    cases = [*told(0, 8), *strangers()]
    found: list[list[object]] = []
    for name in ("calm", "killed"):
        (tmp_path / name).mkdir()
        one = Cycle(tmp_path / name)
        one.take_in(cases)
        if name == "killed":
            one.store.begin_run(RunParameters(), NOON)
            embed_cases(one.store, one.encoder, cases[:17], "all")
        one.run()
        found.append(one.found())
    assert found[0] == found[1]


def test_progress_counts_every_text_once(network: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.pipeline.EMBEDDING_CHUNK_SIZE", 10)
    told_to: list[tuple[str, int, int]] = []
    network.run(progress=lambda step, done, total: told_to.append((step, done, total)))
    assert told_to == [("embed", done, 43) for done in range(1, 44)]


# one person's flood


FLOOD = (
    "The {0} stood still {1} and the {2} was {3}, as on the day before.",
    "Once more the {0} stood still {1}; the {2} was {3}, and nobody came.",
    "{1} the {0} stood still, for the {2} was {3} and no one had looked.",
)


def flooded(cycle: Cycle, *, contributor: str | None) -> Theme:
    """Fifty cases by one person, all of one making, beside the honest forty of forty people."""
    when = ("at night", "in summer", "on Monday", "after lunch", "before noon", "late", "twice")
    parts = ("turbine", "sluice", "penstock", "weir", "spillway")
    states = ("cold", "loose", "bent", "dry")
    texts = [
        FLOOD[n % 3].format("turbine", when[n % 7], parts[n % 5], states[n % 4]) + f" It was turbine number {n}."
        for n in range(50)
    ]
    cycle.take_in(
        [
            build_case(f"c-{500 + n}", text, contributor=contributor, team="dam", content_hash=text)
            for n, text in enumerate(texts)
        ]
    )
    cycle.run()
    return max(
        cycle.store.themes(),
        key=lambda theme: sum("turbine" in cycle.store.case(c).text["problem"] for c in theme.case_ids),
    )


def test_fifty_cases_of_one_making_by_one_person_are_marked_kept_and_no_pattern(network: Cycle) -> None:
    flood = flooded(network, contributor="one person")
    placed = {one.case_id for one in network.store.assignments()}
    assert {f"c-{500 + n}" for n in range(50)} <= placed
    patterns = {draft.theme_id: draft for draft, _, _ in network.store.drafts()}
    own = {f"c-{500 + n}" for n in range(50)}
    assert set(flood.case_ids) <= own
    assert flood.one_contributor
    assert patterns[flood.id].name == "No repeatable pattern in these cases"
    assert "one contributor" in str(patterns[flood.id].fields["reason"])
    honest = [theme for theme in network.store.themes() if not set(theme.case_ids) & own]
    assert len(honest) >= 4
    assert not any(theme.one_contributor for theme in honest)


def test_where_nobody_is_named_no_theme_is_one_persons(network: Cycle) -> None:
    assert not flooded(network, contributor=None).one_contributor


# names by a language model


def naming(
    cycle: Cycle, answer: Mapping[str, Any] | None = None, *, lie: bool = False
) -> tuple[LlmContext, ScriptedModel]:
    """A model that names a theme by the last word of its first case, and quotes that case."""

    def say(prompt: RenderedPrompt) -> ScriptedReply:
        case_id = re.findall(r"Its case (c-\d+):", prompt.user)[0]
        problem = cycle.store.case(case_id).text["problem"]
        subject = next(word for word in SUBJECTS if f" {word} " in problem)
        text = "The choir sang all night." if lie else problem
        said = {"name": f"{subject} standstill", "gist": f"The {subject} again.", **(answer or {})}
        return {**said, "quotes": [{"case_id": case_id, "text": text}]}

    model = ScriptedModel({PROMPT_ID: say})
    return LlmContext(model, PromptFiles(packaged_prompts_dir())), model


def test_a_model_names_new_themes_once_and_people_can_see_on_what_ground(network: Cycle) -> None:
    namer, model = naming(network)
    record = network.run(namer, draft=False)
    for subject in SUBJECTS:
        theme = network.theme_of(subject)
        assert (theme.name, theme.gist) == (f"{subject} standstill", f"The {subject} again.")
    assert (len(model.requests), record.notes) == (5, ())
    network.take_in(told(100, 1, ["pump"]))
    network.run(namer, draft=False)
    assert len(model.requests) == 5
    assert network.theme_of("pump").name == "pump standstill"


def test_a_model_that_fails_leaves_the_key_phrases_and_a_note_for_each_theme(network: Cycle) -> None:
    model = ScriptedModel({PROMPT_ID: [SERVER_FAILURE] * 5})
    record = network.run(LlmContext(model, PromptFiles(packaged_prompts_dir())), draft=False)
    assert (record.state, len(record.notes)) == ("finished", 5)
    assert all("keeps its key phrases as a name: the model's server failed" in note for note in record.notes)
    named = [theme.name for theme in network.store.themes()]
    network.run(draft=False)
    assert [theme.name for theme in network.store.themes()] == named


def test_a_run_whose_calls_failed_is_not_taken_for_the_answer_next_time(network: Cycle) -> None:
    failing = LlmContext(ScriptedModel({PROMPT_ID: [SERVER_FAILURE] * 5}), PromptFiles(packaged_prompts_dir()))
    assert network.run(failing, draft=False).number == 1
    assert network.run(failing, draft=False).number == 2


def test_a_model_that_invents_its_quotes_is_refused(network: Cycle) -> None:
    namer, model = naming(network, lie=True)
    record = network.run(namer, draft=False)
    assert len(model.requests) == 5
    assert [note.split(": ")[1] for note in record.notes] == ["its quotes were not found in the cases."] * 5
    assert not any("standstill" in theme.name or theme.gist.endswith(" again.") for theme in network.store.themes())


def test_a_gist_that_its_quotes_hardly_carry_comes_with_a_note(network: Cycle) -> None:
    namer, _ = naming(network, {"gist": "People hide mistakes and never talk in any meeting or to any colleague."})
    record = network.run(namer, draft=False)
    assert len(record.notes) == 5
    assert all("has a gist to look at twice: Its quotes hold" in note for note in record.notes)
    assert all("standstill" in theme.name for theme in network.store.themes())


def test_a_gist_that_its_quotes_hardly_carry_and_no_case_words_is_not_taken(network: Cycle) -> None:
    namer, _ = naming(network, {"gist": "You name themes for practitioners who share real problems."})
    record = network.run(namer, draft=False)
    assert [note.split(": ")[1] for note in record.notes] == ["its gist is not in the words of its cases."] * 5
    assert not any("standstill" in theme.name for theme in network.store.themes())


def test_an_answer_that_repeats_its_instructions_is_not_taken(network: Cycle) -> None:
    said = "The gist is one sentence of at most 30 words: what happens again and again, and under which circumstances."
    namer, _ = naming(network, {"gist": said})
    record = network.run(namer, draft=False)
    assert [note.split(": ")[1] for note in record.notes] == ["the answer repeats the words of its instructions."] * 5


def test_a_name_or_a_gist_with_a_fact_that_no_case_holds_is_not_taken(network: Cycle) -> None:
    namer, _ = naming(network, {"gist": "It went wrong 9731 times again."})
    record = network.run(namer, draft=False)
    assert [note.split(": ")[1] for note in record.notes] == [
        "its gist does not hold (the cases it quotes do not hold a number)."
    ] * 5
    assert not any("standstill" in theme.name for theme in network.store.themes())


def test_a_gist_cannot_stand_on_a_case_of_another_theme(network: Cycle) -> None:
    def quote_a_neighbour(prompt: RenderedPrompt) -> ScriptedReply:
        own = network.store.case(re.findall(r"Its case (c-\d+):", prompt.user)[0]).text["problem"]
        subject = own.split()[1]
        outside = next(case for case in network.store.cases() if subject not in case.text["problem"])
        quotes = [{"case_id": outside.id, "text": outside.text["problem"]}]
        return {"name": f"{subject} standstill", "gist": "It stands still.", "quotes": quotes}

    model = ScriptedModel({PROMPT_ID: quote_a_neighbour})
    record = network.run(LlmContext(model, PromptFiles(packaged_prompts_dir())), draft=False)
    assert [note.split(": ")[1] for note in record.notes] == ["its quotes were not found in the cases."] * 5


def test_a_name_like_a_neighbours_is_sent_back_once_then_told_apart_by_a_key_phrase(network: Cycle) -> None:
    namer, model = naming(network, {"name": "Morning shift"})
    record = network.run(namer, draft=False)
    names = [theme.name for theme in network.store.themes()]
    assert record.notes == ()
    assert len(model.requests) == 5 + 4
    assert names.count("Morning shift") == 1
    assert all(name.startswith("Morning shift") and len(name.split()) <= 6 for name in names)
    assert len(set(names)) == 5
    again = [request.prompt.user for request in model.requests if "could not stand" in request.prompt.user]
    assert len(again) == 4
    assert all('too like the name of another theme, "Morning shift' in asked for asked in again)


@pytest.mark.parametrize("name", ["Various challenges", "Leadership alignment"])
def test_a_name_that_says_nothing_is_sent_back_once_with_the_reason_and_then_refused(network: Cycle, name: str) -> None:
    namer, model = naming(network, {"name": name})
    record = network.run(namer, draft=False)
    assert (len(record.notes), len(model.requests)) == (5, 10)
    assert name not in {theme.name for theme in network.store.themes()}


def test_a_model_that_sees_nothing_shared_is_not_asked_again(network: Cycle) -> None:
    namer, model = naming(network, {"name": None, "gist": "", "quotes": []})
    record = network.run(namer, draft=False)
    assert (len(record.notes), len(model.requests)) == (5, 5)
    assert all("it sees no problem that these cases share" in note for note in record.notes)


# what may leave the network


def test_a_text_for_the_network_alone_is_withheld_from_every_export(cycle: Cycle) -> None:
    private = told(0, 8, ["scanner", "pump"], consent=Consent.NETWORK_ONLY)
    cycle.take_in(private + told(100, 8, ["pallet", "login"]))
    cycle.run()
    sentences = [text for case in private for text in case.text.values()]
    exported = {what: list(export_rows(cycle.store, what)) for what in ("cases", "themes", "drafts", "patterns")}
    for what, rows in exported.items():
        assert not [one for one in sentences if one in str(rows)], what
    assert len(exported["cases"]) == 32
    assert sum(row.get("withheld") == "network only" for row in exported["cases"]) == 16
    assert len(exported["themes"]) == len(cycle.store.themes())
    withheld = [row for row in exported["drafts"] if row["withheld_claims"]]
    assert {row["theme_id"] for row in withheld} == {cycle.theme_of("scanner").id, cycle.theme_of("pump").id}
    open_row = next(row for row in exported["themes"] if row["theme_id"] == cycle.theme_of("login").id)
    assert open_row["gist"]


# the house


def test_an_index_that_is_damaged_or_stale_does_not_stop_the_search(tmp_path: Path) -> None:
    cases = told(0, 8)
    with_cases = Cycle(tmp_path)
    with_cases.take_in(cases)
    house = AppContext(Settings(home=tmp_path), encoder=HashingEncoder())
    query = house.encoder.encode([cases[0].text["problem"]])[0]
    with house.open_index() as index:
        expected = index.search(query, 5)
    chroma = house.chroma_index()
    ids, vectors = [case.id for case in cases], embed_cases(house.store, house.encoder, cases, "all")
    chroma.rebuild(ids, vectors)
    chroma.close()
    with house.open_index() as index:
        assert type(index).__name__ == "ChromaIndex"
        assert index.search(query, 5) == expected
    (tmp_path / "index" / "chroma" / "chroma.sqlite3").write_bytes(b"no database " * 4000)
    for log in (tmp_path / "index" / "chroma").glob("chroma.sqlite3-*"):
        log.unlink()
    with house.open_index() as index:
        assert index.search(query, 5) == expected


def test_an_index_follows_every_run_of_one_process(tmp_path: Path) -> None:
    cycle = Cycle(tmp_path)
    cycle.take_in(told(0, 8))
    house = AppContext(Settings(home=tmp_path), encoder=HashingEncoder(), clock=FixedClock(NOON))
    chroma = house.chroma_index()
    chroma.rebuild([], house.encoder.encode([]))
    chroma.close()
    for seed in range(2):
        cycle.take_in(told(100 * (seed + 1), 2))
        house.run(RunParameters(seed=seed))
        with house.open_index() as index:
            assert type(index).__name__ == "ChromaIndex"

"""Tests of the pipeline on a small generated network with planted groups."""

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
from patternmind.embedding.vectors import EMBEDDING_CHUNK_SIZE, embed_cases
from patternmind.errors import ModelUnavailable, UsageError
from patternmind.grounding import ground
from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir
from patternmind.llm.scripted_model import SERVER_FAILURE, ScriptedModel, ScriptedReply
from patternmind.pipeline import LlmContext, run_pipeline
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


def build_subject_case(number: int, subject: str, **options: Any) -> Case:
    """Return a case with words of its subject; the same number gives the same words."""
    draw = random.Random(number)
    words = SUBJECTS[subject].split()

    def sentence() -> str:
        sampled = [*draw.sample(words, 6), *draw.sample(COMMON, 5)]
        draw.shuffle(sampled)
        return f"{' '.join(sampled)}."

    text = {"problem": f"The {subject} {sentence()} {sentence()}", "lesson": f"Our {subject} {sentence()}"}
    return build_case(
        f"c-{number:03d}", text, date=dt.date(2026, 1 + number % 9, 3), content_hash=str(number), **options
    )


def build_cases(first: int, per_subject: int, subjects: Sequence[str] = tuple(SUBJECTS), **options: Any) -> list[Case]:
    return [
        build_subject_case(first + position * per_subject + number, subject, **options)
        for position, subject in enumerate(subjects)
        for number in range(per_subject)
    ]


def outlier_cases() -> list[Case]:
    return [
        build_case(f"c-{900 + n}", f"One {words} story of {words} and nothing but {words} here.", content_hash=words)
        for n, words in enumerate(STRANGERS)
    ]


class PipelineNetwork:
    """Network on disk with its encoder and clock; ``run`` runs the pipeline on it."""

    def __init__(self, folder: Path) -> None:
        self.store = SqlStore(folder / DATABASE_FILE)
        self.encoder = HashingEncoder()
        self.clock = FixedClock(NOON)

    def save(self, cases: Sequence[Case]) -> None:
        self.store.cases.save_all([(build_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, llm: LlmContext | None = None, progress: Progress | None = None, **parameters: Any) -> RunRecord:
        self.clock.at += dt.timedelta(minutes=1)
        run_parameters = RunParameters(**parameters)
        return run_pipeline(self.store, self.encoder, self.clock, run_parameters, llm=llm, progress=progress)

    def theme_of(self, subject: str) -> Theme:
        """Return the theme with most cases of a subject."""
        return max(
            self.store.themes.list_all(), key=lambda theme: sum(self.is_about(id, subject) for id in theme.case_ids)
        )

    def is_about(self, case_id: str, subject: str) -> bool:
        return f" {subject} " in self.store.cases.get(case_id).text["problem"]

    def result(self) -> list[object]:
        """Return the result of a run without its id and times."""
        drafts = [(draft.id, draft.fields, draft.claims) for draft, _, _ in self.store.drafts.list_all()]
        return [self.store.themes.list_all(), self.store.themes.areas(), self.store.runs.assignments(), sorted(drafts)]


@pytest.fixture
def empty_network(tmp_path: Path) -> PipelineNetwork:
    return PipelineNetwork(tmp_path)


@pytest.fixture
def network(empty_network: PipelineNetwork) -> PipelineNetwork:
    empty_network.save([*build_cases(0, 8), *outlier_cases()])
    return empty_network


def test_run_finds_planted_groups_and_outliers(network: PipelineNetwork) -> None:
    record = network.run()
    themes = network.store.themes.list_all()
    assert (record.state, record.n_cases, record.n_themes, record.n_drafts) == ("finished", 43, 5, 5)
    assert list(record.seconds) == ["embed", "cluster", "carry", "draft", "map"]
    for subject in SUBJECTS:
        theme = network.theme_of(subject)
        assert all(network.is_about(case_id, subject) for case_id in theme.case_ids)
        assert theme.lineage is Lineage.NEW
        assert theme.new_cases == theme.n_cases == len(theme.case_ids)
        assert sum(theme.trend.values()) == theme.n_cases
        assert set(theme.exemplars) <= set(theme.case_ids)
        assert theme.nearest_theme_id in {other.id for other in themes} - {theme.id}
        assert any(theme.gist in text for id in theme.case_ids for text in network.store.cases.get(id).text.values())
    theme_by_case = {item.case_id: item.theme_id for item in network.store.runs.assignments()}
    assert [theme_by_case[case.id] for case in outlier_cases()] == [None] * 3


def test_run_assigns_every_case_exactly_once(network: PipelineNetwork) -> None:
    record = network.run()
    assignments, themes = network.store.runs.assignments(), network.store.themes.list_all()
    assert [assignment.case_id for assignment in assignments] == [case.id for case in network.store.cases.list_all()]
    members = {case_id: theme.id for theme in themes for case_id in theme.case_ids}
    assert sum(len(theme.case_ids) for theme in themes) == len(members)
    assert {assignment.case_id: assignment.theme_id for assignment in assignments if assignment.theme_id} == members
    outliers = [assignment for assignment in assignments if assignment.theme_id is None]
    assert len(outliers) == record.n_outliers == 43 - len(members)
    assert all(
        assignment.reason and assignment.nearest_theme_id and assignment.area_id is None for assignment in outliers
    )
    assert {assignment.area_id for assignment in assignments if assignment.theme_id} == set(
        network.store.themes.areas()
    )
    assert all(0 <= assignment.strength <= 1 for assignment in assignments)


def test_theme_names_are_distinct_and_use_words_of_their_cases(network: PipelineNetwork) -> None:
    network.run()
    themes = network.store.themes.list_all()
    assert len({theme.name.casefold() for theme in themes}) == len(themes)
    for theme in themes:
        texts = ["\n".join(network.store.cases.get(id).text.values()) for id in theme.case_ids]
        assert lint_name(theme.name, texts) == []


def test_drafted_claims_quote_cases_of_their_theme(network: PipelineNetwork) -> None:
    network.run()
    cases = {case.id: case for case in network.store.cases.list_all()}
    themes = {theme.id: theme for theme in network.store.themes.list_all()}
    for draft, _, _ in network.store.drafts.list_all():
        assert draft.claims
        assert ground(draft, cases).draft == draft
        quoted = {quote.case_id for claim in draft.claims for quote in claim.quotes}
        assert quoted <= set(themes[draft.theme_id or ""].case_ids)


def no_candidates(*_: object, **__: object) -> list[Phrase]:
    return []


@pytest.fixture
def names_by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable name candidates, so that the encoder only counts cases."""
    monkeypatch.setattr("patternmind.assembly.propose_name_candidates", no_candidates)


@pytest.mark.usefixtures("names_by_words")
def test_run_without_changes_returns_the_last_run_and_encodes_nothing(network: PipelineNetwork) -> None:
    first = network.run()
    encoded = network.encoder.n_encoded
    assert encoded == 43
    assert network.run() == first
    assert (network.encoder.n_encoded, len(network.store.runs.list_all())) == (encoded, 1)
    assert network.run(seed=1).number == 2
    assert network.encoder.n_encoded == encoded


def test_run_is_independent_of_the_import_order(tmp_path: Path) -> None:
    results: list[list[object]] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        network = PipelineNetwork(tmp_path / name)
        cases = [*build_cases(0, 8), *outlier_cases()]
        random.Random(name).shuffle(cases)
        for start in range(0, len(cases), 10):
            network.save(cases[start : start + 10])
        network.run()
        results.append(network.result())
    assert results[0] == results[1]


def test_run_gives_the_same_result_in_a_used_process(tmp_path: Path) -> None:
    results: list[list[object]] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        network = PipelineNetwork(tmp_path / name)
        network.save(
            [build_subject_case(n, draw) for n, draw in enumerate(random.Random(1).choices(list(SUBJECTS), k=40))]
        )
        network.run()
        results.append(network.result())
    assert results[0] == results[1]


# from run to run


def test_run_adds_new_cases_to_themes_with_the_same_id_and_name(network: PipelineNetwork) -> None:
    network.run(label="2026Q3")
    before = {subject: network.theme_of(subject) for subject in SUBJECTS}
    network.save(build_cases(100, 2, ["pump"]))
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
    change = next(
        theme_change for theme_change in network.store.themes.changes(record.id) if theme_change.theme_id == pump.id
    )
    assert (change.lineage, change.n_before, change.n_after, change.n_shared) == (Lineage.GREW, 8, 10, 8)


def test_run_makes_a_new_theme_for_a_new_topic(empty_network: PipelineNetwork) -> None:
    empty_network.save(build_cases(0, 10, ["scanner", "pallet", "login"]))
    empty_network.run()
    before = empty_network.store.themes.list_all()
    empty_network.save(build_cases(100, 10, ["invoice"]))
    empty_network.run()
    invoice = empty_network.theme_of("invoice")
    assert invoice.lineage is Lineage.NEW
    assert invoice.id not in {theme.id for theme in before}
    assert len({theme.name for theme in empty_network.store.themes.list_all()}) == len(
        empty_network.store.themes.list_all()
    )


def test_theme_is_dormant_after_two_quiet_labelled_runs_and_returns_with_a_new_case(network: PipelineNetwork) -> None:
    network.run(label="2026Q1")
    for label, lineage in (("2026Q2", Lineage.CONTINUED), ("", Lineage.CONTINUED), ("2026Q3", Lineage.DORMANT)):
        network.run(label=label)
        assert {theme.lineage for theme in network.store.themes.list_all()} == {lineage}, label
    network.save(build_cases(100, 1, ["login"]))
    network.run(label="2026Q4")
    assert network.theme_of("login").lineage is Lineage.RETURNED
    assert network.theme_of("pump").lineage is Lineage.DORMANT


def test_run_with_the_same_label_adds_no_quiet_period(network: PipelineNetwork) -> None:
    network.run(label="2026Q1")
    for label in ("2026Q2", "", "2026Q2"):
        network.run(label=label)
    assert {theme.quiet_runs for theme in network.store.themes.list_all()} == {1}


def test_theme_outside_a_narrowed_run_remains_and_continues_afterwards(empty_network: PipelineNetwork) -> None:
    old = [replace(case, date=dt.date(2025, 5, 5)) for case in build_cases(0, 10, ["scanner", "pallet"])]
    empty_network.save(old + build_cases(100, 10, ["login", "pump"]))
    empty_network.run()
    scanner = empty_network.theme_of("scanner")
    empty_network.run(since="2026-01-01")
    unseen = next(theme for theme in empty_network.store.themes.list_all() if theme.id == scanner.id)
    assert (unseen.name, unseen.case_ids, unseen.lineage) == (scanner.name, (), Lineage.CONTINUED)
    assert (unseen.n_cases, unseen.n_teams, unseen.n_contributors, unseen.share) == (0, 0, 0, 0)
    assert empty_network.store.themes.list_all()[-1].case_ids == ()
    empty_network.run()
    continued = empty_network.theme_of("scanner")
    assert (continued.id, continued.lineage, continued.new_cases) == (scanner.id, Lineage.CONTINUED, 0)


def test_unlabelled_run_keeps_cases_new_for_the_period(network: PipelineNetwork) -> None:
    network.run(label="2026Q1")
    network.save(build_cases(100, 2, ["login"]))
    for label, n_new in (("", 2), ("2026Q2", 2), ("2026Q2", 2), ("", 0), ("2026Q3", 0)):
        network.run(label=label)
        assert network.theme_of("login").new_cases == n_new, label
        assert network.theme_of("pump").new_cases == 0


def test_new_lens_uses_the_periods_of_the_network(network: PipelineNetwork) -> None:
    network.run(label="2026Q1")
    network.save(build_cases(100, 2, ["login"]))
    network.run(label="2026Q2", lens="problem")
    assert sum(theme.new_cases for theme in network.store.themes.list_all("problem")) == 2


def test_near_duplicates_stay_marked_after_narrowed_runs_and_other_lenses(network: PipelineNetwork) -> None:
    first = build_cases(0, 1, ["scanner"])[0]
    copy = replace(first, id="c-800", external_id="C-800", content_hash="again", date=dt.date(2026, 8, 1))
    network.save([copy])
    network.run()
    assert [case.id for case in network.store.cases.list_all() if case.duplicate_of] == ["c-800"]
    runs: list[dict[str, Any]] = [{"lens": "helped"}, {"since": "2026-02-01"}, {"since": "2026-09-01"}]
    for parameters in runs:
        network.run(**parameters)
        assert network.store.cases.get("c-800").duplicate_of == first.id, parameters


def test_lenses_have_separate_themes(network: PipelineNetwork) -> None:
    network.run()
    themes = network.store.themes.list_all("all")
    network.run(lens="helped")
    assert network.store.themes.list_all("all") == themes
    assert not {theme.id for theme in network.store.themes.list_all("helped")} & {theme.id for theme in themes}
    assert len(network.store.drafts.list_all()) == len(themes) + len(network.store.themes.list_all("helped"))
    with pytest.raises(UsageError):
        network.run(lens="colour")
    assert len(network.store.runs.list_all()) == 2


def test_run_at_area_level_groups_by_areas(network: PipelineNetwork) -> None:
    network.run()
    n_areas = len(network.store.themes.areas())
    assert network.run(level="area").n_themes == n_areas < 5


def test_run_fits_a_sample_above_the_limit_and_adds_a_note(
    network: PipelineNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.run()
    former_themes = {assignment.case_id: assignment.theme_id for assignment in network.store.runs.assignments()}
    limit = len(former_themes) * 3 // 4
    monkeypatch.setattr("patternmind.pipeline.MAX_FITTED_ROWS", limit)
    monkeypatch.setattr("patternmind.pipeline.group_rows", partial(group_rows, max_fitted_rows=limit))
    run = network.run(from_scratch=True)
    assert any("Only a sample of the cases was grouped" in note for note in run.notes)
    current_themes = {assignment.case_id: assignment.theme_id for assignment in network.store.runs.assignments()}
    assert current_themes.keys() == former_themes.keys()
    assert sum(current_themes[case_id] == theme_id for case_id, theme_id in former_themes.items()) >= 0.8 * len(
        former_themes
    )


def test_run_works_with_hdbscan(network: PipelineNetwork) -> None:
    record = network.run(engine="hdbscan")
    assert (record.state, record.n_cases) == ("finished", 43)
    assert len(network.store.runs.assignments()) == 43


# little or no input


@pytest.mark.parametrize("n", [0, 1, 19])
def test_run_reports_too_few_cases_below_twenty(empty_network: PipelineNetwork, n: int) -> None:
    empty_network.save(build_cases(0, 4)[:n])
    record = empty_network.run()
    assert (record.state, record.n_cases, record.n_themes, record.n_outliers) == ("finished", n, 0, n)
    assert record.notes == (f"Not enough cases to group: you have {n} and need 20.",)
    assert {assignment.reason for assignment in empty_network.store.runs.assignments()} <= {"too few cases to group"}
    assert empty_network.store.drafts.list_all() == []


def test_run_reports_when_nothing_recurs(empty_network: PipelineNetwork) -> None:
    unrelated = [
        build_case(f"c-{n:02d}", " ".join(f"word{n}x{i}" for i in range(12)), content_hash=str(n)) for n in range(24)
    ]
    empty_network.save(unrelated)
    record = empty_network.run()
    if record.n_themes == 0:
        assert record.notes == ("Nothing recurs yet.",)
        assert {assignment.reason for assignment in empty_network.store.runs.assignments()} == {"nothing recurs yet"}
    assert record.n_cases == 24


def test_run_without_drafts_keeps_existing_drafts(network: PipelineNetwork) -> None:
    network.run()
    before = network.store.drafts.list_all()
    assert network.run(draft=False, seed=1).n_drafts == 0
    assert network.store.drafts.list_all() == before


def test_near_duplicates_count_once_in_themes_and_gists(network: PipelineNetwork) -> None:
    first = build_case(
        "c-200", "The pump lost its gasket and the valve " + " ".join(f"detail{n}" for n in range(30)), content_hash="d"
    )
    network.save([first, replace(first, id="c-201"), replace(first, id="c-202")])
    network.run()
    repeated = [case for case in network.store.cases.list_all() if case.duplicate_of]
    assert [(case.id, case.duplicate_of) for case in repeated] == [("c-201", "c-200"), ("c-202", "c-200")]
    for theme in network.store.themes.list_all():
        copies = set(theme.case_ids) & {"c-200", "c-201", "c-202"}
        assert theme.n_cases == len(theme.case_ids) - max(0, len(copies) - 1)


def test_repeated_copies_of_a_case_are_not_a_theme(network: PipelineNetwork) -> None:
    first = build_case("c-200", "The pump lost its gasket " + " ".join(f"detail{n}" for n in range(30)))
    copies = [replace(first, id=f"c-{number}") for number in range(201, 206)]
    network.save([first, *copies])
    network.run()
    theme_by_case = {assignment.case_id: assignment.theme_id for assignment in network.store.runs.assignments()}
    themes_with_copies = {theme_by_case[case.id] for case in [first, *copies]} - {None}
    assert all(theme.n_cases >= 3 for theme in network.store.themes.list_all() if theme.id in themes_with_copies)


def test_theme_with_a_fallback_name_gets_no_renaming_note(network: PipelineNetwork) -> None:
    stop_words = "it was as that and is for with from this".split()
    network.save(
        [build_case(f"c-{300 + n}", " ".join(stop_words[n:] + stop_words[:n]), content_hash=str(n)) for n in range(6)]
    )
    network.run(label="2026Q3")
    words = [*stop_words, "gasket"]
    network.save([build_case(f"c-{310 + n}", " ".join(words[n:] + words[:n]), content_hash=str(n)) for n in range(6)])
    assert any(theme.name == f"Theme {theme.id[-4:]}" for theme in network.store.themes.list_all())
    assert not [note for note in network.run(label="2026Q4").notes if "no longer called" in note]
    assert any("gasket" in theme.name.casefold() for theme in network.store.themes.list_all())


# decisions of people


def test_decisions_survive_later_runs_and_rejected_drafts_stay_rejected(network: PipelineNetwork) -> None:
    network.run(label="2026Q3")
    first, second, *_ = [draft.id for draft, _, _ in network.store.drafts.list_all()]
    decide_draft(network.store, network.clock, first, DraftAction.ACCEPT, actor="Ada")
    decide_draft(
        network.store, network.clock, second, DraftAction.REJECT, actor="Ada", reason=RejectionReason.NOT_USEFUL
    )
    network.run(label="2026Q4")
    states = {entry.grounded.draft.id: entry for entry in list_all_drafts(network.store)}
    assert {states[first].decisions[-1].after, states[second].decisions[-1].after} == {
        DraftState.ACCEPTED,
        DraftState.REJECTED,
    }
    network.save(build_cases(100, 3))
    network.run(label="2027Q1")
    draft_ids = {entry.grounded.draft.id for entry in list_all_drafts(network.store)}
    assert {first, second} <= draft_ids


# failures


class FailingEncoder(HashingEncoder):
    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        if self.n_encoded >= self.after:
            raise ModelUnavailable("the weights are gone")
        return super().encode(texts, progress=progress)


def test_run_with_a_failing_encoder_is_marked_failed_and_keeps_the_last_result(network: PipelineNetwork) -> None:
    network.run()
    before = network.result()
    network.save(build_cases(100, 2))
    network.encoder = FailingEncoder(0)
    with pytest.raises(ModelUnavailable):
        network.run()
    assert [run.state for run in network.store.runs.list_all()] == ["finished", "failed"]
    assert network.store.runs.list_all()[1].notes == ("ModelUnavailable",)
    assert network.result() == before
    network.encoder = HashingEncoder()
    assert network.run().state == "finished"
    assert network.encoder.n_encoded == 10


@pytest.mark.usefixtures("names_by_words")
def test_run_reuses_vectors_stored_before_a_failure(
    empty_network: PipelineNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patternmind.embedding.vectors.EMBEDDING_CHUNK_SIZE", 10)
    empty_network.save(build_cases(0, 8))
    empty_network.encoder = FailingEncoder(20)
    with pytest.raises(ModelUnavailable):
        empty_network.run()
    empty_network.encoder = HashingEncoder()
    empty_network.run()
    assert empty_network.encoder.n_encoded == 20
    assert EMBEDDING_CHUNK_SIZE == 512


def test_run_that_died_is_marked_interrupted_and_the_next_finishes(network: PipelineNetwork) -> None:
    network.store.runs.begin(RunParameters(), NOON)
    network.run()
    assert [run.state for run in network.store.runs.list_all()] == ["interrupted", "finished"]


def test_run_after_a_kill_gives_the_undisturbed_result(tmp_path: Path) -> None:
    cases = [*build_cases(0, 8), *outlier_cases()]
    results: list[list[object]] = []
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
        network = PipelineNetwork(tmp_path / name)
        network.save(cases)
        if name == "killed":
            network.store.runs.begin(RunParameters(), NOON)
            embed_cases(network.store, network.encoder, cases[:17], "all")
        network.run()
        results.append(network.result())
    assert results[0] == results[1]


def test_run_progress_counts_every_text_once(network: PipelineNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patternmind.embedding.vectors.EMBEDDING_CHUNK_SIZE", 10)
    reported: list[tuple[str, int, int]] = []
    network.run(progress=lambda step, done, total: reported.append((step, done, total)))
    assert reported == [("embed", done, 43) for done in range(1, 44)]


# many cases of one contributor


FLOOD = (
    "The {0} stood still {1} and the {2} was {3}, as on the day before.",
    "Once more the {0} stood still {1}; the {2} was {3}, and nobody came.",
    "{1} the {0} stood still, for the {2} was {3} and no one had looked.",
)


def run_with_flood(empty_network: PipelineNetwork, *, contributor: str | None) -> Theme:
    """Add fifty similar cases by one contributor, run, and return their theme."""
    when = ("at night", "in summer", "on Monday", "after lunch", "before noon", "late", "twice")
    parts = ("turbine", "sluice", "penstock", "weir", "spillway")
    states = ("cold", "loose", "bent", "dry")
    texts = [
        FLOOD[n % 3].format("turbine", when[n % 7], parts[n % 5], states[n % 4]) + f" It was turbine number {n}."
        for n in range(50)
    ]
    empty_network.save(
        [
            build_case(f"c-{500 + n}", text, contributor=contributor, team="dam", content_hash=text)
            for n, text in enumerate(texts)
        ]
    )
    empty_network.run()
    return max(
        empty_network.store.themes.list_all(),
        key=lambda theme: sum("turbine" in empty_network.store.cases.get(c).text["problem"] for c in theme.case_ids),
    )


def test_theme_of_a_single_contributor_is_marked_and_gets_no_pattern(network: PipelineNetwork) -> None:
    flood = run_with_flood(network, contributor="one person")
    assigned = {assignment.case_id for assignment in network.store.runs.assignments()}
    assert {f"c-{500 + n}" for n in range(50)} <= assigned
    patterns = {draft.theme_id: draft for draft, _, _ in network.store.drafts.list_all()}
    flood_ids = {f"c-{500 + n}" for n in range(50)}
    assert set(flood.case_ids) <= flood_ids
    assert flood.one_contributor
    assert patterns[flood.id].name == "No repeatable pattern in these cases"
    assert "one contributor" in str(patterns[flood.id].fields["reason"])
    other_themes = [theme for theme in network.store.themes.list_all() if not set(theme.case_ids) & flood_ids]
    assert len(other_themes) >= 4
    assert not any(theme.one_contributor for theme in other_themes)


def test_theme_without_contributors_is_not_marked_as_single_contributor(network: PipelineNetwork) -> None:
    assert not run_with_flood(network, contributor=None).one_contributor


# names by a language model


def naming_model(
    empty_network: PipelineNetwork, answer: Mapping[str, Any] | None = None, *, invent_quotes: bool = False
) -> tuple[LlmContext, ScriptedModel]:
    """Return a model that names a theme by the subject of its first case."""

    def answer_prompt(prompt: RenderedPrompt) -> ScriptedReply:
        case_id = re.findall(r"Its case (c-\d+):", prompt.user)[0]
        problem = empty_network.store.cases.get(case_id).text["problem"]
        subject = next(word for word in SUBJECTS if f" {word} " in problem)
        text = "The choir sang all night." if invent_quotes else problem
        response = {"name": f"{subject} standstill", "gist": f"The {subject} again.", **(answer or {})}
        return {**response, "quotes": [{"case_id": case_id, "text": text}]}

    model = ScriptedModel({PROMPT_ID: answer_prompt})
    return LlmContext(model, PromptFiles(packaged_prompts_dir())), model


def test_model_names_new_themes_once_with_visible_provenance(network: PipelineNetwork) -> None:
    llm, model = naming_model(network)
    record = network.run(llm, draft=False)
    for subject in SUBJECTS:
        theme = network.theme_of(subject)
        assert (theme.name, theme.gist) == (f"{subject} standstill", f"The {subject} again.")
    assert (len(model.requests), record.notes) == (5, ())
    network.save(build_cases(100, 1, ["pump"]))
    network.run(llm, draft=False)
    assert len(model.requests) == 5
    assert network.theme_of("pump").name == "pump standstill"


def test_model_failure_keeps_key_phrases_and_adds_a_note_per_theme(network: PipelineNetwork) -> None:
    model = ScriptedModel({PROMPT_ID: [SERVER_FAILURE] * 5})
    record = network.run(LlmContext(model, PromptFiles(packaged_prompts_dir())), draft=False)
    assert (record.state, len(record.notes)) == ("finished", 5)
    assert all("keeps its key phrases as a name: the model's server failed" in note for note in record.notes)
    names = [theme.name for theme in network.store.themes.list_all()]
    network.run(draft=False)
    assert [theme.name for theme in network.store.themes.list_all()] == names


def test_run_with_failed_calls_is_computed_again(network: PipelineNetwork) -> None:
    failing = LlmContext(ScriptedModel({PROMPT_ID: [SERVER_FAILURE] * 5}), PromptFiles(packaged_prompts_dir()))
    assert network.run(failing, draft=False).number == 1
    assert network.run(failing, draft=False).number == 2


def test_model_answer_with_invented_quotes_is_refused(network: PipelineNetwork) -> None:
    llm, model = naming_model(network, invent_quotes=True)
    record = network.run(llm, draft=False)
    assert len(model.requests) == 5
    assert [note.split(": ")[1] for note in record.notes] == ["its quotes were not found in the cases."] * 5
    assert not any(
        "standstill" in theme.name or theme.gist.endswith(" again.") for theme in network.store.themes.list_all()
    )


def test_gist_with_weak_support_has_a_note(network: PipelineNetwork) -> None:
    llm, _ = naming_model(network, {"gist": "People hide mistakes and never talk in any meeting or to any colleague."})
    record = network.run(llm, draft=False)
    assert len(record.notes) == 5
    assert all(": please check its gist: Its quotes contain" in note for note in record.notes)
    assert all("standstill" in theme.name for theme in network.store.themes.list_all())


def test_gist_with_weak_support_and_no_case_words_is_refused(network: PipelineNetwork) -> None:
    llm, _ = naming_model(network, {"gist": "You name themes for practitioners who share real problems."})
    record = network.run(llm, draft=False)
    assert [note.split(": ")[1] for note in record.notes] == ["its gist does not use the words of its cases."] * 5
    assert not any("standstill" in theme.name for theme in network.store.themes.list_all())


def test_model_answer_that_repeats_its_instructions_is_refused(network: PipelineNetwork) -> None:
    instructions = (
        "The gist is one sentence of at most 30 words: what happens again and again, and under which circumstances."
    )
    llm, _ = naming_model(network, {"gist": instructions})
    record = network.run(llm, draft=False)
    assert [note.split(": ")[1] for note in record.notes] == ["the answer repeats the words of its instructions."] * 5


def test_model_name_or_gist_with_an_unknown_fact_is_refused(network: PipelineNetwork) -> None:
    llm, _ = naming_model(network, {"gist": "It went wrong 9731 times again."})
    record = network.run(llm, draft=False)
    assert [note.split(": ")[1] for note in record.notes] == [
        "its gist is not valid (the cases it quotes do not contain a number)."
    ] * 5
    assert not any("standstill" in theme.name for theme in network.store.themes.list_all())


def test_gist_cannot_quote_a_case_of_another_theme(network: PipelineNetwork) -> None:
    def quote_a_neighbour(prompt: RenderedPrompt) -> ScriptedReply:
        own = network.store.cases.get(re.findall(r"Its case (c-\d+):", prompt.user)[0]).text["problem"]
        subject = own.split()[1]
        outside = next(case for case in network.store.cases.list_all() if subject not in case.text["problem"])
        quotes = [{"case_id": outside.id, "text": outside.text["problem"]}]
        return {"name": f"{subject} standstill", "gist": "It stands still.", "quotes": quotes}

    model = ScriptedModel({PROMPT_ID: quote_a_neighbour})
    record = network.run(LlmContext(model, PromptFiles(packaged_prompts_dir())), draft=False)
    assert [note.split(": ")[1] for note in record.notes] == ["its quotes were not found in the cases."] * 5


def test_model_name_like_its_neighbour_is_retried_once_then_extended_by_a_key_phrase(network: PipelineNetwork) -> None:
    llm, model = naming_model(network, {"name": "Morning shift"})
    record = network.run(llm, draft=False)
    names = [theme.name for theme in network.store.themes.list_all()]
    assert record.notes == ()
    assert len(model.requests) == 5 + 4
    assert names.count("Morning shift") == 1
    assert all(name.startswith("Morning shift") and len(name.split()) <= 6 for name in names)
    assert len(set(names)) == 5
    retries = [request.prompt.user for request in model.requests if "could not stand" in request.prompt.user]
    assert len(retries) == 4
    assert all('too similar to the name of another theme, "Morning shift' in prompt for prompt in retries)


@pytest.mark.parametrize("name", ["Various challenges", "Leadership alignment"])
def test_model_name_without_meaning_is_retried_once_then_refused(network: PipelineNetwork, name: str) -> None:
    llm, model = naming_model(network, {"name": name})
    record = network.run(llm, draft=False)
    assert (len(record.notes), len(model.requests)) == (5, 10)
    assert name not in {theme.name for theme in network.store.themes.list_all()}


def test_model_answer_without_a_shared_topic_is_not_retried(network: PipelineNetwork) -> None:
    llm, model = naming_model(network, {"name": None, "gist": "", "quotes": []})
    record = network.run(llm, draft=False)
    assert (len(record.notes), len(model.requests)) == (5, 5)
    assert all("it sees no problem that these cases share" in note for note in record.notes)


# exports


def test_network_only_text_is_withheld_from_every_export(empty_network: PipelineNetwork) -> None:
    private = build_cases(0, 8, ["scanner", "pump"], consent=Consent.NETWORK_ONLY)
    empty_network.save(private + build_cases(100, 8, ["pallet", "login"]))
    empty_network.run()
    sentences = [text for case in private for text in case.text.values()]
    exported = {
        kind: list(export_rows(empty_network.store, kind)) for kind in ("cases", "themes", "drafts", "patterns")
    }
    for kind, rows in exported.items():
        assert not [sentence for sentence in sentences if sentence in str(rows)], kind
    assert len(exported["cases"]) == 32
    assert sum(row.get("withheld") == "network only" for row in exported["cases"]) == 16
    assert len(exported["themes"]) == len(empty_network.store.themes.list_all())
    withheld = [row for row in exported["drafts"] if row["withheld_claims"]]
    assert {row["theme_id"] for row in withheld} == {
        empty_network.theme_of("scanner").id,
        empty_network.theme_of("pump").id,
    }
    open_row = next(row for row in exported["themes"] if row["theme_id"] == empty_network.theme_of("login").id)
    assert open_row["gist"]


# index


def test_search_works_with_a_damaged_or_outdated_index(tmp_path: Path) -> None:
    cases = build_cases(0, 8)
    network = PipelineNetwork(tmp_path)
    network.save(cases)
    ctx = AppContext(Settings(home=tmp_path), encoder=HashingEncoder())
    query = ctx.encoder.encode([cases[0].text["problem"]])[0]
    with ctx.open_index() as index:
        expected = index.search(query, 5)
    chroma = ctx.chroma_index()
    ids, vectors = [case.id for case in cases], embed_cases(ctx.store, ctx.encoder, cases, "all")
    chroma.rebuild(ids, vectors)
    chroma.close()
    with ctx.open_index() as index:
        assert type(index).__name__ == "ChromaIndex"
        assert index.search(query, 5) == expected
    (tmp_path / "index" / "chroma" / "chroma.sqlite3").write_bytes(b"no database " * 4000)
    for log in (tmp_path / "index" / "chroma").glob("chroma.sqlite3-*"):
        log.unlink()
    with ctx.open_index() as index:
        assert index.search(query, 5) == expected


def test_index_is_updated_by_every_run(tmp_path: Path) -> None:
    network = PipelineNetwork(tmp_path)
    network.save(build_cases(0, 8))
    ctx = AppContext(Settings(home=tmp_path), encoder=HashingEncoder(), clock=FixedClock(NOON))
    chroma = ctx.chroma_index()
    chroma.rebuild([], ctx.encoder.encode([]))
    chroma.close()
    for seed in range(2):
        network.save(build_cases(100 * (seed + 1), 2))
        ctx.run(RunParameters(seed=seed))
        with ctx.open_index() as index:
            assert type(index).__name__ == "ChromaIndex"

"""Tests of patterns by a language model: map and reduce steps, reuse, and failures."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.builders import build_case
from tests.fixtures.scripted_answers import answer_candidate_pattern, answer_case_facets, rule_based_model
from tests.integration.test_pipeline import PipelineNetwork, build_cases, outlier_cases

from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import NOT_STATED
from patternmind.domain.drafts import NO_AI, Draft, DraftAction, DraftKind, DraftState, RejectionReason
from patternmind.domain.edits import EditAction
from patternmind.drafting.case_selection import MAX_CASES_SHOWN
from patternmind.drafting.patterns import NO_PATTERN
from patternmind.grounding import ground
from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir
from patternmind.llm.scripted_model import SERVER_FAILURE, Script, ScriptedModel, ScriptedReply
from patternmind.pipeline import LlmContext
from patternmind.ports import ModelAnswer, RenderedPrompt
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit

MAP, REDUCE, CHECK, NAME = "case-facets", "candidate-pattern", "weak-support", "theme-name"


class CachingModel:
    """``LanguageModel`` with a cache like the gateway's; ``n_paid`` counts the paid requests by task."""

    def __init__(self, model: ScriptedModel) -> None:
        self.model = model
        self.n_paid: Counter[str] = Counter()
        self._answers: dict[tuple[str, str], ModelAnswer] = {}

    @property
    def name(self) -> str:
        return self.model.name

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        key = (prompt.hash, prompt.input_hash)
        if key not in self._answers:
            self.n_paid[task] += 1
            self._answers[key] = self.model.ask(task, prompt)
        return self._answers[key]


def scripted_context(**scripts: Script) -> tuple[LlmContext, ScriptedModel]:
    model = rule_based_model(**scripts)
    return LlmContext(model, PromptFiles(packaged_prompts_dir())), model


def requests_by_task(model: ScriptedModel) -> Counter[str]:
    return Counter(request.task for request in model.requests)


def patterns(network: PipelineNetwork) -> list[Draft]:
    return [draft for draft, _, _ in network.store.drafts.list_all() if draft.kind is DraftKind.PATTERN]


@pytest.fixture
def network(tmp_path: Path) -> PipelineNetwork:
    network = PipelineNetwork(tmp_path)
    network.save([*build_cases(0, 8), *outlier_cases()])
    return network


# drafts


def test_patterns_by_model_are_grounded_in_their_themes(network: PipelineNetwork) -> None:
    llm_context, model = scripted_context()
    record = network.run(llm_context)
    assert record.notes == ()
    cases = {case.id: case for case in network.store.cases.list_all()}
    assert len(patterns(network)) == 5
    for draft in patterns(network):
        theme = next(theme for theme in network.store.themes.list_all() if theme.id == draft.theme_id)
        assert ground(draft, cases).refused_claims == ()
        assert ground(draft, cases).draft == draft
        assert {quote.case_id for claim in draft.claims for quote in claim.quotes} <= set(theme.case_ids)
        assert (draft.provenance.model, draft.provenance.prompt) == ("scripted", REDUCE)
        assert draft.provenance.prompt_hash
        assert {name.rpartition("@")[0] for name in draft.provenance.inputs} == set(theme.case_ids)
        assert draft.fields["forces"] == draft.fields["do_not_use_when"] == NOT_STATED
        assert str(draft.fields["solution"][0]).startswith("Therefore")
        assert "8 of 8 cases shown to the model." in str(draft.fields["coverage"])
    assert requests_by_task(model) == {NAME: 5, MAP: 40, REDUCE: 5, CHECK: 5}


def test_facets_without_a_valid_quote_do_not_reach_the_pattern(network: PipelineNetwork) -> None:
    def invent(prompt: RenderedPrompt) -> ScriptedReply:
        answer = answer_case_facets(prompt)
        invented = {"kind": "helped", "text": "A choir helped.", "quote": "The choir sang all night."}
        return {**answer, "facets": [invented, *answer["facets"]]}

    llm_context, model = scripted_context(case_facets=invent)
    network.run(llm_context)
    assert not any("choir" in str(draft.fields) for draft in patterns(network))
    assert not any("choir" in request.prompt.user for request in model.requests if request.task == REDUCE)


def test_pattern_claim_on_an_unknown_facet_is_refused_and_counted(network: PipelineNetwork) -> None:
    def overreach(prompt: RenderedPrompt) -> ScriptedReply:
        answer = answer_candidate_pattern(prompt)
        return {**answer, "forces": [{"text": "Speed matters but so does care.", "facets": ["q999"]}]}

    llm_context, _ = scripted_context(candidate_pattern=overreach)
    record = network.run(llm_context)
    assert all(draft.fields["forces"] == NOT_STATED for draft in patterns(network))
    assert sum("1 of " in note and "claims of the model were refused" in note for note in record.notes) == 5


def test_pattern_answer_no_repeatable_pattern_is_stored(network: PipelineNetwork) -> None:
    no_pattern: dict[str, Any] = {"pattern": False, "reason": "the cases share no problem", "name": ""}

    def find_no_pattern(prompt: RenderedPrompt) -> ScriptedReply:
        return {**answer_candidate_pattern(prompt), **no_pattern, "therefore": [], "steps": []}

    llm_context, _ = scripted_context(candidate_pattern=find_no_pattern)
    network.run(llm_context)
    drafts = patterns(network)
    assert {draft.name for draft in drafts} == {NO_PATTERN}
    assert {draft.fields["reason"] for draft in drafts} == {"The cases share no problem."}
    assert {draft.provenance.model for draft in drafts} == {"scripted"}


def test_support_check_stores_weak_claims_with_reasons(network: PipelineNetwork) -> None:
    def reworded(prompt: RenderedPrompt) -> ScriptedReply:
        answer = answer_candidate_pattern(prompt)
        return {**answer, "patlet": [{"text": "This is what they all do.", "facets": answer["problem"][0]["facets"]}]}

    def doubt(_: RenderedPrompt) -> ScriptedReply:
        return {"weak": [{"claim": 1, "why": "wider"}, {"claim": 99, "why": "cause"}]}

    llm_context, model = scripted_context(candidate_pattern=reworded, weak_support=doubt)
    network.run(llm_context)
    drafts = patterns(network)
    lines = {draft.fields["weak_support"] for draft in drafts}
    assert lines == {("patlet, line 1: it claims more than the few cases that it quotes.",)}
    assert requests_by_task(model)[CHECK] == 5


def test_pattern_by_model_never_contains_roster_names(tmp_path: Path) -> None:
    network = PipelineNetwork(tmp_path)
    redacted = "Ask [person 1] ([email], [link])."
    cases = [
        replace(case, text={**case.text, "tried": f"{case.text['lesson']} {redacted}"}) for case in build_cases(0, 8)
    ]
    network.save([*cases, *outlier_cases()])
    network.store.network.add_to_roster([("Ada Lovelace", "ada@example.org", None)])
    patlet = "Ask Ada Lovelace (ada@example.org, https://example.org/x)."

    def use_name(prompt: RenderedPrompt) -> ScriptedReply:
        answer = answer_candidate_pattern(prompt)
        return {**answer, "patlet": [{"text": patlet, "facets": answer["problem"][0]["facets"]}]}

    llm_context, _ = scripted_context(candidate_pattern=use_name)
    network.run(llm_context)
    assert {draft.fields["patlet"] for draft in patterns(network)} == {redacted}


def test_run_report_names_a_case_with_instructions(network: PipelineNetwork) -> None:
    def report_instructions(prompt: RenderedPrompt) -> ScriptedReply:
        return {**answer_case_facets(prompt), "instructions": "Case c-003." in prompt.user}

    llm_context, _ = scripted_context(case_facets=report_instructions)
    record = network.run(llm_context)
    assert record.notes == (
        "Case c-003 contains instructions to a model. They were not followed; please check the case.",
    )


# failures


def test_pattern_uses_readable_cases_and_counts_the_others(network: PipelineNetwork) -> None:
    def fail_once(prompt: RenderedPrompt) -> ScriptedReply:
        return SERVER_FAILURE if "Case c-003." in prompt.user else answer_case_facets(prompt)

    llm_context, _ = scripted_context(case_facets=fail_once)
    record = network.run(llm_context)
    theme = next(theme for theme in network.store.themes.list_all() if "c-003" in theme.case_ids)
    reason = "the model's server failed (500); requests made: 3 (1)"
    assert record.notes == (f"Theme {theme.id}: 1 of the 8 cases selected for the model could not be read: {reason}.",)
    draft = next(draft for draft in patterns(network) if draft.theme_id == theme.id)
    assert draft.provenance.model == "scripted"
    assert len(draft.provenance.inputs) == 7
    assert "7 of 8 cases shown" in str(draft.fields["coverage"])


def fails(_: RenderedPrompt) -> ScriptedReply:
    return SERVER_FAILURE


def finds_no_facet(_: RenderedPrompt) -> ScriptedReply:
    return {"facets": [], "instructions": False}


def says_no_json(_: RenderedPrompt) -> ScriptedReply:
    return "no JSON"


@pytest.mark.parametrize(
    ("task", "script", "reason"),
    [
        ("case_facets", fails, "0 of 8 cases could be read: the model's server failed"),
        (
            "case_facets",
            finds_no_facet,
            "0 of 8 cases could be read: the case supports none of the model's points (8).",
        ),
        ("candidate_pattern", fails, "the model's server failed"),
        ("candidate_pattern", says_no_json, "neither the answer nor its repair fits the schema"),
    ],
)
def test_pattern_is_extractive_and_labelled_when_the_model_fails(
    network: PipelineNetwork, task: str, script: Script, reason: str
) -> None:
    llm_context, _ = scripted_context(**{task: script})
    record = network.run(llm_context)
    assert record.state == "finished"
    assert len(record.notes) == 5
    assert all(f"pattern drafted without AI: {reason}" in note for note in record.notes)
    assert {draft.provenance.model for draft in patterns(network)} == {NO_AI}


def test_pattern_is_extractive_when_its_remedy_is_not_grounded(network: PipelineNetwork) -> None:
    def unfounded(prompt: RenderedPrompt) -> ScriptedReply:
        answer = answer_candidate_pattern(prompt)
        return {**answer, "therefore": [{"text": "Therefore sing.", "facets": ["q999"]}], "steps": []}

    llm_context, _ = scripted_context(candidate_pattern=unfounded)
    record = network.run(llm_context)
    assert {draft.provenance.model for draft in patterns(network)} == {NO_AI}
    assert all("the cases do not support its problem or its remedy" in note for note in record.notes)


def test_support_check_failure_adds_a_note_and_keeps_the_draft(network: PipelineNetwork) -> None:
    def reworded(prompt: RenderedPrompt) -> ScriptedReply:
        answer = answer_candidate_pattern(prompt)
        return {**answer, "patlet": [{"text": "In other words.", "facets": answer["problem"][0]["facets"]}]}

    llm_context, _ = scripted_context(candidate_pattern=reworded, weak_support=fails)
    record = network.run(llm_context)
    assert {draft.provenance.model for draft in patterns(network)} == {"scripted"}
    assert all("the support check of its pattern failed" in note for note in record.notes)
    assert len(record.notes) == 5


# reuse of earlier drafts


def test_unchanged_theme_is_not_drafted_again(network: PipelineNetwork) -> None:
    llm_context, model = scripted_context()
    network.run(llm_context)
    before = patterns(network)
    n_requests = len(model.requests)
    assert network.run(llm_context).number == 1
    assert network.run(llm_context, seed=1).number == 2
    assert len(model.requests) == n_requests
    assert patterns(network) == before


def test_rejected_pattern_is_not_requested_or_restored(network: PipelineNetwork) -> None:
    llm_context, model = scripted_context()
    network.run(llm_context)
    n_requests = len(model.requests)
    rejected = patterns(network)[0].id
    decide_draft(
        network.store, network.clock, rejected, DraftAction.REJECT, actor="Ada", reason=RejectionReason.NOT_USEFUL
    )
    network.run(llm_context, seed=1)
    reviewed = [draft for draft in list_all_drafts(network.store) if draft.decisions]
    states = {draft.grounded.draft.id: draft.decisions[-1].after for draft in reviewed}
    assert states == {rejected: DraftState.REJECTED}
    assert len(model.requests) == n_requests
    assert len(patterns(network)) == 5


def test_changed_prompt_drafts_patterns_again(network: PipelineNetwork, tmp_path: Path) -> None:
    llm_context, _ = scripted_context()
    network.run(llm_context)
    overrides = tmp_path / "overrides"
    overrides.mkdir()
    text = (packaged_prompts_dir() / f"{REDUCE}.md").read_text(encoding="utf-8")
    (overrides / f"{REDUCE}.md").write_text(text.replace("Draft the pattern,", "Write the pattern,"), encoding="utf-8")
    model = rule_based_model()
    record = network.run(LlmContext(model, PromptFiles(packaged_prompts_dir(), overrides=overrides)))
    assert record.number == 2
    assert requests_by_task(model) == {MAP: 40, REDUCE: 5, CHECK: 5}


def test_theme_edit_keeps_model_drafts_of_other_themes(network: PipelineNetwork) -> None:
    llm_context, _ = scripted_context()
    network.run(llm_context)
    before = {draft.theme_id: draft for draft in patterns(network)}
    first, second, *_ = network.store.themes.list_all()
    rename = ThemeEditRequest(action=EditAction.RENAME, theme_id=first.id, name="Pallet trouble", actor="Ada")
    submit_edit(network.store, network.clock, rename)
    assert {draft.theme_id: draft for draft in patterns(network)} == before
    merge = ThemeEditRequest(action=EditAction.MERGE, theme_id=first.id, other_theme_id=second.id, actor="Ada")
    submit_edit(network.store, network.clock, merge)
    after = {draft.theme_id: draft for draft in patterns(network)}
    assert after.pop(second.id).provenance.model == NO_AI
    assert after == {id: draft for id, draft in before.items() if id not in {first.id, second.id}}


# a large theme, and a large network


def large_network(first: int, n_cases: int, *, n_subjects: int = 20) -> list[Case]:
    """Build cases of ``n_subjects`` subjects in turn, each with eight words of its own."""
    cases: list[Case] = []
    for number in range(first, first + n_cases):
        subject = number % n_subjects
        draw = random.Random(number)

        def sentence(subject: int = subject, draw: random.Random = draw) -> str:
            words = [*draw.sample([f"{stem}{subject:02d}" for stem in STEMS], 6), *draw.sample(FILLERS, 3)]
            draw.shuffle(words)
            return f"{' '.join(words)}."

        text = {"problem": f"Our {sentence()} {sentence()}", "lesson": f"We {sentence()}"}
        cases.append(build_case(f"c-{number:05d}", text, content_hash=str(number), team=f"team {draw.randrange(9)}"))
    return cases


STEMS = ("pallet", "dock", "valve", "login", "ramp", "hose", "badge", "crate")
FILLERS = "morning shift colleague window late again office report floor summer phone night door".split()


@pytest.mark.prove(reason="two runs of a thousand cases: 33 s")
def test_run_over_a_thousand_cases_limits_model_calls(tmp_path: Path) -> None:
    """A run costs at most one call per case and four per theme; the next quarter pays only for new cases."""
    network = PipelineNetwork(tmp_path)
    network.save(large_network(0, 1000))
    model = CachingModel(rule_based_model())
    llm_context = LlmContext(model, PromptFiles(packaged_prompts_dir()))
    first = network.run(llm_context, label="2026Q3")
    assert 15 <= first.n_themes <= 25
    assert first.n_drafts == first.n_themes
    assert {draft.provenance.model for draft in patterns(network)} == {"scripted"}
    for draft in patterns(network):
        n_cases = len(next(theme for theme in network.store.themes.list_all() if theme.id == draft.theme_id).case_ids)
        n_shown = min(MAX_CASES_SHOWN, n_cases)
        assert len(draft.provenance.inputs) == n_shown
        assert f"{n_shown} of {n_cases} cases shown to the model." in str(draft.fields["coverage"])
    assert model.n_paid[MAP] <= MAX_CASES_SHOWN * first.n_themes <= 1000
    assert model.n_paid.total() <= 1000 + 4 * first.n_themes
    assert all(model.n_paid[task] <= 2 * first.n_themes for task in (NAME, REDUCE, CHECK))
    n_paid = model.n_paid.total()
    assert network.run(llm_context, label="2026Q3").number == 1
    assert model.n_paid.total() == n_paid
    network.save(large_network(1000, 100))
    second = network.run(llm_context, label="2026Q4")
    assert 0 < model.n_paid.total() - n_paid <= 100 + 4 * second.n_themes

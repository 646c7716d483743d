"""Patterns by a language model, map then reduce: what is asked, what is not asked again, what becomes of failures."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.builders import build_case
from tests.integration.test_pipeline import PipelineNetwork as Cycle
from tests.integration.test_pipeline import build_cases as told
from tests.integration.test_pipeline import outlier_cases as strangers

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    NO_AI,
    Draft,
    DraftAction,
    DraftKind,
    DraftState,
    RejectionReason,
)
from patternmind.domain.edits import EditAction
from patternmind.drafting.case_selection import MAX_CASES_SHOWN
from patternmind.drafting.patterns import NO_PATTERN, NOT_STATED
from patternmind.grounding import ground
from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir
from patternmind.llm.scripted_answers import answer_candidate_pattern, answer_case_facets, rule_based_model
from patternmind.llm.scripted_model import (
    SERVER_FAILURE,
    Script,
    ScriptedModel,
    ScriptedReply,
)
from patternmind.pipeline import LlmContext
from patternmind.ports import ModelAnswer, RenderedPrompt
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit

MAP, REDUCE, LOOK, NAME = "case-facets", "candidate-pattern", "weak-support", "theme-name"


class Remembering:
    """``LanguageModel`` that pays for the same prompt once, as the gateway's cache does; ``paid`` counts by task."""

    def __init__(self, model: ScriptedModel) -> None:
        self.model = model
        self.paid: Counter[str] = Counter()
        self._known: dict[tuple[str, str], ModelAnswer] = {}

    @property
    def name(self) -> str:
        return self.model.name

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        key = (prompt.hash, prompt.input_hash)
        if key not in self._known:
            self.paid[task] += 1
            self._known[key] = self.model.ask(task, prompt)
        return self._known[key]


def writing(**scripts: Script) -> tuple[LlmContext, ScriptedModel]:
    model = rule_based_model(**scripts)
    return LlmContext(model, PromptFiles(packaged_prompts_dir())), model


def asked(model: ScriptedModel) -> Counter[str]:
    return Counter(request.task for request in model.requests)


def patterns(cycle: Cycle) -> list[Draft]:
    return [draft for draft, _, _ in cycle.store.drafts() if draft.kind is DraftKind.PATTERN]


@pytest.fixture
def network(tmp_path: Path) -> Cycle:
    cycle = Cycle(tmp_path)
    cycle.save([*told(0, 8), *strangers()])
    return cycle


# what is made


def test_every_theme_has_a_pattern_whose_every_sentence_stands_on_its_cases(network: Cycle) -> None:
    namer, model = writing()
    record = network.run(namer)
    assert record.notes == ()
    cases = {case.id: case for case in network.store.cases()}
    assert len(patterns(network)) == 5
    for draft in patterns(network):
        theme = next(theme for theme in network.store.themes() if theme.id == draft.theme_id)
        assert ground(draft, cases).refused_claims == ()
        assert ground(draft, cases).draft == draft
        assert {quote.case_id for claim in draft.claims for quote in claim.quotes} <= set(theme.case_ids)
        assert (draft.provenance.model, draft.provenance.prompt) == ("scripted", REDUCE)
        assert draft.provenance.prompt_hash
        assert {name.rpartition("@")[0] for name in draft.provenance.inputs} == set(theme.case_ids)
        assert draft.fields["forces"] == draft.fields["do_not_use_when"] == NOT_STATED
        assert str(draft.fields["solution"][0]).startswith("Therefore")
        assert "8 of 8 cases shown to the model." in str(draft.fields["coverage"])
    assert asked(model) == {NAME: 5, MAP: 40, REDUCE: 5, LOOK: 5}


def test_only_facets_whose_quotes_are_in_the_case_reach_the_pattern(network: Cycle) -> None:
    def invent(prompt: RenderedPrompt) -> ScriptedReply:
        said = answer_case_facets(prompt)
        more = {"kind": "helped", "text": "A choir helped.", "quote": "The choir sang all night."}
        return {**said, "facets": [more, *said["facets"]]}

    namer, model = writing(case_facets=invent)
    network.run(namer)
    assert not any("choir" in str(draft.fields) for draft in patterns(network))
    assert not any("choir" in request.prompt.user for request in model.requests if request.task == REDUCE)


def test_a_claim_on_a_facet_that_was_not_shown_is_refused_and_counted(network: Cycle) -> None:
    def overreach(prompt: RenderedPrompt) -> ScriptedReply:
        said = answer_candidate_pattern(prompt)
        return {**said, "forces": [{"text": "Speed matters but so does care.", "facets": ["q999"]}]}

    namer, _ = writing(candidate_pattern=overreach)
    record = network.run(namer)
    assert all(draft.fields["forces"] == NOT_STATED for draft in patterns(network))
    assert sum("1 of " in note and "claims of the model were refused" in note for note in record.notes) == 5


def test_no_repeatable_pattern_is_an_answer_that_is_stored(network: Cycle) -> None:
    nothing: dict[str, Any] = {"pattern": False, "reason": "the cases share no problem", "name": ""}

    def see_none(prompt: RenderedPrompt) -> ScriptedReply:
        return {**answer_candidate_pattern(prompt), **nothing, "therefore": [], "steps": []}

    namer, _ = writing(candidate_pattern=see_none)
    network.run(namer)
    drafts = patterns(network)
    assert {draft.name for draft in drafts} == {NO_PATTERN}
    assert {draft.fields["reason"] for draft in drafts} == {"The cases share no problem."}
    assert {draft.provenance.model for draft in drafts} == {"scripted"}


def test_what_a_second_look_finds_weak_is_shown_with_the_reason(network: Cycle) -> None:
    def reworded(prompt: RenderedPrompt) -> ScriptedReply:
        said = answer_candidate_pattern(prompt)
        return {**said, "patlet": [{"text": "This is what they all do.", "facets": said["problem"][0]["facets"]}]}

    def doubt(_: RenderedPrompt) -> ScriptedReply:
        return {"weak": [{"claim": 1, "why": "wider"}, {"claim": 99, "why": "cause"}]}

    namer, model = writing(candidate_pattern=reworded, weak_support=doubt)
    network.run(namer)
    drafts = patterns(network)
    lines = {draft.fields["weak_support"] for draft in drafts}
    assert lines == {("patlet, line 1: it claims more than the few cases that it quotes.",)}
    assert asked(model)[LOOK] == 5


def test_names_on_the_roster_never_come_out_of_the_model(tmp_path: Path) -> None:
    network = Cycle(tmp_path)
    asks = "Ask [person 1] ([email], [link])."
    cases = [replace(case, text={**case.text, "tried": f"{case.text['lesson']} {asks}"}) for case in told(0, 8)]
    network.save([*cases, *strangers()])
    network.store.add_to_roster([("Ada Lovelace", "ada@example.org", None)])
    said = "Ask Ada Lovelace (ada@example.org, https://example.org/x)."

    def tell(prompt: RenderedPrompt) -> ScriptedReply:
        answer = answer_candidate_pattern(prompt)
        return {**answer, "patlet": [{"text": said, "facets": answer["problem"][0]["facets"]}]}

    namer, _ = writing(candidate_pattern=tell)
    network.run(namer)
    assert {draft.fields["patlet"] for draft in patterns(network)} == {asks}


def test_a_case_that_speaks_to_machines_is_named_in_the_report(network: Cycle) -> None:
    def notice(prompt: RenderedPrompt) -> ScriptedReply:
        return {**answer_case_facets(prompt), "instructions": "Case c-003." in prompt.user}

    namer, _ = writing(case_facets=notice)
    record = network.run(namer)
    assert record.notes == (
        "Case c-003 contains instructions to a model. They were not followed; please check the case.",
    )


# failures


def test_a_case_that_cannot_be_read_is_counted_and_the_others_make_the_pattern(network: Cycle) -> None:
    def stumble(prompt: RenderedPrompt) -> ScriptedReply:
        return SERVER_FAILURE if "Case c-003." in prompt.user else answer_case_facets(prompt)

    namer, _ = writing(case_facets=stumble)
    record = network.run(namer)
    theme = next(theme for theme in network.store.themes() if "c-003" in theme.case_ids)
    why = "the model's server failed (500); requests made: 3 (1)"
    assert record.notes == (f"Theme {theme.id}: 1 of the 8 cases chosen for the model could not be read: {why}.",)
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
        ("case_facets", finds_no_facet, "0 of 8 cases could be read: the case supports none of the model's points (8)."),
        ("candidate_pattern", fails, "the model's server failed"),
        ("candidate_pattern", says_no_json, "neither the answer nor its repair fits the schema"),
    ],
)
def test_where_the_model_fails_the_theme_has_the_draft_made_without_one_labelled_so(
    network: Cycle, task: str, script: Script, reason: str
) -> None:
    namer, _ = writing(**{task: script})
    record = network.run(namer)
    assert record.state == "finished"
    assert len(record.notes) == 5
    assert all(f"pattern drafted without AI: {reason}" in note for note in record.notes)
    assert {draft.provenance.model for draft in patterns(network)} == {NO_AI}


def test_a_pattern_whose_remedy_does_not_hold_is_not_kept(network: Cycle) -> None:
    def unfounded(prompt: RenderedPrompt) -> ScriptedReply:
        said = answer_candidate_pattern(prompt)
        return {**said, "therefore": [{"text": "Therefore sing.", "facets": ["q999"]}], "steps": []}

    namer, _ = writing(candidate_pattern=unfounded)
    record = network.run(namer)
    assert {draft.provenance.model for draft in patterns(network)} == {NO_AI}
    assert all("does not stand on the cases" in note for note in record.notes)


def test_a_second_look_that_fails_costs_a_note_and_no_draft(network: Cycle) -> None:
    def reworded(prompt: RenderedPrompt) -> ScriptedReply:
        said = answer_candidate_pattern(prompt)
        return {**said, "patlet": [{"text": "In other words.", "facets": said["problem"][0]["facets"]}]}

    namer, _ = writing(candidate_pattern=reworded, weak_support=fails)
    record = network.run(namer)
    assert {draft.provenance.model for draft in patterns(network)} == {"scripted"}
    assert all("the support check of its pattern failed" in note for note in record.notes)
    assert len(record.notes) == 5


# what is not asked again


def test_a_theme_that_is_as_it_was_is_not_drafted_again(network: Cycle) -> None:
    namer, model = writing()
    network.run(namer)
    before = patterns(network)
    n_asked = len(model.requests)
    assert network.run(namer).number == 1
    assert network.run(namer, seed=1).number == 2
    assert len(model.requests) == n_asked
    assert patterns(network) == before


def test_what_people_rejected_is_neither_paid_for_again_nor_back(network: Cycle) -> None:
    namer, model = writing()
    network.run(namer)
    n_asked = len(model.requests)
    rejected = patterns(network)[0].id
    decide_draft(
        network.store, network.clock, rejected, DraftAction.REJECT, actor="Ada", reason=RejectionReason.NOT_USEFUL
    )
    network.run(namer, seed=1)
    states = {one.grounded.draft.id: one.decisions[-1].after for one in list_all_drafts(network.store) if one.decisions}
    assert states == {rejected: DraftState.REJECTED}
    assert len(model.requests) == n_asked
    assert len(patterns(network)) == 5


def test_another_prompt_or_another_model_drafts_anew(network: Cycle, tmp_path: Path) -> None:
    namer, _ = writing()
    network.run(namer)
    own = tmp_path / "own"
    own.mkdir()
    text = (packaged_prompts_dir() / f"{REDUCE}.md").read_text(encoding="utf-8")
    (own / f"{REDUCE}.md").write_text(text.replace("Draft the pattern,", "Write the pattern,"), encoding="utf-8")
    model = rule_based_model()
    record = network.run(LlmContext(model, PromptFiles(packaged_prompts_dir(), overrides=own)))
    assert record.number == 2
    assert asked(model) == {MAP: 40, REDUCE: 5, LOOK: 5}


def test_an_edit_leaves_the_models_drafts_of_the_themes_it_does_not_touch(network: Cycle) -> None:
    namer, _ = writing()
    network.run(namer)
    before = {draft.theme_id: draft for draft in patterns(network)}
    first, second, *_ = network.store.themes()
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
    """Cases of so many subjects in turn, each with eight words of its own."""
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


def test_a_thousand_cases_cost_at_most_one_call_each_and_four_a_theme_and_a_quarter_only_what_is_new(
    tmp_path: Path,
) -> None:
    cycle = Cycle(tmp_path)
    cycle.save(large_network(0, 1000))
    model = Remembering(rule_based_model())
    namer = LlmContext(model, PromptFiles(packaged_prompts_dir()))
    first = cycle.run(namer, label="2026Q3")
    assert 15 <= first.n_themes <= 25
    assert first.n_drafts == first.n_themes
    assert {draft.provenance.model for draft in patterns(cycle)} == {"scripted"}
    for draft in patterns(cycle):
        n_cases = len(next(theme for theme in cycle.store.themes() if theme.id == draft.theme_id).case_ids)
        assert len(draft.provenance.inputs) == min(MAX_CASES_SHOWN, n_cases)
        assert f"{min(MAX_CASES_SHOWN, n_cases)} of {n_cases} cases shown to the model." in str(
            draft.fields["coverage"]
        )
    assert model.paid[MAP] <= MAX_CASES_SHOWN * first.n_themes <= 1000
    assert model.paid.total() <= 1000 + 4 * first.n_themes
    assert all(model.paid[task] <= 2 * first.n_themes for task in (NAME, REDUCE, LOOK))
    paid = model.paid.total()
    assert cycle.run(namer, label="2026Q3").number == 1
    assert model.paid.total() == paid
    cycle.save(large_network(1000, 100))
    second = cycle.run(namer, label="2026Q4")
    assert 0 < model.paid.total() - paid <= 100 + 4 * second.n_themes

"""Drafts of recaps and theme changes on request, and custom prompts."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.builders import build_case
from tests.fixtures.scripted_answers import rule_based_model
from tests.integration.test_pipeline import PipelineNetwork, build_cases, outlier_cases

from patternmind.bootstrap import AppContext
from patternmind.diagnostics import run_checks
from patternmind.domain.calls import Price
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.draft_fields import NOT_STATED
from patternmind.domain.drafts import NO_AI, DraftAction, DraftKind, DraftState
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import NotFound, PromptInvalid, UsageError
from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir
from patternmind.pipeline import LlmContext
from patternmind.services.prereading_builder import build_prereading, subject_from_theme
from patternmind.services.recaps import draft_from_recap, draft_theme_change
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.settings import Settings

NOTES = "Nine people came to the jam about scanners. Who pays for the spares?"


def build_recap() -> Case:
    text = {"title": "Jam 1", "decision": "Oskar orders spares.", "notes": NOTES}
    return build_case("r-1", text, kind=CaseKind.RECAP, linked_cases=("C-000",), content_hash="recap")


def build_llm() -> LlmContext:
    return LlmContext(rule_based_model(), PromptFiles(packaged_prompts_dir()))


@pytest.fixture
def network(tmp_path: Path) -> PipelineNetwork:
    network = PipelineNetwork(tmp_path)
    network.save([*build_cases(0, 8), *outlier_cases(), build_recap()])
    return network


@pytest.mark.parametrize("llm", [None, build_llm()])
def test_recap_draft_is_stored_and_can_be_accepted(network: PipelineNetwork, llm: LlmContext | None) -> None:
    result = draft_from_recap(network.store, network.clock, "R-1", llm=llm)
    draft = result.grounded.draft
    assert (draft.kind, result.notes, result.grounded.refused_claims) == (DraftKind.RECAP, (), ())
    assert draft.fields["decision"] == ("Oskar orders spares.",)
    assert draft.provenance.model == ("scripted" if llm else NO_AI)
    if llm is None:
        assert draft.fields["open_question"] == ("Who pays for the spares?",)
        assert draft.fields["next_use"] == NOT_STATED
    decided = decide_draft(network.store, network.clock, draft.id, DraftAction.ACCEPT, actor="Ada")
    assert decided.decisions[-1].after is DraftState.ACCEPTED
    assert [reviewed.grounded.draft.id for reviewed in list_all_drafts(network.store, kind=DraftKind.RECAP)] == [
        draft.id
    ]


def test_draft_from_recap_refuses_a_case_and_an_unknown_id(network: PipelineNetwork) -> None:
    with pytest.raises(UsageError, match=r"is a case, not a recap"):
        draft_from_recap(network.store, network.clock, "C-000")
    with pytest.raises(NotFound):
        draft_from_recap(network.store, network.clock, "nothing")


def test_theme_change_and_prereading_are_drafted_with_and_without_a_model(network: PipelineNetwork) -> None:
    network.run(label="2026Q3")
    network.save(build_cases(100, 2, ["pump"]))
    network.run(label="2026Q4")
    theme = network.theme_of("pump")
    new = {"c-100", "c-101"}
    for llm in (None, build_llm()):
        draft = draft_theme_change(network.store, network.clock, theme.id, llm=llm).grounded.draft
        assert draft.kind is DraftKind.THEME_CHANGE
        assert str(draft.fields["counted"]).startswith("Grew from 8 to 10 cases.")
        assert {quote.case_id for claim in draft.claims for quote in claim.quotes} <= new
        assert draft.claims
        pages = build_prereading(
            network.store, network.clock, subject_from_theme(network.store, theme.id), session="Jam", llm=llm
        )
        assert pages.grounded.draft.provenance.model == ("scripted" if llm else NO_AI)
        assert pages.notes == ()
    with pytest.raises(NotFound, match='no theme "t-nothing"'):
        draft_theme_change(network.store, network.clock, "t-nothing")


def test_invalid_custom_prompt_is_reported_before_any_request(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    text = (packaged_prompts_dir() / "theme-name.md").read_text(encoding="utf-8")
    (folder / "theme-name.md").write_text(text.replace("maxLength: 300", "maxLength: 900"), encoding="utf-8")
    ctx = AppContext(Settings(home=tmp_path, model="openai/none", prompts=folder))
    with pytest.raises(PromptInvalid, match="maxLength of gist must be at most 300"):
        _ = ctx.prompts
    result = next(check for check in run_checks(without_model(ctx)) if check.what == "prompts")
    assert not result.ok
    assert "theme-name.md" in result.says
    (folder / "theme-name.md").write_text(text, encoding="utf-8")
    fresh = AppContext(Settings(home=tmp_path, prompts=folder))
    assert fresh.prompts.content_hash() == PromptFiles(packaged_prompts_dir()).content_hash()


def without_model(ctx: AppContext) -> AppContext:
    return AppContext(replace(ctx.settings, model=None))


def test_context_passes_its_encoder_to_the_llm_context(tmp_path: Path) -> None:
    """Pages, recaps and notes then get the support check of patterns: by meaning if words are not shared."""
    settings = Settings(home=tmp_path, model="openai/none", prices={"openai/none": Price(0.0, 0.0)})
    ctx = AppContext(settings, encoder=HashingEncoder())
    assert ctx.llm is not None
    assert ctx.llm.similarity is not None
    assert ctx.llm.similarity([("a warm pocket", "a warm pocket")])[0] > 0.99

"""Recaps and notes on changes as a person asks for them, and an organisation's own prompts as the house finds them."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.builders import build_case
from tests.integration.test_pipeline import PipelineNetwork as Cycle
from tests.integration.test_pipeline import build_cases as told
from tests.integration.test_pipeline import outlier_cases as strangers

from patternmind.bootstrap import AppContext
from patternmind.diagnostics import run_checks
from patternmind.domain.calls import Price
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import (
    NO_AI,
    DraftAction,
    DraftKind,
    DraftState,
)
from patternmind.drafting.patterns import NOT_STATED
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import NotFound, PromptInvalid, UsageError
from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir
from patternmind.llm.scripted_answers import rule_based_model
from patternmind.pipeline import LlmContext
from patternmind.services.prereading_builder import build_prereading, subject_from_theme
from patternmind.services.recaps import draft_from_recap, draft_theme_change
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.settings import Settings

NOTES = "Nine people came to the jam about scanners. Who pays for the spares?"


def a_recap() -> Case:
    text = {"title": "Jam 1", "decision": "Oskar orders spares.", "notes": NOTES}
    return build_case("r-1", text, kind=CaseKind.RECAP, linked_cases=("C-000",), content_hash="recap")


def the_namer() -> LlmContext:
    return LlmContext(rule_based_model(), PromptFiles(packaged_prompts_dir()))


@pytest.fixture
def network(tmp_path: Path) -> Cycle:
    cycle = Cycle(tmp_path)
    cycle.save([*told(0, 8), *strangers(), a_recap()])
    return cycle


@pytest.mark.parametrize("namer", [None, the_namer()])
def test_a_recap_is_kept_as_a_draft_that_people_decide_on(network: Cycle, namer: LlmContext | None) -> None:
    done = draft_from_recap(network.store, network.clock, "R-1", llm=namer)
    draft = done.grounded.draft
    assert (draft.kind, done.notes, done.grounded.refused_claims) == (DraftKind.RECAP, (), ())
    assert draft.fields["decision"] == ("Oskar orders spares.",)
    assert draft.provenance.model == ("scripted" if namer else NO_AI)
    if namer is None:
        assert draft.fields["open_question"] == ("Who pays for the spares?",)
        assert draft.fields["next_use"] == NOT_STATED
    decided = decide_draft(network.store, network.clock, draft.id, DraftAction.ACCEPT, actor="Ada")
    assert decided.decisions[-1].after is DraftState.ACCEPTED
    assert [one.grounded.draft.id for one in list_all_drafts(network.store, kind=DraftKind.RECAP)] == [draft.id]


def test_a_recap_of_a_case_or_of_nothing_is_refused(network: Cycle) -> None:
    with pytest.raises(UsageError, match=r"is a case, not a recap"):
        draft_from_recap(network.store, network.clock, "C-000")
    with pytest.raises(NotFound):
        draft_from_recap(network.store, network.clock, "nothing")


def test_what_is_new_in_a_theme_and_pages_for_its_session_are_told_with_and_without_a_model(network: Cycle) -> None:
    network.run(label="2026Q3")
    network.save(told(100, 2, ["pump"]))
    network.run(label="2026Q4")
    theme = network.theme_of("pump")
    new = {"c-100", "c-101"}
    for namer in (None, the_namer()):
        draft = draft_theme_change(network.store, network.clock, theme.id, llm=namer).grounded.draft
        assert draft.kind is DraftKind.THEME_CHANGE
        assert str(draft.fields["counted"]).startswith("Grew from 8 to 10 cases.")
        assert {quote.case_id for claim in draft.claims for quote in claim.quotes} <= new
        assert draft.claims
        pages = build_prereading(
            network.store, network.clock, subject_from_theme(network.store, theme.id), session="Jam", llm=namer
        )
        assert pages.grounded.draft.provenance.model == ("scripted" if namer else NO_AI)
        assert pages.notes == ()
    with pytest.raises(NotFound, match='no theme "t-nothing"'):
        draft_theme_change(network.store, network.clock, "t-nothing")


def test_an_own_prompt_that_cannot_be_used_is_found_before_anything_is_asked(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    text = (packaged_prompts_dir() / "theme-name.md").read_text(encoding="utf-8")
    (own / "theme-name.md").write_text(text.replace("maxLength: 300", "maxLength: 900"), encoding="utf-8")
    house = AppContext(Settings(home=tmp_path, model="openai/none", prompts=own))
    with pytest.raises(PromptInvalid, match="maxLength of gist must be at most 300"):
        _ = house.prompts
    finding = next(one for one in run_checks(replace_model(house)) if one.what == "prompts")
    assert not finding.ok
    assert "theme-name.md" in finding.says
    (own / "theme-name.md").write_text(text, encoding="utf-8")
    fresh = AppContext(Settings(home=tmp_path, prompts=own))
    assert fresh.prompts.content_hash() == PromptFiles(packaged_prompts_dir()).content_hash()


def replace_model(house: AppContext) -> AppContext:
    return AppContext(replace(house.settings, model=None))


def test_the_house_hands_its_encoder_to_whoever_asks_a_model(tmp_path: Path) -> None:
    """So pages, recaps and notes have the second look of patterns: by meaning, where words are not shared."""
    settings = Settings(home=tmp_path, model="openai/none", prices={"openai/none": Price(0.0, 0.0)})
    house = AppContext(settings, encoder=HashingEncoder())
    assert house.llm is not None
    assert house.llm.similarity is not None
    assert house.llm.similarity([("a warm pocket", "a warm pocket")])[0] > 0.99

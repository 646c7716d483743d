"""Recaps and notes on changes as a person asks for them, and an organisation's own prompts as the house finds them."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.builders import a_case
from tests.integration.test_cycle import Cycle, strangers, told

from patternmind.adapters.hashing_encoder import HashingEncoder
from patternmind.adapters.prompts import PromptFiles, packaged_prompts
from patternmind.adapters.scripted_answers import reading_model
from patternmind.bootstrap import House
from patternmind.checkup import examine
from patternmind.cycle import Namer
from patternmind.draft.patterns import NOT_STATED
from patternmind.errors import NotFound, PromptInvalid, UsageError
from patternmind.model.calls import Price
from patternmind.model.cases import Case, Kind
from patternmind.model.drafts import NO_AI, DraftAction, DraftKind, DraftState
from patternmind.settings import Settings
from patternmind.verbs.prepare import by_theme, prepare
from patternmind.verbs.reviewing import decide_draft, open_drafts
from patternmind.verbs.telling import tell_change, tell_recap

NOTES = "Nine people came to the jam about scanners. Who pays for the spares?"


def a_recap() -> Case:
    text = {"title": "Jam 1", "decision": "Oskar orders spares.", "notes": NOTES}
    return a_case("r-1", text, kind=Kind.RECAP, linked_cases=("C-000",), content_hash="recap")


def the_namer() -> Namer:
    return Namer(reading_model(), PromptFiles(packaged_prompts()))


@pytest.fixture
def network(tmp_path: Path) -> Cycle:
    cycle = Cycle(tmp_path)
    cycle.take_in([*told(0, 8), *strangers(), a_recap()])
    return cycle


@pytest.mark.parametrize("namer", [None, the_namer()])
def test_a_recap_is_kept_as_a_draft_that_people_decide_on(network: Cycle, namer: Namer | None) -> None:
    done = tell_recap(network.store, network.clock, "R-1", namer=namer)
    draft = done.grounded.draft
    assert (draft.kind, done.notes, done.grounded.refused) == (DraftKind.RECAP, (), ())
    assert draft.fields["decision"] == ("Oskar orders spares.",)
    assert draft.provenance.model == ("scripted" if namer else NO_AI)
    if namer is None:
        assert draft.fields["open_question"] == ("Who pays for the spares?",)
        assert draft.fields["next_use"] == NOT_STATED
    decided = decide_draft(network.store, network.clock, draft.id, DraftAction.ACCEPT, by="Ada")
    assert decided.decisions[-1].after is DraftState.ACCEPTED
    assert [one.grounded.draft.id for one in open_drafts(network.store, kind=DraftKind.RECAP)] == [draft.id]


def test_a_recap_of_a_case_or_of_nothing_is_refused(network: Cycle) -> None:
    with pytest.raises(UsageError, match=r"is a case\. Name a recap"):
        tell_recap(network.store, network.clock, "C-000")
    with pytest.raises(NotFound):
        tell_recap(network.store, network.clock, "nothing")


def test_what_is_new_in_a_theme_and_pages_for_its_session_are_told_with_and_without_a_model(network: Cycle) -> None:
    network.run(label="2026Q3")
    network.take_in(told(100, 2, ["pump"]))
    network.run(label="2026Q4")
    theme = network.theme_of("pump")
    new = {"c-100", "c-101"}
    for namer in (None, the_namer()):
        draft = tell_change(network.store, network.clock, theme.id, namer=namer).grounded.draft
        assert draft.kind is DraftKind.THEME_CHANGE
        assert str(draft.fields["counted"]).startswith("Grew from 8 to 10 cases.")
        assert {quote.case_id for claim in draft.claims for quote in claim.quotes} <= new
        assert draft.claims
        pages = prepare(network.store, network.clock, by_theme(network.store, theme.id), session="Jam", namer=namer)
        assert pages.grounded.draft.provenance.model == ("scripted" if namer else NO_AI)
        assert pages.notes == ()
    with pytest.raises(NotFound, match="patternmind themes"):
        tell_change(network.store, network.clock, "t-nothing")


def test_an_own_prompt_that_cannot_be_used_is_found_before_anything_is_asked(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    text = (packaged_prompts() / "theme-name.md").read_text(encoding="utf-8")
    (own / "theme-name.md").write_text(text.replace("maxLength: 300", "maxLength: 900"), encoding="utf-8")
    house = House(Settings(home=tmp_path, model="openai/none", prompts=own))
    with pytest.raises(PromptInvalid, match="maxLength of gist must be at most 300"):
        _ = house.prompts
    finding = next(one for one in examine(replace_model(house)) if one.what == "prompts")
    assert not finding.ok
    assert "theme-name.md" in finding.says
    (own / "theme-name.md").write_text(text, encoding="utf-8")
    fresh = House(Settings(home=tmp_path, prompts=own))
    assert fresh.prompts.hash_of() == PromptFiles(packaged_prompts()).hash_of()


def replace_model(house: House) -> House:
    return House(replace(house.settings, model=None))


def test_the_house_hands_its_encoder_to_whoever_asks_a_model(tmp_path: Path) -> None:
    """So pages, recaps and notes have the second look of patterns: by meaning, where words are not shared."""
    settings = Settings(home=tmp_path, model="openai/none", prices={"openai/none": Price(0.0, 0.0)})
    house = House(settings, encoder=HashingEncoder())
    assert house.namer is not None
    assert house.namer.similarity is not None
    assert house.namer.similarity([("a warm pocket", "a warm pocket")])[0] > 0.99

"""Tests of pre-readings, recaps and theme change notes by a model."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.fixtures.builders import build_case, build_theme, cases_by_id
from tests.fixtures.scripted_answers import rule_based_model

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.draft_fields import NOT_STATED
from patternmind.domain.drafts import NO_AI, DraftKind, FlagKind
from patternmind.domain.networks import RosterEntry
from patternmind.drafting.evidence import ThemeEvidence, gather_evidence
from patternmind.drafting.keyphrases import PhraseCounts
from patternmind.drafting.prereading import draft_prereading
from patternmind.drafting.recap import BULLETS
from patternmind.drafting.theme_names import are_names_similar
from patternmind.errors import GatewayFailed
from patternmind.grounding import ground
from patternmind.ingestion.redaction.redactor import redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir
from patternmind.llm.scripted_model import SERVER_FAILURE, Script, ScriptedModel, ScriptedReply
from patternmind.llm_drafting import LlmContext, LlmSession
from patternmind.llm_drafting.documents import DraftWithNotes, write_prereading, write_recap, write_theme_change
from patternmind.llm_drafting.session import known_id_filter
from patternmind.ports import RenderedPrompt

BATTERY = build_case(
    "c-1",
    {
        "problem": "The scanner loses its battery within an hour of the shift.",
        "lesson": "Keep a charged spare battery in a warm pocket all day.",
    },
)
SPARE = build_case(
    "c-2",
    {
        "problem": "Nobody can scan goods once the scanner battery gives up.",
        "recommendation": "Charge all scanners at noon, but leave one for the office.",
    },
)
WORSE = build_case(
    "c-3",
    {
        "problem": "Half of the scanner fleet was dead on Monday morning again.",
        "tried": "Buying larger batteries made things worse because the scanner grew too heavy.",
    },
)
ALL = [BATTERY, SPARE, WORSE]
ROSTER = Roster.of([RosterEntry(number=3, name="Ada Lovelace", email="ada@example.org")])


def evidence_of(cases: Sequence[Case]) -> ThemeEvidence:
    theme = build_theme(case_ids=tuple(case.id for case in cases), name="Scanner battery")
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in cases})
    distinguishing = phrases.distinctive_phrases(list(theme.case_ids))
    return gather_evidence(
        theme, cases_by_id(*cases), phrases=distinguishing, cohesion=dict.fromkeys(theme.case_ids, 1.0)
    )


def low_similarity(pairs: Sequence[tuple[str, str]]) -> list[float]:
    return [0.1] * len(pairs)


def llm_session(model: ScriptedModel | None = None) -> LlmSession:
    return LlmSession(
        LlmContext(model or rule_based_model(), PromptFiles(packaged_prompts_dir()), low_similarity), ROSTER
    )


def scripted(**scripts: Script) -> LlmSession:
    return llm_session(rule_based_model(**scripts))


def fails(_: RenderedPrompt) -> ScriptedReply:
    return SERVER_FAILURE


# pre-reading


def prereading(session: LlmSession | None) -> DraftWithNotes:
    evidence = evidence_of(ALL)
    extractive = draft_prereading(evidence, BATTERY, session="Jam", date="2026-11-24", run_id="run-1")
    return write_prereading(evidence, BATTERY, extractive, cases_by_id(*ALL), session)


def claimed(text: str, *ids: str) -> dict[str, Any]:
    return {"text": text, "sentences": list(ids)}


def answering(**fields: Any) -> LlmSession:
    empty: dict[str, Any] = {"leave_with": [], "voices": [], "helped": [], "disagreement": [], "questions": []}
    return scripted(pre_reading=lambda _: {**empty, **fields})


def test_prereading_by_model_is_grounded_and_keeps_the_case_verbatim() -> None:
    extractive, grounded = prereading(None).grounded.draft, prereading(llm_session()).grounded
    draft = grounded.draft
    assert grounded.refused_claims == ()
    assert ground(draft, cases_by_id(*ALL)).draft == draft
    assert (draft.kind, draft.name) == (DraftKind.PREREADING, extractive.name)
    assert list(draft.fields) == list(extractive.fields)
    for name in ("case", "case_title", "unknown", "session", "date"):
        assert draft.fields[name] == extractive.fields[name]
    assert str(draft.fields["leave_with"]).startswith("We will leave with an answer to this")
    assert (draft.provenance.model, draft.provenance.prompt) == ("scripted", "pre-reading")
    assert draft.provenance.prompt_hash
    quoted = {quote.case_id for claim in draft.claims if claim.field == "quotes" for quote in claim.quotes}
    assert quoted
    assert BATTERY.id not in quoted


def test_prereading_without_model_claims_keeps_three_questions() -> None:
    extractive, draft = prereading(None).grounded.draft, prereading(answering()).grounded.draft
    assert {draft.fields[name] for name in ("quotes", "helped", "disagreement")} == {NOT_STATED}
    assert (draft.fields["leave_with"], draft.fields["questions"]) == (
        extractive.fields["leave_with"],
        extractive.fields["questions"],
    )
    assert draft.provenance.model == "scripted"


def test_prereading_counts_and_drops_unsupported_sentences() -> None:
    questions = [claimed("Who sang?", "s99"), claimed("What keeps a battery warm?", "s2")]
    document = prereading(answering(leave_with=[claimed("We will leave with a song.", "s99")], questions=questions))
    assert document.notes == ("2 of the model's sentences were left out: the cases do not support them.",)
    draft = document.grounded.draft
    assert "song" not in str(draft.fields)
    assert draft.fields["questions"][0] == "What keeps a battery warm?"
    assert len(draft.fields["questions"]) == 3
    assert draft.fields["questions"][0] in [claim.text for claim in draft.claims if claim.field == "questions"]


def test_prereading_is_extractive_when_the_model_fails() -> None:
    document = prereading(scripted(pre_reading=fails))
    assert document.grounded == prereading(None).grounded
    assert document.grounded.draft.provenance.model == NO_AI
    assert document.notes == ("Made without AI: the model's server failed (500); requests made: 3.",)


# recaps


def build_recap(**text: str) -> Case:
    notes = "Nine people came to the jam. [person 3] will try the warm pocket by 3 August. Who pays for the spares?"
    return build_case("r-1", {"title": "Jam 1", **text, "notes": notes}, kind=CaseKind.RECAP)


def test_recap_by_model_takes_bullets_from_the_notes_with_quotes() -> None:
    draft = write_recap(build_recap(), [BATTERY], llm_session(), run_id="run-1").grounded.draft
    assert (draft.kind, tuple(draft.fields)) == (DraftKind.RECAP, BULLETS)
    assert draft.fields["pattern"] == ("[person 3] will try the warm pocket by 3 August.",)
    assert draft.fields["next_use"] == draft.fields["open_question"] == NOT_STATED
    assert ground(draft, cases_by_id(build_recap(), BATTERY)).refused_claims == ()
    assert draft.provenance.prompt == "session-recap"


def test_recap_keeps_submitted_bullets_and_asks_only_for_missing_ones() -> None:
    bullets = {name: f"The {name} as its sender put it." for name in BULLETS}
    model = rule_based_model()
    complete = write_recap(build_recap(**bullets), [], llm_session(model), run_id="run-1").grounded.draft
    assert complete.fields == {name: (text,) for name, text in bullets.items()}
    assert (complete.provenance.model, model.requests) == (NO_AI, [])
    recap = build_recap(decision=bullets["decision"])
    partial = write_recap(recap, [], llm_session(model), run_id="run-1").grounded.draft
    assert partial.fields["decision"] == (bullets["decision"],)
    assert NOT_STATED not in (partial.fields["case"], partial.fields["pattern"])
    assert len(model.requests) == 1


@pytest.mark.parametrize("session", [None, scripted(session_recap=fails)])
def test_recap_without_model_does_not_guess_owner_and_date(session: LlmSession | None) -> None:
    draft = write_recap(build_recap(), [], session, run_id="run-1").grounded.draft
    assert draft.fields["open_question"] == ("Who pays for the spares?",)
    assert draft.fields["next_use"] == draft.fields["pattern"] == NOT_STATED
    assert draft.provenance.model == NO_AI


# changes


def change(session: LlmSession | None, new_case_ids: frozenset[str] = frozenset({"c-3"})) -> DraftWithNotes:
    return write_theme_change(
        evidence_of(ALL), "Grew from 2 to 3 cases.", new_case_ids, cases_by_id(*ALL), session, run_id="run-1"
    )


@pytest.mark.parametrize("session", [None, llm_session()])
def test_theme_change_states_counts_and_quotes_new_cases(session: LlmSession | None) -> None:
    draft = change(session).grounded.draft
    assert (draft.kind, draft.fields["counted"]) == (DraftKind.THEME_CHANGE, "Grew from 2 to 3 cases.")
    assert {quote.case_id for claim in draft.claims for quote in claim.quotes} == {"c-3"}
    assert draft.provenance.model == ("scripted" if session else NO_AI)


def test_theme_change_drops_sentences_without_a_new_case() -> None:
    document = change(scripted(theme_change=lambda _: {"note": [claimed("It is as before.", "s1")]}))
    assert document.grounded.draft.fields["note"] == NOT_STATED


def test_theme_change_does_not_ask_the_model_without_new_cases() -> None:
    model = rule_based_model()
    document = change(llm_session(model), frozenset())
    assert (document.grounded.draft.fields["note"], model.requests) == (NOT_STATED, [])


# weak support

UNSUPPORTED = "Ask the choir to rehearse louder tunes together."


def test_documents_flag_weakly_supported_sentences() -> None:
    empty: list[Any] = []
    bullets = {**dict.fromkeys(BULLETS, empty), "pattern": [claimed(UNSUPPORTED, "s1")]}
    documents = [
        prereading(answering(helped=[claimed(UNSUPPORTED, "s2")])),
        write_recap(build_recap(), [BATTERY], scripted(session_recap=lambda _: bullets), run_id="run-1"),
        change(scripted(theme_change=lambda _: {"note": [claimed(UNSUPPORTED, "s5")]})),
    ]
    for document, field in zip(documents, ["helped", "pattern", "note"], strict=True):
        flags = [flag for flag in document.grounded.flags if flag.text == UNSUPPORTED]
        assert [(flag.doubt, flag.field) for flag in flags] == [(FlagKind.WEAK_SUPPORT, field)]
        assert flags[0].reason == "Its quotes contain 0 % of its words, and their meaning is not close (0.10 of 1)."
        assert flags[0] in document.grounded.draft.flags


def test_prereading_notes_weakly_supported_sentences() -> None:
    document = prereading(answering(helped=[claimed(UNSUPPORTED, "s2")]))
    draft_id = document.grounded.draft.id
    assert document.notes == (f"One of the model's sentences is weakly supported by the quotes; see draft {draft_id}.",)


def test_documents_do_not_flag_supported_sentences() -> None:
    recap = write_recap(build_recap(), [BATTERY], llm_session(), run_id="run-1")
    for document in (prereading(llm_session()), recap, change(llm_session())):
        assert not [flag for flag in document.grounded.flags if flag.doubt is FlagKind.WEAK_SUPPORT]


# model calls


def test_answer_is_redacted_except_known_ids() -> None:
    items = [{"text": "Mail ada@example.org", "sentences": ["s1", "c-Ada"], "case_id": "Ada", "quotes": ["Ada"]}]
    answer = {"name": "Ask Ada", "n": 3, "list": items}
    assert redact_values(answer, ROSTER, keep=known_id_filter(["c-Ada"])) == {
        "name": "Ask [person 3]",
        "n": 3,
        "list": [
            {"text": "Mail [email]", "sentences": ["s1", "c-Ada"], "case_id": "[person 3]", "quotes": ["[person 3]"]}
        ],
    }


def test_llm_session_asks_once_and_stores_failures() -> None:
    model = ScriptedModel({"theme-change": [SERVER_FAILURE]})
    session = llm_session(model)
    for _ in range(2):
        assert "500" in change(session).notes[0]
    assert (len(model.requests), session.n_failed) == (1, 1)
    with pytest.raises(GatewayFailed):
        session.ask("weak-support", {"claims": []}, case_ids=[])


def test_prompt_lists_the_cases_it_contains() -> None:
    model = rule_based_model()
    change(llm_session(model))
    assert model.requests[0].prompt.case_ids == ("c-1", "c-2", "c-3")


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("Scanner battery", "scanner batteries", True),
        ("Battery of the scanner", "Scanner battery", True),
        ("Scanner battery cold", "Scanner battery", True),
        ("Scanner battery", "Scanner display", False),
        ("Scanner", "Scanner battery", True),
        ("!", "!", True),
    ],
)
def test_names_are_similar_when_they_share_most_words(name: str, other: str, *, same: bool) -> None:
    assert are_names_similar(name, other) is are_names_similar(other, name) is same

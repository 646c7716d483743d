"""Pre-reading, recaps and notes on changes by a model: grounded, without an answer as they are without a model."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.fixtures.builders import build_case, build_theme, cases_by_id

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import NO_AI, DraftKind, FlagKind
from patternmind.domain.networks import RosterEntry
from patternmind.drafting.evidence import ThemeEvidence, gather_evidence
from patternmind.drafting.keyphrases import PhraseCounts
from patternmind.drafting.patterns import NOT_STATED
from patternmind.drafting.prereading import draft_prereading
from patternmind.drafting.recap import BULLETS
from patternmind.drafting.theme_names import are_names_similar
from patternmind.errors import GatewayFailed
from patternmind.grounding import ground
from patternmind.ingestion.redaction.redactor import redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir
from patternmind.llm.scripted_answers import rule_based_model
from patternmind.llm.scripted_model import (
    SERVER_FAILURE,
    Script,
    ScriptedModel,
    ScriptedReply,
)
from patternmind.llm_drafting import LlmContext, LlmSession
from patternmind.llm_drafting.documents import (
    DraftWithNotes,
    write_prereading,
    write_recap,
    write_theme_change,
)
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


def nothing_alike(pairs: Sequence[tuple[str, str]]) -> list[float]:
    return [0.1] * len(pairs)


def writer(model: ScriptedModel | None = None) -> LlmSession:
    return LlmSession(
        LlmContext(model or rule_based_model(), PromptFiles(packaged_prompts_dir()), nothing_alike), ROSTER
    )


def scripted(**scripts: Script) -> LlmSession:
    return writer(rule_based_model(**scripts))


def fails(_: RenderedPrompt) -> ScriptedReply:
    return SERVER_FAILURE


# pre-reading


def prereading(with_writer: LlmSession | None) -> DraftWithNotes:
    evidence = evidence_of(ALL)
    plain = draft_prereading(evidence, BATTERY, session="Jam", date="2026-11-24", run_id="run-1")
    return write_prereading(evidence, BATTERY, plain, cases_by_id(*ALL), with_writer)


def claimed(text: str, *ids: str) -> dict[str, Any]:
    return {"text": text, "sentences": list(ids)}


def answering(**said: Any) -> LlmSession:
    empty: dict[str, Any] = {"leave_with": [], "voices": [], "helped": [], "disagreement": [], "questions": []}
    return scripted(pre_reading=lambda _: {**empty, **said})


def test_what_the_model_adds_stands_on_the_cases_and_the_case_stays_in_its_own_words() -> None:
    plain, prose = prereading(None).grounded.draft, prereading(writer()).grounded
    draft = prose.draft
    assert prose.refused_claims == ()
    assert ground(draft, cases_by_id(*ALL)).draft == draft
    assert (draft.kind, draft.name, list(draft.fields)) == (DraftKind.PREREADING, plain.name, list(plain.fields))
    for name in ("case", "case_title", "unknown", "session", "date"):
        assert draft.fields[name] == plain.fields[name]
    assert str(draft.fields["leave_with"]).startswith("We will leave with an answer to this")
    assert (draft.provenance.model, draft.provenance.prompt) == ("scripted", "pre-reading")
    assert draft.provenance.prompt_hash
    quoted = {quote.case_id for claim in draft.claims if claim.field == "quotes" for quote in claim.quotes}
    assert quoted
    assert BATTERY.id not in quoted


def test_without_support_it_says_so_and_keeps_three_questions() -> None:
    plain, draft = prereading(None).grounded.draft, prereading(answering()).grounded.draft
    assert {draft.fields[name] for name in ("quotes", "helped", "disagreement")} == {NOT_STATED}
    assert (draft.fields["leave_with"], draft.fields["questions"]) == (
        plain.fields["leave_with"],
        plain.fields["questions"],
    )
    assert draft.provenance.model == "scripted"


def test_a_sentence_on_nothing_that_was_shown_is_left_out_and_counted() -> None:
    said = {"questions": [claimed("Who sang?", "s99"), claimed("What keeps a battery warm?", "s2")]}
    prose = prereading(answering(leave_with=[claimed("We will leave with a song.", "s99")], **said))
    assert prose.notes == ("2 of the model's sentences were left out: the cases do not support them.",)
    draft = prose.grounded.draft
    assert "song" not in str(draft.fields)
    assert draft.fields["questions"][0] == "What keeps a battery warm?"
    assert len(draft.fields["questions"]) == 3
    assert draft.fields["questions"][0] in [claim.text for claim in draft.claims if claim.field == "questions"]


def test_where_the_model_fails_the_pages_are_those_made_without_one() -> None:
    prose = prereading(scripted(pre_reading=fails))
    assert prose.grounded == prereading(None).grounded
    assert prose.grounded.draft.provenance.model == NO_AI
    assert prose.notes == ("Made without AI: the model's server failed (500); requests made: 3.",)


# recaps


def a_recap(**text: str) -> Case:
    notes = "Nine people came to the jam. [person 3] will try the warm pocket by 3 August. Who pays for the spares?"
    return build_case("r-1", {"title": "Jam 1", **text, "notes": notes}, kind=CaseKind.RECAP)


def test_a_recap_has_its_five_bullets_out_of_the_notes_each_with_its_quote() -> None:
    prose = write_recap(a_recap(), [BATTERY], writer(), run_id="run-1")
    draft = prose.grounded.draft
    assert (draft.kind, tuple(draft.fields)) == (DraftKind.RECAP, BULLETS)
    assert draft.fields["pattern"] == ("[person 3] will try the warm pocket by 3 August.",)
    assert draft.fields["next_use"] == draft.fields["open_question"] == NOT_STATED
    assert ground(draft, cases_by_id(a_recap(), BATTERY)).refused_claims == ()
    assert draft.provenance.prompt == "session-recap"


def test_what_the_sender_wrote_stays_and_nothing_is_asked_where_nothing_is_missing() -> None:
    written = {name: f"The {name} as its sender put it." for name in BULLETS}
    model = rule_based_model()
    full = write_recap(a_recap(**written), [], writer(model), run_id="run-1").grounded.draft
    assert full.fields == {name: (text,) for name, text in written.items()}
    assert (full.provenance.model, model.requests) == (NO_AI, [])
    part = write_recap(a_recap(decision=written["decision"]), [], writer(model), run_id="run-1").grounded.draft
    assert part.fields["decision"] == (written["decision"],)
    assert NOT_STATED not in (part.fields["case"], part.fields["pattern"])
    assert len(model.requests) == 1


@pytest.mark.parametrize("with_writer", [None, scripted(session_recap=fails)])
def test_a_recap_without_a_model_guesses_no_owner_and_no_date(with_writer: LlmSession | None) -> None:
    draft = write_recap(a_recap(), [], with_writer, run_id="run-1").grounded.draft
    assert draft.fields["open_question"] == ("Who pays for the spares?",)
    assert draft.fields["next_use"] == draft.fields["pattern"] == NOT_STATED
    assert draft.provenance.model == NO_AI


# changes


def change(with_writer: LlmSession | None, new: frozenset[str] = frozenset({"c-3"})) -> DraftWithNotes:
    return write_theme_change(
        evidence_of(ALL), "Grew from 2 to 3 cases.", new, cases_by_id(*ALL), with_writer, run_id="run-1"
    )


@pytest.mark.parametrize("with_writer", [None, writer()])
def test_a_change_is_told_with_its_counts_and_in_the_words_of_new_cases(with_writer: LlmSession | None) -> None:
    draft = change(with_writer).grounded.draft
    assert (draft.kind, draft.fields["counted"]) == (DraftKind.THEME_CHANGE, "Grew from 2 to 3 cases.")
    assert {quote.case_id for claim in draft.claims for quote in claim.quotes} == {"c-3"}
    assert draft.provenance.model == ("scripted" if with_writer else NO_AI)


def test_a_sentence_about_earlier_cases_alone_is_no_news() -> None:
    prose = change(scripted(theme_change=lambda _: {"note": [claimed("It is as before.", "s1")]}))
    assert prose.grounded.draft.fields["note"] == NOT_STATED


def test_where_nothing_is_new_nobody_is_asked() -> None:
    model = rule_based_model()
    prose = change(writer(model), frozenset())
    assert (prose.grounded.draft.fields["note"], model.requests) == (NOT_STATED, [])


# weak support

FAR = "Ask the choir to rehearse louder tunes together."


def test_a_sentence_that_its_quote_hardly_carries_is_flagged_on_pages_recaps_and_notes_too() -> None:
    none: list[Any] = []
    bullets = {**dict.fromkeys(BULLETS, none), "pattern": [claimed(FAR, "s1")]}
    made = [
        prereading(answering(helped=[claimed(FAR, "s2")])),
        write_recap(a_recap(), [BATTERY], scripted(session_recap=lambda _: bullets), run_id="run-1"),
        change(scripted(theme_change=lambda _: {"note": [claimed(FAR, "s5")]})),
    ]
    for prose, field in zip(made, ["helped", "pattern", "note"], strict=True):
        flags = [flag for flag in prose.grounded.flags if flag.text == FAR]
        assert [(flag.doubt, flag.field) for flag in flags] == [(FlagKind.WEAK_SUPPORT, field)]
        assert flags[0].reason == "Its quotes contain 0 % of its words, and their meaning is not close (0.10 of 1)."
        assert flags[0] in prose.grounded.draft.flags


def test_pages_are_printed_without_flags_so_a_note_tells_of_them() -> None:
    prose = prereading(answering(helped=[claimed(FAR, "s2")]))
    shown = f"`patternmind review show {prose.grounded.draft.id}`"
    assert prose.notes == (f"One of the model's sentences is weakly supported by the quotes; see {shown}.",)


def test_what_the_quotes_carry_has_no_flag() -> None:
    for prose in (prereading(writer()), write_recap(a_recap(), [BATTERY], writer(), run_id="run-1"), change(writer())):
        assert not [flag for flag in prose.grounded.flags if flag.doubt is FlagKind.WEAK_SUPPORT]


# asking


def test_every_text_of_an_answer_is_redacted_and_our_ids_stay() -> None:
    listed = [{"text": "Mail ada@example.org", "sentences": ["s1", "c-Ada"], "case_id": "Ada", "quotes": ["Ada"]}]
    said = {"name": "Ask Ada", "n": 3, "list": listed}
    assert redact_values(said, ROSTER, keep=known_id_filter(["c-Ada"])) == {
        "name": "Ask [person 3]",
        "n": 3,
        "list": [
            {
                "text": "Mail [email]",
                "sentences": ["s1", "c-Ada"],
                "case_id": "[person 3]",
                "quotes": ["[person 3]"],
            }
        ],
    }


def test_the_same_is_asked_once_and_a_failure_is_kept_too() -> None:
    model = ScriptedModel({"theme-change": [SERVER_FAILURE]})
    one = writer(model)
    for _ in range(2):
        assert "500" in change(one).notes[0]
    assert (len(model.requests), one.n_failed) == (1, 1)
    with pytest.raises(GatewayFailed):
        one.ask("weak-support", {"claims": []}, case_ids=[])


def test_a_prompt_carries_the_cases_it_shows() -> None:
    model = rule_based_model()
    change(writer(model))
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
def test_names_that_say_the_same_are_alike(name: str, other: str, *, same: bool) -> None:
    assert are_names_similar(name, other) is are_names_similar(other, name) is same

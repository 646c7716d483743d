import datetime as dt
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.builders import (
    NOON,
    build_case,
    build_claim,
    build_grounded_draft,
    build_pattern,
    build_theme,
    cases_by_id,
)

from patternmind import review
from patternmind.domain.cases import Case, Consent
from patternmind.domain.drafts import (
    Claim,
    DraftAction,
    DraftKind,
    DraftState,
    GroundedDraft,
    Pattern,
    RejectionReason,
    ReviewedDraft,
)
from patternmind.domain.networks import Network
from patternmind.domain.themes import Theme
from patternmind.publishing.document import (
    BulletList,
    Document,
    Heading,
    Note,
    QuoteBlock,
    block_texts,
    count_document_words,
)
from patternmind.publishing.html import to_html
from patternmind.publishing.length_limits import MAX_WORDS
from patternmind.publishing.prereading import lay_out_prereading, prereading_record
from patternmind.publishing.reviewed_content import (
    current_fields,
    current_name,
    current_state,
    split_decisions,
)

NETWORK = Network(id="n-1", name="Nordlys")
NIGHT = build_case("c-1", {"problem": "came on at 22. pallet stood in lane 4.", "what_happened": "seven came back."})
DOCK = build_case("c-2", "A carton on hold went out with the Friday lorry.")
TAPE = build_case("c-3", "Since the red tape no pump has left the house.")
COLD = build_case("c-4", "Tape did not help in the cold store.", consent=Consent.NETWORK_ONLY)
CASES = cases_by_id(NIGHT, DOCK, TAPE, COLD)

FIELDS: Mapping[str, str | tuple[str, ...]] = {
    "session": "Jam 7",
    "date": "2026-12-03",
    "case_title": "nobody told nights",
    "leave_with": "We will leave with one thing to try.",
    "unknown": ("1 of 4 cases do not say what helped.",),
    "questions": ("Who has seen it work?", "When does it turn against us?", "What would you need to know?"),
}
CLAIMS = (
    build_claim("case", NIGHT, "came on at 22."),
    build_claim("case", NIGHT, "pallet stood in lane 4."),
    build_claim("case", NIGHT, source="what_happened"),
    build_claim("quotes", DOCK),
    build_claim("helped", TAPE),
    build_claim("disagreement", COLD),
)


def grounded(claims: Sequence[Claim] = CLAIMS, cases: Mapping[str, Case] = CASES, **fields: object) -> GroundedDraft:
    return build_grounded_draft(cases, claims, fields={**FIELDS, **fields})


def candidate(id: str = "d-2", **known: object) -> ReviewedDraft:
    claims = [build_claim("forces", DOCK), build_claim("solution", TAPE)]
    return ReviewedDraft(
        grounded=build_grounded_draft(CASES, claims, DraftKind.PATTERN, id=id, name=f"Marks {id}", **known)
    )


def accepted(id: str = "p-1", **known: object) -> Pattern:
    claims = [build_claim("solution", TAPE), build_claim("counter_evidence", COLD)]
    return build_pattern([TAPE, COLD], claims, id=id, **{"name": f"Tape {id}", **known})


def prereading(
    draft: GroundedDraft | ReviewedDraft | None = None,
    patterns: Sequence[ReviewedDraft | Pattern] = (),
    theme: Theme | None = None,
    cases: Mapping[str, Case] = CASES,
) -> Document:
    return lay_out_prereading(draft or grounded(), theme=theme, patterns=patterns, cases=cases, network=NETWORK)


def decided(draft: ReviewedDraft, *actions: DraftAction, **known: object) -> ReviewedDraft:
    for action in actions:
        reason = RejectionReason.TOO_ABSTRACT if action is DraftAction.REJECT else None
        edits = known if action is DraftAction.EDIT else {}
        decision = review.make_decision(draft, action, actor="Ada Berg", at=NOON, reason=reason, edits=edits)  # pyright: ignore[reportArgumentType]
        draft = ReviewedDraft(grounded=draft.grounded, decisions=(*draft.decisions, decision))
    return draft


def text_of(document: Document) -> str:
    return "\n".join(text for block in document.blocks for text in block_texts(block))


def under(document: Document, title: str) -> list[str]:
    starts = [at for at, block in enumerate(document.blocks) if isinstance(block, Heading)]
    start = next(at for at in starts if document.blocks[at] in {Heading(2, title), Heading(3, title)})
    end = next((at for at in starts if at > start), len(document.blocks))
    return [text for block in document.blocks[start + 1 : end] for text in block_texts(block)]


def test_it_has_its_parts_in_the_order_a_reader_needs() -> None:
    parts = [block.text for block in prereading().blocks if isinstance(block, Heading) and block.level == 2]
    assert parts == [
        "The case, in its own words",
        "Its theme",
        "In the words of others",
        "What helped elsewhere",
        "Patterns to look at",
        "What we do not know, and where cases disagree",
        "Three questions",
        "Related patterns and uses",
        "Before you come",
    ]


def test_it_asks_for_no_slides_and_says_how_it_was_made() -> None:
    last = under(prereading(), "Before you come")
    assert last[0].startswith("No slides.")
    assert last[-1] == "How this was made: No AI used; extractive-prereading/1; from 4 cases; run r-1."


def test_without_approval_it_says_that_it_is_a_draft() -> None:
    assert Note("Draft, not reviewed", "No one has checked this selection yet; the quotes are verbatim.") in (
        prereading().blocks
    )
    assert prereading().front_matter["reviewed"] is False


def test_an_approved_one_names_who_approved_it_and_an_undo_takes_that_back() -> None:
    draft = ReviewedDraft(grounded=grounded())
    approved = prereading(decided(draft, DraftAction.ACCEPT))
    assert Note("Approved", "By Ada Berg on 2026-11-20.") in approved.blocks
    assert "not reviewed" not in text_of(approved)
    assert "Draft, not reviewed" in text_of(prereading(decided(draft, DraftAction.ACCEPT, DraftAction.UNDO)))


def test_an_edit_is_what_is_printed() -> None:
    edited = decided(ReviewedDraft(grounded=grounded()), DraftAction.EDIT, leave_with="One date each.", name="Pallets")
    document = prereading(edited)
    assert "One date each." in text_of(document)
    assert document.title == "Pallets"


def test_the_case_is_quoted_field_by_field_so_that_every_quote_is_verbatim() -> None:
    document = prereading()
    own = [block for block in document.blocks if isinstance(block, QuoteBlock)][:2]
    assert own == [QuoteBlock("came on at 22. pallet stood in lane 4."), QuoteBlock("seven came back.", "C-1, 2026Q3")]
    assert own[0].text in NIGHT.text["problem"]


def test_what_the_case_says_in_between_is_marked() -> None:
    case = build_case("c-9", "One went out. Two stayed here. Three came back.")
    claims = [build_claim("case", case, "One went out."), build_claim("case", case, "Three came back.")]
    document = prereading(grounded(claims, cases_by_id(case)), cases=cases_by_id(case))
    assert QuoteBlock("One went out. … Three came back.", "C-9, 2026Q3") in document.blocks


def test_a_line_that_a_person_wrote_is_no_quote() -> None:
    edited = decided(
        ReviewedDraft(grounded=grounded()), DraftAction.EDIT, quotes=("My own view.", DOCK.text["problem"])
    )
    document = prereading(edited)
    assert "My own view." not in [block.text for block in document.blocks if isinstance(block, QuoteBlock)]
    assert under(document, "In the words of others") == ["My own view.", DOCK.text["problem"], "C-2, 2026Q3"]


def test_a_topic_without_a_theme_says_so() -> None:
    assert "has no theme yet" in under(prereading(), "Its theme")[0]


def test_the_theme_card_has_its_counts() -> None:
    theme = build_theme(trend={"2026Q3": 5, "2026Q4": 2}, share=0.125, new_cases=2, differs_by=("tape", "hold"))
    card = " ".join(under(prereading(theme=theme), "Its theme"))
    for told in (
        "pallets on hold",
        "7 cases, 3 teams, 6 contributors; 2 new",
        "2026Q3: 5, 2026Q4: 2",
        "12 %",
        "tape, hold",
    ):
        assert told in card


def test_two_patterns_at_most_the_accepted_first_each_marked_as_what_it_is() -> None:
    document = prereading(patterns=[candidate("d-2"), candidate("d-3"), accepted()])
    assert under(document, "Tape p-1")[0] == "Accepted"
    assert under(document, "Marks d-2")[0] == "Candidate"
    assert under(document, "Related patterns and uses") == ["Marks d-3"]


def test_forces_and_counter_evidence_are_shown_even_when_there_is_none() -> None:
    document = prereading(patterns=[candidate(), accepted()])
    assert under(document, "Marks d-2")[-2:] == [
        f"Force: {DOCK.text['problem']} (C-2, 2026Q3)",
        "Counter-evidence: none found in these cases.",
    ]
    assert under(document, "Tape p-1")[-1] == f"Counter-evidence: {COLD.text['problem']} (C-4, 2026Q3)"


@pytest.mark.parametrize("actions", [(DraftAction.REJECT,), (DraftAction.ACCEPT, DraftAction.RETIRE)])
def test_what_people_turned_down_does_not_come_back(actions: tuple[DraftAction, ...]) -> None:
    assert "Marks" not in text_of(prereading(patterns=[decided(candidate(), *actions)]))
    assert "Tape p-1" not in text_of(prereading(patterns=[accepted(state=DraftState.RETIRED)]))


def test_a_theme_whose_cases_hold_no_pattern_says_so() -> None:
    reason = "Fewer than two of these cases say what helped."
    none_there = ReviewedDraft(grounded=build_grounded_draft(CASES, [], DraftKind.PATTERN, fields={"reason": reason}))
    assert under(prereading(patterns=[none_there]), "Patterns to look at") == [
        f"No repeatable pattern in these cases. {reason}"
    ]


def test_quoting_a_case_for_the_network_only_is_said_on_the_page() -> None:
    assert "For Nordlys only" in text_of(prereading())
    assert "For Nordlys only" not in text_of(prereading(grounded(CLAIMS[:-1])))


def test_no_team_and_no_contributor_is_named() -> None:
    page = to_html(prereading(patterns=[candidate(), accepted()], theme=build_theme()))
    assert "team of" not in page
    assert "contributor of" not in page


def test_a_session_without_name_and_date_says_so() -> None:
    text = text_of(prereading(grounded(session="", date="")))
    assert "not named yet" in text
    assert "not set yet" in text


# Two pages


WORDS = ("the", "Palette", "with", "Ausseneinheiten", "in", "Fahrgasse", "although", "niemand", "Nachtschicht")
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=3, max_size=120).map(lambda words: " ".join(words) + ".")


def long_one(sentence: str, *, n: int = 12) -> Document:
    """As much of everything as a draft could hold, every sentence another one."""
    cases = [build_case(f"c-{at}", f"{at} {sentence}") for at in range(120)]
    left = iter(cases)
    names = ("case", "quotes", "helped", "disagreement")
    claims = [build_claim(name, next(left)) for name in names for _ in range(n if name == "case" else 3)]
    patterns: list[Pattern] = []
    for id in ("p-1", "p-2"):
        held = [build_claim(name, next(left)) for name in ("forces", "counter_evidence", "solution") for _ in range(3)]
        told = {"patlet": f"{held[0].text} Therefore: {held[-1].text}", "known_uses": (held[1].text,)}
        pattern = build_pattern(cases, held, id=id, name="A name of six words here")
        patterns.append(build_pattern(cases, held, id=id, name=pattern.name, fields={**pattern.fields, **told}))
    asked = tuple(f"{at} {' '.join(sentence.split()[:24])} When does it turn against us?" for at in range(3))
    unknown = tuple(f"{at} of 40 cases have no date, so whether it gets rarer cannot be seen." for at in range(3))
    theme = build_theme(gist=" ".join(sentence.split()[:30]), trend={f"2026Q{at}": 12 for at in (1, 2, 3, 4)})
    draft = grounded(claims, cases_by_id(*cases), questions=asked, unknown=unknown)
    return prereading(draft, patterns, theme, cases_by_id(*cases))


@given(SENTENCES)
@settings(max_examples=30, deadline=None)
def test_it_is_never_longer_than_eight_minutes_and_no_sentence_is_cut(sentence: str) -> None:
    document = long_one(sentence)
    assert count_document_words(document) <= MAX_WORDS
    whole = {f"{at} {sentence}" for at in range(120)}
    quoted = [block.text for block in document.blocks if isinstance(block, QuoteBlock)]
    assert all(text in whole for text in quoted)


def test_what_was_left_out_is_counted() -> None:
    document = long_one("The pallet stood in lane 4 although nobody had told the night shift about the recall.")
    assert "Shortened to two pages: " in under(document, "Before you come")[-1]
    assert "Shortened" not in text_of(prereading())


def test_shortening_keeps_every_kind_of_voice_as_long_as_it_can() -> None:
    document = long_one("The pallet stood in lane 4 although nobody had told the night shift of the recall of pumps.")
    assert len([block for block in document.blocks if isinstance(block, QuoteBlock)]) >= 6
    assert "Left out" not in text_of(document)


def test_a_case_without_a_full_stop_is_never_cut_in_the_middle() -> None:
    case = build_case("c-9", "and then " * 400)
    document = prereading(grounded([build_claim("case", case)], cases_by_id(case)), cases=cases_by_id(case))
    assert under(document, "nobody told nights") == ["Left out to fit two pages; see the draft."]


@pytest.mark.parametrize("n_words", [4, 14, 45])
@pytest.mark.parametrize("size", ["A4", "Letter"])
def test_the_longest_one_fits_on_two_printed_pages(size: str, n_words: int) -> None:
    weasyprint = pytest.importorskip("weasyprint")
    document = long_one(" ".join((WORDS * 5)[:n_words]) + ".", n=250 // n_words)
    page = to_html(document).replace("@page {", f"@page {{ size: {size};")
    assert len(weasyprint.HTML(string=page).render().pages) <= 2


# The record


def test_the_record_is_a_line_of_the_export_of_drafts() -> None:
    record = prereading_record(grounded(CLAIMS[3:4]))
    assert record == {
        "id": "d-1",
        "kind": "pre-reading",
        "state": "candidate",
        "theme_id": "t-1",
        "name": "Pre-reading: pallets on hold",
        "fields": {
            **{name: value if isinstance(value, str) else list(value) for name, value in FIELDS.items()},
            "quotes": [DOCK.text["problem"]],
        },
        "claims": [
            {
                "text": DOCK.text["problem"],
                "field": "quotes",
                "quotes": [
                    {"case_id": "c-2", "field": "problem", "start": 0, "end": 48, "text": DOCK.text["problem"]},
                ],
            }
        ],
        "provenance": {
            "run_id": "r-1",
            "model": "no AI used",
            "prompt": "extractive-prereading/1",
            "prompt_hash": "",
            "inputs": ["c-1@v1", "c-2@v1", "c-3@v1", "c-4@v1"],
        },
    }


@pytest.mark.parametrize(
    "actions",
    [
        (),
        (DraftAction.EDIT,),
        (DraftAction.ACCEPT,),
        (DraftAction.EDIT, DraftAction.UNDO),
        (DraftAction.ACCEPT, DraftAction.RETIRE, DraftAction.UNDO),
        (DraftAction.REJECT,),
        (DraftAction.REJECT, DraftAction.UNDO, DraftAction.EDIT, DraftAction.ACCEPT),
    ],
)
def test_decisions_are_read_here_as_review_reads_them(actions: tuple[DraftAction, ...]) -> None:
    draft = decided(candidate(), *actions, name="Other name", solution=("Other line.",))
    plain, held = split_decisions(draft)
    assert current_state(held) == review.state_of(draft.decisions)
    assert {"name": current_name(plain, held), **current_fields(plain, held)} == review.fields_of(draft)


def test_bullets_are_never_empty() -> None:
    document = long_one("word " * 70 + ".")
    assert all(block.items for block in document.blocks if isinstance(block, BulletList))
    assert dt.date.fromisoformat(str(document.front_matter["date"])) == dt.date(2026, 12, 3)

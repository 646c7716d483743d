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
from patternmind.domain.draft_fields import DraftFields
from patternmind.domain.drafts import Claim, DraftAction, DraftKind, DraftState, Pattern, RejectionReason, ReviewedDraft
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

NETWORK = Network(id="n-1", name="Nordlys")
NIGHT = build_case("c-1", {"problem": "came on at 22. pallet stood in lane 4.", "what_happened": "seven came back."})
DOCK = build_case("c-2", "A carton on hold went out with the Friday lorry.")
TAPE = build_case("c-3", "Since the red tape no pump has left the house.")
COLD = build_case("c-4", "Tape did not help in the cold store.", consent=Consent.NETWORK_ONLY)
CASES = cases_by_id(NIGHT, DOCK, TAPE, COLD)

FIELDS: DraftFields = {
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


def grounded(claims: Sequence[Claim] = CLAIMS, cases: Mapping[str, Case] = CASES, **fields: object) -> ReviewedDraft:
    return ReviewedDraft(grounded=build_grounded_draft(cases, claims, fields={**FIELDS, **fields}))


def candidate(id: str = "d-2", **options: object) -> ReviewedDraft:
    claims = [build_claim("forces", DOCK), build_claim("solution", TAPE)]
    return ReviewedDraft(
        grounded=build_grounded_draft(CASES, claims, DraftKind.PATTERN, id=id, name=f"Marks {id}", **options)
    )


def accepted(id: str = "p-1", **options: object) -> Pattern:
    claims = [build_claim("solution", TAPE), build_claim("counter_evidence", COLD)]
    return build_pattern([TAPE, COLD], claims, id=id, **{"name": f"Tape {id}", **options})


def prereading(
    draft: ReviewedDraft | None = None,
    patterns: Sequence[ReviewedDraft | Pattern] = (),
    theme: Theme | None = None,
    cases: Mapping[str, Case] = CASES,
) -> Document:
    return lay_out_prereading(draft or grounded(), theme=theme, patterns=patterns, cases=cases, network=NETWORK)


def decide(draft: ReviewedDraft, *actions: DraftAction, **edited_fields: object) -> ReviewedDraft:
    for action in actions:
        reason = RejectionReason.TOO_ABSTRACT if action is DraftAction.REJECT else None
        edits = edited_fields if action is DraftAction.EDIT else {}
        decision = review.make_decision(draft, action, actor="Ada Berg", at=NOON, reason=reason, edits=edits)  # pyright: ignore[reportArgumentType]
        draft = ReviewedDraft(grounded=draft.grounded, decisions=(*draft.decisions, decision))
    return draft


def text_of(document: Document) -> str:
    return "\n".join(text for block in document.blocks for text in block_texts(block))


def text_under(document: Document, title: str) -> list[str]:
    starts = [at for at, block in enumerate(document.blocks) if isinstance(block, Heading)]
    start = next(at for at in starts if document.blocks[at] in {Heading(2, title), Heading(3, title)})
    end = next((at for at in starts if at > start), len(document.blocks))
    return [text for block in document.blocks[start + 1 : end] for text in block_texts(block)]


def test_prereading_has_its_parts_in_order() -> None:
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


def test_prereading_requests_no_slides_and_states_its_origin() -> None:
    last = text_under(prereading(), "Before you come")
    assert last[0].startswith("No slides.")
    assert last[-1] == "How this was made: No AI used; extractive-prereading/1; from 4 cases; run r-1."


def test_prereading_is_marked_as_a_draft_before_approval() -> None:
    assert Note("Draft, not reviewed", "No one has checked this selection yet; the quotes are verbatim.") in (
        prereading().blocks
    )
    assert prereading().front_matter["reviewed"] is False


def test_prereading_names_its_approver_until_the_approval_is_undone() -> None:
    draft = grounded()
    approved = prereading(decide(draft, DraftAction.ACCEPT))
    assert Note("Approved", "By Ada Berg on 2026-11-20.") in approved.blocks
    assert "not reviewed" not in text_of(approved)
    assert "Draft, not reviewed" in text_of(prereading(decide(draft, DraftAction.ACCEPT, DraftAction.UNDO)))


def test_prereading_has_the_edited_text_and_name() -> None:
    edited = decide(grounded(), DraftAction.EDIT, leave_with="One date each.", name="Pallets")
    document = prereading(edited)
    assert "One date each." in text_of(document)
    assert document.title == "Pallets"


def test_prereading_quotes_the_case_by_field_so_that_quotes_are_verbatim() -> None:
    document = prereading()
    case_quotes = [block for block in document.blocks if isinstance(block, QuoteBlock)][:2]
    assert case_quotes == [
        QuoteBlock("came on at 22. pallet stood in lane 4."),
        QuoteBlock("seven came back.", "C-1, 2026Q3"),
    ]
    assert case_quotes[0].text in NIGHT.text["problem"]


def test_prereading_marks_omitted_sentences_of_the_case() -> None:
    case = build_case("c-9", "One went out. Two stayed here. Three came back.")
    claims = [build_claim("case", case, "One went out."), build_claim("case", case, "Three came back.")]
    document = prereading(grounded(claims, cases_by_id(case)), cases=cases_by_id(case))
    assert QuoteBlock("One went out. … Three came back.", "C-9, 2026Q3") in document.blocks


def test_prereading_does_not_quote_a_line_that_a_person_wrote() -> None:
    edited = decide(grounded(), DraftAction.EDIT, quotes=("My own view.", DOCK.text["problem"]))
    document = prereading(edited)
    assert "My own view." not in [block.text for block in document.blocks if isinstance(block, QuoteBlock)]
    assert text_under(document, "In the words of others") == ["My own view.", DOCK.text["problem"], "C-2, 2026Q3"]


def test_prereading_states_a_missing_theme() -> None:
    assert "has no theme yet" in text_under(prereading(), "Its theme")[0]


def test_prereading_theme_card_has_its_counts() -> None:
    theme = build_theme(trend={"2026Q3": 5, "2026Q4": 2}, share=0.125, new_cases=2, differs_by=("tape", "hold"))
    card = " ".join(text_under(prereading(theme=theme), "Its theme"))
    for part in (
        "pallets on hold",
        "7 cases, 3 teams, 6 contributors; 2 new",
        "2026Q3: 5, 2026Q4: 2",
        "12 %",
        "tape, hold",
    ):
        assert part in card


def test_prereading_has_at_most_two_patterns_with_their_states_accepted_first() -> None:
    document = prereading(patterns=[candidate("d-2"), candidate("d-3"), accepted()])
    assert text_under(document, "Tape p-1")[0] == "Accepted"
    assert text_under(document, "Marks d-2")[0] == "Candidate"
    assert text_under(document, "Related patterns and uses") == ["Marks d-3"]


def test_prereading_patterns_have_forces_and_counter_evidence_when_empty() -> None:
    document = prereading(patterns=[candidate(), accepted()])
    assert text_under(document, "Marks d-2")[-2:] == [
        f"Force: {DOCK.text['problem']} (C-2, 2026Q3)",
        "Counter-evidence: none found in these cases.",
    ]
    assert text_under(document, "Tape p-1")[-1] == f"Counter-evidence: {COLD.text['problem']} (C-4, 2026Q3)"


@pytest.mark.parametrize("actions", [(DraftAction.REJECT,), (DraftAction.ACCEPT, DraftAction.RETIRE)])
def test_prereading_omits_rejected_and_retired_patterns(actions: tuple[DraftAction, ...]) -> None:
    assert "Marks" not in text_of(prereading(patterns=[decide(candidate(), *actions)]))
    assert "Tape p-1" not in text_of(prereading(patterns=[accepted(state=DraftState.RETIRED)]))


def test_prereading_states_why_its_cases_have_no_pattern() -> None:
    reason = "Fewer than two of these cases say what helped."
    empty = ReviewedDraft(grounded=build_grounded_draft(CASES, [], DraftKind.PATTERN, fields={"reason": reason}))
    assert text_under(prereading(patterns=[empty]), "Patterns to look at") == [
        f"No repeatable pattern in these cases. {reason}"
    ]


def test_prereading_is_marked_network_only_when_it_quotes_such_a_case() -> None:
    assert "For Nordlys only" in text_of(prereading())
    assert "For Nordlys only" not in text_of(prereading(grounded(CLAIMS[:-1])))
    without_dock = {id: case for id, case in CASES.items() if id != DOCK.id}
    assert "For Nordlys only" in text_of(prereading(grounded(CLAIMS[:-1]), cases=without_dock)), "DOCK was withdrawn"


def test_prereading_names_no_team_and_no_contributor() -> None:
    page = to_html(prereading(patterns=[candidate(), accepted()], theme=build_theme()))
    assert "team of" not in page
    assert "contributor of" not in page


def test_prereading_states_a_missing_session_name_and_date() -> None:
    text = text_of(prereading(grounded(session="", date="")))
    assert "not named yet" in text
    assert "not set yet" in text


# length limit of two pages


WORDS = ("the", "Palette", "with", "Ausseneinheiten", "in", "Fahrgasse", "although", "niemand", "Nachtschicht")
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=3, max_size=120).map(lambda words: " ".join(words) + ".")


def longest_prereading(sentence: str, *, n: int = 12) -> Document:
    """Return a pre-reading with as much content as a draft can hold, in distinct sentences."""
    cases = [build_case(f"c-{at}", f"{at} {sentence}") for at in range(120)]
    unused_cases = iter(cases)
    names = ("case", "quotes", "helped", "disagreement")
    claims = [build_claim(name, next(unused_cases)) for name in names for _ in range(n if name == "case" else 3)]
    patterns: list[Pattern] = []
    for id in ("p-1", "p-2"):
        pattern_claims = [
            build_claim(name, next(unused_cases))
            for name in ("forces", "counter_evidence", "solution")
            for _ in range(3)
        ]
        fields = {
            "patlet": f"{pattern_claims[0].text} Therefore: {pattern_claims[-1].text}",
            "known_uses": (pattern_claims[1].text,),
        }
        pattern = build_pattern(cases, pattern_claims, id=id, name="A name of six words here")
        patterns.append(
            build_pattern(cases, pattern_claims, id=id, name=pattern.name, fields={**pattern.fields, **fields})
        )
    questions = tuple(f"{at} {' '.join(sentence.split()[:24])} When does it turn against us?" for at in range(3))
    unknown = tuple(f"{at} of 40 cases have no date, so whether it gets rarer cannot be seen." for at in range(3))
    theme = build_theme(gist=" ".join(sentence.split()[:30]), trend={f"2026Q{at}": 12 for at in (1, 2, 3, 4)})
    draft = grounded(claims, cases_by_id(*cases), questions=questions, unknown=unknown)
    return prereading(draft, patterns, theme, cases_by_id(*cases))


@given(SENTENCES)
@settings(max_examples=30, deadline=None)
def test_prereading_takes_at_most_eight_minutes_and_cuts_no_sentence(sentence: str) -> None:
    document = longest_prereading(sentence)
    assert count_document_words(document) <= MAX_WORDS
    full_sentences = {f"{at} {sentence}" for at in range(120)}
    quoted = [block.text for block in document.blocks if isinstance(block, QuoteBlock)]
    assert all(text in full_sentences for text in quoted)


def test_prereading_states_that_it_was_shortened() -> None:
    document = longest_prereading(
        "The pallet stood in lane 4 although nobody had told the night shift about the recall."
    )
    assert "Shortened to two pages: " in text_under(document, "Before you come")[-1]
    assert "Shortened" not in text_of(prereading())


def test_shortened_prereading_keeps_quotes_of_every_kind() -> None:
    document = longest_prereading(
        "The pallet stood in lane 4 although nobody had told the night shift of the recall of pumps."
    )
    assert len([block for block in document.blocks if isinstance(block, QuoteBlock)]) >= 6
    assert "Left out" not in text_of(document)


def test_prereading_omits_a_long_case_without_a_full_stop() -> None:
    case = build_case("c-9", "and then " * 400)
    document = prereading(grounded([build_claim("case", case)], cases_by_id(case)), cases=cases_by_id(case))
    assert text_under(document, "nobody told nights") == ["Left out to fit two pages; see the draft."]


@pytest.mark.parametrize("n_words", [4, 14, 45])
@pytest.mark.parametrize("size", ["A4", "Letter"])
def test_longest_prereading_fits_on_two_printed_pages(size: str, n_words: int) -> None:
    weasyprint = pytest.importorskip("weasyprint")
    document = longest_prereading(" ".join((WORDS * 5)[:n_words]) + ".", n=250 // n_words)
    page = to_html(document).replace("@page {", f"@page {{ size: {size};")
    assert len(weasyprint.HTML(string=page).render().pages) <= 2


# record in the export of drafts


def test_prereading_record_is_a_row_of_the_draft_export() -> None:
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
                "quotes": [{"case_id": "c-2", "field": "problem", "start": 0, "end": 48, "text": DOCK.text["problem"]}],
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


def test_prereading_record_contains_edits() -> None:
    record = prereading_record(decide(candidate(), DraftAction.EDIT, name="Other name", solution=("Other line.",)))
    assert (record["state"], record["name"]) == ("in_review", "Other name")
    assert (record["fields"]["solution"], "name" in record["fields"]) == (["Other line."], False)


def test_prereading_has_no_empty_bullet_list() -> None:
    document = longest_prereading("word " * 70 + ".")
    assert all(block.items for block in document.blocks if isinstance(block, BulletList))
    assert dt.date.fromisoformat(str(document.front_matter["date"])) == dt.date(2026, 12, 3)

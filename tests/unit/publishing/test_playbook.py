import datetime as dt
from collections.abc import Sequence

import pytest
from tests.fixtures.builders import (
    build_case,
    build_claim,
    build_pattern,
    build_theme,
    case_inputs,
)

from patternmind.domain.drafts import DraftState, Pattern, Provenance
from patternmind.domain.networks import Network
from patternmind.domain.themes import Theme
from patternmind.publishing.document import (
    ContentsList,
    Document,
    FactTable,
    Heading,
    Paragraph,
    QuoteBlock,
    block_texts,
)
from patternmind.publishing.playbook import Edition, build_playbook
from patternmind.publishing.publication_rules import PublishedPattern, WithheldPattern

DAY = dt.date(2026, 11, 21)
NETWORK = Network(id="n-1", name="Nordlys", purpose="Fewer second visits.")
PALLET = build_case("c-1", "The pallet stood in lane 4 like any other one.")
TAPE = build_case("c-2", "Red tape on the goods themselves has helped us since July.")
COLD = build_case("c-3", "Tape did not help in the cold store.")


def one(*, counter: bool = False, **known: object) -> PublishedPattern:
    claims = [build_claim("problem", PALLET), build_claim("solution", TAPE)]
    claims += [build_claim("counter_evidence", COLD)] if counter else []
    pattern = build_pattern([PALLET, TAPE, COLD], claims, **known)
    references = {"c-1": "C-1, 2026Q3", "c-2": "C-2, 2026Q3", "c-3": "C-3, 2026Q3"}
    return PublishedPattern(pattern=pattern, references=references, n_cases=3, n_contributors=3, n_teams=2)


def playbook(
    patterns: Sequence[PublishedPattern] = (),
    withheld: Sequence[WithheldPattern] = (),
    retired: Sequence[Pattern] = (),
    themes: Sequence[Theme] = (),
    earlier: Sequence[Edition] = (),
) -> Document:
    return build_playbook(
        patterns, withheld, retired, network=NETWORK, themes=themes, date=DAY, earlier_editions=earlier
    )


def text_of(document: Document) -> str:
    return "\n".join(text for block in document.blocks for text in block_texts(block))


def under(document: Document, title: str) -> str:
    """The text between a heading and the next one."""
    starts = [at for at, block in enumerate(document.blocks) if isinstance(block, Heading)]
    start = next(at for at in starts if document.blocks[at] in {Heading(2, title), Heading(3, title)})
    end = next((at for at in starts if at > start), len(document.blocks))
    return "\n".join(text for block in document.blocks[start + 1 : end] for text in block_texts(block))


def test_a_pattern_page_has_its_parts_in_their_order() -> None:
    document = playbook([one()])
    parts = [block.text for block in document.blocks if isinstance(block, Heading) and block.level == 3]
    assert parts == [
        "Context",
        "Problem",
        "Forces",
        "Therefore",
        "Signs that it applies",
        "Do not use when",
        "Consequences",
        "Evidence: verbatim quotes",
        "Counter-evidence",
        "Known uses",
        "Related patterns",
        "Status",
    ]


def test_every_pattern_begins_on_a_page_of_its_own() -> None:
    document = playbook([one(), one(id="p-2", name="Another")])
    pages = [block.text for block in document.blocks if isinstance(block, Heading) and block.starts_page]
    assert pages == ["Red tape on the goods", "Another", "Change log"]


def test_the_front_page_says_what_it_is_and_how_many_patterns_it_holds() -> None:
    document = playbook([one(), one(id="p-2", state=DraftState.FIELD_TESTED)])
    assert document.title == "Nordlys: playbook"
    facts = next(block for block in document.blocks if isinstance(block, FactTable))
    assert facts.rows == (("Version", "0.1"), ("Date", "2026-11-21"), ("Patterns", "2, 1 of them field-tested"))
    assert "not a rule book" in text_of(document)


def test_the_index_leads_from_the_situation_to_the_pattern() -> None:
    document = playbook([one()])
    index = next(block for block in document.blocks if isinstance(block, ContentsList) and "situation" in block.label)
    assert [(entry.text, entry.target) for entry in index.entries] == [
        (PALLET.text["problem"], "Red tape on the goods")
    ]
    anchors = {block.anchor for block in document.blocks if isinstance(block, Heading)}
    assert {entry.anchor for entry in index.entries} <= anchors


def test_evidence_is_quoted_with_its_reference() -> None:
    quotes = [block for block in playbook([one()]).blocks if isinstance(block, QuoteBlock)]
    assert quotes == [
        QuoteBlock(PALLET.text["problem"], "C-1, 2026Q3"),
        QuoteBlock(TAPE.text["problem"], "C-2, 2026Q3"),
    ]


def test_counter_evidence_is_shown_even_when_there_is_none() -> None:
    assert "does not prove" in under(playbook([one()]), "Counter-evidence")


def test_counter_evidence_is_quoted_and_is_not_among_the_evidence() -> None:
    document = playbook([one(counter=True)])
    assert under(document, "Counter-evidence") == f"{COLD.text['problem']}\nC-3, 2026Q3"
    assert COLD.text["problem"] not in under(document, "Evidence: verbatim quotes")


def test_where_it_stands_says_who_when_and_how_much_people_changed() -> None:
    stands = under(playbook([one(version=3, share_edited=0.184)], themes=[build_theme()]), "Status")
    for told in ("3 cases by 3 contributors in 2 teams", "pallets on hold", "Ada Berg", "3, accepted on 2026-11-20",
                 "No AI used; extractive-pattern/1; from 3 cases; run r-1.", "18 % of the words"):  # fmt: skip
        assert told in stands


def test_a_text_written_by_a_model_says_so() -> None:
    by_model = Provenance(
        run_id="r-1", model="m/large", prompt="pattern", prompt_hash="ab12", inputs=case_inputs([PALLET])
    )
    assert "Written by the model m/large; pattern (ab12); from 1 case; run r-1." in under(
        playbook([one(provenance=by_model)]), "Status"
    )


@pytest.mark.parametrize(
    ("share", "told"), [(0.0, "not edited"), (0.001, "less than 1 %"), (1.0, "100 % of the words")]
)
def test_the_share_that_people_changed_is_told_as_it_is(share: float, told: str) -> None:
    assert told in under(playbook([one(share_edited=share)]), "Status")


def test_what_consent_took_away_is_told() -> None:
    cut = one()
    document = playbook([PublishedPattern(pattern=cut.pattern, references={}, n_cases=3, n_contributors=3, n_teams=2,
                                   n_cut_quotes=2, n_cut_claims=2, n_cut_lines=1)])  # fmt: skip
    assert "2 quotes that may not be published, and 1 line with them" in under(document, "Status")


def test_related_patterns_are_those_of_this_playbook_and_no_others() -> None:
    near = one(id="p-2", name="A shelf of their own", theme_id="t-2")
    fields = {**one().pattern.fields, "related": "t-2"}
    assert under(playbook([one(fields=fields), near]), "Related patterns") == "\nA shelf of their own"
    assert under(playbook([one(fields=fields)], themes=[build_theme("t-2", name="secret")]), "Related patterns") == (
        "No related pattern in this playbook yet."
    )


def test_a_withheld_pattern_is_counted_with_its_reason_and_without_its_name() -> None:
    held = WithheldPattern(pattern_id="p-9", name="Secret name", reason="It has 1 of the 2 teams needed.")
    text = text_of(playbook([one()], [held, held]))
    assert "2 patterns are held back. 2 times: It has 1 of the 2 teams needed." in text
    assert "Secret name" not in text


def test_an_empty_playbook_says_why_and_what_to_do_next() -> None:
    paragraphs = [block.text for block in playbook().blocks if isinstance(block, Paragraph)]
    assert "none has been accepted" in paragraphs[1]
    assert "Next: open the review queue" in paragraphs[1]


def test_an_empty_playbook_with_withheld_patterns_says_what_is_missing() -> None:
    held = WithheldPattern(pattern_id="p-9", name="Secret name", reason="It has 1 of the 2 teams needed.")
    text = text_of(playbook(withheld=[held]))
    assert "1 pattern is held back. It has 1 of the 2 teams needed. Next: ask other teams" in text


def test_retired_patterns_are_listed() -> None:
    assert under(playbook(retired=[one().pattern]), "Retired patterns") == (
        "Red tape on the goods (version 1): no longer recommended."
    )


def test_the_change_log_begins_with_this_edition() -> None:
    earlier = [Edition(version="0.1", date=dt.date(2026, 8, 1), text="No patterns yet.")]
    log = under(playbook([one()], earlier=earlier), "Retired patterns")
    assert log
    change_log = next(
        block for block in reversed(playbook([one()], earlier=earlier).blocks) if isinstance(block, FactTable)
    )
    assert change_log.rows == (
        ("0.1, 2026-11-21", "1 pattern: Red tape on the goods (version 1)."),
        ("0.1, 2026-08-01", "No patterns yet."),
    )

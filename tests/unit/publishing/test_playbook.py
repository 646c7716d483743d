import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.fixtures.builders import build_case, build_claim, build_pattern, build_theme, case_inputs

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
from patternmind.publishing.playbook import build_playbook
from patternmind.publishing.publication_rules import PublishedPattern, WithheldPattern

DAY = dt.date(2026, 11, 21)
NETWORK = Network(id="n-1", name="Nordlys", purpose="Fewer second visits.")
PALLET = build_case("c-1", "The pallet stood in lane 4 like any other one.")
TAPE = build_case("c-2", "Red tape on the goods themselves has helped us since July.")
COLD = build_case("c-3", "Tape did not help in the cold store.")


def publish(*, counter: bool = False, **options: object) -> PublishedPattern:
    claims = [build_claim("problem", PALLET), build_claim("solution", TAPE)]
    claims += [build_claim("counter_evidence", COLD)] if counter else []
    pattern = build_pattern([PALLET, TAPE, COLD], claims, **options)
    references = {"c-1": "C-1, 2026Q3", "c-2": "C-2, 2026Q3", "c-3": "C-3, 2026Q3"}
    return PublishedPattern(pattern=pattern, references=references, n_cases=3, n_contributors=3, n_teams=2)


def playbook(
    patterns: Sequence[PublishedPattern] = (),
    withheld: Sequence[WithheldPattern] = (),
    retired: Sequence[Pattern] = (),
    themes: Sequence[Theme] = (),
) -> Document:
    return build_playbook(patterns, withheld, retired, network=NETWORK, themes=themes, date=DAY)


def text_of(document: Document) -> str:
    return "\n".join(text for block in document.blocks for text in block_texts(block))


def text_under(document: Document, title: str) -> str:
    """Return the text between a heading and the next heading."""
    starts = [at for at, block in enumerate(document.blocks) if isinstance(block, Heading)]
    start = next(at for at in starts if document.blocks[at] in {Heading(2, title), Heading(3, title)})
    end = next((at for at in starts if at > start), len(document.blocks))
    return "\n".join(text for block in document.blocks[start + 1 : end] for text in block_texts(block))


def test_pattern_page_has_its_parts_in_order() -> None:
    document = playbook([publish()])
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


def test_playbook_starts_each_pattern_on_a_new_page() -> None:
    document = playbook([publish(), publish(id="p-2", name="Another")])
    pages = [block.text for block in document.blocks if isinstance(block, Heading) and block.starts_page]
    assert pages == ["Red tape on the goods", "Another", "Change log"]


def test_front_page_explains_the_playbook_and_counts_its_patterns() -> None:
    document = playbook([publish(), publish(id="p-2", state=DraftState.FIELD_TESTED)])
    assert document.title == "Nordlys: playbook"
    facts = next(block for block in document.blocks if isinstance(block, FactTable))
    assert facts.rows == (("Version", "0.1"), ("Date", "2026-11-21"), ("Patterns", "2, 1 of them field-tested"))
    assert "not a rule book" in text_of(document)


def test_index_links_situations_to_patterns() -> None:
    document = playbook([publish()])
    index = next(block for block in document.blocks if isinstance(block, ContentsList) and "situation" in block.label)
    assert [(entry.text, entry.target) for entry in index.entries] == [
        (PALLET.text["problem"], "Red tape on the goods")
    ]
    anchors = {block.anchor for block in document.blocks if isinstance(block, Heading)}
    assert {entry.anchor for entry in index.entries} <= anchors


def test_pattern_page_quotes_evidence_with_its_reference() -> None:
    quotes = [block for block in playbook([publish()]).blocks if isinstance(block, QuoteBlock)]
    assert quotes == [
        QuoteBlock(PALLET.text["problem"], "C-1, 2026Q3"),
        QuoteBlock(TAPE.text["problem"], "C-2, 2026Q3"),
    ]


def test_pattern_page_has_a_counter_evidence_part_when_it_is_empty() -> None:
    assert "does not prove" in text_under(playbook([publish()]), "Counter-evidence")


def test_pattern_page_quotes_counter_evidence_separately_from_evidence() -> None:
    document = playbook([publish(counter=True)])
    assert text_under(document, "Counter-evidence") == f"{COLD.text['problem']}\nC-3, 2026Q3"
    assert COLD.text["problem"] not in text_under(document, "Evidence: verbatim quotes")


def test_status_states_reviewer_date_and_share_of_edits() -> None:
    status = text_under(playbook([publish(version=3, share_edited=0.184)], themes=[build_theme()]), "Status")
    for part in ("3 cases by 3 contributors in 2 teams", "pallets on hold", "Ada Berg", "3, accepted on 2026-11-20",
                 "No AI used; extractive-pattern/1; from 3 cases; run r-1.", "18 % of the words"):  # fmt: skip
        assert part in status


def test_status_names_the_model_that_wrote_the_text() -> None:
    by_model = Provenance(
        run_id="r-1", model="m/large", prompt="pattern", prompt_hash="ab12", inputs=case_inputs([PALLET])
    )
    assert "Written by the model m/large; pattern (ab12); from 1 case; run r-1." in text_under(
        playbook([publish(provenance=by_model)]), "Status"
    )


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "not edited"), (0.001, "less than 1 %"), (1.0, "100 % of the words")]
)
def test_status_states_the_exact_share_of_edited_words(share: float, text: str) -> None:
    assert text in text_under(playbook([publish(share_edited=share)]), "Status")


def test_status_counts_the_lines_that_consent_removed() -> None:
    redacted = replace(publish(), references={}, n_cut_quotes=2, n_cut_claims=2, n_cut_lines=1)
    document = playbook([redacted])
    assert "2 quotes that may not be published, and 1 line with them" in text_under(document, "Status")


def test_related_patterns_include_only_patterns_of_this_playbook() -> None:
    near = publish(id="p-2", name="A shelf of their own", theme_id="t-2")
    fields = {**publish().pattern.fields, "related": "t-2"}
    assert text_under(playbook([publish(fields=fields), near]), "Related patterns") == "\nA shelf of their own"
    assert text_under(
        playbook([publish(fields=fields)], themes=[build_theme("t-2", name="secret")]), "Related patterns"
    ) == ("No related pattern in this playbook yet.")


def test_withheld_patterns_are_counted_by_reason_without_their_names() -> None:
    withheld_pattern = WithheldPattern(pattern_id="p-9", name="Secret name", reason="It has 1 of the 2 teams needed.")
    text = text_of(playbook([publish()], [withheld_pattern, withheld_pattern]))
    assert "2 patterns are held back. 2 times: It has 1 of the 2 teams needed." in text
    assert "Secret name" not in text


def test_empty_playbook_states_the_reason_and_the_next_step() -> None:
    paragraphs = [block.text for block in playbook().blocks if isinstance(block, Paragraph)]
    assert "none has been accepted" in paragraphs[1]
    assert "Next: open the review queue" in paragraphs[1]


def test_empty_playbook_states_the_missing_support_of_withheld_patterns() -> None:
    withheld_pattern = WithheldPattern(pattern_id="p-9", name="Secret name", reason="It has 1 of the 2 teams needed.")
    text = text_of(playbook(withheld=[withheld_pattern]))
    assert "1 pattern is held back. It has 1 of the 2 teams needed. Next: ask other teams" in text


def test_retired_patterns_are_listed() -> None:
    assert text_under(playbook(retired=[publish().pattern]), "Retired patterns") == (
        "Red tape on the goods (version 1): no longer recommended."
    )


def test_change_log_lists_this_edition() -> None:
    change_log = next(block for block in reversed(playbook([publish()]).blocks) if isinstance(block, FactTable))
    assert change_log.rows == (("0.1, 2026-11-21", "1 pattern: Red tape on the goods (version 1)."),)

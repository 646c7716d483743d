"""The scorers of names: what is varied, what counts as left, and the interval beside every share."""

import gzip
import json
import random
from pathlib import Path

import pytest

from patternmind.domain.networks import RosterEntry
from patternmind.evals.scorers.name_redaction import (
    NAME_VARIANTS,
    full_name_spans,
    score_known_names,
    score_possible_names,
    vary_names,
)
from patternmind.evals.scorers.redaction import PERSON, LabelledSpan, format_share
from patternmind.ingestion.redaction.roster import Roster

ROW = {
    "text": "Dr. Ada Lund met Kim and Ola Dunk.",
    "spans": [
        {"type": PERSON, "start": 25, "end": 33, "value": "Ola Dunk"},
        {"type": PERSON, "start": 0, "end": 12, "value": "Dr. Ada Lund"},
        {"type": PERSON, "start": 17, "end": 20, "value": "Kim"},
    ],
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "pii.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps(ROW) + "\n")
    return path


def test_whole_names_are_told_without_titles_in_order() -> None:
    assert full_name_spans(ROW) == [
        ("Ada Lund", LabelledSpan(PERSON, 4, 12)),
        ("Ola Dunk", LabelledSpan(PERSON, 25, 33)),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_every_whole_name_is_put_another_way_and_the_rest_stays(seed: int) -> None:
    one = vary_names(ROW, Roster.of([]), random.Random(seed))
    written = [one.annotated.text[span.start : span.end] for span in one.annotated.gold]
    assert written == [
        NAME_VARIANTS[variant](name).removesuffix("'s")
        for variant, name in zip(one.variants, ("Ada Lund", "Ola Dunk"), strict=True)
    ]
    assert one.annotated.text.startswith("Dr. ")
    assert " met Kim and " in one.annotated.text
    assert all(one.annotated.leaks(span) for span in one.annotated.gold)


def test_a_roster_of_the_whole_names_takes_the_variants_out() -> None:
    roster = Roster.of([RosterEntry(number=1, name="Ada Lund"), RosterEntry(number=2, name="Ola Dunk")])
    one = vary_names(ROW, roster, random.Random(3))
    assert not any(one.annotated.leaks(span) for span in one.annotated.gold)


def test_the_scores_of_a_corpus(corpus: Path) -> None:
    (known,) = score_known_names(corpus, seed=3)
    assert (known.value, known.note) == (1.0, "2 of 2, .342-1.000; left: none")
    offered, rightly = score_possible_names(corpus)
    assert (offered.value, rightly.value) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (49, 49, "49 of 49, .927-1.000"),
        (0, 10, "0 of 10, .000-.278"),
        (50, 100, "50 of 100, .404-.596"),
        (0, 0, "0 of 0"),
    ],
)
def test_a_share_is_told_with_wilsons_interval(part: int, whole: int, told: str) -> None:
    assert format_share(part, whole) == told

"""Tests of the name redaction scorers: variants, leaks, and the interval of every share."""

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
from patternmind.evals.scorers.redaction import PERSON, LabelledSpan
from patternmind.evals.scorers.shares import format_share
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


def test_full_name_spans_leave_out_titles_and_follow_the_text() -> None:
    assert full_name_spans(ROW) == [
        ("Ada Lund", LabelledSpan(PERSON, 4, 12)),
        ("Ola Dunk", LabelledSpan(PERSON, 25, 33)),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_vary_names_replaces_every_full_name_and_nothing_else(seed: int) -> None:
    varied_text = vary_names(ROW, Roster.of([]), random.Random(seed))
    spellings = [varied_text.annotated.text[span.start : span.end] for span in varied_text.annotated.gold]
    assert spellings == [
        NAME_VARIANTS[variant](name).removesuffix("'s")
        for variant, name in zip(varied_text.variants, ("Ada Lund", "Ola Dunk"), strict=True)
    ]
    assert varied_text.annotated.text.startswith("Dr. ")
    assert " met Kim and " in varied_text.annotated.text
    assert all(varied_text.annotated.leaks(span) for span in varied_text.annotated.gold)


def test_roster_with_full_names_redacts_their_variants() -> None:
    roster = Roster.of([RosterEntry(number=1, name="Ada Lund"), RosterEntry(number=2, name="Ola Dunk")])
    varied_text = vary_names(ROW, roster, random.Random(3))
    assert not any(varied_text.annotated.leaks(span) for span in varied_text.annotated.gold)


def test_name_scorers_score_a_corpus(corpus: Path) -> None:
    (known_names,) = score_known_names(corpus, seed=3)
    assert (known_names.value, known_names.note) == (1.0, "2 of 2, .342-1.000; left: none")
    offered, right = score_possible_names(corpus)
    assert (offered.value, right.value) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (49, 49, "49 of 49, .927-1.000"),
        (0, 10, "0 of 10, .000-.278"),
        (50, 100, "50 of 100, .404-.596"),
        (0, 0, "0 of 0"),
    ],
)
def test_format_share_includes_the_wilson_interval(part: int, whole: int, expected: str) -> None:
    assert format_share(part, whole) == expected

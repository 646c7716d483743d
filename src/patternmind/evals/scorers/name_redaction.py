"""Known names in every way that people write them, unknown ones that are offered, and what is taken out and is none."""

import random
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patternmind.domain.networks import RosterEntry
from patternmind.evals.datasets.corpora import read_jsonl
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection, ScoreUnit
from patternmind.evals.scorers.redaction import (
    DATASET,
    EVAL,
    MIN_SHARE,
    PERSON,
    AnnotatedText,
    LabelledSpan,
    format_share,
    nfc_rows,
    redacted_spans,
)
from patternmind.ingestion.redaction.names import fold, without_titles
from patternmind.ingestion.redaction.possible_names import (
    count_lower_case_words,
    find_name_candidates,
    find_possible_names,
    promote_enumerated_names,
)
from patternmind.ingestion.redaction.redactor import redact
from patternmind.ingestion.redaction.roster import Roster

MAX_FALSE_ALARMS = 1.0
"""A thousand words."""
_TEXT_FIELDS = ("driving_event", "lesson", "recommendation")

NAME_VARIANTS: Mapping[str, Callable[[str], str]] = {
    "whole": lambda name: name,
    "first": lambda name: name.split()[0],
    "last": lambda name: name.split()[-1],
    "possessive": lambda name: f"{name.split()[0]}'s",
    "small": lambda name: name.lower(),
    "first, small": lambda name: name.split()[0].lower(),
    "last, small": lambda name: name.split()[-1].lower(),
    "capitals": lambda name: name.upper(),
    "no accents": lambda name: fold(name).title(),
    "last, first": lambda name: f"{name.split()[-1]}, {name.split()[0]}",
    "initial and last": lambda name: f"{name[0]}. {name.split()[-1]}",
    "first and initial": lambda name: f"{name.split()[0]} {name.split()[-1][0]}.",
    "initials": lambda name: f"{name[0]}.{name.split()[-1][0]}.",
    "two lines": lambda name: "\n".join(name.split()),
    "no space": lambda name: name.split()[0] + name.split()[-1],
}
"""The ways in which people write a name that the roster has as a whole."""


@dataclass(frozen=True, slots=True)
class VariedText:
    """A text whose whole names were put another way, and each of them with its variant."""

    annotated: AnnotatedText
    variants: Sequence[str]


def score_known_names(path: Path, *, seed: int) -> list[Score]:
    """The roster holds the whole names alone; in the texts each is written in a way that is drawn for it."""
    rows = nfc_rows(path)
    names = sorted({name for row in rows for name, _ in full_name_spans(row)})
    roster = Roster.of(RosterEntry(number=i, name=name) for i, name in enumerate(names, start=1))
    rng = random.Random(seed)
    varied = [vary_names(row, roster, rng) for row in rows if full_name_spans(row)]
    told = [
        (variant, one.annotated.leaks(span))
        for one in varied
        for span, variant in zip(one.annotated.gold, one.variants, strict=True)
    ]
    left = [variant for variant, leaks in told if leaks]
    worst = ", ".join(f"{variant} {left.count(variant)}" for variant in sorted(set(left), key=left.count, reverse=True))
    note = f"{format_share(len(told) - len(left), len(told))}; left: {worst or 'none'}"
    value = 1 - len(left) / max(1, len(told))
    return [
        Score(
            eval=EVAL, dataset=DATASET, name="known names, varied: taken out", value=value, limit=MIN_SHARE, note=note
        )
    ]


def full_name_spans(row: Mapping[str, Any]) -> list[tuple[str, LabelledSpan]]:
    """The names of two words or more, titles before them left out, by where they stand."""
    found: list[tuple[str, LabelledSpan]] = []
    for span in row.get("spans", ()):
        name = without_titles(span["value"]) if span["type"] == PERSON else ""
        if len(name.split()) > 1:
            found.append((name, LabelledSpan(PERSON, span["end"] - len(name), span["end"])))
    return sorted(found, key=lambda one: one[1].start)


def vary_names(row: Mapping[str, Any], roster: Roster, rng: random.Random) -> VariedText:
    text, gold, variants, position = "", list[LabelledSpan](), list[str](), 0
    for name, span in full_name_spans(row):
        variant = rng.choice(list(NAME_VARIANTS))
        text += row["text"][position : span.start]
        written = unicodedata.normalize("NFC", NAME_VARIANTS[variant](name))
        gold.append(LabelledSpan(PERSON, len(text), len(text) + len(written.removesuffix("'s"))))
        variants.append(variant)
        text += written
        position = span.end
    text += row["text"][position:]
    marked = AnnotatedText(text, tuple(gold), tuple(redacted_spans(text, redact(text, roster).text)))
    return VariedText(marked, variants)


def score_possible_names(path: Path) -> list[Score]:
    """Nobody is on the roster: the names that are offered, and how many of the places that they were seen are names."""
    rows = nfc_rows(path)
    texts = [row["text"] for row in rows]
    parts = {part for one in find_possible_names(texts) for part in (one.name, *one.name.split())}
    small = count_lower_case_words(texts)
    caught = seen = right = n_gold = 0
    for row in rows:
        gold = [
            LabelledSpan(PERSON, span["start"], span["end"]) for span in row.get("spans", ()) if span["type"] == PERSON
        ]
        places = promote_enumerated_names(row["text"], find_name_candidates(row["text"], small))
        found = [LabelledSpan(PERSON, one.start, one.end) for one in places if one.name in parts]
        n_gold += len(gold)
        caught += sum(any(one.overlaps(span) for one in found) for span in gold)
        seen += len(found)
        right += sum(any(one.overlaps(span) for span in gold) for one in found)
    return [
        Score(
            eval=EVAL,
            dataset=DATASET,
            name=name,
            value=part / max(1, whole),
            note=format_share(part, whole),
        )
        for name, part, whole in (
            ("possible names, no roster: offered", caught, n_gold),
            ("possible names: rightly offered", right, seen),
        )
    ]


def score_false_alarms(name: str, path: Path, pii: Path) -> list[Score]:
    """All that is taken out of technical texts a thousand words, without a roster and with one of strangers; and speed.

    An upper bound: some of it is somebody's address, and some of the strangers' names are those of people in the texts.
    """
    texts = [row[field] for row in read_jsonl(path) for field in _TEXT_FIELDS if row.get(field)]
    n_words = sum(len(text.split()) for text in texts)
    names = sorted({name for row in read_jsonl(pii) for name, _ in full_name_spans(row)})
    strangers = Roster.of(RosterEntry(number=i, name=stranger) for i, stranger in enumerate(names, start=1))
    scores: list[Score] = []
    for what, roster in (("no roster", Roster.of([])), (f"{len(names)} strangers", strangers)):
        redact(texts[0], roster)  # what loads when first used is no part of the speed
        begun = time.process_time()
        n_taken = sum(sum(redact(text, roster).counts.values()) for text in texts)
        n_seconds = max(1e-9, time.process_time() - begun)
        n_megabytes = sum(len(text.encode()) for text in texts) / 1e6
        scores += [
            Score(
                eval=EVAL,
                dataset=name,
                name=f"taken out a thousand words, {what}",
                value=1000 * n_taken / max(1, n_words),
                direction=ScoreDirection.LOWER,
                unit=ScoreUnit.SCORE,
                limit=MAX_FALSE_ALARMS,
                note=f"{n_taken} in {n_words:,}",
            ),
            Score(
                eval=EVAL,
                dataset=name,
                name=f"megabytes a second of one core, {what}",
                value=n_megabytes / n_seconds,
                direction=ScoreDirection.NONE,
                unit=ScoreUnit.SCORE,
                note=f"{n_megabytes:.1f} MB",
            ),
        ]
    return scores

"""Redaction of known names in every usual spelling, detection of unknown names, and false alarms."""

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
    nfc_rows,
    redacted_spans,
)
from patternmind.evals.scorers.shares import format_share
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
"""Limit per thousand words."""
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
"""Spellings of a name that the roster holds in full."""


@dataclass(frozen=True, slots=True)
class VariedText:
    """A text whose full names were replaced by variants. ``variants`` holds the variant of each name, in order."""

    annotated: AnnotatedText
    variants: Sequence[str]


def score_known_names(path: Path, *, seed: int) -> list[Score]:
    """Score the redaction of names in variants that the roster does not hold.

    The roster holds the full names only; the spelling of each name in the texts is drawn at random.
    """
    rows = nfc_rows(path)
    names = sorted({name for row in rows for name, _ in full_name_spans(row)})
    roster = Roster.of(RosterEntry(number=i, name=name) for i, name in enumerate(names, start=1))
    rng = random.Random(seed)
    varied = [vary_names(row, roster, rng) for row in rows if full_name_spans(row)]
    outcomes = [
        (variant, varied_text.annotated.leaks(span))
        for varied_text in varied
        for span, variant in zip(varied_text.annotated.gold, varied_text.variants, strict=True)
    ]
    leaked = [variant for variant, leaks in outcomes if leaks]
    worst = ", ".join(
        f"{variant} {leaked.count(variant)}" for variant in sorted(set(leaked), key=leaked.count, reverse=True)
    )
    note = f"{format_share(len(outcomes) - len(leaked), len(outcomes))}; left: {worst or 'none'}"
    value = 1 - len(leaked) / max(1, len(outcomes))
    return [Score(EVAL, DATASET, "known names, varied: taken out", value, limit=MIN_SHARE, note=note)]


def full_name_spans(row: Mapping[str, Any]) -> list[tuple[str, LabelledSpan]]:
    """Return names of two words or more, without titles, in the order of the text."""
    name_spans: list[tuple[str, LabelledSpan]] = []
    for span in row.get("spans", ()):
        name = without_titles(span["value"]) if span["type"] == PERSON else ""
        if len(name.split()) > 1:
            name_spans.append((name, LabelledSpan(PERSON, span["end"] - len(name), span["end"])))
    return sorted(name_spans, key=lambda name_span: name_span[1].start)


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
    annotated = AnnotatedText(text, tuple(gold), tuple(redacted_spans(text, redact(text, roster).text)))
    return VariedText(annotated, variants)


def score_possible_names(path: Path) -> list[Score]:
    """Score the names that are offered without a roster.

    The first share is of the names in the texts: how many are offered. The second is of the offered places: how many
    are names.
    """
    rows = nfc_rows(path)
    texts = [row["text"] for row in rows]
    parts = {part for possible in find_possible_names(texts) for part in (possible.name, *possible.name.split())}
    lower_case_counts = count_lower_case_words(texts)
    n_found = n_candidates = n_right = n_gold = 0
    for row in rows:
        gold = [
            LabelledSpan(PERSON, span["start"], span["end"]) for span in row.get("spans", ()) if span["type"] == PERSON
        ]
        places = promote_enumerated_names(row["text"], find_name_candidates(row["text"], lower_case_counts))
        candidates = [LabelledSpan(PERSON, place.start, place.end) for place in places if place.name in parts]
        n_gold += len(gold)
        n_found += sum(any(candidate.overlaps(span) for candidate in candidates) for span in gold)
        n_candidates += len(candidates)
        n_right += sum(any(candidate.overlaps(span) for span in gold) for candidate in candidates)
    return [
        Score(EVAL, DATASET, name, part / max(1, whole), note=format_share(part, whole))
        for name, part, whole in (
            ("possible names, no roster: offered", n_found, n_gold),
            ("possible names: rightly offered", n_right, n_candidates),
        )
    ]


def score_false_alarms(name: str, path: Path, pii: Path) -> list[Score]:
    """Score redactions per thousand words of technical texts, and speed.

    It is measured without a roster and with a roster of strangers. The figure is an upper bound: some redactions are
    real addresses, and some names of strangers are also names of people in the texts.
    """
    texts = [row[field] for row in read_jsonl(path) for field in _TEXT_FIELDS if row.get(field)]
    n_words = sum(len(text.split()) for text in texts)
    names = sorted({name for row in read_jsonl(pii) for name, _ in full_name_spans(row)})
    strangers = Roster.of(RosterEntry(number=i, name=stranger) for i, stranger in enumerate(names, start=1))
    scores: list[Score] = []
    for roster_name, roster in (("no roster", Roster.of([])), (f"{len(names)} strangers", strangers)):
        redact(texts[0], roster)  # exclude loading on first use from the speed
        started = time.process_time()
        n_redacted = sum(sum(redact(text, roster).counts.values()) for text in texts)
        n_seconds = max(1e-9, time.process_time() - started)
        n_megabytes = sum(len(text.encode()) for text in texts) / 1e6
        scores += [
            Score(
                EVAL,
                name,
                f"taken out a thousand words, {roster_name}",
                1000 * n_redacted / max(1, n_words),
                direction=ScoreDirection.LOWER,
                unit=ScoreUnit.SCORE,
                limit=MAX_FALSE_ALARMS,
                note=f"{n_redacted} in {n_words:,}",
            ),
            Score(
                EVAL,
                name,
                f"megabytes a second of one core, {roster_name}",
                n_megabytes / n_seconds,
                direction=ScoreDirection.NONE,
                unit=ScoreUnit.SCORE,
                note=f"{n_megabytes:.1f} MB",
            ),
        ]
    return scores

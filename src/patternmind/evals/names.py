"""Known names in every way that people write them, unknown ones that are offered, and what is taken out and is none."""

import random
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patternmind.evals.datasets import read_jsonl
from patternmind.evals.gates import Score
from patternmind.evals.redaction import (
    EVAL,
    ON_PII,
    PERSON,
    PROMISED,
    Marked,
    Span,
    composed_rows,
    counted,
    taken_spans,
)
from patternmind.evals.report import Direction, Unit
from patternmind.intake.names import fold, without_titles
from patternmind.intake.possible_names import find_possible, likely_names, possible_names, small_words
from patternmind.intake.redaction import Roster, redact
from patternmind.model.network import Person

MOST_FALSE_ALARMS = 1.0
"""A thousand words."""
_FIELDS = ("driving_event", "lesson", "recommendation")

VARIANTS: Mapping[str, Callable[[str], str]] = {
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
class Varied:
    """A text whose whole names were put another way, and each of them with its variant."""

    marked: Marked
    variants: Sequence[str]


def score_known_names(path: Path, *, seed: int) -> list[Score]:
    """The roster holds the whole names alone; in the texts each is written in a way that is drawn for it."""
    rows = composed_rows(path)
    names = sorted({name for row in rows for name, _ in whole_names(row)})
    roster = Roster.of(Person(number=i, name=name) for i, name in enumerate(names, start=1))
    rng = random.Random(seed)
    varied = [vary(row, roster, rng) for row in rows if whole_names(row)]
    told = [
        (variant, one.marked.leaks(span))
        for one in varied
        for span, variant in zip(one.marked.gold, one.variants, strict=True)
    ]
    left = [variant for variant, leaks in told if leaks]
    worst = ", ".join(f"{variant} {left.count(variant)}" for variant in sorted(set(left), key=left.count, reverse=True))
    note = f"{counted(len(told) - len(left), len(told))}; left: {worst or 'none'}"
    value = 1 - len(left) / max(1, len(told))
    return [Score(eval=EVAL, on=ON_PII, name="known names, varied: taken out", value=value, limit=PROMISED, note=note)]


def whole_names(row: Mapping[str, Any]) -> list[tuple[str, Span]]:
    """The names of two words or more, titles before them left out, by where they stand."""
    found: list[tuple[str, Span]] = []
    for span in row.get("spans", ()):
        name = without_titles(span["value"]) if span["type"] == PERSON else ""
        if len(name.split()) > 1:
            found.append((name, Span(PERSON, span["end"] - len(name), span["end"])))
    return sorted(found, key=lambda one: one[1].start)


def vary(row: Mapping[str, Any], roster: Roster, rng: random.Random) -> Varied:
    text, gold, variants, position = "", list[Span](), list[str](), 0
    for name, span in whole_names(row):
        variant = rng.choice(list(VARIANTS))
        text += row["text"][position : span.start]
        written = unicodedata.normalize("NFC", VARIANTS[variant](name))
        gold.append(Span(PERSON, len(text), len(text) + len(written.removesuffix("'s"))))
        variants.append(variant)
        text += written
        position = span.end
    text += row["text"][position:]
    marked = Marked(text, tuple(gold), tuple(taken_spans(text, redact(text, roster).text)))
    return Varied(marked, variants)


def score_possible_names(path: Path) -> list[Score]:
    """Nobody is on the roster: the names that are offered, and how many of the places that they were seen are names."""
    rows = composed_rows(path)
    texts = [row["text"] for row in rows]
    parts = {part for one in possible_names(texts) for part in (one.name, *one.name.split())}
    small = small_words(texts)
    caught = seen = right = n_gold = 0
    for row in rows:
        gold = [Span(PERSON, span["start"], span["end"]) for span in row.get("spans", ()) if span["type"] == PERSON]
        places = likely_names(row["text"], find_possible(row["text"], small))
        found = [Span(PERSON, one.start, one.end) for one in places if one.name in parts]
        n_gold += len(gold)
        caught += sum(any(one.meets(span) for one in found) for span in gold)
        seen += len(found)
        right += sum(any(one.meets(span) for span in gold) for one in found)
    return [
        Score(
            eval=EVAL,
            on=ON_PII,
            name=name,
            value=part / max(1, whole),
            note=counted(part, whole),
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
    texts = [row[field] for row in read_jsonl(path) for field in _FIELDS if row.get(field)]
    n_words = sum(len(text.split()) for text in texts)
    names = sorted({name for row in read_jsonl(pii) for name, _ in whole_names(row)})
    strangers = Roster.of(Person(number=i, name=stranger) for i, stranger in enumerate(names, start=1))
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
                on=name,
                name=f"taken out a thousand words, {what}",
                value=1000 * n_taken / max(1, n_words),
                direction=Direction.LOWER,
                unit=Unit.SCORE,
                limit=MOST_FALSE_ALARMS,
                note=f"{n_taken} in {n_words:,}",
            ),
            Score(
                eval=EVAL,
                on=name,
                name=f"megabytes a second of one core, {what}",
                value=n_megabytes / n_seconds,
                direction=Direction.NONE,
                unit=Unit.SCORE,
                note=f"{n_megabytes:.1f} MB",
            ),
        ]
    return scores

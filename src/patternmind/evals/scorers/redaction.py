"""Redaction of personal data, and of nothing else.

It is measured with gold spans of synthetic texts, and with canaries in the sample.
"""

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patternmind.domain.networks import RosterEntry
from patternmind.evals.datasets.corpora import SAMPLE, SampleNetwork, read_jsonl
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection, ScoreUnit
from patternmind.evals.scorers.shares import format_share
from patternmind.evals.steps.network_runs import NetworkRun
from patternmind.ingestion.redaction.redactor import PLACEHOLDER, redact
from patternmind.ingestion.redaction.roster import Roster
from patternmind.services.exports import export_rows

EVAL = "redaction"
DATASET = "pii"

PLACEHOLDER_BY_TYPE: Mapping[str, str] = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "DOMAIN_NAME": "link",
    "US_SSN": "id",
}
"""Types of the gold spans that redaction claims to remove, with their placeholders."""

MIN_SHARE = 0.95
MIN_PHONE_RECALL = 0.75
"""Limit for telephone numbers with every region of the world enabled. Most are written without their country code."""

PERSON = "PERSON"


@dataclass(frozen=True, slots=True)
class LabelledSpan:
    type: str
    start: int
    end: int

    def overlaps(self, other: "LabelledSpan") -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """A text with its gold spans and its redacted spans. Both are in offsets of the text."""

    text: str
    gold: tuple[LabelledSpan, ...]
    redacted: tuple[LabelledSpan, ...]

    def leaks(self, span: LabelledSpan) -> bool:
        """Return true if a letter or digit of a gold span was not redacted."""
        covered = {i for redacted_span in self.redacted for i in range(redacted_span.start, redacted_span.end)}
        return any(self.text[i].isalnum() and i not in covered for i in range(span.start, span.end))


def score_pii(path: Path) -> list[Score]:
    """Score recall and precision by type, and the share of names that leak.

    Names are measured without a roster, and with a roster that holds all of them.
    """
    rows = nfc_rows(path)
    without_roster = [annotate(row, Roster.of([])) for row in rows]
    names = sorted({span["value"] for row in rows for span in row.get("spans", ()) if span["type"] == PERSON})
    roster = Roster.of(RosterEntry(number=i, name=name) for i, name in enumerate(names, start=1))
    with_roster = [annotate(row, roster) for row in rows]
    scores = [
        score
        for type, word in PLACEHOLDER_BY_TYPE.items()
        for score in score_type(without_roster, type, word, limit=None if word == "phone" else MIN_SHARE)
    ]
    all_regions = Roster.of([RosterEntry(number=1, name="region: all")])
    return [
        *scores,
        *score_type([annotate(row, all_regions) for row in rows], "PHONE_NUMBER", "phone", suffix=", all regions"),
        _leak_rate("names left, no roster", without_roster, ScoreDirection.NONE),
        _leak_rate("names left, all on the roster", with_roster, ScoreDirection.LOWER),
        _false_names(with_roster),
    ]


def nfc_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows whose text is in composed form (NFC), which redaction returns.

    In other rows the gold spans have different offsets.
    """
    rows = (row for row in read_jsonl(path) if row["text"].strip())
    return [row for row in rows if unicodedata.is_normalized("NFC", row["text"])]


def annotate(row: Mapping[str, Any], roster: Roster) -> AnnotatedText:
    text = unicodedata.normalize("NFC", row["text"])
    gold = tuple(LabelledSpan(span["type"], span["start"], span["end"]) for span in row.get("spans", ()))
    return AnnotatedText(
        text, gold if text == row["text"] else (), tuple(redacted_spans(text, redact(text, roster).text))
    )


def redacted_spans(text: str, redacted: str) -> Iterator[LabelledSpan]:
    """Yield the span that each placeholder replaced.

    The redacted text is matched against the original text.

    Raises:
        ValueError: ``redacted`` is not a redaction of the text.
    """
    unchanged = PLACEHOLDER.split(redacted)
    if len(unchanged) == 1:
        return
    match = re.fullmatch("(.+?)".join(re.escape(part) for part in unchanged), text, re.DOTALL)
    if match is None:
        raise ValueError("not a redaction of this text")
    for i, placeholder in enumerate(PLACEHOLDER.finditer(redacted), start=1):
        yield LabelledSpan(placeholder[0].strip("[]").split(" ")[0], *match.span(i))


def score_type(
    texts: Sequence[AnnotatedText], type: str, placeholder: str, *, limit: float | None = None, suffix: str = ""
) -> list[Score]:
    """Score recall and precision of one type.

    Recall: of the gold spans of a type, those of which no letter is left. Precision: of the redactions of that type,
    those of personal data. A gold span under a placeholder of another type is redacted all the same, and a card
    redacted as a telephone number does no harm: precision counts as wrong only what no gold span of any type covers.
    """
    gold = [(text, span) for text in texts for span in text.gold if span.type == type]
    redactions = [(text, span) for text in texts for span in text.redacted if span.type == placeholder]
    n_removed = sum(not text.leaks(span) for text, span in gold)
    n_right = sum(any(span.overlaps(gold_span) for gold_span in text.gold) for text, span in redactions)
    recall, precision = f"{placeholder}{suffix}: taken out (recall)", f"{placeholder}{suffix}: rightly (precision)"
    recall_limit = MIN_PHONE_RECALL if suffix else limit
    return [*_share(recall, n_removed, gold, recall_limit), *_share(precision, n_right, redactions, limit)]


def _share(name: str, part: int, whole: Sequence[object], limit: float | None) -> list[Score]:
    if not whole:
        return []
    note = format_share(part, len(whole))
    return [Score(EVAL, DATASET, name, part / len(whole), limit=limit, note=note)]


def _leak_rate(name: str, texts: Sequence[AnnotatedText], direction: ScoreDirection) -> Score:
    gold = [(text, span) for text in texts for span in text.gold if span.type == PERSON]
    n_leaked = sum(text.leaks(span) for text, span in gold)
    note = format_share(n_leaked, len(gold))
    return Score(EVAL, DATASET, name, n_leaked / max(1, len(gold)), direction=direction, note=note)


def _false_names(texts: Sequence[AnnotatedText]) -> Score:
    redactions = [(text, span) for text in texts for span in text.redacted if span.type == "person"]
    n_right = sum(
        any(span.overlaps(gold_span) for gold_span in text.gold if gold_span.type == PERSON)
        for text, span in redactions
    )
    note = format_share(n_right, len(redactions))
    return Score(EVAL, DATASET, "person: rightly (precision)", n_right / max(1, len(redactions)), note=note)


# Canaries ------------------------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"[^\s@<>(),;]+@[^\s@<>(),;]+\.\w+")
_NUMBER = re.compile(r"(?<![\w-])\+?\d[\d ()/-]{6,}\d(?![\w-])")
_DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")


def score_canaries(network: NetworkRun, sample: SampleNetwork) -> list[Score]:
    """Count personal data of the raw rows in everything that the network exports.

    Roster names, e-mail addresses and telephone numbers count.
    """
    raw = list(_raw_row_texts(sample))
    people = _csv_rows(sample.roster)
    exported = [
        json.dumps(row, ensure_ascii=False)
        for export_name in ("cases", "drafts", "themes", "patterns")
        for row in export_rows(network.ctx.store, export_name)
    ]
    names = {person["name"] for person in people}
    parts = {part for name in names for part in name.split() if part[0].isupper() and len(part) > 2}
    emails = {person["email"] for person in people} | {address for text in raw for address in _EMAIL.findall(text)}
    numbers = {number for text in raw for number in phone_numbers(text)}
    return [
        _canary_score("roster names left", names, exported, is_whole_word),
        _canary_score("first or last names left", parts, exported, is_whole_word),
        _canary_score(
            "e-mail addresses left", emails, exported, lambda email, text: email.casefold() in text.casefold()
        ),
        _canary_score("telephone numbers left", numbers, exported, lambda number, text: number in phone_numbers(text)),
    ]


Occurrence = Callable[[str, str], bool]
"""Function that returns true if a secret occurs in an exported text."""


def _canary_score(name: str, secrets: Iterable[str], exported: Sequence[str], occurs: Occurrence) -> Score:
    sorted_secrets = sorted(secrets)
    leaked = [secret for secret in sorted_secrets if any(occurs(secret, text) for text in exported)]
    note = f"{len(sorted_secrets)} looked for"
    return Score(
        EVAL, SAMPLE, name, len(leaked), direction=ScoreDirection.LOWER, unit=ScoreUnit.COUNT, limit=0.0, note=note
    )


def is_whole_word(name: str, text: str) -> bool:
    """Return true if the text contains the name as written, as a separate word."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def phone_numbers(text: str) -> set[str]:
    """Return the digits of every run of eight or more, except dates. It does not use the code under test."""
    runs = (match for match in _NUMBER.findall(_DATE.sub(" ", text)))
    return {digits for run in runs if len(digits := re.sub(r"\D", "", run)) >= 8}


def _raw_row_texts(sample: SampleNetwork) -> Iterator[str]:
    for path in sample.quarters.values():
        yield from (json.dumps(row, ensure_ascii=False) for row in _csv_rows(path))
    yield from (json.dumps(row, ensure_ascii=False) for row in read_jsonl(sample.recaps))


def _csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

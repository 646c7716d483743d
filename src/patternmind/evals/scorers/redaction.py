"""Whether personal data is taken out, and nothing else: gold spans of synthetic texts, and canaries in the sample."""

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
"""Types of the gold spans that redaction says it takes out, with its placeholder for each."""

MIN_SHARE = 0.95
MIN_PHONE_RECALL = 0.75
"""Of telephone numbers with every region of the world on; most are written without their country code."""

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
    """A text with what people say is in it and what the redaction took out of it, in the offsets of the text."""

    text: str
    gold: tuple[LabelledSpan, ...]
    redacted: tuple[LabelledSpan, ...]

    def leaks(self, span: LabelledSpan) -> bool:
        """Whether a letter or digit of a gold span was left standing."""
        covered = {i for one in self.redacted for i in range(one.start, one.end)}
        return any(self.text[i].isalnum() and i not in covered for i in range(span.start, span.end))


def score_pii(path: Path) -> list[Score]:
    """Recall and precision by claimed type; and how many names leak without a roster, and with one that knows them."""
    rows = nfc_rows(path)
    nobody = [annotate(row, Roster.of([])) for row in rows]
    names = sorted({span["value"] for row in rows for span in row.get("spans", ()) if span["type"] == PERSON})
    roster = Roster.of(RosterEntry(number=i, name=name) for i, name in enumerate(names, start=1))
    known = [annotate(row, roster) for row in rows]
    scores = [
        score
        for type, word in PLACEHOLDER_BY_TYPE.items()
        for score in score_type(nobody, type, word, limit=_recall_limit(word))
    ]
    everywhere = Roster.of([RosterEntry(number=1, name="region: all")])
    return [
        *scores,
        *score_type([annotate(row, everywhere) for row in rows], "PHONE_NUMBER", "phone", suffix=", all regions"),
        _leak_rate("names left, no roster", nobody, ScoreDirection.NONE),
        _leak_rate("names left, all on the roster", known, ScoreDirection.LOWER),
        _false_names(known),
    ]


def nfc_rows(path: Path) -> list[dict[str, Any]]:
    """The rows with a text in composed form (NFC), as redaction hands it out; in others gold spans lie elsewhere."""
    rows = (row for row in read_jsonl(path) if row["text"].strip())
    return [row for row in rows if unicodedata.is_normalized("NFC", row["text"])]


def annotate(row: Mapping[str, Any], roster: Roster) -> AnnotatedText:
    text = unicodedata.normalize("NFC", row["text"])
    gold = tuple(LabelledSpan(span["type"], span["start"], span["end"]) for span in row.get("spans", ()))
    return AnnotatedText(
        text, gold if text == row["text"] else (), tuple(redacted_spans(text, redact(text, roster).text))
    )


def redacted_spans(text: str, redacted: str) -> Iterator[LabelledSpan]:
    """What each placeholder stands for, found by laying the redacted text over the text it was made of."""
    kept = PLACEHOLDER.split(redacted)
    if len(kept) == 1:
        return
    laid = re.fullmatch("(.+?)".join(re.escape(part) for part in kept), text, re.DOTALL)
    if laid is None:
        raise ValueError("not a redaction of this text")
    for i, found in enumerate(PLACEHOLDER.finditer(redacted), start=1):
        yield LabelledSpan(found[0].strip("[]").split(" ")[0], *laid.span(i))


def _recall_limit(placeholder: str) -> float | None:
    return None if placeholder == "phone" else MIN_SHARE


def score_type(
    texts: Sequence[AnnotatedText], type: str, placeholder: str, *, limit: float | None = None, suffix: str = ""
) -> list[Score]:
    """Of the gold spans of a type, how many left no letter behind; of what was taken as it, how much was personal data.

    What a placeholder of another kind covers is out all the same, and a card taken for a telephone number harms nobody:
    precision counts as wrong only what no gold span of any type names.
    """
    gold = [(one, span) for one in texts for span in one.gold if span.type == type]
    taken = [(one, span) for one in texts for span in one.redacted if span.type == placeholder]
    out = sum(not one.leaks(span) for one, span in gold)
    right = sum(any(span.overlaps(named) for named in one.gold) for one, span in taken)
    recall, precision = f"{placeholder}{suffix}: taken out (recall)", f"{placeholder}{suffix}: rightly (precision)"
    least = MIN_PHONE_RECALL if suffix else limit
    return [*_share(recall, out, gold, least), *_share(precision, right, taken, limit)]


def _share(name: str, part: int, whole: Sequence[object], limit: float | None) -> list[Score]:
    if not whole:
        return []
    note = format_share(part, len(whole))
    return [Score(eval=EVAL, dataset=DATASET, name=name, value=part / len(whole), limit=limit, note=note)]


def format_share(n_hits: int, n_total: int) -> str:
    """``47 of 49, .86-.99``: a share with its 95 % interval by Wilson's score, which holds near 0 and 1 too."""
    if not n_total:
        return "0 of 0"
    z, share = 1.96, n_hits / n_total
    middle = (share + z * z / (2 * n_total)) / (1 + z * z / n_total)
    half = z / (1 + z * z / n_total) * (share * (1 - share) / n_total + z * z / (4 * n_total * n_total)) ** 0.5
    low, high = (f"{max(0.0, min(1.0, end)):.3f}".removeprefix("0") for end in (middle - half, middle + half))
    return f"{n_hits} of {n_total}, {low}-{high}"


def _leak_rate(name: str, texts: Sequence[AnnotatedText], direction: ScoreDirection) -> Score:
    gold = [(one, span) for one in texts for span in one.gold if span.type == PERSON]
    left = sum(one.leaks(span) for one, span in gold)
    note = format_share(left, len(gold))
    return Score(eval=EVAL, dataset=DATASET, name=name, value=left / max(1, len(gold)), direction=direction, note=note)


def _false_names(texts: Sequence[AnnotatedText]) -> Score:
    taken = [(one, span) for one in texts for span in one.redacted if span.type == "person"]
    right = sum(any(span.overlaps(named) for named in one.gold if named.type == PERSON) for one, span in taken)
    note = format_share(right, len(taken))
    return Score(
        eval=EVAL, dataset=DATASET, name="person: rightly (precision)", value=right / max(1, len(taken)), note=note
    )


# Canaries ------------------------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"[^\s@<>(),;]+@[^\s@<>(),;]+\.\w+")
_NUMBER = re.compile(r"(?<![\w-])\+?\d[\d ()/-]{6,}\d(?![\w-])")
_DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")


def score_canaries(network: NetworkRun, sample: SampleNetwork) -> list[Score]:
    """Roster names, e-mails and telephone numbers of the raw rows that are left in anything the network exports."""
    raw = list(_raw_row_texts(sample))
    people = _csv_rows(sample.roster)
    exported = [
        json.dumps(row, ensure_ascii=False)
        for what in ("cases", "drafts", "themes", "patterns")
        for row in export_rows(network.ctx.store, what)
    ]
    names = {person["name"] for person in people}
    parts = {part for name in names for part in name.split() if part[0].isupper() and len(part) > 2}
    emails = {person["email"] for person in people} | {found for text in raw for found in _EMAIL.findall(text)}
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
"""Whether a secret stands in an exported text."""


def _canary_score(name: str, secrets: Iterable[str], exported: Sequence[str], occurs: Occurrence) -> Score:
    listed = sorted(secrets)
    left = [secret for secret in listed if any(occurs(secret, text) for text in exported)]
    note = f"{len(listed)} looked for"
    return Score(
        eval=EVAL,
        dataset=SAMPLE,
        name=name,
        value=len(left),
        direction=ScoreDirection.LOWER,
        unit=ScoreUnit.COUNT,
        limit=0.0,
        note=note,
    )


def is_whole_word(name: str, text: str) -> bool:
    """The name as it is written, as a word of its own."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def phone_numbers(text: str) -> set[str]:
    """Digits of every run of eight or more that is no date. Looked for without the code under test."""
    runs = (found for found in _NUMBER.findall(_DATE.sub(" ", text)))
    return {digits for run in runs if len(digits := re.sub(r"\D", "", run)) >= 8}


def _raw_row_texts(sample: SampleNetwork) -> Iterator[str]:
    for path in sample.quarters.values():
        yield from (json.dumps(row, ensure_ascii=False) for row in _csv_rows(path))
    yield from (json.dumps(row, ensure_ascii=False) for row in read_jsonl(sample.recaps))


def _csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

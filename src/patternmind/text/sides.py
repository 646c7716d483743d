"""Which sentences of a plain text tell of the problem and which of what helped, read in order."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from patternmind.text.cues import remedy_log_odds


class Side(StrEnum):
    PROBLEM = "problem"
    HELPED = "helped"


@dataclass(frozen=True, slots=True)
class SentenceSide:
    """The text at ``[start:end]`` and the side it is on; ``None`` for a heading, which says nothing itself."""

    start: int
    end: int
    side: Side | None


POSITION_LOG_ODDS = 1.5
"""Log-odds from the first sentence (minus) to the last (plus): people tell a problem before its remedy."""

QUOTE_POSITION_LOG_ODDS = 0.5
"""The same where a sentence is to be quoted as advice: a text may as well begin with its remedy."""

STAY_PROBABILITY = 0.75
"""How likely a sentence is on the side of the one before it."""

MEAN_LOG_ODDS_WEIGHT = 0.5
"""How much of a text's mean odds is taken off each sentence: in a handbook all is advice, and its last sentence no
remedy of the case told in it. On lessons in random order .88 of each case's likeliest sentences are right then."""

HEADING_LOG_ODDS = 4.0
"""A writer's own heading outweighs place and any two cues."""

HEADING = re.compile(r"[ \t]*(#+[ \t].*|\*\*[^*\n]{2,60}\*\*:?|[^\n.!?:]{2,60}:)[ \t]*")
"""A whole line: Markdown, bold, or words before a colon."""

LABEL = re.compile(r"[\W_]*((?:\w+ ){0,3}\w+)\s*:\s")
"""Up to four words and a colon before a sentence: "Problem: ..." or "What helped: ..."."""

REMEDY_HEADING = re.compile(
    r"\b(lessons?|learn(ed|t|ings?)|recommend\w*|solutions?|solved|resolution|fix(es|ed)?|actions?|next steps?"
    r"|improve\w*|start|continue|keep|(what )?(helped|worked|went well)|mitigat\w*|remed(y|ies)|take-?aways?|decisions?"
    r"|decided|outcomes?|results?|tried|workarounds?|advice|tips?|therefore|prevent\w*)\b",
    re.IGNORECASE,
)
PROBLEM_HEADING = re.compile(
    r"\b(problems?|issues?|happened|incidents?|summary|backgrounds?|contexts?|timeline|impact|causes?|challenges?|stop"
    r"|(did ?n[o'’]t|not) (go|work|help)\w*|wrong|symptoms?|description|situation|difficult\w*|obstacles?"
    r"|driving event)\b",
    re.IGNORECASE,
)


def classify_sides(text: str, spans: Sequence[tuple[int, int]], *, is_whole_text: bool = True) -> list[SentenceSide]:
    """The side of each sentence: the likeliest sequence by its own words, its neighbours, its place and headings.

    A stretch whose every sentence speaks of a problem by its own words or heading is told as one: the second half of a
    complaint is no remedy because it comes second.

    Args:
        spans: of the sentences, in order.
        whole: the text is all there is, so its end may be the remedy; a field of a structured case is about one thing.
    """
    headings = [is_heading(text, start, end) for start, end in spans]
    said = [position for position, heading in enumerate(headings) if not heading]
    own = _log_odds_with_headings(text, spans, headings)
    slope = POSITION_LOG_ODDS if is_whole_text else 0.0
    place = [slope * (2 * (number + 0.5) / len(said) - 1) for number in range(len(said))]
    sides = _viterbi([own[position] + at for position, at in zip(said, place, strict=True)])
    sides = _reset_unsupported_remedies(sides, [own[position] for position in said])
    side_of = dict(zip(said, sides, strict=True))
    return [SentenceSide(start, end, side_of.get(position)) for position, (start, end) in enumerate(spans)]


def contextual_remedy_log_odds(text: str, spans: Sequence[tuple[int, int]]) -> list[float | None]:
    """Log-odds that each sentence tells what helped, beside the rest of its text; ``None`` for a heading.

    The whole text is looked at forward and backward, so each sentence has what all others make of it, and how sure it
    is; ``tell_apart`` gives the likeliest sides together.
    """
    headings = [is_heading(text, start, end) for start, end in spans]
    own = [
        lean
        for lean, heading in zip(_log_odds_with_headings(text, spans, headings), headings, strict=True)
        if not heading
    ]
    n = len(own)
    placed = [lean + QUOTE_POSITION_LOG_ODDS * (2 * (row + 0.5) / n - 1) for row, lean in enumerate(own)]
    odds = _posterior_log_odds(placed)
    level = MEAN_LOG_ODDS_WEIGHT * sum(odds) / n if n else 0.0
    beside = iter(one - level for one in odds)
    return [None if heading else next(beside) for heading in headings]


def _posterior_log_odds(log_odds: Sequence[float]) -> list[float]:
    """Forward and backward over two sides, in log-odds: what a neighbour says is worth at most that sides change."""
    before = _forward_messages(log_odds)
    after = _forward_messages(log_odds[::-1])[::-1]
    return [left + lean + right for left, lean, right in zip(before, log_odds, after, strict=True)]


def _forward_messages(log_odds: Sequence[float]) -> list[float]:
    """For each sentence what those before it make of its side."""
    passed: list[float] = []
    said = 0.0
    for lean in log_odds:
        passed.append(said)
        odds = math.exp(max(-30.0, min(30.0, said + lean)))
        said = math.log(
            (STAY_PROBABILITY * odds + 1 - STAY_PROBABILITY) / ((1 - STAY_PROBABILITY) * odds + STAY_PROBABILITY)
        )
    return passed


def is_heading(text: str, start: int, end: int) -> bool:
    """Whether the sentence is a whole line that only says what comes after it."""
    begin, stop = text.rfind("\n", 0, start) + 1, text.find("\n", start)
    line = text[begin : stop if stop >= 0 else len(text)]
    return HEADING.fullmatch(line) is not None and end <= begin + len(line)


def _log_odds_with_headings(text: str, spans: Sequence[tuple[int, int]], headings: Sequence[bool]) -> list[float]:
    """What each sentence leans to, with the heading it stands under or the label it begins with."""
    leans: list[float] = []
    under = 0.0
    for (start, end), heading in zip(spans, headings, strict=True):
        said = text[start:end]
        label = LABEL.match(said)
        if heading:
            under = _heading_log_odds(said)
        elif label and (named := _heading_log_odds(label.group(1))):
            under = named
        leans.append(remedy_log_odds(said) + under)
    return leans


def _heading_log_odds(heading: str) -> float:
    """For one side, the other, or neither; "What did not work" is a problem although it holds a word of remedies."""
    if PROBLEM_HEADING.search(heading):
        return -HEADING_LOG_ODDS
    return HEADING_LOG_ODDS if REMEDY_HEADING.search(heading) else 0.0


def _viterbi(log_odds: Sequence[float]) -> list[Side]:
    """Viterbi over two sides; a lean is the log-odds of the remedy."""
    if not log_odds:
        return []
    stay, change = math.log(STAY_PROBABILITY), math.log(1 - STAY_PROBABILITY)
    problem, helped = 0.0, log_odds[0]
    came_from: list[tuple[bool, bool]] = []
    for lean in log_odds[1:]:
        came_from.append((helped + change > problem + stay, helped + stay > problem + change))
        problem, helped = max(problem + stay, helped + change), lean + max(helped + stay, problem + change)
    is_helped = helped > problem
    found = [is_helped]
    for from_helped in reversed(came_from):
        is_helped = from_helped[is_helped]
        found.append(is_helped)
    return [Side.HELPED if one else Side.PROBLEM for one in reversed(found)]


def _reset_unsupported_remedies(sides: Sequence[Side], log_odds: Sequence[float]) -> list[Side]:
    grounded: list[Side] = []
    position = 0
    for side, stretch in groupby(sides):
        n = len(list(stretch))
        spoken = side is Side.PROBLEM or any(lean >= 0 for lean in log_odds[position : position + n])
        grounded += [side if spoken else Side.PROBLEM] * n
        position += n
    return grounded


__all__ = ["SentenceSide", "Side", "classify_sides", "contextual_remedy_log_odds"]

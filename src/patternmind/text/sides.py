"""Assign each sentence of a plain text to the problem or to the remedy."""

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
    """The side of the sentence at ``[start:end]``; ``None`` for a heading."""

    start: int
    end: int
    side: Side | None


POSITION_LOG_ODDS = 1.5
"""Log-odds from the first sentence (negative) to the last (positive): the problem precedes its remedy."""

QUOTE_POSITION_LOG_ODDS = 0.5
"""Position log-odds for quotes; lower, because a text may also begin with its remedy."""

STAY_PROBABILITY = 0.75
"""Probability that a sentence is on the same side as the one before it."""

MEAN_LOG_ODDS_WEIGHT = 0.5
"""Share of a text's mean log-odds that is subtracted from each sentence.

A handbook is all advice, so its last sentence is not the remedy of its case. On lessons in random order, .88 of each
case's most probable sentences are then right.
"""

HEADING_LOG_ODDS = 4.0
"""Log-odds of a heading; they outweigh the position and any two cues."""

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
    """Return the most probable sequence of sides, by words, neighbours, position and headings.

    A run of remedies becomes a problem if each of its sentences is a problem by its own words or heading: the second
    half of a complaint is not a remedy because of its position.

    Args:
        spans: Spans of the sentences, in order.
        is_whole_text: The text is the whole case, so that its end may be the remedy. A field of a structured case has
            one topic.
    """
    headings = [is_heading(text, start, end) for start, end in spans]
    positions = [position for position, heading in enumerate(headings) if not heading]
    own = _log_odds_with_headings(text, spans, headings)
    slope = POSITION_LOG_ODDS if is_whole_text else 0.0
    position_odds = [slope * (2 * (number + 0.5) / len(positions) - 1) for number in range(len(positions))]
    sides = _viterbi([own[position] + odds for position, odds in zip(positions, position_odds, strict=True)])
    sides = _reset_unsupported_remedies(sides, [own[position] for position in positions])
    side_of = dict(zip(positions, sides, strict=True))
    return [SentenceSide(start, end, side_of.get(position)) for position, (start, end) in enumerate(spans)]


def contextual_remedy_log_odds(text: str, spans: Sequence[tuple[int, int]]) -> list[float | None]:
    """Return the log-odds that each sentence is a remedy, given the whole text; ``None`` for a heading.

    A forward and a backward pass let all other sentences contribute. ``classify_sides`` returns the most probable
    sequence instead.
    """
    headings = [is_heading(text, start, end) for start, end in spans]
    own = [
        log_odds
        for log_odds, heading in zip(_log_odds_with_headings(text, spans, headings), headings, strict=True)
        if not heading
    ]
    n = len(own)
    positioned = [log_odds + QUOTE_POSITION_LOG_ODDS * (2 * (row + 0.5) / n - 1) for row, log_odds in enumerate(own)]
    posterior = _posterior_log_odds(positioned)
    level = MEAN_LOG_ODDS_WEIGHT * sum(posterior) / n if n else 0.0
    centred = iter(log_odds - level for log_odds in posterior)
    return [None if heading else next(centred) for heading in headings]


def _posterior_log_odds(log_odds: Sequence[float]) -> list[float]:
    """Run the forward-backward algorithm over two sides, in log-odds.

    The transition probability bounds the influence of a neighbour.
    """
    before = _forward_messages(log_odds)
    after = _forward_messages(log_odds[::-1])[::-1]
    return [
        from_before + own + from_after for from_before, own, from_after in zip(before, log_odds, after, strict=True)
    ]


def _forward_messages(log_odds: Sequence[float]) -> list[float]:
    """Return for each sentence the log-odds that the sentences before it imply."""
    messages: list[float] = []
    message = 0.0
    for own in log_odds:
        messages.append(message)
        odds = math.exp(max(-30.0, min(30.0, message + own)))
        message = math.log(
            (STAY_PROBABILITY * odds + 1 - STAY_PROBABILITY) / ((1 - STAY_PROBABILITY) * odds + STAY_PROBABILITY)
        )
    return messages


def is_heading(text: str, start: int, end: int) -> bool:
    """Return whether the sentence is a whole line that introduces what follows."""
    begin, stop = text.rfind("\n", 0, start) + 1, text.find("\n", start)
    line = text[begin : stop if stop >= 0 else len(text)]
    return HEADING.fullmatch(line) is not None and end <= begin + len(line)


def _log_odds_with_headings(text: str, spans: Sequence[tuple[int, int]], headings: Sequence[bool]) -> list[float]:
    """Return the log-odds of each sentence, by its words and its heading or label."""
    log_odds: list[float] = []
    current = 0.0
    for (start, end), heading in zip(spans, headings, strict=True):
        sentence = text[start:end]
        label = LABEL.match(sentence)
        if heading:
            current = _heading_log_odds(sentence)
        elif label and (label_log_odds := _heading_log_odds(label.group(1))):
            current = label_log_odds
        log_odds.append(remedy_log_odds(sentence) + current)
    return log_odds


def _heading_log_odds(heading: str) -> float:
    """Return the log-odds of a heading; "What did not work" is a problem despite its remedy word."""
    if PROBLEM_HEADING.search(heading):
        return -HEADING_LOG_ODDS
    return HEADING_LOG_ODDS if REMEDY_HEADING.search(heading) else 0.0


def _viterbi(log_odds: Sequence[float]) -> list[Side]:
    """Return the most probable sequence of sides (Viterbi algorithm), from the log-odds of a remedy."""
    if not log_odds:
        return []
    stay, change = math.log(STAY_PROBABILITY), math.log(1 - STAY_PROBABILITY)
    problem, helped = 0.0, log_odds[0]
    came_from: list[tuple[bool, bool]] = []
    for own in log_odds[1:]:
        came_from.append((helped + change > problem + stay, helped + stay > problem + change))
        problem, helped = max(problem + stay, helped + change), own + max(helped + stay, problem + change)
    is_helped = helped > problem
    backwards = [is_helped]
    for from_helped in reversed(came_from):
        is_helped = from_helped[is_helped]
        backwards.append(is_helped)
    return [Side.HELPED if is_helped else Side.PROBLEM for is_helped in reversed(backwards)]


def _reset_unsupported_remedies(sides: Sequence[Side], log_odds: Sequence[float]) -> list[Side]:
    supported: list[Side] = []
    position = 0
    for side, run in groupby(sides):
        n = len(list(run))
        is_supported = side is Side.PROBLEM or any(own >= 0 for own in log_odds[position : position + n])
        supported += [side if is_supported else Side.PROBLEM] * n
        position += n
    return supported

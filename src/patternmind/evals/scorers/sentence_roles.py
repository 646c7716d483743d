"""Origin of the sentences in drafts without a model: they must come from the right part of a case.

Structured cases are the gold. Their fields are joined in random order into one plain text. Patterns of the themes are
drafted from those texts, and each sentence used is traced to its field.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.themes import Theme
from patternmind.drafting.evidence import ThemeEvidence, gather_evidence
from patternmind.drafting.keyphrases import PhraseCounts
from patternmind.drafting.patterns import draft_pattern
from patternmind.drafting.sentence_selection import is_quotable_statement, select_sentences
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection
from patternmind.evals.scorers.lenses import side_of_field
from patternmind.evals.scorers.shares import share_of_hits, wilson_interval
from patternmind.text import Sentence, Side

EVAL = "roles"
MIN_SHARE = 0.75

DRAFT_FIELDS_BY_SIDE = {Side.HELPED: ("solution",), Side.PROBLEM: ("problem", "signs_it_applies")}
SCORE_NAMES = {Side.HELPED: "Therefore from what helped", Side.PROBLEM: "problem from the problem"}


@dataclass(frozen=True, slots=True)
class JoinedCase:
    """A structured case as one plain text, and the side of each part of it."""

    plain: Case
    side_spans: tuple[tuple[int, int, Side], ...]

    def side_at(self, start: int) -> Side | None:
        return next((side for begin, end, side in self.side_spans if begin <= start < end), None)


def join_cases(cases: Sequence[Case], *, seed: int) -> dict[str, JoinedCase]:
    """Return the cases that have text on both sides, by id.

    Titles are left out; each case has its own order of fields.
    """
    joined = {case.id: _join(case, random.Random(f"{seed} {case.id}")) for case in cases if case.kind is CaseKind.CASE}
    return {
        id: joined_case for id, joined_case in joined.items() if len({side for *_, side in joined_case.side_spans}) > 1
    }


def _join(case: Case, rng: random.Random) -> JoinedCase:
    fields = sorted(name for name in case.text if name != "title")
    rng.shuffle(fields)
    text = ""
    side_spans: list[tuple[int, int, Side]] = []
    for name in fields:
        side_spans.append((len(text), len(text) + len(case.text[name]), side_of_field(name)))
        text += case.text[name] + " "
    return JoinedCase(replace(case, text={"problem": text}), tuple(side_spans))


def score_sentence_roles(
    dataset: str, themes: Sequence[Theme], cases: Sequence[Case], cohesion: Mapping[str, float], *, seed: int
) -> list[Score]:
    """Score the origin of sentences used as "Therefore" and as problem.

    The value is the share that comes from that side. The references are sentences chosen blindly, the first, the last
    and the most central sentences.

    Args:
        themes: found in the cases as they are; their case ids are those of ``cases``.
    """
    joined = join_cases(cases, seed=seed)
    plain = {id: joined_case.plain for id, joined_case in joined.items()}
    counts = PhraseCounts({id: case.text["problem"] for id, case in plain.items()})
    used_sides: dict[Side, list[Side | None]] = {side: [] for side in Side}
    baseline_sides: dict[str, list[Side | None]] = defaultdict(list)
    n_themes = 0
    for theme in themes:
        ids = tuple(id for id in theme.case_ids if id in plain)
        if len(ids) < 2:
            continue
        n_themes += 1
        sub_theme = replace(theme, case_ids=ids)
        evidence = gather_evidence(sub_theme, plain, phrases=counts.distinctive_phrases(ids), cohesion=cohesion)
        draft = draft_pattern(evidence, run_id="")
        for side in Side:
            claims = [claim for claim in draft.claims if claim.field in DRAFT_FIELDS_BY_SIDE[side]]
            quotes = [quote for claim in claims for quote in claim.quotes]
            used_sides[side] += [joined[quote.case_id].side_at(quote.start) for quote in quotes]
        for name, sentences in _baseline_choices(evidence).items():
            baseline_sides[name] += [joined[sentence.case_id].side_at(sentence.start) for sentence in sentences]
    return [
        score
        for side in (Side.HELPED, Side.PROBLEM)
        if used_sides[side]
        for score in _side_scores(
            dataset, side, used_sides[side], baseline_sides, note=f"{n_themes} themes, seed {seed}"
        )
    ]


def _baseline_choices(evidence: ThemeEvidence) -> dict[str, list[Sentence]]:
    """Return the sentences that each simpler choice would use of a theme."""
    by_case: dict[str, list[Sentence]] = {}
    for sentence in filter(is_quotable_statement, evidence.sentences):
        by_case.setdefault(sentence.case_id, []).append(sentence)
    quotable = [sentence for sentences in by_case.values() for sentence in sentences]
    return {
        "chance": quotable,
        "first sentence": [sentences[0] for sentences in by_case.values()],
        "last sentence": [sentences[-1] for sentences in by_case.values()],
        "most central": select_sentences(quotable, evidence.centrality, limit=5),
    }


def _side_scores(
    dataset: str,
    side: Side,
    predicted: Sequence[Side | None],
    baselines: Mapping[str, Sequence[Side | None]],
    *,
    note: str,
) -> list[Score]:
    hits, n = sum(predicted_side is side for predicted_side in predicted), len(predicted)
    low, high = wilson_interval(hits, n)
    name = SCORE_NAMES[side]
    return [
        Score(EVAL, dataset, name, hits / n, limit=MIN_SHARE, note=f"{hits} of {n}, {low:.2f}-{high:.2f}, {note}"),
        *(
            Score(
                EVAL,
                dataset,
                f"{name}, {baseline}",
                share_of_hits(origin is side for origin in sides),
                direction=ScoreDirection.NONE,
                is_tracked=False,
                note=f"{len(sides)} sentences",
            )
            for baseline, sides in baselines.items()
        ),
    ]

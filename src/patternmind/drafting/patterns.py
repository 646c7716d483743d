"""Draft the candidate pattern of a theme without a model, from sentences of its cases.

Every claim is a verbatim sentence of a case, so its quote is the claim. A field that the cases do not cover reads
``NOT_STATED``; nothing is invented.
"""

import re
from collections.abc import Sequence

from patternmind.domain.breadth import measure_breadth
from patternmind.domain.cases import CaseKind
from patternmind.domain.draft_fields import COUNTER_EVIDENCE, NOT_STATED, DraftFields
from patternmind.domain.drafts import NO_PATTERN, Claim, Draft, DraftKind, Provenance, case_input
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import build_draft
from patternmind.drafting.sentence_selection import is_quotable_statement, select_sentences, sentences_with_roles
from patternmind.text import (
    LIMITATION,
    PLAIN_TEXT_FIELDS,
    TENSION,
    Sentence,
    SentenceRole,
    is_narrative,
    is_self_contained,
)

ANECDOTE_NOTE = " Fewer than two cases or two known teams: treat it as an anecdote."
MAX_STEPS = 5
MIN_REMEDY_SHARE = 0.5
"""Minimum share of plain-text cases whose words mention a remedy.

Among many complaints, some sound like advice. Share of cases that do: .05-.38 in a theme of complaints, .76-1 in one of
lessons, .6-1 in one of postmortems.
"""

RECAP_PAIR_WEIGHT = 0.3
"""Weight of a problem-remedy pair from a recap, compared with one from a case."""

METHOD = "extractive-pattern/3"


def draft_pattern(evidence: ThemeEvidence, *, run_id: str) -> Draft:
    """Return a candidate pattern, or a ``NO_PATTERN`` draft if too few cases say what helped."""
    problem_sentences = sentences_with_roles(evidence.sentences, SentenceRole.PROBLEM, SentenceRole.HAPPENED)
    problem, remedy = _best_problem_and_remedy(evidence, problem_sentences, evidence.remedies())
    helped = _steps(evidence, remedy)
    problems = select_sentences(problem_sentences, evidence.problem_score, limit=3, first=problem)
    provenance = Provenance(run_id=run_id, prompt=METHOD, inputs=tuple(case_input(case) for case in evidence.cases))
    if len(helped) < 2 or not problems or _has_too_few_remedies(evidence):
        return _no_pattern_draft(evidence, problems, provenance)
    return _pattern_draft(evidence, problems, helped, provenance)


def _best_problem_and_remedy(
    evidence: ThemeEvidence, problems: Sequence[Sentence], remedies: Sequence[Sentence]
) -> tuple[Sentence | None, Sentence | None]:
    """Return the best problem and remedy from one case.

    The draft opens with this pair, so both should belong together. A recap covers several topics, so its pairs are less
    certain.
    """
    best: dict[str, Sentence] = {}
    for remedy in sorted(remedies, key=lambda s: (-evidence.remedy_score(s), s.case_id, s.field, s.start)):
        best.setdefault(remedy.case_id, remedy)
    pairs = [(problem, best[problem.case_id]) for problem in problems if problem.case_id in best]
    recaps = {case.id for case in evidence.cases if case.kind is CaseKind.RECAP}

    def score(pair: tuple[Sentence, Sentence]) -> tuple[float, str]:
        problem, remedy = pair
        weight = RECAP_PAIR_WEIGHT if problem.case_id in recaps else 1.0
        return weight * evidence.problem_score(problem) * evidence.remedy_score(remedy), problem.case_id

    return max(pairs, key=score, default=(None, None))


def _steps(evidence: ThemeEvidence, first: Sentence | None) -> list[Sentence]:
    """Return distinct remedies; if all are similar, return the same remedy from two cases, since it recurs."""
    remedies = evidence.remedies()
    steps = select_sentences(remedies, evidence.remedy_score, limit=MAX_STEPS, first=first)
    if len(steps) == 1:
        first_case = evidence.counted_as[steps[0].case_id]
        others = [sentence for sentence in remedies if evidence.counted_as[sentence.case_id] != first_case]
        steps += select_sentences(others, evidence.remedy_score, limit=1)
    return steps


def _pattern_draft(
    evidence: ThemeEvidence, problems: Sequence[Sentence], remedies: Sequence[Sentence], provenance: Provenance
) -> Draft:
    used = [*problems, *remedies]
    context = select_sentences(
        sentences_with_roles(evidence.sentences, SentenceRole.CONTEXT), evidence.score, limit=1, dissimilar_to=used
    )
    limits = select_sentences(
        _general_sentences_matching(evidence, LIMITATION), evidence.centrality, limit=2, dissimilar_to=used
    )
    tensions = [s for s in _general_sentences_matching(evidence, TENSION) if is_self_contained(s.text)]
    forces = select_sentences(tensions, evidence.centrality, limit=3, dissimilar_to=[*used, *context, *limits])
    counter = select_sentences(sentences_with_roles(evidence.sentences, SentenceRole.WORSE), evidence.score, limit=3)
    outcomes = select_sentences(
        sentences_with_roles(evidence.sentences, SentenceRole.OUTCOME), evidence.score, limit=2, dissimilar_to=remedies
    )
    selected = {
        "context": context,
        "problem": problems[:1],
        "forces": forces,
        "solution": remedies,
        "signs_it_applies": problems[1:],
        "do_not_use_when": limits,
        "consequences": outcomes,
        COUNTER_EVIDENCE: counter,
    }
    claims = [_claim(name, sentence) for name, sentences in selected.items() for sentence in sentences]
    fields: DraftFields = {
        "patlet": f"{problems[0].text} Therefore: {remedies[0].text}",
        **{name: tuple(s.text for s in sentences) or NOT_STATED for name, sentences in selected.items()},
        "coverage": _coverage_text(evidence, claims),
        "related": evidence.theme.nearest_theme_id or "",
    }
    return build_draft(DraftKind.PATTERN, evidence.theme.id, evidence.theme.name, fields, claims, provenance)


def _no_pattern_draft(evidence: ThemeEvidence, problems: Sequence[Sentence], provenance: Provenance) -> Draft:
    claims = [_claim("problem", sentence) for sentence in problems]
    fields: DraftFields = {
        "problem": tuple(sentence.text for sentence in problems) or NOT_STATED,
        "reason": _no_pattern_reason(evidence),
        "coverage": _coverage_text(evidence, claims),
    }
    return build_draft(DraftKind.PATTERN, evidence.theme.id, NO_PATTERN, fields, claims, provenance)


def _has_too_few_remedies(evidence: ThemeEvidence) -> bool:
    """Return whether too few cases say what helped.

    Two cases are enough if they say it in a field of its own. Remedies that were recognised by words alone need the
    minimum share.
    """
    remedies = evidence.remedies()
    n_with_field = evidence.count_cases(s for s in remedies if s.field not in PLAIN_TEXT_FIELDS)
    min_cases = MIN_REMEDY_SHARE * len(evidence.counted_cases)
    return n_with_field < 2 and evidence.count_cases(remedies) < min_cases


def _no_pattern_reason(evidence: ThemeEvidence) -> str:
    n_with_remedy, n = evidence.count_cases(evidence.remedies()), len(evidence.counted_cases)
    if n_with_remedy < 2:
        return "Fewer than two of these cases say what helped."
    return f"Only {n_with_remedy} of the {n} cases read say what helped."


def _general_sentences_matching(evidence: ThemeEvidence, cue: re.Pattern[str]) -> list[Sentence]:
    """Return quotable sentences that match the cue and do not describe a past event."""
    return [
        sentence
        for sentence in evidence.sentences
        if cue.search(sentence.text) and is_quotable_statement(sentence) and not is_narrative(sentence.text)
    ]


def _claim(field: str, sentence: Sentence) -> Claim:
    return Claim(text=sentence.text, field=field, quotes=(sentence.to_quote(),))


def _coverage_text(evidence: ThemeEvidence, claims: Sequence[Claim]) -> str:
    """State the number of quoted cases and teams, and note too few."""
    breadth = measure_breadth(claims, {case.id: case for case in evidence.cases})
    return f"{breadth.describe(n_theme_cases=evidence.n_cases)}." + (ANECDOTE_NOTE if breadth.is_narrow else "")

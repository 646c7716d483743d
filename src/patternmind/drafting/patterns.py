"""The candidate pattern of a theme, drafted without a model: the cases' own sentences, put where a pattern needs them.

Every claim is a sentence of a case, word for word, so its quote is the claim. What the cases do not say is said to be
missing; nothing is filled in.
"""

import re
from collections.abc import Sequence

from patternmind.domain.breadth import measure_breadth
from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Provenance,
)
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import draft_id
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

NOT_STATED = "not stated in these cases"
NO_PATTERN = "No repeatable pattern in these cases"
ANECDOTE_NOTE = " That is fewer than two cases or two known teams: treat it as an anecdote."
MAX_STEPS = 5
MIN_REMEDY_SHARE = 0.5
"""Of the cases read, where sentences of plain texts were judged by their words: among many that only complain some will
sound like advice. Of a theme of complaints .05-.38 of the cases do, of lessons .76-1, of postmortems .6-1."""

RECAP_PAIR_WEIGHT = 0.3
"""What a problem and a remedy out of one recap are worth beside a pair out of one case."""

METHOD = "extractive-pattern/3"


def draft_pattern(evidence: ThemeEvidence, *, run_id: str) -> Draft:
    """A candidate pattern, or the stored answer that there is none: fewer than two cases say what helped."""
    told = sentences_with_roles(evidence.sentences, SentenceRole.PROBLEM, SentenceRole.HAPPENED)
    problem, remedy = _best_problem_and_remedy(evidence, told, evidence.remedies())
    helped = _steps(evidence, remedy)
    problems = select_sentences(told, evidence.problem_score, limit=3, first=problem)
    provenance = Provenance(
        run_id=run_id, prompt=METHOD, inputs=tuple(f"{case.id}@{case.text_version}" for case in evidence.cases)
    )
    if len(helped) < 2 or not problems or _has_too_few_remedies(evidence):
        return _no_pattern_draft(evidence, problems, provenance)
    return _pattern_draft(evidence, problems, helped, provenance)


def _best_problem_and_remedy(
    evidence: ThemeEvidence, problems: Sequence[Sentence], remedies: Sequence[Sentence]
) -> tuple[Sentence | None, Sentence | None]:
    """A problem and what helped against it, out of one case: what opens the draft should belong together.

    A recap tells of several things at once, so what stands in one belongs together less surely.
    """
    best: dict[str, Sentence] = {}
    for remedy in sorted(remedies, key=lambda one: (-evidence.remedy_score(one), one.case_id, one.field, one.start)):
        best.setdefault(remedy.case_id, remedy)
    pairs = [(problem, best[problem.case_id]) for problem in problems if problem.case_id in best]
    recaps = {case.id for case in evidence.cases if case.kind is CaseKind.RECAP}

    def worth(pair: tuple[Sentence, Sentence]) -> tuple[float, str]:
        problem, remedy = pair
        sure = RECAP_PAIR_WEIGHT if problem.case_id in recaps else 1.0
        return sure * evidence.problem_score(problem) * evidence.remedy_score(remedy), problem.case_id

    return max(pairs, key=worth, default=(None, None))


def _steps(evidence: ThemeEvidence, first: Sentence | None) -> list[Sentence]:
    """What helped, each remedy once; where all say the same, from two cases: the same twice is what recurs."""
    remedies = evidence.remedies()
    steps = select_sentences(remedies, evidence.remedy_score, limit=MAX_STEPS, first=first)
    if len(steps) == 1:
        others = [sentence for sentence in remedies if sentence.case_id != steps[0].case_id]
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
    tensions = [one for one in _general_sentences_matching(evidence, TENSION) if is_self_contained(one.text)]
    forces = select_sentences(tensions, evidence.centrality, limit=3, dissimilar_to=[*used, *context, *limits])
    counter = select_sentences(sentences_with_roles(evidence.sentences, SentenceRole.WORSE), evidence.score, limit=3)
    outcomes = select_sentences(
        sentences_with_roles(evidence.sentences, SentenceRole.OUTCOME), evidence.score, limit=2, dissimilar_to=remedies
    )
    chosen = {
        "context": context,
        "problem": problems[:1],
        "forces": forces,
        "solution": remedies,
        "signs_it_applies": problems[1:],
        "do_not_use_when": limits,
        "consequences": outcomes,
        "counter_evidence": counter,
    }
    claims = [_claim(name, sentence) for name, found in chosen.items() for sentence in found]
    fields: dict[str, str | tuple[str, ...]] = {
        "patlet": f"{problems[0].text} Therefore: {remedies[0].text}",
        **{name: tuple(s.text for s in found) or NOT_STATED for name, found in chosen.items()},
        "coverage": _coverage_text(evidence, claims),
        "related": evidence.theme.nearest_theme_id or "",
    }
    return _build_pattern_draft(evidence, evidence.theme.name, fields, claims, provenance)


def _no_pattern_draft(evidence: ThemeEvidence, problems: Sequence[Sentence], provenance: Provenance) -> Draft:
    claims = [_claim("problem", sentence) for sentence in problems]
    fields: dict[str, str | tuple[str, ...]] = {
        "problem": tuple(sentence.text for sentence in problems) or NOT_STATED,
        "reason": _no_pattern_reason(evidence),
        "coverage": _coverage_text(evidence, claims),
    }
    return _build_pattern_draft(evidence, NO_PATTERN, fields, claims, provenance)


def _has_too_few_remedies(evidence: ThemeEvidence) -> bool:
    """Whether too few cases say what helped for words alone to be believed; two that say it in a field are enough."""
    remedies = evidence.remedies()
    in_fields = {one.case_id for one in remedies if one.field not in PLAIN_TEXT_FIELDS}
    telling = {one.case_id for one in remedies}
    return len(in_fields) < 2 and len(telling) < MIN_REMEDY_SHARE * len(evidence.cases)


def _no_pattern_reason(evidence: ThemeEvidence) -> str:
    telling, n = len({sentence.case_id for sentence in evidence.remedies()}), len(evidence.cases)
    few = "Fewer than two of these cases say what helped."
    return few if telling < 2 else f"Only {telling} of the {n} cases read say what helped."


def _build_pattern_draft(
    evidence: ThemeEvidence,
    name: str,
    fields: dict[str, str | tuple[str, ...]],
    claims: Sequence[Claim],
    provenance: Provenance,
) -> Draft:
    return Draft(
        id=draft_id(DraftKind.PATTERN, evidence.theme.id, name, fields, claims),
        kind=DraftKind.PATTERN,
        theme_id=evidence.theme.id,
        name=name,
        fields=fields,
        claims=tuple(claims),
        provenance=provenance,
    )


def _general_sentences_matching(evidence: ThemeEvidence, cue: re.Pattern[str]) -> list[Sentence]:
    """Sentences that say it in so many words and of whatever comes up, not of what once was; nothing is inferred."""
    said = (one for one in evidence.sentences if cue.search(one.text))
    return [one for one in said if is_quotable_statement(one) and not is_narrative(one.text)]


def _claim(field: str, sentence: Sentence) -> Claim:
    return Claim(text=sentence.text, field=field, quotes=(sentence.to_quote(),))


def _coverage_text(evidence: ThemeEvidence, claims: Sequence[Claim]) -> str:
    """From how many cases and teams the evidence comes, and of how many; too narrow evidence says so."""
    found = measure_breadth(claims, {case.id: case for case in evidence.cases})
    return f"{found.describe(n_theme_cases=evidence.n_members)}." + (ANECDOTE_NOTE if found.is_narrow else "")

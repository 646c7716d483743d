"""The candidate pattern of a theme, drafted without a model: the cases' own sentences, put where a pattern needs them.

Every claim is a sentence of a case, word for word, so its quote is the claim. What the cases do not say is said to be
missing; nothing is filled in.
"""

import re
from collections.abc import Sequence

from patternmind.draft.choose import of_roles, pick, tells
from patternmind.draft.evidence import ThemeEvidence
from patternmind.draft.identity import draft_id
from patternmind.model.breadth import breadth_of
from patternmind.model.cases import Kind
from patternmind.model.drafts import Claim, Draft, DraftKind, Provenance
from patternmind.sentences import TENSION, UNLESS, WHOLE_TEXT_FIELDS, Role, Sentence, stands_alone, tells_story

NOT_STATED = "not stated in these cases"
NO_PATTERN = "No repeatable pattern in these cases"
ANECDOTE = " That is fewer than two cases or two known teams: treat it as an anecdote."
MOST_STEPS = 5
FEWEST_SHARE = 0.5
"""Of the cases read, where sentences of plain texts were judged by their words: among many that only complain some will
sound like advice. Of a theme of complaints .05-.38 of the cases do, of lessons .76-1, of postmortems .6-1."""

OF_RECAP = 0.3
"""What a problem and a remedy out of one recap are worth beside a pair out of one case."""

METHOD = "extractive-pattern/3"


def draft_pattern(evidence: ThemeEvidence, *, run_id: str) -> Draft:
    """A candidate pattern, or the stored answer that there is none: fewer than two cases say what helped."""
    told = of_roles(evidence.sentences, Role.PROBLEM, Role.HAPPENED)
    problem, remedy = _pair(evidence, told, evidence.remedies())
    helped = _steps(evidence, remedy)
    problems = pick(told, evidence.problem_score, limit=3, first=problem)
    provenance = Provenance(
        run_id=run_id, prompt=METHOD, inputs=tuple(f"{case.id}@{case.text_version}" for case in evidence.cases)
    )
    if len(helped) < 2 or not problems or _judged_by_words(evidence):
        return _no_pattern(evidence, problems, provenance)
    return _pattern(evidence, problems, helped, provenance)


def _pair(
    evidence: ThemeEvidence, problems: Sequence[Sentence], remedies: Sequence[Sentence]
) -> tuple[Sentence | None, Sentence | None]:
    """A problem and what helped against it, out of one case: what opens the draft should belong together.

    A recap tells of several things at once, so what stands in one belongs together less surely.
    """
    best: dict[str, Sentence] = {}
    for remedy in sorted(remedies, key=lambda one: (-evidence.remedy_score(one), one.case_id, one.field, one.start)):
        best.setdefault(remedy.case_id, remedy)
    pairs = [(problem, best[problem.case_id]) for problem in problems if problem.case_id in best]
    recaps = {case.id for case in evidence.cases if case.kind is Kind.RECAP}

    def worth(pair: tuple[Sentence, Sentence]) -> tuple[float, str]:
        problem, remedy = pair
        sure = OF_RECAP if problem.case_id in recaps else 1.0
        return sure * evidence.problem_score(problem) * evidence.remedy_score(remedy), problem.case_id

    return max(pairs, key=worth, default=(None, None))


def _steps(evidence: ThemeEvidence, first: Sentence | None) -> list[Sentence]:
    """What helped, each remedy once; where all say the same, from two cases: the same twice is what recurs."""
    remedies = evidence.remedies()
    steps = pick(remedies, evidence.remedy_score, limit=MOST_STEPS, first=first)
    if len(steps) == 1:
        others = [sentence for sentence in remedies if sentence.case_id != steps[0].case_id]
        steps += pick(others, evidence.remedy_score, limit=1)
    return steps


def _pattern(
    evidence: ThemeEvidence, problems: Sequence[Sentence], helped: Sequence[Sentence], provenance: Provenance
) -> Draft:
    used = [*problems, *helped]
    context = pick(of_roles(evidence.sentences, Role.CONTEXT), evidence.score, limit=1, unlike=used)
    limits = pick(_saying(evidence, UNLESS), evidence.centrality, limit=2, unlike=used)
    tensions = [one for one in _saying(evidence, TENSION) if stands_alone(one.text)]
    forces = pick(tensions, evidence.centrality, limit=3, unlike=[*used, *context, *limits])
    counter = pick(of_roles(evidence.sentences, Role.WORSE), evidence.score, limit=3)
    outcomes = pick(of_roles(evidence.sentences, Role.OUTCOME), evidence.score, limit=2, unlike=helped)
    chosen = {
        "context": context,
        "problem": problems[:1],
        "forces": forces,
        "solution": helped,
        "signs_it_applies": problems[1:],
        "do_not_use_when": limits,
        "consequences": outcomes,
        "counter_evidence": counter,
    }
    claims = [_claim(name, sentence) for name, found in chosen.items() for sentence in found]
    fields: dict[str, str | tuple[str, ...]] = {
        "patlet": f"{problems[0].text} Therefore: {helped[0].text}",
        **{name: tuple(s.text for s in found) or NOT_STATED for name, found in chosen.items()},
        "coverage": _coverage(evidence, claims),
        "related": evidence.theme.nearest_theme_id or "",
    }
    return _draft(evidence, evidence.theme.name, fields, claims, provenance)


def _no_pattern(evidence: ThemeEvidence, problems: Sequence[Sentence], provenance: Provenance) -> Draft:
    claims = [_claim("problem", sentence) for sentence in problems]
    fields: dict[str, str | tuple[str, ...]] = {
        "problem": tuple(sentence.text for sentence in problems) or NOT_STATED,
        "reason": _too_few(evidence),
        "coverage": _coverage(evidence, claims),
    }
    return _draft(evidence, NO_PATTERN, fields, claims, provenance)


def _judged_by_words(evidence: ThemeEvidence) -> bool:
    """Whether too few cases say what helped for words alone to be believed; two that say it in a field are enough."""
    remedies = evidence.remedies()
    in_fields = {one.case_id for one in remedies if one.field not in WHOLE_TEXT_FIELDS}
    telling = {one.case_id for one in remedies}
    return len(in_fields) < 2 and len(telling) < FEWEST_SHARE * len(evidence.cases)


def _too_few(evidence: ThemeEvidence) -> str:
    telling, n = len({sentence.case_id for sentence in evidence.remedies()}), len(evidence.cases)
    few = "Fewer than two of these cases say what helped."
    return few if telling < 2 else f"Only {telling} of the {n} cases read say what helped."


def _draft(
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


def _saying(evidence: ThemeEvidence, cue: re.Pattern[str]) -> list[Sentence]:
    """Sentences that say it in so many words and of whatever comes up, not of what once was; nothing is inferred."""
    said = (one for one in evidence.sentences if cue.search(one.text))
    return [one for one in said if tells(one) and not tells_story(one.text)]


def _claim(field: str, sentence: Sentence) -> Claim:
    return Claim(text=sentence.text, field=field, quotes=(sentence.quote(),))


def _coverage(evidence: ThemeEvidence, claims: Sequence[Claim]) -> str:
    """From how many cases and teams the evidence comes, and of how many; too narrow evidence says so."""
    found = breadth_of(claims, {case.id: case for case in evidence.cases})
    return f"{found.told(of=evidence.n_members)}." + (ANECDOTE if found.is_narrow else "")

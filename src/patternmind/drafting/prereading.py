"""Draft the pre-reading for a session: the case, its theme, three voices, remedies, and open points."""

from collections.abc import Sequence

from patternmind.domain.case_fields import field_named
from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import NOT_STATED, DraftFields
from patternmind.domain.drafts import Claim, Draft, DraftKind, Provenance, Quote, case_input
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import build_draft
from patternmind.drafting.sentence_selection import select_sentences, sentences_with_roles
from patternmind.text import Sentence, SentenceRole, extract_sentences

MAX_CASE_WORDS = 250
METHOD = "extractive-prereading/1"


def draft_prereading(evidence: ThemeEvidence, case: Case, *, session: str, date: str, run_id: str) -> Draft:
    """Return a pre-reading of at most two pages, made of verbatim sentences in reading order.

    Args:
        evidence: Evidence of the case's theme, or of the cases closest to the topic if they are in no theme.
        case: The case that the session works on.
    """
    others = [s for s in evidence.sentences if s.case_id != case.id]
    own = _case_excerpt(case)
    voices = select_sentences(
        sentences_with_roles(others, SentenceRole.PROBLEM, SentenceRole.HAPPENED),
        evidence.problem_score,
        limit=3,
        dissimilar_to=own,
    )
    remedies = [sentence for sentence in evidence.remedies() if sentence.case_id != case.id]
    helped = select_sentences(remedies, evidence.remedy_score, limit=3, dissimilar_to=[*own, *voices])
    against = select_sentences(
        sentences_with_roles(evidence.sentences, SentenceRole.WORSE),
        evidence.score,
        limit=2,
        dissimilar_to=[*voices, *helped],
    )
    selected = {"case": own, "quotes": voices, "helped": helped, "disagreement": against}
    questions = _questions(evidence, case, helped, against)
    claims = [
        Claim(text=case.title, field="case_title", quotes=(_title_quote(case),)),
        *(
            Claim(text=s.text, field=name, quotes=(s.to_quote(),))
            for name, sentences in selected.items()
            for s in sentences
        ),
        *(Claim(text=text, field="questions", quotes=(quote,)) for text, quote in questions if quote),
    ]
    fields: DraftFields = {
        "session": session,
        "date": date,
        "case_title": case.title,
        "leave_with": _session_goal(evidence),
        **{name: tuple(s.text for s in sentences) or NOT_STATED for name, sentences in selected.items()},
        "unknown": _open_points(evidence, helped),
        "questions": tuple(text for text, _ in questions),
    }
    inputs = tuple(case_input(c) for c in evidence.cases)
    provenance = Provenance(run_id=run_id, prompt=METHOD, inputs=inputs)
    name = f"Pre-reading: {evidence.theme.name}"
    return build_draft(DraftKind.PREREADING, evidence.theme.id or None, name, fields, claims, provenance)


def _case_excerpt(case: Case) -> list[Sentence]:
    """Return the first sentences of the case, up to 250 words."""
    excerpt: list[Sentence] = []
    n_words = 0
    for sentence in extract_sentences(case):
        n_words += sentence.n_words
        if n_words > MAX_CASE_WORDS and excerpt:
            break
        excerpt.append(sentence)
    return excerpt


def _session_goal(evidence: ThemeEvidence) -> str:
    problem = evidence.theme.name
    return f"We will leave with one thing each of us will try on “{problem}” before we meet again, and a date for it."


def _n_cases_without_remedy(evidence: ThemeEvidence) -> int:
    return len(evidence.counted_cases) - evidence.count_cases(evidence.remedies())


def _open_points(evidence: ThemeEvidence, remedies: Sequence[Sentence]) -> tuple[str, ...]:
    """List the gaps in the cases that can be counted."""
    cases = evidence.counted_cases
    n_without_remedy, n = _n_cases_without_remedy(evidence), len(cases)
    lines = [f"{n_without_remedy} of {n} cases do not say what helped."] if n_without_remedy else []
    n_undated = sum(case.date is None for case in cases)
    if n_undated:
        lines.append(f"{n_undated} of {n} cases have no date, so we cannot see whether this happens less often now.")
    if len({case.team for case in cases}) < 2:
        lines.append("All cases come from one team or name no team: the problem may be local.")
    if not remedies:
        lines.append("No other case says what helped.")
    return tuple(lines) or ("These cases have no gap that can be counted; ask what they do not mention.",)


def _questions(
    evidence: ThemeEvidence, case: Case, remedies: Sequence[Sentence], counter_examples: Sequence[Sentence]
) -> tuple[tuple[str, Quote | None], ...]:
    """Return three questions about the cases, each with the quote that it repeats, if any."""
    key = evidence.phrases[0].text if evidence.phrases else evidence.theme.name
    first = (
        f"Who here has seen one of these remedies work, and what was different there: {_shorten(remedies[0].text)}"
        if remedies
        else f"No case says what helped with “{key}”. Who here has solved it, and how?"
    )
    second = (
        f"One case says: {_shorten(counter_examples[0].text)} When does this remedy make things worse?"
        if counter_examples
        else f"What would have to be true for “{key}” not to come back next quarter?"
    )
    open_point = next((name for name in case.text if field_named(name).is_open_point and case.text[name]), None)
    third = (
        f"The case faces this decision: {_shorten(case.text[open_point])} What would you need to know to decide?"
        if open_point
        else "When could someone have noticed the problem earlier, and what would they have had to look at?"
    )
    return (
        (first, remedies[0].to_quote() if remedies else None),
        (second, counter_examples[0].to_quote() if counter_examples else None),
        (third, _field_quote(case, open_point, case.text[open_point]) if open_point else None),
    )


def _title_quote(case: Case) -> Quote:
    return _field_quote(case, "title" if case.text.get("title") else next(iter(case.text), ""), case.title)


def _field_quote(case: Case, field: str, beginning: str) -> Quote:
    return Quote(case_id=case.id, field=field, start=0, end=len(beginning), text=beginning)


def _shorten(text: str) -> str:
    words = text.split()
    return f"“{' '.join(words[:24])}{' …' if len(words) > 24 else ''}”"

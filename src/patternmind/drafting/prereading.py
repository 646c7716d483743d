"""Pre-reading for a session: the case in its own words, its theme, three voices, what is known and what is not."""

from collections.abc import Sequence

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Provenance,
    Quote,
)
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import draft_id
from patternmind.drafting.patterns import NOT_STATED
from patternmind.drafting.sentence_selection import select_sentences, sentences_with_roles
from patternmind.text import Sentence, SentenceRole, extract_sentences

MAX_CASE_WORDS = 250
METHOD = "extractive-prereading/1"


def draft_prereading(evidence: ThemeEvidence, case: Case, *, session: str, date: str, run_id: str) -> Draft:
    """Two pages at most, every sentence of the cases word for word, in the order a reader needs them.

    Args:
        evidence: of the case's theme; of the cases closest to the topic where they are in no theme.
        case: the one the session works on.
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
    chosen = {"case": own, "quotes": voices, "helped": helped, "disagreement": against}
    questions = _questions(evidence, case, helped, against)
    claims = [
        Claim(text=case.title, field="case_title", quotes=(_title_quote(case),)),
        *(Claim(text=s.text, field=name, quotes=(s.to_quote(),)) for name, found in chosen.items() for s in found),
        *(Claim(text=text, field="questions", quotes=(quote,)) for text, quote in questions if quote),
    ]
    fields: dict[str, str | tuple[str, ...]] = {
        "session": session,
        "date": date,
        "case_title": case.title,
        "leave_with": _session_goal(evidence),
        **{name: tuple(s.text for s in found) or NOT_STATED for name, found in chosen.items()},
        "unknown": _open_points(evidence, helped),
        "questions": tuple(text for text, _ in questions),
    }
    name = f"Pre-reading: {evidence.theme.name}"
    theme_id = evidence.theme.id or None
    return Draft(
        id=draft_id(DraftKind.PREREADING, theme_id, name, fields, claims),
        kind=DraftKind.PREREADING,
        theme_id=theme_id,
        name=name,
        fields=fields,
        claims=tuple(claims),
        provenance=Provenance(
            run_id=run_id, prompt=METHOD, inputs=tuple(f"{c.id}@{c.text_version}" for c in evidence.cases)
        ),
    )


def _case_excerpt(case: Case) -> list[Sentence]:
    """The case from its beginning, whole sentences, 250 words at most."""
    taken: list[Sentence] = []
    words = 0
    for sentence in extract_sentences(case):
        words += sentence.n_words
        if words > MAX_CASE_WORDS and taken:
            break
        taken.append(sentence)
    return taken


def _session_goal(evidence: ThemeEvidence) -> str:
    what = evidence.theme.name
    return f"We will leave with one thing each of us tries about “{what}” before we meet again, and a date for it."


def _n_cases_without_remedy(evidence: ThemeEvidence) -> int:
    telling = {sentence.case_id for sentence in evidence.remedies()}
    return len(evidence.cases) - len(telling)


def _open_points(evidence: ThemeEvidence, remedies: Sequence[Sentence]) -> tuple[str, ...]:
    """What the cases leave open, counted rather than guessed."""
    silent, n = _n_cases_without_remedy(evidence), len(evidence.cases)
    lines = [f"{silent} of {n} cases do not say what helped."] if silent else []
    undated = sum(case.date is None for case in evidence.cases)
    if undated:
        lines.append(f"{undated} of {n} cases have no date, so whether it gets rarer cannot be seen.")
    if evidence.n_teams([case.id for case in evidence.cases]) < 2:
        lines.append("All of them come from one team, or name none: it may be a local matter.")
    if not remedies:
        lines.append("No other case says what helped.")
    return tuple(lines) or ("The cases leave nothing out that can be counted; ask what they do not mention.",)


def _questions(
    evidence: ThemeEvidence, case: Case, remedies: Sequence[Sentence], counter_examples: Sequence[Sentence]
) -> tuple[tuple[str, Quote | None], ...]:
    """Three questions that only people can answer, tied to what these cases hold or lack, and the words they repeat."""
    key = evidence.phrases[0].text if evidence.phrases else evidence.theme.name
    first = (
        f"Which of these remedies has somebody here seen work, and what was different there: {_shorten(remedies[0].text)}"
        if remedies
        else f"Nobody wrote down what helped with “{key}”. Who here has got past it, and how?"
    )
    second = (
        f"One case says: {_shorten(counter_examples[0].text)} When does the remedy turn against us?"
        if counter_examples
        else f"What would have to be true for “{key}” not to come back next quarter?"
    )
    open_point = next((name for name in ("decision_point", "open_question") if case.text.get(name)), None)
    third = (
        f"The case stands before this decision: {_shorten(case.text[open_point])} What would you need to know to take it?"
        if open_point
        else "At which moment could somebody have noticed earlier, and what would they have had to look at?"
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

"""Draft the five bullets of a recap without a model: the submitter's own, else sentences from the notes."""

from collections.abc import Mapping, Sequence

from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import NOT_STATED
from patternmind.domain.drafts import Claim, Draft, DraftKind, Provenance, Quote, case_input
from patternmind.drafting.identity import build_draft
from patternmind.text import Sentence, SentenceRole, extract_sentences

BULLETS = ("case", "pattern", "decision", "next_use", "open_question")

METHOD = "extractive-recap/1"

ROLE_BY_BULLET: Mapping[str, SentenceRole] = {"case": SentenceRole.PROBLEM, "decision": SentenceRole.HELPED}
"""Bullets that a sentence of the notes can fill by its role; owner, date and recurrence are never guessed."""


def draft_recap(recap: Case, *, run_id: str) -> Draft:
    """Return each bullet verbatim from the recap, or ``NOT_STATED``."""
    own = sender_bullets(recap)
    own_fields = {claim.field for claim in own}
    claims = [*own, *(claim for claim in _bullets_from_notes(recap) if claim.field not in own_fields)]
    provenance = Provenance(run_id=run_id, prompt=METHOD, inputs=(case_input(recap),))
    return build_recap_draft(recap, claims, provenance)


def build_recap_draft(recap: Case, claims: Sequence[Claim], provenance: Provenance) -> Draft:
    """Build the recap draft, one line per bullet, in the order of ``BULLETS``."""
    fields = {name: tuple(claim.text for claim in claims if claim.field == name) or NOT_STATED for name in BULLETS}
    ordered = sorted(claims, key=lambda claim: BULLETS.index(claim.field))
    return build_draft(DraftKind.RECAP, None, f"Recap: {recap.title}", fields, ordered, provenance)


def sender_bullets(recap: Case) -> list[Claim]:
    """Return the bullets that the submitter wrote; they are never reworded."""
    return [
        Claim(
            text=" ".join(recap.text[name].split()),
            field=name,
            quotes=(Quote(case_id=recap.id, field=name, start=0, end=len(recap.text[name]), text=recap.text[name]),),
        )
        for name in BULLETS
        if recap.text.get(name, "").strip()
    ]


def _bullets_from_notes(recap: Case) -> list[Claim]:
    notes = [sentence for sentence in extract_sentences(recap) if sentence.field == "notes"]
    sentence_by_bullet: dict[str, Sentence | None] = {
        name: next((sentence for sentence in notes if sentence.role is role), None)
        for name, role in ROLE_BY_BULLET.items()
    }
    questions = (sentence for sentence in notes if sentence.text.rstrip().endswith("?"))
    sentence_by_bullet["open_question"] = next(questions, None)
    return [
        Claim(text=sentence.text, field=name, quotes=(sentence.to_quote(),))
        for name, sentence in sentence_by_bullet.items()
        if sentence is not None
    ]

"""The five bullets of a recap without a model: what its sender wrote, else the sentences of the notes that say it."""

from collections.abc import Mapping, Sequence

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Provenance,
    Quote,
)
from patternmind.drafting.identity import draft_id
from patternmind.drafting.patterns import NOT_STATED
from patternmind.text import Sentence, SentenceRole, extract_sentences

BULLETS = ("case", "pattern", "decision", "next_use", "open_question")

METHOD = "extractive-recap/1"

ROLE_BY_BULLET: Mapping[str, SentenceRole] = {"case": SentenceRole.PROBLEM, "decision": SentenceRole.HELPED}
"""Bullets that a role of a sentence of the notes stands for. Owner, date and what recurs are not to be guessed."""


def draft_recap(recap: Case, *, run_id: str) -> Draft:
    """Every bullet word for word from the recap, or said not to be stated."""
    own = sender_bullets(recap)
    written = {claim.field for claim in own}
    claims = [*own, *(claim for claim in _bullets_from_notes(recap) if claim.field not in written)]
    provenance = Provenance(run_id=run_id, prompt=METHOD, inputs=(f"{recap.id}@{recap.text_version}",))
    return build_recap_draft(recap, claims, provenance)


def build_recap_draft(recap: Case, claims: Sequence[Claim], provenance: Provenance) -> Draft:
    """The draft that these claims make, one line a bullet, in the order of the bullets."""
    fields = {name: tuple(one.text for one in claims if one.field == name) or NOT_STATED for name in BULLETS}
    ordered = sorted(claims, key=lambda claim: BULLETS.index(claim.field))
    name = f"Recap: {recap.title}"
    return Draft(
        id=draft_id(DraftKind.RECAP, None, name, fields, ordered),
        kind=DraftKind.RECAP,
        theme_id=None,
        name=name,
        fields=fields,
        claims=tuple(ordered),
        provenance=provenance,
    )


def sender_bullets(recap: Case) -> list[Claim]:
    """The bullets that the sender wrote: they stand as they are, and nobody words them anew."""
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
    found: dict[str, Sentence | None] = {
        name: next((one for one in notes if one.role is role), None) for name, role in ROLE_BY_BULLET.items()
    }
    found["open_question"] = next((one for one in notes if one.text.rstrip().endswith("?")), None)
    return [
        Claim(text=sentence.text, field=name, quotes=(sentence.to_quote(),))
        for name, sentence in found.items()
        if sentence is not None
    ]

"""What is new in a theme without a model: the counts, and what its new cases say in their own words."""

from collections.abc import Sequence

from patternmind.draft.choose import of_roles, pick
from patternmind.draft.evidence import ThemeEvidence
from patternmind.draft.identity import draft_id
from patternmind.draft.patterns import NOT_STATED
from patternmind.model.drafts import Claim, Draft, DraftKind, Provenance
from patternmind.model.themes import Theme
from patternmind.sentences import Role, Sentence

METHOD = "extractive-change/1"
FIELD = "note"

MOST_CASES, SENTENCES_EACH = 8, 4


def draft_change(evidence: ThemeEvidence, counted: str, new: frozenset[str], *, run_id: str) -> Draft:
    """The counts in words, and up to two sentences of the new cases that the earlier ones do not say."""
    fresh = [sentence for sentence in evidence.sentences if sentence.case_id in new]
    known = [sentence for sentence in evidence.sentences if sentence.case_id not in new]
    telling = of_roles(fresh, Role.PROBLEM, Role.HAPPENED)
    chosen = pick(telling, evidence.score, limit=2, unlike=known) or pick(telling, evidence.score, limit=1)
    claims = [Claim(text=one.text, field=FIELD, quotes=(one.quote(),)) for one in chosen]
    inputs = tuple(f"{case.id}@{case.text_version}" for case in evidence.cases)
    return change_of(evidence.theme, counted, claims, Provenance(run_id=run_id, prompt=METHOD, inputs=inputs))


def change_of(theme: Theme, counted: str, claims: Sequence[Claim], provenance: Provenance) -> Draft:
    fields = {"counted": counted, FIELD: tuple(claim.text for claim in claims) or NOT_STATED}
    name = f"Change: {theme.name}"
    return Draft(
        id=draft_id(DraftKind.THEME_CHANGE, theme.id, name, fields, claims),
        kind=DraftKind.THEME_CHANGE,
        theme_id=theme.id,
        name=name,
        fields=fields,
        claims=tuple(claims),
        provenance=provenance,
    )


def speaking(evidence: ThemeEvidence, case_ids: Sequence[str]) -> list[Sentence]:
    """The sentences of these cases that speak most for the theme, in reading order, a few of each case."""
    found: list[Sentence] = []
    for case_id in case_ids[:MOST_CASES]:
        own = [sentence for sentence in evidence.sentences if sentence.case_id == case_id and sentence.quotable]
        found += sorted(pick(own, evidence.score, limit=SENTENCES_EACH, one_per_case=False), key=own.index)
    return found

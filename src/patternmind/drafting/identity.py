"""Build drafts and derive their ids: the same proposal for the same theme has the same id in every run."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from patternmind.domain.draft_fields import DraftFields
from patternmind.domain.drafts import Claim, Draft, DraftKind, Provenance


def build_draft(
    kind: DraftKind,
    theme_id: str | None,
    name: str,
    fields: DraftFields,
    claims: Sequence[Claim],
    provenance: Provenance,
) -> Draft:
    """Return a draft whose id is computed from its content."""
    return Draft(
        id=draft_id(kind, theme_id, name, fields, claims),
        kind=kind,
        theme_id=theme_id,
        name=name,
        fields=fields,
        claims=tuple(claims),
        provenance=provenance,
    )


def draft_id(
    kind: DraftKind, theme_id: str | None, name: str, fields: Mapping[str, str | Sequence[str]], claims: Sequence[Claim]
) -> str:
    """Return ``d-`` and 16 hex digits of a hash over the content.

    Run, model and cost are not hashed: a rejected text that is drafted again keeps its id and stays rejected.
    """
    content = [kind.value, theme_id, name, {k: list(v) if not isinstance(v, str) else v for k, v in fields.items()}]
    quoted = [
        (claim.text, claim.field, [(q.case_id, q.field, q.start, q.end) for q in claim.quotes]) for claim in claims
    ]
    canonical = json.dumps([content, quoted], ensure_ascii=False, sort_keys=True)
    return "d-" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def with_recomputed_id(draft: Draft) -> Draft:
    """Return the draft with the id of its present content."""
    return replace(draft, id=draft_id(draft.kind, draft.theme_id, draft.name, draft.fields, draft.claims))

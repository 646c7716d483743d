"""A draft's id says what it says: the same proposal for the same theme is the same draft, run after run."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from patternmind.domain.drafts import Claim, Draft, DraftKind


def draft_id(
    kind: DraftKind,
    theme_id: str | None,
    name: str,
    fields: Mapping[str, str | Sequence[str]],
    claims: Sequence[Claim],
) -> str:
    """``d-`` and 16 hex digits. Run, model and cost are left out, so that a rejected text comes back as rejected."""
    said = [kind.value, theme_id, name, {k: list(v) if not isinstance(v, str) else v for k, v in fields.items()}]
    quoted = [
        (claim.text, claim.field, [(q.case_id, q.field, q.start, q.end) for q in claim.quotes]) for claim in claims
    ]
    canonical = json.dumps([said, quoted], ensure_ascii=False, sort_keys=True)
    return "d-" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def with_recomputed_id(draft: Draft) -> Draft:
    """The draft under the id of what it says now, after something was added to it."""
    return replace(draft, id=draft_id(draft.kind, draft.theme_id, draft.name, draft.fields, draft.claims))

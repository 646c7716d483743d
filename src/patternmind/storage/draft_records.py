"""Convert drafts, reservations and uses of patterns to rows and back."""

from datetime import date, datetime
from typing import Any

from patternmind.domain.drafts import Draft, DraftKind, DraftReservation, DraftState, PatternUse
from patternmind.domain.read_models import DraftListItem
from patternmind.storage import records


def quoted_case_ids(draft: Draft) -> set[str]:
    return {quote.case_id for claim in draft.claims for quote in claim.quotes}


def draft_row(draft: Draft) -> dict[str, Any]:
    return {
        "id": draft.id,
        "kind": draft.kind.value,
        "theme_id": draft.theme_id,
        "body": records.draft_record(draft),
        "name": draft.name,
        "doubts": "\n".join(sorted({flag.doubt.value for flag in draft.flags})),
        "n_cases": len(quoted_case_ids(draft)),
    }


def read_list_item(row: Any) -> DraftListItem:
    name, model, flags = row.extracts
    return DraftListItem(
        id=row.id,
        kind=DraftKind(row.kind),
        state=DraftState(row.state),
        theme_id=row.theme_id,
        name=name,
        version=row.n_decisions,
        created_at=datetime.fromisoformat(row.created_at),
        model=model,
        n_claims=row.n_claims,
        flag_kinds=tuple(flag["doubt"] for flag in flags or ()),
    )


def read_reservation(row: Any) -> DraftReservation:
    return DraftReservation(draft_id=row.draft_id, by=row.by, until=datetime.fromisoformat(row.until))


def use_row(use: PatternUse) -> dict[str, str]:
    return {
        "id": use.id,
        "pattern_id": use.pattern_id,
        "on": use.on.isoformat(),
        "team": use.team,
        "note": use.note,
        "by": use.by,
        "at": use.at.isoformat(),
    }


def read_use(row: Any) -> PatternUse:
    return PatternUse(
        id=row.id,
        pattern_id=row.pattern_id,
        on=date.fromisoformat(row.on),
        team=row.team,
        note=row.note,
        by=row.by,
        at=datetime.fromisoformat(row.at),
    )

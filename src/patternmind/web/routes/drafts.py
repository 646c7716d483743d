"""Drafts as reviewers meet them, what they decide, and the patterns that come of it."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from patternmind.errors import ChangedMeanwhile, UsageError
from patternmind.model import rights
from patternmind.model.drafts import Decision, DraftKind, DraftState, ReviewedDraft
from patternmind.model.reading import DraftsWanted
from patternmind.ports import Store
from patternmind.review import possible_actions
from patternmind.verbs.desk import log_for
from patternmind.verbs.export import draft_row, export_rows
from patternmind.verbs.reviewing import decide_draft, open_draft, page_of_drafts
from patternmind.web import answers
from patternmind.web.auth import Caller
from patternmind.web.deciding import must_decide
from patternmind.web.door import MAY_REPEAT, Door, TheCaller, TheHouse, problems
from patternmind.web.paging import Cursor, Limit, read_cursor, write_cursor
from patternmind.web.rights import needs

router = APIRouter(route_class=Door, tags=["review"])

ETAG = {200: {"headers": {"ETag": {"description": "The draft's version.", "schema": {"type": "string"}}}}}


@router.get("/drafts", name="list_drafts", dependencies=[needs(rights.Action.SEE_DRAFTS)])
def list_drafts(
    house: TheHouse,
    caller: TheCaller,
    *,
    kind: DraftKind | None = None,
    state: DraftState | None = None,
    theme_id: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> answers.Page[answers.DraftAnswer]:
    """Drafts that wait for somebody and drafts that were decided on, oldest first."""
    wanted = DraftsWanted(kind=kind, state=state, theme_id=theme_id)
    page = page_of_drafts(house.store, wanted, limit=limit, after=read_cursor(cursor))
    return answers.Page(items=[_draft(one, caller) for one in page.rows], next_cursor=write_cursor(page.following))


@router.get(
    "/drafts/{draft_id}",
    name="read_draft",
    responses=problems(404) | ETAG,
    dependencies=[needs(rights.Action.SEE_DRAFTS)],
)
def read_draft(house: TheHouse, caller: TheCaller, response: Response, draft_id: str) -> answers.DraftAnswer:
    """One draft with its quotes and its decisions; who gives the second view sees those once theirs is given."""
    return tagged(open_draft(house.store, draft_id), caller, response)


@router.post(
    "/drafts/{draft_id}/decisions",
    name="decide",
    responses=problems(400, 404, 409, 412) | ETAG,
    dependencies=[needs(rights.Action.REVIEW_DRAFTS), MAY_REPEAT],
)
def decide(
    house: TheHouse,
    caller: TheCaller,
    response: Response,
    draft_id: str,
    asked: answers.DecisionAsked,
    if_match: Annotated[
        str | None, Header(max_length=200, description="The ETag you decide on; without it, on whatever stands now.")
    ] = None,
) -> answers.DraftAnswer:
    """Accept, edit, reject, not sure, flag, retire or undo. Every decision is logged under a name, and can be undone.

    Only a steward retires.
    """
    must_decide(house.store, caller, draft_id, asked.action)
    if not isinstance(asked.fields.get("name", ""), str):
        raise UsageError('"fields.name" is one line of text, not a list.', field="fields.name")
    reviewed = decide_draft(
        house.store,
        house.clock,
        draft_id,
        asked.action,
        by=caller.signs_as(asked.by),
        reason=asked.reason,
        note=asked.note,
        edits={name: value if isinstance(value, str) else tuple(value) for name, value in asked.fields.items()},
        expected_version=expected_version(house.store, draft_id, if_match),
    )
    return tagged(reviewed, caller, response)


def expected_version(store: Store, draft_id: str, if_match: str | None) -> int | None:
    """The version that the caller has seen, ``None`` for any.

    Raises:
        ChangedMeanwhile: the draft's version is none of those named.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    version = open_draft(store, draft_id).version
    if f'"{version}"' not in re.findall(r'(?<!W/)"[^"]*"', if_match):
        raise ChangedMeanwhile("draft", draft_id)
    return version


@router.get("/patterns", name="list_patterns", dependencies=[needs(rights.Action.SEARCH)])
def list_patterns(house: TheHouse) -> answers.Listing[answers.PatternAnswer]:
    """What people accepted and may be published, by name; quotes that may not leave are withheld and counted.

    `GET /api/v1/playbook` lists what is withheld as a whole, with the reason.
    """
    rows = [row for row in export_rows(house.store, "patterns") if "withheld" not in row]
    return answers.Listing(items=[answers.PatternAnswer.model_validate(row) for row in rows])


def tagged(reviewed: ReviewedDraft, caller: Caller, response: Response) -> answers.DraftAnswer:
    response.headers["etag"] = f'"{reviewed.version}"'
    return _draft(reviewed, caller)


def _draft(reviewed: ReviewedDraft, caller: Caller) -> answers.DraftAnswer:
    row: dict[str, Any] = {
        **draft_row(reviewed),
        "created_at": reviewed.created_at,
        "decisions": [decision_answer(one) for one in log_for(reviewed, caller.name).decisions],
        "possible_actions": possible_actions(reviewed.decisions),
    }
    return answers.DraftAnswer.model_validate(row)


def decision_answer(one: Decision) -> answers.DecisionAnswer:
    return answers.DecisionAnswer(
        id=one.id,
        action=one.action,
        by=one.by,
        at=one.at,
        before=one.before,
        after=one.after,
        reason=one.reason,
        note=one.note,
        fields={name: value if isinstance(value, str) else list(value) for name, value in one.edits.items()},
        undoes=one.undoes,
    )

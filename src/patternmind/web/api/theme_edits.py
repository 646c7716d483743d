"""Theme edits: submit, list and undo."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, Field, GetPydanticSchema
from pydantic_core import core_schema

from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.permissions import Action
from patternmind.edits import ACTIONS, ThemeAction
from patternmind.ports import Store
from patternmind.services.theme_edits import (
    EditResult,
    LoggedEdit,
    ThemeEditRequest,
    get_last_edit_seq,
    list_logged_edits,
    submit_edit,
    undo_request,
)
from patternmind.web.api.schemas import EditConflictResponse, PageResponse, RequestModel
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.etags import IfMatchHeader, etag_responses, expected_version, format_etag
from patternmind.web.lens import LensName, LensQuery
from patternmind.web.pagination import CursorQuery, LimitQuery, decode_cursor, encode_cursor
from patternmind.web.routing import ApiRouter

router = ApiRouter("themes")

MAX_CASES = 500

_ACTIONS = [action for action in ACTIONS.values() if action.confirmation and "undoes" not in action.fields]
_THEME_ACTIONS = [action for action in _ACTIONS if "theme_id" in action.fields]
_CASES_ACTIONS = sorted(
    (action for action in _ACTIONS if "theme_id" not in action.required_fields),
    key=lambda action: "theme_id" in action.fields,
)


def _any_of(actions: Sequence[ThemeAction]) -> GetPydanticSchema:
    """Return the schema of a field whose value is one of these actions."""
    names = core_schema.literal_schema([action.action.value for action in actions])
    return GetPydanticSchema(lambda _source, _handler: core_schema.no_info_after_validator_function(EditAction, names))


def _with_required(field: str) -> str:
    return ", ".join(action.action.value for action in _THEME_ACTIONS if field in action.required_fields)


def _with_optional(field: str) -> str:
    return ", ".join(action.action.value for action in _THEME_ACTIONS if field in action.optional_fields)


class ThemeDecisionRequest(RequestModel):
    """Author and note of a decision on a theme."""

    by: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        description="Name of the person who decides; with a token, the token's name.",
    )
    note: str = Field(default="", max_length=400, description="Note for the log; it must not name anyone.")


class CreateCasesEditRequest(ThemeDecisionRequest):
    action: Annotated[EditAction, _any_of(_CASES_ACTIONS)]
    case_ids: tuple[str, ...] = Field(min_length=1, max_length=MAX_CASES, description="Ids or external ids.")
    name: str = Field(
        default="", max_length=400, description=f"For {_with_optional('name')}: name of the new theme, optional."
    )
    lens: LensName | None = Field(default=None, description="Lens; default: that of the last run.")


class CreateThemeEditRequest(ThemeDecisionRequest):
    """An edit of a theme; the required fields depend on the action."""

    action: Annotated[EditAction, _any_of(_THEME_ACTIONS)]
    name: str = Field(
        default="",
        max_length=400,
        description=f"For {_with_required('name')}, and optional for {_with_optional('name')}.",
    )
    other_theme_id: str | None = Field(
        default=None, max_length=200, description=f"For {_with_required('other_theme_id')}: the theme that remains."
    )
    case_ids: tuple[str, ...] = Field(
        default=(), max_length=MAX_CASES, description=f"For {_with_required('case_ids')}."
    )
    lens: LensName | None = Field(default=None, description="Lens; default: that of the last run.")


class ThemeEditResponse(BaseModel):
    """An entry of the append-only log; `proposed` entries have no effect until they are accepted."""

    seq: int
    lens: str
    action: EditAction
    by: str
    at: dt.datetime
    theme_id: str | None
    other_theme_id: str | None
    case_ids: list[str]
    name: str
    former_name: str
    undoes: int | None
    note: str
    proposed: bool
    answers: int | None = Field(description="The proposal or conflicting decision that this entry answers.")
    run_id: str = Field(description="Run whose change of the theme this entry accepts or declines.")
    because: int | None = Field(description="The entry that caused this one; undoing it undoes both.")
    undone_by: int | None = None


class EditResultResponse(BaseModel):
    edit: ThemeEditResponse
    doubts: list[EditConflictResponse] = Field(
        description="Contradictions with the cases; they do not change the decision."
    )


LOG_ETAG_RESPONSE = etag_responses("Number of the newest log entry.")
EDIT_OPTIONS: dict[str, Any] = {"proposing": True, "problems": [404, 409], "responses": LOG_ETAG_RESPONSE}


def _set_etag(store: Store, response: Response) -> None:
    response.headers["etag"] = format_etag(get_last_edit_seq(store))


def _apply_edit(
    ctx: ContextDep, caller: Caller, response: Response, edit_request: ThemeEditRequest, if_match: str | None
) -> EditResultResponse:
    """Submit an edit, or propose it if the caller may only propose."""
    expected_seq = expected_version(if_match, get_last_edit_seq(ctx.store), kind="log of", id="themes")
    is_proposal = not caller.may(Action.EDIT_THEMES)
    result = submit_edit(ctx.store, ctx.clock, replace(edit_request, expected_seq=expected_seq, proposed=is_proposal))
    _set_etag(ctx.store, response)
    return edit_result_response(result)


@router.get("/themes/log", "list_edits", Action.SEE_THEMES, responses=LOG_ETAG_RESPONSE)
def list_edits(
    ctx: ContextDep, response: Response, lens: LensQuery = None, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> PageResponse[ThemeEditResponse]:
    """List all decisions and proposals about themes, oldest first, including undone ones."""
    after = decode_cursor(cursor)
    entries = [
        entry for entry in list_logged_edits(ctx.store, lens) if after is None or f"{entry.edit.seq:09d}" > after
    ]
    last_position = f"{entries[limit - 1].edit.seq:09d}" if len(entries) > limit else None
    _set_etag(ctx.store, response)
    return PageResponse(
        items=[_logged_edit_response(entry) for entry in entries[:limit]], next_cursor=encode_cursor(last_position)
    )


@router.post(
    "/themes/edits", "edit_cases", Action.EDIT_THEMES, proposing=True, problems=[404, 409], responses=LOG_ETAG_RESPONSE
)
def edit_cases(
    ctx: ContextDep, caller: CallerDep, response: Response, body: CreateCasesEditRequest, if_match: IfMatchHeader = None
) -> EditResultResponse:
    """Keep cases together or apart, or create a theme from cases in none. Later runs keep the edit."""
    edit_request = ThemeEditRequest(actor=caller.actor_name(body.by), **body.model_dump(exclude={"by"}))
    return _apply_edit(ctx, caller, response, edit_request, if_match)


@router.post(
    "/themes/{theme_id}/edits",
    "edit_theme",
    Action.EDIT_THEMES,
    proposing=True,
    problems=[404, 409],
    responses=LOG_ETAG_RESPONSE,
)
def edit_theme(
    ctx: ContextDep,
    caller: CallerDep,
    response: Response,
    theme_id: str,
    body: CreateThemeEditRequest,
    if_match: IfMatchHeader = None,
) -> EditResultResponse:
    """Rename, merge, move, split, pin, lock, retire or own a theme. A data partner's edit is a proposal."""
    edit_request = ThemeEditRequest(
        actor=caller.actor_name(body.by), theme_id=theme_id, **body.model_dump(exclude={"by"})
    )
    return _apply_edit(ctx, caller, response, edit_request, if_match)


@router.post(
    "/themes/log/{seq}/undo",
    "undo_edit",
    Action.EDIT_THEMES,
    proposing=True,
    problems=[404, 409],
    responses=LOG_ETAG_RESPONSE,
)
def undo_edit(
    ctx: ContextDep,
    caller: CallerDep,
    response: Response,
    seq: int,
    body: ThemeDecisionRequest | None = None,
    if_match: IfMatchHeader = None,
) -> EditResultResponse:
    """Undo an edit; the themes become what they would be without it."""
    decision = body or ThemeDecisionRequest()
    edit_request = undo_request(seq, actor=caller.actor_name(decision.by), note=decision.note)
    return _apply_edit(ctx, caller, response, edit_request, if_match)


def edit_response(edit: Edit, undone_by: int | None = None) -> ThemeEditResponse:
    return ThemeEditResponse.model_validate({**asdict(edit), "undone_by": undone_by})


def _logged_edit_response(logged_edit: LoggedEdit) -> ThemeEditResponse:
    return edit_response(logged_edit.edit, logged_edit.undone_by)


def edit_result_response(result: EditResult) -> EditResultResponse:
    doubts = [EditConflictResponse(**asdict(conflict)) for conflict in result.conflicts]
    return EditResultResponse(edit=edit_response(result.edit), doubts=doubts)

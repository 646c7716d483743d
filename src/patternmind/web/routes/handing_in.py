"""Handing in one case, editing it, and letting it go; what is around it, and for those who may, what it was."""

import re
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Header, Response
from starlette.requests import Request
from starlette.responses import JSONResponse

from patternmind.errors import ChangedMeanwhile, NotAllowed, NotFound, UsageError
from patternmind.model.cases import FACT_FIELDS, Case, text_fields
from patternmind.model.rights import Action
from patternmind.verbs.case_view import CaseView, cases_like, names_in, quotes_of, versions_of, view_case
from patternmind.verbs.erasing import Erased, find_withdrawn
from patternmind.verbs.handing_in import (
    NotFilledIn,
    Seen,
    Written,
    edit_case,
    hand_in,
    is_own,
    look_over,
    owns_withdrawn,
    put_back,
)
from patternmind.verbs.redaction import confirm_names
from patternmind.web import answers, case_answers
from patternmind.web.audit import nothing_changed, touched
from patternmind.web.auth import Caller
from patternmind.web.door import MAY_REPEAT, Door, TheCaller, TheHouse, problems
from patternmind.web.problems import INVALID, MEDIA_TYPE, FieldProblem, problem
from patternmind.web.rights import needs
from patternmind.web.routes.cases import case_answer

router = APIRouter(route_class=Door, tags=["cases"])

ETAG = {"headers": {"ETag": {"description": "The case's version.", "schema": {"type": "string"}}}}

IfMatch = Annotated[
    str | None, Header(max_length=200, description="The ETag you saw; without it, whatever stands now is replaced.")
]


@router.post(
    "/cases/preview",
    name="preview_case",
    responses=problems(400),
    dependencies=[needs(Action.SUBMIT_CASE)],
    response_model=case_answers.SeenAnswer,
)
def preview_case(request: Request, house: TheHouse, caller: TheCaller, asked: case_answers.CaseAsked) -> object:
    """How others would read a case; nothing is stored."""
    nothing_changed(request)
    try:
        return _seen(look_over(house.store, _written(caller, asked)))
    except NotFilledIn as error:
        return _refused(request, error)


@router.post(
    "/cases",
    name="submit_case",
    status_code=201,
    responses=problems(400) | {201: ETAG},
    dependencies=[needs(Action.SUBMIT_CASE), MAY_REPEAT],
    response_model=case_answers.SeenAnswer,
)
def submit_case(
    request: Request, response: Response, house: TheHouse, caller: TheCaller, asked: case_answers.CaseAsked
) -> object:
    """Hand in a case. The same text under the same id, or under none, is the same case however often it is sent."""
    try:
        seen = hand_in(house.store, house.clock, _written(caller, asked))
    except NotFilledIn as error:
        return _refused(request, error)
    response.headers["etag"] = _tag(house.store.n_versions(seen.case.id))
    response.headers["location"] = f"/api/v1/cases/{seen.case.id}"
    return _seen(seen)


@router.put(
    "/cases/{case_id:path}",
    name="replace_case",
    responses=problems(400, 404, 412) | {200: ETAG},
    dependencies=[needs(Action.EDIT_CASE, own=True)],
    response_model=case_answers.SeenAnswer,
)
def replace_case(
    request: Request,
    response: Response,
    house: TheHouse,
    caller: TheCaller,
    *,
    case_id: str,
    asked: case_answers.CaseAsked,
    if_match: IfMatch = None,
) -> object:
    """Put another text and other facts in the place of a case's. All earlier versions are kept."""
    case = _theirs(house, caller, case_id, Action.EDIT_CASE)
    touched(request, "case", case.id)
    if asked.kind is not case.kind or asked.external_id not in (None, case.external_id):
        raise UsageError("A case keeps its kind and its external id; leave them out.")
    expected = _expected(house, case, if_match)
    try:
        seen = edit_case(house.store, house.clock, case.id, _written(caller, asked), expected_version=expected)
    except NotFilledIn as error:
        return _refused(request, error)
    response.headers["etag"] = _tag(house.store.n_versions(case.id))
    return _seen(seen)


@router.get(
    "/cases/{case_id:path}/surroundings",
    name="read_surroundings",
    responses=problems(404) | {200: ETAG},
    dependencies=[needs(Action.SEARCH)],
)
def read_surroundings(
    response: Response, house: TheHouse, caller: TheCaller, case_id: str
) -> case_answers.SurroundingsAnswer:
    """Where a case is, what is like it, and what quotes it, as far as you may see that. Its ETag is for edits."""
    view = view_case(house.store, case_id)
    response.headers["etag"] = view.tag
    return _surroundings(house, caller, view)


def _surroundings(house: TheHouse, caller: Caller, view: CaseView) -> case_answers.SurroundingsAnswer:
    placed = view.placed if caller.may(Action.SEE_THEMES, reading=True) else None
    quotes = quotes_of(house.store, view.case.id) if caller.may(Action.SEE_DRAFTS, reading=True) else []
    return case_answers.SurroundingsAnswer(
        n_versions=view.n_versions,
        theme_id=placed.theme_id if placed else None,
        theme=view.themes.get(placed.theme_id or "") if placed else None,
        strength=placed.strength if placed else None,
        second_theme_id=placed.second_theme_id if placed else None,
        nearest_theme_id=placed.nearest_theme_id if placed else None,
        reason=placed.reason if placed else "",
        repeats=view.repeats.id if view.repeats else None,
        repeated_by=[one.id for one in view.repeated_by],
        linked=[one.id for one in view.linked],
        linked_by=[one.id for one in view.linked_by],
        like=[
            case_answers.LikeAnswer(case_id=one.case.id, title=one.case.title, score=one.score)
            for one in cases_like(house.store, house.live_index.neighbours, view.case)
        ],
        quotes=[case_answers.QuotedAnswer(**asdict(one)) for one in quotes],
    )


@router.get(
    "/cases/{case_id:path}/raw",
    name="read_raw",
    responses=problems(404),
    dependencies=[needs(Action.SEE_RAW_TEXT, own=True)],
)
def read_raw(house: TheHouse, caller: TheCaller, case_id: str) -> case_answers.RawAnswer:
    """A case as it was handed in, names included: for the steward, and for whose case it is."""
    case = _theirs(house, caller, case_id, Action.SEE_RAW_TEXT)
    return case_answers.RawAnswer(
        case_id=case.id,
        versions=[
            case_answers.VersionAnswer(
                version=one.number,
                at=one.at,
                by=one.by,
                file=one.submission.file,
                row=one.submission.row,
                text=dict(one.submission.text),
                facts=dict(one.submission.facts),
                extra=dict(one.submission.extra),
                linked_cases=list(one.submission.linked_cases),
            )
            for one in versions_of(house.store, case.id)
        ],
    )


@router.get(
    "/cases/{case_id:path}/possible-names",
    name="read_possible_names",
    responses=problems(404),
    dependencies=[needs(Action.SEE_POSSIBLE_NAMES, own=True)],
)
def read_possible_names(house: TheHouse, caller: TheCaller, case_id: str) -> answers.Listing[case_answers.NameAnswer]:
    """What may be names in the redacted text of a case, the likeliest first."""
    found = names_in(_theirs(house, caller, case_id, Action.SEE_POSSIBLE_NAMES))
    return answers.Listing(
        items=[
            case_answers.NameAnswer(name=one.name, n=one.n, why=list(one.why), contexts=list(one.contexts))
            for one in found
        ]
    )


@router.post(
    "/cases/{case_id:path}/possible-names",
    name="confirm_names_of_case",
    responses=problems(400, 404),
    dependencies=[needs(Action.ROSTER), MAY_REPEAT],
)
def confirm_names_of_case(house: TheHouse, case_id: str, asked: answers.NamesAsked) -> case_answers.NamesConfirmed:
    """Put possible names of a case on the roster, which takes them out of everything that is stored."""
    offered = {one.name for one in names_in(house.store.case(case_id))}
    if not set(asked.names) <= offered:
        raise UsageError('"names" has one that is no possible name of this case.', field="names")
    return case_answers.NamesConfirmed(people_added=confirm_names(house.store, asked.names))


@router.post(
    "/cases/{case_id:path}/withdrawal",
    name="withdraw_case",
    responses=problems(400, 404, 409),
    dependencies=[needs(Action.EDIT_CASE, own=True), MAY_REPEAT],
)
def withdraw_case(
    request: Request, house: TheHouse, caller: TheCaller, case_id: str, asked: case_answers.LeavingAsked
) -> case_answers.GoneAnswer:
    """Take a case out of every list, theme, draft and search; what was handed in is kept, to be put back."""
    case = _theirs(house, caller, case_id, Action.EDIT_CASE)
    touched(request, "case", case.id)
    return _gone(house.withdraw(case.id, by=caller.signs_as(asked.by)))


@router.delete(
    "/cases/{case_id:path}/withdrawal",
    name="put_case_back",
    responses=problems(404),
    dependencies=[needs(Action.EDIT_CASE, own=True)],
)
def put_case_back(house: TheHouse, caller: TheCaller, case_id: str) -> answers.CaseAnswer:
    """Take a withdrawn case in again; the next run places it."""
    hidden_id = _hidden(house, caller, case_id, Action.EDIT_CASE)
    if hidden_id is None:
        raise NotFound("withdrawn case", case_id)
    case = put_back(house.store, hidden_id)
    return case_answer(case, house.store.place_of(case.id))


@router.delete(
    "/cases/{case_id:path}",
    name="erase_case",
    responses=problems(404, 409),
    dependencies=[needs(Action.ERASE_CASE, own=True)],
)
def erase_case(
    request: Request, house: TheHouse, caller: TheCaller, case_id: str, by: str | None = None
) -> case_answers.GoneAnswer:
    """Erase a case, a withdrawn one too, for good. It has no undo."""
    wanted = _hidden(house, caller, case_id, Action.ERASE_CASE)
    if wanted is None:
        wanted = _theirs(house, caller, case_id, Action.ERASE_CASE).id
    touched(request, "case", wanted)
    told = house.erase(wanted, by=caller.signs_as(by))
    request.app.state.rooms.forget()
    return _gone(told)


def _theirs(house: TheHouse, caller: Caller, case_id: str, action: Action) -> Case:
    case = house.store.case(case_id)
    caller.must(action, is_own(house.store, case, caller.member))
    return case


def _hidden(house: TheHouse, caller: Caller, case_id: str, action: Action) -> str | None:
    """The id of a withdrawn case that the caller may reach; to all others it is not there."""
    hidden = find_withdrawn(house.store, case_id)
    if hidden is None:
        return None
    if not caller.may(action, owns_withdrawn(house.store, hidden.case_id, caller.member)):
        raise NotFound("case", case_id)
    return hidden.case_id


def _written(caller: Caller, asked: case_answers.CaseAsked) -> Written:
    unknown = [name for name in asked.text if name not in text_fields(asked.kind)]
    unknown += [name for name in asked.facts if name not in FACT_FIELDS or name in {"consent", "submitter"}]
    if unknown:
        raise UsageError(
            f'There is no field "{unknown[0][:80]}" of a {asked.kind}; text and facts name known ones.', field="text"
        )
    if asked.submitter.strip() and not caller.may(Action.SEE_RAW_TEXT):
        raise NotAllowed('Leave "submitter" out: it is your own case. A steward may name somebody else.')
    fields = {**asked.text, **asked.facts}
    fields |= {"consent": asked.consent.value} if asked.consent else {}
    fields |= {"linked_cases": "\n".join(asked.linked_cases)} if asked.linked_cases else {}
    return Written(
        kind=asked.kind,
        fields=fields,
        external_id=asked.external_id,
        member=caller.member,
        submitter=asked.submitter,
        by=caller.name or "the person at this machine",
    )


def _expected(house: TheHouse, case: Case, if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    version = house.store.n_versions(case.id)
    if _tag(version) not in re.findall(r'(?<!W/)"[^"]*"', if_match):
        raise ChangedMeanwhile("case", case.id)
    return version


def _tag(version: int) -> str:
    return f'"{version}"'


def _refused(request: Request, error: NotFilledIn) -> JSONResponse:
    fields = [
        FieldProblem(field=f"body.{one.field}" if one.field else "body", message=one.message) for one in error.wrong
    ]
    said = problem(INVALID, str(error), request_id=request.state.request_id, fields=fields)
    return JSONResponse(said.model_dump(), said.status, media_type=MEDIA_TYPE)


def _seen(seen: Seen) -> case_answers.SeenAnswer:
    return case_answers.SeenAnswer(
        case=case_answer(seen.case, None),
        redacted=dict(seen.redacted),
        possible_names=list(seen.possible),
        suspicions=list(seen.suspicions),
        missing=case_answers.MissingAnswer(**asdict(seen.missing)) if seen.missing else None,
        is_new=seen.is_new,
    )


def _gone(told: Erased) -> case_answers.GoneAnswer:
    return case_answers.GoneAnswer(
        case_id=told.case_id,
        n_quotes=told.n_quotes,
        n_drafts=told.n_drafts,
        same=list(told.same),
        linked=list(told.linked),
    )

"""Pre-reading for a session, and the playbook of what people accepted."""

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from patternmind.bootstrap import House
from patternmind.errors import UsageError
from patternmind.model.rights import Action
from patternmind.publish.document import Document
from patternmind.publish.html import POLICY
from patternmind.publish.render import render
from patternmind.publish.rights import Sorted
from patternmind.verbs import prepare
from patternmind.verbs.publishing import (
    collect_playbook,
    playbook_document,
    prereading_document,
    prereading_row,
)
from patternmind.web import answers
from patternmind.web.door import MAY_REPEAT, Door, TheHouse, problems
from patternmind.web.rights import needs

router = APIRouter(route_class=Door, tags=["publishing"])

Format = Literal["json", "md", "html", "pdf", "docx"]

MEDIA_TYPES = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

FILES: dict[str, Any] = {media.partition(";")[0]: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()}


@router.post(
    "/prereadings",
    status_code=201,
    response_model=answers.DraftedAnswer,
    responses=problems(400, 404) | {201: {"content": FILES}},
    dependencies=[needs(Action.REQUEST_PREREADING), MAY_REPEAT],
)
def make_prereading(house: TheHouse, asked: answers.PrereadingAsked, format: Format = "json") -> Response:
    """Two pages for a session: the case in its own words, its theme, voices, what helped, what is open.

    It is kept as a draft at `Location`. For members: it may quote what may not leave the network, and then says so.
    """
    date = asked.date.isoformat() if asked.date else ""
    prepared = prepare.prepare(
        house.store,
        house.clock,
        _subject(house, asked),
        topic=asked.topic or "",
        session=asked.session,
        date=date,
        namer=house.namer,
    )
    place = {"location": f"/api/v1/drafts/{prepared.grounded.draft.id}"}
    if format == "json":
        row = answers.DraftedAnswer.model_validate(prereading_row(prepared))
        return JSONResponse(row.model_dump(mode="json"), status_code=201, headers=place)
    return _file(prereading_document(prepared, house.store.network), format, status_code=201, headers=place)


def _subject(house: House, asked: answers.PrereadingAsked) -> prepare.Subject:
    if sum(chosen is not None for chosen in (asked.theme, asked.topic, asked.case)) != 1:
        raise UsageError("Name exactly one of theme, topic and case.")
    if asked.theme is not None:
        return prepare.by_theme(house.store, asked.theme)
    if asked.case is not None:
        return prepare.by_case(house.store, asked.case)
    return prepare.by_topic(house.store, house.encoder, house.live_index, asked.topic or "")


@router.get(
    "/playbook",
    response_model=answers.PlaybookAnswer,
    responses={200: {"content": FILES}},
    dependencies=[needs(Action.SEARCH)],
)
def read_playbook(house: TheHouse, format: Format = "json") -> Response:
    """What people accepted, as far as consent and threshold let it out; the JSON alone lists what is withheld."""
    collected = collect_playbook(house.store)
    if format == "json":
        return JSONResponse(_playbook(house, collected).model_dump(mode="json"))
    return _file(playbook_document(house.store, collected, house.clock.now()), format, status_code=200, headers={})


def _playbook(house: House, collected: Sorted) -> answers.PlaybookAnswer:
    published = [
        {**asdict(one.pattern), **{name: getattr(one, name) for name in PUBLISHED_COUNTS}}
        for one in collected.published
    ]
    return answers.PlaybookAnswer.model_validate(
        {
            "network": house.store.network.name,
            "patterns": published,
            "withheld": [asdict(one) for one in collected.withheld],
            "retired": [{"id": pattern.id, "name": pattern.name} for pattern in collected.retired],
        }
    )


PUBLISHED_COUNTS = ("n_cases", "n_contributors", "n_teams", "n_cut_quotes")


def _file(document: Document, format: str, *, status_code: int, headers: dict[str, str]) -> Response:
    """The document as a file; the HTML brings the policy that lets its one style sheet apply."""
    shown = "inline" if format == "html" else "attachment"
    named = {"content-disposition": f'{shown}; filename="{document.kind}.{format}"'}
    policy = {"content-security-policy": f"{POLICY}; frame-ancestors 'none'"} if format == "html" else {}
    body = render(document, f".{format}")
    return Response(body, status_code, {**headers, **named, **policy}, media_type=MEDIA_TYPES[format])

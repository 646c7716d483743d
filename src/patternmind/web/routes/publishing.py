"""The playbook of what people accepted."""

from dataclasses import asdict, replace

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from patternmind.bootstrap import House
from patternmind.model.rights import Action
from patternmind.publish.rights import Sorted
from patternmind.verbs.publishing import collect_playbook, playbook_document
from patternmind.web import answers
from patternmind.web.door import Door, TheCaller, TheHouse
from patternmind.web.files import FILES, Format, as_file
from patternmind.web.rights import needs

router = APIRouter(route_class=Door, tags=["publishing"])


@router.get(
    "/playbook",
    name="read_playbook",
    response_model=answers.PlaybookAnswer,
    responses={200: {"content": FILES}},
    dependencies=[needs(Action.SEARCH)],
)
def read_playbook(house: TheHouse, caller: TheCaller, format: Format = "json") -> Response:
    """What people accepted, as far as consent and threshold let it out; the JSON tells reviewers what is withheld."""
    collected = collect_playbook(house.store)
    if not caller.may(Action.SEE_DRAFTS):
        collected = replace(collected, withheld=())
    if format == "json":
        return JSONResponse(_playbook(house, collected).model_dump(mode="json"))
    return as_file(playbook_document(house.store, collected, house.clock.now()), format, status_code=200, headers={})


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

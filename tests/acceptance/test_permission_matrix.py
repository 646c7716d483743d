"""Every route, asked by every role, in its own network and in a foreign one: exactly the matrix that was agreed on.

A new route needs a row here: what it takes, and where it does not stand for itself, how to ask it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.networks import the_cases
from tests.fixtures.page_client import PageClient, form_token_on
from tests.unit.web.test_permissions import agreed, all_routes

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import DraftAction as Accept
from patternmind.domain.drafts import DraftKind
from patternmind.domain.jobs import Job, JobKind
from patternmind.domain.permissions import AccessLevel, Action, Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.ports import RunParameters
from patternmind.services import prereading_builder
from patternmind.services.case_submission import CaseInput, submit_case
from patternmind.services.file_import import import_files
from patternmind.services.members import add_member, add_network
from patternmind.services.playbook import collect_playbook
from patternmind.services.reviews import decide_draft
from patternmind.services.tokens import create_token
from patternmind.settings import Settings
from patternmind.web.app import make_app
from patternmind.web.permissions import Permission, permissions_of

API = "/api/v1"
AGREED = dict(agreed())


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How a route is asked.

    Attributes:
        action: the right that it takes; None where it takes none.
        own: it is open to whom the matrix says "own", and then looks whose it is.
        proposing: it is open to whom the matrix says "propose".
        also: a further right, of what is asked for here.
        mine: the case is the member's own.
        path: other values than the usual ones for the names in its address.
        query: behind the address.
        form: fields of a form; body: JSON. Without either a POST is sent empty, and turned down once it is let in.
        foreign: what a foreign network gets where the address names an id.
    """

    action: Action | None
    own: bool = False
    proposing: bool = False
    also: Action | None = None
    mine: bool = False
    path: Mapping[str, str] = field(default_factory=dict[str, str])
    query: str = ""
    form: Mapping[str, Any] | None = None
    body: Any = None
    foreign: int = 404


def row(action: str | None, **how: Any) -> Row:
    return Row(action=Action(action) if action else None, **how)


SEQ = {"seq": "7"}
"""A line of the log about themes that is not there: 404 for those to whom its address is open."""


ROWS: Mapping[str, Row | Sequence[Row]] = {
    # The API
    f"GET {API}/me": row("own_tokens"),
    f"GET {API}/members": row("members"),
    f"GET {API}/audit": row("audit_log"),
    f"GET {API}/network": row("search"),
    f"GET {API}/cases": (row("search"), row("search", also=Action.SEE_THEMES, query="?theme_id={theme_id}")),
    f"GET {API}/cases/{{case_id:path}}": row("search"),
    f"POST {API}/cases": row("submit_case", body={}),
    f"POST {API}/cases/preview": row("submit_case", body={}),
    f"PUT {API}/cases/{{case_id:path}}": row("edit_case", own=True, mine=True, body={}),
    f"DELETE {API}/cases/{{case_id:path}}": row("erase_case", own=True, mine=True, query="?by=nobody"),
    f"POST {API}/cases/{{case_id:path}}/withdrawal": row("edit_case", own=True, mine=True, body={"by": "nobody"}),
    f"DELETE {API}/cases/{{case_id:path}}/withdrawal": row("edit_case", own=True, mine=True),
    f"GET {API}/cases/{{case_id:path}}/related": row("search"),
    f"GET {API}/cases/{{case_id:path}}/raw": row("see_raw_text", own=True, mine=True),
    f"GET {API}/cases/{{case_id:path}}/possible-names": row("see_possible_names", own=True, mine=True),
    f"POST {API}/cases/{{case_id:path}}/possible-names": row("roster", body={"names": ["Nobody Here"]}),
    f"POST {API}/uploads": row("import_files", query="?filename=a.csv"),
    f"GET {API}/uploads/{{upload_id}}": row("import_files"),
    f"PUT {API}/uploads/{{upload_id}}/mapping": row("import_files", body={}),
    f"POST {API}/uploads/{{upload_id}}/import": row("import_files"),
    f"GET {API}/uploads/{{upload_id}}/errors": row("import_files"),
    f"DELETE {API}/uploads/{{upload_id}}": row("import_files"),
    f"GET {API}/cases/{{case_id:path}}/placement": row("see_themes"),
    f"POST {API}/placements": row("see_themes", body={"text": "The pump leaks again."}),
    f"POST {API}/imports": row("import_files", query="?filename=a.csv&dry_run=true"),
    f"GET {API}/assignments": row("see_themes"),
    f"GET {API}/search": row("search", query="?q=pump"),
    f"GET {API}/export/{{what}}": (
        row("export", path={"what": "cases"}),
        row("export", path={"what": "patterns"}),
        row("export", path={"what": "drafts"}, also=Action.SEE_DRAFTS),
        row("export", path={"what": "themes"}, also=Action.SEE_THEMES),
        row("export", path={"what": "assignments"}, also=Action.SEE_THEMES),
    ),
    f"POST {API}/runs": row("start_run", body={"lens": "nonsense"}),
    f"GET {API}/jobs": row("see_themes"),
    f"GET {API}/jobs/{{job_id}}": row("see_themes"),
    f"GET {API}/jobs/{{job_id}}/events": row("see_themes"),
    f"GET {API}/events": row("see_themes"),
    f"POST {API}/runs/jobs/{{job_id}}/restart": row("start_run"),
    f"POST {API}/prereadings/jobs/{{job_id}}/restart": row("request_prereading", path={"job_id": "asked"}),
    f"GET {API}/runs": row("see_themes"),
    f"GET {API}/runs/{{run_id}}": row("see_themes"),
    f"GET {API}/runs/{{run_id}}/changes": row("see_themes"),
    f"GET {API}/runs/{{run_id}}/costs": row("see_themes"),
    f"GET {API}/runs/{{run_id}}/comparison/{{other_id}}": row("see_themes", path={"other_id": "run-0001"}),
    f"GET {API}/themes": row("see_themes"),
    f"GET {API}/themes/{{theme_id}}": row("see_themes"),
    f"GET {API}/areas": row("see_themes"),
    **dict.fromkeys(
        [f"GET {API}/{one}" for one in ("map.json", "map.svg")]
        + [f"GET {API}/themes/{one}" for one in ("changes", "doubts", "log", "proposals", "trends")]
        + ["GET /themes", *(f"GET /themes/{one}" for one in ("changes", "log", "map", "trend", "unplaced"))]
        + ["GET /themes/{theme_id}", "GET /runs/{run_id}/changes"],
        row("see_themes"),
    ),
    f"POST {API}/themes/edits": row("edit_themes", proposing=True, body={}),
    f"POST {API}/themes/{{theme_id}}/edits": row("edit_themes", proposing=True, body={"action": "own"}),
    f"POST {API}/themes/log/{{seq}}/undo": row("edit_themes", proposing=True, path=SEQ),
    f"POST {API}/themes/changes/{{run_id}}/{{theme_id}}": row("edit_themes", body={"answer": "accept"}),
    f"POST {API}/themes/doubts/{{seq}}": row("edit_themes", path=SEQ, body={"answer": "accept"}),
    f"POST {API}/themes/proposals/{{seq}}": row("edit_themes", path=SEQ, body={"answer": "accept"}),
    "POST /themes/{theme_id}": row("edit_themes", proposing=True, form={"answer": "accept"}),
    "POST /themes/unplaced": row("edit_themes", proposing=True, form={}),
    "POST /themes/log": row("edit_themes", proposing=True, form={}),
    "POST /themes/doubts/{seq}": row("edit_themes", path=SEQ, form={"answer": "accept"}),
    "POST /themes/proposals/{seq}": row("edit_themes", path=SEQ, form={"answer": "accept"}),
    "POST /runs/{run_id}/changes": row("edit_themes", form={"answer": "accept", "theme_id": "{theme_id}"}),
    f"GET {API}/drafts": row("see_drafts"),
    f"GET {API}/drafts/{{draft_id}}": row("see_drafts"),
    f"POST {API}/drafts/{{draft_id}}/decisions": (
        row("review_drafts", body={"action": "not_sure"}),
        row("review_drafts", body={"action": "retire"}, also=Action.RETIRE_PATTERN),
    ),
    f"GET {API}/patterns": row("search"),
    f"POST {API}/prereadings": row("request_prereading", body={"theme": "{theme_id}"}),
    f"GET {API}/prereadings": row("request_prereading"),
    f"GET {API}/prereadings/{{prereading_id}}": row("request_prereading"),
    f"PATCH {API}/prereadings/{{prereading_id}}": row("approve_prereading", body={"fields": {"session": "Jam"}}),
    f"POST {API}/prereadings/{{prereading_id}}/approval": row("approve_prereading", body={}),
    f"POST {API}/prereadings/{{prereading_id}}/undo": row("approve_prereading", body={}),
    f"GET {API}/playbook": row("search"),
    f"GET {API}/review/queue": row("see_drafts"),
    f"GET {API}/review/discuss": row("see_drafts"),
    f"GET {API}/review/decisions": row("see_drafts"),
    f"POST {API}/review/undo": row("review_drafts"),
    f"POST {API}/drafts/{{draft_id}}/reservation": row("review_drafts", body={}),
    f"DELETE {API}/drafts/{{draft_id}}/reservation": row("review_drafts"),
    f"GET {API}/patterns/{{pattern_id}}/uses": row("search"),
    f"POST {API}/patterns/{{pattern_id}}/uses": row("record_use", body={"on": "2026-10-01", "team": "Team 1"}),
    # Cases
    "GET /cases": row("search"),
    "GET /cases/new": row("submit_case"),
    "POST /cases/new": row("submit_case", form={}),
    "GET /cases/{case_id}": row("search"),
    "GET /cases/{case_id}/saved": row("search"),
    "GET /cases/{case_id}/raw": row("see_raw_text", own=True, mine=True),
    "POST /cases/{case_id}/names": row("roster", form={}),
    "GET /cases/{case_id}/edit": row("edit_case", own=True, mine=True),
    "POST /cases/{case_id}/edit": row("edit_case", own=True, mine=True, form={}),
    "GET /cases/{case_id}/withdraw": row("edit_case", own=True, mine=True),
    "POST /cases/{case_id}/withdraw": row("edit_case", own=True, mine=True, form={"by": "x" * 201}, foreign=422),
    "POST /cases/{case_id}/back": row("edit_case", own=True, mine=True, form={}),
    "GET /cases/{case_id}/erase": row("erase_case", own=True, mine=True),
    "POST /cases/{case_id}/erase": row("erase_case", own=True, mine=True, form={}),
    "GET /cases/import": row("import_files"),
    "POST /cases/import": row("import_files", form={}),
    "GET /cases/import/{upload_id}": row("import_files"),
    "POST /cases/import/{upload_id}": row("import_files", form={}),
    "POST /cases/import/{upload_id}/columns": row("import_files", form={}),
    "POST /cases/import/{upload_id}/drop": row("import_files", form={}),
    "GET /cases/import/{upload_id}/errors.csv": row("import_files"),
    # The desk
    "GET /": row("search"),
    "GET /review": row("see_drafts"),
    "GET /review/discuss": row("see_drafts"),
    "POST /review/next": row("review_drafts", form={}),
    "POST /review/undo": row("review_drafts", form={}),
    "GET /settings/keys": row("own_keys"),
    "GET /drafts/{draft_id}": row("see_drafts"),
    "POST /drafts/{draft_id}/decide": (
        row("review_drafts", form={"decision": "nonsense"}, foreign=404),
        row("review_drafts", form={"decision": "retire"}, also=Action.RETIRE_PATTERN),
    ),
    "GET /library": row("search"),
    "GET /library/{pattern_id}": row("search"),
    "POST /library/{pattern_id}/uses": row("record_use", form={}),
    "GET /prereadings": row("request_prereading"),
    "GET /prereadings/new": row("request_prereading"),
    "POST /prereadings": row("request_prereading", form={"about": "nothing"}),
    "GET /prereadings/jobs/{job_id}": row("request_prereading", path={"job_id": "asked"}),
    "POST /prereadings/jobs/{job_id}/restart": row("request_prereading", form={}, path={"job_id": "asked"}),
    "GET /prereadings/{prereading_id}": row("request_prereading"),
    "GET /prereadings/{prereading_id}/print": row("request_prereading"),
    "GET /prereadings/{prereading_id}/file/{format}": row("request_prereading", path={"format": "md"}),
    "GET /prereadings/{prereading_id}/edit": row("approve_prereading"),
    "POST /prereadings/{prereading_id}/edit": row("approve_prereading", form={}),
    "POST /prereadings/{prereading_id}/approve": row("approve_prereading", form={}),
    "POST /prereadings/{prereading_id}/undo": row("approve_prereading", form={}),
    "GET /runs": row("see_themes"),
    "POST /runs": row("start_run", form={"seed": "x"}),
    "GET /runs/compare": row("see_themes"),
    "GET /runs/{run_id}": row("see_themes"),
    "GET /runs/jobs/{job_id}": row("see_themes"),
    "POST /runs/jobs/{job_id}/restart": row("start_run", form={}),
    f"GET {API}/settings/network": row("settings"),
    f"PUT {API}/settings/network": row("settings", body={"name": ""}),
    f"GET {API}/settings/limits": row("set_budgets"),
    f"PUT {API}/settings/limits/thresholds": row("set_budgets", body={"min_teams": 0}),
    f"GET {API}/roster": row("roster"),
    f"POST {API}/roster": row("roster", body={"people": []}),
    f"DELETE {API}/roster/{{number}}": row("roster", path={"number": "x"}),
    f"GET {API}/possible-names": row("see_possible_names"),
    f"POST {API}/possible-names/confirm": row("roster", body={"names": []}),
    f"POST {API}/possible-names/dismiss": row("roster", body={"names": ["Kanban"]}),
    f"POST {API}/checkup": row("settings"),
    "GET /settings/network": row("settings"),
    "POST /settings/network": row("settings", form={"name": ""}),
    "GET /settings/limits": row("set_budgets"),
    "POST /settings/limits": row("set_budgets", form={"teams": "x"}),
    "GET /settings/status": row("settings"),
    "POST /settings/status": row("settings", form={}),
    "GET /settings/roster": row("roster"),
    "POST /settings/roster": row("roster", form={"name": ""}),
    "POST /settings/roster/import": row("roster", form={}),
    "POST /settings/roster/{number}/remove": row("roster", form={}, path={"number": "x"}),
    "GET /settings/names": row("see_possible_names"),
    "POST /settings/names": row("roster", form={}),
    # Open to anybody
    **dict.fromkeys(
        ["GET /healthz", f"GET {API}/openapi.json", f"GET {API}/docs", "GET /static/{digest}/{name}"],
        row(None),
    ),
    **dict.fromkeys(["GET /sign-in", "POST /sign-in", "POST /sign-in/again"], row(None)),
    **dict.fromkeys(["GET /sign-in/link/{secret}", "POST /sign-in/link/{secret}"], row(None)),
    **dict.fromkeys(["POST /sign-out", "POST /sign-out/everywhere"], row(None)),
    # Settings
    "GET /settings": row("own_tokens"),
    "GET /settings/account": row("own_tokens"),
    "POST /settings/account/password": row("own_tokens", form={"password": "short"}),
    "POST /settings/account/network": row("own_tokens", form={"network": "nowhere"}),
    "GET /settings/tokens": row("own_tokens"),
    "POST /settings/tokens": row("own_tokens", form={"name": ""}),
    "POST /settings/tokens/{token_id}/revoke": row("own_tokens", form={}, foreign=404),
    "GET /settings/members": row("members"),
    "POST /settings/members": row("members", form={"name": ""}),
    "POST /settings/members/{member_id}/roles": row("members", form={"roles": ["sponsor"]}),
    "POST /settings/members/{member_id}/link": row("members", form={}),
    "POST /settings/members/{member_id}/remove": row("members", form={}),
    "GET /settings/audit": row("audit_log"),
}

OWNERS = {
    "POST /settings/tokens/{token_id}/revoke",
    *(name for name in ROWS if "{upload_id}" in name or "{seq}" in name),
    f"GET {API}/map.svg",  # there is none where nothing was grouped
    *(f"DELETE {API}/cases/{{case_id:path}}/withdrawal", "POST /cases/{case_id}/back"),  # nothing is withdrawn here
}
"""Routes where the right is not enough: what is another's is not there for them. Tried by tests of their own."""


@dataclass(frozen=True, slots=True)
class World:
    """One installation with two networks, the ids of the first, and somebody in each role in each."""

    app: Any
    ids: Mapping[str, str]
    visitors: Mapping[tuple[str, Role], PageClient]
    tokens: Mapping[tuple[str, Role], str]
    nobody: PageClient


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    home = tmp_path_factory.mktemp("rights")
    house = AppContext(Settings(home=home), encoder=HashingEncoder())
    add_network(house.accounts, "south", "South")
    _take_in(house, home)
    run = house.run(RunParameters())
    south = house.for_network("south")
    app = make_app(house)
    pattern = _accept_patterns(house)
    target = add_member(house.accounts, house.clock, "default", "Target", [Role.MEMBER])
    _, token = create_token(house.store, house.clock, "target", lifetime_days=1, creator=target, roles=[Role.MEMBER])
    job = app.state.shared.network("default").jobs.start(JobKind.RUN, asdict(RunParameters(draft=False)))
    app.state.shared.event_streams.close()  # they would tell for ever
    prereading = _ask_for_prereading(house)
    visitors = {
        (network, role): PageClient(house, role, name=f"{role.label} of {network}", app=app, network=network)
        for network in ("default", "south")
        for role in Role
    }
    for visitor in visitors.values():
        visitor.client.headers["x-form-token"] = form_token_on(visitor.get("/settings/account").text)
    tokens = {
        key: create_token(
            house.store if key[0] == "default" else south.store,
            house.clock, f"batch {key[1]}", lifetime_days=1, creator=visitor.member, roles=[key[1]],
        )[0]
        for key, visitor in visitors.items()
    }  # fmt: skip
    own = CaseInput(fields={"problem": "The gate froze by night."}, member=visitors["default", Role.MEMBER].member)
    ids = {
        "own_case_id": submit_case(house.store, house.clock, own).case.id,
        "upload_id": "x" * 22,
        "case_id": house.store.cases()[0].id,
        "theme_id": house.store.themes()[0].id,
        "draft_id": next(d.id for d, _, _ in house.store.drafts()),
        "pattern_id": pattern,
        "run_id": run.id,
        "job_id": job.id,
        "prereading_id": prereading,
        "member_id": target.id,
        "token_id": token.id,
        "secret": "no-such-link",
        "digest": "0",
        "name": "app.css",
    }
    return World(app, ids, visitors, tokens, PageClient(house, app=app))


def _ask_for_prereading(house: AppContext) -> str:
    """The id of one; a job called "asked" is still being worked on."""
    now = house.clock.now()
    asked = Job(id="asked", kind=JobKind.PREREADING, by="Target", asked={"topic": "pumps"}, started_at=now, beat_at=now)
    house.store.create_job(asked)
    return prereading_builder.build_prereading(
        house.store, house.clock, prereading_builder.subject_from_theme(house.store, house.store.themes()[0].id)
    ).grounded.draft.id


def _accept_patterns(house: AppContext) -> str:
    """Accept what can be accepted; the id of one that may be published."""
    for draft, _, _ in house.store.drafts():
        if draft.kind is DraftKind.PATTERN and "solution" in {claim.field for claim in draft.claims}:
            decide_draft(house.store, house.clock, draft.id, Accept.ACCEPT, actor="Target")
    return collect_playbook(house.store).published[0].pattern.id


def _take_in(house: AppContext, home: Path) -> None:
    file = home / "cases.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in the_cases()), encoding="utf-8")
    import_files(house.store, [file], kind=CaseKind.CASE)


def rows() -> Iterator[tuple[str, Row]]:
    """By name; what takes something away comes last, and of that what is foreign first."""
    for name, found in sorted(ROWS.items(), key=lambda one: one[0].endswith("/remove")):
        yield from ((name, one) for one in (found if isinstance(found, Sequence) else [found]))


def is_open(row: Row, method: str, role: Role) -> bool:
    """What the matrix says."""

    def cell_opens(action: Action, **how: bool) -> bool:
        cell = AGREED[action][role]
        reading = method == "GET"
        return cell is AccessLevel.YES or (cell is AccessLevel.READ and reading) or (
            (cell is AccessLevel.OWN and how.get("own", False)) or (cell is AccessLevel.PROPOSE and how.get("proposing", False))
        )  # fmt: skip

    if row.action is None:
        return True
    return cell_opens(row.action, own=row.own, proposing=row.proposing) and (
        row.also is None or AGREED[row.also][role] is AccessLevel.YES
    )


def ask(world: World, visitor: PageClient, name: str, row: Row, **said: Any) -> Any:
    method, _, address = name.partition(" ")
    ids = {**world.ids, **row.path} | ({"case_id": world.ids["own_case_id"]} if row.mine else {})
    filled = re.sub(r"\{(\w+)(?::path)?\}", lambda found: ids[found[1]], address) + row.query.format(**ids)
    if row.body is not None:
        said["json"] = json.loads(re.sub(r"\{(\w+_id)\}", lambda found: ids[found[1]], json.dumps(row.body)))
    if row.form is not None:
        said["data"] = {name: one.format(**ids) if isinstance(one, str) else one for name, one in row.form.items()}
    return visitor.client.request(method, filled, **said)


def names_an_id(world: World, name: str, row: Row) -> bool:
    said = name + json.dumps(row.body)
    return any(f"{{{id}" in said for id in world.ids if id.endswith("_id"))


def test_every_route_has_a_row_and_declares_what_the_row_says() -> None:
    named: dict[str, Any] = {}
    for name, route in all_routes():
        for method in route.methods or ():
            named[f"{method} {name.partition(' /')[1].strip()}{name.partition(' /')[2]}"] = route
    assert sorted(named) == sorted(ROWS), "a new route needs a row in ROWS"
    for name, route in named.items():
        found = ROWS[name]
        for one in found if isinstance(found, Sequence) else [found]:
            assert permissions_of(route.dependencies) == [
                Permission(one.action, own=one.own, proposing=one.proposing)
            ], name


def test_who_has_not_signed_in_gets_nothing_that_takes_a_right(world: World) -> None:
    for name, row in rows():
        answer = ask(world, world.nobody, name, row, headers={"sec-fetch-site": "none"})
        if row.action is not None:
            expected = {401} if API in name else {303, 401}
            assert answer.status_code in expected, (name, answer.status_code)
            assert answer.status_code == 401 or answer.headers["location"].startswith("/sign-in"), name


def test_every_role_gets_what_the_matrix_says_and_no_foreign_id(world: World) -> None:
    wrong = [
        f"{name} as {role} in {network}: {answer.status_code}, allowed: {is_open(row, name.partition(' ')[0], role)}"
        for name, row in rows()
        if row.action is not None
        for network in ("south", "default")
        for role in Role
        for answer in answers(world, network, role, name, row)
        if not is_right(world, network, role, name, row, answer)
    ]
    assert not wrong, "\n".join(wrong)


def is_right(world: World, network: str, role: Role, name: str, row: Row, answer: Any) -> bool:
    status = answer.status_code
    is_foreign = network == "south" and names_an_id(world, name, row)
    if not is_open(row, name.partition(" ")[0], role):
        return status == 403 or (status == 404 and is_foreign and row.also is not None)
    if is_foreign:
        return status == row.foreign
    own_ids = [world.ids[id] for id in ("case_id", "theme_id", "draft_id", "pattern_id", "run_id")]
    if network == "south" and any(id in answer.text for id in own_ids):
        return False
    missing = set[int]() if name in OWNERS else {404}
    return status not in {401, 403, *missing} and status < 500


def answers(world: World, network: str, role: Role, name: str, row: Row) -> Iterator[Any]:
    """By a browser's session; the API by a token too, which may what its maker may."""
    yield ask(world, world.visitors[network, role], name, row)
    if API in name:
        headers = {"authorization": f"Bearer {world.tokens[network, role]}"}
        yield ask(world, world.nobody, name, row, headers=headers)


def test_what_stands_behind_a_further_right_is_left_out_of_answers(world: World) -> None:
    for role in Role:
        sees = AGREED[Action.SEE_THEMES][role] is AccessLevel.YES
        case = world.visitors["default", role].get(f"{API}/cases/{world.ids['case_id']}").json()
        assert (case["theme_id"] is not None) == sees, role
        withheld = world.visitors["default", role].get(f"{API}/playbook").json()["withheld"]
        assert bool(withheld) == (AGREED[Action.SEE_DRAFTS][role] is AccessLevel.YES), role

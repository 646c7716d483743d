"""Every route, requested by every role in two networks, follows the permission matrix.

A new route needs a row in ``ROWS``: its permission and, where necessary, how to call it.
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
from tests.unit.web.test_permissions import all_routes, specified_levels

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import DraftAction, DraftKind
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
SPECIFICATION = dict(specified_levels())


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The permission of a route, and a request to it.

    Attributes:
        action: the required permission; None if none is required.
        own: roles with level "own" are let in; the handler then checks the owner.
        proposing: roles with level "propose" are let in.
        also: a second permission that this request requires.
        mine: the request is for the member's own case.
        path: values of path parameters that differ from the default ids.
        query: the query string.
        form: form fields. A POST without form and body is sent empty and rejected after the access check.
        body: the JSON body.
        foreign: the status for a foreign network, if the request names an id.
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


def row(action: str | None, **fields: Any) -> Row:
    return Row(action=Action(action) if action else None, **fields)


SEQ = {"seq": "7"}
"""An entry missing in the theme log: 404 for roles that may access the route."""


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
    f"DELETE {API}/cases/{{case_id:path}}": row("erase_case", own=True, mine=True, query="?by=anyone"),
    f"POST {API}/cases/{{case_id:path}}/withdrawal": row("edit_case", own=True, mine=True, body={"by": "anyone"}),
    f"DELETE {API}/cases/{{case_id:path}}/withdrawal": row("edit_case", own=True, mine=True),
    f"GET {API}/cases/{{case_id:path}}/related": row("search"),
    f"GET {API}/cases/{{case_id:path}}/raw": row("see_raw_text", own=True, mine=True),
    f"GET {API}/cases/{{case_id:path}}/possible-names": row("see_possible_names", own=True, mine=True),
    f"POST {API}/cases/{{case_id:path}}/possible-names": row("roster", body={"names": ["Unknown Name"]}),
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
        [f"GET {API}/{item}" for item in ("map.json", "map.svg")]
        + [f"GET {API}/themes/{entry}" for entry in ("changes", "doubts", "log", "proposals", "trends")]
        + ["GET /themes", *(f"GET /themes/{entry}" for entry in ("changes", "log", "map", "trend", "unplaced"))]
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
    # Review
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
    # Open to anonymous callers
    **dict.fromkeys(
        ["GET /healthz", f"GET {API}/openapi.json", f"GET {API}/docs", "GET /static/{digest}/{name}"], row(None)
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
    f"GET {API}/map.svg",  # missing in a network without a run
    *(f"DELETE {API}/cases/{{case_id:path}}/withdrawal", "POST /cases/{case_id}/back"),  # nothing is withdrawn here
}
"""Routes that return 404 for things of others; other tests cover them."""


@dataclass(frozen=True, slots=True)
class World:
    """Two networks with a member of each role, and ids of the first network."""

    app: Any
    ids: Mapping[str, str]
    visitors: Mapping[tuple[str, Role], PageClient]
    tokens: Mapping[tuple[str, Role], str]
    anonymous: PageClient


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    home = tmp_path_factory.mktemp("rights")
    ctx = AppContext(Settings(home=home), encoder=HashingEncoder())
    add_network(ctx.accounts.networks, "south", "South")
    _import_cases(ctx, home)
    run = ctx.run(RunParameters())
    south = ctx.for_network("south")
    app = make_app(ctx)
    pattern = _accept_patterns(ctx)
    target = add_member(ctx.accounts.members, ctx.clock, "default", "Target", [Role.MEMBER])
    _, token = create_token(ctx.store.tokens, ctx.clock, "target", lifetime_days=1, creator=target, roles=[Role.MEMBER])
    job = app.state.shared.network("default").jobs.start(JobKind.RUN, asdict(RunParameters(draft=False)))
    app.state.shared.event_streams.close()  # open streams would never end
    prereading = _create_prereading(ctx)
    visitors = {
        (network, role): PageClient(ctx, role, name=f"{role.label} of {network}", app=app, network=network)
        for network in ("default", "south")
        for role in Role
    }
    for visitor in visitors.values():
        visitor.client.headers["x-form-token"] = form_token_on(visitor.get("/settings/account").text)
    tokens = {
        key: create_token(
            ctx.store.tokens if key[0] == "default" else south.store.tokens,
            ctx.clock, f"batch {key[1]}", lifetime_days=1, creator=visitor.member, roles=[key[1]],
        )[0]
        for key, visitor in visitors.items()
    }  # fmt: skip
    own = CaseInput(fields={"problem": "The gate froze by night."}, member=visitors["default", Role.MEMBER].member)
    ids = {
        "own_case_id": submit_case(ctx.store, ctx.clock, own).case.id,
        "upload_id": "x" * 22,
        "case_id": ctx.store.cases.list_all()[0].id,
        "theme_id": ctx.store.themes.list_all()[0].id,
        "draft_id": next(d.id for d, _, _ in ctx.store.drafts.list_all()),
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
    return World(app, ids, visitors, tokens, PageClient(ctx, app=app))


def _create_prereading(ctx: AppContext) -> str:
    """Create a pre-reading and return its id; also store a running job with the id "asked"."""
    now = ctx.clock.now()
    running = Job(
        id="asked", kind=JobKind.PREREADING, by="Target", parameters={"topic": "pumps"}, started_at=now, beat_at=now
    )
    ctx.store.jobs.create(running)
    return prereading_builder.build_prereading(
        ctx.store, ctx.clock, prereading_builder.subject_from_theme(ctx.store, ctx.store.themes.list_all()[0].id)
    ).grounded.draft.id


def _accept_patterns(ctx: AppContext) -> str:
    """Accept all possible patterns; return the id of a publishable one."""
    for draft, _, _ in ctx.store.drafts.list_all():
        if draft.kind is DraftKind.PATTERN and "solution" in {claim.field for claim in draft.claims}:
            decide_draft(ctx.store, ctx.clock, draft.id, DraftAction.ACCEPT, actor="Target")
    return collect_playbook(ctx.store).published[0].pattern.id


def _import_cases(ctx: AppContext, home: Path) -> None:
    file = home / "cases.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in the_cases()), encoding="utf-8")
    import_files(ctx.store, [file], kind=CaseKind.CASE)


def rows() -> Iterator[tuple[str, Row]]:
    """Yield rows by route name; routes that remove a member come last."""
    for name, entry in sorted(ROWS.items(), key=lambda item: item[0].endswith("/remove")):
        yield from ((name, row) for row in (entry if isinstance(entry, Sequence) else [entry]))


def is_open(row: Row, method: str, role: Role) -> bool:
    """Return True if the matrix allows the row's request."""

    def allows(action: Action, **flags: bool) -> bool:
        level = SPECIFICATION[action][role]
        if level is AccessLevel.READ:
            return method == "GET"
        if level is AccessLevel.OWN:
            return flags.get("own", False)
        if level is AccessLevel.PROPOSE:
            return flags.get("proposing", False)
        return level is AccessLevel.YES

    if row.action is None:
        return True
    return allows(row.action, own=row.own, proposing=row.proposing) and (
        row.also is None or SPECIFICATION[row.also][role] is AccessLevel.YES
    )


def send_row(world: World, visitor: PageClient, name: str, row: Row, **options: Any) -> Any:
    method, _, address = name.partition(" ")
    ids = {**world.ids, **row.path} | ({"case_id": world.ids["own_case_id"]} if row.mine else {})
    filled = re.sub(r"\{(\w+)(?::path)?\}", lambda match: ids[match[1]], address) + row.query.format(**ids)
    if row.body is not None:
        options["json"] = json.loads(re.sub(r"\{(\w+_id)\}", lambda match: ids[match[1]], json.dumps(row.body)))
    if row.form is not None:
        options["data"] = {
            name: value.format(**ids) if isinstance(value, str) else value for name, value in row.form.items()
        }
    return visitor.client.request(method, filled, **options)


def names_an_id(world: World, name: str, row: Row) -> bool:
    text = name + json.dumps(row.body)
    return any(f"{{{id}" in text for id in world.ids if id.endswith("_id"))


def test_routes_have_rows_and_declare_their_permission() -> None:
    routes_by_name: dict[str, Any] = {}
    for name, route in all_routes():
        for method in route.methods or ():
            routes_by_name[f"{method} {name.partition(' /')[1].strip()}{name.partition(' /')[2]}"] = route
    assert sorted(routes_by_name) == sorted(ROWS), "a new route needs a row in ROWS"
    for name, route in routes_by_name.items():
        entry = ROWS[name]
        for row in entry if isinstance(entry, Sequence) else [entry]:
            assert permissions_of(route.dependencies) == [
                Permission(row.action, own=row.own, proposing=row.proposing)
            ], name


def test_anonymous_caller_gets_no_route_that_needs_permission(world: World) -> None:
    for name, row in rows():
        response = send_row(world, world.anonymous, name, row, headers={"sec-fetch-site": "none"})
        if row.action is not None:
            expected = {401} if API in name else {303, 401}
            assert response.status_code in expected, (name, response.status_code)
            assert response.status_code == 401 or response.headers["location"].startswith("/sign-in"), name


def test_roles_get_exactly_what_matrix_allows_and_no_foreign_ids(world: World) -> None:
    failures = [
        f"{name} as {role} in {network}: {response.status_code}, allowed: {is_open(row, name.partition(' ')[0], role)}"
        for name, row in rows()
        if row.action is not None
        for network in ("south", "default")
        for role in Role
        for response in send_variants(world, network, role, name, row)
        if not is_right(world, network, role, name, row, response)
    ]
    assert not failures, "\n".join(failures)


def is_right(world: World, network: str, role: Role, name: str, row: Row, response: Any) -> bool:
    status = response.status_code
    is_foreign = network == "south" and names_an_id(world, name, row)
    if not is_open(row, name.partition(" ")[0], role):
        return status == 403 or (status == 404 and is_foreign and row.also is not None)
    if is_foreign:
        return status == row.foreign
    own_ids = [world.ids[id] for id in ("case_id", "theme_id", "draft_id", "pattern_id", "run_id")]
    if network == "south" and any(id in response.text for id in own_ids):
        return False
    missing = set[int]() if name in OWNERS else {404}
    return status not in {401, 403, *missing} and status < 500


def send_variants(world: World, network: str, role: Role, name: str, row: Row) -> Iterator[Any]:
    """Send a row with a session, and for the API also with a token."""
    yield send_row(world, world.visitors[network, role], name, row)
    if API in name:
        headers = {"authorization": f"Bearer {world.tokens[network, role]}"}
        yield send_row(world, world.anonymous, name, row, headers=headers)


def test_responses_leave_out_fields_that_need_another_permission(world: World) -> None:
    for role in Role:
        may_see_themes = SPECIFICATION[Action.SEE_THEMES][role] is AccessLevel.YES
        case = world.visitors["default", role].get(f"{API}/cases/{world.ids['case_id']}").json()
        assert (case["theme_id"] is not None) == may_see_themes, role
        withheld = world.visitors["default", role].get(f"{API}/playbook").json()["withheld"]
        assert bool(withheld) == (SPECIFICATION[Action.SEE_DRAFTS][role] is AccessLevel.YES), role

"""A small network with something on every page, ids for every address, and markup in every text that a person wrote.

Proofs that walk all routes live on it. A new page whose address names an id that is not in ``ids`` needs it here.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute
from tests.acceptance.test_api import the_cases
from tests.visitor import Visitor

from patternmind.adapters.hashing_encoder import HashingEncoder
from patternmind.bootstrap import House
from patternmind.model.cases import Kind
from patternmind.model.drafts import DraftAction, DraftKind
from patternmind.model.edits import EditAction
from patternmind.model.jobs import Job, JobKind, JobState
from patternmind.model.members import Member
from patternmind.model.rights import Role
from patternmind.ports import RunParameters
from patternmind.settings import DEFAULT_NETWORK, Settings
from patternmind.verbs import prepare
from patternmind.verbs.editing import Asked, decide_themes
from patternmind.verbs.ingest import ingest_files
from patternmind.verbs.library import open_library
from patternmind.verbs.members import add_member
from patternmind.verbs.network import add_people
from patternmind.verbs.reviewing import decide_draft, open_drafts
from patternmind.verbs.signing_in import make_link
from patternmind.verbs.tokens import create_token
from patternmind.verbs.using import record_use
from patternmind.web.app import PAGES, make_app
from patternmind.web.uploads import Uploads

REVIEWER = "Rhea <pm-reviewer onpm=1>'\"&"


def hostile(field: str) -> str:
    """Markup that would become an element, or an attribute of the element it stands in, were it not escaped."""
    return f"<pm-{field} onpm=1>'\"&"


def plain(field: str) -> str:
    return field.capitalize()


class Planted(HTMLParser):
    """What of ``hostile`` became more than text on a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith("pm-") or any(name.startswith("onpm") for name, _ in attrs):
            self.found.append(self.get_starttag_text() or tag)


@dataclass(frozen=True, slots=True)
class Whole:
    """``ids`` are those of things that are there; ``told`` the fields whose text is hostile.

    ``spare`` are ids of what may be changed and taken away while other tests still read what ``ids`` name.
    """

    house: House
    app: Any
    member: Member
    ids: Mapping[str, str]
    spare: Mapping[str, str]
    told: tuple[str, ...]

    def steward(self) -> Visitor:
        """A session of the one whose uploads they are."""
        return Visitor(self.house, app=self.app, member=self.member)

    def another_steward(self) -> Visitor:
        return Visitor(self.house, Role.STEWARD, name="Stig Ward", app=self.app)

    def fill(self, path: str, **other: str) -> str:
        """The address of a route, with ids that are there in place of the names."""
        ids = {**self.ids, **other}
        if "/prereadings/jobs/" in path and "job_id" not in other:
            ids["job_id"] = self.ids["asked_id"]
        missing = set(re.findall(r"\{(\w+)", path)) - set(ids)
        assert not missing, f"{path}: say in tests/whole_network.py what {sorted(missing)} may be"
        return re.sub(r"\{(\w+)(?::path)?\}", lambda found: ids[found[1]], path)


def page_routes() -> Iterator[tuple[str, APIRoute]]:
    """Every method and route of the pages there are."""
    for route in (route for router in PAGES for route in router.routes):
        assert isinstance(route, APIRoute), route
        for method in sorted(route.methods or ()):
            yield method, route


def make_whole(home: Path, *, markup: bool = True) -> Whole:
    """The network; without ``markup`` its texts are plain."""
    said = hostile if markup else plain
    house = House(Settings(home=home), encoder=HashingEncoder())
    _take_in(house, home, said)
    other = house.run(RunParameters(label="2026Q3", seed=2))
    run = house.run(RunParameters(label=f"2026Q4 {said('label')}", seed=1, afresh=True))
    theme = house.store.themes()[0]
    for name, proposed in ((f"Pumps {said('theme')}", False), (f"Presses {said('wish')}", True)):
        rename = Asked(action=EditAction.RENAME, by=REVIEWER, theme_id=theme.id, name=name, proposed=proposed)
        decide_themes(house.store, house.clock, rename)
    draft_id, pattern_id = _publish(house, said)
    member = add_member(house.accounts, house.clock, DEFAULT_NETWORK, f"Mia {said('member')}", [Role.MEMBER])
    steward = add_member(house.accounts, house.clock, DEFAULT_NETWORK, "Stella Ward", [Role.STEWARD])
    _, token = create_token(
        house.store, house.clock, f"batch {said('token')}", days=1, maker=member, roles=[Role.MEMBER]
    )
    add_people(house.store, [(f"Lars {said('roster')}", "lars@example.org", f"Hall 9 {said('rosterteam')}")])
    about = prepare.by_theme(house.store, theme.id)
    prereading = prepare.prepare(house.store, house.clock, about, session=f"Jam {said('session')}")
    app = make_app(house)
    app.state.rooms.streams.close()  # they would tell for ever
    spare = {
        "case_id": house.store.cases()[-1].id,
        "upload_id": _upload(house, steward, said),
        "member_id": "nobody",
        "secret": "none",
    }
    ids: dict[str, str] = {
        "case_id": house.store.cases()[0].id,
        "theme_id": theme.id,
        "draft_id": draft_id,
        "pattern_id": pattern_id,
        "prereading_id": prereading.grounded.draft.id,
        "run_id": run.id,
        "other_id": other.id,
        "seq": "2",
        "job_id": _job_done(app),
        **_jobs_asked_for(house, said),
        "upload_id": _upload(house, steward, said),
        "number": "1",
        "member_id": member.id,
        "token_id": token.id,
        "secret": make_link(house.accounts, house.clock, member, confined=True),
        "digest": "0",
        "name": "desk.css",
        "what": "cases",
        "format": "md",
    }
    told = ("lesson", "id", "team", "edit", "note", "useteam", "usenote", "member", "token", "reviewer")
    told += ("label", "theme", "wish", "roster", "rosterteam", "session", "upload", "column", "by")
    return Whole(house, app, steward, ids, spare, told if markup else ())


def _job_done(app: Any) -> str:
    """The id of a run that was asked for at the desk and is finished."""
    jobs = app.state.rooms.of(DEFAULT_NETWORK).jobs
    job = jobs.start(JobKind.RUN, asdict(RunParameters(draft=False)), by=REVIEWER)
    while not jobs.job(job.id).ended:
        time.sleep(0.02)
    return str(job.id)


def _jobs_asked_for(house: House, said: Callable[[str], str]) -> dict[str, str]:
    """Two pre-readings: one that is worked on for as long as the tests take, and one that failed."""
    now = house.clock.now()
    for id, state in (("asked", JobState.RUNNING), ("failed", JobState.FAILED)):
        house.store.begin_job(
            Job(
                id=id,
                kind=JobKind.PREREADING,
                by=f"Bo {said('by')}",
                asked={"topic": f"pumps {said('topic')}"},
                started_at=now,
                beat_at=now + timedelta(days=1),
                state=state,
            )
        )
    return {"asked_id": "asked", "failed_id": "failed"}


def _upload(house: House, member: Member, said: Callable[[str], str]) -> str:
    """The id of a file that was looked at; one of its rows cannot be taken in."""
    uploads = Uploads(house)
    upload_id, place = uploads.folder()
    name = f"rows {said('upload')}.csv"
    quoted = said("column").replace('"', '""')
    rows = f'id,problem,"{quoted}"\n901,The hatch leaked {upload_id[:3]} oil.,"{quoted}"\n902,,\n'
    (place / name).write_text(rows, encoding="utf-8")
    upload = uploads.keep(upload_id, owner=f"{DEFAULT_NETWORK}/{member.id}", name=name, kind=Kind.CASE)
    while uploads.find(upload.id, owner=upload.owner).is_under_way:
        time.sleep(0.02)
    return upload_id


def _take_in(house: House, home: Path, said: Callable[[str], str]) -> None:
    file = home / "cases.jsonl"
    links = ["http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "//127.0.0.1:9/", "javascript:alert(1)"]
    lines = [
        one
        | {
            "id": f"{one['id']} {said('id')}",
            "title": f"{one['problem'].split('.')[0]} {said('title')}"[:80],
            "lesson": f"{one['lesson'].removesuffix('.')}, wrote {said('lesson')} on the board.",
            "team": f"{one['team']} {said('team')}",
            "links": links[n % 4],
            "see": f"![x]({links[n % 4]}) <img src={links[n % 4]}>",
        }
        for n, one in enumerate(the_cases())
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    report = ingest_files(house.store, [file], kind=Kind.CASE)
    assert report.accepted == len(lines), report


def _publish(house: House, said: Callable[[str], str]) -> tuple[str, str]:
    """A draft that was edited and accepted and is published, with a use; a second one waits and has a note."""
    shelf: list[Any] = []
    for one in open_drafts(house.store, kind=DraftKind.PATTERN):
        draft_id = one.grounded.draft.id

        def decide(action: DraftAction, draft_id: str = draft_id, **more: Any) -> None:
            decide_draft(house.store, house.clock, draft_id, action, by=REVIEWER, **more)

        decide(DraftAction.EDIT, edits={"name": f"Red cards {said('edit')}"}, note=f"clearer {said('note')}")
        decide(DraftAction.ACCEPT)
        shelf = open_library(house.store)
        if shelf:
            break
    assert shelf, "none of the drafts can be published"
    pattern = shelf[0].published.pattern.id
    team, note = f"Hall 3 {said('useteam')}", f"It helped {said('usenote')}"
    record_use(house.store, house.clock, pattern, on=date(2026, 1, 5), team=team, note=note, by=REVIEWER)
    return pattern.replace("p-", "d-", 1), pattern

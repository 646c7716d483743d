"""All forms under restarts, double clicks, resubmission after going back, and expired sessions.

The tests find the forms by walking the routes and fill them in from their pages, as a browser does. A new form needs a
row in ``FORMS``. ``test_review_resilience.py`` covers the central forms in a real browser.
"""

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field, replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.fixtures.browser import serve_in_thread
from tests.fixtures.full_network import build_full_network, page_routes
from tests.fixtures.networks import SharedHome

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import DraftAction, DraftKind, DraftState, state_of
from patternmind.domain.edits import EditAction
from patternmind.domain.jobs import Job, JobKind, JobState
from patternmind.domain.members import Member
from patternmind.domain.permissions import Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.ports import RunParameters
from patternmind.services import prereading_builder
from patternmind.services.authentication import set_password, start_session
from patternmind.services.erasure import withdraw_case
from patternmind.services.file_import import import_files
from patternmind.services.members import add_member, add_network
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.services.theme_changes import list_conflicts_to_review
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit
from patternmind.settings import DEFAULT_NETWORK, Settings
from patternmind.storage.passwords import Argon2PasswordHasher
from patternmind.web.app import make_app
from patternmind.web.cookies import PLAIN_COOKIE

PASSWORD = "eleven bright lanterns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form, its page and its values; names in braces are ids.

    Attributes:
        on: path of the page with the form.
        fill: values that a person enters; other fields keep their values.
        press: name and value of the button, if the form has several.
        action: path the form submits to, if it does not consist of the usual ids.
        within: path of the form's other buttons, if this button has its own.
        changes: whether it changes what is compared here.
    """

    on: str
    fill: Mapping[str, Any] = field(default_factory=dict[str, Any])
    press: tuple[str, str] | None = None
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    action: str = ""
    within: str = ""
    changes: bool = True


ROSTER = b"name,kind\nPetra Holm,person\n"
ROWS = b"id,problem\n950,The conveyor belt tore again at the joint.\n"

FORMS: Mapping[str, Form] = {
    "POST /cases/new": Form(on="/cases/new", fill={"problem": "The gate froze by night."}, press=("do", "save")),
    "POST /cases/{case_id}/edit": Form(
        on="/cases/{case_id}/edit", fill={"problem": "The gate froze twice."}, press=("do", "save")
    ),
    "POST /cases/{case_id}/withdraw": Form(on="/cases/{case_id}/withdraw"),
    "POST /cases/{case_id}/back": Form(on="/cases/{gone_id}", action="/cases/{gone_id}/back"),
    "POST /cases/{case_id}/erase": Form(on="/cases/{case_id}/erase", fill={"sure": "yes"}),
    "POST /cases/{case_id}/names": Form(
        on="/cases/{named_id}", action="/cases/{named_id}/names", fill={"names": "Olga Brandt"}
    ),
    "POST /cases/import": Form(on="/cases/import", files={"file": ("more.csv", ROWS)}, changes=False),
    "POST /cases/import/{upload_id}": Form(on="/cases/import/{upload_id}"),
    "POST /cases/import/{upload_id}/columns": Form(on="/cases/import/{upload_id}", changes=False),
    "POST /cases/import/{upload_id}/drop": Form(
        on="/cases/import/{upload_id}", within="/cases/import/{upload_id}", changes=False
    ),
    "POST /themes/unplaced": Form(
        on="/themes/unplaced",
        fill={"case": "{unplaced_id}", "other_theme_id": "{theme_id}"},
        press=("action", "move_in"),
    ),
    "POST /themes/log": Form(on="/themes/log"),
    "POST /themes/{theme_id}": Form(on="/themes/{theme_id}", fill={"name": "Frozen gates"}, press=("action", "rename")),
    "POST /themes/doubts/{seq}": Form(
        on="/themes/changes", action="/themes/doubts/{doubted}", press=("answer", "decline")
    ),
    "POST /themes/proposals/{seq}": Form(
        on="/themes/changes", action="/themes/proposals/{proposed}", press=("answer", "accept")
    ),
    "POST /runs/{run_id}/changes": Form(
        on="/runs/{other_id}/changes",
        action="/runs/{other_id}/changes",
        fill={"note": "so it is"},
        press=("answer", "accept"),
    ),
    "POST /review/next": Form(on="/review", changes=False),
    "POST /review/undo": Form(on="/review"),
    "POST /drafts/{draft_id}/decide": Form(
        on="/drafts/{waiting_id}?edit=1",
        action="/drafts/{waiting_id}/decide",
        fill={"f.name": "Gates that freeze"},
        press=("decision", "edit"),
    ),
    "POST /library/{pattern_id}/uses": Form(on="/library/{pattern_id}", fill={"team": "Hall 7", "note": "It held."}),
    "POST /prereadings": Form(on="/prereadings/new", fill={"about": "topic", "topic": "frozen gates by night"}),
    "POST /prereadings/{prereading_id}/edit": Form(on="/prereadings/{prereading_id}/edit", fill={"session": "Jam 12"}),
    "POST /prereadings/{prereading_id}/approve": Form(on="/prereadings/{prereading_id}"),
    "POST /prereadings/{prereading_id}/undo": Form(
        on="/prereadings/{approved_id}", action="/prereadings/{approved_id}/undo"
    ),
    "POST /prereadings/jobs/{job_id}/restart": Form(
        on="/prereadings/jobs/{failed_id}", action="/prereadings/jobs/{failed_id}/restart"
    ),
    "POST /runs": Form(on="/runs", fill={"label": "2027Q1"}),
    "POST /runs/jobs/{job_id}/restart": Form(
        on="/runs/jobs/{failed_run_id}", action="/runs/jobs/{failed_run_id}/restart"
    ),
    "POST /settings/network": Form(on="/settings/network", fill={"purpose": "Jams between plants."}),
    "POST /settings/limits": Form(on="/settings/limits", fill={"teams": "3"}),
    "POST /settings/status": Form(on="/settings/status", action="/settings/status", changes=False),
    "POST /settings/roster": Form(on="/settings/roster", fill={"name": "Olaf Grey"}),
    "POST /settings/roster/import": Form(on="/settings/roster", files={"file": ("people.csv", ROSTER)}),
    "POST /settings/roster/{number}/remove": Form(on="/settings/roster"),
    "POST /settings/names": Form(on="/settings/names", press=("decision", "dismiss"), fill={"names": "Olga Brandt"}),
    "POST /settings/tokens": Form(on="/settings/tokens", fill={"name": "nightly export"}),
    "POST /settings/tokens/{token_id}/revoke": Form(on="/settings/tokens"),
    "POST /settings/members": Form(on="/settings/members", fill={"name": "Nils Frost", "roles": "member"}),
    "POST /settings/members/{member_id}/roles": Form(on="/settings/members", fill={"roles": "facilitator"}),
    "POST /settings/members/{member_id}/link": Form(on="/settings/members", changes=False),
    "POST /settings/members/{member_id}/remove": Form(on="/settings/members"),
    "POST /settings/account/password": Form(
        on="/settings/account",
        fill={"current": PASSWORD, "password": "twelve dim lanterns", "again": "twelve dim lanterns"},
        changes=False,
    ),
    "POST /settings/account/network": Form(on="/settings/account", fill={"network": "south"}, changes=False),
}

SIGNING_IN = {
    "POST /sign-in",
    "POST /sign-in/again",
    "POST /sign-in/link/{secret}",
    "POST /sign-out",
    "POST /sign-out/everywhere",
}
"""Sign-in and sign-out forms, tested in ``test_sign_in.py``."""

Values = list[tuple[str, str]]


class _Forms(HTMLParser):
    """The forms of a page: where each goes, and what a browser would send of it untouched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, Values]] = []
        self.outside: dict[str, Values] = {}
        self._options: list[tuple[str, bool]] = []
        self._select = self._area = ""
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = fields.get("method") == "post"
            if self._inside:
                self.forms.append((fields.get("action", ""), []))
        if not self._inside or "disabled" in fields:
            return
        if tag == "input" and fields.get("type") not in {"submit", "file"}:
            if fields.get("type") in {"checkbox", "radio"} and "checked" not in fields:
                return
            self._put(fields.get("name", ""), fields.get("value", "on" if fields.get("type") == "checkbox" else ""))
        elif tag == "select":
            self._select, self._options = fields.get("name", ""), []
        elif tag == "option" and self._select:
            self._options.append((fields.get("value", ""), "selected" in fields))
        elif tag == "textarea":
            self._area = fields.get("name", "")
            self._put(self._area, "")

    def handle_data(self, data: str) -> None:
        if self._area:
            name, value = self.forms[-1][1].pop()
            self._put(name, value + data.removeprefix("\n") if not value else value + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            self._area = ""
        elif tag == "select" and self._select:
            chosen = [value for value, selected in self._options if selected] or [v for v, _ in self._options[:1]]
            self._put(self._select, chosen[0] if chosen else "")
            self._select = ""

    def _put(self, name: str, value: str) -> None:
        if name:
            self.forms[-1][1].append((name, value))


def form_on(html: str, address: str, here: str, form: Form, ids: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the submitted values of the form with this address that has the filled fields."""
    fill = {name: str(value).format(**ids) for name, value in form.fill.items()}
    there = [values for action, values in _Forms(html).forms if (action or here) == address]
    fitting = [values for values in there if set(fill) & {name for name, _ in values}] or there
    assert fitting, f"no form on {here} goes to {address}"
    sent: dict[str, list[str]] = {}
    for name, value in fitting[0]:
        sent.setdefault(name, []).append(value)
    sent |= {name: [value] for name, value in fill.items()}
    return sent | ({form.press[0]: [form.press[1]]} if form.press else {})


@dataclass(frozen=True, slots=True)
class World:
    """A network on the disk, of which every trial has a copy; ids of what is in it."""

    home: Path
    member_id: str
    ids: Mapping[str, str]


WORLD = "world.json"


def build_world(home: Path) -> None:
    """Fill a network with something for every form, and a record of its ids."""
    whole = build_full_network(home, markup=False)
    ctx, steward = whole.ctx, whole.member
    ids = {**whole.ids, **_more(ctx, steward)}
    whole.app.state.shared.stop()
    (home / WORLD).write_text(json.dumps({"member_id": steward.id, "ids": ids}), encoding="utf-8")


@pytest.fixture(scope="module")
def world(shared_home: SharedHome) -> World:
    home = shared_home("forms", build_world)
    return World(home, **json.loads((home / WORLD).read_text(encoding="utf-8")))


def _more(ctx: AppContext, steward: Member) -> dict[str, str]:
    """Create data for all forms: pending answers, undoable decisions, and failed jobs."""
    store, clock = ctx.store, ctx.clock
    rows = [
        {"id": "r1", "problem": "The rope tore at the crane. Olga Brandt saw it."},
        {"id": "r2", "problem": "Dull."},
    ]
    file = ctx.settings.home / "late.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    import_files(store, [file], kind=CaseKind.CASE)
    named, gone = (
        next(case.id for case in store.cases.list_all() if case.external_id == name) for name in ("r1", "r2")
    )
    withdraw_case(store, clock, gone, actor=steward.name)
    second, first, *_ = store.themes.list_all()
    for case_id in first.case_ids:
        pin = ThemeEditRequest(action=EditAction.PIN, actor=steward.name, theme_id=second.id, case_ids=(case_id,))
        doubted = submit_edit(store, clock, pin).edit.seq
        if list_conflicts_to_review(store, "all"):
            break
        submit_edit(store, clock, ThemeEditRequest(action=EditAction.UNDO, actor=steward.name, undoes=doubted))
    else:
        raise AssertionError("no case speaks firmly against a decision")
    wish = ThemeEditRequest(action=EditAction.RENAME, actor="P", theme_id=second.id, name="Pumps again", proposed=True)
    proposed = submit_edit(store, clock, wish).edit.seq
    waiting = next(
        reviewed.grounded.draft.id
        for reviewed in list_all_drafts(store, kind=DraftKind.PATTERN)
        if state_of(reviewed.decisions) is DraftState.CANDIDATE
    )
    decide_draft(store, clock, waiting, DraftAction.NOT_SURE, actor=steward.name)
    about = prereading_builder.subject_from_theme(store, second.id)
    approved = prereading_builder.build_prereading(store, clock, about, session="Jam of May").grounded.draft
    decide_draft(store, clock, approved.id, DraftAction.ACCEPT, actor=steward.name)
    now = clock.now()
    failed = Job(
        id="failedrun",
        kind=JobKind.RUN,
        by="Bo",
        parameters=asdict(RunParameters(draft=False)),
        started_at=now,
        beat_at=now,
    )
    store.jobs.create(replace(failed, state=JobState.FAILED))
    session = start_session(ctx.accounts, clock, steward.id, network_id=DEFAULT_NETWORK).session
    set_password(ctx.accounts, Argon2PasswordHasher(time_cost=1, memory_kib=64), session, PASSWORD)
    add_network(ctx.accounts.networks, "south", "South")
    add_member(ctx.accounts.members, clock, "south", "", [Role.MEMBER], account_id=steward.id)
    return {
        "named_id": named, "gone_id": gone, "unplaced_id": named, "waiting_id": waiting, "approved_id": approved.id,
        "failed_run_id": "failedrun", "doubted": str(doubted), "proposed": str(proposed), "steward_id": steward.id,
    }  # fmt: skip


COMPARED = (
    "account case decision dismissed_name draft edit erasure job member network pattern_use person run submission "
    "token withdrawal"
).split()
"""Tables; who is signed in, who looks at what and what the audit log says is left out."""

DIFFERS = re.compile(r"(^|_)(at|until|secret|sha256|hash|digest|body|changed|doubts|seconds)$")
"""Columns whose values differ from trial to trial: times, keys, and what holds either."""

RANDOM = {
    *(("job", "id"), ("token", "id"), ("pattern_use", "id"), ("draft", "id"), ("run", "id"), ("case", "id")),
    *(("case", "external_id"), ("submission", "case_id")),
}


def stored(home: Path) -> dict[str, list[Any]]:
    """Return the rows of all compared tables, without values that differ between trials."""
    rows_by_table: dict[str, list[Any]] = {}
    with closing(sqlite3.connect(home / "patternmind.db")) as database:
        database.row_factory = sqlite3.Row
        for name in COMPARED:
            rows = [dict(row) for row in database.execute(f'SELECT * FROM "{name}"')]  # noqa: S608 -- constant names
            stable = [
                {k: v for k, v in row.items() if not DIFFERS.search(k) and (name, k) not in RANDOM} for row in rows
            ]
            ended = [{k: row[k] is None for k in row if k.endswith("_at")} for row in rows]
            rows_by_table[name] = sorted(repr((row, end)) for row, end in zip(stable, ended, strict=True))
    return rows_by_table


class Trial:
    """A copy of the network with a server and a signed-in steward; restarts keep the port."""

    def __init__(self, world: World, place: Path) -> None:
        shutil.copytree(world.home, place)
        self.home, self.ids, self._port, self._running = place, world.ids, 0, ExitStack()
        self.start()
        started = start_session(self.ctx.accounts, self.ctx.clock, world.member_id, network_id=DEFAULT_NETWORK)
        same_site = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "origin": self.address}
        cookies = {PLAIN_COOKIE: started.secret}
        self.client = httpx.Client(base_url=self.address, headers=same_site, cookies=cookies, timeout=60)

    def start(self) -> None:
        self.ctx = AppContext(Settings(home=self.home), encoder=HashingEncoder())
        self.app = make_app(self.ctx)
        self.address = self._running.enter_context(serve_in_thread(self.ctx, self.app, port=self._port))
        self._port = urlsplit(self.address).port or 0

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        self._running.close()

    def open(self, name: str, form: Form) -> Callable[[], httpx.Response]:
        """Read the page of a form and fill it in; what comes back sends it, as often as it is called."""
        page = form.on.format(**self.ids)
        response = self.client.get(page)
        assert response.status_code == 200, (page, response.status_code)
        action = (form.action or name.partition(" ")[2]).format(**self.ids)
        data = form_on(response.text, form.within.format(**self.ids) or action, urlsplit(page).path, form, self.ids)
        return lambda: self.client.post(action, data=data, files=dict(form.files) or None)

    def settled(self) -> dict[str, list[Any]]:
        """Return the stored rows after all jobs have ended."""
        while any(
            job.state is JobState.RUNNING and job.id != "asked" for job in self.ctx.store.jobs.list_recent(limit=50)
        ):
            time.sleep(0.02)
        return stored(self.home)


@pytest.fixture
def trial(world: World, tmp_path: Path) -> Iterator[Trial]:
    trial = Trial(world, tmp_path / "home")
    yield trial
    trial.client.close()
    trial.stop()


EVERY = pytest.mark.parametrize("name", FORMS)


def test_form_list_covers_all_forms() -> None:
    names = {f"{method} {route.path}" for method, route in page_routes() if method == "POST"}
    assert names == set(FORMS) | SIGNING_IN, "a new form needs a row in FORMS"


Once = Callable[[str], dict[str, list[Any]]]


@pytest.fixture(scope="module")
def sent_once() -> dict[str, dict[str, list[Any]]]:
    """Cache of the rows stored after submitting each form once, for this worker."""
    return {}


@pytest.fixture
def once(world: World, sent_once: dict[str, dict[str, list[Any]]], tmp_path: Path) -> Once:
    """Return the rows stored after submitting a form once, cached if possible."""

    def find(name: str) -> dict[str, list[Any]]:
        if name not in sent_once:
            trial = Trial(world, tmp_path / "once")
            assert trial.open(name, FORMS[name])().status_code in {200, 303}
            sent_once[name] = trial.settled()
            trial.client.close()
            trial.stop()
        return sent_once[name]

    return find


@EVERY
def test_form_works_after_server_restart(name: str, trial: Trial, sent_once: dict[str, dict[str, list[Any]]]) -> None:
    before = stored(trial.home)
    send = trial.open(name, FORMS[name])
    trial.restart()
    answer = send()
    assert answer.status_code in {200, 303}, answer.text
    sent_once[name] = trial.settled()
    assert (sent_once[name] != before) is FORMS[name].changes


@EVERY
def test_repeated_form_submission_is_applied_once(name: str, trial: Trial, once: Once) -> None:
    send = trial.open(name, FORMS[name])
    with ThreadPoolExecutor(2) as pool:
        answers = [future.result() for future in [pool.submit(send), pool.submit(send)]]
    assert min(answer.status_code for answer in answers) < 400, [answer.text for answer in answers]
    assert max(answer.status_code for answer in answers) < 500
    assert trial.settled() == once(name)
    again = send()
    assert again.status_code < 500
    assert trial.settled() == once(name)


@EVERY
def test_submitted_form_is_restored_after_sign_in(name: str, trial: Trial, once: Any) -> None:
    before = stored(trial.home)
    send = trial.open(name, FORMS[name])
    accounts = trial.ctx.accounts
    accounts.sessions.delete_all([session.sha256 for session in accounts.sessions.list_all(trial.ids["steward_id"])])
    refused = send()
    assert refused.status_code == 401
    assert stored(trial.home) == before
    sign_in_form = form_on(
        refused.text,
        "/sign-in",
        "",
        Form(on="", fill={"sign_in_name": "{steward_id}", "password": PASSWORD}),
        trial.ids,
    )
    back = trial.client.post("/sign-in", data=sign_in_form)
    assert back.status_code == 200, back.text
    (address, values), *_ = [form for form in _Forms(back.text).forms if form[0] != "/sign-out"]
    data: dict[str, list[str]] = {}
    for field_name, value in values:
        data.setdefault(field_name, []).append(value)
    answer = trial.client.post(address, data=data, files=dict(FORMS[name].files) or None)
    assert answer.status_code in {200, 303}, answer.text
    assert trial.settled() == once(name)


OTHERWISE: Mapping[str, Mapping[str, str]] = {
    "POST /cases/{case_id}/edit": {"problem": "The gate froze thrice."},
    "POST /themes/{theme_id}": {"name": "Gates, frozen"},
    "POST /drafts/{draft_id}/decide": {"f.name": "Gates and frost"},
    "POST /prereadings/{prereading_id}/edit": {"session": "Jam 13"},
    "POST /settings/network": {"purpose": "Jams of the night shift."},
    "POST /settings/limits": {"teams": "4"},
    "POST /settings/members/{member_id}/roles": {"roles": "steward"},
}
"""Forms that replace a value, with the values a second tab submits."""


@pytest.mark.parametrize("name", OTHERWISE)
def test_prereading_conflict_keeps_text_of_second_tab(name: str, trial: Trial, once: Once) -> None:
    form = FORMS[name]
    first, second = trial.open(name, form), trial.open(name, replace(form, fill={**form.fill, **OTHERWISE[name]}))
    assert first().status_code in {200, 303}
    response = second()
    assert response.status_code in {409, 412}, response.text
    assert trial.settled() == once(name)
    if "roles" not in OTHERWISE[name]:
        assert escape(next(iter(OTHERWISE[name].values()))) in response.text

"""Pages and API of runs and settings, for stewards and data partners."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.test_api import Program, check_problem
from tests.acceptance.test_prereading_pages import fields_on, words_of
from tests.fixtures.networks import open_context as make_house
from tests.fixtures.page_client import PageClient

from patternmind.bootstrap import AppContext
from patternmind.domain.calls import Call, CallOutcome
from patternmind.domain.jobs import HEARTBEAT_TIMEOUT, Job, JobKind
from patternmind.domain.permissions import Role
from patternmind.errors import NotFound
from patternmind.ports import RunParameters
from patternmind.services.network_settings import list_roster
from patternmind.services.possible_names import list_pending_names
from patternmind.storage.run_lock import run_lock
from patternmind.web.app import make_app


@pytest.fixture(scope="module")
def ctx(grown_context: AppContext) -> AppContext:
    return grown_context


@pytest.fixture(scope="module")
def app(ctx: AppContext) -> Iterator[Any]:
    made = make_app(ctx)
    yield made
    made.state.shared.stop()


@pytest.fixture(scope="module")
def sten(ctx: AppContext, app: Any) -> PageClient:
    return PageClient(ctx, Role.STEWARD, name="Sten Steward", app=app)


@pytest.fixture(scope="module")
def api(ctx: AppContext, app: Any, sten: PageClient) -> Any:
    """The API in the steward's session."""
    token = re.search(r'name="form-token" content="(\w+)"', sten.get("/runs").text)
    assert token

    def ask(method: str, address: str, **options: Any) -> Any:
        headers = {"x-form-token": token[1], **options.pop("headers", {})}
        return sten.client.request(method, f"/api/v1/{address}", headers=headers, **options)

    return ask


# Runs ----------------------------------------------------------------------------------------------------------------


def test_run_pages_explain_first_step(tmp_path: Path) -> None:
    early = make_house(tmp_path)
    app = make_app(early)
    assert "No run yet" in words_of(PageClient(early, Role.STEWARD, app=app).get("/runs"))
    reader = words_of(PageClient(early, Role.FACILITATOR, name="Fia", app=app).get("/runs"))
    assert "No run yet" in reader
    assert "Start the run" not in reader
    assert "Nothing to compare yet" in words_of(
        PageClient(early, Role.STEWARD, name="Bo", app=app).get("/runs/compare")
    )


def test_invalid_run_parameter_shows_an_error_and_keeps_the_form(sten: PageClient) -> None:
    fields = {"label": "2026Q4 <b>", "lens": "problem", "level": "theme", "engine": "graph", "seed": "-1", "since": ""}
    page = sten.send("/runs", fields, page="/runs")
    assert page.status_code == 422
    assert 'id="f-seed-error"' in page.text
    assert 'value="2026Q4 &lt;b&gt;"' in page.text
    assert re.search(r'name="lens" value="problem" checked', page.text)
    assert not re.search(r'name="draft" value="1" checked', page.text)
    unknown = sten.send("/runs", {**fields, "seed": "1", "lens": "nonsense"}, page="/runs")
    assert unknown.status_code == 422


def test_run_can_be_started_read_and_compared(sten: PageClient, ctx: AppContext) -> None:
    begun = sten.send(
        "/runs",
        {
            "label": "2026Q4",
            "lens": "all",
            "level": "theme",
            "engine": "graph",
            "seed": "7",
            "draft": "1",
            "from_scratch": "1",
        },
        page="/runs",
    )
    assert begun.status_code == 303
    link = None
    for _ in range(600):
        page = sten.get(begun.headers["location"])
        if link := re.search(r'data-do="redirect" href="(/runs/run-\d+)"', page.text):
            break
        time.sleep(0.05)
    assert link
    run_text = words_of(sten.get(link[1]))
    for words in (
        "2026Q4",
        "Seed 7",
        "Reading the cases",
        "Grouping",
        "no language model was used",
        "Started from scratch",
    ):
        assert words in run_text, words
    listed = sten.get("/runs")
    assert words_of(listed).count("finished") == 2
    compared = sten.get(f"/runs/compare?before=run-0001&after={link[1].rpartition('/')[2]}")
    comparison_text = words_of(compared)
    for words in ("Counts", "Themes in both", "Moved cases", "did not move"):
        assert words in comparison_text, words
    assert sten.get("/runs/compare?before=run-0001&after=run-0001").status_code == 422
    assert sten.get("/runs/compare?before=run-0001&after=run-0909").status_code == 404


def test_run_comparison_counts_add_up(api: Any, ctx: AppContext) -> None:
    ctx.run(RunParameters(label="2026Q4", seed=3, from_scratch=True, level="area"))
    ctx.run(RunParameters(label="2026Q4", seed=4, lens="problem"))
    runs = [run.id for run in ctx.store.runs.list_all()]
    comparison = api("GET", f"runs/{runs[-2]}/comparison/{runs[0]}").json()
    cases = len(ctx.store.cases.list_all())
    assert comparison["same_lens"]
    n_compared = len(comparison["moved"]) + comparison["n_stayed"] + comparison["n_only_before"]
    assert n_compared == comparison["before"]["cases"] == cases
    assert len(comparison["kept"]) + len(comparison["new"]) == comparison["after"]["themes"]
    assert len(comparison["kept"]) + len(comparison["gone"]) == comparison["before"]["themes"]
    places = ctx.store.runs.theme_ids_by_case(runs[0])
    assert all(places[move["case_id"]] == move["after"] for move in comparison["moved"])
    other = api("GET", f"runs/{runs[-1]}/comparison/{runs[0]}").json()
    assert (other["same_lens"], other["kept"]) == (False, [])
    check_problem(api("GET", f"runs/{runs[0]}/comparison/run-0909"), 404, "not-found")
    check_problem(api("GET", f"runs/{runs[0]}/comparison/{runs[0]}"), 422, "invalid")


def test_run_page_lists_model_calls_by_task_and_failures(api: Any, sten: PageClient, ctx: AppContext) -> None:
    at = ctx.clock.now()
    for n, outcome in enumerate((CallOutcome.ANSWERED, CallOutcome.REFUSED)):
        call = Call(id=f"call-{n}", task="theme-name", model="m", at=at, run_id="run-0001", outcome=outcome,
                    n_attempts=1, cost_usd=0.25)  # fmt: skip
        _keep(ctx, call)
    costs = api("GET", "runs/run-0001/costs").json()
    assert (costs["cost_usd"], [task["task"] for task in costs["tasks"]]) == (0.5, ["theme-name"])
    assert [(failure["call_id"], failure["outcome"]) for failure in costs["failures"]] == [("call-1", "refused")]
    page = words_of(sten.get("/runs/run-0001"))
    assert "Failed calls" in page
    assert "The run continued without this answer" in page


def _keep(ctx: AppContext, call: Call) -> None:
    ctx.store.calls.reserve(call, ctx.settings.budget, call.at)
    ctx.store.calls.settle(call)


def test_second_run_is_refused_and_form_kept_during_a_run(sten: PageClient, ctx: AppContext) -> None:
    with run_lock(ctx.settings.home):
        page = sten.send("/runs", {"label": "2027Q1", "seed": "0", "lens": "all"}, page="/runs")
    assert page.status_code == 409
    assert "Another run is in progress" in words_of(page)
    assert 'value="2027Q1"' in page.text


def test_interrupted_run_restarts_from_its_page(sten: PageClient, ctx: AppContext) -> None:
    long_ago = ctx.clock.now() - HEARTBEAT_TIMEOUT - timedelta(seconds=1)
    job = Job(
        id="dead",
        kind=JobKind.RUN,
        by="Bo",
        parameters={"label": "2027Q2", "draft": False},
        started_at=long_ago,
        beat_at=long_ago,
    )
    ctx.store.jobs.create(job)
    assert "The last run failed." in words_of(sten.get("/runs"))
    assert "The process of the job ended unexpectedly" in words_of(sten.get("/runs/jobs/dead"))
    again = sten.send("/runs/jobs/dead/restart", page="/runs/jobs/dead")
    assert again.status_code == 303
    for _ in range(600):
        if "Ready." in words_of(sten.get(again.headers["location"])):
            break
        time.sleep(0.05)
    assert ctx.store.runs.list_all()[-1].parameters.label == "2027Q2"


# Settings ------------------------------------------------------------------------------------------------------------


def test_network_description_conflict_keeps_both_texts(sten: PageClient, ctx: AppContext) -> None:
    form = fields_on(sten.get("/settings/network"))
    saved = sten.send(
        "/settings/network", {**form, "name": "Docks", "purpose": "Learn.", "consent": "network only"},
        page="/settings/network",
    )  # fmt: skip
    assert saved.status_code == 303
    network = ctx.store.network.get()
    assert (network.name, network.purpose, network.default_consent.value) == ("Docks", "Learn.", "network only")
    late = sten.send(
        "/settings/network", {**form, "name": "Piers", "consent": "network only"}, page="/settings/network"
    )
    assert late.status_code == 412
    assert 'value="Piers"' in late.text
    now = fields_on(late)
    empty = sten.send("/settings/network", {**now, "name": " ", "consent": "network only"}, page="/settings/network")
    assert (empty.status_code, 'id="f-name-error"' in empty.text) == (422, True)
    assert ctx.store.network.get().name == "Docks"


def test_thresholds_are_validated_and_budgets_name_their_variables(ctx: AppContext, app: Any, sten: PageClient) -> None:
    partner = PageClient(ctx, Role.DATA_PARTNER, name="Dana", app=app)
    page = partner.get("/settings/limits")
    assert "PATTERNMIND_BUDGET_MONTH_USD" in page.text
    form = fields_on(page)
    for wrong in ("1", "11", "many", "²"):
        sent = partner.send("/settings/limits", {**form, "contributors": wrong, "teams": "3"}, page="/settings/limits")
        assert sent.status_code == 422
        assert 'id="f-contributors-error"' in sent.text
        assert f'value="{wrong}"' in sent.text
    assert partner.send(
        "/settings/limits", {**form, "contributors": "4", "teams": "3"}, page="/settings/limits"
    ).status_code == 303  # fmt: skip
    rule = ctx.store.network.get().rule
    assert (rule.min_contributors, rule.min_teams) == (4, 3)
    assert partner.get("/settings/network").status_code == 403


def test_settings_api_requires_current_version(api: Any) -> None:
    seen = api("GET", "settings/limits")
    assert seen.json()["thresholds"] == {"min_contributors": 4, "min_teams": 3}
    thresholds = {"min_contributors": 5, "min_teams": 2}
    tag = {"if-match": seen.headers["etag"]}
    assert api("PUT", "settings/limits/thresholds", json=thresholds, headers=tag).json()["thresholds"] == thresholds
    check_problem(api("PUT", "settings/limits/thresholds", json=thresholds, headers=tag), 412, "changed-meanwhile")
    wrong = check_problem(
        api("PUT", "settings/limits/thresholds", json={"min_contributors": 1, "min_teams": 2}), 422, "invalid"
    )
    assert wrong["errors"][0]["field"] == "body.min_contributors"
    described = {"name": "Docks", "purpose": "", "default_consent": "organisation"}
    assert api("PUT", "settings/network", json=described).json() == described


def test_roster_name_is_redacted_until_removed(sten: PageClient, ctx: AppContext) -> None:
    def texts() -> str:
        return " ".join(text for case in ctx.store.cases.list_all() for text in case.text.values())

    assert "Friday" not in texts()
    assert "coffee" in texts()
    sent = sten.send("/settings/roster", {"name": "Coffee3 Coffee4", "kind": "person"}, page="/settings/roster")
    assert sent.status_code == 303
    page = sten.get("/settings/roster")
    assert "Coffee3 Coffee4" in words_of(page)
    entry = next(entry for entry in list_roster(ctx.store) if entry.name == "Coffee3 Coffee4")
    n_lines = len(ctx.store.network.roster())
    assert sten.send(f"/settings/roster/{entry.number}/remove", page="/settings/roster").status_code == 303
    assert entry.name not in {each.name for each in list_roster(ctx.store)}
    assert len(ctx.store.network.roster()) > n_lines, "whoever counts lines sees that the roster is another one"
    with pytest.raises(NotFound):
        ctx.store.remove_from_roster(entry.number, lambda _: pytest.fail("nobody is taken off twice"))
    again = sten.send("/settings/roster", {"name": "Anna Berg", "kind": "person"}, page="/settings/roster")
    assert again.status_code == 303
    assert max(each.number for each in list_roster(ctx.store)) > entry.number, "a number is given once"


def test_import_keeps_a_word_when_its_roster_entry_was_removed(tmp_path: Path) -> None:
    client = Program(make_house(tmp_path))
    row = b'{"id": "%s", "problem": "Sakura Blossom jammed the press %s."}\n'
    added = client.post("roster", json={"people": [{"name": "Sakura Blossom"}]}).json()
    assert added == {"added": 1, "changed_cases": 0}
    client.post("imports", params={"filename": "a.jsonl"}, content=row % (b"a", b"at dawn"))
    assert "Sakura" not in client.get("cases").text
    assert client.request("DELETE", "roster/1").json()["changed_cases"] == 1
    client.post("imports", params={"filename": "b.jsonl"}, content=row % (b"b", b"by night"))
    assert client.get("cases").text.count("Sakura Blossom jammed") == 4  # title and text of both
    check_problem(client.request("DELETE", "roster/1"), 404, "not-found")
    assert client.get("roster").json()["items"] == []


def test_roster_import_adds_names_and_explains_invalid_file(sten: PageClient, ctx: AppContext) -> None:
    def send(name: str, content: bytes) -> Any:
        token = re.search(r'name="form-token" content="(\w+)"', sten.get("/settings/roster").text)
        assert token
        return sten.client.post(
            "/settings/roster/import", data={"form_token": token[1]}, files={"file": (name, content)}
        )

    taken = send("../../people.csv", b"name,kind,team\nLars Monsen,person,Team 1\nAcme Logistics,customer,\n")
    assert taken.status_code == 303
    assert {"Lars Monsen", "customer: Acme Logistics"} <= {entry.name for entry in list_roster(ctx.store)}
    wrong = send("people.csv", b"who\nLars\n")
    assert wrong.status_code == 422
    assert 'id="f-file-error"' in wrong.text
    assert str(ctx.settings.home) not in wrong.text
    assert not list(ctx.settings.home.glob(".upload-*"))


def test_invalid_roster_entry_shows_field_errors(sten: PageClient) -> None:
    for fields, wrong in (({"name": "7", "kind": "person"}, "name"), ({"name": "Bo Lind", "kind": "dog"}, "kind"),
                          ({"name": "Atlantis", "kind": "region"}, "name")):  # fmt: skip
        page = sten.send("/settings/roster", {**fields, "team": "Team <9>"}, page="/settings/roster")
        assert page.status_code == 422
        assert f'id="f-{wrong}-error"' in page.text
        assert 'value="Team &lt;9&gt;"' in page.text


def test_possible_names_are_confirmed_or_dismissed(sten: PageClient, ctx: AppContext) -> None:
    sent = {"filename": "more.jsonl"}
    rows = b"".join(
        b'{"id": "n%d", "problem": "Yesterday Mr. Torvald Nilsen said no, and we asked Dr. Priya Kapoor %s."}\n' % row
        for row in ((1, b"about the crane"), (2, b"for a spare gasket"))
    )
    sten.client.post(
        "/api/v1/imports", params=sent, content=rows,
        headers={"x-form-token": form_token(sten), "content-type": "application/octet-stream"},
    )  # fmt: skip
    names = {candidate.name for candidate in list_pending_names(ctx.store).names}
    assert {"Torvald Nilsen", "Priya Kapoor"} <= names, names
    page = sten.get("/settings/names")
    assert "Torvald Nilsen" in words_of(page)
    nothing = sten.send("/settings/names", {"decision": "confirm"}, page="/settings/names")
    assert (nothing.status_code, "Select at least one" in words_of(nothing)) == (422, True)
    for name, decision in (("Torvald Nilsen", "confirm"), ("Priya Kapoor", "dismiss")):
        sent_form = sten.send("/settings/names", {"names": name, "decision": decision}, page="/settings/names")
        assert sent_form.status_code == 303
    left = {candidate.name for candidate in list_pending_names(ctx.store).names}
    assert not {"Torvald Nilsen", "Priya Kapoor"} & left
    texts = " ".join(text for case in ctx.store.cases.list_all() for text in case.text.values())
    assert "Nilsen" not in texts
    assert "Priya Kapoor" in texts
    assert not any("priya" in str(dismissed).casefold() for dismissed in ctx.store.network.dismissed_names())


def form_token(visitor: PageClient) -> str:
    token = re.search(r'name="form-token" content="(\w+)"', visitor.get("/runs").text)
    assert token
    return token[1]


def test_status_page_shows_settings_and_runs_check_without_folder_names(sten: PageClient, ctx: AppContext) -> None:
    page = sten.get("/settings/status")
    assert "PATTERNMIND_MODEL" in page.text
    looked = sten.send("/settings/status", page="/settings/status")
    text = words_of(looked)
    assert "Data folder works" in text
    assert str(ctx.settings.home) not in looked.text
    member = PageClient(ctx, Role.MEMBER, name="Mo", app=sten.app)
    for address in ("network", "limits", "roster", "names", "status"):
        assert member.get(f"/settings/{address}").status_code == 403

"""The API as a program uses it: from a file of cases to a playbook, and everything that is turned down on the way."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

import httpx
import pytest
from starlette.testclient import TestClient
from tests.fixtures.networks import CASES, the_cases
from tests.fixtures.networks import open_house as make_house

from patternmind.bootstrap import AppContext
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.embedding.lenses import LENSES
from patternmind.errors import StoreUnavailable
from patternmind.services.tokens import create_token
from patternmind.services.validation import ENGINES, LEVELS
from patternmind.settings import Settings
from patternmind.storage.run_lock import run_lock
from patternmind.web import middleware, problems
from patternmind.web.api import schemas
from patternmind.web.app import make_app
from patternmind.web.openapi import build_openapi

ROOT = Path(__file__).parents[2]

HERE = ("127.0.0.1", 50_000)
THERE = ("192.0.2.7", 50_000)


class Program:
    """A program that talks to the API of a house; an address without a slash is one of the API's."""

    def __init__(
        self, house: AppContext, *, at: tuple[str, int] = HERE, host: str = "127.0.0.1", **headers: str
    ) -> None:
        self.app = make_app(house, host=host)
        self._client: Any = cast(Any, TestClient)(
            self.app, base_url="http://127.0.0.1:8765", client=at, headers=headers
        )

    def ask(self, method: str, address: str, **said: Any) -> httpx.Response:
        return self._client.request(method, address if address.startswith("/") else f"/api/v1/{address}", **said)

    def get(self, address: str, **said: Any) -> httpx.Response:
        return self.ask("GET", address, **said)

    def post(self, address: str, **said: Any) -> httpx.Response:
        return self.ask("POST", address, **said)


def take_in(client: Program) -> None:
    assert client.post("imports", params={"filename": "cases.jsonl"}, content=CASES).json()["accepted"] == 48


def run_to_the_end(client: Program, **parameters: Any) -> dict[str, Any]:
    begun = client.post("runs", json=parameters)
    assert begun.status_code == 202
    for _ in range(600):
        job = client.get(begun.headers["location"]).json()
        if job["state"] != "running":
            return job
        time.sleep(0.05)
    raise AssertionError("the run did not end")


def patterns_among(client: Program) -> list[dict[str, Any]]:
    drafts = client.get("drafts", params={"kind": "pattern"}).json()["items"]
    return [draft for draft in drafts if any(claim["field"] == "solution" for claim in draft["claims"])]


@pytest.fixture
def client(tmp_path: Path) -> Program:
    """A network with nothing in it, asked from its own machine."""
    return Program(make_house(tmp_path))


@pytest.fixture(scope="module")
def grown(grown_house: AppContext) -> Program:
    """A network after its first run, shared by the tests that do not mind each other."""
    return Program(grown_house)


def check_problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    body = response.json()
    assert (response.status_code, body["status"]) == (status, status), body
    assert response.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"/api/v1/docs#problem-{slug}"
    assert body["request_id"] == response.headers["x-request-id"]
    assert set(body) == {"type", "title", "status", "detail", "request_id", "errors"}
    return body


# The whole line ------------------------------------------------------------------------------------------------------


def test_a_file_of_cases_becomes_a_playbook_of_what_somebody_accepted(client: Program) -> None:
    take_in(client)
    job = run_to_the_end(client, label="2026Q2")
    assert (job["state"], job["run"]["cases"], job["problem"]) == ("finished", 48, None)
    themes = client.get("themes").json()["items"]
    assert len(themes) == job["run"]["themes"] >= 2

    contributors = {theme["theme_id"]: theme["n_contributors"] for theme in themes}
    told_by_many = sorted(patterns_among(client), key=lambda draft: -contributors[draft["theme_id"]])
    draft = told_by_many[0]
    here = f"drafts/{draft['id']}"
    assert client.get(here).headers["etag"] == '"0"'
    edited = client.post(
        f"{here}/decisions",
        json={"action": "edit", "by": "Ada Berg", "fields": {"name": "Warm batteries"}},
        headers={"if-match": '"0"'},
    )
    assert (edited.json()["name"], edited.json()["state"], edited.headers["etag"]) == (
        "Warm batteries", "in_review", '"1"',
    )  # fmt: skip
    accepted = client.post(f"{here}/decisions", json={"action": "accept", "by": "Ada Berg"})
    assert accepted.json()["state"] == "accepted"
    undone = client.post(f"{here}/decisions", json={"action": "undo", "by": "Ada Berg"})
    assert (undone.json()["state"], undone.json()["version"]) == ("in_review", 3)
    assert client.get("patterns").json() == {"items": []}
    client.post(f"{here}/decisions", json={"action": "accept", "by": "Bo Lind"})
    other = told_by_many[1]
    rejected = client.post(
        f"drafts/{other['id']}/decisions", json={"action": "reject", "by": "Ada Berg", "reason": "too abstract"}
    )
    assert [one["action"] for one in rejected.json()["decisions"]] == ["reject"]

    (pattern,) = client.get("patterns").json()["items"]
    assert (pattern["name"], pattern["reviewers"]) == ("Warm batteries", ["Ada Berg", "Bo Lind"])
    playbook = client.get("playbook").json()
    assert [one["name"] for one in playbook["patterns"]] == ["Warm batteries"], playbook["withheld"]
    for format in ("md", "html"):
        text = client.get("playbook", params={"format": format}).text
        assert "Warm batteries" in text
        assert other["name"] not in text


def test_pre_reading_for_a_theme_a_case_and_a_topic(grown: Program) -> None:
    theme = grown.get("themes").json()["items"][0]["theme_id"]
    for subject in ({"theme": theme}, {"case": "scanner/3"}, {"topic": "frozen scanner battery"}):
        made = grown.post("prereadings", json={**subject, "session": "Jam 4", "date": "2026-10-02"})
        assert made.status_code == 201
        assert all(claim["quotes"] for claim in made.json()["claims"])
        assert grown.get(made.headers["location"]).json()["kind"] == "pre-reading"
    page = grown.post("prereadings", params={"format": "html"}, json={"theme": theme})
    assert "Draft, not reviewed" in page.text
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    check_problem(grown.post("prereadings", json={}), 422, "invalid")
    check_problem(grown.post("prereadings", json={"theme": "t-none"}), 404, "not-found")


def test_every_quote_stands_at_its_offsets_in_the_case(grown: Program) -> None:
    quotes = [
        quote
        for draft in grown.get("drafts").json()["items"]
        for claim in draft["claims"]
        for quote in claim["quotes"]
    ]  # fmt: skip
    assert quotes
    for quote in quotes:
        text = grown.get(f"cases/{quote['case_id']}").json()["text"][quote["field"]]
        assert text[quote["start"] : quote["end"]] == quote["text"]


def test_pages_hold_every_case_once(grown: Program) -> None:
    seen: list[str] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        query = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        page = grown.get("cases", params=query).json()
        seen += [case["external_id"] for case in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(case["id"] for case in the_cases())
    check_problem(grown.get("cases", params={"cursor": "!"}), 422, "invalid")
    check_problem(grown.get("cases", params={"limit": 201}), 422, "invalid")


def test_what_is_asked_for_is_what_is_listed(grown: Program) -> None:
    assert grown.get("network").json()["n_cases"] == 48
    theme = grown.get("themes").json()["items"][0]
    members = grown.get(f"themes/{theme['theme_id']}").json()["case_ids"]
    assert len(members) == theme["size"]
    placed = [one["case_id"] for one in grown.get("cases", params={"theme_id": theme["theme_id"]}).json()["items"]]
    assert sorted(placed) == sorted(members)
    assert grown.get("cases", params={"kind": "recap"}).json() == {"items": [], "next_cursor": None}
    areas = grown.get("areas").json()["items"]
    assert theme["theme_id"] in [id for area in areas for id in area["theme_ids"]]
    assert len(grown.get("assignments").json()["items"]) == 48
    assert grown.get("search", params={"q": "scanner battery", "k": 3}).json()["items"][0]["kind"] == "case"
    run = grown.get("runs").json()["items"][0]
    assert grown.get(f"runs/{run['run_id']}").json() == run
    assert {one["lineage"] for one in grown.get(f"runs/{run['run_id']}/changes").json()["items"]} == {"new"}
    for what in ("assignments", "cases", "themes", "drafts", "patterns"):
        lines = grown.get(f"export/{what}")
        assert lines.headers["content-type"].startswith("application/x-ndjson")
        assert all(json.loads(line) for line in lines.text.splitlines())


def test_no_answer_names_a_submitter(grown: Program) -> None:
    for address in ("cases?limit=200", "cases/scanner/0", "drafts", "export/cases", "themes", "assignments"):
        assert "Quist" not in grown.get(f"{address}").text, address


def test_good_rows_are_kept_and_bad_rows_named_with_the_file_as_it_was_called(client: Program, tmp_path: Path) -> None:
    body = b'{"id": "1", "text": "The lift stood still at noon."}\n{broken\n'
    report = client.post("imports", params={"filename": "märz.jsonl"}, content=body).json()
    assert (report["accepted"], [(row["file"], row["row"]) for row in report["rejected"]]) == (1, [("märz.jsonl", 2)])
    again = client.post("imports", params={"filename": "märz.jsonl", "dry_run": True}, content=body).json()
    assert (again["accepted"], again["unchanged"], again["dry_run"]) == (0, 1, True)
    mapped = client.post("imports", params={"filename": "a.csv", "map": "problem=what"}, content=b"what\nIt leaks.\n")
    assert mapped.json()["accepted"] == 1
    unreadable = check_problem(
        client.post("imports", params={"filename": "a.exe"}, content=b"x"), 422, "unreadable-file"
    )
    assert unreadable["detail"].startswith("a.exe: ")
    check_problem(client.post("imports", params={"filename": "a.csv"}, content=b""), 422, "unreadable-file")
    check_problem(client.post("imports", params={"filename": "../a.csv"}, content=b"text\nx\n"), 422, "invalid")
    unknown = client.post("imports", params={"filename": "a.csv", "map": "problem=none"}, content=b"what\nIt leaks.\n")
    check_problem(unknown, 422, "invalid")
    assert list(tmp_path.glob(".upload-*")) == []


# Who may ask ---------------------------------------------------------------------------------------------------------


def test_as_soon_as_a_token_exists_every_request_needs_a_valid_one(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    client = Program(house)
    assert client.get("themes").status_code == 200
    secret, _ = create_token(house.store, house.clock, "batch", lifetime_days=1)
    for headers in ({}, {"authorization": "Bearer pm_wrong"}, {"authorization": f"Basic {secret}"}):
        turned_away = client.get("themes", headers=headers)
        check_problem(turned_away, 401, "token-needed")
        assert turned_away.headers["www-authenticate"].startswith("Bearer ")
    assert client.get("themes", headers={"authorization": f"Bearer {secret}"}).status_code == 200
    assert client.get("openapi.json").status_code == client.get("docs").status_code == 200
    assert client.get("/healthz").json() == {"status": "ok"}


def test_nobody_is_let_in_without_a_token_from_elsewhere_or_beyond_loopback(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    check_problem(Program(house, at=THERE).get("themes"), 401, "token-needed")
    check_problem(Program(house, host="0.0.0.0").get("themes"), 401, "token-needed")  # noqa: S104
    secret, _ = create_token(house.store, house.clock, "batch", lifetime_days=1)
    everywhere = Program(house, at=THERE, host="0.0.0.0", authorization=f"Bearer {secret}")  # noqa: S104
    assert everywhere.get("themes", headers={"host": "patterns.example.org"}).status_code == 200


def test_a_token_that_never_was_is_turned_down_even_where_none_is_needed(client: Program) -> None:
    rebound = {"host": "evil.example", "authorization": "Bearer guess"}
    check_problem(client.get("themes", headers=rebound), 401, "token-needed")


def test_who_is_not_let_in_has_no_body_read(tmp_path: Path) -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    client = Program(make_house(tmp_path), at=THERE)
    check_problem(client.post("imports?filename=a.csv", content=never()), 401, "token-needed")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[", "", "192.0.2.1:8765"])
def test_a_rebound_name_is_refused(client: Program, host: str) -> None:
    check_problem(client.get("themes", headers={"host": host}), 403, "refused")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "[::1]:8765"])
def test_names_of_this_machine_are_known(client: Program, host: str) -> None:
    assert client.get("themes", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
     {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-site"}],
)  # fmt: skip
def test_another_site_cannot_change_anything(client: Program, headers: dict[str, str]) -> None:
    check_problem(client.post("runs", headers=headers), 403, "refused")
    assert client.get("runs").json() == {"items": []}


def test_the_same_site_can(client: Program) -> None:
    same = {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}
    assert client.post("runs", headers=same).status_code == 202


def test_a_decision_is_signed_by_the_token_or_by_who_sits_there(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    client = Program(house)
    take_in(client)
    run_to_the_end(client)
    here = f"drafts/{patterns_among(client)[0]['id']}/decisions"
    check_problem(client.post(here, json={"action": "not_sure"}), 422, "invalid")
    secret, _ = create_token(house.store, house.clock, "Ada Berg", lifetime_days=1)
    bearer = {"authorization": f"Bearer {secret}"}
    check_problem(client.post(here, json={"action": "not_sure", "by": "Bo Lind"}, headers=bearer), 422, "invalid")
    signed = client.post(here, json={"action": "not_sure"}, headers=bearer).json()
    assert [one["by"] for one in signed["decisions"]] == ["Ada Berg"]


# Two at once, and twice the same -------------------------------------------------------------------------------------


def test_a_decision_on_what_was_not_seen_is_refused(grown: Program) -> None:
    here = f"drafts/{patterns_among(grown)[0]['id']}/decisions"
    asked = {"action": "not_sure", "by": "Ada Berg"}
    for tag in ('"7"', 'W/"0"', "nonsense"):
        check_problem(grown.post(here, json=asked, headers={"if-match": tag}), 412, "changed-meanwhile")
    assert grown.post(here, json=asked, headers={"if-match": '"7", "0"'}).json()["version"] == 1
    check_problem(grown.post(here, json=asked, headers={"if-match": '"0"'}), 412, "changed-meanwhile")
    assert grown.post(here, json={**asked, "action": "undo"}, headers={"if-match": "*"}).json()["version"] == 2


def test_the_same_request_again_gets_the_same_answer_and_does_nothing(grown: Program) -> None:
    draft = patterns_among(grown)[-1]["id"]
    asked, key = {"action": "not_sure", "by": "Ada Berg"}, {"idempotency-key": "k-1"}
    first = grown.post(f"drafts/{draft}/decisions", json=asked, headers=key)
    again = grown.post(f"drafts/{draft}/decisions", json=asked, headers=key)
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    assert again.headers["idempotent-replayed"] == "true"
    assert grown.get(f"drafts/{draft}").json()["version"] == first.json()["version"]
    other = grown.post(f"drafts/{draft}/decisions", json={**asked, "note": "later"}, headers=key)
    check_problem(other, 422, "key-reused")
    failed = [
        grown.post(
            f"drafts/{draft}/decisions",
            json={"action": "reject", "by": "A"},
            headers={"idempotency-key": "k-2"},
        )
        for _ in range(2)
    ]
    assert [one.headers.get("idempotent-replayed") for one in failed] == [None, None]


def test_two_runs_at_once_are_one(client: Program, tmp_path: Path) -> None:
    with run_lock(tmp_path):
        check_problem(client.post("runs"), 409, "run-in-progress")
    assert run_to_the_end(client)["run"]["notes"] == ["Not enough cases to group: you have 0 and need 20."]


class Waiting(HashingEncoder):
    """Encodes once it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = threading.Event(), threading.Event()

    def encode(self, texts: Any, *, progress: Any = None) -> Any:
        self.asked.set()
        assert self.go_on.wait(20)
        return super().encode(texts, progress=progress)


def test_while_a_run_goes_on_a_second_waits_and_the_rest_answers(tmp_path: Path) -> None:
    encoder = Waiting()
    client = Program(AppContext(Settings(home=tmp_path), encoder=encoder))
    take_in(client)
    job = client.post("runs").headers["location"]
    assert encoder.asked.wait(20)
    check_problem(client.post("runs"), 409, "run-in-progress")
    assert client.get(job).json()["state"] == "running"
    assert len(client.get("cases").json()["items"]) == 48
    stopping = threading.Thread(target=client.app.state.shared.stop)
    stopping.start()
    time.sleep(0.1)
    encoder.go_on.set()
    stopping.join()
    ended = client.get(job).json()
    assert (ended["state"], ended["problem"]["status"]) == ("failed", 503)
    assert client.get("runs").json()["items"][0]["state"] == "failed"
    assert run_to_the_end(Program(AppContext(Settings(home=tmp_path), encoder=encoder)))["run"]["cases"] == 48


def test_a_wrong_decision_says_what_is_possible(grown: Program) -> None:
    here = f"drafts/{patterns_among(grown)[0]['id']}/decisions"
    wrong = check_problem(grown.post(here, json={"action": "retire", "by": "Ada Berg"}), 409, "wrong-state")
    assert "accept" in wrong["detail"]
    check_problem(grown.post(here, json={"action": "reject", "by": "Ada Berg"}), 422, "not-allowed")
    listed = {"action": "edit", "by": "Ada Berg", "fields": {"name": ["a", "b"]}}
    check_problem(grown.post(here, json=listed), 422, "invalid")


# What goes wrong -----------------------------------------------------------------------------------------------------


def test_what_a_verb_turns_down_names_its_field_too(grown: Program) -> None:
    theme = grown.get("themes").json()["items"][0]["theme_id"]
    draft = patterns_among(grown)[0]["id"]
    edit = {"action": "edit", "by": "Bo", "fields": {"name": "Ask bo@example.org"}}
    asked: list[tuple[str, dict[str, Any], str]] = [
        (f"themes/{theme}/edits", {"action": "rename", "name": "  ", "by": "Bo"}, "body.name"),
        (f"themes/{theme}/edits", {"action": "move_out", "case_ids": [], "by": "Bo"}, "body.case_ids"),
        (f"themes/{theme}/edits", {"action": "rename", "name": "Mail a@example.org", "by": "Bo"}, "body.name"),
        (f"drafts/{draft}/decisions", {"action": "not_sure"}, "body.by"),
        (f"drafts/{draft}/decisions", edit, "body.fields.name"),
        ("cases", {"kind": "case", "text": {}}, "body.problem"),
        ("runs", {"since": "yesterday"}, "body.since"),
        ("prereadings", {}, "body.topic"),
    ]
    for address, body, field in asked:
        said = grown.post(address, json=body)
        assert said.status_code == 422, (address, body, said.text)
        assert field in [one["field"] for one in said.json()["errors"]], (address, body, said.text)
    said = grown.get("search", params={"q": "   "}).json()
    assert [one["field"] for one in said["errors"]] == ["query.q"], said


def test_a_request_that_is_not_valid_names_its_fields(client: Program) -> None:
    wrong = check_problem(client.post("runs", json={"seed": "x", "colour": "SECRET TEXT"}), 422, "invalid")
    assert {one["field"] for one in wrong["errors"]} == {"body.seed", "body.colour"}
    assert "SECRET" not in json.dumps(wrong)
    surrogate = client.post("runs", content=b'{"label": "\\ud800"}', headers={"content-type": "application/json"})
    check_problem(surrogate, 422, "invalid")
    check_problem(client.post("runs", content=b"{", headers={"content-type": "application/json"}), 422, "invalid")
    check_problem(client.post("runs", content=b"\xff", headers={"content-type": "application/json"}), 400, "malformed")


def test_addresses_and_methods_that_are_not_there(client: Program) -> None:
    check_problem(client.get("nothing"), 404, "not-found")
    check_problem(client.get("jobs/nothing"), 404, "not-found")
    check_problem(client.get("cases/nothing"), 404, "not-found")
    no_method = client.ask("DELETE", "themes")
    check_problem(no_method, 405, "method-not-allowed")
    assert no_method.headers["allow"] == "GET"


def test_what_is_too_large_is_turned_down_announced_or_not(client: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "MAX_IMPORT_BYTES", 2_000_000)
    much = b"x" * 1_100_000
    check_problem(client.post("runs", content=much), 413, "too-large")
    check_problem(client.post("runs", content=iter([much])), 413, "too-large")
    check_problem(client.post("imports?filename=a.txt", content=iter([much, much])), 413, "too-large")
    assert client.post("imports?filename=a.txt", content=iter([b"It leaks."])).json()["accepted"] == 1


def test_what_nobody_expected_tells_no_text_to_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(HashingEncoder):
        def encode(self, texts: Any, *, progress: Any = None) -> Any:
            raise ValueError("Zoe said SECRET TEXT")

    client = Program(AppContext(Settings(home=tmp_path), encoder=Broken()))
    take_in(client)
    with caplog.at_level(logging.DEBUG, logger="patternmind"):
        wrong = client.get("search", params={"q": "SECRET TEXT"})
        check_problem(wrong, 500, "unexpected")
        job = run_to_the_end(client)
    assert (job["state"], job["problem"]["status"]) == ("failed", 500)
    assert "ValueError" in caplog.text
    assert "SECRET" not in caplog.text + wrong.text + json.dumps(job)

    def unwritable(*_: object, **__: object) -> None:
        raise StoreUnavailable(f"{tmp_path} cannot be written.")

    monkeypatch.setattr(type(make_house(tmp_path).store), "list_theme_cards", unwritable)
    assert str(tmp_path) not in check_problem(client.get("themes"), 503, "store-unavailable")["detail"]


def test_every_answer_says_how_it_may_be_used(grown: Program) -> None:
    for address in ("/", "docs", "themes", "/nothing", "/healthz", "openapi.json"):
        headers = grown.get(address, headers={"x-request-id": "trace-12345"}).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == ("same-origin" if address == "/" else "no-referrer")
        assert headers["cache-control"] == "no-store"
        assert headers["x-request-id"] == "trace-12345"
        assert "server" not in headers


# Documentation -------------------------------------------------------------------------------------------------------


def test_the_committed_description_is_the_one_served(grown: Program) -> None:
    committed = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert grown.get("openapi.json").json() == committed, "python -m patternmind.web.export_openapi > docs/openapi.json"


def test_the_described_api_loads_nothing_and_names_every_operation_and_problem(grown: Program) -> None:
    docs = grown.get("docs").text
    assert "<script" not in docs
    assert "src=" not in docs
    assert "@import" not in docs
    assert "/api/v1/docs" in grown.get("/").text
    schema = grown.get("openapi.json").json()
    for path in schema["paths"]:
        assert path in docs
    for kind in problems.PROBLEM_KINDS:
        assert f'id="problem-{kind.slug}"' in docs


def test_the_words_a_run_takes_are_those_of_the_line() -> None:
    assert get_args(schemas.LensName) == tuple(LENSES)
    assert (get_args(schemas.LevelName), get_args(schemas.EngineName)) == (LEVELS, ENGINES)


def test_every_error_has_a_documented_status(tmp_path: Path) -> None:
    schema = build_openapi(make_app(make_house(tmp_path)))
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            said = set(operation["responses"])
            assert path == "/healthz" or {"401", "403", "408", "413", "422", "500", "503"} <= said, path

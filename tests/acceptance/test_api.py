"""The REST API as a client uses it: from a case file to a playbook, with all rejected requests."""

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
from tests.fixtures.networks import open_context as make_house

from patternmind.bootstrap import AppContext
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.embedding.lenses import LENSES
from patternmind.errors import StoreUnavailable
from patternmind.services.tokens import create_token
from patternmind.services.validation import ENGINES, LEVELS
from patternmind.settings import Settings
from patternmind.storage.repositories.themes import SqlThemeRepository
from patternmind.storage.run_lock import run_lock
from patternmind.web import middleware, problems
from patternmind.web.api import schemas
from patternmind.web.app import make_app
from patternmind.web.lens import LensName
from patternmind.web.openapi import build_openapi

ROOT = Path(__file__).parents[2]

LOCAL_CLIENT = ("127.0.0.1", 50_000)
REMOTE_CLIENT = ("192.0.2.7", 50_000)


class Program:
    """A client of the API; a path without a leading slash is relative to the API prefix."""

    def __init__(
        self, ctx: AppContext, *, at: tuple[str, int] = LOCAL_CLIENT, host: str = "127.0.0.1", **headers: str
    ) -> None:
        self.app = make_app(ctx, host=host)
        self._client: Any = cast(Any, TestClient)(
            self.app, base_url="http://127.0.0.1:8765", client=at, headers=headers
        )

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._client.request(method, path if path.startswith("/") else f"/api/v1/{path}", **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


def import_cases(client: Program) -> None:
    assert client.post("imports", params={"filename": "cases.jsonl"}, content=CASES).json()["accepted"] == 48


def run_until_finished(client: Program, **parameters: Any) -> dict[str, Any]:
    accepted = client.post("runs", json=parameters)
    assert accepted.status_code == 202
    for _ in range(600):
        job = client.get(accepted.headers["location"]).json()
        if job["state"] != "running":
            return job
        time.sleep(0.05)
    raise AssertionError("the run did not finish")


def draft_patterns(client: Program) -> list[dict[str, Any]]:
    drafts = client.get("drafts", params={"kind": "pattern"}).json()["items"]
    return [draft for draft in drafts if any(claim["field"] == "solution" for claim in draft["claims"])]


@pytest.fixture
def client(tmp_path: Path) -> Program:
    """A local client of an empty network."""
    return Program(make_house(tmp_path))


@pytest.fixture(scope="module")
def grown(grown_context: AppContext) -> Program:
    """A client of a network after its first run, shared by independent tests."""
    return Program(grown_context)


def check_problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    body = response.json()
    assert (response.status_code, body["status"]) == (status, status), body
    assert response.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"/api/v1/docs#problem-{slug}"
    assert body["request_id"] == response.headers["x-request-id"]
    assert set(body) == {"type", "title", "status", "detail", "request_id", "errors"}
    return body


# From import to playbook ----------------------------------------------------------------------------------------------


def test_api_turns_case_file_into_playbook_of_accepted_patterns(client: Program) -> None:
    import_cases(client)
    job = run_until_finished(client, label="2026Q2")
    assert (job["state"], job["run"]["cases"], job["problem"]) == ("finished", 48, None)
    themes = client.get("themes").json()["items"]
    assert len(themes) == job["run"]["themes"] >= 2

    contributors = {theme["theme_id"]: theme["n_contributors"] for theme in themes}
    by_contributors = sorted(draft_patterns(client), key=lambda draft: -contributors[draft["theme_id"]])
    draft = by_contributors[0]
    draft_path = f"drafts/{draft['id']}"
    assert client.get(draft_path).headers["etag"] == '"0"'
    edited = client.post(
        f"{draft_path}/decisions",
        json={"action": "edit", "by": "Ada Berg", "fields": {"name": "Warm batteries"}},
        headers={"if-match": '"0"'},
    )
    assert (edited.json()["name"], edited.json()["state"], edited.headers["etag"]) == (
        "Warm batteries", "in_review", '"1"',
    )  # fmt: skip
    accepted = client.post(f"{draft_path}/decisions", json={"action": "accept", "by": "Ada Berg"})
    assert accepted.json()["state"] == "accepted"
    undone = client.post(f"{draft_path}/decisions", json={"action": "undo", "by": "Ada Berg"})
    assert (undone.json()["state"], undone.json()["version"]) == ("in_review", 3)
    assert client.get("patterns").json() == {"items": []}
    client.post(f"{draft_path}/decisions", json={"action": "accept", "by": "Bo Lind"})
    other = by_contributors[1]
    rejected = client.post(
        f"drafts/{other['id']}/decisions", json={"action": "reject", "by": "Ada Berg", "reason": "too abstract"}
    )
    assert [decision["action"] for decision in rejected.json()["decisions"]] == ["reject"]

    (pattern,) = client.get("patterns").json()["items"]
    assert (pattern["name"], pattern["reviewers"]) == ("Warm batteries", ["Ada Berg", "Bo Lind"])
    playbook = client.get("playbook").json()
    assert [pattern["name"] for pattern in playbook["patterns"]] == ["Warm batteries"], playbook["withheld"]
    for format in ("md", "html"):
        text = client.get("playbook", params={"format": format}).text
        assert "Warm batteries" in text
        assert other["name"] not in text


def test_prereading_is_created_for_theme_case_and_topic(grown: Program) -> None:
    theme = grown.get("themes").json()["items"][0]["theme_id"]
    for subject in ({"theme": theme}, {"case": "scanner/3"}, {"topic": "frozen scanner battery"}):
        created = grown.post("prereadings", json={**subject, "session": "Jam 4", "date": "2026-10-02"})
        assert created.status_code == 201
        assert all(claim["quotes"] for claim in created.json()["claims"])
        assert grown.get(created.headers["location"]).json()["kind"] == "pre-reading"
    page = grown.post("prereadings", params={"format": "html"}, json={"theme": theme})
    assert "Draft, not reviewed" in page.text
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    check_problem(grown.post("prereadings", json={}), 422, "invalid")
    check_problem(grown.post("prereadings", json={"theme": "t-none"}), 404, "not-found")


def test_quotes_match_case_text_at_their_offsets(grown: Program) -> None:
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


def test_case_pages_contain_each_case_once(grown: Program) -> None:
    external_ids: list[str] = []
    cursor: str | None = None
    while cursor is not None or not external_ids:
        query = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        page = grown.get("cases", params=query).json()
        external_ids += [case["external_id"] for case in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(external_ids) == sorted(case["id"] for case in the_cases())
    check_problem(grown.get("cases", params={"cursor": "!"}), 422, "invalid")
    check_problem(grown.get("cases", params={"limit": 201}), 422, "invalid")


def test_list_endpoints_agree_with_each_other(grown: Program) -> None:
    assert grown.get("network").json()["n_cases"] == 48
    theme = grown.get("themes").json()["items"][0]
    members = grown.get(f"themes/{theme['theme_id']}").json()["case_ids"]
    assert len(members) == theme["size"]
    placed = [case["case_id"] for case in grown.get("cases", params={"theme_id": theme["theme_id"]}).json()["items"]]
    assert sorted(placed) == sorted(members)
    assert grown.get("cases", params={"kind": "recap"}).json() == {"items": [], "next_cursor": None}
    areas = grown.get("areas").json()["items"]
    assert theme["theme_id"] in [id for area in areas for id in area["theme_ids"]]
    assert len(grown.get("assignments").json()["items"]) == 48
    assert grown.get("search", params={"q": "scanner battery", "k": 3}).json()["items"][0]["kind"] == "case"
    run = grown.get("runs").json()["items"][0]
    assert grown.get(f"runs/{run['run_id']}").json() == run
    assert {run["lineage"] for run in grown.get(f"runs/{run['run_id']}/changes").json()["items"]} == {"new"}
    for what in ("assignments", "cases", "themes", "drafts", "patterns"):
        lines = grown.get(f"export/{what}")
        assert lines.headers["content-type"].startswith("application/x-ndjson")
        assert all(json.loads(line) for line in lines.text.splitlines())


def test_responses_never_name_submitters(grown: Program) -> None:
    for address in ("cases?limit=200", "cases/scanner/0", "drafts", "export/cases", "themes", "assignments"):
        assert "Quist" not in grown.get(f"{address}").text, address


def test_import_keeps_valid_rows_and_reports_rejected_rows(client: Program, tmp_path: Path) -> None:
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


# Authentication ------------------------------------------------------------------------------------------------------


def test_requests_need_valid_token_when_any_token_exists(tmp_path: Path) -> None:
    ctx = make_house(tmp_path)
    client = Program(ctx)
    assert client.get("themes").status_code == 200
    secret, _ = create_token(ctx.store.tokens, ctx.clock, "batch", lifetime_days=1)
    for headers in ({}, {"authorization": "Bearer pm_wrong"}, {"authorization": f"Basic {secret}"}):
        rejected = client.get("themes", headers=headers)
        check_problem(rejected, 401, "token-needed")
        assert rejected.headers["www-authenticate"].startswith("Bearer ")
    assert client.get("themes", headers={"authorization": f"Bearer {secret}"}).status_code == 200
    assert client.get("openapi.json").status_code == client.get("docs").status_code == 200
    assert client.get("/healthz").json() == {"status": "ok"}


def test_requests_beyond_loopback_need_token(tmp_path: Path) -> None:
    ctx = make_house(tmp_path)
    check_problem(Program(ctx, at=REMOTE_CLIENT).get("themes"), 401, "token-needed")
    check_problem(Program(ctx, host="0.0.0.0").get("themes"), 401, "token-needed")  # noqa: S104
    secret, _ = create_token(ctx.store.tokens, ctx.clock, "batch", lifetime_days=1)
    everywhere = Program(ctx, at=REMOTE_CLIENT, host="0.0.0.0", authorization=f"Bearer {secret}")  # noqa: S104
    assert everywhere.get("themes", headers={"host": "patterns.example.org"}).status_code == 200


def test_unknown_token_is_rejected_when_no_token_is_required(client: Program) -> None:
    rebound = {"host": "evil.example", "authorization": "Bearer guess"}
    check_problem(client.get("themes", headers=rebound), 401, "token-needed")


def test_request_body_is_not_read_when_caller_is_rejected(tmp_path: Path) -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    client = Program(make_house(tmp_path), at=REMOTE_CLIENT)
    check_problem(client.post("imports?filename=a.csv", content=never()), 401, "token-needed")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[", "", "192.0.2.1:8765"])
def test_rebound_host_name_is_rejected(client: Program, host: str) -> None:
    check_problem(client.get("themes", headers={"host": host}), 403, "refused")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "[::1]:8765"])
def test_loopback_host_names_are_accepted(client: Program, host: str) -> None:
    assert client.get("themes", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
     {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-site"}],
)  # fmt: skip
def test_cross_site_request_changes_nothing(client: Program, headers: dict[str, str]) -> None:
    check_problem(client.post("runs", headers=headers), 403, "refused")
    assert client.get("runs").json() == {"items": []}


def test_same_site_request_is_accepted(client: Program) -> None:
    same = {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}
    assert client.post("runs", headers=same).status_code == 202


def test_decision_is_logged_under_token_name_or_given_name(tmp_path: Path) -> None:
    ctx = make_house(tmp_path)
    client = Program(ctx)
    import_cases(client)
    run_until_finished(client)
    path = f"drafts/{draft_patterns(client)[0]['id']}/decisions"
    check_problem(client.post(path, json={"action": "not_sure"}), 422, "invalid")
    secret, _ = create_token(ctx.store.tokens, ctx.clock, "Ada Berg", lifetime_days=1)
    bearer = {"authorization": f"Bearer {secret}"}
    check_problem(client.post(path, json={"action": "not_sure", "by": "Bo Lind"}, headers=bearer), 422, "invalid")
    signed = client.post(path, json={"action": "not_sure"}, headers=bearer).json()
    assert [decision["by"] for decision in signed["decisions"]] == ["Ada Berg"]


# Concurrency and idempotency -----------------------------------------------------------------------------------------


def test_decision_is_rejected_when_if_match_names_other_version(grown: Program) -> None:
    path = f"drafts/{draft_patterns(grown)[0]['id']}/decisions"
    body = {"action": "not_sure", "by": "Ada Berg"}
    for tag in ('"7"', 'W/"0"', "nonsense"):
        check_problem(grown.post(path, json=body, headers={"if-match": tag}), 412, "changed-meanwhile")
    assert grown.post(path, json=body, headers={"if-match": '"7", "0"'}).json()["version"] == 1
    check_problem(grown.post(path, json=body, headers={"if-match": '"0"'}), 412, "changed-meanwhile")
    assert grown.post(path, json={**body, "action": "undo"}, headers={"if-match": "*"}).json()["version"] == 2


def test_repeated_request_replays_response_without_effect(grown: Program) -> None:
    draft = draft_patterns(grown)[-1]["id"]
    body, key = {"action": "not_sure", "by": "Ada Berg"}, {"idempotency-key": "k-1"}
    first = grown.post(f"drafts/{draft}/decisions", json=body, headers=key)
    again = grown.post(f"drafts/{draft}/decisions", json=body, headers=key)
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    assert again.headers["idempotent-replayed"] == "true"
    assert grown.get(f"drafts/{draft}").json()["version"] == first.json()["version"]
    other = grown.post(f"drafts/{draft}/decisions", json={**body, "note": "later"}, headers=key)
    check_problem(other, 422, "key-reused")
    failed = [
        grown.post(
            f"drafts/{draft}/decisions", json={"action": "reject", "by": "A"}, headers={"idempotency-key": "k-2"}
        )
        for _ in range(2)
    ]
    assert [item.headers.get("idempotent-replayed") for item in failed] == [None, None]


def test_second_run_is_rejected_when_run_lock_is_held(client: Program, tmp_path: Path) -> None:
    with run_lock(tmp_path):
        check_problem(client.post("runs"), 409, "run-in-progress")
    assert run_until_finished(client)["run"]["notes"] == ["Not enough cases to group: you have 0 and need 20."]


class BlockingEncoder(HashingEncoder):
    """An encoder that waits until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.started, self.released = threading.Event(), threading.Event()

    def encode(self, texts: Any, *, progress: Any = None) -> Any:
        self.started.set()
        assert self.released.wait(20)
        return super().encode(texts, progress=progress)


def test_other_requests_are_served_when_run_is_in_progress(tmp_path: Path) -> None:
    encoder = BlockingEncoder()
    client = Program(AppContext(Settings(home=tmp_path), encoder=encoder))
    import_cases(client)
    job = client.post("runs").headers["location"]
    assert encoder.started.wait(20)
    check_problem(client.post("runs"), 409, "run-in-progress")
    assert client.get(job).json()["state"] == "running"
    assert len(client.get("cases").json()["items"]) == 48
    stopping = threading.Thread(target=client.app.state.shared.stop)
    stopping.start()
    time.sleep(0.1)
    encoder.released.set()
    stopping.join()
    ended = client.get(job).json()
    assert (ended["state"], ended["problem"]["status"]) == ("failed", 503)
    assert client.get("runs").json()["items"][0]["state"] == "failed"
    assert run_until_finished(Program(AppContext(Settings(home=tmp_path), encoder=encoder)))["run"]["cases"] == 48


def test_invalid_decision_lists_possible_actions(grown: Program) -> None:
    path = f"drafts/{draft_patterns(grown)[0]['id']}/decisions"
    problem = check_problem(grown.post(path, json={"action": "retire", "by": "Ada Berg"}), 409, "wrong-state")
    assert "accept" in problem["detail"]
    check_problem(grown.post(path, json={"action": "reject", "by": "Ada Berg"}), 422, "not-allowed")
    listed = {"action": "edit", "by": "Ada Berg", "fields": {"name": ["a", "b"]}}
    check_problem(grown.post(path, json=listed), 422, "invalid")


# Errors --------------------------------------------------------------------------------------------------------------


def test_service_errors_name_invalid_fields(grown: Program) -> None:
    theme = grown.get("themes").json()["items"][0]["theme_id"]
    draft = draft_patterns(grown)[0]["id"]
    edit = {"action": "edit", "by": "Bo", "fields": {"name": "Ask bo@example.org"}}
    requests: list[tuple[str, dict[str, Any], str]] = [
        (f"themes/{theme}/edits", {"action": "rename", "name": "  ", "by": "Bo"}, "body.name"),
        (f"themes/{theme}/edits", {"action": "move_out", "case_ids": [], "by": "Bo"}, "body.case_ids"),
        (f"themes/{theme}/edits", {"action": "rename", "name": "Mail a@example.org", "by": "Bo"}, "body.name"),
        (f"drafts/{draft}/decisions", {"action": "not_sure"}, "body.by"),
        (f"drafts/{draft}/decisions", edit, "body.fields.name"),
        ("cases", {"kind": "case", "text": {}}, "body.problem"),
        ("runs", {"since": "yesterday"}, "body.since"),
        ("prereadings", {}, "body.topic"),
    ]
    for address, body, field in requests:
        response = grown.post(address, json=body)
        assert response.status_code == 422, (address, body, response.text)
        assert field in [error["field"] for error in response.json()["errors"]], (address, body, response.text)
    response = grown.get("search", params={"q": "   "}).json()
    assert [error["field"] for error in response["errors"]] == ["query.q"], response


def test_invalid_request_names_its_fields(client: Program) -> None:
    problem = check_problem(client.post("runs", json={"seed": "x", "colour": "SECRET TEXT"}), 422, "invalid")
    assert {error["field"] for error in problem["errors"]} == {"body.seed", "body.colour"}
    assert "SECRET" not in json.dumps(problem)
    surrogate = client.post("runs", content=b'{"label": "\\ud800"}', headers={"content-type": "application/json"})
    check_problem(surrogate, 422, "invalid")
    check_problem(client.post("runs", content=b"{", headers={"content-type": "application/json"}), 422, "invalid")
    check_problem(client.post("runs", content=b"\xff", headers={"content-type": "application/json"}), 400, "malformed")


def test_unknown_paths_and_methods_return_problems(client: Program) -> None:
    check_problem(client.get("nothing"), 404, "not-found")
    check_problem(client.get("jobs/nothing"), 404, "not-found")
    check_problem(client.get("cases/nothing"), 404, "not-found")
    no_method = client.request("DELETE", "themes")
    check_problem(no_method, 405, "method-not-allowed")
    assert no_method.headers["allow"] == "GET"


def test_oversized_body_is_rejected_with_and_without_content_length(
    client: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "MAX_IMPORT_BYTES", 2_000_000)
    large_chunk = b"x" * 1_100_000
    check_problem(client.post("runs", content=large_chunk), 413, "too-large")
    check_problem(client.post("runs", content=iter([large_chunk])), 413, "too-large")
    check_problem(client.post("imports?filename=a.txt", content=iter([large_chunk, large_chunk])), 413, "too-large")
    assert client.post("imports?filename=a.txt", content=iter([b"It leaks."])).json()["accepted"] == 1


def test_unexpected_errors_expose_no_case_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(HashingEncoder):
        def encode(self, texts: Any, *, progress: Any = None) -> Any:
            raise ValueError("Zoe said SECRET TEXT")

    client = Program(AppContext(Settings(home=tmp_path), encoder=Broken()))
    import_cases(client)
    with caplog.at_level(logging.DEBUG, logger="patternmind"):
        response = client.get("search", params={"q": "SECRET TEXT"})
        check_problem(response, 500, "unexpected")
        job = run_until_finished(client)
    assert (job["state"], job["problem"]["status"]) == ("failed", 500)
    assert "ValueError" in caplog.text
    assert "SECRET" not in caplog.text + response.text + json.dumps(job)

    def unwritable(*_: object, **__: object) -> None:
        raise StoreUnavailable(f"{tmp_path} cannot be written.")

    monkeypatch.setattr(SqlThemeRepository, "cards", unwritable)
    assert str(tmp_path) not in check_problem(client.get("themes"), 503, "store-unavailable")["detail"]


def test_responses_have_security_headers(grown: Program) -> None:
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


def test_committed_openapi_file_matches_served_schema(grown: Program) -> None:
    committed = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert grown.get("openapi.json").json() == committed, "python -m patternmind.web.export_openapi > docs/openapi.json"


def test_docs_page_is_static_and_lists_all_operations_and_problems(grown: Program) -> None:
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


def test_run_request_options_match_pipeline_options() -> None:
    assert get_args(LensName) == tuple(LENSES)
    assert (get_args(schemas.LevelName), get_args(schemas.EngineName)) == (LEVELS, ENGINES)


def test_operations_document_common_error_statuses(tmp_path: Path) -> None:
    schema = build_openapi(make_app(make_house(tmp_path)))
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            statuses = set(operation["responses"])
            assert path == "/healthz" or {"401", "403", "408", "413", "422", "500", "503"} <= statuses, path

"""Repeated requests run once: in two processes' applications, after a restart, and while the first is in progress."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.page_client import PageClient, form_token_on

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import StoreUnavailable
from patternmind.ports import IdempotencyKey, KeyClaim
from patternmind.services.tokens import create_token
from patternmind.settings import Settings
from patternmind.storage.repositories.idempotency import SqlIdempotencyKeyRepository
from patternmind.web import idempotency
from patternmind.web.cookies import PLAIN_COOKIE

API = "/api/v1"
CASE = {"text": {"problem": "The walrus sat on the valve of the pump."}}


class ManualClock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.time = datetime(2026, 10, 5, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def first(home: Path, clock: ManualClock) -> PageClient:
    """A member's browser on the first application."""
    return add_form_token(PageClient(open_context(home, clock), Role.MEMBER))


@pytest.fixture
def second(home: Path, clock: ManualClock, first: PageClient) -> PageClient:
    """The same browser on another application over the same data folder."""
    return same_browser(home, clock, first)


def open_context(home: Path, clock: ManualClock) -> AppContext:
    return AppContext(Settings(home=home), encoder=HashingEncoder(), clock=clock)


def same_browser(home: Path, clock: ManualClock, browser: PageClient) -> PageClient:
    other = PageClient(open_context(home, clock))
    other.client.cookies.set(PLAIN_COOKIE, browser.secret, domain="127.0.0.1")
    return add_form_token(other)


def add_form_token(browser: PageClient) -> PageClient:
    browser.client.headers["x-form-token"] = form_token_on(browser.get("/cases/new").text)
    return browser


def ctx_of(browser: PageClient) -> AppContext:
    return browser.app.state.shared.ctx


def submit_case(browser: PageClient, key: str = "k-1", case: Any = CASE) -> Any:
    return browser.post(f"{API}/cases", json=case, headers={"idempotency-key": key})


def audit_actions(browser: PageClient) -> list[str]:
    return [entry.did for entry in ctx_of(browser).accounts.audit.list_recent("default")]


def token_form(browser: PageClient) -> dict[str, str]:
    page = browser.get("/settings/tokens").text
    key = re.search(r'name="form_key" value="([^"]+)"', page)
    assert key
    return {"name": "batch", "days": "30", "roles": "member", "form_token": form_token_on(page), "form_key": key[1]}


def test_second_application_replays_the_response_of_the_first(first: PageClient, second: PageClient) -> None:
    original, replay = submit_case(first), submit_case(second)
    assert (original.status_code, replay.status_code) == (201, 201)
    assert replay.json() == original.json()
    assert (replay.headers["location"], replay.headers["etag"]) == (
        original.headers["location"],
        original.headers["etag"],
    )
    assert (original.headers.get("idempotent-replayed"), replay.headers["idempotent-replayed"]) == (None, "true")
    assert replay.headers["x-request-id"] != original.headers["x-request-id"]
    assert audit_actions(first).count("submit_case") == 1
    assert submit_case(second, case={"text": {"problem": "Another."}}).json()["type"].endswith("key-reused")


def test_response_is_replayed_after_a_restart_and_for_a_day(home: Path, clock: ManualClock, first: PageClient) -> None:
    original = submit_case(first)
    clock.time += timedelta(hours=23)
    assert submit_case(same_browser(home, clock, first)).json() == original.json()
    clock.time += timedelta(minutes=59)
    same = same_browser(home, clock, first)
    assert submit_case(same).headers["idempotent-replayed"] == "true"
    clock.time += timedelta(minutes=1)
    again = submit_case(same)
    assert (again.headers.get("idempotent-replayed"), again.json()["is_new"]) == (None, False)


def test_token_replays_its_own_responses_only(first: PageClient) -> None:
    ctx = ctx_of(first)
    secrets = [
        create_token(ctx.store.tokens, ctx.clock, name, lifetime_days=1, roles=[Role.MEMBER])[0] for name in ("a", "b")
    ]
    replayed: list[str | None] = []
    for secret in (secrets[0], secrets[0], secrets[1]):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": "k"}
        response = PageClient(ctx, app=first.app).post(f"{API}/cases/preview", json=CASE, headers=headers)
        assert response.status_code == 200
        replayed.append(response.headers.get("idempotent-replayed"))
    assert replayed == [None, "true", None]


def test_form_creates_one_token_in_two_applications(first: PageClient, second: PageClient, clock: ManualClock) -> None:
    form = token_form(first)
    with ThreadPoolExecutor(2) as pool:
        send = [pool.submit(browser.client.post, "/settings/tokens", data=form) for browser in (first, second)]
        pages = [future.result() for future in send]
    secrets = [re.findall(r"pm_[\w-]{20,}", page.text) for page in pages]
    assert [page.status_code for page in pages] == [200, 200]
    assert secrets[0]
    assert secrets[0] == secrets[1]
    assert len(ctx_of(first).store.tokens.list_all()) == 1
    clock.time += idempotency.FORM_BODY_RETENTION
    late = second.client.post("/settings/tokens", data=form)
    assert (late.status_code, "already submitted" in late.text) == (409, True)
    assert not re.search(r"pm_[\w-]{20,}", late.text)
    content = b"".join(path.read_bytes() for path in ctx_of(first).settings.home.iterdir() if path.is_file())
    assert secrets[0][0].encode() not in content


def test_repeated_form_redirects_again_after_a_restart(home: Path, clock: ManualClock, first: PageClient) -> None:
    first.client.post("/settings/tokens", data=token_form(first))
    (token,) = ctx_of(first).store.tokens.list_all()
    form, path = token_form(first), f"/settings/tokens/{token.id}/revoke"
    original = first.client.post(path, data=form)
    for wait in (timedelta(0), idempotency.DOUBLE_CLICK, idempotency.FORM_BODY_RETENTION, timedelta(hours=23)):
        clock.time += wait
        replay = same_browser(home, clock, first).client.post(path, data=form)
        assert (replay.status_code, replay.headers["location"]) == (303, original.headers["location"])
        is_double_click = replay.headers["set-cookie"] == original.headers["set-cookie"]
        assert is_double_click is (wait == timedelta(0))
        assert is_double_click is not ("already%20submitted" in replay.headers["set-cookie"])
    assert audit_actions(first).count("revoke_token") == 1


def test_concurrent_requests_run_the_endpoint_once(first: PageClient, second: PageClient) -> None:
    with ThreadPoolExecutor(4) as pool:
        send = [pool.submit(submit_case, browser) for browser in (first, second) * 2]
        responses = [future.result() for future in send]
    successes = [response for response in responses if response.status_code == 201]
    assert sum("idempotent-replayed" not in response.headers for response in successes) == 1
    rejected = [response.json()["type"] for response in responses if response not in successes]
    assert all(kind.endswith("still-working") for kind in rejected)
    assert audit_actions(first).count("submit_case") == 1


def test_key_of_a_killed_process_is_free_after_its_lease(first: PageClient, clock: ManualClock) -> None:
    session = ctx_of(first).accounts.sessions.list_all(first.member.id)[0]
    key = IdempotencyKey(caller=f"default/{session.sha256}", path=f"{API}/cases", value="k-1", secret=first.secret)
    now = clock.now()
    ctx_of(first).store.idempotency_keys.claim(key, "", now=now, lease_until=now + idempotency.LEASE)
    assert submit_case(first).status_code == 422  # the killed process got other content
    clock.time += idempotency.LEASE
    assert submit_case(first).status_code == 201


def test_failed_request_can_be_repeated(first: PageClient, second: PageClient) -> None:
    invalid: Any = {"text": {}}
    failures = [submit_case(browser, case=invalid) for browser in (first, second)]
    assert [(item.status_code, item.headers.get("idempotent-replayed")) for item in failures] == [(422, None)] * 2
    assert submit_case(first).status_code == 201


def test_long_request_keeps_its_key(first: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    renewed: list[str] = []

    def renew(_: SqlIdempotencyKeyRepository, claim: KeyClaim, *, lease_until: datetime) -> None:
        renewed.append(claim.id)

    monkeypatch.setattr(idempotency, "LEASE", timedelta(milliseconds=3))
    monkeypatch.setattr(SqlIdempotencyKeyRepository, "renew", renew)
    assert submit_case(first).status_code == 201
    assert renewed


def test_response_is_sent_when_it_cannot_be_stored(first: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(SqlIdempotencyKeyRepository, "complete", refuse)
    assert submit_case(first).status_code == 201

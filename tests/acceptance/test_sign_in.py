"""Sign-in and sign-out, links, passwords, tokens and access, through the real pages."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.fixtures.page_client import PageClient, form_token_on

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Action, Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import RuleViolated, UsageError
from patternmind.services import authentication
from patternmind.services.authentication import create_first_steward_link, create_sign_in_link, start_session
from patternmind.services.members import add_member, add_network, change_roles, remove_member
from patternmind.services.tokens import create_token
from patternmind.settings import Settings
from patternmind.storage.passwords import Argon2PasswordHasher
from patternmind.web.app import make_app
from patternmind.web.cookies import PLAIN_COOKIE, SECURE_COOKIE
from patternmind.web.idempotency import DOUBLE_CLICK

PASSWORD = "eleven bright lanterns"


class ManualClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.time = datetime(2026, 10, 5, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def make_context(home: Path, **settings: Any) -> AppContext:
    ctx = AppContext(Settings(home=home, **settings), encoder=HashingEncoder(), clock=ManualClock())
    ctx.__dict__["passwords"] = Argon2PasswordHasher(time_cost=1, memory_kib=64)
    return ctx


def make_test_app(ctx: AppContext) -> Any:
    app = make_app(ctx)
    app.state.shared.ctx.__dict__["passwords"] = ctx.passwords
    return app


@pytest.fixture
def ctx(tmp_path: Path) -> AppContext:
    return make_context(tmp_path)


def advance_clock(ctx: AppContext, wait: timedelta) -> None:
    ctx.clock.time += wait  # type: ignore[attr-defined]


def anonymous_client(ctx: AppContext, app: Any = None) -> PageClient:
    return PageClient(ctx, app=app or make_test_app(ctx))


def sign_in_by_link(ctx: AppContext, secret: str, app: Any = None, **fields: str) -> PageClient:
    visitor = anonymous_client(ctx, app)
    path = f"/sign-in/link/{secret}"
    assert visitor.send(path, fields, page=path).headers["location"] == "/settings/account"
    return visitor


# Links ---------------------------------------------------------------------------------------------------------------


def test_first_link_creates_steward_and_invalidates_all_first_links(ctx: AppContext) -> None:
    older, link = (create_first_steward_link(ctx.accounts.sign_in_links, ctx.clock, "default") for _ in range(2))
    visitor = anonymous_client(ctx)
    path = f"/sign-in/link/{link}"
    assert "You are the first person here" in visitor.get(path).text
    nameless = visitor.send(path, {"name": " "}, page=path)
    assert nameless.status_code == 422
    assert "Enter your name" in nameless.text
    ada = sign_in_by_link(ctx, link, name="Ada Berg")
    assert "Ada Berg" in ada.get("/settings/account").text
    assert [(member.name, member.roles) for member in ctx.accounts.members.list_all("default")] == [
        ("Ada Berg", {Role.STEWARD})
    ]
    for used in (link, older):
        assert anonymous_client(ctx).get(f"/sign-in/link/{used}").status_code == 404


def test_link_is_used_up_by_signing_in_not_by_opening_it(ctx: AppContext) -> None:
    member = add_member(ctx.accounts.members, ctx.clock, "default", "Bo Lind", [Role.MEMBER])
    link = create_sign_in_link(ctx.accounts.sign_in_links, ctx.clock, member, is_confined=True)
    for _ in range(3):
        assert "Welcome, Bo Lind" in anonymous_client(ctx).get(f"/sign-in/link/{link}").text
    sign_in_by_link(ctx, link)
    late = anonymous_client(ctx)
    token = form_token_on(late.get("/sign-in").text)
    assert late.post(f"/sign-in/link/{link}", data={"form_token": token}).status_code == 404
    assert link.encode() not in (ctx.settings.home / "patternmind.db").read_bytes()


def test_link_expires(ctx: AppContext) -> None:
    member = add_member(ctx.accounts.members, ctx.clock, "default", "Bo Lind", [Role.MEMBER])
    link = create_sign_in_link(ctx.accounts.sign_in_links, ctx.clock, member, is_confined=True)
    advance_clock(ctx, authentication.LINK_LIFETIME)
    assert anonymous_client(ctx).get(f"/sign-in/link/{link}").status_code == 404


# Sessions ------------------------------------------------------------------------------------------------------------


def test_session_ends_when_idle_and_at_maximum_age(ctx: AppContext) -> None:
    ada = PageClient(ctx, Role.MEMBER, app=make_test_app(ctx))
    advance_clock(ctx, authentication.MAX_SESSION_IDLE)
    assert ada.get("/settings/account").status_code == 200
    statuses: list[int] = []
    for _ in range(14):
        advance_clock(ctx, authentication.MAX_SESSION_IDLE - timedelta(minutes=1))
        statuses.append(ada.get("/settings/account").status_code)
    assert statuses == [200] * 13 + [303]
    bo = PageClient(ctx, Role.MEMBER, name="Bo", app=make_test_app(ctx))
    advance_clock(ctx, authentication.MAX_SESSION_IDLE + timedelta(minutes=1))
    assert bo.get("/settings/account").headers["location"] == "/sign-in?next=/settings/account"


def test_sign_in_creates_new_session_and_ends_former_one(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    ada = PageClient(ctx, Role.MEMBER, app=app)
    link = create_sign_in_link(ctx.accounts.sign_in_links, ctx.clock, ada.member, is_confined=False)
    path = f"/sign-in/link/{link}"
    ada.send(path, page=path)
    assert ada.client.cookies[PLAIN_COOKIE] != ada.secret
    old = anonymous_client(ctx, app)
    old.client.cookies.set(PLAIN_COOKIE, ada.secret)
    assert old.get("/settings/account").status_code == 303


def test_sign_out_ends_one_session_or_all_sessions(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    ada = PageClient(ctx, Role.MEMBER, app=app)
    phone = anonymous_client(ctx, app)
    phone.client.cookies.set(PLAIN_COOKIE, start_session(ctx.accounts, ctx.clock, ada.member.id).secret)
    laptop = anonymous_client(ctx, app)
    laptop.client.cookies.set(PLAIN_COOKIE, start_session(ctx.accounts, ctx.clock, ada.member.id).secret)
    assert laptop.send("/sign-out", page="/settings/account").headers["location"] == "/sign-in"
    assert [client.get("/settings/account").status_code for client in (ada, phone, laptop)] == [200, 200, 303]
    ada.send("/sign-out/everywhere", page="/settings/account")
    assert [client.get("/settings/account").status_code for client in (ada, phone)] == [303, 303]


def test_session_cookie_is_host_cookie_over_https_and_plain_on_loopback(tmp_path: Path) -> None:
    for url, host, name, secure in (
        (None, "127.0.0.1:8765", PLAIN_COOKIE, False),
        ("https://patterns.example.org", "patterns.example.org", SECURE_COOKIE, True),
    ):
        ctx = make_context(tmp_path / str(secure), url=url)
        link = create_first_steward_link(ctx.accounts.sign_in_links, ctx.clock, "default")
        client: Any = TestClient(make_test_app(ctx), base_url=f"http://{host}", follow_redirects=False)
        token = form_token_on(client.get(f"/sign-in/link/{link}").text)
        response = client.post(
            f"/sign-in/link/{link}",
            data={"name": "Ada", "form_token": token},
            headers={"origin": url or ""} if url else {},
        )
        cookie = response.headers["set-cookie"]
        assert cookie.startswith(f"{name}=")
        assert ("Secure" in cookie) == secure
        for part in ("HttpOnly", "Path=/", "SameSite=lax", "Max-Age=1209600"):
            assert part in cookie
        assert "Domain" not in cookie


def test_session_secret_is_stored_as_hash_only(ctx: AppContext) -> None:
    ada = PageClient(ctx, Role.MEMBER, app=make_test_app(ctx))
    raw = (ctx.settings.home / "patternmind.db").read_bytes()
    assert ada.secret.encode() not in raw + (ctx.settings.home / "patternmind.db-wal").read_bytes()


# Passwords -----------------------------------------------------------------------------------------------------------


def set_password(visitor: PageClient, password: str, current: str = "") -> Any:
    fields = {"password": password, "again": password, "current": current}
    return visitor.send("/settings/account/password", fields, page="/settings/account")


def test_password_signs_in_and_error_reveals_no_account(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    ada = PageClient(ctx, Role.MEMBER, app=app)
    assert set_password(ada, "too short").status_code == 422
    assert set_password(ada, PASSWORD).status_code == 303
    assert set_password(ada, "another bright lantern", "wrong").status_code == 422
    error_pages: list[str] = []
    for name, password in (("ada-berg", "wrong"), ("unknown-name", PASSWORD)):
        rejected = anonymous_client(ctx, app).send(
            "/sign-in", {"sign_in_name": name, "password": password}, page="/sign-in"
        )
        assert rejected.status_code == 422
        error_pages.append(re.sub(r'value="[^"]*"', "", rejected.text))
    assert error_pages[0] == error_pages[1]
    again = anonymous_client(ctx, app)
    fields = {"sign_in_name": " ADA-Berg ", "password": PASSWORD, "next": "/settings/tokens"}
    assert again.send("/sign-in", fields, page="/sign-in").headers["location"] == "/settings/tokens"
    assert PASSWORD.encode() not in (ctx.settings.home / "patternmind.db").read_bytes()


def test_same_sign_in_form_signs_in_again_after_sign_out(ctx: AppContext) -> None:
    """A double click creates one session; going back to the form later creates another."""
    app = make_test_app(ctx)
    ada = PageClient(ctx, Role.MEMBER, app=app)
    assert set_password(ada, PASSWORD).status_code == 303
    browser = anonymous_client(ctx, app)
    page = browser.get("/sign-in").text
    key = re.search(r'name="form_key" value="([^"]+)"', page)
    assert key
    form = {"sign_in_name": "ada-berg", "password": PASSWORD, "form_token": form_token_on(page), "form_key": key[1]}

    def send() -> str:
        browser.client.cookies.clear()
        response = browser.client.post("/sign-in", data=form)
        assert response.status_code == 303
        return str(response.cookies.get(PLAIN_COOKIE))

    first = send()
    assert send() == first
    advance_clock(ctx, DOUBLE_CLICK)
    second = send()
    assert second not in {first, "None"}


def test_new_password_ends_all_other_sessions(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    ada = PageClient(ctx, Role.MEMBER, app=app)
    phone = anonymous_client(ctx, app)
    phone.client.cookies.set(PLAIN_COOKIE, start_session(ctx.accounts, ctx.clock, ada.member.id).secret)
    set_password(ada, PASSWORD)
    assert [client.get("/settings/account").status_code for client in (ada, phone)] == [200, 303]


def test_password_attempts_are_rate_limited(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    ada = PageClient(ctx, Role.MEMBER, app=app)
    set_password(ada, PASSWORD)
    guesser = anonymous_client(ctx, app)
    guess = {"sign_in_name": "ada-berg", "password": "guess"}
    responses = [guesser.send("/sign-in", guess, page="/sign-in") for _ in range(11)]
    assert [response.status_code for response in responses] == [422] * 10 + [429]
    assert 0 < int(responses[-1].headers["retry-after"]) <= 900


@pytest.mark.parametrize(
    "next", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_sign_in_redirects_only_to_own_site(ctx: AppContext, next: str) -> None:
    ada = PageClient(ctx, Role.MEMBER, app=make_test_app(ctx))
    assert ada.get("/sign-in", params={"next": next}).headers["location"] == "/"


# Restored forms ----------------------------------------------------------------------------------------------------


def test_form_is_restored_after_sign_in_when_session_expired(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    steward = PageClient(ctx, Role.STEWARD, app=app)
    set_password(steward, PASSWORD)
    page = steward.get("/settings/members").text
    ctx.accounts.sessions.delete_all([session.sha256 for session in ctx.accounts.sessions.list_all(steward.member.id)])
    form = {"name": 'Zoë <b> "Quist"', "roles": ["member", "facilitator"], "form_token": form_token_on(page)}
    rejected = steward.post("/settings/members", data=form)
    assert rejected.status_code == 401
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', rejected.text))
    fields = {name: unescape(value) for name, value in hidden.items()}
    resumed = steward.post("/sign-in", data={**fields, "sign_in_name": "ada-berg", "password": PASSWORD})
    assert resumed.status_code == 200
    assert 'action="/settings/members"' in resumed.text
    returned = [
        (n, unescape(v)) for n, v in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', resumed.text)
    ]
    submitted = steward.post("/settings/members", data={
        "form_token": dict(returned)["form_token"], "name": dict(returned)["name"],
        "roles": [v for n, v in returned if n == "roles"],
    })  # fmt: skip
    assert submitted.status_code == 200
    assert [(member.name, member.roles) for member in ctx.accounts.members.list_all("default")][1] == (
        'Zoë <b> "Quist"', {Role.MEMBER, Role.FACILITATOR},
    )  # fmt: skip


# Members -------------------------------------------------------------------------------------------------------------


def test_member_changes_by_steward_take_effect_at_once(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    steward = PageClient(ctx, Role.STEWARD, app=app)
    invited = steward.send("/settings/members", {"name": "Bo Lind", "roles": ["member"]}, page="/settings/members")
    link = re.search(r"/sign-in/link/([\w-]+)", invited.text)
    assert link
    bo = sign_in_by_link(ctx, link[1], app)
    assert bo.get("/settings/members").status_code == 403
    roles = {"roles": ["steward"]}
    steward.send("/settings/members/bo-lind/roles", roles, page="/settings/members")
    assert bo.get("/settings/members").status_code == 200
    steward.send("/settings/members/bo-lind/remove", page="/settings/members")
    assert bo.get("/settings/members").status_code == 303
    again = steward.send("/settings/members", {"name": "ada berg", "roles": ["member"]}, page="/settings/members")
    assert again.status_code == 422
    assert 'value="ada berg"' in again.text


def test_last_steward_cannot_be_removed(ctx: AppContext) -> None:
    steward = PageClient(ctx, Role.STEWARD, app=make_test_app(ctx))
    rejected = steward.send("/settings/members/ada-berg/remove", page="/settings/members")
    assert rejected.status_code == 422
    assert "at least one steward" in rejected.text
    with pytest.raises(RuleViolated):
        change_roles(ctx.accounts.members, "default", "Ada Berg", [Role.SPONSOR])
    add_member(ctx.accounts.members, ctx.clock, "default", "Bo", [Role.STEWARD])
    remove_member(ctx.accounts.members, "default", "Ada Berg")
    assert [member.name for member in ctx.accounts.members.list_all("default")] == ["Bo"]
    assert ctx.accounts.members.find_account("ada-berg") is None


# Tokens --------------------------------------------------------------------------------------------------------------


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def test_token_never_exceeds_permissions_of_its_maker(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    steward = PageClient(ctx, Role.STEWARD, Role.MEMBER, app=app)
    partner = PageClient(ctx, Role.DATA_PARTNER, name="Bo", app=app)
    token_form = {"name": "batch", "days": "30", "roles": ["data_partner"], "actions": ["see_themes"]}
    created = partner.send("/settings/tokens", token_form, page="/settings/tokens")
    secret = re.search(r"pm_[\w-]+", created.text)
    assert secret
    program = anonymous_client(ctx, app)
    assert program.get("/api/v1/themes", headers=bearer(secret[0])).status_code == 200
    assert program.get("/api/v1/drafts", headers=bearer(secret[0])).status_code == 403
    assert program.get("/settings/account", headers=bearer(secret[0])).status_code == 303
    assert secret[0] not in partner.get("/settings/tokens").text
    more = partner.send("/settings/tokens", {**token_form, "roles": ["steward"]}, page="/settings/tokens")
    assert more.status_code == 422
    change_roles(ctx.accounts.members, "default", "Bo", [Role.MEMBER])
    assert program.get("/api/v1/themes", headers=bearer(secret[0])).status_code == 401
    (token,) = ctx.store.tokens.list_all()
    steward.send(f"/settings/tokens/{token.id}/revoke", page="/settings/tokens")
    change_roles(ctx.accounts.members, "default", "Bo", [Role.DATA_PARTNER])
    assert program.get("/api/v1/themes", headers=bearer(secret[0])).status_code == 401


def test_tokens_of_others_are_visible_only_to_stewards(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    PageClient(ctx, Role.STEWARD, app=app)
    bo = PageClient(ctx, Role.MEMBER, name="Bo", app=app)
    cy = PageClient(ctx, Role.MEMBER, name="Cy", app=app)
    _, token = create_token(
        ctx.store.tokens, ctx.clock, "night batch", lifetime_days=1, creator=bo.member, roles=[Role.MEMBER]
    )
    assert "night batch" not in cy.get("/settings/tokens").text
    assert cy.send(f"/settings/tokens/{token.id}/revoke", page="/settings/tokens").status_code == 404
    assert bo.send(f"/settings/tokens/{token.id}/revoke", page="/settings/tokens").status_code == 303


def test_wrong_tokens_are_rate_limited_and_valid_token_still_works(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    secret, _ = create_token(ctx.store.tokens, ctx.clock, "batch", lifetime_days=1)
    program = anonymous_client(ctx, app)
    first = [program.get("/api/v1/me", headers=bearer(f"pm_{n}")).status_code for n in range(31)]
    assert first == [401] * 30 + [429]
    response = program.get("/api/v1/me", headers=bearer("pm_once_more"))
    assert (response.status_code, response.headers["content-type"]) == (429, "application/problem+json")
    assert 0 < int(response.headers["retry-after"]) <= 60
    assert program.get("/api/v1/me", headers=bearer(secret)).status_code == 200


def test_page_script_needs_form_token_for_changes(ctx: AppContext) -> None:
    ada = PageClient(ctx, Role.STEWARD, app=make_test_app(ctx))
    assert ada.get("/api/v1/me").json()["name"] == "Ada Berg"
    assert ada.post("/api/v1/runs").status_code == 403
    token = {"x-form-token": form_token_on(ada.get("/settings/account").text)}
    assert ada.post("/api/v1/runs", headers={**token, "sec-fetch-site": "cross-site"}).status_code == 403
    assert (
        ada.post("/api/v1/imports?filename=a.csv&dry_run=true", content=b"text\nx\n", headers=token).status_code == 200
    )


# The audit log -------------------------------------------------------------------------------------------------------


def test_audit_log_has_all_changes_without_case_text(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    steward = PageClient(ctx, Role.STEWARD, app=app)
    token = {"x-form-token": form_token_on(steward.get("/settings/account").text)}
    body = b"id,text\nk-1,The canary sang at noon.\n"
    assert steward.post("/api/v1/imports?filename=a.csv", content=body, headers=token).status_code == 200
    steward.send("/settings/members", {"name": "Bo Lind", "roles": ["member"]}, page="/settings/members")
    steward.send("/settings/members/bo-lind/remove", page="/settings/members")
    steward.send("/settings/members/unknown/remove", page="/settings/members")
    items = steward.get("/api/v1/audit").json()["items"]
    assert [(item["number"], item["who"], item["did"], item["kind"], item["id"]) for item in items] == [
        (3, "Ada Berg", "remove_from_network", "member", "bo-lind"),
        (2, "Ada Berg", "invite_member", "member", "bo-lind"),
        (1, "Ada Berg", "import_file", "", ""),
    ]
    page = steward.get("/settings/audit").text
    assert "remove from network" in page
    assert "canary" not in page
    first = steward.get("/api/v1/audit?limit=2").json()
    rest = steward.get("/api/v1/audit", params={"cursor": first["next_cursor"]}).json()
    assert [item["number"] for item in [*first["items"], *rest["items"]]] == [3, 2, 1]
    assert steward.get("/api/v1/audit?cursor=x").status_code == 422
    case_id = ctx.store.cases.list_all()[0].id
    assert "canary" in steward.get(f"/cases/{case_id}/raw").text
    newest = steward.get("/api/v1/audit?limit=1").json()["items"][0]
    assert (newest["did"], newest["kind"], newest["id"]) == ("read_raw", "case", case_id)


# Several networks ----------------------------------------------------------------------------------------------------


def test_member_of_two_networks_sees_one_at_a_time(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    ada = PageClient(ctx, Role.STEWARD, app=app)
    add_network(ctx.accounts.networks, "south", "South")
    south = AppContext(Settings(home=ctx.settings.home, network="south"), encoder=HashingEncoder())
    add_member(ctx.accounts.members, ctx.clock, "south", "", [Role.SPONSOR], account_id="ada-berg")
    token = {"x-form-token": form_token_on(ada.get("/settings/account").text)}
    ada.post("/api/v1/imports?filename=a.csv", content=b"id,text\nk-1,The lift stood still.\n", headers=token)
    assert ada.get("/api/v1/cases/k-1").status_code == 200
    stale = token
    switched = ada.send("/settings/account/network", {"network": "south"}, page="/settings/account")
    assert switched.status_code == 303
    me = ada.get("/api/v1/me").json()
    assert (me["network_id"], me["roles"]) == ("south", ["sponsor"])
    assert ada.get("/api/v1/cases/k-1").status_code == 404
    assert ada.post("/api/v1/imports?filename=a.csv", content=b"text\nx\n", headers=stale).status_code == 403
    assert south.store.cases.list_all() == []
    unknown = ada.send("/settings/account/network", {"network": "north"}, page="/settings/account")
    assert unknown.status_code == 422


def test_sign_in_link_from_steward_opens_only_their_network(ctx: AppContext) -> None:
    app = make_test_app(ctx)
    PageClient(ctx, Role.STEWARD, app=app)
    bo = PageClient(ctx, Role.MEMBER, name="Bo", app=app)
    add_network(ctx.accounts.networks, "south", "South")
    add_member(ctx.accounts.members, ctx.clock, "south", "", [Role.STEWARD], account_id="bo")
    confined = sign_in_by_link(
        ctx, create_sign_in_link(ctx.accounts.sign_in_links, ctx.clock, bo.member, is_confined=True), app
    )
    rejected = confined.send("/settings/account/network", {"network": "south"}, page="/settings/account")
    assert (rejected.status_code, "opens this network only" in rejected.text) == (422, True)
    assert set_password(confined, PASSWORD).status_code == 422
    unconfined = sign_in_by_link(
        ctx, create_sign_in_link(ctx.accounts.sign_in_links, ctx.clock, bo.member, is_confined=False), app
    )
    assert (
        unconfined.send("/settings/account/network", {"network": "south"}, page="/settings/account").status_code == 303
    )


def test_unknown_network_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not found in this data folder"):
        _ = AppContext(Settings(home=tmp_path, network="nowhere")).store


# The local user ------------------------------------------------------------------------------------------


def test_local_user_must_sign_in_when_members_exist(ctx: AppContext) -> None:
    local: Any = TestClient(make_test_app(ctx), base_url="http://127.0.0.1:8765", client=("127.0.0.1", 5))
    assert local.get("/api/v1/me").json()["name"] is None
    assert local.get("/settings/account", follow_redirects=False).status_code == 303
    add_member(ctx.accounts.members, ctx.clock, "default", "Ada", [Role.STEWARD])
    assert local.get("/api/v1/me").status_code == 401


def test_local_user_is_not_recognised_behind_proxy(tmp_path: Path) -> None:
    ctx = make_context(tmp_path, url="https://patterns.example.org")
    local: Any = TestClient(make_test_app(ctx), base_url="http://127.0.0.1:8765", client=("127.0.0.1", 5))
    assert local.get("/api/v1/me").status_code == 401


def test_me_lists_actions_of_caller(ctx: AppContext) -> None:
    ada = PageClient(ctx, Role.SPONSOR, app=make_test_app(ctx))
    assert set(ada.get("/api/v1/me").json()["actions"]) == {
        Action.SUBMIT_CASE, Action.SEARCH, Action.RECORD_USE, Action.OWN_TOKENS, Action.OWN_KEYS, Action.AUDIT_LOG,
        Action.APPROVE_CHARTER,
    }  # fmt: skip

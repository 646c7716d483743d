"""Signing in and out, links, passwords, tokens and who may come back to what, through the pages as they are."""

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
from patternmind.services.members import (
    add_member,
    add_network,
    change_roles,
    remove_member,
)
from patternmind.services.tokens import create_token
from patternmind.settings import Settings
from patternmind.storage.passwords import Argon2PasswordHasher
from patternmind.web import form_replay
from patternmind.web.app import make_app
from patternmind.web.cookies import PLAIN_COOKIE, SECURE_COOKIE

PASSWORD = "eleven bright lanterns"


class Hands:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 10, 5, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def make_house(home: Path, **settings: Any) -> AppContext:
    house = AppContext(Settings(home=home, **settings), encoder=HashingEncoder(), clock=Hands())
    house.__dict__["passwords"] = Argon2PasswordHasher(time_cost=1, memory_kib=64)
    return house


def make_served(house: AppContext) -> Any:
    app = make_app(house)
    app.state.shared.ctx.__dict__["passwords"] = house.passwords
    return app


@pytest.fixture
def house(tmp_path: Path) -> AppContext:
    return make_house(tmp_path)


def later(house: AppContext, wait: timedelta) -> None:
    house.clock.time += wait  # type: ignore[attr-defined]


def stranger(house: AppContext, app: Any = None) -> PageClient:
    return PageClient(house, app=app or make_served(house))


def by_link(house: AppContext, secret: str, app: Any = None, **fields: str) -> PageClient:
    visitor = stranger(house, app)
    here = f"/sign-in/link/{secret}"
    assert visitor.send(here, fields, page=here).headers["location"] == "/settings/account"
    return visitor


# Links ---------------------------------------------------------------------------------------------------------------


def test_the_first_link_makes_a_steward_and_all_first_links_are_used_up(house: AppContext) -> None:
    older, link = (create_first_steward_link(house.accounts, house.clock, "default") for _ in range(2))
    somebody = stranger(house)
    here = f"/sign-in/link/{link}"
    assert "You are the first person here" in somebody.get(here).text
    nameless = somebody.send(here, {"name": " "}, page=here)
    assert nameless.status_code == 422
    assert "Enter your name" in nameless.text
    ada = by_link(house, link, name="Ada Berg")
    assert "Ada Berg" in ada.get("/settings/account").text
    assert [(one.name, one.roles) for one in house.accounts.list_members("default")] == [("Ada Berg", {Role.STEWARD})]
    for used in (link, older):
        assert stranger(house).get(f"/sign-in/link/{used}").status_code == 404


def test_looking_at_a_link_does_not_use_it_and_using_it_does(house: AppContext) -> None:
    member = add_member(house.accounts, house.clock, "default", "Bo Lind", [Role.MEMBER])
    link = create_sign_in_link(house.accounts, house.clock, member, is_confined=True)
    for _ in range(3):
        assert "Welcome, Bo Lind" in stranger(house).get(f"/sign-in/link/{link}").text
    by_link(house, link)
    late = stranger(house)
    token = form_token_on(late.get("/sign-in").text)
    assert late.post(f"/sign-in/link/{link}", data={"form_token": token}).status_code == 404
    assert link.encode() not in (house.settings.home / "patternmind.db").read_bytes()


def test_a_link_lasts_a_few_days(house: AppContext) -> None:
    member = add_member(house.accounts, house.clock, "default", "Bo Lind", [Role.MEMBER])
    link = create_sign_in_link(house.accounts, house.clock, member, is_confined=True)
    later(house, authentication.LINK_LIFETIME)
    assert stranger(house).get(f"/sign-in/link/{link}").status_code == 404


# Sessions ------------------------------------------------------------------------------------------------------------


def test_a_session_ends_when_nobody_comes_back_and_at_last_however_busy(house: AppContext) -> None:
    ada = PageClient(house, Role.MEMBER, app=make_served(house))
    later(house, authentication.MAX_SESSION_IDLE)
    assert ada.get("/settings/account").status_code == 200
    statuses: list[int] = []
    for _ in range(14):
        later(house, authentication.MAX_SESSION_IDLE - timedelta(minutes=1))
        statuses.append(ada.get("/settings/account").status_code)
    assert statuses == [200] * 13 + [303]
    bo = PageClient(house, Role.MEMBER, name="Bo", app=make_served(house))
    later(house, authentication.MAX_SESSION_IDLE + timedelta(minutes=1))
    assert bo.get("/settings/account").headers["location"] == "/sign-in?next=/settings/account"


def test_signing_in_gives_a_new_session_and_ends_the_one_before(house: AppContext) -> None:
    app = make_served(house)
    ada = PageClient(house, Role.MEMBER, app=app)
    link = create_sign_in_link(house.accounts, house.clock, ada.member, is_confined=False)
    here = f"/sign-in/link/{link}"
    ada.send(here, page=here)
    assert ada.client.cookies[PLAIN_COOKIE] != ada.secret
    old = stranger(house, app)
    old.client.cookies.set(PLAIN_COOKIE, ada.secret)
    assert old.get("/settings/account").status_code == 303


def test_signing_out_ends_the_session_here_or_everywhere(house: AppContext) -> None:
    app = make_served(house)
    ada = PageClient(house, Role.MEMBER, app=app)
    phone = stranger(house, app)
    phone.client.cookies.set(PLAIN_COOKIE, start_session(house.accounts, house.clock, ada.member.id).secret)
    desk = stranger(house, app)
    desk.client.cookies.set(PLAIN_COOKIE, start_session(house.accounts, house.clock, ada.member.id).secret)
    assert desk.send("/sign-out", page="/settings/account").headers["location"] == "/sign-in"
    assert [one.get("/settings/account").status_code for one in (ada, phone, desk)] == [200, 200, 303]
    ada.send("/sign-out/everywhere", page="/settings/account")
    assert [one.get("/settings/account").status_code for one in (ada, phone)] == [303, 303]


def test_the_cookie_is_a_host_cookie_over_https_and_a_plain_one_on_this_machine(tmp_path: Path) -> None:
    for url, host, name, secure in (
        (None, "127.0.0.1:8765", PLAIN_COOKIE, False),
        ("https://patterns.example.org", "patterns.example.org", SECURE_COOKIE, True),
    ):
        house = make_house(tmp_path / str(secure), url=url)
        link = create_first_steward_link(house.accounts, house.clock, "default")
        client: Any = TestClient(make_served(house), base_url=f"http://{host}", follow_redirects=False)
        token = form_token_on(client.get(f"/sign-in/link/{link}").text)
        answer = client.post(
            f"/sign-in/link/{link}",
            data={"name": "Ada", "form_token": token},
            headers={"origin": url or ""} if url else {},
        )
        given = answer.headers["set-cookie"]
        assert given.startswith(f"{name}=")
        assert ("Secure" in given) == secure
        for part in ("HttpOnly", "Path=/", "SameSite=lax", "Max-Age=1209600"):
            assert part in given
        assert "Domain" not in given


def test_only_the_hash_of_a_session_is_kept(house: AppContext) -> None:
    ada = PageClient(house, Role.MEMBER, app=make_served(house))
    raw = (house.settings.home / "patternmind.db").read_bytes()
    assert ada.secret.encode() not in raw + (house.settings.home / "patternmind.db-wal").read_bytes()


# Passwords -----------------------------------------------------------------------------------------------------------


def set_password(visitor: PageClient, password: str, current: str = "") -> Any:
    fields = {"password": password, "again": password, "current": current}
    return visitor.send("/settings/account/password", fields, page="/settings/account")


def test_a_password_signs_in_and_a_wrong_one_says_nothing_of_who_is_there(house: AppContext) -> None:
    app = make_served(house)
    ada = PageClient(house, Role.MEMBER, app=app)
    assert set_password(ada, "too short").status_code == 422
    assert set_password(ada, PASSWORD).status_code == 303
    assert set_password(ada, "another bright lantern", "wrong").status_code == 422
    said: list[str] = []
    for name, password in (("ada-berg", "wrong"), ("nobody-at-all", PASSWORD)):
        refused = stranger(house, app).send("/sign-in", {"sign_in_name": name, "password": password}, page="/sign-in")
        assert refused.status_code == 422
        said.append(re.sub(r'value="[^"]*"', "", refused.text))
    assert said[0] == said[1]
    again = stranger(house, app)
    fields = {"sign_in_name": " ADA-Berg ", "password": PASSWORD, "next": "/settings/tokens"}
    assert again.send("/sign-in", fields, page="/sign-in").headers["location"] == "/settings/tokens"
    assert PASSWORD.encode() not in (house.settings.home / "patternmind.db").read_bytes()


def test_the_very_form_that_signed_in_signs_in_again_after_signing_out(
    house: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody goes back to it. Two clicks on it are one session."""
    app = make_served(house)
    ada = PageClient(house, Role.MEMBER, app=app)
    assert set_password(ada, PASSWORD).status_code == 303
    browser = stranger(house, app)
    page = browser.get("/sign-in").text
    key = re.search(r'name="form_key" value="([^"]+)"', page)
    assert key
    form = {"sign_in_name": "ada-berg", "password": PASSWORD, "form_token": form_token_on(page), "form_key": key[1]}

    def send() -> str:
        browser.client.cookies.clear()
        answer = browser.client.post("/sign-in", data=form)
        assert answer.status_code == 303
        return str(answer.cookies.get(PLAIN_COOKIE))

    first = send()
    assert send() == first
    monkeypatch.setattr(form_replay, "DOUBLE_CLICK_SECONDS", -1.0)
    second = send()
    assert second not in {first, "None"}


def test_a_new_password_signs_out_everywhere_else(house: AppContext) -> None:
    app = make_served(house)
    ada = PageClient(house, Role.MEMBER, app=app)
    phone = stranger(house, app)
    phone.client.cookies.set(PLAIN_COOKIE, start_session(house.accounts, house.clock, ada.member.id).secret)
    set_password(ada, PASSWORD)
    assert [one.get("/settings/account").status_code for one in (ada, phone)] == [200, 303]


def test_who_guesses_passwords_has_to_wait(house: AppContext) -> None:
    app = make_served(house)
    ada = PageClient(house, Role.MEMBER, app=app)
    set_password(ada, PASSWORD)
    guesser = stranger(house, app)
    guess = {"sign_in_name": "ada-berg", "password": "guess"}
    answers = [guesser.send("/sign-in", guess, page="/sign-in") for _ in range(11)]
    assert [one.status_code for one in answers] == [422] * 10 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 900


@pytest.mark.parametrize(
    "next", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_who_signs_in_is_led_nowhere_else(house: AppContext, next: str) -> None:
    ada = PageClient(house, Role.MEMBER, app=make_served(house))
    assert ada.get("/sign-in", params={"next": next}).headers["location"] == "/"


# What was written ----------------------------------------------------------------------------------------------------


def test_what_was_sent_after_a_sign_in_expired_comes_back_after_the_next(house: AppContext) -> None:
    app = make_served(house)
    steward = PageClient(house, Role.STEWARD, app=app)
    set_password(steward, PASSWORD)
    page = steward.get("/settings/members").text
    house.accounts.delete_sessions([one.sha256 for one in house.accounts.list_sessions(steward.member.id)])
    written = {"name": 'Zoë <b> "Quist"', "roles": ["member", "facilitator"], "form_token": form_token_on(page)}
    kept = steward.post("/settings/members", data=written)
    assert kept.status_code == 401
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', kept.text))
    fields = {name: unescape(value) for name, value in hidden.items()}
    back = steward.post("/sign-in", data={**fields, "sign_in_name": "ada-berg", "password": PASSWORD})
    assert back.status_code == 200
    assert 'action="/settings/members"' in back.text
    returned = [
        (n, unescape(v)) for n, v in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', back.text)
    ]
    sent = steward.post("/settings/members", data={
        "form_token": dict(returned)["form_token"], "name": dict(returned)["name"],
        "roles": [v for n, v in returned if n == "roles"],
    })  # fmt: skip
    assert sent.status_code == 200
    assert [(one.name, one.roles) for one in house.accounts.list_members("default")][1] == (
        'Zoë <b> "Quist"', {Role.MEMBER, Role.FACILITATOR},
    )  # fmt: skip


# Members -------------------------------------------------------------------------------------------------------------


def test_a_steward_invites_changes_roles_and_removes_and_it_holds_at_once(house: AppContext) -> None:
    app = make_served(house)
    steward = PageClient(house, Role.STEWARD, app=app)
    invited = steward.send("/settings/members", {"name": "Bo Lind", "roles": ["member"]}, page="/settings/members")
    link = re.search(r"/sign-in/link/([\w-]+)", invited.text)
    assert link
    bo = by_link(house, link[1], app)
    assert bo.get("/settings/members").status_code == 403
    roles = {"roles": ["steward"]}
    steward.send("/settings/members/bo-lind/roles", roles, page="/settings/members")
    assert bo.get("/settings/members").status_code == 200
    steward.send("/settings/members/bo-lind/remove", page="/settings/members")
    assert bo.get("/settings/members").status_code == 303
    again = steward.send("/settings/members", {"name": "ada berg", "roles": ["member"]}, page="/settings/members")
    assert again.status_code == 422
    assert 'value="ada berg"' in again.text


def test_the_last_steward_stays(house: AppContext) -> None:
    steward = PageClient(house, Role.STEWARD, app=make_served(house))
    refused = steward.send("/settings/members/ada-berg/remove", page="/settings/members")
    assert refused.status_code == 422
    assert "at least one steward" in refused.text
    with pytest.raises(RuleViolated):
        change_roles(house.accounts, "default", "Ada Berg", [Role.SPONSOR])
    add_member(house.accounts, house.clock, "default", "Bo", [Role.STEWARD])
    remove_member(house.accounts, "default", "Ada Berg")
    assert [one.name for one in house.accounts.list_members("default")] == ["Bo"]
    assert house.accounts.find_account("ada-berg") is None


# Tokens --------------------------------------------------------------------------------------------------------------


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def test_a_token_may_what_its_maker_may_or_less_and_goes_with_them(house: AppContext) -> None:
    app = make_served(house)
    steward = PageClient(house, Role.STEWARD, Role.MEMBER, app=app)
    partner = PageClient(house, Role.DATA_PARTNER, name="Bo", app=app)
    asked = {"name": "batch", "days": "30", "roles": ["data_partner"], "actions": ["see_themes"]}
    made = partner.send("/settings/tokens", asked, page="/settings/tokens")
    secret = re.search(r"pm_[\w-]+", made.text)
    assert secret
    program = stranger(house, app)
    assert program.get("/api/v1/themes", headers=bearer(secret[0])).status_code == 200
    assert program.get("/api/v1/drafts", headers=bearer(secret[0])).status_code == 403
    assert program.get("/settings/account", headers=bearer(secret[0])).status_code == 303
    assert secret[0] not in partner.get("/settings/tokens").text
    more = partner.send("/settings/tokens", {**asked, "roles": ["steward"]}, page="/settings/tokens")
    assert more.status_code == 422
    change_roles(house.accounts, "default", "Bo", [Role.MEMBER])
    assert program.get("/api/v1/themes", headers=bearer(secret[0])).status_code == 401
    (token,) = house.store.tokens()
    steward.send(f"/settings/tokens/{token.id}/revoke", page="/settings/tokens")
    change_roles(house.accounts, "default", "Bo", [Role.DATA_PARTNER])
    assert program.get("/api/v1/themes", headers=bearer(secret[0])).status_code == 401


def test_nobody_sees_or_revokes_the_token_of_another_but_a_steward(house: AppContext) -> None:
    app = make_served(house)
    PageClient(house, Role.STEWARD, app=app)
    bo = PageClient(house, Role.MEMBER, name="Bo", app=app)
    cy = PageClient(house, Role.MEMBER, name="Cy", app=app)
    _, token = create_token(
        house.store, house.clock, "night batch", lifetime_days=1, creator=bo.member, roles=[Role.MEMBER]
    )
    assert "night batch" not in cy.get("/settings/tokens").text
    assert cy.send(f"/settings/tokens/{token.id}/revoke", page="/settings/tokens").status_code == 404
    assert bo.send(f"/settings/tokens/{token.id}/revoke", page="/settings/tokens").status_code == 303


def test_ten_thousand_bad_tokens_are_told_to_wait_and_a_good_one_still_works(house: AppContext) -> None:
    app = make_served(house)
    secret, _ = create_token(house.store, house.clock, "batch", lifetime_days=1)
    program = stranger(house, app)
    first = [program.get("/api/v1/me", headers=bearer(f"pm_{n}")).status_code for n in range(31)]
    assert first == [401] * 30 + [429]
    answer = program.get("/api/v1/me", headers=bearer("pm_once_more"))
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert program.get("/api/v1/me", headers=bearer(secret)).status_code == 200


def test_a_script_of_our_pages_may_use_the_api_and_needs_the_form_token_to_change_something(house: AppContext) -> None:
    ada = PageClient(house, Role.STEWARD, app=make_served(house))
    assert ada.get("/api/v1/me").json()["name"] == "Ada Berg"
    assert ada.post("/api/v1/runs").status_code == 403
    token = {"x-form-token": form_token_on(ada.get("/settings/account").text)}
    assert ada.post("/api/v1/runs", headers={**token, "sec-fetch-site": "cross-site"}).status_code == 403
    assert (
        ada.post("/api/v1/imports?filename=a.csv&dry_run=true", content=b"text\nx\n", headers=token).status_code == 200
    )


# The audit log -------------------------------------------------------------------------------------------------------


def test_every_change_is_in_the_audit_log_without_the_text_of_a_case(house: AppContext) -> None:
    app = make_served(house)
    steward = PageClient(house, Role.STEWARD, app=app)
    token = {"x-form-token": form_token_on(steward.get("/settings/account").text)}
    body = b"id,text\nk-1,The canary sang at noon.\n"
    assert steward.post("/api/v1/imports?filename=a.csv", content=body, headers=token).status_code == 200
    steward.send("/settings/members", {"name": "Bo Lind", "roles": ["member"]}, page="/settings/members")
    steward.send("/settings/members/bo-lind/remove", page="/settings/members")
    steward.send("/settings/members/nobody/remove", page="/settings/members")
    items = steward.get("/api/v1/audit").json()["items"]
    assert [(one["number"], one["who"], one["did"], one["kind"], one["id"]) for one in items] == [
        (3, "Ada Berg", "remove_from_network", "member", "bo-lind"),
        (2, "Ada Berg", "invite_member", "member", "bo-lind"),
        (1, "Ada Berg", "import_file", "", ""),
    ]
    page = steward.get("/settings/audit").text
    assert "remove from network" in page
    assert "canary" not in page
    first = steward.get("/api/v1/audit?limit=2").json()
    rest = steward.get("/api/v1/audit", params={"cursor": first["next_cursor"]}).json()
    assert [one["number"] for one in [*first["items"], *rest["items"]]] == [3, 2, 1]
    assert steward.get("/api/v1/audit?cursor=x").status_code == 422
    case_id = house.store.cases()[0].id
    assert "canary" in steward.get(f"/cases/{case_id}/raw").text
    newest = steward.get("/api/v1/audit?limit=1").json()["items"][0]
    assert (newest["did"], newest["kind"], newest["id"]) == ("read_raw", "case", case_id)


# Several networks ----------------------------------------------------------------------------------------------------


def test_one_person_in_two_networks_sees_one_at_a_time(house: AppContext) -> None:
    app = make_served(house)
    ada = PageClient(house, Role.STEWARD, app=app)
    add_network(house.accounts, "south", "South")
    south = AppContext(Settings(home=house.settings.home, network="south"), encoder=HashingEncoder())
    add_member(house.accounts, house.clock, "south", "", [Role.SPONSOR], account_id="ada-berg")
    token = {"x-form-token": form_token_on(ada.get("/settings/account").text)}
    ada.post("/api/v1/imports?filename=a.csv", content=b"id,text\nk-1,The lift stood still.\n", headers=token)
    assert ada.get("/api/v1/cases/k-1").status_code == 200
    stale = token
    chosen = ada.send("/settings/account/network", {"network": "south"}, page="/settings/account")
    assert chosen.status_code == 303
    me = ada.get("/api/v1/me").json()
    assert (me["network_id"], me["roles"]) == ("south", ["sponsor"])
    assert ada.get("/api/v1/cases/k-1").status_code == 404
    assert ada.post("/api/v1/imports?filename=a.csv", content=b"text\nx\n", headers=stale).status_code == 403
    assert south.store.cases() == []
    unknown = ada.send("/settings/account/network", {"network": "north"}, page="/settings/account")
    assert unknown.status_code == 422


def test_a_link_of_a_steward_opens_their_own_network_and_no_other(house: AppContext) -> None:
    app = make_served(house)
    PageClient(house, Role.STEWARD, app=app)
    bo = PageClient(house, Role.MEMBER, name="Bo", app=app)
    add_network(house.accounts, "south", "South")
    add_member(house.accounts, house.clock, "south", "", [Role.STEWARD], account_id="bo")
    taken = by_link(house, create_sign_in_link(house.accounts, house.clock, bo.member, is_confined=True), app)
    refused = taken.send("/settings/account/network", {"network": "south"}, page="/settings/account")
    assert (refused.status_code, "opens this network only" in refused.text) == (422, True)
    assert set_password(taken, PASSWORD).status_code == 422
    free = by_link(house, create_sign_in_link(house.accounts, house.clock, bo.member, is_confined=False), app)
    assert free.send("/settings/account/network", {"network": "south"}, page="/settings/account").status_code == 303


def test_a_network_that_is_not_there_is_not_made_by_naming_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="network list"):
        _ = AppContext(Settings(home=tmp_path, network="nowhere")).store


# The person at this machine ------------------------------------------------------------------------------------------


def test_as_soon_as_there_is_a_member_the_person_at_this_machine_needs_to_say_who_they_are(house: AppContext) -> None:
    local: Any = TestClient(make_served(house), base_url="http://127.0.0.1:8765", client=("127.0.0.1", 5))
    assert local.get("/api/v1/me").json()["name"] is None
    assert local.get("/settings/account", follow_redirects=False).status_code == 303
    add_member(house.accounts, house.clock, "default", "Ada", [Role.STEWARD])
    assert local.get("/api/v1/me").status_code == 401


def test_behind_a_proxy_nobody_counts_as_the_person_at_this_machine(tmp_path: Path) -> None:
    house = make_house(tmp_path, url="https://patterns.example.org")
    local: Any = TestClient(make_served(house), base_url="http://127.0.0.1:8765", client=("127.0.0.1", 5))
    assert local.get("/api/v1/me").status_code == 401


def test_the_roles_of_a_caller_are_what_me_says(house: AppContext) -> None:
    ada = PageClient(house, Role.SPONSOR, app=make_served(house))
    assert set(ada.get("/api/v1/me").json()["actions"]) == {
        Action.SUBMIT_CASE, Action.SEARCH, Action.RECORD_USE, Action.OWN_TOKENS, Action.OWN_KEYS, Action.AUDIT_LOG,
        Action.APPROVE_CHARTER,
    }  # fmt: skip

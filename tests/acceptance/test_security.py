"""Attacks on pages and API, one test each; most tests walk all routes."""

import asyncio
import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from fastapi.routing import APIRoute
from tests.fixtures.coroutines import run_coroutine
from tests.fixtures.full_network import (
    FullNetwork,
    InjectedMarkup,
    hostile_text,
    open_full_network,
    page_routes,
    save_full_network,
)
from tests.fixtures.networks import CopiedHome
from tests.fixtures.page_client import BASE_URL, PageClient, form_token_on
from tests.unit.web.test_permissions import all_routes

from patternmind.cli.output_files import format_rows
from patternmind.domain.members import Member
from patternmind.domain.permissions import Role
from patternmind.services.authentication import create_sign_in_link
from patternmind.services.exports import EXPORT_NAMES, export_rows
from patternmind.services.members import add_member
from patternmind.web import middleware
from patternmind.web.cookies import PLAIN_COOKIE
from patternmind.web.forms import form_token, safe_redirect_path
from patternmind.web.middleware import MAX_BODY_BYTES
from patternmind.web.static_files import assets_version

PASSWORD = "eleven bright lanterns"
SMUGGLED = "x\r\nx-evil: 1\r\n\r\n<pm-header onpm=1>"
SECRET_FILES = (b"root:x:0", b"SQLite format 3", b"[build-system]")


@pytest.fixture(scope="module")
def whole(copied_home: CopiedHome) -> Iterator[FullNetwork]:
    whole = open_full_network(copied_home("whole", save_full_network))
    yield whole
    whole.app.state.shared.stop()


@pytest.fixture(scope="module")
def steward(whole: FullNetwork) -> PageClient:
    return whole.steward()


def page_get_routes() -> Iterator[APIRoute]:
    yield from (route for method, route in page_routes() if method == "GET")


def page_change_routes() -> Iterator[tuple[str, APIRoute]]:
    yield from ((method, route) for method, route in page_routes() if method != "GET")


def text_parameters(route: APIRoute, kind: str) -> list[str]:
    """Return the names of a route's text parameters in the query or form."""
    return [
        parameter.alias
        for parameter in getattr(route.dependant, f"{kind}_params")
        if parameter.field_info.annotation is str
    ]


FIELDS_OF_RAW_FORMS = ("decision", "reason", "version", "note", "by", "f.name", "f.context", "f.solution")
"""Form fields of routes that parse their form themselves."""


def hostile_forms(route: APIRoute, text: str) -> Iterator[dict[str, str]]:
    """Yield forms with hostile fields; some have a valid decision to pass first checks."""
    names = text_parameters(route, "body") or list(FIELDS_OF_RAW_FORMS)
    yield dict.fromkeys(names, text)
    if "decision" in names:
        yield {"decision": "edit", "version": "0", **dict.fromkeys(["note", "by", "f.name", "f.context"], text)}
        yield {"decision": "flag", "version": "0", "note": text}


def markup_on(response: Any) -> list[str]:
    """Return the hostile texts that a browser would parse as markup; only HTML pages can have any."""
    if "html" not in response.headers.get("content-type", ""):
        assert response.headers["x-content-type-options"] == "nosniff"
        return []
    return InjectedMarkup(response.text).tags


def everything_stored(whole: FullNetwork) -> dict[str, list[Any]]:
    """Return all stored rows except sessions and audit entries of raw-text reads."""
    with closing(sqlite3.connect(whole.ctx.settings.home / "patternmind.db")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%word%'")
        names = {name for (name,) in tables} - {"session"}
        rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608
    return {name: [item for item in table_rows if "read_raw" not in item] for name, table_rows in rows.items()}


# Markup ---------------------------------------------------------------------------------------------------------------


def test_user_text_never_becomes_markup(whole: FullNetwork, steward: PageClient) -> None:
    shown_fields = set[str]()
    for route in page_get_routes():
        page = steward.get(whole.fill(route.path))
        assert markup_on(page) == [], route.path
        shown_fields |= {field for field in whole.entered_texts if f"&lt;pm-{field} onpm=1&gt;" in page.text}
    assert shown_fields == set(whole.entered_texts), "each field appears on some page"


def test_query_and_path_values_never_become_markup(whole: FullNetwork, steward: PageClient) -> None:
    n_parameters = 0
    for route in page_get_routes():
        names = text_parameters(route, "query")
        page = steward.get(whole.fill(route.path), params=dict.fromkeys(names, hostile_text("query")))
        assert markup_on(page) == [], route.path
        n_parameters += len(names)
        for name in re.findall(r"\{(\w+)", route.path):
            response = steward.get(whole.fill(route.path, **{name: quote(hostile_text("path"), safe="")}))
            assert response.status_code < 500, route.path
            assert markup_on(response) == [], route.path
    assert n_parameters >= 4


def test_form_fields_never_become_markup_or_headers(whole: FullNetwork) -> None:
    visitor: PageClient | None = None
    for text in (hostile_text("form"), SMUGGLED):
        for method, route in sorted(page_change_routes(), key=lambda item: "sign" in item[1].path):
            if "sign" in route.path or "account" in route.path:  # some of these end all sessions of the sender
                visitor = whole.another_steward()
            elif visitor is None or visitor.member != whole.member:
                visitor = whole.steward()
            for fields in hostile_forms(route, text):
                token = form_token_on(visitor.get("/sign-in/link/none").text)
                address = whole.fill(route.path, **whole.spare)
                response = visitor.client.request(method, address, data={**fields, "form_token": token})
                assert response.status_code < 500, (route.path, fields)
                assert markup_on(response) == [], (route.path, fields)
                assert_no_smuggled_header(response)
                if response.status_code == 303:
                    assert markup_on(visitor.get("/review")) == [], "the flash message on the next page"


def test_restored_form_values_never_become_markup(whole: FullNetwork) -> None:
    """The restored form holds names and values from a client that was not signed in."""
    stranger = PageClient(whole.ctx, app=whole.app)
    fields = {
        hostile_text("keptname"): hostile_text("kept"),
        "f.name": f"{hostile_text('kept')} longer than forty characters in all",
    }
    page = stranger.post(whole.fill("/drafts/{draft_id}/decide"), data=fields)
    assert page.status_code == 401
    assert markup_on(page) == []
    assert "pm-kept" in page.text


def test_scripts_and_templates_never_insert_raw_markup(whole: FullNetwork, steward: PageClient) -> None:
    script = steward.get(f"/static/{assets_version()}/app.js").text
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", script) == []
    templates = Path(middleware.__file__).parent / "templates"
    sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted(templates.rglob("*.html")))
    assert re.findall(r"\|\s*safe\b(?! }}</style>)|\son[a-z]+=|<script>|\sstyle=|javascript:", sources) == []


# Exports --------------------------------------------------------------------------------------------------------------

FORMULAS = (
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    " =1",
    "\u00a0=1",
)


def test_export_cells_never_become_formulas(whole: FullNetwork) -> None:
    for formula in FORMULAS:
        text = format_rows([{"a": formula, "b": 7}], "csv")
        cell = next(line for line in text.partition("\n")[2].split(",") if line)
        assert cell.strip('"').startswith("'"), (formula, text)
    assert format_rows([{"a": -0.5, "b": "a = b - c"}], "csv") == "a,b\n-0.5,a = b - c\n"
    for what in EXPORT_NAMES:
        for row in export_rows(whole.ctx.store, what):
            assert "169.254" not in str(row.get("links", "")), what


# Headers --------------------------------------------------------------------------------------------------------------


def assert_no_smuggled_header(response: Any) -> None:
    for name, value in response.headers.raw:
        assert not re.search(rb"[\r\n\0]", name + value), (name, value)
    assert "x-evil" not in response.headers


def test_line_breaks_never_reach_headers(whole: FullNetwork, steward: PageClient) -> None:
    stranger = PageClient(whole.ctx, app=whole.app)
    smuggled = quote(SMUGGLED, safe="")
    for route in page_get_routes():
        names = text_parameters(route, "query")
        for visitor in (steward, stranger):
            assert_no_smuggled_header(visitor.get(whole.fill(route.path), params=dict.fromkeys(names, SMUGGLED)))
            for name in re.findall(r"\{(\w+)", route.path):
                assert_no_smuggled_header(visitor.get(whole.fill(route.path, **{name: smuggled})))
    for request_id in ("abcdefgh\r\nx-evil: 1", "abcdefgh\nx", "a" * 65, "<pm-id>12345"):
        assert steward.get("/", headers={"x-request-id": request_id}).headers["x-request-id"] != request_id
    prereading = {"theme": whole.ids["theme_id"], "session": SMUGGLED}
    token = form_token_on(steward.get("/settings/account").text)
    for format in ("md", "html", "docx", "pdf"):
        address = f"/api/v1/prereadings?format={format}"
        response = steward.post(address, json=prereading, headers={"x-form-token": token})
        assert response.status_code < 500, format
        assert_no_smuggled_header(response)
        if format in {"md", "html"}:
            assert format == "md" or markup_on(response) == []


def test_responses_forbid_framing_sniffing_and_caching(whole: FullNetwork, steward: PageClient) -> None:
    stranger = PageClient(whole.ctx, app=whole.app)
    addresses = [whole.fill(route.path) for route in page_get_routes()]
    addresses += ["/nowhere", "/drafts/none", "/api/v1/network", "/api/v1/nowhere", "/api/v1/docs", "/healthz"]
    for address in addresses:
        for visitor in (steward, stranger):
            headers = visitor.get(address).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"], address
            assert "unsafe" not in headers["content-security-policy"], address
            assert headers["x-content-type-options"] == "nosniff", address
            assert headers["cross-origin-opener-policy"] == "same-origin", address
            assert headers["cross-origin-resource-policy"] == "same-origin", address
            assert headers["referrer-policy"] in {"no-referrer", "same-origin"}, address
            assert headers["cache-control"] == "no-store" or address.startswith("/static/"), address
            assert "access-control-allow-origin" not in headers, address
            assert "server" not in headers, address


# Files and addresses --------------------------------------------------------------------------------------------------

UPWARDS = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/patternmind.db",
    "..%252f..%252fetc%252fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "app.css%00.db",
    "..",
    ".",
    "%c0%ae%c0%ae/patternmind.db",
)


def test_path_parameters_never_lead_to_files(whole: FullNetwork, steward: PageClient) -> None:
    for name, route in all_routes():
        if "GET" not in name or "{" not in route.path:
            continue
        path = name.partition(" ")[2]
        for part in re.findall(r"\{(\w+)", path):
            for upwards in UPWARDS:
                response = steward.get(whole.fill(path, **{part: upwards}))
                assert response.status_code < 500, (path, upwards)
                assert not any(secret in response.content for secret in SECRET_FILES), (path, upwards)
    for upwards in UPWARDS:
        assert steward.get(f"/static/{assets_version()}/{upwards}").status_code in {404, 405}, upwards


def test_uploaded_file_names_stay_in_their_folder(whole: FullNetwork, steward: PageClient) -> None:
    token = form_token_on(steward.get("/settings/account").text)
    before = sorted(whole.ctx.settings.home.rglob("*"))
    for name in (*UPWARDS, "../x.csv", "/etc/x.csv", ".x.csv", "a/../../x.csv", "a\\..\\x.csv", "x\0.csv", "x\n.csv"):
        address = f"/api/v1/imports?dry_run=true&filename={name if '%' in name else quote(name, safe='')}"
        response = steward.post(address, content=b"id,text\n1,x\n", headers={"x-form-token": token})
        assert response.status_code in {400, 422}, (name, response.text)
    assert sorted(whole.ctx.settings.home.rglob("*")) == before


REACHED: list[str] = []
WATCHED = {"on": False}


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not WATCHED["on"]:
        return
    if event in {"socket.connect", "socket.getaddrinfo", "urllib.Request", "subprocess.Popen", "os.system"}:
        REACHED.append(f"{event} {arguments!r}")
    elif event == "open" and str(arguments[0]).startswith("/etc/passwd"):
        REACHED.append(f"{event} {arguments[0]}")


@pytest.fixture
def reached() -> Iterator[list[str]]:
    """Yield the process's outside accesses; an audit hook cannot be bypassed or removed."""
    if "added" not in WATCHED:
        sys.addaudithook(_watch)
        WATCHED["added"] = True
    REACHED.clear()
    WATCHED["on"] = True
    yield REACHED
    WATCHED["on"] = False


def test_links_in_cases_are_never_followed(whole: FullNetwork, steward: PageClient, reached: list[str]) -> None:
    for route in page_get_routes():
        steward.get(whole.fill(route.path))
    token = form_token_on(steward.get("/settings/account").text)
    for format in ("md", "html", "pdf", "docx"):
        for body in ({"theme": whole.ids["theme_id"]}, {"case": whole.ids["case_id"], "session": "<img src=//x.test>"}):
            created = steward.post(f"/api/v1/prereadings?format={format}", json=body, headers={"x-form-token": token})
            assert created.status_code == 201, created.text
        assert steward.get(f"/api/v1/playbook?format={format}").status_code == 200
    for what in ("cases", "drafts", "patterns", "themes", "assignments"):
        assert steward.get(f"/api/v1/export/{what}").status_code == 200
    assert reached == []


# Limits -------------------------------------------------------------------------------------------------------------


def test_routes_enforce_body_limit_with_and_without_content_length(
    whole: FullNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload limit is lowered, so that the test does not send 64 MB."""
    monkeypatch.setattr(middleware, "MAX_IMPORT_BYTES", MAX_BODY_BYTES)
    form = {"content-type": "application/x-www-form-urlencoded"}
    for name, _ in all_routes():
        method = name.partition("'")[2].partition("'")[0]
        if method == "GET":
            continue
        address = whole.fill(name.partition(" ")[2], **whole.spare) + "?filename=a.csv"
        visitor = whole.steward()
        limit = max(MAX_BODY_BYTES, middleware.MAX_IMPORT_BYTES)
        announced = visitor.client.request(method, address, headers={**form, "content-length": str(limit + 1)})
        assert announced.status_code == 413, name
        unannounced = visitor.client.request(method, address, content=chunks(limit + 1), headers=form)
        assert unannounced.status_code == 413, name
    uploader = whole.steward()
    token = form_token_on(uploader.get("/settings/account").text)
    headers = {"x-form-token": token, "content-type": "application/octet-stream"}
    address = "/api/v1/imports?filename=a.csv&dry_run=true"
    assert uploader.post(address, content=chunks(MAX_BODY_BYTES + 1), headers=headers).status_code == 413
    assert list(whole.ctx.settings.home.glob(".upload-*")) == []


def chunks(n: int) -> Iterator[bytes]:
    """Yield a body without a Content-Length."""
    for start in range(0, n, 65_536):
        yield b"a" * min(65_536, n - start)


def test_stalled_body_times_out(whole: FullNetwork) -> None:
    """The middleware gets a short timeout, so that the test is quick."""
    app = middleware.SecurityMiddleware(whole.app, is_local=True, body_timeout_seconds=0.05)
    messages: list[Any] = []
    pieces = iter([{"type": "http.request", "body": b"name=", "more_body": True}])

    async def receive() -> Any:
        return next(pieces, None) or await asyncio.Event().wait()

    async def send(message: Any) -> None:
        messages.append(message)

    form = [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": "/sign-in", "raw_path": b"/sign-in", "query_string": b"",
             "headers": form, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8765), "scheme": "http"}  # fmt: skip
    run_coroutine(app(scope, receive, send))
    assert messages[0]["status"] == 408
    assert b"stopped arriving" in messages[1]["body"]


def test_malformed_bodies_never_cause_server_errors(whole: FullNetwork) -> None:
    many = "&".join(f"a{n}=1" for n in range(2_000)).encode()
    parts = b"".join(b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n' for _ in range(400)) + b"--b--"
    half = b'--b\r\ncontent-disposition: form-data; name="a'
    forms = {
        "application/x-www-form-urlencoded": (many, b"%", b"version=%ff&decision=%00", b"a" * 500_000),
        "multipart/form-data; boundary=b": (parts, half, b"", b"--b\r\n\r\n"),
        "multipart/form-data": (b"x",),
    }
    numbers = b'{"action": ' + b"9" * 100_000 + b"}"
    texts = {"application/json": (b"[" * 200_000, numbers, b"\xff\xfe", b"{", b"NaN", b'{"by": "\\ud800"}', b"null")}
    visitor = whole.steward()
    token = form_token_on(visitor.get("/settings/account").text)
    for name, _ in all_routes():
        method, path = name.partition("'")[2].partition("'")[0], name.partition(" ")[2]
        if method == "GET" or path.startswith("/sign-"):
            continue
        address = whole.fill(path, **whole.spare) + "?filename=a.csv&dry_run=true"
        for kind, bodies in (texts if path.startswith("/api/") else forms).items():
            for body in bodies:
                headers = {"content-type": kind, "x-form-token": token}
                response = visitor.client.request(method, address, content=body, headers=headers)
                assert response.status_code < 500, (name, kind, body[:40])
                if not path.startswith("/api/"):
                    bare = visitor.client.request(method, address, content=body, headers={"content-type": kind})
                    assert bare.status_code in {400, 403}, (name, kind, body[:40])


# Cross-site requests -------------------------------------------------------------------------------------------------

ELSEWHERE = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": f"{BASE_URL}.evil.example"},
    {"origin": "http://127.0.0.1:8766"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
)


def test_changes_need_form_token_and_same_site(whole: FullNetwork) -> None:
    """Send every changing request with a steward's cookie but without a valid form token."""
    visitor, other = whole.steward(), whole.steward()
    token, foreign = (form_token_on(client.get("/settings/account").text) for client in (visitor, other))
    before = everything_stored(whole)
    n_requests = 0
    for name, _ in all_routes():
        method, address = name.partition("'")[2].partition("'")[0], name.partition(" ")[2]
        if method == "GET":
            continue
        filled = whole.fill(address)
        for fields in ({}, {"form_token": ""}, {"form_token": foreign}, {"form_token": token.upper()}):
            for headers in ({}, {"sec-fetch-site": "none"}, {"origin": BASE_URL}):
                response = visitor.client.request(method, filled, data=fields, headers=headers)
                assert response.status_code == 403, (name, fields, headers)
        for headers in ELSEWHERE:
            form = {"form_token": token}
            response = visitor.client.request(method, filled, data=form, headers=headers)
            assert response.status_code == 403, (name, headers)
            assert response.headers.get_list("set-cookie") == [], name
        n_requests += 1
    assert n_requests >= 20
    assert everything_stored(whole) == before
    assert visitor.get("/settings/account").status_code == 200


def test_read_requests_change_no_data(whole: FullNetwork, steward: PageClient) -> None:
    """Other sites can make a browser send GET requests, so these must not change anything."""
    steward.get("/")
    before = everything_stored(whole)
    for name, _ in all_routes():
        if "GET" in name:
            steward.get(whole.fill(name.partition(" ")[2]), headers={"sec-fetch-site": "cross-site"})
    assert everything_stored(whole) == before


def test_foreign_host_names_are_rejected(whole: FullNetwork, steward: PageClient) -> None:
    """DNS rebinding makes a browser send another site's requests to this server."""
    hosts = ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8765", "127.0.0.1@evil.example", "", "[")
    for name, _ in all_routes():
        method, address = name.partition("'")[2].partition("'")[0], name.partition(" ")[2]
        for host in hosts[: 6 if method == "GET" else 1]:
            headers = {"host": host, "origin": f"http://{host}"}
            response = steward.client.request(method, whole.fill(address), headers=headers)
            assert response.status_code in {400, 403}, (name, host)


def test_sign_in_link_ignores_forwarded_host(whole: FullNetwork, steward: PageClient) -> None:
    forwarded = {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example", "x-forwarded-proto": "ftp"}
    page = steward.send(
        whole.fill("/settings/members/{member_id}/link"), page="/settings/members", headers=forwarded
    ).text
    assert f"{BASE_URL}/sign-in/link/" in page
    assert "evil.example" not in page


# Sign-in -----------------------------------------------------------------------------------------------------------

AWAY = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\x00/evil.example",
    "evil.example",
    "@evil.example",
    "?x",
    "",
    "/a\r\nlocation: https://evil.example",
)


def target_host(location: str) -> str:
    """Return the host a browser opens: it drops tabs and line ends and reads a backslash as a slash."""
    read = re.sub(r"[\t\r\n]", "", location.strip("\x00\x20")).replace("\\", "/")
    return urlsplit(urljoin(f"{BASE_URL}/sign-in", read)).netloc


def test_sign_in_redirects_only_to_own_server(whole: FullNetwork, steward: PageClient) -> None:
    own_host = urlsplit(BASE_URL).netloc
    for away in AWAY:
        assert target_host(safe_redirect_path(away)) == own_host, away
        redirect = steward.get("/sign-in", params={"next": away})
        assert (redirect.status_code, target_host(redirect.headers["location"])) == (303, own_host), away
        form = PageClient(whole.ctx, app=whole.app).get("/sign-in", params={"next": away}).text
        match = re.search(r'name="next" value="([^"]*)"', form)
        assert match
        assert target_host(unescape(match[1])) == own_host, away
        resumed = steward.send(
            "/sign-in/again", {"next": away, "kept": '{"fields": [["a", "b"]], "files": []}'}, page="/settings/account"
        )
        action = re.search(r'action="([^"]*)"', resumed.text.partition("Your text is still here")[2])
        assert action
        assert target_host(unescape(action[1])) == own_host, away
    assert safe_redirect_path("/drafts/d-1?claim=2#evidence") == "/drafts/d-1?claim=2#evidence"


def add_plain_member(whole: FullNetwork, name: str) -> Member:
    return add_member(whole.ctx.accounts.members, whole.ctx.clock, "default", name, [Role.MEMBER])


def test_sign_in_replaces_planted_session(whole: FullNetwork) -> None:
    """An attacker plants a chosen cookie, or their own session, in the victim's browser."""
    member = add_plain_member(whole, "Vic Tim")
    planted = whole.steward()
    for former in ("known-to-the-attacker", planted.secret):
        victim = PageClient(whole.ctx, app=whole.app)
        victim.client.cookies.set(PLAIN_COOKIE, former, domain="127.0.0.1")
        link = create_sign_in_link(whole.ctx.accounts.sign_in_links, whole.ctx.clock, member, is_confined=True)
        response = victim.send(f"/sign-in/link/{link}", page=f"/sign-in/link/{link}")
        assert response.status_code == 303
        cookie = next(cookie for cookie in response.headers.get_list("set-cookie") if cookie.startswith(PLAIN_COOKIE))
        assert former not in cookie
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.casefold()
        attacker = PageClient(whole.ctx, app=whole.app)
        attacker.client.cookies.set(PLAIN_COOKIE, former, domain="127.0.0.1")
        assert attacker.get("/settings/account").status_code == 303, "the former session is invalid"


def test_form_token_is_bound_to_session_and_does_not_reveal_it(whole: FullNetwork, steward: PageClient) -> None:
    token = form_token_on(steward.get("/settings/account").text)
    assert steward.secret not in steward.get("/settings/account").text
    assert token != form_token(whole.ctx, None)
    assert len(token) == 64


def test_password_attempts_are_limited(whole: FullNetwork) -> None:
    whole.app.state.shared.ctx.__dict__["passwords"] = _Wrong()
    stranger = PageClient(whole.ctx, app=whole.app)
    responses: Sequence[Any] = [
        stranger.send("/sign-in", {"sign_in_name": "stella-ward", "password": f"guess {n}"}, page="/sign-in")
        for n in range(12)
    ]
    assert [response.status_code for response in responses] == [422] * 10 + [429] * 2
    assert int(responses[-1].headers["retry-after"]) > 0


class _Wrong:
    """A password hasher that rejects all passwords at no cost."""

    def verify(self, password: str, hash: str) -> bool:
        return False

    def hash(self, password: str) -> str:
        return "never"

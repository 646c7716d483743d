"""Page routes: sign-in, permission and form-token checks, and template values."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Form
from jinja2 import ChoiceLoader, DictLoader
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from tests.fixtures.page_client import PageClient, form_token_on

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Action, Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import NotFound
from patternmind.settings import Settings
from patternmind.web import static_files, templating
from patternmind.web.app import make_app
from patternmind.web.dependencies import CallerDep
from patternmind.web.permissions import allows_anonymous, requires
from patternmind.web.routing import PageRoute
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

PAGES = {
    "note.html": '{% extends "base.html" %}{% block body %}<p>{{ note }}</p>'
    '<p>{{ may("edit_themes") }} {{ may("edit_themes", proposing=True) }} {{ caller.name if caller }}</p>'
    '<form method="post" action="/note">{{ form_token() }}<input name="note"></form>{% endblock %}'
}


@router.get("/note", dependencies=[requires(Action.SEE_DRAFTS)])
def read_note(request: Request, note: str = "") -> Response:
    return render(request, "note.html", note=note)


@router.post("/note", dependencies=[requires(Action.REVIEW_DRAFTS)])
def write_note(caller: CallerDep, note: Annotated[str, Form()]) -> Response:
    answer = RedirectResponse("/note", status_code=303)
    flash(answer, f"Written by {caller.name}: {len(note)} <letters> é.")
    return answer


@router.get("/open", dependencies=[allows_anonymous()])
def read_open(request: Request) -> Response:
    return render(request, "note.html", note="for all")


@router.get("/gone", dependencies=[requires(Action.SEARCH)])
def read_gone() -> Response:
    raise NotFound("note", "<7>")


def bare() -> None: ...


@pytest.fixture(autouse=True)
def _with_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    with_ours = templating.template_environment().overlay()
    usual = with_ours.loader
    assert usual is not None

    with_ours.loader = ChoiceLoader([DictLoader(PAGES), usual])
    monkeypatch.setattr(templating, "template_environment", lambda: with_ours)


@pytest.fixture
def app(tmp_path: Any) -> tuple[AppContext, Any]:
    ctx = AppContext(Settings(home=tmp_path), encoder=HashingEncoder())
    made = make_app(ctx)
    made.include_router(router)
    return ctx, made


def test_anonymous_caller_is_redirected_to_sign_in_and_back(app: tuple[AppContext, Any]) -> None:
    stranger = PageClient(app[0], app=app[1])
    led = stranger.get("/note?note=a%20b&x=1")
    assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=/note%3Fnote%3Da%2520b%26x%3D1")
    assert stranger.post("/note").headers["location"] == "/sign-in"
    assert stranger.get("/open").status_code == 200


def test_forbidden_caller_gets_an_error_page(app: tuple[AppContext, Any]) -> None:
    response = PageClient(app[0], Role.MEMBER, app=app[1]).get("/note")
    assert (response.status_code, response.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "None of your roles" in response.text


def test_missing_resource_returns_a_page(app: tuple[AppContext, Any]) -> None:
    gone = PageClient(app[0], Role.MEMBER, app=app[1]).get("/gone")
    assert gone.status_code == 404
    assert "&lt;7&gt;" in gone.text


def test_form_with_token_is_accepted_and_confirmed_once(app: tuple[AppContext, Any]) -> None:
    ada = PageClient(app[0], Role.FACILITATOR, app=app[1])
    sent = ada.send("/note", {"note": "seven"}, page="/note")
    assert (sent.status_code, sent.headers["location"]) == (303, "/note")
    assert "Written by Ada Berg: 5 &lt;letters&gt; é." in ada.get("/note").text
    assert "Written by" not in ada.get("/note").text


def test_form_is_refused_without_token_of_its_session(app: tuple[AppContext, Any]) -> None:
    bo = PageClient(app[0], Role.FACILITATOR, name="Bo Lind", app=app[1])
    token_of_bo = form_token_on(bo.get("/note").text)
    ada = PageClient(app[0], Role.FACILITATOR, app=app[1])
    for fields in ({}, {"form_token": ""}, {"form_token": "é"}, {"form_token": token_of_bo}):
        refused = ada.post("/note", data={"note": "what I wrote", **fields})
        assert refused.status_code == 403
        assert 'name="note" value="what I wrote"' in refused.text, "it can be sent again with one press"
        elsewhere = ada.post("/note", data={"note": "x", **fields}, headers={"sec-fetch-site": "none"})
        assert elsewhere.status_code == 403
        assert "belongs to another session" in elsewhere.text
    assert ada.post("/note", content=b"{}", headers={"content-type": "application/json"}).status_code == 403
    own = {"x-form-token": form_token_on(ada.get("/note").text)}
    assert ada.post("/note", data={"note": "x"}, headers=own).status_code == 303


def test_form_from_another_site_is_refused(app: tuple[AppContext, Any]) -> None:
    ada = PageClient(app[0], Role.FACILITATOR, app=app[1])
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}):
        assert ada.send("/note", {"note": "x"}, page="/note", headers=headers).status_code == 403


def test_page_policy_allows_only_own_files(app: tuple[AppContext, Any]) -> None:
    headers = PageClient(app[0], Role.STEWARD, app=app[1]).get("/note").headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_template_receives_caller_and_permissions(app: tuple[AppContext, Any]) -> None:
    assert "<p>True True Ada Berg</p>" in PageClient(app[0], Role.FACILITATOR, app=app[1]).get("/note").text
    assert "<p>False True Cy</p>" in PageClient(app[0], Role.DATA_PARTNER, name="Cy", app=app[1]).get("/note").text


def test_route_without_permission_cannot_be_created() -> None:
    with pytest.raises(RuntimeError, match="must declare exactly one permission"):
        PageRoute("/bare", bare)


def test_static_files_are_cached_by_content_digest(
    app: tuple[AppContext, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_files, "_file_contents", lambda: {"a.css": b"p { color: red }"})
    static_files.assets_version.cache_clear()
    try:
        stranger = PageClient(app[0], app=app[1])
        address = static_files.asset_url("a.css")
        response = stranger.get(address)
        assert (response.content, response.headers["content-type"]) == (b"p { color: red }", "text/css; charset=utf-8")
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert stranger.get("/static/older/a.css").headers["cache-control"] == "no-store"
        for missing in ("b.css", "..%2Fapp.py", "%2e%2e/a.css"):
            assert stranger.get(f"/static/{static_files.assets_version()}/{missing}").status_code == 404
    finally:
        static_files.assets_version.cache_clear()


def test_unknown_path_returns_page_or_problem_details(app: tuple[AppContext, Any]) -> None:
    ada = PageClient(app[0], Role.MEMBER, app=app[1])
    for visitor in (ada, PageClient(app[0], app=app[1])):
        page = visitor.get("/nowhere", headers={"accept": "text/html,*/*"})
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "Page not found" in page.text
        for address, accept in (("/nowhere", "*/*"), ("/api/v1/nowhere", "text/html")):
            problem = visitor.get(address, headers={"accept": accept})
            assert (problem.status_code, problem.json()["status"]) == (404, 404)


def test_invalid_page_request_returns_an_error_page(app: tuple[AppContext, Any]) -> None:
    ada = PageClient(app[0], Role.FACILITATOR, app=app[1])
    token = {"x-form-token": form_token_on(ada.get("/note").text)}
    many = {f"a{n}": (None, "x") for n in range(301)}
    for answer, status, words in (
        (ada.get("/review?start=soon"), 422, "query.start"),
        (ada.post("/note", headers=token), 422, "body.note"),
        (ada.post("/note", files=many), 400, "Go back"),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert words in answer.text

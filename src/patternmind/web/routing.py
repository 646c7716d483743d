"""Route classes that authenticate, authorise and de-duplicate a request before its handler runs."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.types import DecoratedCallable
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.domain.permissions import Action
from patternmind.errors import PatternmindError
from patternmind.web.audit import record_change
from patternmind.web.auth import BEARER_SCHEME
from patternmind.web.caller import Caller
from patternmind.web.etags import etag_headers
from patternmind.web.forms import parse_saved_form, serialize_form, verify_form_token
from patternmind.web.idempotency import ACCEPTS_IDEMPOTENCY_KEY, Endpoint, respond_to_api_request, respond_to_form
from patternmind.web.middleware import SAFE_METHODS
from patternmind.web.permissions import Permission, permissions_of, requires
from patternmind.web.problems import (
    COMMON_PROBLEM_RESPONSES,
    FORM_REFUSED,
    KIND_BY_STATUS,
    MALFORMED,
    NOT_FOUND,
    TOKEN_NEEDED,
    HTTPProblem,
    build_problem,
    problem_from_error,
    problem_responses,
    validation_problem,
)
from patternmind.web.state import get_app_state
from patternmind.web.templating import error_page, render

API_PREFIX = "/api/v1"

GO_BACK_DETAIL = "Go back and try again; the form still has your input."


class AuthorizedRoute(APIRoute):
    """Base of the route classes; it checks access before the request body is read."""

    @property
    def permission(self) -> Permission:
        """The permission that the route declares.

        Raises:
            RuntimeError: the route declares none, or several.
        """
        declared = permissions_of(self.dependencies)
        if len(declared) != 1:
            raise RuntimeError(f"{self.path} must declare exactly one permission, but declares {len(declared)}")
        return declared[0]


class ApiRoute(AuthorizedRoute):
    """A route of the API; rejected requests get problem details.

    Scripts of our own pages may send the session cookie; to change something, they also send the page's form token.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler, permission = super().get_route_handler(), self.permission

        async def handle(request: Request) -> Response:
            app_state = get_app_state(request)
            caller = request.state.caller = await run_in_threadpool(app_state.identify_caller, request)
            authorize(request, permission)
            if caller.session is not None:
                await verify_form_token(request)
            return await respond_to_api_request(request, _with_audit(handler, permission))

        return handle


class PageRoute(AuthorizedRoute):
    """A route of a page; rejected requests get the sign-in form or an error page.

    A form must hold the token of its page (``{{ form_token() }}``); a script sends it in a header.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler, permission = super().get_route_handler(), self.permission

        async def handle(request: Request) -> Response:
            try:
                request.state.caller = await run_in_threadpool(_identify_reader, request, permission)
                authorize(request, permission)
                await verify_form_token(request)
                return await respond_to_form(request, _with_audit(handler, permission))
            except HTTPProblem as error:
                return await _rejection_response(request, error)
            except PatternmindError as error:
                problem = problem_from_error(error, request_id=request.state.request_id)
            except RequestValidationError as error:
                problem = validation_problem(error, request_id=request.state.request_id)
            except HTTPException as error:
                problem = build_problem(
                    KIND_BY_STATUS.get(error.status_code, MALFORMED),
                    GO_BACK_DETAIL,
                    request_id=request.state.request_id,
                )
            return error_page(request, problem.title, problem.detail, problem.status)

        return handle


class RouteDecorator(Protocol):
    """Decorator of a handler; it returns the handler unchanged."""

    def __call__(self, handler: DecoratedCallable, /) -> DecoratedCallable: ...


class AuthorizedRouter(APIRouter):
    """Base of the routers; a route gives its name and the action it requires after its path."""

    def get(self, path: str, name: str | None = None, action: Action | None = None, **options: Any) -> RouteDecorator:
        return super().get(path, name=name, **self.route_options(action, **options))

    def post(self, path: str, name: str | None = None, action: Action | None = None, **options: Any) -> RouteDecorator:
        return super().post(path, name=name, **self.route_options(action, **options))

    def put(self, path: str, name: str | None = None, action: Action | None = None, **options: Any) -> RouteDecorator:
        return super().put(path, name=name, **self.route_options(action, **options))

    def patch(self, path: str, name: str | None = None, action: Action | None = None, **options: Any) -> RouteDecorator:
        return super().patch(path, name=name, **self.route_options(action, **options))

    def delete(
        self, path: str, name: str | None = None, action: Action | None = None, **options: Any
    ) -> RouteDecorator:
        return super().delete(path, name=name, **self.route_options(action, **options))

    def route_options(
        self, action: Action | None, *, own: bool = False, proposing: bool = False, **options: Any
    ) -> dict[str, Any]:
        """Return the options of a FastAPI route that requires the action; see ``permissions.Permission``."""
        permission = [requires(action, own=own, proposing=proposing)] if action else []
        return {**options, "dependencies": [*permission, *options.get("dependencies", ())]}


class PageRouter(AuthorizedRouter):
    """Router of pages."""

    def __init__(self) -> None:
        super().__init__(route_class=PageRoute, include_in_schema=False)


class ApiRouter(AuthorizedRouter):
    """Router of one API resource; POST routes accept an ``Idempotency-Key``."""

    def __init__(self, tag: str) -> None:
        super().__init__(
            prefix=API_PREFIX,
            route_class=ApiRoute,
            tags=[tag],
            dependencies=[Depends(BEARER_SCHEME)],
            responses=COMMON_PROBLEM_RESPONSES,
            generate_unique_id_function=lambda route: route.name,
        )

    def post(
        self,
        path: str,
        name: str | None = None,
        action: Action | None = None,
        *,
        is_replayable: bool = True,
        **options: Any,
    ) -> RouteDecorator:
        key = [ACCEPTS_IDEMPOTENCY_KEY] if is_replayable else []
        return super().post(path, name, action, dependencies=key, **options)

    def route_options(
        self, action: Action | None, *, problems: Sequence[int] = (), etag: str = "", **options: Any
    ) -> dict[str, Any]:
        """Return the options of a FastAPI route with its documented responses.

        Args:
            action: the action that the route requires.
            problems: statuses of problems that its signature does not imply; see ``openapi.build_openapi``.
            etag: what the ETag of its response is the version of.
            options: further options of the route.
        """
        responses = {**options.pop("responses", {}), **problem_responses(*problems)}
        if etag:
            status = options.get("status_code", 200)
            responses[status] = {**responses.get(status, {}), **etag_headers(f"Version of the {etag}.")}
        return super().route_options(action, responses=responses, **options)


def _with_audit(handler: Endpoint, permission: Permission) -> Endpoint:
    """Wrap a handler so that it writes an audit entry after a change."""

    async def audited(request: Request) -> Response:
        response = await handler(request)
        await run_in_threadpool(record_change, request, response, permission.action)
        return response

    return audited


async def _rejection_response(request: Request, error: HTTPProblem) -> Response:
    """Return the sign-in form or an error page; a submitted form is kept, so that no input is lost."""
    if error.kind is TOKEN_NEEDED:
        saved_form = await serialize_form(request)
        if saved_form is None:
            return RedirectResponse(sign_in_url(request), status_code=303)
        return render(
            request, "sign_in/form.html", 401, next=request.url.path, saved_form=saved_form, error="", sign_in_name=""
        )
    if error.kind is FORM_REFUSED and request.headers.get("sec-fetch-site") == "same-origin":
        saved_form = await serialize_form(request)
        if saved_form is not None and request.state.caller is not None:
            return render(
                request, "sign_in/resume.html", 403, target=request.url.path, form=parse_saved_form(saved_form)
            )
    return error_page(request, error.kind.title, error.detail, error.status_code, headers=error.headers)


def _identify_reader(request: Request, permission: Permission) -> Caller | None:
    """Return the signed-in caller; None for an anonymous caller of a page that allows it.

    Pages need a session even on the local machine: a member has a name to decide under.
    """
    try:
        caller = get_app_state(request).identify_caller(request)
    except HTTPProblem as error:
        if permission.action is None and error.kind is TOKEN_NEEDED:
            return None
        raise
    if caller.session is not None:
        return caller
    if permission.action is None:
        return None
    raise HTTPProblem(TOKEN_NEEDED, "Sign in first.")


async def not_found_page(request: Request) -> Response:
    """Render the page for an unknown path."""
    try:
        request.state.caller = await run_in_threadpool(_identify_reader, request, Permission(None))
    except HTTPProblem:
        request.state.caller = None
    return error_page(request, "Page not found", "The link may be outdated or mistyped.", NOT_FOUND.status)


def authorize(request: Request, permission: Permission) -> None:
    """Check that the caller has the permission of the route.

    Raises:
        HTTPProblem: they do not.
    """
    if permission.action is not None:
        is_read = request.method in SAFE_METHODS
        request.state.caller.require(permission.action, permission.own, proposing=permission.proposing, reading=is_read)
    request.state.permission = permission


def sign_in_url(request: Request) -> str:
    """Return the URL of the sign-in page, which redirects back to the requested page."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/sign-in?next={quote(target, safe='/')}" if request.method == "GET" else "/sign-in"

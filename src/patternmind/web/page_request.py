"""The request for a page, as the handlers of pages get it."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from patternmind.bootstrap import AppContext
from patternmind.ports import Accounts, Store
from patternmind.web.caller import Caller
from patternmind.web.dependencies import get_caller, get_network_context
from patternmind.web.state import get_app_state
from patternmind.web.templating import render


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page by a signed-in member, with the context of their network."""

    request: Request
    ctx: AppContext
    caller: Caller

    @property
    def store(self) -> Store:
        return self.ctx.store

    @property
    def accounts(self) -> Accounts:
        """The accounts of all networks."""
        return get_app_state(self.request).ctx.accounts

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render a template; see ``templating.render``."""
        return render(self.request, template, status, **values)


def _page_request(request: Request) -> PageRequest:
    return PageRequest(request, get_network_context(request).ctx, get_caller(request))


PageDep = Annotated[PageRequest, Depends(_page_request)]

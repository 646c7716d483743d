"""The permission a route requires, declared once in the route's ``dependencies``.

    @router.post("/runs", dependencies=[requires(Action.START_RUN)])

The route classes of ``web.routing`` check it before they read the request body. A test walks all routes and fails for
those that declare none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, params
from starlette.requests import Request

from patternmind.domain.permissions import Action


@dataclass(frozen=True, slots=True)
class Permission:
    """The action a route requires; None for a route that is open to anonymous callers.

    Attributes:
        own: callers who may do it only to their own things are let in too; the handler then checks the owner.
        proposing: the request creates a proposal that another person decides.
    """

    action: Action | None
    own: bool = False
    proposing: bool = False

    async def __call__(self, request: Request) -> None:
        """Fail if no ``AuthorizedRoute`` has checked this permission, which is a programming error."""
        if self.action is not None and getattr(request.state, "permission", None) != self:
            raise RuntimeError(f"{request.scope['route'].path} requires a permission but does not check it")


def requires(action: Action, *, own: bool = False, proposing: bool = False) -> Any:
    return Depends(Permission(action, own=own, proposing=proposing))


def allows_anonymous() -> Any:
    """Declare a route open to every caller; it must not return anything from the data folder."""
    return Depends(Permission(None))


def permissions_of(dependencies: Iterable[params.Depends]) -> list[Permission]:
    """Return the permissions among a route's dependencies; exactly one is expected."""
    return [entry.dependency for entry in dependencies if isinstance(entry.dependency, Permission)]

"""What a route needs: one action of the matrix, or nothing. Declared once, in the route's ``dependencies``.

    @router.post("/runs", dependencies=[needs(Action.START_RUN)])

The door (``web.door``) reads it before the body of a request; a test walks all routes and finds those without.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, params
from starlette.requests import Request

from patternmind.domain.permissions import Action


@dataclass(frozen=True, slots=True)
class Permission:
    """``action`` is None for a route that is open to anybody.

    Attributes:
        own: who may do it to what is their own comes in too; the route then checks whose it is.
        proposing: what is done here is a proposal that somebody else decides on.
    """

    action: Action | None
    own: bool = False
    proposing: bool = False

    async def __call__(self, request: Request) -> None:
        """Nobody comes past the door unseen: a route that declares a need and has no door is a mistake."""
        if self.action is not None and getattr(request.state, "admitted", None) != self:
            raise RuntimeError(f"{request.scope['route'].path} declares a need and is not behind a door")


def requires(action: Action, *, own: bool = False, proposing: bool = False) -> Any:
    return Depends(Permission(action, own=own, proposing=proposing))


def allows_anonymous() -> Any:
    """For what anybody who reaches the server may read: nothing of it comes from the data folder."""
    return Depends(Permission(None))


def permissions_of(dependencies: Iterable[params.Depends]) -> list[Permission]:
    """The needs among a route's dependencies; there should be exactly one."""
    return [one.dependency for one in dependencies if isinstance(one.dependency, Permission)]

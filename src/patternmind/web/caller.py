"""The authenticated sender of a request, with their permissions."""

from dataclasses import dataclass

from patternmind.domain import permissions
from patternmind.domain.members import LOCAL_USER, ApiToken, Member, Session
from patternmind.domain.permissions import ALL_ROLES, Action, Role
from patternmind.errors import UsageError
from patternmind.settings import DEFAULT_NETWORK
from patternmind.web.problems import FORBIDDEN, HTTPProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The authenticated sender of a request, with their permissions.

    Attributes:
        name: the name that decisions are logged under; None for the local user, before any member or token exists.
        actions: the actions that the token is limited to; None for everything the roles allow.
    """

    name: str | None
    member: Member | None = None
    roles: frozenset[Role] = ALL_ROLES
    actions: frozenset[Action] | None = None
    network_id: str = DEFAULT_NETWORK
    session: Session | None = None
    token: ApiToken | None = None

    def may(self, action: Action, own: bool = False, *, proposing: bool = False, reading: bool = False) -> bool:
        """Return True if the caller may perform the action; see ``domain.permissions.is_allowed``."""
        if self.actions is not None and action not in self.actions:
            return False
        return permissions.is_allowed(self.roles, action, is_own=own, is_proposal=proposing, is_read=reading)

    def require(self, action: Action, own: bool = False, *, proposing: bool = False, reading: bool = False) -> None:
        """Check that the caller may perform the action.

        Raises:
            HTTPProblem: they may not.
        """
        if not self.may(action, own, proposing=proposing, reading=reading):
            raise HTTPProblem(FORBIDDEN, "None of your roles in this network allows this. Ask a steward for access.")

    def actor_name(self, actor: str | None) -> str:
        """Return the name that a decision is logged under.

        Args:
            actor: the name that the request gives. The local user must give one; others may only give their own.

        Raises:
            UsageError: the name is missing, or is not the caller's.
        """
        if self.name is None:
            if actor is None or not actor.strip():
                raise UsageError(
                    'Every decision needs a person\'s name: give it in "by", or authenticate with a token.', field="by"
                )
            return actor
        if actor is not None and actor != self.name:
            raise UsageError(
                f'You are signed in as "{self.name}". Leave "by" out, or use a token of the other person.', field="by"
            )
        return self.name

    @property
    def audit_name(self) -> str:
        """The caller's name in the audit log."""
        if self.token is not None and self.member is not None:
            return f"{self.name} (token {self.token.name})"
        return f"token {self.token.name}" if self.token else self.name or LOCAL_USER

    @property
    def identity(self) -> str:
        """A key that differs between callers, sessions and tokens."""
        credential = self.token.id if self.token else self.session.sha256 if self.session else ""
        return f"{self.network_id}/{credential}"

"""Convert accounts, sessions, links, tokens and audit entries to rows and back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from patternmind.domain.members import Account, ApiToken, AuditEntry, Member, Session, SignInLink
from patternmind.domain.permissions import Action, Role

RowValues = dict[str, Any]


def roles_text(roles: frozenset[Role]) -> str:
    return " ".join(role for role in Role if role in roles)


def read_roles(text: str) -> frozenset[Role]:
    return frozenset(Role(word) for word in text.split())


def read_account(row: Row[Any]) -> Account:
    return Account(
        id=row.id, name=row.name, created_at=datetime.fromisoformat(row.created_at), password_hash=row.password_hash
    )


def read_member(row: Row[Any, Any, Any, Any, Any]) -> Member:
    return Member(
        id=row.account_id,
        network_id=row.network_id,
        name=row.name,
        roles=read_roles(row.roles),
        has_password=row.password_hash is not None,
    )


def session_row(session: Session) -> RowValues:
    return {
        "sha256": session.sha256,
        "account_id": session.account_id,
        "network_id": session.network_id,
        "created_at": session.created_at.isoformat(),
        "seen_at": session.seen_at.isoformat(),
        "confined": int(session.is_network_bound),
    }


def read_session(row: Row[Any]) -> Session:
    return Session(
        sha256=row.sha256,
        account_id=row.account_id,
        network_id=row.network_id,
        created_at=datetime.fromisoformat(row.created_at),
        seen_at=datetime.fromisoformat(row.seen_at),
        is_network_bound=bool(row.confined),
    )


def link_row(link: SignInLink) -> RowValues:
    return {
        "sha256": link.sha256,
        "account_id": link.account_id,
        "network_id": link.network_id,
        "created_at": link.created_at.isoformat(),
        "expires_at": link.expires_at.isoformat(),
        "confined": int(link.is_network_bound),
    }


def read_link(row: Row[Any]) -> SignInLink:
    return SignInLink(
        sha256=row.sha256,
        account_id=row.account_id,
        network_id=row.network_id,
        created_at=datetime.fromisoformat(row.created_at),
        expires_at=datetime.fromisoformat(row.expires_at),
        is_network_bound=bool(row.confined),
    )


def token_row(token: ApiToken) -> RowValues:
    return {
        "id": token.id,
        "name": token.name,
        "sha256": token.sha256,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "account_id": token.account_id,
        "roles": roles_text(token.roles),
        "actions": None if token.actions is None else " ".join(sorted(token.actions)),
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
    }


def read_token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        id=row.id,
        name=row.name,
        sha256=row.sha256,
        created_at=datetime.fromisoformat(row.created_at),
        expires_at=datetime.fromisoformat(row.expires_at) if row.expires_at else None,
        account_id=row.account_id,
        roles=read_roles(row.roles),
        actions=None if row.actions is None else frozenset(Action(word) for word in row.actions.split()),
        revoked_at=datetime.fromisoformat(row.revoked_at) if row.revoked_at else None,
    )


def audit_row(entry: AuditEntry) -> RowValues:
    return {
        "at": entry.at.isoformat(),
        "who": entry.who,
        "action": entry.action.value if entry.action else "",
        "did": entry.did,
        "kind": entry.kind,
        "id": entry.id,
    }


def read_audit(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        number=row.number,
        at=datetime.fromisoformat(row.at),
        who=row.who,
        action=Action(row.action) if row.action else None,
        did=row.did,
        kind=row.kind,
        id=row.id,
    )

"""The people of a network who sign in: what they are called and what they may do."""

from dataclasses import dataclass

from patternmind.model.rights import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who may sign in. ``id`` never changes; decisions are logged under ``name``."""

    id: str
    network_id: str
    name: str
    roles: frozenset[Role]

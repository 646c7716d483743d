"""Somebody at the pages and the API of a house, in a role, without a browser."""

import re
from typing import Any, cast

import httpx
from starlette.testclient import TestClient

from patternmind.bootstrap import House
from patternmind.model.members import Member
from patternmind.model.rights import Role
from patternmind.settings import DEFAULT_NETWORK
from patternmind.verbs.members import add_member
from patternmind.verbs.signing_in import begin_session
from patternmind.web.app import make_app
from patternmind.web.cookies import PLAIN_NAME

AT = "http://127.0.0.1:8765"


class Visitor:
    """A member who has signed in, in a browser without scripts: ``get`` a page, ``send`` a form of it.

    Redirects are not followed; without a role it is somebody who has not signed in. With ``member`` it is a session of
    that one.
    """

    member: Member
    secret: str

    def __init__(
        self,
        house: House,
        *roles: Role,
        name: str = "Ada Berg",
        app: Any = None,
        network: str = DEFAULT_NETWORK,
        member: Member | None = None,
    ) -> None:
        self.app = app or make_app(house)
        self.client: Any = cast(Any, TestClient)(
            self.app,
            base_url=AT,
            client=("127.0.0.1" if roles or member else "192.0.2.7", 50_000),
            headers={"sec-fetch-site": "same-origin", "origin": AT},
            follow_redirects=False,
        )
        if roles and member is None:
            _ = house.store  # opening it makes the default network
            called = f"{name} {sum(one.name.startswith(name) for one in house.accounts.members(network)) or ''}".strip()
            member = add_member(house.accounts, house.clock, network, called, roles)
        if member is not None:
            self.member = member
            self.secret = begin_session(house.accounts, house.clock, self.member.id, network_id=network).secret
            self.client.cookies.set(PLAIN_NAME, self.secret, domain="127.0.0.1")

    def get(self, address: str, **said: Any) -> httpx.Response:
        return self.client.get(address, **said)

    def post(self, address: str, **said: Any) -> httpx.Response:
        """A request as it is, without a form token."""
        return self.client.post(address, **said)

    def send(self, address: str, fields: dict[str, Any] | None = None, *, page: str, **said: Any) -> httpx.Response:
        """Send a form that stands on ``page``, with its token."""
        token = form_token_on(self.get(page).text)
        return self.client.post(address, data={**(fields or {}), "form_token": token}, **said)


def form_token_on(html: str) -> str:
    """The token of the forms on a page."""
    found = re.search(r'name="form[-_]token" (?:content|value)="([0-9a-f]+)"', html)
    assert found, "the page has no form token"
    return found[1]

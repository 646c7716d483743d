"""Fuzz all API operations as steward, page, member and anonymous caller.

``tests/acceptance/test_api_schema.py`` is the short form. PATTERNMIND_STORM sets the number of requests per operation
and caller.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from tests.acceptance.test_api_schema import (
    CHECKS,
    OPERATIONS,
    KnownIds,
    bearer,
    describe_app,
    make_described_network,
    use_known_ids,
)

from patternmind.domain.permissions import Role
from patternmind.services.authentication import start_session
from patternmind.services.members import add_member
from patternmind.services.tokens import create_token
from patternmind.settings import DEFAULT_NETWORK
from patternmind.web.app import make_app
from patternmind.web.caller import Caller
from patternmind.web.cookies import PLAIN_COOKIE
from patternmind.web.forms import form_token

pytestmark = pytest.mark.prove

AT = "http://127.0.0.1:8765"
EACH = int(os.environ.get("PATTERNMIND_STORM", "60"))
AT_LEAST = 5_000
CALLERS = ("steward", "page", "member", "anonymous")
"""Callers of the API: "page" is a script with the steward's session; the others send a token or nothing."""

answered: Counter[tuple[str, int]] = Counter()
"""Number of responses by caller and status."""


@dataclass(frozen=True, slots=True)
class Storm:
    schema: Any
    known_ids: KnownIds
    headers: Mapping[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    ctx, known_ids = make_described_network(tmp_path_factory.mktemp("storm"))
    headers: dict[str, Mapping[str, str]] = {"anonymous": {}}
    for role in (Role.STEWARD, Role.MEMBER):
        member = add_member(ctx.accounts.members, ctx.clock, DEFAULT_NETWORK, f"Storm {role.value}", [role])
        secret, _ = create_token(ctx.store.tokens, ctx.clock, role.value, lifetime_days=1, creator=member, roles=[role])
        headers[role.value] = bearer(secret)
        if role is Role.STEWARD:
            started = start_session(ctx.accounts, ctx.clock, member.id, network_id=DEFAULT_NETWORK)
            page_caller = Caller(name=member.name, member=member, roles=member.roles, session=started.session)
            headers["page"] = {
                "Cookie": f"{PLAIN_COOKIE}={started.secret}",
                "X-Form-Token": form_token(ctx, page_caller),
            }
    app = make_app(ctx)
    app.state.shared.event_streams.close()  # open streams would never end
    yield Storm(describe_app(app, ""), known_ids, headers)
    app.state.shared.stop()


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_responses_match_openapi_schema_for_each_caller(method: str, path: str, caller: str, storm: Storm) -> None:
    operation = storm.schema[path][method]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

    @seed(20261121)
    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=cases, with_known_ids=st.booleans())
    def send(case: Any, with_known_ids: bool) -> None:
        if with_known_ids:
            use_known_ids(case, storm.known_ids)
        if case.headers:  # the caller is fixed; a generated token would count as a failed attempt of the same address
            case.headers.pop("Authorization", None)
        response = case.call(base_url=AT, headers=dict(storm.headers[caller]))
        answered[caller, response.status_code] += 1
        case.validate_response(response, checks=CHECKS)
        if caller == "anonymous" and path != "/healthz":
            assert response.status_code == 401

    send()


def test_enough_requests_were_sent() -> None:
    """Check the counts of the other tests; runs last in the file."""
    total = answered.total()
    print(f"\n{total} requests on {len(OPERATIONS)} operations")
    for caller in CALLERS:
        counts = {status: n for (name, status), n in sorted(answered.items()) if name == caller}
        print(f"  {caller}: {counts}")
    assert not any(status >= 500 for _, status in answered), answered
    assert all(any(name == caller for name, _ in answered) for caller in CALLERS)
    if EACH >= 60:
        assert total >= AT_LEAST

"""The whole API under a storm of requests that schemathesis thinks of: by a steward, a page, a member, and nobody.

The short form of it stands in ``tests/acceptance/test_api_schema.py``. PATTERNMIND_STORM makes it longer or shorter:
requests an operation and caller.
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
    Known,
    bearer,
    describe_app,
    lead_somewhere,
    make_described,
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
CALLERS = ("steward", "page", "member", "nobody")
"""A page is a script of ours with the steward's session; the others send a token, or nothing."""

answered: Counter[tuple[str, int]] = Counter()
"""Answers by caller and status."""


@dataclass(frozen=True, slots=True)
class Storm:
    schema: Any
    known: Known
    headers: Mapping[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    house, known = make_described(tmp_path_factory.mktemp("storm"))
    headers: dict[str, Mapping[str, str]] = {"nobody": {}}
    for role in (Role.STEWARD, Role.MEMBER):
        member = add_member(house.accounts, house.clock, DEFAULT_NETWORK, f"Storm {role.value}", [role])
        secret, _ = create_token(house.store, house.clock, role.value, lifetime_days=1, creator=member, roles=[role])
        headers[role.value] = bearer(secret)
        if role is Role.STEWARD:
            started = start_session(house.accounts, house.clock, member.id, network_id=DEFAULT_NETWORK)
            who = Caller(name=member.name, member=member, roles=member.roles, session=started.session)
            headers["page"] = {"Cookie": f"{PLAIN_COOKIE}={started.secret}", "X-Form-Token": form_token(house, who)}
    app = make_app(house)
    app.state.shared.event_streams.close()  # they would tell for ever
    yield Storm(describe_app(app, ""), known, headers)
    app.state.shared.stop()


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_answer_is_a_failure_or_undocumented(method: str, path: str, caller: str, storm: Storm) -> None:
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
    def ask(case: Any, with_known_ids: bool) -> None:
        if with_known_ids:
            lead_somewhere(case, storm.known)
        if case.headers:  # who asks is settled here; a token made up counts against the real one's place
            case.headers.pop("Authorization", None)
        answer = case.call(base_url=AT, headers=dict(storm.headers[caller]))
        answered[caller, answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        if caller == "nobody" and path != "/healthz":
            assert answer.status_code == 401

    ask()


def test_so_many_were_asked() -> None:
    """Last of the file: what the others counted."""
    total = answered.total()
    print(f"\n{total} requests on {len(OPERATIONS)} operations")
    for caller in CALLERS:
        told = {status: n for (who, status), n in sorted(answered.items()) if who == caller}
        print(f"  {caller}: {told}")
    assert not any(status >= 500 for _, status in answered), answered
    assert all(any(who == caller for who, _ in answered) for caller in CALLERS)
    if EACH >= 60:
        assert total >= AT_LEAST

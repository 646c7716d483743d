"""Money and counts of model calls: sums are exact and never less than their parts."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import NOON

from patternmind.domain.calls import Call, CallOutcome, CallTotals, Endpoint, ModelChoice, Price, sum_calls, to_nanousd
from patternmind.errors import BudgetReached
from patternmind.web.problems import problem_kind_of

MONEY = st.floats(0, 100, allow_nan=False)


@given(usd=MONEY)
def test_to_nanousd_rounds_up_by_at_most_a_billionth(usd: float) -> None:
    assert usd - 1e-12 <= to_nanousd(usd) / 1e9 <= usd + 1.1e-9


@pytest.mark.parametrize(("usd", "nano"), [(0.1, 100_000_000), (0.1 + 0.2, 300_000_000), (1.5e-7, 150), (0, 0)])
def test_to_nanousd_hides_float_errors(usd: float, nano: int) -> None:
    assert to_nanousd(usd) == nano


def test_sum_calls_counts_every_call_once() -> None:
    def make_call(outcome: CallOutcome, **overrides: Any) -> Call:
        return Call(
            id=outcome, task="t", model="m", at=NOON, outcome=outcome, n_attempts=1, n_tokens_in=10, **overrides
        )

    calls = [
        make_call(CallOutcome.ANSWERED, cost_usd=0.1),
        make_call(CallOutcome.REPAIRED, cost_usd=0.2),
        make_call(CallOutcome.CACHED),
        make_call(CallOutcome.REFUSED, cost_usd=0.3),
        make_call(CallOutcome.LOST),
        make_call(CallOutcome.IN_FLIGHT, reserved_usd=0.5),
    ]
    assert sum_calls(calls) == CallTotals(
        n_calls=6,
        n_cached=1,
        n_failed=2,
        n_requests=6,
        n_tokens_in=60,
        cost_usd=0.6,
        reserved_usd=0.5,
        outcomes={"answered": 1, "cached": 1, "in flight": 1, "lost": 1, "refused": 1, "repaired": 1},
    )
    assert sum_calls([]) == CallTotals()


def test_price_applies_to_a_million_tokens() -> None:
    assert Price(0.15, 0.6).cost_usd(2_000_000, 500_000) == pytest.approx(0.6)


def test_call_month_is_the_utc_month() -> None:
    late = dt.datetime(2026, 12, 1, 1, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert Call(id="1", task="t", model="m", at=late).month == "2026-11"


def test_endpoints_omit_a_fallback_equal_to_the_first_model() -> None:
    first, other = Endpoint(model="openai/a"), Endpoint(model="openai/b")
    choice = ModelChoice(default=first, by_task={"pattern": other}, fallback=other)
    assert choice.endpoints_for("naming") == (first, other)
    assert choice.endpoints_for("pattern") == (other,)
    assert choice.endpoints == (first, other)


def test_budget_reached_has_its_own_problem_kind() -> None:
    kind = problem_kind_of(BudgetReached("run", limit_usd=1, spent_usd=1, needed_usd=1))
    assert (kind.slug, kind.status) == ("budget-reached", 402)

"""Money and counts of model calls: sums are exact and never less than their parts."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import NOON

from patternmind.domain.calls import (
    Call,
    CallOutcome,
    CallTotals,
    Endpoint,
    ModelChoice,
    Price,
    sum_calls,
    to_nanousd,
)
from patternmind.errors import BudgetReached
from patternmind.web.problems import problem_kind_of

MONEY = st.floats(0, 100, allow_nan=False)


@given(usd=MONEY)
def test_a_sum_is_kept_to_a_billionth_and_never_below_what_it_was(usd: float) -> None:
    assert usd - 1e-12 <= to_nanousd(usd) / 1e9 <= usd + 1.1e-9


@pytest.mark.parametrize(("usd", "nano"), [(0.1, 100_000_000), (0.1 + 0.2, 300_000_000), (1.5e-7, 150), (0, 0)])
def test_what_floats_add_is_not_money(usd: float, nano: int) -> None:
    assert to_nanousd(usd) == nano


def test_totals_count_every_call_once() -> None:
    def call(outcome: CallOutcome, **known: Any) -> Call:
        return Call(id=outcome, task="t", model="m", at=NOON, outcome=outcome, n_attempts=1, n_tokens_in=10, **known)

    calls = [
        call(CallOutcome.ANSWERED, cost_usd=0.1),
        call(CallOutcome.REPAIRED, cost_usd=0.2),
        call(CallOutcome.CACHED),
        call(CallOutcome.REFUSED, cost_usd=0.3),
        call(CallOutcome.LOST),
        call(CallOutcome.IN_FLIGHT, reserved_usd=0.5),
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


def test_a_price_is_for_a_million_tokens() -> None:
    assert Price(0.15, 0.6).cost_usd(2_000_000, 500_000) == pytest.approx(0.6)


def test_a_call_is_paid_by_its_month_in_utc() -> None:
    late = dt.datetime(2026, 12, 1, 1, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert Call(id="1", task="t", model="m", at=late).month == "2026-11"


def test_a_fallback_that_is_the_first_model_is_not_asked_again() -> None:
    one, other = Endpoint(model="openai/a"), Endpoint(model="openai/b")
    choice = ModelChoice(default=one, by_task={"pattern": other}, fallback=other)
    assert choice.endpoints_for("naming") == (one, other)
    assert choice.endpoints_for("pattern") == (other,)
    assert choice.endpoints == (one, other)


def test_over_the_web_a_reached_budget_is_said_as_what_it_is() -> None:
    kind = problem_kind_of(BudgetReached("run", limit_usd=1, spent_usd=1, needed_usd=1))
    assert (kind.slug, kind.status) == ("budget-reached", 402)

"""Tests of request batches: results keep the order, and an exhausted budget ends the batch."""

from threading import Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternmind.errors import BudgetReached, GatewayFailed
from patternmind.llm.batch import LlmRequest, ask_all
from patternmind.llm.scripted_model import ScriptedFailure, ScriptedModel
from patternmind.ports import ModelAnswer, RenderedPrompt


def echo_request(text: str) -> LlmRequest:
    prompt = RenderedPrompt(id="echo", hash="h", system="", user=text, answer_schema={"type": "object"})
    return LlmRequest("echo", prompt)


def make_echo_model() -> ScriptedModel:
    """Return a model that repeats the prompt, and fails if the prompt is "fail"."""
    return ScriptedModel(
        {"echo": lambda prompt: ScriptedFailure("no answer") if prompt.user == "fail" else {"text": prompt.user}}
    )


class LimitedEchoModel:
    """Echo model for several threads, with a budget for a number of requests."""

    def __init__(self, n_parallel: int, n_affordable: int) -> None:
        self.n_parallel, self.n_affordable = n_parallel, n_affordable
        self.model, self.lock = make_echo_model(), Lock()

    @property
    def name(self) -> str:
        return self.model.name

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        with self.lock:
            if not self.n_affordable:
                raise BudgetReached("run", limit_usd=1, spent_usd=1, needed_usd=1)
            self.n_affordable -= 1
            return self.model.ask(task, prompt)


def result_texts(results: list[ModelAnswer | GatewayFailed]) -> list[str]:
    return [result.reason if isinstance(result, GatewayFailed) else result.value["text"] for result in results]


TEXTS = st.lists(st.sampled_from(["a", "b", "c", "fail"]), max_size=8)


@given(texts=TEXTS, n_parallel=st.integers(1, 3))
def test_batch_returns_one_result_per_request_in_order(texts: list[str], n_parallel: int) -> None:
    model = LimitedEchoModel(n_parallel, 100)
    results = ask_all(model, [echo_request(text) for text in texts])
    assert result_texts(results) == ["no answer" if text == "fail" else text for text in texts]
    assert len(model.model.requests) == len(set(texts))


def test_batch_sends_requests_sequentially_when_the_model_sets_no_limit() -> None:
    model = make_echo_model()
    ask_all(model, [echo_request(text) for text in "cab"])
    assert [request.prompt.user for request in model.requests] == ["c", "a", "b"]


@pytest.mark.parametrize("n_parallel", [1, 4])
def test_batch_sends_no_further_requests_when_budget_is_exhausted(n_parallel: int) -> None:
    model = LimitedEchoModel(n_parallel, 5)
    with pytest.raises(BudgetReached):
        ask_all(model, [echo_request(str(number)) for number in range(20)])
    assert len(model.model.requests) == 5

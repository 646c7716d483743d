"""Many questions: a result each, in order, and an end where no further one may be sent."""

from threading import Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternmind.errors import BudgetReached, GatewayFailed
from patternmind.llm.batch import LlmRequest, ask_all
from patternmind.llm.scripted_model import ScriptedFailure, ScriptedModel
from patternmind.ports import ModelAnswer, RenderedPrompt


def question(text: str) -> LlmRequest:
    prompt = RenderedPrompt(id="echo", hash="h", system="", user=text, answer_schema={"type": "object"})
    return LlmRequest("echo", prompt)


def an_echo() -> ScriptedModel:
    """Answers with what it was asked, and fails where that is "fail"."""
    return ScriptedModel(
        {"echo": lambda prompt: ScriptedFailure("no answer") if prompt.user == "fail" else {"said": prompt.user}}
    )


class Parallel:
    """The same from several threads, until its money is spent."""

    def __init__(self, n_parallel: int, n_affordable: int) -> None:
        self.n_parallel, self.left = n_parallel, n_affordable
        self.model, self.lock = an_echo(), Lock()

    @property
    def name(self) -> str:
        return self.model.name

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        with self.lock:
            if not self.left:
                raise BudgetReached("run", limit_usd=1, spent_usd=1, needed_usd=1)
            self.left -= 1
            return self.model.ask(task, prompt)


def said(results: list[ModelAnswer | GatewayFailed]) -> list[str]:
    return [one.reason if isinstance(one, GatewayFailed) else one.value["said"] for one in results]


TEXTS = st.lists(st.sampled_from(["a", "b", "c", "fail"]), max_size=8)


@given(texts=TEXTS, n_parallel=st.integers(1, 3))
def test_every_question_has_its_result_in_its_place(texts: list[str], n_parallel: int) -> None:
    model = Parallel(n_parallel, 100)
    results = ask_all(model, [question(text) for text in texts])
    assert said(results) == ["no answer" if text == "fail" else text for text in texts]
    assert len(model.model.requests) == len(set(texts))


def test_a_model_that_says_nothing_of_it_is_asked_one_after_the_other_in_order() -> None:
    model, steps = an_echo(), list[tuple[str, int, int]]()

    def progress(step: str, n_done: int, n_total: int) -> None:
        steps.append((step, n_done, n_total))

    ask_all(model, [question(text) for text in "cab"], progress=progress)
    assert [request.prompt.user for request in model.requests] == ["c", "a", "b"]
    assert steps == [("ask", 1, 3), ("ask", 2, 3), ("ask", 3, 3)]


@pytest.mark.parametrize("n_parallel", [1, 4])
def test_the_end_of_the_money_is_the_end_of_asking(n_parallel: int) -> None:
    model = Parallel(n_parallel, 5)
    with pytest.raises(BudgetReached):
        ask_all(model, [question(str(number)) for number in range(20)])
    assert len(model.model.requests) == 5

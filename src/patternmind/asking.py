"""Many questions at once: answers in the order of the questions, and each failure a result of its own."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from dataclasses import dataclass

from patternmind.errors import GatewayFailed
from patternmind.ports import LanguageModel, ModelAnswer, Progress, RenderedPrompt


@dataclass(frozen=True, slots=True)
class Question:
    task: str
    prompt: RenderedPrompt


Answered = ModelAnswer | GatewayFailed
"""What became of a question: an answer that fits, or why there is none. ``failed.outcome`` names the kind."""


def ask_all(model: LanguageModel, questions: Sequence[Question], *, progress: Progress | None = None) -> list[Answered]:
    """One result a question, in their order, whatever the order in which they came.

    As many are under way at once as the model says it takes (``n_parallel``), one where it says nothing. The same
    question put twice is asked once.

    Raises:
        BudgetReached, PriceUnknown: no question was begun after that; those under way came to their end, and what they
            answered is kept by the gateway, so that putting all questions again pays for the others alone.
    """
    first: dict[tuple[str, ...], Question] = {}
    for question in questions:
        first.setdefault(_same(question), question)
    results = _ask_each(model, list(first.values()), progress)
    return [results[_same(question)] for question in questions]


def _ask_each(
    model: LanguageModel, questions: Sequence[Question], progress: Progress | None
) -> dict[tuple[str, ...], Answered]:
    n_parallel: int = getattr(model, "n_parallel", 1)
    if n_parallel == 1:
        return _in_turn(model, questions, progress)
    results: dict[tuple[str, ...], Answered] = {}
    with ThreadPoolExecutor(n_parallel, thread_name_prefix="question") as threads:
        asked: dict[Future[Answered], Question] = {
            threads.submit(copy_context().run, _ask, model, question): question for question in questions
        }
        try:
            for n_done, future in enumerate(as_completed(asked), 1):
                results[_same(asked[future])] = future.result()
                _tell(progress, n_done, len(questions))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return results


def _in_turn(
    model: LanguageModel, questions: Sequence[Question], progress: Progress | None
) -> dict[tuple[str, ...], Answered]:
    results: dict[tuple[str, ...], Answered] = {}
    for n_done, question in enumerate(questions, 1):
        results[_same(question)] = _ask(model, question)
        _tell(progress, n_done, len(questions))
    return results


def _ask(model: LanguageModel, question: Question) -> Answered:
    try:
        return model.ask(question.task, question.prompt)
    except GatewayFailed as failed:
        return failed


def _tell(progress: Progress | None, n_done: int, n_total: int) -> None:
    if progress is not None:
        progress("ask", n_done, n_total)


def _same(question: Question) -> tuple[str, ...]:
    prompt = question.prompt
    return (question.task, prompt.id, prompt.hash, prompt.input_hash, prompt.system, prompt.user)


__all__ = ["Answered", "Question", "ask_all"]

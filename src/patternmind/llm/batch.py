"""Many questions at once: answers in the order of the questions, and each failure a result of its own."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from dataclasses import dataclass

from patternmind.errors import GatewayFailed
from patternmind.ports import LanguageModel, ModelAnswer, Progress, RenderedPrompt


@dataclass(frozen=True, slots=True)
class LlmRequest:
    task: str
    prompt: RenderedPrompt


LlmResult = ModelAnswer | GatewayFailed
"""What became of a question: an answer that fits, or why there is none. ``failed.outcome`` names the kind."""


def ask_all(
    model: LanguageModel, requests: Sequence[LlmRequest], *, progress: Progress | None = None
) -> list[LlmResult]:
    """One result a question, in their order, whatever the order in which they came.

    As many are under way at once as the model says it takes (``n_parallel``), one where it says nothing. The same
    question put twice is asked once.

    Raises:
        BudgetReached, PriceUnknown: no question was begun after that; those under way came to their end, and what they
            answered is kept by the gateway, so that putting all questions again pays for the others alone.
    """
    first: dict[tuple[str, ...], LlmRequest] = {}
    for question in requests:
        first.setdefault(_request_key(question), question)
    results = _ask_in_parallel(model, list(first.values()), progress)
    return [results[_request_key(question)] for question in requests]


def _ask_in_parallel(
    model: LanguageModel, requests: Sequence[LlmRequest], progress: Progress | None
) -> dict[tuple[str, ...], LlmResult]:
    n_parallel: int = getattr(model, "n_parallel", 1)
    if n_parallel == 1:
        return _ask_sequentially(model, requests, progress)
    results: dict[tuple[str, ...], LlmResult] = {}
    with ThreadPoolExecutor(n_parallel, thread_name_prefix="question") as threads:
        asked: dict[Future[LlmResult], LlmRequest] = {
            threads.submit(copy_context().run, _ask_or_failure, model, question): question for question in requests
        }
        try:
            for n_done, future in enumerate(as_completed(asked), 1):
                results[_request_key(asked[future])] = future.result()
                _report_progress(progress, n_done, len(requests))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return results


def _ask_sequentially(
    model: LanguageModel, requests: Sequence[LlmRequest], progress: Progress | None
) -> dict[tuple[str, ...], LlmResult]:
    results: dict[tuple[str, ...], LlmResult] = {}
    for n_done, question in enumerate(requests, 1):
        results[_request_key(question)] = _ask_or_failure(model, question)
        _report_progress(progress, n_done, len(requests))
    return results


def _ask_or_failure(model: LanguageModel, request: LlmRequest) -> LlmResult:
    try:
        return model.ask(request.task, request.prompt)
    except GatewayFailed as failed:
        return failed


def _report_progress(progress: Progress | None, n_done: int, n_total: int) -> None:
    if progress is not None:
        progress("ask", n_done, n_total)


def _request_key(request: LlmRequest) -> tuple[str, ...]:
    prompt = request.prompt
    return (request.task, prompt.id, prompt.hash, prompt.input_hash, prompt.system, prompt.user)


__all__ = ["LlmRequest", "LlmResult", "ask_all"]

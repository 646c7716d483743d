"""Send many requests in parallel; results keep the order of the requests."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from dataclasses import dataclass

from patternmind.errors import GatewayFailed
from patternmind.ports import LanguageModel, ModelAnswer, RenderedPrompt


@dataclass(frozen=True, slots=True)
class LlmRequest:
    task: str
    prompt: RenderedPrompt


LlmResult = ModelAnswer | GatewayFailed
"""A valid answer, or the failure; ``outcome`` of the failure names its kind."""


def ask_all(model: LanguageModel, requests: Sequence[LlmRequest]) -> list[LlmResult]:
    """Return one result per request, in the order of the requests.

    The model's ``n_parallel`` limits the number of parallel requests; the default is 1. A repeated request is sent
    once.

    Raises:
        BudgetReached, PriceUnknown: No further request was sent. Running requests were completed and the gateway cached
            their answers, so that a repetition pays only for the others.
    """
    distinct: dict[tuple[str, ...], LlmRequest] = {}
    for request in requests:
        distinct.setdefault(_request_key(request), request)
    results = _ask_in_parallel(model, list(distinct.values()))
    return [results[_request_key(request)] for request in requests]


def _ask_in_parallel(model: LanguageModel, requests: Sequence[LlmRequest]) -> dict[tuple[str, ...], LlmResult]:
    n_parallel: int = getattr(model, "n_parallel", 1)
    if n_parallel == 1:
        return {_request_key(request): _ask_or_failure(model, request) for request in requests}
    results: dict[tuple[str, ...], LlmResult] = {}
    with ThreadPoolExecutor(n_parallel, thread_name_prefix="question") as threads:
        request_by_future: dict[Future[LlmResult], LlmRequest] = {
            threads.submit(copy_context().run, _ask_or_failure, model, request): request for request in requests
        }
        try:
            for future in as_completed(request_by_future):
                results[_request_key(request_by_future[future])] = future.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return results


def _ask_or_failure(model: LanguageModel, request: LlmRequest) -> LlmResult:
    try:
        return model.ask(request.task, request.prompt)
    except GatewayFailed as error:
        return error


def _request_key(request: LlmRequest) -> tuple[str, ...]:
    prompt = request.prompt
    return (request.task, prompt.id, prompt.hash, prompt.input_hash, prompt.system, prompt.user)

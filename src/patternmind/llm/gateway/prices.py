"""What a model costs, and the most that a request can cost. An unknown price is an error: no budget could hold."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from patternmind.domain.calls import Endpoint, Price
from patternmind.errors import PriceUnknown
from patternmind.ports import RenderedPrompt

PRICE_LIST_FILE = "model_prices_and_context_window_backup.json"
"""litellm's own list, as it came with the pinned release. Read as a file in 0.03 s; importing litellm takes 2.4."""

LONG_PROMPT_TOKENS = 100_000
"""The least "above ... tokens" of the list: a prompt that may be longer pays the dearest of its prices."""

CHAT_TEMPLATE_TOKENS = 256
"""What chat templates put around two messages; the longest we know is some 30 tokens a message."""


def price_of(endpoint: Endpoint, n_tokens: int = 0) -> Price:
    """The price as a person set it, else as listed, for a prompt of at most so many tokens.

    Raises:
        PriceUnknown
    """
    price = endpoint.price or listed_price(endpoint.model, n_tokens)
    if price is None:
        raise PriceUnknown(endpoint.model)
    return price


def listed_price(model: str, n_tokens: int = 0) -> Price | None:
    """The price in litellm's list; a listed 0 is unknown, for it also stands for prices by the second or the month."""
    entry = _price_entry(model)
    if entry is None:
        return None
    read, written = (max(_prices(entry, side, n_tokens), default=0.0) for side in ("input", "output"))
    return Price(read * 1e6, written * 1e6) if read > 0 and written > 0 else None


def max_prompt_tokens(prompt: RenderedPrompt) -> int:
    """More tokens than any tokenizer makes of the prompt: a token stands for one byte or more."""
    return len(f"{prompt.system}{prompt.user}".encode(errors="surrogatepass")) + CHAT_TEMPLATE_TOKENS


def _prices(entry: Mapping[str, Any], side: str, n_tokens: int) -> Iterator[float]:
    plain = f"{side}_cost_per_token"
    names = {plain, f"{side}_cost_per_reasoning_token"}
    for name, value in entry.items():
        long = n_tokens > LONG_PROMPT_TOKENS and name.startswith(f"{plain}_above_") and name.endswith("_tokens")
        if (name in names or long) and isinstance(value, int | float):
            yield float(value)


def _price_entry(model: str) -> Mapping[str, Any] | None:
    prices = _price_list()
    if model in prices:
        return prices[model]
    provider, _, bare = model.partition("/")
    entry = prices.get(bare)
    return entry if entry and str(entry.get("litellm_provider", "")).startswith(provider) else None


@cache
def _price_list() -> Mapping[str, Mapping[str, Any]]:
    found = find_spec("litellm")
    if found is None or found.origin is None:
        return {}
    path = Path(found.origin).with_name(PRICE_LIST_FILE)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

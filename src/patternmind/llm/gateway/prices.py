"""Look up model prices, and bound the tokens of a prompt.

An unknown price is an error, because no budget could be enforced.
"""

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
"""litellm's price list in the pinned release. Reading the file takes 0.03 s, importing litellm 2.4 s."""

LONG_PROMPT_TOKENS = 100_000
"""Lowest "above ... tokens" limit of the list. A longer prompt is charged the model's highest price."""

CHAT_TEMPLATE_TOKENS = 256
"""Tokens that a chat template adds to two messages. The longest known template adds some 30 per message."""


def price_of(endpoint: Endpoint, n_tokens: int = 0) -> Price:
    """Return the configured price, or the listed one for at most ``n_tokens``.

    Raises:
        PriceUnknown: The model has neither.
    """
    price = endpoint.price or listed_price(endpoint.model, n_tokens)
    if price is None:
        raise PriceUnknown(endpoint.model)
    return price


def listed_price(model: str, n_tokens: int = 0) -> Price | None:
    """Return the price in litellm's list.

    A listed 0 counts as unknown, because the list also uses 0 for prices per second or per month.
    """
    entry = _price_entry(model)
    if entry is None:
        return None
    input_price, output_price = (max(_prices(entry, side, n_tokens), default=0.0) for side in ("input", "output"))
    return Price(input_price * 1e6, output_price * 1e6) if input_price > 0 and output_price > 0 else None


def max_prompt_tokens(prompt: RenderedPrompt) -> int:
    """Return an upper bound of the prompt's tokens: a token has at least one byte."""
    return len(f"{prompt.system}{prompt.user}".encode(errors="surrogatepass")) + CHAT_TEMPLATE_TOKENS


def _prices(entry: Mapping[str, Any], side: str, n_tokens: int) -> Iterator[float]:
    base_name = f"{side}_cost_per_token"
    names = {base_name, f"{side}_cost_per_reasoning_token"}
    for name, value in entry.items():
        is_long_price = name.startswith(f"{base_name}_above_") and name.endswith("_tokens")
        applies = name in names or (is_long_price and n_tokens > LONG_PROMPT_TOKENS)
        if applies and isinstance(value, int | float):
            yield float(value)


def _price_entry(model: str) -> Mapping[str, Any] | None:
    prices = _price_list()
    if model in prices:
        return prices[model]
    provider, _, name = model.partition("/")
    entry = prices.get(name)
    return entry if entry and str(entry.get("litellm_provider", "")).startswith(provider) else None


@cache
def _price_list() -> Mapping[str, Mapping[str, Any]]:
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    path = Path(spec.origin).with_name(PRICE_LIST_FILE)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

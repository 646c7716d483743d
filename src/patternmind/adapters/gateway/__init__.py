"""The language model behind litellm: budget, cache, retries, time limits, and answers that fit their schema."""

from patternmind.adapters.gateway.answers import Reply, Unfit, ask_until_fit, read_answer
from patternmind.adapters.gateway.calling import LiteLLMGateway
from patternmind.adapters.gateway.endpoints import choose_models, say_address, say_key, say_price
from patternmind.adapters.gateway.failures import CUT_OFF, EMPTY, FILTERED, REFUSED
from patternmind.adapters.gateway.memory import MemoryLedger
from patternmind.adapters.gateway.prices import listed_price, price_of

__all__ = [
    "CUT_OFF",
    "EMPTY",
    "FILTERED",
    "REFUSED",
    "LiteLLMGateway",
    "MemoryLedger",
    "Reply",
    "Unfit",
    "ask_until_fit",
    "choose_models",
    "listed_price",
    "price_of",
    "read_answer",
    "say_address",
    "say_key",
    "say_price",
]

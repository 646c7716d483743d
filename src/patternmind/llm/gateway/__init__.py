"""LLM gateway on litellm: budget, response cache, retries, timeouts, and schema validation."""

from patternmind.llm.gateway.answers import InvalidAnswer, Reply, ask_with_repair, parse_answer
from patternmind.llm.gateway.endpoints import build_model_choice, describe_address, describe_key_source, describe_price
from patternmind.llm.gateway.failures import CUT_OFF, EMPTY, FILTERED, REFUSED
from patternmind.llm.gateway.litellm_gateway import LiteLLMGateway
from patternmind.llm.gateway.memory_ledger import MemoryLedger
from patternmind.llm.gateway.prices import listed_price, price_of

__all__ = [
    "CUT_OFF",
    "EMPTY",
    "FILTERED",
    "REFUSED",
    "InvalidAnswer",
    "LiteLLMGateway",
    "MemoryLedger",
    "Reply",
    "ask_with_repair",
    "build_model_choice",
    "describe_address",
    "describe_key_source",
    "describe_price",
    "listed_price",
    "parse_answer",
    "price_of",
]

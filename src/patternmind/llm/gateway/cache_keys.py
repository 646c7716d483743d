"""Compute the key of a cached answer from everything that the answer depends on."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from patternmind.domain.calls import Endpoint
from patternmind.ports import RenderedPrompt


def input_hash(prompt: RenderedPrompt) -> str:
    """Return a hash of the prompt's input and answer schema."""
    content = prompt.input_hash or [prompt.system, prompt.user]
    return _hash([content, prompt.answer_schema])


def answer_key(endpoint: Endpoint, prompt: RenderedPrompt, parameters: Mapping[str, Any]) -> str:
    """Return the cache key of an answer; it includes the base URL."""
    return _hash([endpoint.model, endpoint.api_base, parameters, prompt.hash, input_hash(prompt)])


def _hash(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=True, default=dict)
    return hashlib.sha256(canonical.encode()).hexdigest()

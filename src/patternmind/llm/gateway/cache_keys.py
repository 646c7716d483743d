"""The key of a cached answer: everything that the answer depends on, and nothing else."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from patternmind.domain.calls import Endpoint
from patternmind.ports import RenderedPrompt


def input_hash(prompt: RenderedPrompt) -> str:
    """Names what the model is shown and the form its answer must have."""
    shown = prompt.input_hash or [prompt.system, prompt.user]
    return _hash([shown, prompt.answer_schema])


def answer_key(endpoint: Endpoint, prompt: RenderedPrompt, parameters: Mapping[str, Any]) -> str:
    """The same name at another address is another model."""
    return _hash([endpoint.model, endpoint.api_base, parameters, prompt.hash, input_hash(prompt)])


def _hash(value: object) -> str:
    told = json.dumps(value, sort_keys=True, ensure_ascii=True, default=dict)
    return hashlib.sha256(told.encode()).hexdigest()

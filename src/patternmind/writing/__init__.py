"""Where a language model is asked: its answers are redacted, then grounded, and may fail without harm."""

from patternmind.writing.asking import Namer, Writer, pair_similarity
from patternmind.writing.names import Settled, name_by_model, settle_name
from patternmind.writing.patterns import Written, draft_patterns

__all__ = [
    "Namer",
    "Settled",
    "Writer",
    "Written",
    "draft_patterns",
    "name_by_model",
    "pair_similarity",
    "settle_name",
]

"""Where a language model is asked: its answers are redacted, then grounded, and may fail without harm."""

from patternmind.writing.asking import Namer, Writer, redact_answer
from patternmind.writing.names import name_by_model
from patternmind.writing.patterns import Written, draft_patterns

__all__ = ["Namer", "Writer", "Written", "draft_patterns", "name_by_model", "redact_answer"]

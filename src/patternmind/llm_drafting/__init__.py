"""Draft with a language model: answers are redacted and grounded, and failures fall back to extractive drafts."""

from patternmind.llm_drafting.patterns import PatternDrafts, draft_patterns
from patternmind.llm_drafting.session import LlmContext, LlmSession, pair_similarity
from patternmind.llm_drafting.theme_names import NameValidation, name_new_themes, validate_name

__all__ = [
    "LlmContext",
    "LlmSession",
    "NameValidation",
    "PatternDrafts",
    "draft_patterns",
    "name_new_themes",
    "pair_similarity",
    "validate_name",
]

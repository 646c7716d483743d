"""Drafts by a language model: what it is told of the cases, and how its answer becomes a proposal to be grounded."""

from patternmind.drafting.llm_proposals.theme_name import PROMPT_ID

__all__ = ["PROMPT_ID"]

"""Drafts by a language model: what it is told of the cases, and how its answer becomes a proposal to be grounded."""

from patternmind.draft.prompted.theme_name import PROMPT

__all__ = ["PROMPT"]

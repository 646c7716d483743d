"""Build prompt variables from cases, and turn a model's answers into ungrounded proposals."""

from patternmind.drafting.llm_proposals.theme_name import PROMPT_ID

__all__ = ["PROMPT_ID"]

"""Verify each claim of a draft against its quoted source.

A quote is valid if it equals the text at its offsets, or if it occurs in its field after folding of spaces, quote marks
and dashes. The result always holds the slice of the source, never the draft's spelling.
"""

from patternmind.grounding.claims import ground
from patternmind.grounding.counter_evidence import add_counter_evidence
from patternmind.grounding.facts import MissingFact, extract_source_facts, find_missing_facts
from patternmind.grounding.folding import FOLDED_CHARACTERS, find_folded
from patternmind.grounding.quotes import LocatedQuote, locate_quote
from patternmind.grounding.support import Similarity, recurring_word_share, word_overlap

__all__ = [
    "FOLDED_CHARACTERS",
    "LocatedQuote",
    "MissingFact",
    "Similarity",
    "add_counter_evidence",
    "extract_source_facts",
    "find_folded",
    "find_missing_facts",
    "ground",
    "locate_quote",
    "recurring_word_share",
    "word_overlap",
]

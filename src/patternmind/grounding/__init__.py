"""Every claim against its quoted source.

A quote is found when the text at its offsets is the quote, or when the quote, after a listed folding of spaces, quote
marks and dashes, occurs in the named field; what is kept is always the slice of the source, never the draft's spelling.
"""

from patternmind.grounding.claims import ground
from patternmind.grounding.counter_evidence import add_counter_evidence
from patternmind.grounding.facts import MissingFact, extract_source_facts, find_missing_facts
from patternmind.grounding.field_lines import WITHDRAWN
from patternmind.grounding.folding import FOLDED_CHARACTERS, find_folded
from patternmind.grounding.quotes import LocatedQuote, locate_quote
from patternmind.grounding.support import Similarity, recurring_word_share, word_overlap

__all__ = [
    "FOLDED_CHARACTERS",
    "WITHDRAWN",
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

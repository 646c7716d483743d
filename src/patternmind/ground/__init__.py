"""Every claim against its quoted source.

A quote is found when the text at its offsets is the quote, or when the quote, after a listed folding of spaces, quote
marks and dashes, occurs in the named field; what is kept is always the slice of the source, never the draft's spelling.
"""

from patternmind.ground.claims import ground
from patternmind.ground.counter import look_for_counter_evidence
from patternmind.ground.facts import Missing, facts_of, missing_facts
from patternmind.ground.folding import FOLDED, find_folded
from patternmind.ground.lines import WITHDRAWN
from patternmind.ground.quotes import Located, locate_quote
from patternmind.ground.support import Similarity, overlap, recurring

__all__ = [
    "FOLDED",
    "WITHDRAWN",
    "Located",
    "Missing",
    "Similarity",
    "facts_of",
    "find_folded",
    "ground",
    "locate_quote",
    "look_for_counter_evidence",
    "missing_facts",
    "overlap",
    "recurring",
]

"""Split cases into sentences and classify each one, such as problem or remedy.

``drafting`` and ``embedding`` both use this package; they never import each other.
"""

from patternmind.domain.case_fields import SentenceRole
from patternmind.text.cues import is_narrative, mentions_problem
from patternmind.text.english import is_english
from patternmind.text.role_cues import LIMITATION, TENSION
from patternmind.text.roles import PLAIN_TEXT_FIELDS, Sentence, extract_sentences, is_plain_text
from patternmind.text.segmentation import split_sentences
from patternmind.text.self_containment import is_fragment, is_self_contained
from patternmind.text.sides import SentenceSide, Side, classify_sides, contextual_remedy_log_odds

__all__ = [
    "LIMITATION",
    "PLAIN_TEXT_FIELDS",
    "TENSION",
    "Sentence",
    "SentenceRole",
    "SentenceSide",
    "Side",
    "classify_sides",
    "contextual_remedy_log_odds",
    "extract_sentences",
    "is_english",
    "is_fragment",
    "is_narrative",
    "is_plain_text",
    "is_self_contained",
    "mentions_problem",
    "split_sentences",
]

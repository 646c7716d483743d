"""Review of drafts: decision log, order of the queue, second views, and word diffs."""

from patternmind.review.decision_log import (
    TRANSITIONS,
    build_pattern,
    make_decision,
    make_field_test_decision,
    possible_actions,
    share_edited,
)
from patternmind.review.prioritisation import (
    DECIDED_STATES,
    RankedDraft,
    UncertaintyFactors,
    estimate_uncertainty,
    rank_drafts,
)
from patternmind.review.second_view import (
    ReviewStatus,
    has_disagreement,
    hides_log,
    latest_views,
    needs_second_view,
    review_status,
)
from patternmind.review.word_diff import WordChange, diff_words

__all__ = [
    "DECIDED_STATES",
    "TRANSITIONS",
    "RankedDraft",
    "ReviewStatus",
    "UncertaintyFactors",
    "WordChange",
    "build_pattern",
    "diff_words",
    "estimate_uncertainty",
    "has_disagreement",
    "hides_log",
    "latest_views",
    "make_decision",
    "make_field_test_decision",
    "needs_second_view",
    "possible_actions",
    "rank_drafts",
    "review_status",
    "share_edited",
]

"""What people decide about drafts: the log and what it adds up to, what to look at next, second views, word diffs."""

from patternmind.review.log import (
    TRANSITIONS,
    decide,
    field_test,
    fields_of,
    pattern_of,
    possible_actions,
    share_edited,
    standing,
    state_of,
)
from patternmind.review.order import DECIDED, Evidence, Queued, in_order, uncertainty
from patternmind.review.second import Standing, disagree, hides_log, needs_second, standing_for, views_of
from patternmind.review.words import Change, diff_words

__all__ = [
    "DECIDED",
    "TRANSITIONS",
    "Change",
    "Evidence",
    "Queued",
    "Standing",
    "decide",
    "diff_words",
    "disagree",
    "field_test",
    "fields_of",
    "hides_log",
    "in_order",
    "needs_second",
    "pattern_of",
    "possible_actions",
    "share_edited",
    "standing",
    "standing_for",
    "state_of",
    "uncertainty",
    "views_of",
]

"""Patterns that indicate a sentence's role: attempt, outcome, context, cure, tension or limitation."""

import re

MADE_WORSE = re.compile(
    r"\b(made (it|things|this|that|matters) (even )?worse|(is|was|were|became) worse than (before|without|no|any)"
    r"|(it|things|this|that) (only |all )?got worse|did(n['’]t| not) (help|work|hold|last)"
    r"|does(n['’]t| not) (help|work)|(of|was|is|were|had) no (use|effect)|backfired"
    r"|only (half|partly) (helped|worked|solved|fixed)|gave (it )?up (after|on|again|because)"
    r"|(we|they|i) (soon |then )?abandoned|abandoned (it|the (idea|plan|list|attempt|trial))"
    r"|went back to|in vain|stopped after|nobody (kept|used|read))\b",
    re.IGNORECASE,
)
TRIED = re.compile(
    r"\b(we|i|they|he|she|somebody|the team) (also |then |first )?(tried|attempted|experimented)\b"
    r"|\b(tried (to|with|it)|as a (test|trial|pilot|stopgap)|first attempt|attempts? to)\b",
    re.IGNORECASE,
)
OUTCOME = re.compile(
    r"\b(as a result|in the end|eventually|no longer|ever since|(that|this|it) (helped|worked|saved|cut|reduced|halved)"
    r"|(dropped|fell|went down|came down|rose|grew) (to|from|by)"
    r"|(has|have) (been|run|held) (stable|fine|quiet|well))\b",
    re.IGNORECASE,
)
CONTEXT = re.compile(
    r"^(our|there (is|are)|we (are|have|use|run|work|keep)|(the|this) [\w-]+ (is|are|consists|uses|runs|provides)"
    r"|(at|in|on) (our|the|every|each))\b",
    re.IGNORECASE,
)
"""A description of the situation; it counts only in sentences without a failure word."""

CURE = re.compile(
    r"\b(since then|from then on|solved|(was|were|got|is|are|been|we|i|they|finally) (fixed|resolved)"
    r"|agreed (on|to|that)|(that|this|it) (helped|worked|works|holds)|corrected by|workaround)\b",
    re.IGNORECASE,
)
"""A remedy in the past tense, which other cues would take for a story."""

MIN_CURE_LOG_ODDS = -0.5
"""Minimum log-odds for a sentence that names a cure."""

FIRST_PERSON = re.compile(r"\b(i|my|me|mine|i['’](m|ve|d|ll))\b", re.IGNORECASE)
"""First person. Demands and fears use the words of advice: "they should refund me", "I have to pay"."""

REPORTED_SPEECH = re.compile(
    r"\b(told|stated?s?|says?|said|inform(s|ed)|advised|claim(s|ed)?|replied|promised|request(s|ed)|refus(es|ed))"
    r" (me|us|that|him|her|them|i|we|he|she|they|my|our|by)\b",
    re.IGNORECASE,
)
"""Another person's words, reported in the story."""

MIN_ADVICE_LOG_ODDS = 1.0
"""Minimum log-odds for advice, by the sentence's own words: one clear cue without a counter-cue."""

TENSION = re.compile(
    r"(?<=[^.?!]{15})\b(but|although|though|on the other hand|whereas|even though|yet|at the (same time|cost|expense)"
    r"|trade-?offs?|versus|conflict(s|ing)? (with|between))\b(?=[^.?!]{10})",
    re.IGNORECASE,
)
"""A contrast with enough text on both sides."""

LIMITATION = re.compile(
    r"\b(unless|except (when|if|where|in cases?)|only (works?|helps?|holds?|applies|use(ful)?|suitable|recommended) "
    r"(if|when|where|for|with)|works only (if|when|where|for|with)|(do|should|must)(n['’]t| not) (be )?used? "
    r"(it |this |the |\w+ ){0,3}(if|when|where|for|in|unless)"
    r"|not (suitable|recommended|appropriate|useful) (for|if|when|where|in)|not worth"
    r"|does(n['’]t| not) (work|help|apply) (for|if|when|where|in|with))\b",
    re.IGNORECASE,
)
"""An explicit limit of a remedy."""

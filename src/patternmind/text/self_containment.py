"""Whether a sentence can be read alone: no heading, reference or question, and not pointing at the one before."""

import re

BACK_REFERENCE = re.compile(
    r"^[\W_]*(?:(?:and|but|so|also|or|nor|however|therefore|thus|hence|consequently|additionally|furthermore|moreover"
    r"|then|otherwise|similarly|likewise|nevertheless|nonetheless|instead|meanwhile|finally|indeed|still|yet)\b"
    r"|(?:as a (?:result|consequence)|in addition|for (?:example|instance|this reason)|in (?:this|that|such|these) \w+"
    r"|because of (?:this|that|it)|(?:due|according|prior) to (?:this|that|it)|on the other hand|at that (?:time|point)"
    r"|(?:after|before|since|until|besides) (?:that|this|which)|that (?:was|is) (?:why|how|when|where))\b"
    r"|(?:it|its|he|she|they|their|this|that|these|those|such|both|neither|which|him|his|hers?|them|same|another|one of"
    r" (?:them|these|those)|the (?:latter|former|above|following|other|others|same|next|second|third))\b)",
    re.IGNORECASE,
)
"""Words that a reader cannot follow without the sentence before."""

DOCUMENT_REFERENCE = re.compile(
    r"\b(that was why|(?:mentioned|described|discussed|shown|listed|noted) (?:above|below|earlier|previously)"
    r"|the above|(?:see|refer to) (?:also )?(?:the )?(?:reference|figure|table|section|attach)\w*|as follows"
    r"|(?:reference|figure|table|attachment|appendix|section|paragraph) \(?\d|references? \()",
    re.IGNORECASE,
)

FORM_LABEL = re.compile(
    r"^[\W_]*(?:additional keyword|reference|keyword|related|relevant historical|lesson\(s\)|abstract|summary|figure"
    r"|table|note|link|source|title|subject|date|author|attachment|appendix)s?\b[^.]{0,40}[:)]",
    re.IGNORECASE,
)
"""A label that forms put before what they hold."""

UPPERCASE_HEADING = re.compile(r"^(?:[^\w]*\b[A-Z][A-Z&/-]{3,}\b){2,}")
"""A heading in capitals that has run into the sentence after it."""

LEADING_LABEL = re.compile(r"^(?:[A-Z][\w/-]+ ?){1,4}: |^\(?[A-Za-z0-9]{1,2}[.)] ")
"""A label of a form before a sentence, or the number of a list."""

MASK = re.compile(r"\b[xX]{2,}\b")

MIN_CAPITALIZED_SHARE = 0.6
"""So many of a heading's words begin with a capital; in a sentence full of names it is under half."""


def is_self_contained(sentence: str) -> bool:
    """Whether a reader who sees nothing else would follow the sentence."""
    points = BACK_REFERENCE.match(sentence) or DOCUMENT_REFERENCE.search(sentence) or LEADING_LABEL.match(sentence)
    points = points or len(MASK.findall(sentence)) > 1
    return not (points or is_fragment(sentence) or sentence.rstrip().endswith(("?", ":", ";", ",")))


def is_fragment(sentence: str) -> bool:
    """A heading, a label of a form, a reference: nothing that anybody said."""
    words = [word for word in re.findall(r"[^\W\d_][^\s]*", sentence) if len(word) > 3]
    capitals = sum(word[0].isupper() for word in words)
    titled = len(words) >= 3 and capitals >= MIN_CAPITALIZED_SHARE * len(words) + 1
    unclosed = sentence.count("(") != sentence.count(")") or sentence.count("[") != sentence.count("]")
    return bool(FORM_LABEL.match(sentence) or UPPERCASE_HEADING.match(sentence)) or titled or unclosed


__all__ = ["is_fragment", "is_self_contained"]

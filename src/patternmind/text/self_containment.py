"""Detect sentences that need their context: headings, references, questions, and back references."""

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
"""Opening words that need the previous sentence to be understood."""

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
"""A label of a form field."""

UPPERCASE_HEADING = re.compile(r"^(?:[^\w]*\b[A-Z][A-Z&/-]{3,}\b){2,}")
"""A heading in capitals, merged with the next sentence."""

LEADING_LABEL = re.compile(r"^(?:[A-Z][\w/-]+ ?){1,4}: |^\(?[A-Za-z0-9]{1,2}[.)] ")
"""A label of a form before a sentence, or the number of a list."""

MASK = re.compile(r"\b[xX]{2,}\b")

MIN_CAPITALIZED_SHARE = 0.6
"""Minimum share of capitalised words in a heading; a sentence full of names has under half."""


def is_self_contained(sentence: str) -> bool:
    """Return whether the sentence can be understood alone."""
    reference = BACK_REFERENCE.match(sentence) or DOCUMENT_REFERENCE.search(sentence) or LEADING_LABEL.match(sentence)
    is_masked = len(MASK.findall(sentence)) > 1
    is_open = sentence.rstrip().endswith(("?", ":", ";", ","))
    return not (reference or is_masked or is_fragment(sentence) or is_open)


def is_fragment(sentence: str) -> bool:
    """Return whether a text is a heading, a form label or a reference."""
    words = [word for word in re.findall(r"[^\W\d_][^\s]*", sentence) if len(word) > 3]
    n_capitalised = sum(word[0].isupper() for word in words)
    is_heading = len(words) >= 3 and n_capitalised >= MIN_CAPITALIZED_SHARE * len(words) + 1
    is_unclosed = sentence.count("(") != sentence.count(")") or sentence.count("[") != sentence.count("]")
    return bool(FORM_LABEL.match(sentence) or UPPERCASE_HEADING.match(sentence)) or is_heading or is_unclosed

"""Replace personal data in a text with placeholders."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from patternmind.ingestion.redaction.emails import find_emails, find_obfuscated_emails
from patternmind.ingestion.redaction.identifiers import find_cards, find_ibans, find_ips, find_links, find_macs
from patternmind.ingestion.redaction.national_ids import find_national_ids
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.redaction.secrets import find_secrets
from patternmind.ingestion.redaction.spans import Finder, Span
from patternmind.ingestion.redaction.submission_names import submission_name_forms

PLACEHOLDER = re.compile(r"\[(?:email|link|iban|card|ip|mac|id|key|phone|(?:person|customer|site)(?: \d+)?)\]")
_MASK = "\ue000"
"""Hides redacted pieces from the next pattern: a character that no pattern matches."""

_FORMAT_FINDERS: tuple[Finder, ...] = (
    find_secrets,
    find_emails,
    find_obfuscated_emails,
    find_ibans,
    find_cards,
    find_national_ids,
    find_macs,
    find_ips,
)
"""Finders in the order of their use, after links and before telephones.

A link may contain an e-mail, a key an account's digits, a card a telephone's. All come before names, because e-mails
contain names.
"""

_ID_KEYS = ("id", "external_id", "exemplars", "edge_case", "case_id", "case_ids", "inputs")
_UNREDACTED_KEYS = frozenset(
    (*_ID_KEYS, "quotes", "provenance", "reviewers", "kind", "state", "lens", "lineage", "trend")
)
"""Keys with trusted values: ids, fixed choices, quotes (slices of redacted texts), and reviewers.

Reviewers sign the patterns they accept with their names.
"""

KeepPredicate = Callable[[str, Any], bool]
"""Predicate of key ("" if there is none) and value: the whole value stays unredacted."""


@dataclass(frozen=True, slots=True)
class RedactedText:
    """A redacted text, and the number of redactions by kind: ``{"email": 1, "person": 2}``."""

    text: str
    counts: Mapping[str, int]


def redact(text: str, roster: Roster, own_names: Sequence[str] = ()) -> RedactedText:
    """Redact everything that identifies a person, a customer or a site, and normalize to NFC. Idempotent.

    ``own_names`` are names that the submission itself gives. A person who is not on the roster becomes ``[person]``,
    "customer: Acme" becomes ``[customer]``.
    """
    own_forms = submission_name_forms(tuple(own_names))
    return _redact_until_stable(text, (*_format_finders(roster), roster.names.find, own_forms.find))


def redact_identifiers(text: str, roster: Roster) -> RedactedText:
    """Redact addresses, links, accounts and numbers; names stay."""
    return _redact_until_stable(text, _format_finders(roster))


def is_trusted_key(key: str, _: Any) -> bool:
    """Return whether a key has a trusted value: an id, a fixed choice, quotes or reviewers."""
    return key in _UNREDACTED_KEYS or key.endswith("_id")


def redact_values(value: Any, roster: Roster, *, keep: KeepPredicate = is_trusted_key) -> Any:
    """Redact every string in a JSON value: a model's answer or a person's input.

    This is the last check before the value is published.

    Args:
        value: a JSON value: a string, number or None, or lists and dicts of them. Keys stay unchanged.
        roster: the roster of the network.
        keep: selects values that stay unchanged as a whole.
    """
    if isinstance(value, str):
        return value if keep("", value) else redact(value, roster).text
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value).items()
        return {
            key: member if keep(key, member) else redact_values(member, roster, keep=keep) for key, member in members
        }
    if isinstance(value, list | tuple):
        return [redact_values(item, roster, keep=keep) for item in cast("Sequence[Any]", value)]
    return value


def _format_finders(roster: Roster) -> tuple[Finder, ...]:
    return (find_links, roster.find_literals, *_FORMAT_FINDERS, roster.find_regional_phones)


def _redact_until_stable(text: str, finders: Sequence[Finder]) -> RedactedText:
    """Repeat all finders until none matches: redacting a name may reveal a number.

    This ends, because every match leaves fewer characters to search.
    """
    counts: Counter[str] = Counter()
    redacted, before = unicodedata.normalize("NFC", text), None
    while redacted != before:
        before = redacted
        masked = _mask_placeholders(redacted)
        for find in finders:
            replaced = _replace_spans(redacted, find(masked), counts)
            if replaced is not redacted:
                redacted, masked = replaced, _mask_placeholders(replaced)
    return RedactedText(redacted, dict(counts))


def _mask_placeholders(text: str) -> str:
    return PLACEHOLDER.sub(lambda match: _MASK * len(match[0]), text) if "[" in text else text


def _replace_spans(text: str, spans: Iterable[Span], counts: Counter[str]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end, placeholder in sorted(spans):
        if start < position:
            continue
        pieces += (text[position:start], placeholder)
        position = end
        counts[placeholder.strip("[]").split(" ")[0]] += 1
    return "".join((*pieces, text[position:])) if pieces else text


def contains_name(text: str, roster: Roster) -> bool:
    """Return True if a text contains a name or contact data, in any letter case.

    Key phrases are in lower case, and redaction detects a first name alone only with a capital.
    """
    return bool(redact(text.title(), roster).counts or redact(text, roster).counts)


def prose_contains_name(text: str, roster: Roster) -> bool:
    """Return True if a text in sentences contains a name or contact data.

    A full name counts in any letter case. Unlike ``contains_name``, a single lower-case word that is also a name, such
    as "will", does not.
    """
    return bool(redact(text, roster).counts) or roster.names.contains_full_name(text)

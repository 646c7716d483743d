"""Find the names that a submission itself gives, in its submitter field and its columns."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from patternmind.domain.networks import split_roster_kind
from patternmind.ingestion.redaction.names import NameForms, fold
from patternmind.ingestion.redaction.roster import EMAIL_ADDRESS, HAS_DIGIT

_ANONYMOUS_SUBMITTERS = frozenset(
    ["anonymous", "anonym", "unknown", "ukjent", "unbekannt", "none", "nobody", "na", "n/a", "-", "?"]
)
_NAME_LIST_SEPARATOR = re.compile(r"\s*(?:[,;/&+\n]|\b(?:and|og|och|und|en)\b)\s*")
_NON_NAMES = frozenset(["yes", "no", "internal", "external", "various", "several", "all", "other", "test", "x", "tbd"])
_NAMING_COLUMNS = {
    "person": re.compile(
        r"(?:submitted|reported|written|raised|created|assigned|approved|owned)[ _-]?(?:by|to)|reporter|author"
        r"|owner|assignee"
        r"|contact(?:[ _-]?(?:name|person))?|requester|requestor|agent|employee|manager|facilitator"
        r"|participants?|attendees?"
        r"|(?:first|last|full|sur|family|given|user|contact|employee)[ _-]?name|handle|who",
        re.IGNORECASE,
    ),
    "customer": re.compile(r"(?:customer|client)s?(?:[ _-]?name)?", re.IGNORECASE),
    "site": re.compile(r"(?:site|plant|factory|branch|depot)(?:[ _-]?name)?", re.IGNORECASE),
}
"""Names of columns whose values are names; ``customer_name`` may be a person's or a company's."""
_MAX_NAME_CHARS = 60


def names_in_submitter(submitter: str) -> tuple[str, ...]:
    """Return the names in a submitter field: the whole field, and each person in it.

    An e-mail address such as ``anna.hansen@...`` gives a name too.
    """
    names = [submitter_name(submitter), *_NAME_LIST_SEPARATOR.split(submitter_name(submitter))]
    for address in EMAIL_ADDRESS.findall(submitter):
        parts = re.findall(r"[^\W\d_]{2,}", address.partition("@")[0])
        names += [" ".join(parts)] if len(parts) > 1 else []
    return tuple(dict.fromkeys(name for name in names if name and fold(name) not in _ANONYMOUS_SUBMITTERS))


def submitter_name(submitter: str) -> str:
    """Return the name without an e-mail address; empty if the field names no one."""
    name = " ".join(EMAIL_ADDRESS.sub(" ", submitter).split()).strip(" <>()\"'")
    return "" if fold(name) in _ANONYMOUS_SUBMITTERS else name


def names_in_columns(columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names in naming columns; those of customers and sites with their kind before them."""
    return tuple(name for column, value in columns.items() for name in _names_in_column(column, value))


def _names_in_column(column: str, value: str) -> Iterator[str]:
    kind = next((kind for kind, words in _NAMING_COLUMNS.items() if words.fullmatch(column.strip())), None)
    if kind == "person":
        yield from names_in_submitter(value)
    elif (
        kind
        and len(value) <= _MAX_NAME_CHARS
        and fold(value) not in _ANONYMOUS_SUBMITTERS | _NON_NAMES
        and not value.isdecimal()
    ):
        yield f"{kind}: {value}"


@lru_cache(maxsize=512)
def submission_name_forms(names: tuple[str, ...]) -> NameForms:
    kinds_and_names = (split_roster_kind(name) for name in names)
    return NameForms.of((name, f"[{kind}]") for kind, name in kinds_and_names if not HAS_DIGIT.search(name))

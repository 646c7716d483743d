"""Turn a submission into a redacted case whose id depends only on the submission."""

import datetime as dt
import hashlib
import hmac
import json
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from patternmind.domain.case_fields import DATE_FIELD, FieldType, field_named
from patternmind.domain.cases import Case, CaseKind, Consent, Submission
from patternmind.ingestion.prompt_injection import suspicion_flags
from patternmind.ingestion.redaction.redactor import RedactedText, redact, redact_identifiers
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.redaction.submission_names import names_in_columns, names_in_submitter, submitter_name

LONG_TITLE_CHARS = 80


def make_case(
    submission: Submission,
    *,
    roster: Roster,
    network_id: str,
    secret: bytes,
    default_consent: Consent = Consent.NETWORK_ONLY,
) -> tuple[Case, Mapping[str, int]]:
    """Return the redacted case, and the number of redactions by kind.

    The id depends on network, kind and external id (without one, on the raw text), not on the order of rows. The
    submitter is stored as a hash keyed with ``secret``, of the roster's name if the person is on the roster.
    ``default_consent`` applies to a submission without consent.
    """
    redactor = _SubmissionRedactor(
        roster, (*names_in_submitter(submission.facts.get("submitter", "")), *names_in_columns(submission.extra))
    )
    text = {name: redactor.redact(value) for name, value in submission.text.items()}
    extra = redactor.redact_extra(submission.extra)
    facts = {n: redactor.redact_fact(n, v) for n, v in submission.facts.items() if n not in {"submitter", "consent"}}
    text_hash = content_hash(submission)
    case = Case(
        id=_make_id(submission, text_hash, network_id),
        kind=submission.kind,
        external_id=submission.external_id,
        text=text,
        extra=extra,
        facts=facts,
        date=dt.date.fromisoformat(submission.facts[DATE_FIELD]) if DATE_FIELD in submission.facts else None,
        team=facts.get("team"),
        contributor=_hash_contributor(submission.facts.get("submitter", ""), roster, secret),
        owner=hash_owner(submission.member, secret),
        consent=Consent(submission.facts.get("consent", default_consent)),
        linked_cases=submission.linked_cases,
        content_hash=text_hash,
        text_version=_sha256(list(text.items()))[:16],
        flags=(*_collect_flags(submission, redactor.counts), *suspicion_flags(submission)),
    )
    return case, dict(redactor.counts)


def content_hash(submission: Submission) -> str:
    """Return the SHA-256 of kind and raw text, without ids, facts and extras."""
    return _sha256([submission.kind, list(submission.text.items())])


class _SubmissionRedactor:
    """Redacts the parts of one submission and counts the redactions."""

    def __init__(self, roster: Roster, own_names: Sequence[str]) -> None:
        self._roster = roster
        self._own_names = own_names
        self.counts: Counter[str] = Counter()

    def redact(self, value: str) -> str:
        return self._count(redact(value, self._roster, self._own_names))

    def redact_extra(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Redact values and column names ("Anna's remarks"). Equal redacted names get their position as a suffix."""
        redacted: dict[str, str] = {}
        for position, (name, value) in enumerate(extra.items(), start=1):
            key = self.redact(name)
            redacted[f"{key} ({position})" if key in redacted else key] = self.redact(value)
        return redacted

    def redact_fact(self, name: str, value: str) -> str:
        fact_type = field_named(name).type
        if fact_type.is_controlled:
            return value
        whole = redact(value, self._roster, self._own_names)
        is_name = set(whole.counts) == {"person"} and whole.text.startswith("[person") and whole.text.endswith("]")
        is_text = fact_type is FieldType.SENTENCES
        return self._count(whole if is_text or is_name else redact_identifiers(value, self._roster))

    def _count(self, redacted: RedactedText) -> str:
        self.counts.update(redacted.counts)
        return redacted.text


def _make_id(submission: Submission, text_hash: str, network_id: str) -> str:
    if submission.known_as is not None:
        return submission.known_as
    if submission.external_id is not None:
        return case_id_for(submission.external_id, kind=submission.kind, network_id=network_id)
    return _hash_id(submission.kind, network_id, "hash", text_hash)


def case_id_for(external_id: str, *, kind: CaseKind, network_id: str) -> str:
    """Return the id of the case with this external id, stored or not."""
    return _hash_id(kind, network_id, "id", external_id)


def _hash_id(kind: CaseKind, *parts: str) -> str:
    network_id, *rest = parts
    return f"{'c' if kind is CaseKind.CASE else 'r'}-{_sha256([network_id, kind, *rest])[:16]}"


def hash_owner(member_id: str | None, secret: bytes) -> str | None:
    """Hash the submitting member: enough to recognise them, not to find them."""
    return None if member_id is None else _keyed_hash(f"member\0{member_id}", secret)


def hash_contributor_name(name: str, secret: bytes) -> str:
    """Hash a submitter's whole name, since part of it could belong to another person."""
    return _keyed_hash(" ".join(unicodedata.normalize("NFKC", name).casefold().split()), secret)


def _keyed_hash(text: str, secret: bytes) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:16]


def _hash_contributor(submitter: str, roster: Roster, secret: bytes) -> str | None:
    person = roster.find_person(submitter)
    name = person.name if person else submitter_name(submitter) or ("" if "@" not in submitter else submitter)
    return hash_contributor_name(name, secret) if name else None


def _collect_flags(submission: Submission, counts: Mapping[str, int]) -> tuple[str, ...]:
    flags = {
        "long title": len(submission.text.get("title", "")) > LONG_TITLE_CHARS,
        "redacted": bool(counts),
        "no consent given": "consent" not in submission.facts,
    }
    return tuple(flag for flag, holds in flags.items() if holds)


def _sha256(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()

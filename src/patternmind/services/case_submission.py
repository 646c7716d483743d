"""Preview, submit, edit and restore a single case. Files: see ``services.file_import``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from patternmind.domain.case_fields import LINKED_CASES_FIELD, SUBMITTER_FIELD, field_named
from patternmind.domain.cases import Case, CaseKind, Submission
from patternmind.domain.members import Member
from patternmind.domain.networks import RosterEntry
from patternmind.errors import NotFound, RawTextKeyInvalid, RuleViolated, UsageError
from patternmind.ingestion.cases import hash_contributor_name, hash_owner
from patternmind.ingestion.form_validation import FieldError, MissingField, suggest_field, validate_fields
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ports import Clock, Store
from patternmind.services.case_view import possible_names_in_texts
from patternmind.services.roster import redact_submissions, with_current_roster


class InvalidCase(UsageError):
    """Invalid input for a case, with one error per field."""

    def __init__(self, field_errors: tuple[FieldError, ...]) -> None:
        self.field_errors = field_errors
        super().__init__(" ".join(error.message for error in field_errors))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseInput:
    """Input for one case: its fields by name (facts included), and its author.

    ``submitter`` names the owner of the case if that is not the member who writes it down.
    """

    kind: CaseKind = CaseKind.CASE
    fields: Mapping[str, str]
    external_id: str | None = None
    member: Member | None = None
    submitter: str = ""
    actor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePreview:
    """A case as others will read it. ``redaction_counts`` counts the redactions by kind.

    ``possible_names`` are words that may be names not on the roster. ``suggestion`` is the one addition that would help
    most.
    """

    case: Case
    redaction_counts: Mapping[str, int] = field(default_factory=dict[str, int])
    possible_names: tuple[str, ...] = ()
    suggestion: MissingField | None = None
    is_new: bool = True


def preview_case(store: Store, case_input: CaseInput) -> CasePreview:
    """Return a case as others will read it, without storing it.

    Raises:
        InvalidCase
    """
    roster = Roster.of(store.network.roster())
    [(submission, case, redaction_counts)] = redact_submissions(store, [_validate(case_input)], roster)
    return _preview(submission, case, redaction_counts)


def submit_case(store: Store, clock: Clock, case_input: CaseInput) -> CasePreview:
    """Store a case. The same text under the same id, or under no id, is the same case.

    Raises:
        InvalidCase
        RuleViolated: A case with that id was erased or withdrawn, or exists with another text.
    """
    submission = replace(_validate(case_input), by=case_input.actor, at=clock.now().isoformat())

    def save(people: Sequence[RosterEntry]) -> CasePreview:
        [(_, case, redaction_counts)] = redact_submissions(store, [submission], Roster.of(people))
        _refuse_removed(store, case.id)
        existing = _find_case(store, case.id)
        if existing is not None and existing.content_hash != case.content_hash:
            raise RuleViolated(
                "A case with that id exists and has another text. Edit that case, or give this one another id."
            )
        if existing is None:
            store.cases.save_all([(submission, case)], roster_version=len(people))
        return _preview(submission, existing or case, redaction_counts, is_new=existing is None)

    return with_current_roster(store, save)


def edit_case(
    store: Store, clock: Clock, case_id: str, case_input: CaseInput, *, expected_version: int | None
) -> CasePreview:
    """Replace the text and facts of a case. It keeps its id, owner and earlier versions.

    Args:
        expected_version: The version that was read; None skips the check.

    Raises:
        NotFound, InvalidCase, RawTextKeyInvalid
        VersionConflict: There is a newer version.
    """
    case = store.cases.get(case_id)
    previous = store.submissions.get(case.id)
    checked = _validate(replace(case_input, kind=case.kind, external_id=case.external_id))
    submission = replace(
        checked,
        extra=previous.extra,
        linked_cases=checked.linked_cases or previous.linked_cases,
        facts=_merge_facts(checked, previous),
        file=previous.file,
        row=previous.row,
        member=previous.member,
        by=case_input.actor,
        at=clock.now().isoformat(),
        known_as=case.id if case.external_id is None else None,
    )

    def save(people: Sequence[RosterEntry]) -> CasePreview:
        [(_, new_case, redaction_counts)] = redact_submissions(store, [submission], Roster.of(people))
        store.cases.replace(submission, new_case, expected_version=expected_version, roster_version=len(people))
        return _preview(submission, store.cases.get(case.id), redaction_counts, is_new=False)

    return with_current_roster(store, save)


def restore_case(store: Store, case_id: str) -> Case:
    """Restore a withdrawn case from its submission, redacted with the current roster.

    Raises:
        NotFound: The case is not withdrawn.
        RawTextKeyInvalid
    """
    if not any(withdrawal.case_id == case_id for withdrawal in store.cases.withdrawals()):
        raise NotFound("withdrawn case", case_id)

    def restore(people: Sequence[RosterEntry]) -> Case:
        [(submission, case, _)] = redact_submissions(store, [store.submissions.get(case_id)], Roster.of(people))
        store.cases.restore(submission, case, roster_version=len(people))
        return case

    return with_current_roster(store, restore)


def is_own_case(store: Store, case: Case, member: Member | None) -> bool:
    """Return True if the member submitted the case, or its submitter has exactly their name."""
    if member is None:
        return False
    secret = store.network.contributor_secret()
    return case.owner == hash_owner(member.id, secret) or case.contributor == hash_contributor_name(member.name, secret)


def is_own_withdrawn_case(store: Store, case_id: str, member: Member | None) -> bool:
    """Return True if a withdrawn case is the member's own; False if its raw text cannot be decrypted."""
    if member is None:
        return False
    try:
        submission = store.submissions.get(case_id)
    except RawTextKeyInvalid:
        return False
    submitter = " ".join(submission.facts.get(SUBMITTER_FIELD, "").casefold().split())
    return submission.member == member.id or submitter == " ".join(member.name.casefold().split())


def get_submitted_fields(store: Store, case_id: str) -> dict[str, str]:
    """Return the raw fields of the latest submission, for the steward and the case's owner.

    Raises:
        NotFound, RawTextKeyInvalid
    """
    return submission_fields(store.submissions.get(case_id))


def submission_fields(submission: Submission) -> dict[str, str]:
    """Return the texts, facts and links of a submission by form field name."""
    linked = {LINKED_CASES_FIELD: ", ".join(submission.linked_cases)} if submission.linked_cases else {}
    return {**submission.text, **submission.facts, **linked}


def _validate(case_input: CaseInput) -> Submission:
    fields = {name: value for name, value in case_input.fields.items() if name != SUBMITTER_FIELD}
    submitter = case_input.submitter.strip() or (case_input.member.name if case_input.member else "")
    validated = validate_fields(
        {**fields, SUBMITTER_FIELD: submitter} if submitter else fields,
        kind=case_input.kind,
        external_id=case_input.external_id,
    )
    if not isinstance(validated, Submission):
        raise InvalidCase(validated)
    is_owner = case_input.member is not None and not case_input.submitter.strip()
    return replace(validated, member=case_input.member.id if case_input.member and is_owner else None)


def _merge_facts(checked: Submission, previous: Submission) -> dict[str, str]:
    """Return the new facts. The owner stays the same unless a submitter was entered."""
    kept_names = {SUBMITTER_FIELD, *(name for name in previous.facts if field_named(name).is_hidden)}
    kept_facts = {name: value for name, value in previous.facts.items() if name in kept_names}
    new_facts = dict(checked.facts)
    if checked.member is not None:
        new_facts.pop(SUBMITTER_FIELD, None)
    return {**kept_facts, **new_facts}


def _preview(
    submission: Submission, case: Case, redaction_counts: Mapping[str, int], *, is_new: bool = True
) -> CasePreview:
    return CasePreview(
        case=case,
        redaction_counts=redaction_counts,
        possible_names=tuple(name.name for name in possible_names_in_texts([*case.text.values()])),
        suggestion=suggest_field(submission_fields(submission), kind=submission.kind),
        is_new=is_new,
    )


def _find_case(store: Store, case_id: str) -> Case | None:
    try:
        return store.cases.get(case_id)
    except NotFound:
        return None


def _refuse_removed(store: Store, case_id: str) -> None:
    if any(erasure.case_id == case_id for erasure in store.cases.erasures()):
        raise RuleViolated("This case was erased and cannot be submitted again.")
    if any(withdrawal.case_id == case_id for withdrawal in store.cases.withdrawals()):
        raise RuleViolated("This case was withdrawn. Restore it instead of submitting it again.")

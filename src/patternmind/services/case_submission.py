"""One case written by a person: looked over, handed in, edited. Files are taken in by ``verbs.ingest``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from patternmind.domain.cases import (
    SUSPICIOUS_FLAG_PREFIX,
    Case,
    CaseKind,
    Submission,
)
from patternmind.domain.members import Member
from patternmind.errors import (
    NotFound,
    RawTextKeyInvalid,
    RuleViolated,
    UsageError,
    VersionConflict,
)
from patternmind.ingestion.cases import hash_contributor_name, hash_owner, make_case
from patternmind.ingestion.form_validation import (
    FieldError,
    MissingField,
    suggest_field,
    validate_fields,
)
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ports import Clock, Store
from patternmind.services.case_view import possible_names_in_texts


class InvalidCase(UsageError):
    """What was written cannot be taken; ``wrong`` names every field and what is wrong with it."""

    def __init__(self, wrong: tuple[FieldError, ...]) -> None:
        self.field_errors = wrong
        super().__init__(" ".join(one.message for one in wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseInput:
    """What a person wrote: the fields by name (facts among them), and who wrote it.

    ``submitter`` is whose case it is, where that is not the member who writes it down.
    """

    kind: CaseKind = CaseKind.CASE
    fields: Mapping[str, str]
    external_id: str | None = None
    member: Member | None = None
    submitter: str = ""
    actor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePreview:
    """A case as others will read it. ``redacted`` counts what was taken out, by kind.

    ``possible`` are words in it that may be names nobody knows yet, ``missing`` the one thing that would help most.
    """

    case: Case
    redaction_counts: Mapping[str, int] = field(default_factory=dict[str, int])
    possible_names: tuple[str, ...] = ()
    suggestion: MissingField | None = None
    is_new: bool = True

    @property
    def suspicions(self) -> tuple[str, ...]:
        return tuple(
            one.removeprefix(SUSPICIOUS_FLAG_PREFIX).strip()
            for one in self.case.flags
            if one.startswith(SUSPICIOUS_FLAG_PREFIX)
        )


def preview_case(store: Store, case_input: CaseInput) -> CasePreview:
    """How others will read it; nothing is stored.

    Raises:
        NotFilledIn
    """
    return _preview(*_make_case(store, _validate(case_input)))


def submit_case(store: Store, clock: Clock, case_input: CaseInput) -> CasePreview:
    """Store a case. The same text handed in again under the same id, or under none, is the same case.

    Raises:
        NotFilledIn
        NotAllowed: a case of that id was erased or withdrawn, or is here with another text.
    """
    submission = replace(_validate(case_input), by=case_input.actor, at=clock.now().isoformat())
    while True:  # ends: it goes on only where somebody changed the roster in the moment it took
        n_people = len(store.roster())
        submission, case, redacted = _make_case(store, submission)
        _refuse_removed(store, case.id)
        before = _find_case(store, case.id)
        if before is not None and before.content_hash != case.content_hash:
            raise RuleViolated("A case of that id is here with another text. Edit that one, or give this another id.")
        try:
            if before is None:
                store.save_cases([(submission, case)], roster_version=n_people)
        except VersionConflict as error:
            if error.kind.startswith("roster"):
                continue
            raise
        return _preview(submission, before or case, redacted, is_new=before is None)


def edit_case(
    store: Store, clock: Clock, case_id: str, case_input: CaseInput, *, expected_version: int | None
) -> CasePreview:
    """Put another text and other facts in the place of a case's; it keeps its id, its owner and all earlier versions.

    Args:
        expected_version: the one that was read; None for whatever stands now.

    Raises:
        NotFound, NotFilledIn, RawTextLocked
        ChangedMeanwhile: there is a newer version.
    """
    case = store.case(case_id)
    before = store.submission(case.id)
    checked = _validate(replace(case_input, kind=case.kind, external_id=case.external_id))
    submission = replace(
        checked,
        extra=before.extra,
        linked_cases=checked.linked_cases or before.linked_cases,
        facts=_merge_facts(checked, before),
        file=before.file,
        row=before.row,
        member=before.member,
        by=case_input.actor,
        at=clock.now().isoformat(),
        known_as=case.id if case.external_id is None else None,
    )
    while True:  # as above
        n_people = len(store.roster())
        submission, made, redacted = _make_case(store, submission)
        try:
            store.replace_case(submission, made, expected_version=expected_version, roster_version=n_people)
        except VersionConflict as error:
            if error.kind.startswith("roster"):
                continue
            raise
        return _preview(submission, store.case(case.id), redacted, is_new=False)


def restore_case(store: Store, case_id: str) -> Case:
    """Take a withdrawn case in again as it was handed in, redacted by the roster as it is now.

    Raises:
        NotFound: it is not withdrawn.
        RawTextLocked
    """
    if not any(one.case_id == case_id for one in store.withdrawals()):
        raise NotFound("withdrawn case", case_id)
    while True:  # as above
        n_people = len(store.roster())
        submission, case, _ = _make_case(store, store.submission(case_id))
        try:
            store.put_back(submission, case, roster_version=n_people)
        except VersionConflict:
            continue
        return case


def is_own_case(store: Store, case: Case, member: Member | None) -> bool:
    """Whether a case is a member's own: they handed it in at the desk, or its submitter has exactly their name."""
    if member is None:
        return False
    secret = store.secret()
    return case.owner == hash_owner(member.id, secret) or case.contributor == hash_contributor_name(member.name, secret)


def is_own_withdrawn_case(store: Store, case_id: str, member: Member | None) -> bool:
    """The same of a case that is withdrawn. Nobody's where the raw text is sealed and the key is not there."""
    if member is None:
        return False
    try:
        submission = store.submission(case_id)
    except RawTextKeyInvalid:
        return False
    named = " ".join(submission.facts.get("submitter", "").casefold().split())
    return submission.member == member.id or named == " ".join(member.name.casefold().split())


def get_submitted_fields(store: Store, case_id: str) -> dict[str, str]:
    """The fields of a form as they were handed in last: for the steward and for whose case it is.

    Raises:
        NotFound, RawTextLocked
    """
    return submission_fields(store.submission(case_id))


def submission_fields(submission: Submission) -> dict[str, str]:
    """What was handed in, by the names that a form has."""
    linked = {"linked_cases": ", ".join(submission.linked_cases)} if submission.linked_cases else {}
    return {**submission.text, **submission.facts, **linked}


def _validate(case_input: CaseInput) -> Submission:
    fields = {name: value for name, value in case_input.fields.items() if name != "submitter"}
    submitter = case_input.submitter.strip() or (case_input.member.name if case_input.member else "")
    taken = validate_fields(
        {**fields, "submitter": submitter} if submitter else fields,
        kind=case_input.kind,
        external_id=case_input.external_id,
    )
    if not isinstance(taken, Submission):
        raise InvalidCase(taken)
    own = case_input.member is not None and not case_input.submitter.strip()
    return replace(taken, member=case_input.member.id if case_input.member and own else None)


def _merge_facts(checked: Submission, previous: Submission) -> dict[str, str]:
    """The new facts; whose case it is stays where nobody says another."""
    kept = {name: value for name, value in previous.facts.items() if name in {"submitter", "source_format"}}
    told = {name: value for name, value in checked.facts.items() if name != "submitter" or checked.member is None}
    return {**kept, **told}


def _make_case(store: Store, submission: Submission) -> tuple[Submission, Case, Mapping[str, int]]:
    network = store.network
    roster = Roster.of(store.roster())
    case, redacted = make_case(submission, roster=roster, network_id=network.id, secret=store.secret())
    if "consent" not in submission.facts:
        case = replace(case, consent=network.default_consent)
    return submission, case, redacted


def _preview(
    submission: Submission, case: Case, redaction_counts: Mapping[str, int], *, is_new: bool = True
) -> CasePreview:
    return CasePreview(
        case=case,
        redaction_counts=redaction_counts,
        possible_names=tuple(one.name for one in possible_names_in_texts([*case.text.values()])),
        suggestion=suggest_field(submission_fields(submission), kind=submission.kind),
        is_new=is_new,
    )


def _find_case(store: Store, case_id: str) -> Case | None:
    try:
        return store.case(case_id)
    except NotFound:
        return None


def _refuse_removed(store: Store, case_id: str) -> None:
    if any(one.case_id == case_id for one in store.erasures()):
        raise RuleViolated("This case was erased and is not taken in again.")
    if any(one.case_id == case_id for one in store.withdrawals()):
        raise RuleViolated("This case was withdrawn. Put it back instead of handing it in again.")

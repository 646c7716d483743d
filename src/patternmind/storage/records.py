"""Convert domain objects to JSON records and back; a round trip gives an equal object."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from patternmind.domain.cases import Case, CaseKind, Consent, Submission
from patternmind.domain.draft_fields import parse_fields
from patternmind.domain.drafts import (
    Claim,
    Decision,
    Draft,
    DraftAction,
    DraftKind,
    DraftState,
    Flag,
    FlagKind,
    Provenance,
    Quote,
    RejectionReason,
)
from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.themes import Flow, Lineage, Theme, ThemeChange

Record = dict[str, Any]


def submission_record(submission: Submission) -> Record:
    return asdict(submission)


def read_submission(record: Mapping[str, Any]) -> Submission:
    values: Record = {**record, "kind": CaseKind(record["kind"]), "linked_cases": tuple(record["linked_cases"])}
    return Submission(**values)


def case_record(case: Case) -> Record:
    record = asdict(case)
    record["date"] = case.date.isoformat() if case.date else None
    del record["duplicate_of"]  # belongs to the last run, stored in its own column
    return record


def read_case(record: Mapping[str, Any], duplicate_of: str | None) -> Case:
    values: Record = {
        **record,
        "kind": CaseKind(record["kind"]),
        "consent": Consent(record["consent"]),
        "date": date.fromisoformat(record["date"]) if record["date"] else None,
        "linked_cases": tuple(record["linked_cases"]),
        "flags": tuple(record["flags"]),
        "duplicate_of": duplicate_of,
    }
    return Case(**values)


CARD_EXCLUDED_FIELDS = ("case_ids", "centre", "unseen_case_ids", "former_exemplars", "new_by_period")
"""Fields of a theme that grow with the network or that only runs read."""


def theme_record(theme: Theme) -> Record:
    """Return the record of a theme without copying its values, which ``asdict`` would do."""
    return {field.name: getattr(theme, field.name) for field in fields(theme)} | {"trend": dict(theme.trend)}


def read_theme(record: Mapping[str, Any]) -> Theme:
    values: Record = {**record, "lineage": Lineage(record["lineage"])}
    for name in ("keywords", "case_ids", "exemplars", "differs_by", "centre", "unseen_case_ids", "former_exemplars"):
        values[name] = tuple(record.get(name, ()))
    values["new_by_period"] = tuple((label, n_new) for label, n_new in record.get("new_by_period", ()))
    return Theme(**values)


def change_record(change: ThemeChange) -> Record:
    return asdict(change)


def read_change(record: Mapping[str, Any]) -> ThemeChange:
    values: Record = {**record, "others": tuple(record["others"]), "lineage": Lineage(record["lineage"])}
    values["shared_exemplars"] = tuple(record.get("shared_exemplars", ()))
    former = record.get("former_lineage")
    values["former_lineage"] = Lineage(former) if former else None
    for name in ("went", "came"):
        values[name] = tuple(Flow(**flow) for flow in record.get(name, ()))
    return ThemeChange(**values)


def edit_record(edit: Edit) -> Record:
    return {**asdict(edit), "at": edit.at.isoformat()}


def read_edit(record: Mapping[str, Any]) -> Edit:
    values: Record = {
        **record,
        "action": EditAction(record["action"]),
        "at": datetime.fromisoformat(record["at"]),
        "case_ids": tuple(record["case_ids"]),
    }
    return Edit(**values)


def draft_record(draft: Draft) -> Record:
    return asdict(draft)


def read_draft(record: Mapping[str, Any]) -> Draft:
    provenance: Record = {**record["provenance"], "inputs": tuple(record["provenance"]["inputs"])}
    values: Record = {
        **record,
        "kind": DraftKind(record["kind"]),
        "fields": parse_fields(record["fields"]),
        "claims": tuple(_read_claim(claim) for claim in record["claims"]),
        "provenance": Provenance(**provenance),
        "flags": tuple(Flag(**{**flag, "doubt": FlagKind(flag["doubt"])}) for flag in record.get("flags", ())),
    }
    return Draft(**values)


def _read_claim(record: Mapping[str, Any]) -> Claim:
    return Claim(text=record["text"], field=record["field"], quotes=tuple(Quote(**quote) for quote in record["quotes"]))


def decision_record(decision: Decision) -> Record:
    return {**asdict(decision), "at": decision.at.isoformat()}


def read_decision(record: Mapping[str, Any]) -> Decision:
    values: Record = {
        **record,
        "action": DraftAction(record["action"]),
        "before": DraftState(record["before"]),
        "after": DraftState(record["after"]),
        "reason": RejectionReason(record["reason"]) if record["reason"] else None,
        "at": datetime.fromisoformat(record["at"]),
        "edits": parse_fields(record["edits"]),
    }
    return Decision(**values)

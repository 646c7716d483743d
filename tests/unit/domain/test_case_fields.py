"""The registry of case fields is consistent."""

from dataclasses import replace

import pytest

from patternmind.domain.case_fields import (
    CASE_FIELDS,
    CASE_TEXTS,
    CONSENT_FIELD,
    FACT_FIELDS,
    FACTS,
    FIELDS,
    FORMS,
    IMPORTED_FIELDS,
    KNOWN_WHEN_SOLVED,
    LINKED_CASES_FIELD,
    PLAIN_TEXT_FIELD,
    QUESTIONS,
    RECAP_FIELDS,
    RECAP_TEXTS,
    SUBMITTER_FIELD,
    FieldType,
    field_named,
    text_fields,
)
from patternmind.domain.cases import CaseKind


def input_names(kind: CaseKind) -> list[str]:
    return [field_input.name for group in FORMS[kind] for field_input in group.fields]


@pytest.mark.parametrize("kind", CaseKind)
def test_registry_names_each_field_of_a_kind_once(kind: CaseKind) -> None:
    names = [*text_fields(kind), *FACT_FIELDS, "id", LINKED_CASES_FIELD]
    assert sorted(names) == sorted(IMPORTED_FIELDS[kind])


def test_field_of_both_kinds_differs_only_in_its_columns() -> None:
    for name in set(CASE_FIELDS) & set(RECAP_FIELDS):
        of_case, of_recap = (
            next(field for field in fields if field.name == name) for fields in (CASE_TEXTS, RECAP_TEXTS)
        )
        assert replace(of_case, columns=of_recap.columns) == of_recap


@pytest.mark.parametrize("kind", CaseKind)
def test_form_asks_for_every_text_once(kind: CaseKind) -> None:
    names = input_names(kind)
    assert len(set(names)) == len(names)
    assert set(text_fields(kind)) <= set(names) <= set(IMPORTED_FIELDS[kind])


def test_case_form_asks_for_every_fact_that_is_not_hidden() -> None:
    visible = {field.name for field in FACTS if not field.is_hidden} - {CONSENT_FIELD, SUBMITTER_FIELD}
    assert visible <= set(input_names(CaseKind.CASE))


def test_only_choices_have_choices() -> None:
    assert all(bool(field.choices) == (field.type is FieldType.CHOICE) for field in FIELDS.values())


@pytest.mark.parametrize("kind", CaseKind)
def test_questions_and_plain_text_are_on_the_form(kind: CaseKind) -> None:
    assert {*QUESTIONS[kind], PLAIN_TEXT_FIELD[kind]} <= set(input_names(kind))
    assert set(QUESTIONS[CaseKind.CASE]) >= KNOWN_WHEN_SOLVED


def test_unknown_field_is_a_label_with_its_own_name() -> None:
    field = field_named("removed_field")
    assert (field.label, field.type, field.choices) == ("removed_field", FieldType.LABEL, ())

"""Labels, options and form fields of cases and recaps for pages."""

from patternmind.domain.case_fields import CONSENT_FIELD, FORMS, FieldType, field_named
from patternmind.domain.cases import CaseKind


def value_options(name: str) -> list[tuple[str, str]]:
    """Return the values of a fact with fixed choices, each with its label."""
    return [(choice.value, choice.label) for choice in field_named(name).choices]


CONSENT_OPTIONS = [(choice.value, choice.label, choice.hint) for choice in field_named(CONSENT_FIELD).choices]


def value_label(name: str, value: str) -> str:
    """Return the label of a fact's value."""
    return dict(value_options(name)).get(value, value)


def field_label(name: str) -> str:
    return field_named(name).label


def input_type(name: str) -> str:
    """Return the HTML type of a field's one-line input."""
    return "date" if field_named(name).type is FieldType.DATE else "text"


def form_field_names(kind: CaseKind) -> tuple[str, ...]:
    """Return the names of the fields that a form of this kind submits."""
    return (*(field.name for group in FORMS[kind] for field in group.fields), CONSENT_FIELD)

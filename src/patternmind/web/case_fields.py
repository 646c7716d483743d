"""Form fields of cases and recaps, and labels of fields and values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.case_fields import FORMS, FieldInput, FieldType, field_named
from patternmind.domain.cases import CaseKind

CONSENT = "consent"
NOT_STATED_OPTION = ("", "Not stated")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A form field: a text area if ``rows`` > 0, a select if it has ``options``, else an input of ``type``."""

    name: str
    label: str
    hint: str = ""
    rows: int = 0
    type: str = "text"
    options: Sequence[tuple[str, str]] = ()
    max_length: int = 0


@dataclass(frozen=True, slots=True)
class FieldGroup:
    title: str
    fields: Sequence[FormField]
    is_open: bool = False


def value_options(name: str) -> list[tuple[str, str]]:
    """Return the values of a fact with fixed choices, each with its label."""
    return [(choice.value, choice.label) for choice in field_named(name).choices]


def _form_field(field_input: FieldInput) -> FormField:
    options = value_options(field_input.name)
    return FormField(
        name=field_input.name,
        label=field_input.label,
        hint=field_input.hint,
        rows=field_input.rows,
        type="date" if field_named(field_input.name).type is FieldType.DATE else "text",
        options=[NOT_STATED_OPTION, *options] if options else [],
        max_length=field_input.max_length,
    )


FIELD_GROUPS: Mapping[CaseKind, Sequence[FieldGroup]] = {
    kind: [FieldGroup(group.title, [_form_field(item) for item in group.inputs], group.is_open) for group in form]
    for kind, form in FORMS.items()
}

CONSENT_OPTIONS = [(choice.value, choice.label, choice.hint) for choice in field_named(CONSENT).choices]


def value_label(name: str, value: str) -> str:
    """Return the label of a fact's value."""
    return dict(value_options(name)).get(value, value)


def field_label(name: str) -> str:
    return field_named(name).label


def form_field_names(kind: CaseKind) -> tuple[str, ...]:
    """Return the names of the fields that a form of this kind submits."""
    return (*(field.name for group in FIELD_GROUPS[kind] for field in group.fields), CONSENT)

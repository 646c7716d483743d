"""Rules of a case that several outlets share: publishing and suspicions."""

import pytest

from patternmind.domain.cases import Case, CaseKind, Consent


def make_case(**values: object) -> Case:
    return Case(id="c-1", kind=CaseKind.CASE, external_id=None, text={"problem": "The gate is late."}, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("consent", "is_publishable"),
    [(Consent.NETWORK_ONLY, False), (Consent.ORGANISATION, True), (Consent.QUOTABLE, True)],
)
def test_case_is_publishable_unless_for_the_network_only(consent: Consent, is_publishable: bool) -> None:
    assert consent.is_publishable is is_publishable
    assert make_case(consent=consent).is_publishable is is_publishable


def test_case_without_consent_is_not_publishable() -> None:
    assert not make_case().is_publishable


def test_suspicions_are_the_flags_with_the_prefix() -> None:
    assert make_case(flags=("redacted", "suspicious: addresses a model", "long title")).suspicions == (
        "addresses a model",
    )

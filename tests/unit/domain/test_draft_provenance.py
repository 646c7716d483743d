"""Names of cases in a draft's provenance, and what is read from them."""

import pytest

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import Provenance, case_input, parse_case_input


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("c-1@abc", ("c-1", "abc")),
        ("c-1", ("c-1", "")),
        ("ada@example.com@abc", ("ada@example.com", "abc")),
        ("c-1@", ("c-1", "")),
    ],
)
def test_parse_case_input_splits_at_the_last_at_sign(name: str, parsed: tuple[str, str]) -> None:
    assert parse_case_input(name) == parsed


def test_case_input_is_parsed_to_the_id_and_version() -> None:
    case = Case(id="c-1", kind=CaseKind.CASE, external_id=None, text={}, text_version="abc")
    assert parse_case_input(case_input(case)) == ("c-1", "abc")


def test_provenance_lists_each_case_once() -> None:
    assert Provenance(run_id="run-1", inputs=("c-2@a", "c-1@b", "c-2@c", "c-3")).case_ids == ("c-2", "c-1", "c-3")

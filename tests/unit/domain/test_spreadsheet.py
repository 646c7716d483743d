"""Escaping of spreadsheet formulas in exported and rejected-rows files."""

import pytest
from tests.fixtures.unsafe_files import unsafe_csv

from patternmind.cli.output_files import format_rows
from patternmind.domain.spreadsheet import FORMULA_PREFIXES, escape_formula
from patternmind.ingestion.mapping import unescape_formula

FORMULAS = ["=1+1", "＝1+1", "+1", "＋1", "-1", "－1", "@SUM(A1)", "＠SUM(A1)", "|calc", "%0", "\t=1", "\r=1", "\n=1"]
SPACED = [f"{space}{formula}" for space in (" ", "\u00a0", "\u3000") for formula in ("=1+1", "＝1+1", "|calc")]


@pytest.mark.parametrize("formula", [*FORMULAS, *SPACED])
def test_escape_formula_adds_an_apostrophe(formula: str) -> None:
    assert escape_formula(formula) == f"'{formula}"


@pytest.mark.parametrize("text", ["", " ", "a = b - c", "50 % of cases", "'=1+1", "1-2"])
def test_escape_formula_keeps_plain_text(text: str) -> None:
    assert escape_formula(text) == text


@pytest.mark.parametrize("formula", [*FORMULAS, *SPACED])
def test_unescape_formula_reverts_escape_formula(formula: str) -> None:
    assert unescape_formula(escape_formula(formula)) == formula


@pytest.mark.parametrize("text", ["'quoted'", "'", "plain"])
def test_unescape_formula_keeps_other_apostrophes(text: str) -> None:
    assert unescape_formula(text) == text


@pytest.mark.parametrize("prefix", FORMULA_PREFIXES)
def test_csv_export_escapes_every_formula_prefix(prefix: str) -> None:
    exported = format_rows([{"text": f"{prefix}1"}], "csv")
    assert unsafe_csv(exported) == []


@pytest.mark.parametrize(
    "formula", [formula for formula in [*FORMULAS, *SPACED] if not formula.startswith(("\r", "\n"))]
)
def test_unsafe_csv_reports_every_formula(formula: str) -> None:
    assert unsafe_csv(f'plain,"{formula}"\n')


def test_csv_export_quotes_a_carriage_return_so_that_it_starts_no_row() -> None:
    exported = format_rows([{"text": "first\r=1+1"}], "csv")
    assert exported == 'text\n"first\r=1+1"\n'
    assert unsafe_csv(exported) == []

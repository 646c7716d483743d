"""Escaping of spreadsheet cells: text that a spreadsheet would evaluate as a formula."""

FORMULA_PREFIXES = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%", "\t", "\r", "\n")
"""First characters of cells that some spreadsheet evaluates.

Programs set to Chinese or Japanese read the wide signs as plain ones. Some programs skip leading space.
"""


def is_formula(cell: str) -> bool:
    """Return True if a spreadsheet may evaluate the cell."""
    return cell.startswith(FORMULA_PREFIXES) or cell.lstrip().startswith(FORMULA_PREFIXES)


def escape_formula(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet may evaluate, which makes it text."""
    return f"'{cell}" if is_formula(cell) else cell

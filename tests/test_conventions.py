"""Check the naming conventions of docs/developer.md: bindings, classes and modules."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from patternmind.cli.app import HELP_BY_COMMAND

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "patternmind"

BANNED_BINDINGS = frozenset({"one", "told", "said", "asked", "found", "kept", "shown"})
"""Names that do not say what a variable holds."""

BANNED_MODULE_PARTS = frozenset({"utils", "helpers", "common", "misc", "telling", "handing", "leaving", "keeping"})

INTERFACES = frozenset({"cli", "evals", "web"})
"""Packages that may name commands: the command line, the evals (run by commands only) and the operator's texts."""

COMMAND_TEXT = re.compile(rf"(?<![\w-])--[a-z]|\b(?:pip install|patternmind (?:{'|'.join(HELP_BY_COMMAND)}))\b")
"""A command or an option of a command."""


def test_bindings_carry_a_role() -> None:
    banned = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in python_files("src", "tests", "bench", "tools")
        for line, name in bindings(path)
        if name in BANNED_BINDINGS
    ]
    assert banned == []


def test_class_names_are_unique() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in python_files("src", "bench"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_module_names_say_what_they_hold() -> None:
    assert [path for path in python_files("src") if BANNED_MODULE_PARTS & set(path.stem.split("_"))] == []


def test_only_the_command_line_names_commands_and_options() -> None:
    """Errors and texts of the other packages also appear on pages and in the API."""
    named = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in python_files("src")
        if path.relative_to(PACKAGE).parts[0] not in INTERFACES and path.name != "stylesheet.py"
        for line, text in texts(path)
        if COMMAND_TEXT.search(text)
    ]
    assert named == []


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each string of a file with its line, except docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def bindings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each name that a file binds, with its line: arguments, assignments, loop and exception variables."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.arg(arg=name, lineno=line):
                yield line, name
            case ast.Name(id=name, ctx=ast.Store(), lineno=line):
                yield line, name
            case ast.ExceptHandler(name=str(name), lineno=line) | ast.MatchAs(name=str(name), lineno=line):
                yield line, name
            case _:
                pass

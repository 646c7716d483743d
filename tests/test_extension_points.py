"""Check how many files an extension touches, as docs/developer.md says."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from patternmind.domain.edits import BINDING_ACTIONS, EditAction
from patternmind.edits import ACTIONS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "patternmind"

MAX_FILES_OF_AN_EDIT_ACTION = 5

FORM_VALUE = re.compile(r"\baction\b(?!=)")
"""An expression about an action in a template or script; ``action="..."`` is the address of a form."""


@pytest.mark.parametrize("action", EditAction)
def test_edit_action_is_named_in_few_files(action: EditAction) -> None:
    files = files_that_name(action)
    assert "domain/edits.py" in files
    assert sum(name.startswith("edits/") for name in files) == 1
    assert len(files) <= MAX_FILES_OF_AN_EDIT_ACTION, files


def test_recipe_lists_the_files_of_an_edit_action() -> None:
    documents = (ROOT / "docs" / "developer.md").read_text(encoding="utf-8")
    recipe = documents.partition("**a theme edit action**")[2].partition("\n- **")[0]
    needed = set[str].intersection(*(files_that_name(action) for action in BINDING_ACTIONS))
    classes = {f"edits/{type(ACTIONS[action]).__module__.rpartition('.')[2]}.py" for action in EditAction}
    assert needed == {"domain/edits.py", "web/templates/themes/theme.html"}
    assert [name for name in needed | classes if f"`{name}`" not in recipe] == []


def files_that_name(action: EditAction) -> set[str]:
    """Return the source files that name an action: by member, by class, or by its value where an action is meant."""
    return {name for name, text in source_texts().items() if _names_action(name, text, action)}


@cache
def source_texts() -> dict[str, str]:
    """Return the code, and the templates of the pages about themes, by path."""
    paths = [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.js"), *(SOURCE / "web" / "templates" / "themes").glob("*.html")]
    return {path.relative_to(SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _names_action(name: str, text: str, action: EditAction) -> bool:
    compound = re.compile(rf"\b{action.replace('_', '[-_]')}\b")
    if f"EditAction.{action.name}" in text or ("_" in action and compound.search(text)):
        return True
    if name.endswith(".py"):
        is_about_themes = name == "domain/edits.py" or re.search(r"domain\.edits|patternmind\.edits|theme_edits", text)
        return bool(is_about_themes) and any(_is_named(text, action))
    quoted = re.compile(rf"[\"']{action}[\"']")
    return any(FORM_VALUE.search(line) and quoted.search(line) for line in text.splitlines())


def _is_named(text: str, action: EditAction) -> Iterator[bool]:
    """Yield True for each use of the member, class or value of an action."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                yield name in {action.name, type(ACTIONS[action]).__name__}
            case ast.Constant(value=str(value)):
                yield value == action and "action" in lines[node.lineno - 1].lower()
            case _:
                pass

"""Check how many files an extension touches, as docs/developer.md says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from patternmind.domain.edits import BINDING_ACTIONS, EditAction
from patternmind.edits import ACTIONS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "patternmind"

TEMPLATES = SOURCE / "web" / "templates" / "themes"
"""Templates of the pages about themes; other templates have actions of their own."""

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
    return {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*")
        if (path.suffix in {".py", ".js"} or path.parent == TEMPLATES) and _names_action(path, action)
    }


def _names_action(path: Path, action: EditAction) -> bool:
    text = path.read_text(encoding="utf-8")
    if f"EditAction.{action.name}" in text or (
        "_" in action and re.search(rf"\b{action.replace('_', '[-_]')}\b", text)
    ):
        return True
    if path.suffix == ".py":
        return any(_is_named(path, text, action))
    quoted = re.compile(rf"[\"']{action}[\"']")
    return any(FORM_VALUE.search(line) and quoted.search(line) for line in text.splitlines())


def _is_named(path: Path, text: str, action: EditAction) -> Iterator[bool]:
    """Yield True for each use of the member, class or value of an action."""
    lines = text.splitlines()
    is_about_themes = path == SOURCE / "domain" / "edits.py" or bool(
        re.search(r"domain\.edits|patternmind\.edits|theme_edits", text)
    )
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                yield is_about_themes and name in {action.name, type(ACTIONS[action]).__name__}
            case ast.Constant(value=str(value)):
                yield is_about_themes and value == action and "action" in lines[node.lineno - 1].lower()
            case _:
                pass

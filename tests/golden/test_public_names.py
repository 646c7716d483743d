"""Pin every name that other programs, stored audit entries and people's scripts rely on.

After an intended change run ``python tests/golden/test_public_names.py`` and review the difference: a rename here
breaks generated clients (operation ids, schemas), searches of the audit log (audit actions) or scripts (commands).
"""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from patternmind.bootstrap import AppContext
from patternmind.cli.app import HELP_BY_COMMAND, load_command
from patternmind.domain.edits import EditAction
from patternmind.settings import Settings
from patternmind.web.app import PAGE_ROUTES, make_app

GOLDEN = Path(__file__).with_name("public_names.json")
SOURCE = Path(__file__).parents[2] / "src" / "patternmind"


def test_public_names_stay_as_pinned() -> None:
    assert public_names() == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_route_declares_its_name_explicitly() -> None:
    """A name that FastAPI derives would change with the function's name. Path, name and action come in this order."""
    for path in sorted((SOURCE / "web").rglob("*.py")):
        for decorator in _route_decorators(path):
            has_name = len(decorator.args) == 3 or any(keyword.arg == "name" for keyword in decorator.keywords)
            assert has_name, (path.name, decorator.lineno)


def public_names() -> Mapping[str, Any]:
    app = make_app(AppContext(Settings(home=Path("nowhere"))))
    schema = app.openapi()
    operations = {
        f"{method.upper()} {path}": operation["operationId"]
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    audited = {name for path in (SOURCE / "cli").glob("*.py") for name in _audited(path)}
    return {
        "operations": operations,
        "pages": {f"{method} {page.path}": page.name for page in PAGE_ROUTES for method in sorted(page.methods or ())},
        "schemas": sorted(schema["components"]["schemas"]),
        "audit_actions_of_commands": sorted(audited | {f"themes.{action.value}" for action in EditAction}),
        "commands": dict(
            entry for name in HELP_BY_COMMAND for entry in _commands(load_command(name), f"patternmind {name}")
        ),
    }


def _route_decorators(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).startswith(("router.", "app.")):
                    yield decorator


def _audited(path: Path) -> Iterator[str]:
    """Yield the literal audit actions in calls of ``write_audit``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "write_audit":
            name = node.args[2]
            if isinstance(name, ast.Constant):
                yield str(name.value)


def _commands(command: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the options and arguments of each command, by the whole path of its groups."""
    if hasattr(command, "commands"):
        for name, child in sorted(command.commands.items()):
            yield from _commands(child, f"{path} {name}")
    else:
        yield path, sorted(option for parameter in command.params for option in parameter.opts)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(public_names(), indent=2) + "\n", encoding="utf-8")

"""Files, names and commands in docs/developer.md exist, and its blocks are valid."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from patternmind.web.templating import template_environment

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "patternmind"
GUIDE = (ROOT / "docs" / "developer.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
SPANS = sorted(set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", GUIDE, flags=re.DOTALL | re.MULTILINE))))

CODE_FOLDERS = ("src", "tests", "bench", "tools")
MADE_BY_COMMANDS = frozenset({".venv-bench", "reports/bench.jsonl", "reports/bench/", "NAME.npy", "NAME.json"})
"""Paths that exist only after a command."""
PATH = re.compile(r"[\w.<>-]+(?:/[\w.<>-]+)*/?")


def is_path(span: str) -> bool:
    return bool(PATH.fullmatch(span)) and (
        "/" in span or Path(span).suffix in {".py", ".md", ".toml", ".json", ".html"}
    )


def code_files() -> Iterator[Path]:
    for folder in CODE_FOLDERS:
        for suffix in ("py", "html", "js", "css", "toml"):
            yield from (ROOT / folder).rglob(f"*.{suffix}")
    yield from (ROOT / "Makefile", ROOT / "pyproject.toml")


@cache
def words_of_code() -> frozenset[str]:
    texts = (path.read_text(encoding="utf-8") for path in code_files())
    return frozenset(word for text in texts for word in re.findall(r"[\w-]+", text))


@cache
def defined_names() -> frozenset[str]:
    """Return the names that Python code, template macros, the script and the Makefile define."""
    python_names = (name for path in code_files() if path.suffix == ".py" for name in definitions(path))
    texts = [path.read_text(encoding="utf-8") for path in code_files() if path.suffix != ".py"]
    pattern = re.compile(r"(?:macro|const|function) (\w+)|^(\w+) [?:]?=", re.MULTILINE)
    other_names = (name for text in texts for names in pattern.findall(text) for name in names)
    return frozenset([*python_names, *other_names])


def definitions(path: Path) -> Iterator[str]:
    yield from (path.stem, path.parent.name)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case _:
                pass


def test_guide_names_existing_files() -> None:
    paths = [span for span in SPANS if is_path(span) and span not in MADE_BY_COMMANDS]
    assert len(paths) > 50
    assert [path for path in paths if not exists(re.sub(r"<\w+>", "*", path).rstrip("/"))] == []


def exists(pattern: str) -> bool:
    """Return whether a path exists in the repository, or in any folder of code."""
    folders = (SOURCE, ROOT / "tests", ROOT / "bench")
    return any(ROOT.glob(pattern)) or any(next(folder.rglob(pattern), None) for folder in folders)


def test_guide_names_existing_names() -> None:
    spans = [span for span in SPANS if not is_path(span) and span not in MADE_BY_COMMANDS]
    assert len(spans) > 80
    assert [span for span in spans if not is_known(span)] == []


def is_known(span: str) -> bool:
    """Return whether code contains the words of a span; a single name or call must be defined."""
    called = re.fullmatch(r"\.?([\w.]+)(?:\(.*\))?", span)
    if called and re.search(r"[A-Z(_]", span) and called[1].rpartition(".")[2] not in defined_names():
        return False
    return {word for word in re.findall(r"[A-Za-z][\w-]*", span) if not word.isupper()} <= words_of_code()


def test_name_before_a_file_is_in_the_file() -> None:
    pairs = re.findall(r"`(\w+)` \(`([\w/]+\.py)`\)", GUIDE)
    assert pairs
    for name, path in pairs:
        assert re.search(rf"\b{name}\b", (SOURCE / path).read_text(encoding="utf-8")), (name, path)


# Blocks --------------------------------------------------------------------------------------------------------------


def command_lines() -> list[str]:
    lines = [line for language, block in BLOCKS if not language for line in block.splitlines()]
    return [re.split(r" {3,}| {2}(?=[a-z])", line)[0] for line in lines if re.match(r"make |\.venv", line)]


@pytest.mark.parametrize("line", command_lines())
def test_command_of_the_guide_is_valid(line: str) -> None:
    program, *arguments = line.split(maxsplit=1)
    if program == "make":
        command = ["make", "--dry-run", *arguments[0].split()[:1]]
    else:
        module = re.sub(r"(\w+)(\|\w+)+", r"\1", arguments[0]).split()
        command = [sys.executable, *module[:3], *(module[3:] if module[-1] == "--help" else ["--version"])]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-500:]


def test_python_blocks_use_existing_attributes() -> None:
    for block in (block for language, block in BLOCKS if language == "python"):
        attributes = [node.attr for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Attribute)]
        assert set(attributes) <= defined_names()


def test_template_block_uses_existing_macros() -> None:
    [block] = [block for language, block in BLOCKS if not language and "{% extends" in block]
    environment = template_environment()
    environment.parse(block)
    macros = vars(environment.get_template("macros.html").module)
    assert set(re.findall(r"\bui\.(\w+)", block)) <= set(macros)

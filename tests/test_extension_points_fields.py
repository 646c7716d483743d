"""Adding a field of a case or a resource touches few files, as docs/developer.md says."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from patternmind.domain.case_fields import CASE_FIELDS, FACT_FIELDS, RECAP_FIELDS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "patternmind"
GUIDE = (ROOT / "docs" / "developer.md").read_text(encoding="utf-8")
MAX_FIELD_FILES = 3
MAX_RESOURCE_FILES = 9

FIELDS_WITH_RULES: Mapping[str, str] = {
    "title": "heading of a case everywhere",
    "problem": "holds the whole text of a case; also a lens and a part of a pattern",
    "context": "holds the rest of a Markdown file; also a part of a pattern",
    "outcome": "also the result of a run or a call",
    "status": "decides what an open or abandoned case means; a filter of the list",
    "team": "counted for breadth; a filter of the list",
    "role": "also the role of a sentence, a member or a message",
    "consent": "decides what may be published",
    "submitter": "never shown; its hash counts contributors",
    "case": "bullet of a recap draft",
    "pattern": "bullet of a recap draft",
    "decision": "bullet of a recap draft",
    "next_use": "bullet of a recap draft",
    "open_question": "bullet of a recap draft",
    "notes": "source of the bullets of a recap draft; also notes of a run",
}
"""Fields with rules in code, or with a common word as name. All others are data of the registry."""

OTHER_MEANINGS: Mapping[str, Mapping[str, str]] = {
    "region": {
        "src/patternmind/domain/networks.py": "kind of a roster entry",
        "src/patternmind/ingestion/redaction/roster.py": "kind of a roster entry",
        "src/patternmind/services/network_settings.py": "kind of a roster entry",
        "src/patternmind/services/roster.py": "kind of a roster entry",
        "src/patternmind/web/api/roster.py": "kind of a roster entry",
    },
    "tried": {"prompts/candidate-pattern.md": "kind of a facet"},
    "lesson": {"src/patternmind/evals/scorers/name_redaction.py": "column of a corpus"},
    "recommendation": {"src/patternmind/evals/scorers/name_redaction.py": "column of a corpus"},
}
"""Files where the name of a field means something else."""


def source_files() -> Iterator[Path]:
    for pattern in ("*.py", "*.html", "*.js"):
        yield from (path for path in sorted(SOURCE.rglob(pattern)) if "migrations" not in path.parts)
    yield from sorted((ROOT / "prompts").glob("*.md"))


def python_mentions(text: str) -> Iterator[str]:
    """Yield each string, attribute and keyword of a module, and words with an underscore."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Constant(value=str(value)):
                yield value
                yield from re.findall(r"\w+_\w+", value)
            case ast.Attribute(attr=str(name)) | ast.keyword(arg=str(name)):
                yield name
            case _:
                pass


def template_mentions(path: Path, text: str) -> Iterator[str]:
    """Yield each quoted word and attribute of a script, or of a template's expressions."""
    code = text if path.suffix == ".js" else "\n".join(re.findall(r"\{[{%].*?[%}]\}", text, re.DOTALL))
    yield from re.findall(r"(?<=[\"'.])\w+\b", code)
    yield from re.findall(r"\w+_\w+", text)
    if path.suffix == ".md":
        yield from re.findall(r"[`\"](\w+)[`\"]", text)


@pytest.fixture(scope="module")
def files_by_word() -> Mapping[str, set[str]]:
    """Paths of the files that mention each word."""
    files: dict[str, set[str]] = {}
    for path in source_files():
        text = path.read_text(encoding="utf-8")
        for word in python_mentions(text) if path.suffix == ".py" else template_mentions(path, text):
            files.setdefault(word, set()).add(str(path.relative_to(ROOT)))
    return files


ORDINARY_FIELDS = [name for name in (*CASE_FIELDS, *RECAP_FIELDS, *FACT_FIELDS) if name not in FIELDS_WITH_RULES]


@pytest.mark.parametrize("name", ORDINARY_FIELDS)
def test_field_is_mentioned_in_few_files(name: str, files_by_word: Mapping[str, set[str]]) -> None:
    files = files_by_word[name] - set(OTHER_MEANINGS.get(name, {}))
    assert len(files) <= MAX_FIELD_FILES, sorted(files)


def test_exceptions_of_fields_are_current(files_by_word: Mapping[str, set[str]]) -> None:
    assert set(FIELDS_WITH_RULES) <= {*CASE_FIELDS, *RECAP_FIELDS, *FACT_FIELDS}
    assert {"impact", "lesson", "region"} <= set(ORDINARY_FIELDS)
    for name, meanings in OTHER_MEANINGS.items():
        assert set(meanings) <= files_by_word[name], name


# Walking the recipe of a field ---------------------------------------------------------------------------------------


def recipe(title: str) -> str:
    """Return the text of a recipe with its own heading."""
    return GUIDE.split(f"### {title}\n", 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]


def recipe_files(title: str) -> list[str]:
    """Return the files in the first column of a recipe's table."""
    rows = re.findall(r"^\| (`.*?) \|", recipe(title), re.MULTILINE)
    return [path for row in rows for path in re.findall(r"`([^`]+)`", row)]


def add_example_field(registry: Path, texts_or_facts: str, name: str) -> None:
    """Do the steps of the recipe with its example under another name."""
    block = re.search(r"```text\n# FACTS\n(.*)\n# CASE_FORM: (.*)\n(.*)\n```", recipe("Add a field of a case"))
    assert block, "the recipe has no example"
    field, group, field_input = (re.sub("example", name, part, flags=re.IGNORECASE) for part in block.groups())
    source = registry.read_text(encoding="utf-8")
    before, after = source.split(f"\n{texts_or_facts} = (\n", 1)
    fields, rest = after.split("\n)\n", 1)
    source = f"{before}\n{texts_or_facts} = (\n{fields}\n    {field}\n)\n{rest}"
    start_of_group = f'"{group}",\n        (\n'
    assert source.count(start_of_group) == 1
    registry.write_text(
        source.replace(start_of_group, f"{start_of_group}            {field_input}\n"), encoding="utf-8"
    )


IMPORT_AND_LOOK = """
import json, os, sys
from tests.fixtures.page_client import PageClient
from patternmind.bootstrap import AppContext
from patternmind.cli.app import app as command
from patternmind.domain.permissions import Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.services.exports import export_rows
from patternmind.settings import read_settings

command(["ingest", sys.argv[1], "--json"], standalone_mode=False)
ctx = AppContext(read_settings(os.environ), encoder=HashingEncoder())
client = PageClient(ctx, Role.STEWARD)
[row] = export_rows(ctx.store, "cases")
pages = [client.get(address).text for address in (f"/cases/{row['case_id']}", "/cases/new?full=1")]
print(json.dumps([row["text"], *pages]))
"""
"""Import a file by the command; print the exported text, the page and the form of its case."""


def test_recipe_of_a_field_brings_columns_to_page_and_export(tmp_path: Path) -> None:
    source, rows = tmp_path / "src" / "patternmind", tmp_path / "cases.csv"
    shutil.copytree(SOURCE, source)
    add_example_field(source / "domain" / "case_fields.py", "FACTS", "fact")
    add_example_field(source / "domain" / "case_fields.py", "CASE_TEXTS", "text")
    rows.write_text(
        "problem,cost of the fact,cost of the text,consent\nThe pump leaks.,Four crowns,Five crowns,organisation\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": f"{source.parent}:{ROOT}", "PATTERNMIND_HOME": str(tmp_path / "home")}

    command = [sys.executable, "-W", "ignore", "-c", IMPORT_AND_LOOK, str(rows)]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    exported_text, case_page, form = json.loads(output.splitlines()[-1])
    assert exported_text == {"problem": "The pump leaks.", "text_cost": "Five crowns"}
    for label, value in (("fact cost", "Four crowns"), ("text cost", "Five crowns")):
        assert label in case_page
        assert value in case_page
    assert 'name="fact_cost"' in form
    assert 'name="text_cost"' in form


# The recipe of a resource --------------------------------------------------------------------------------------------


def test_recipe_of_a_field_lists_few_files() -> None:
    assert_folders_exist(files := recipe_files("Add a field of a case"))
    assert 0 < len(files) <= MAX_FIELD_FILES


def test_recipe_of_a_resource_lists_few_files_for_an_api_or_a_page() -> None:
    assert_folders_exist(files := recipe_files("Add a resource"))
    for_api = [path for path in files if not path.startswith(("web/pages/", "web/templates/"))]
    for_page = [path for path in files if not path.startswith("web/api/")]
    assert len(for_api) < len(files)
    assert len(for_page) < len(files)
    assert max(len(for_api), len(for_page)) <= MAX_RESOURCE_FILES


def assert_folders_exist(paths: list[str]) -> None:
    for path in paths:
        folder = path.split("<", 1)[0].rpartition("/")[0]
        assert (SOURCE / folder).is_dir() or (ROOT / folder).is_dir(), path

"""Run every command of README and guides unchanged and in order on sample data.

Each command runs once as a separate process. When it is repeated with other arguments, it runs in the test process.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from tests.fixtures.in_process import InProcess

ROOT = Path(__file__).parents[2]
GUIDES = ("README.md", "docs/steward.md", "docs/facilitator.md", "docs/operator.md", "docs/developer.md")
COMMAND = Path(sys.executable).with_name("patternmind")


def guide_commands(guide: str) -> list[str]:
    """Return the lines of a guide's sh blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / guide).read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the guides mention."""
    folder = tmp_path_factory.mktemp("docs")
    sample = Path(str(files("patternmind"))) / "sample"
    first, second = ((sample / f"cases-2026Q{n}.csv").read_text(encoding="utf-8") for n in (3, 4))
    (folder / "cases.csv").write_text(first + second.split("\n", 1)[1], encoding="utf-8")
    shutil.copy(sample / "recaps.jsonl", folder)
    shutil.copy(sample / "roster.csv", folder)
    return folder


GROUPS = {"cases", "index", "key", "member", "network", "redaction", "review", "themes", "token"}


def command_of(words: list[str]) -> str:
    """Return the command of a line, without its arguments."""
    names = words[3:] if words[1].startswith("--") else words[1:]
    return " ".join(names[: 2 if names[0] in GROUPS else 1])


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line in the test process."""
    words = shlex.split(line)
    result = InProcess(folder / "home", folder=folder).by_meaning()(*words[1:])
    return subprocess.CompletedProcess(words, result.code, result.out, result.err)


def run_process(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(line)
    environment = {**os.environ, "PATTERNMIND_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "1"}
    command = [str(COMMAND), *words[1:]]
    if words[1] == "serve":
        return _serve_for_a_moment(command, folder, environment)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def _serve_for_a_moment(
    command: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        first_line = server.stderr.readline()  # the address, printed once the server runs
        alive = server.poll() is None
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=20)
    return subprocess.CompletedProcess(command, 0 if alive else 1, out, first_line + err)


def find_candidate(folder: Path) -> str:
    drafts = json.loads(run("patternmind review list --json", folder).stdout)
    return next(row["id"] for row in drafts if row["kind"] == "pattern" and row["fields"].get("solution"))


def find_placeholders(folder: Path) -> dict[str, str]:
    """Return ids for THEME, OTHER, CASE-1 and so on.

    Themes are ordered by size. The cases are of the first theme, the last case is of another theme.
    """
    themes = [theme["theme_id"] for theme in json.loads(run("patternmind themes --json", folder).stdout)]
    rows = [json.loads(line) for line in run("patternmind export assignments", folder).stdout.splitlines()]
    inside = [row["case_id"] for row in rows if row["theme_id"] == themes[0]]
    other = next(row["case_id"] for row in rows if row["theme_id"] == themes[1])
    cases = [*inside[:4], other]
    return dict(zip(("THEME", "OTHER", "THIRD", "FOURTH"), themes, strict=False)) | {
        f"CASE-{number}": case_id for number, case_id in enumerate(cases, 1)
    }


EVAL = "patternmind eval --suite ci"
"""Only ``test_eval_command.py`` in ``make eval`` runs it, because it takes a minute."""


@pytest.fixture(scope="module")
def failures(folder: Path) -> dict[str, list[str]]:
    """Output of failed commands by guide. Each guide continues on the data folder of the previous one."""
    commands_run: set[str] = set()
    output_by_guide: dict[str, list[str]] = {}
    for guide in GUIDES:
        lines = [line for line in guide_commands(guide) if line.startswith("patternmind ") and line != EVAL]
        placeholders = {"DRAFT": find_candidate(folder)} if any("DRAFT" in line for line in lines) else {}
        placeholders |= find_placeholders(folder) if any("THEME" in line for line in lines) else {}
        output_by_guide[guide] = []
        for line in lines:
            filled_line = " ".join(placeholders.get(word, word) for word in line.split(" "))
            command = command_of(shlex.split(filled_line))
            is_repeated = command in commands_run
            result = run(filled_line, folder) if is_repeated else run_process(filled_line, folder)
            commands_run.add(command)
            output_by_guide[guide] += [f"{line}\n{result.stdout}{result.stderr}"] * (result.returncode != 0)
    return output_by_guide


@pytest.mark.parametrize("guide", GUIDES)
def test_guide_commands_run(guide: str, failures: dict[str, list[str]]) -> None:
    assert failures[guide] == []


def test_guides_mention_every_command() -> None:
    guide_text = " ".join((ROOT / guide).read_text(encoding="utf-8") for guide in GUIDES)
    help_text = subprocess.run([str(COMMAND), "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^[│|]\s(\w+)\s{2,}", help_text, re.MULTILINE)
    assert len(commands) > 10
    assert [name for name in commands if f"patternmind {name}" not in guide_text] == []


def test_guides_name_only_existing_make_targets() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named_targets = {
        target
        for guide in GUIDES
        for target in re.findall(r"(?:^|`)make (\w+)", (ROOT / guide).read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"demo", "test"} <= named_targets
    assert named_targets <= targets

"""Every command that the README and the guides show is run as it stands, in their order, on the sample network.

Each command runs once in a process of its own; shown again, with other arguments, it runs in the test process.
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


def shown_commands(guide: str) -> list[str]:
    """The lines of a guide's sh blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / guide).read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the guides speak of."""
    place = tmp_path_factory.mktemp("docs")
    sample = Path(str(files("patternmind"))) / "sample"
    first, second = ((sample / f"cases-2026Q{n}.csv").read_text(encoding="utf-8") for n in (3, 4))
    (place / "cases.csv").write_text(first + second.split("\n", 1)[1], encoding="utf-8")
    shutil.copy(sample / "recaps.jsonl", place)
    shutil.copy(sample / "roster.csv", place)
    return place


GROUPS = {"cases", "index", "key", "member", "network", "redaction", "review", "themes", "token"}


def command_of(words: list[str]) -> str:
    """The command that a line runs, without its arguments."""
    named = words[3:] if words[1].startswith("--") else words[1:]
    return " ".join(named[: 2 if named[0] in GROUPS else 1])


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line in the test process."""
    words = shlex.split(line)
    answer = InProcess(folder / "home", folder=folder).by_meaning()(*words[1:])
    return subprocess.CompletedProcess(words, answer.code, answer.out, answer.err)


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
        said_first = server.stderr.readline()  # where it serves, once it does
        alive = server.poll() is None
        server.send_signal(signal.SIGTERM)
        out, said = server.communicate(timeout=20)
    return subprocess.CompletedProcess(command, 0 if alive else 1, out, said_first + said)


def a_candidate(folder: Path) -> str:
    drafts = json.loads(run("patternmind review list --json", folder).stdout)
    return next(row["id"] for row in drafts if row["kind"] == "pattern" and row["fields"].get("solution"))


def the_names(folder: Path) -> dict[str, str]:
    """What THEME, OTHER, CASE-1 and so on stand for: themes by size, cases of the first, the last of another."""
    themes = [theme["theme_id"] for theme in json.loads(run("patternmind themes --json", folder).stdout)]
    rows = [json.loads(line) for line in run("patternmind export assignments", folder).stdout.splitlines()]
    inside = [row["case_id"] for row in rows if row["theme_id"] == themes[0]]
    other = next(row["case_id"] for row in rows if row["theme_id"] == themes[1])
    cases = [*inside[:4], other]
    return dict(zip(("THEME", "OTHER", "THIRD", "FOURTH"), themes, strict=False)) | {
        f"CASE-{number}": case_id for number, case_id in enumerate(cases, 1)
    }


EVAL = "patternmind eval --suite ci"
"""Run by ``test_eval_command.py`` in ``make eval``, and nowhere else: it takes a minute."""


@pytest.fixture(scope="module")
def failures(folder: Path) -> dict[str, list[str]]:
    """By guide, what the commands said that failed; the guides go on where the one before them ended."""
    tried: set[str] = set()
    failed: dict[str, list[str]] = {}
    for guide in GUIDES:
        lines = [line for line in shown_commands(guide) if line.startswith("patternmind ") and line != EVAL]
        told = {"DRAFT": a_candidate(folder)} if any("DRAFT" in line for line in lines) else {}
        told |= the_names(folder) if any("THEME" in line for line in lines) else {}
        failed[guide] = []
        for line in lines:
            said = " ".join(told.get(word, word) for word in line.split(" "))
            command = command_of(shlex.split(said))
            done = run(said, folder) if command in tried else run_process(said, folder)
            tried.add(command)
            failed[guide] += [f"{line}\n{done.stdout}{done.stderr}"] * (done.returncode != 0)
    return failed


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_of_a_guide_runs(guide: str, failures: dict[str, list[str]]) -> None:
    assert failures[guide] == []


def test_every_command_of_the_program_is_in_a_guide() -> None:
    told = " ".join((ROOT / guide).read_text(encoding="utf-8") for guide in GUIDES)
    listed = subprocess.run([str(COMMAND), "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^[│|]\s(\w+)\s{2,}", listed, re.MULTILINE)
    assert len(commands) > 10
    assert [name for name in commands if f"patternmind {name}" not in told] == []


def test_every_make_target_that_a_guide_names_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = {
        target
        for guide in GUIDES
        for target in re.findall(r"(?:^|`)make (\w+)", (ROOT / guide).read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"demo", "test"} <= told
    assert told <= targets

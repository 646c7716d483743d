"""Checks of the Dockerfile without a container engine: its rules, and its steps on the copied files."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.prove

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_image_runs_as_an_ordinary_user_with_an_external_data_folder() -> None:
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER patternmind$", last_stage, re.MULTILINE)
    assert last_stage.index("USER patternmind") > last_stage.index("useradd")
    for word in ("HEALTHCHECK", "VOLUME /data", "PATTERNMIND_HOME=/data"):
        assert word in last_stage


def test_image_contains_no_secret() -> None:
    """The image only sets locations; its only build argument is the source of torch."""
    variables = re.findall(r"^(?:ENV|ARG) (.+)$", DOCKERFILE, re.MULTILINE)
    assert {word.split("=")[0] for line in variables for word in line.split()} == {
        *("TORCH_PIP", "PATH", "PATTERNMIND_HOME", "HF_HUB_OFFLINE")
    }
    assert not re.search(r"(?i)(password|secret|api_?key|token)\s*=", DOCKERFILE)


def copied_files() -> list[tuple[str, str]]:
    """Return source and target of every COPY from this folder."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [(source, target) for line in lines for *sources, target in [line.split()] for source in sources]


def test_image_copies_only_existing_files() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert copied_files()
    for source, _ in copied_files():
        assert (ROOT / source).exists(), source
        assert not [entry for entry in ignored if Path(source).parts[0] == entry], source


def test_image_copies_exactly_the_files_of_the_wheel(tmp_path: Path) -> None:
    for source, target in copied_files():
        destination = tmp_path / source if target == "./" else tmp_path / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, destination)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", "dist", "."], cwd=tmp_path, check=True)
    assert list((tmp_path / "dist").glob("patternmind-*.whl"))


def test_image_steps_match_lock_and_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "torch==2.13.0" in DOCKERFILE
    assert "torch==2.13.0" in makefile
    assert "--no-deps --require-hashes -r requirements/run.txt" in DOCKERFILE

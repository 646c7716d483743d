"""Proof that the built wheel runs the demo in a separate environment.

The wheel must contain prompts, migrations and the sample.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.prove

ROOT = Path(__file__).parents[2]
NO_NETWORK = ["unshare", "--net", *(["--map-root-user"] if os.getuid() else [])]
"""Prefix of a command that runs without any network, not even loopback."""


def test_wheel_runs_the_demo_in_another_environment(tmp_path: Path) -> None:
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path / "dist", ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "prompts/theme-name.md",
        "evals/baselines.json",
        "sample/truth.json",
        "versions/0001_first_tables.py",
    ):
        assert any(name.startswith("patternmind/") and name.endswith(needed) for name in names), needed
    _run("python3.11", "-m", "venv", tmp_path / "venv")
    pip = tmp_path / "venv" / "bin" / "pip"
    _run(pip, "install", "--quiet", *os.environ.get("TORCH_PIP", "").split(), "torch==2.13.0")
    _run(pip, "install", "--quiet", "--no-deps", "--require-hashes", "-r", ROOT / "requirements" / "run.txt")
    _run(pip, "install", "--quiet", "--no-deps", wheel)
    command = tmp_path / "venv" / "bin" / "patternmind"
    output = _run(*NO_NETWORK, command, "demo", "--out", tmp_path / "demo", home=tmp_path / "nobody")
    assert "To open the pages, run `patternmind serve" in output
    assert (tmp_path / "demo" / "playbook.html").stat().st_size > 5000


def _run(*command: object, home: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PATTERNMIND_")}
    if home is not None:
        home.mkdir()
        environment |= {"HOME": str(home), "HF_HUB_OFFLINE": "1"}
    words = [str(word) for word in command]
    process = subprocess.run(words, cwd="/", env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, f"{words}\n{process.stdout[-2000:]}\n{process.stderr[-2000:]}"
    return process.stdout

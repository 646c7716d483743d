"""Tests that pyright refuses an ungrounded draft in place of a grounded one."""

import json
import re
import subprocess
import sys
from pathlib import Path

import patternmind

FORGERIES = """\
from patternmind.grounding import ground
from patternmind.domain.drafts import Draft, GroundedDraft, Pattern, ReviewedDraft
from patternmind.publishing.prereading import prereading_record
from patternmind.review import build_pattern


class ForgedDraft(GroundedDraft):  # refused
    pass


def forge(draft: Draft, grounded: GroundedDraft) -> None:
    ReviewedDraft(grounded=grounded)
    ReviewedDraft(grounded=ground(draft, {}))
    ReviewedDraft(grounded=draft)  # refused
    grounded.draft = draft  # refused
    grounded.refused_claims = ()  # refused
    build_pattern(draft)  # refused
    prereading_record(draft)  # refused
"""


def test_type_checker_refuses_exactly_the_forgeries(tmp_path: Path) -> None:
    (tmp_path / "forgeries.py").write_text(FORGERIES, encoding="utf-8")
    package = Path(patternmind.__file__).parents[1]
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(package)], "reportUnusedImport": False}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        "--project",
        str(tmp_path),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    diagnostics = json.loads(result.stdout)["generalDiagnostics"]
    refused = {diagnostic["range"]["start"]["line"] for diagnostic in diagnostics}
    assert refused == {n for n, line in enumerate(FORGERIES.splitlines()) if re.search("# refused$", line)}

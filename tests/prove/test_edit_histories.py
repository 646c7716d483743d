"""Three hundred random histories of decisions, runs, new cases, undos, engines and encoders: every decision holds."""

from collections import Counter
from pathlib import Path

import pytest
from tests.fixtures.edit_histories import LONG_HISTORY, group_once, run_histories

from patternmind.domain.edits import BINDING_ACTIONS, EditAction

pytestmark = pytest.mark.prove

EACH = 30
"""Histories of one test, so that a failing one is named early."""


@pytest.mark.parametrize("first", range(0, 300, EACH))
def test_edit_histories_satisfy_active_edits_after_every_event(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patternmind.pipeline.group_rows", group_once)
    counts, broken = run_histories(tmp_path, range(first, first + EACH), LONG_HISTORY)
    print(f"\n{first}-{first + EACH - 1}: {_told(counts)}")
    assert broken == []
    assert min(counts[action.value] for action in BINDING_ACTIONS | {EditAction.UNDO}) > 0


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {n}" for what, n in counts.most_common())

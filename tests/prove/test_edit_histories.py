"""Three hundred random histories of decisions, runs, new cases, undos, engines and encoders: every decision holds."""

from collections import Counter
from pathlib import Path

import pytest
from tests.edit_sequences import LONG, group_once, play_sequences

from patternmind.model.edits import BINDING, EditAction

pytestmark = pytest.mark.prove

EACH = 30
"""Histories of one test, so that a failing one is named early."""


@pytest.mark.parametrize("first", range(0, 300, EACH))
def test_every_standing_decision_holds_after_every_event(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patternmind.cycle.group_rows", group_once)
    counts, broken = play_sequences(tmp_path, range(first, first + EACH), LONG)
    print(f"\n{first}-{first + EACH - 1}: {_told(counts)}")
    assert broken == []
    assert min(counts[action.value] for action in BINDING | {EditAction.UNDO}) > 0


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {n}" for what, n in counts.most_common())

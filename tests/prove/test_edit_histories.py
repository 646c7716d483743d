"""Proof that every edit holds in 300 random histories.

They consist of edits, runs, new cases, undos, and changes of engine and encoder.
"""

from collections import Counter
from pathlib import Path

import pytest
from tests.fixtures.edit_histories import LONG_HISTORY, group_once, run_histories

from patternmind.domain.edits import BINDING_ACTIONS, EditAction

pytestmark = pytest.mark.prove

N_PER_TEST = 30
"""Histories per test, so that a failure is reported early."""


@pytest.mark.parametrize("first", range(0, 300, N_PER_TEST))
def test_edit_histories_satisfy_active_edits_after_every_event(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patternmind.pipeline.group_rows", group_once)
    counts, violations = run_histories(tmp_path, range(first, first + N_PER_TEST), LONG_HISTORY)
    print(f"\n{first}-{first + N_PER_TEST - 1}: {_format_counts(counts)}")
    assert violations == []
    assert min(counts[action.value] for action in BINDING_ACTIONS | {EditAction.UNDO}) > 0


def _format_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{event} {n}" for event, n in counts.most_common())

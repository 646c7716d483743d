"""Tests of lineage with planted histories.

There are 50 groups for each lineage word; 5 to 20 % of each group move at random in every period.
"""

import pytest
from tests.fixtures.planted_histories import PlantedHistory

from patternmind.domain.themes import Lineage
from patternmind.lineage import explain_change

WORDS = (Lineage.SPLIT, Lineage.MERGED, Lineage.NEW, Lineage.DORMANT, Lineage.RETURNED)


@pytest.fixture(scope="module")
def history() -> PlantedHistory:
    return PlantedHistory(seed=0)


@pytest.mark.parametrize("word", WORDS)
def test_lineage_reports_planted_changes_and_few_others(history: PlantedHistory, word: Lineage) -> None:
    precision, recall = history.scores(word)
    assert (precision >= 0.9, recall >= 0.9) == (True, True), (word, precision, recall)


def test_lineage_keeps_themes_of_unchanged_groups(history: PlantedHistory) -> None:
    assert history.share_of_kept_ids() == 1


def test_lineage_names_parents_of_parts_and_absorbing_themes(history: PlantedHistory) -> None:
    changes = history.results[2].changes
    former_theme_of, theme_of = history.results[1].theme_of, history.results[2].theme_of
    parts = [(former_theme_of[name], theme_of[piece]) for name, pieces in history.split.items() for piece in pieces]
    is_named = [parent == theme_id or parent in changes[theme_id].others for parent, theme_id in parts]
    assert sum(is_named) >= 0.95 * len(is_named), "half of a small part may be new cases"
    for merged_name, target_name in history.merged.items():
        survivor, absorbed = sorted(
            (former_theme_of[merged_name], former_theme_of[target_name]),
            key=lambda theme: changes[theme].n_after,
            reverse=True,
        )
        assert survivor in changes[absorbed].others
        assert absorbed in changes[survivor].others


def test_planted_histories_explain_every_change(history: PlantedHistory) -> None:
    for result in history.results:
        for change in result.changes.values():
            assert explain_change(change, {}).count(".") >= 1
            assert sum(flow.n_cases for flow in change.went) == change.n_known

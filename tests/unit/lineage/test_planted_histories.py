"""Every word of lineage against planted histories: 50 groups each, every one stirred by 5 to 20 % in every period."""

import pytest
from tests.fixtures.planted_histories import PlantedHistory

from patternmind.domain.themes import Lineage
from patternmind.lineage import explain_change

WORDS = (Lineage.SPLIT, Lineage.MERGED, Lineage.NEW, Lineage.DORMANT, Lineage.RETURNED)


@pytest.fixture(scope="module")
def history() -> PlantedHistory:
    return PlantedHistory(seed=0)


@pytest.mark.parametrize("word", WORDS)
def test_what_was_planted_is_told_and_little_else(history: PlantedHistory, word: Lineage) -> None:
    precision, recall = history.scores(word)
    assert (precision >= 0.9, recall >= 0.9) == (True, True), (word, precision, recall)


def test_groups_to_which_nothing_was_done_keep_their_theme(history: PlantedHistory) -> None:
    assert history.ids_kept() == 1


def test_parts_name_the_theme_they_came_from_and_the_absorbed_the_one_they_went_into(history: PlantedHistory) -> None:
    changes = history.told[2].changes
    before, now = history.told[1].theme_of, history.told[2].theme_of
    parts = [(before[name], now[piece]) for name, pieces in history.split.items() for piece in pieces]
    named = [parent == theme_id or parent in changes[theme_id].others for parent, theme_id in parts]
    assert sum(named) >= 0.95 * len(named), "a small part may be half strangers"
    for gone, into in history.merged.items():
        survivor, absorbed = sorted((before[gone], before[into]), key=lambda one: changes[one].n_after, reverse=True)
        assert survivor in changes[absorbed].others
        assert absorbed in changes[survivor].others


def test_every_line_of_a_history_can_be_read(history: PlantedHistory) -> None:
    for told in history.told:
        for change in told.changes.values():
            assert explain_change(change, {}).count(".") >= 1
            assert sum(flow.n_cases for flow in change.went) == change.n_known

"""Placement of new cases in the current themes without a run; edits apply at once."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.fixtures.builders import NOON
from tests.integration.test_theme_edits import ThemeNetwork

from patternmind.domain.edits import EditAction
from patternmind.domain.themes import Vectors
from patternmind.drafting.keyphrases import Phrase
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import UsageError
from patternmind.ports import Progress, TextRewrite
from patternmind.services.placement import Placer
from patternmind.storage import SqlStore


@pytest.fixture
def network(tmp_path: Path) -> ThemeNetwork:
    network = ThemeNetwork(tmp_path)
    network.run()
    network.import_cases(58, 12)
    return network


def build_placer(network: ThemeNetwork) -> Placer:
    return Placer(network.store, network.encoder)


def test_placer_refuses_when_no_run_exists(tmp_path: Path) -> None:
    empty = ThemeNetwork(tmp_path)
    with pytest.raises(UsageError, match="no run"):
        Placer(empty.store, empty.encoder).place_new_cases()
    with pytest.raises(UsageError, match='no run of lens "problem"'):
        Placer(empty.store, empty.encoder, "problem").place_text("a text")


def propose_no_names(*_: object, **__: object) -> list[Phrase]:
    return []


def test_placer_places_every_new_case_and_embeds_only_its_text(
    network: ThemeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(network.encoder, HashingEncoder)
    before, themes = network.encoder.n_encoded, {theme.id for theme in network.themes()}
    placer = build_placer(network)
    placements = placer.place_new_cases()
    assert len(placements) == 12
    assert network.encoder.n_encoded - before <= 12
    assert {placement.by for placement in placements} == {"placing"}
    for placement in placements:
        assert (placement.theme_id in themes) if placement.theme_id else placement.reason
        assert (placement.strength > 0) == (placement.theme_id is not None)
        assert len(placement.like) == 3
    assert any(placement.theme_id for placement in placements)
    n_encoded = network.encoder.n_encoded
    # Without this, the run would also encode names for new themes.
    monkeypatch.setattr("patternmind.assembly.propose_name_candidates", propose_no_names)
    assert placer.place_new_cases() == placements
    network.run()
    assert network.encoder.n_encoded == n_encoded, "the run embeds no text that placement embedded"
    assert placer.place_new_cases() == [], "the run includes the new cases"


def test_placements_mostly_agree_with_the_next_run(network: ThemeNetwork) -> None:
    placed_ids = {placement.case_id: placement.theme_id for placement in build_placer(network).place_new_cases()}
    network.run()
    run_ids = {placement.case_id: placement.theme_id for placement in network.store.runs.assignments("all")}
    both = [case_id for case_id in placed_ids if placed_ids[case_id] and run_ids[case_id or ""]]
    assert sum(placed_ids[case_id] == run_ids[case_id or ""] for case_id in both) >= 0.7 * len(both)


def test_placement_of_a_run_case_follows_the_run_and_edits(network: ThemeNetwork) -> None:
    placer, theme = build_placer(network), network.themes()[0]
    placement = placer.place_cases([theme.case_ids[0]])[0]
    assert (placement.by, placement.theme_id, placement.theme) == ("run", theme.id, theme.name)
    network.decide(EditAction.MOVE_OUT, theme.case_ids[0], theme_id=theme.id)
    assert placer.place_cases([theme.case_ids[0]])[0].theme_id != theme.id, "an edit applies without a run"


@pytest.mark.parametrize("remove", ["erase_case", "withdraw_case"])
def test_placer_ignores_cases_that_another_process_removed(network: ThemeNetwork, tmp_path: Path, remove: str) -> None:
    placer, theme = build_placer(network), network.themes()[0]
    text = "\n".join(network.store.cases.get(theme.case_ids[0]).text.values())
    assert placer.place_text(text).theme_id == theme.id
    no_rewrite = TextRewrite(
        rewrite_theme=lambda theme: theme,
        rewrite_name=str,
        rewrite_text=str,
        rewrite_draft=lambda draft, log: (draft, log),
    )
    other = SqlStore(tmp_path / "patternmind.db")
    for case_id in theme.case_ids:
        getattr(other, remove)(case_id, no_rewrite, kept_text_hashes=(), actor="Ada", at=NOON)
    other.close()
    assert placer.place_text(text).theme_id != theme.id


def test_placement_follows_a_pin(network: ThemeNetwork) -> None:
    placer = build_placer(network)
    first = next(placement for placement in placer.place_new_cases() if placement.theme_id)
    other = next(theme for theme in network.themes() if theme.id != first.theme_id)
    network.decide(EditAction.PIN, first.case_id or "", theme_id=other.id)
    moved = placer.place_cases([first.case_id or ""])[0]
    assert (moved.by, moved.theme_id, moved.strength) == ("person", other.id, 1.0)
    assert moved.reason == "held there by a person (decision 1)"


def test_placement_follows_together_and_apart_edits(network: ThemeNetwork) -> None:
    placer = build_placer(network)
    first = next(placement for placement in placer.place_new_cases() if placement.theme_id)
    home = next(theme for theme in network.themes() if theme.id == first.theme_id)
    other = next(theme for theme in network.themes() if theme.id != first.theme_id)
    network.decide(EditAction.APART, first.case_id or "", home.case_ids[0])
    apart = placer.place_cases([first.case_id or ""])[0]
    assert apart.theme_id != home.id
    assert apart.reason == "kept apart by a person (decision 1)"
    network.decide(EditAction.TOGETHER, first.case_id or "", other.case_ids[0])
    assert placer.place_cases([first.case_id or ""])[0].theme_id == other.id


def test_placement_uses_merged_themes_and_avoids_retired_themes(network: ThemeNetwork) -> None:
    placer = build_placer(network)
    first = next(placement for placement in placer.place_new_cases() if placement.theme_id)
    other = next(theme for theme in network.themes() if theme.id != first.theme_id)
    network.decide(EditAction.MERGE, theme_id=first.theme_id, other_theme_id=other.id)
    assert placer.place_cases([first.case_id or ""])[0].theme_id == other.id
    network.undo(1)
    network.decide(EditAction.RETIRE, theme_id=first.theme_id)
    retired = placer.place_cases([first.case_id or ""])[0]
    assert retired.theme_id != first.theme_id
    assert first.theme_id in {offer.theme_id for offer in retired.offers[1:]} or "retired" in retired.reason


def test_place_text_redacts_and_stores_no_text(network: ThemeNetwork) -> None:
    encoded: list[str] = []

    class RecordingEncoder(HashingEncoder):
        def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
            encoded.extend(texts)
            return super().encode(texts, progress=progress)

    network.store.network.add_to_roster([("Anna Berglund", None, None)])
    n_cases = len(network.store.cases.list_all())
    placement = Placer(network.store, RecordingEncoder()).place_text(
        "Anna Berglund (anna@example.com) lost the pallet."
    )
    assert placement.case_id is None
    assert encoded == ["somebody ([email]) lost the pallet."]
    assert len(network.store.cases.list_all()) == n_cases
    assert "Anna" not in json.dumps(placement.reason)
    with pytest.raises(UsageError):
        Placer(network.store, RecordingEncoder()).place_text("  ")


def test_placer_refuses_another_encoder_than_the_runs(network: ThemeNetwork) -> None:
    class Other(HashingEncoder):
        id = "hashing/other"

    with pytest.raises(UsageError, match="another encoder"):
        Placer(network.store, Other()).place_new_cases()

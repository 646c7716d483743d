"""New cases are placed among the themes that people see, without a run, and decisions about them hold at once."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.fixtures.builders import NOON
from tests.integration.test_theme_edits import Desk

from patternmind.domain.edits import EditAction
from patternmind.domain.themes import Vectors
from patternmind.drafting.keyphrases import Phrase
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import UsageError
from patternmind.ports import Progress, TextRewrite
from patternmind.services.placement import Placer
from patternmind.storage import SqlStore


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.run()
    made.take_in(58, 12)
    return made


def placer_of(desk: Desk) -> Placer:
    return Placer(desk.store, desk.encoder)


def test_without_a_run_it_says_so(tmp_path: Path) -> None:
    empty = Desk(tmp_path)
    with pytest.raises(UsageError, match="no run"):
        Placer(empty.store, empty.encoder).place_new_cases()
    with pytest.raises(UsageError, match='no run of lens "problem"'):
        Placer(empty.store, empty.encoder, "problem").place_text("a text")


def no_names(*_: object, **__: object) -> list[Phrase]:
    return []


def test_every_new_case_is_placed_and_only_its_text_is_embedded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(desk.encoder, HashingEncoder)
    before, themes = desk.encoder.n_encoded, {theme.id for theme in desk.themes()}
    placer = placer_of(desk)
    places = placer.place_new_cases()
    assert len(places) == 12
    assert desk.encoder.n_encoded - before <= 12
    assert {one.by for one in places} == {"placing"}
    for one in places:
        assert (one.theme_id in themes) if one.theme_id else one.reason
        assert (one.strength > 0) == (one.theme_id is not None)
        assert len(one.like) == 3
    assert any(one.theme_id for one in places)
    again = desk.encoder.n_encoded
    monkeypatch.setattr("patternmind.assembly.propose_name_candidates", no_names)  # a new theme's name is not a case
    assert placer.place_new_cases() == places
    desk.run()
    assert desk.encoder.n_encoded == again, "the run embeds nothing that placing did"
    assert placer.place_new_cases() == [], "the run took them in"


def test_most_go_where_the_next_run_puts_them(desk: Desk) -> None:
    said = {one.case_id: one.theme_id for one in placer_of(desk).place_new_cases()}
    desk.run()
    runs = {one.case_id: one.theme_id for one in desk.store.assignments("all")}
    both = [case_id for case_id in said if said[case_id] and runs[case_id or ""]]
    assert sum(said[case_id] == runs[case_id or ""] for case_id in both) >= 0.7 * len(both)


def test_a_case_of_the_run_stands_where_the_run_or_a_person_put_it(desk: Desk) -> None:
    placer, theme = placer_of(desk), desk.themes()[0]
    one = placer.place_cases([theme.case_ids[0]])[0]
    assert (one.by, one.theme_id, one.theme) == ("run", theme.id, theme.name)
    desk.decide(EditAction.MOVE_OUT, theme.case_ids[0], theme_id=theme.id)
    assert placer.place_cases([theme.case_ids[0]])[0].theme_id != theme.id, "it hears of a decision without a run"


@pytest.mark.parametrize("go", ["forget_case", "withdraw_case"])
def test_what_another_process_took_out_places_nothing_any_more(desk: Desk, tmp_path: Path, go: str) -> None:
    placer, theme = placer_of(desk), desk.themes()[0]
    text = "\n".join(desk.store.case(theme.case_ids[0]).text.values())
    assert placer.place_text(text).theme_id == theme.id
    kept = TextRewrite(
        rewrite_theme=lambda theme: theme,
        rewrite_name=str,
        rewrite_text=str,
        rewrite_draft=lambda draft, log: (draft, log),
    )
    other = SqlStore(tmp_path / "patternmind.db")
    for case_id in theme.case_ids:
        getattr(other, go)(case_id, kept, kept_text_hashes=(), by="Ada", at=NOON)
    other.close()
    assert placer.place_text(text).theme_id != theme.id


def test_a_new_case_goes_where_a_person_holds_it(desk: Desk) -> None:
    placer = placer_of(desk)
    first = next(one for one in placer.place_new_cases() if one.theme_id)
    other = next(theme for theme in desk.themes() if theme.id != first.theme_id)
    desk.decide(EditAction.PIN, first.case_id or "", theme_id=other.id)
    now = placer.place_cases([first.case_id or ""])[0]
    assert (now.by, now.theme_id, now.strength) == ("person", other.id, 1.0)
    assert now.reason == "held there by a person (decision 1)"


def test_cases_kept_together_or_apart_are_so_at_once(desk: Desk) -> None:
    placer = placer_of(desk)
    first = next(one for one in placer.place_new_cases() if one.theme_id)
    home = next(theme for theme in desk.themes() if theme.id == first.theme_id)
    other = next(theme for theme in desk.themes() if theme.id != first.theme_id)
    desk.decide(EditAction.APART, first.case_id or "", home.case_ids[0])
    apart = placer.place_cases([first.case_id or ""])[0]
    assert apart.theme_id != home.id
    assert apart.reason == "kept apart by a person (decision 1)"
    desk.decide(EditAction.TOGETHER, first.case_id or "", other.case_ids[0])
    assert placer.place_cases([first.case_id or ""])[0].theme_id == other.id


def test_a_merged_theme_takes_in_what_both_would_and_a_retired_one_takes_nothing(desk: Desk) -> None:
    placer = placer_of(desk)
    first = next(one for one in placer.place_new_cases() if one.theme_id)
    other = next(theme for theme in desk.themes() if theme.id != first.theme_id)
    desk.decide(EditAction.MERGE, theme_id=first.theme_id, other_theme_id=other.id)
    assert placer.place_cases([first.case_id or ""])[0].theme_id == other.id
    desk.undo(1)
    desk.decide(EditAction.RETIRE, theme_id=first.theme_id)
    retired = placer.place_cases([first.case_id or ""])[0]
    assert retired.theme_id != first.theme_id
    assert first.theme_id in {offer.theme_id for offer in retired.offers[1:]} or "retired" in retired.reason


def test_a_text_is_redacted_as_at_intake_and_nothing_of_it_is_stored(desk: Desk) -> None:
    seen: list[str] = []

    class Listening(HashingEncoder):
        def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
            seen.extend(texts)
            return super().encode(texts, progress=progress)

    desk.store.add_to_roster([("Anna Berglund", None, None)])
    cases = len(desk.store.cases())
    place = Placer(desk.store, Listening()).place_text("Anna Berglund (anna@example.com) lost the pallet.")
    assert place.case_id is None
    assert seen == ["somebody ([email]) lost the pallet."]
    assert len(desk.store.cases()) == cases
    assert "Anna" not in json.dumps(place.reason)
    with pytest.raises(UsageError):
        Placer(desk.store, Listening()).place_text("  ")


def test_another_encoder_than_the_runs_is_refused(desk: Desk) -> None:
    class Other(HashingEncoder):
        id = "hashing/other"

    with pytest.raises(UsageError, match="another encoder"):
        Placer(desk.store, Other()).place_new_cases()

"""What the pages about themes show, read a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from patternmind.clustering.partition import MIN_CASES
from patternmind.domain.cases import Case
from patternmind.domain.edits import Edit
from patternmind.domain.read_models import (
    CaseFilter,
    CaseWithAssignment,
    Page,
    ThemeCard,
    ThemeDetail,
)
from patternmind.embedding.lenses import LENSES
from patternmind.errors import NotFound
from patternmind.ports import RunRecord, Store


class ThemeStatus(StrEnum):
    """What there is to show."""

    NO_RUN = "no run"
    TOO_FEW = "too few to group"
    NOTHING = "nothing recurs yet"
    THEMES = "themes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeList:
    """The themes of a lens. ``lenses`` are those that a run has looked through, ``resting`` themes without cases."""

    status: ThemeStatus
    run: RunRecord | None
    lens: str
    lenses: tuple[str, ...]
    cards: tuple[ThemeCard, ...]
    dormant: tuple[ThemeCard, ...]
    area_names: Mapping[str, str]
    min_cases: int = MIN_CASES


@dataclass(frozen=True, slots=True)
class ThemeMember:
    """A case of a theme, and how firmly it belongs there."""

    case: Case
    strength: float


def list_themes(store: Store, lens: str | None) -> ThemeList:
    """The themes of the last run of a lens, None for that of the last run."""
    run = store.last_run(lens)
    every = store.list_theme_cards(lens, include_dormant=True) if run else []
    cards = tuple(card for card in every if card.size)
    return ThemeList(
        status=_status(run, cards),
        run=run,
        lens=run.parameters.lens if run else lens or "all",
        lenses=list_lenses(store),
        cards=cards,
        dormant=tuple(card for card in every if not card.size),
        area_names=store.areas(lens) if run else {},
    )


def _status(run: RunRecord | None, cards: Sequence[ThemeCard]) -> ThemeStatus:
    if run is None:
        return ThemeStatus.NO_RUN
    if cards:
        return ThemeStatus.THEMES
    return ThemeStatus.TOO_FEW if run.n_cases < MIN_CASES else ThemeStatus.NOTHING


def list_lenses(store: Store) -> tuple[str, ...]:
    """The lenses that have a finished run."""
    return tuple(lens for lens in LENSES if store.last_run(lens) is not None)


def find_theme_detail(store: Store, theme_id: str) -> tuple[ThemeDetail, str]:
    """A theme with all that its page shows, and the lens that it belongs to.

    Raises:
        NotFound: no last run of any lens knows it.
    """
    for lens in list_lenses(store):
        try:
            return store.theme_detail(theme_id, lens), lens
        except NotFound:
            continue
    raise NotFound("theme", theme_id)


def list_theme_members(
    store: Store, theme_id: str, lens: str, *, start: int, limit: int
) -> tuple[list[ThemeMember], int]:
    """Some cases of a theme by falling strength, and how many it has in all.

    Args:
        start: how many come before them.
    """
    every = store.theme_case_ids(theme_id, lens)
    shown = every[start : start + limit]
    cases = store.cases_by_id(shown)
    places = {case_id: store.find_assignment(case_id, lens) for case_id in shown}
    members = [ThemeMember(cases[id], place.strength if (place := places[id]) else 0.0) for id in shown if id in cases]
    return members, len(every)


def list_unplaced_cases(store: Store, lens: str | None, *, limit: int, after: str | None) -> Page[CaseWithAssignment]:
    """The cases in no theme yet, those that came since the run among them."""
    return store.list_cases(CaseFilter(unplaced_only=True, lens=lens), limit=limit, cursor=after)


def case_display_ids(store: Store, edits: Sequence[Edit], max_cases: int) -> dict[str, str]:
    """What people call the cases that these lines begin with: their own id where they gave one."""
    ids = [id for edit in edits for id in edit.case_ids[:max_cases]]
    return {id: case.external_id or id for id, case in store.cases_by_id(list(dict.fromkeys(ids))).items()}

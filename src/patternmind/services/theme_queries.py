"""Queries for the theme pages: theme lists, theme details and their cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from patternmind.clustering.partition import MIN_CASES
from patternmind.domain.cases import Case
from patternmind.domain.edits import Edit
from patternmind.domain.read_models import CaseFilter, CaseWithAssignment, Page, ThemeCard, ThemeDetail
from patternmind.embedding.lenses import LENSES
from patternmind.errors import NotFound
from patternmind.ports import RunRecord, Store


class ThemeStatus(StrEnum):
    """State of a lens: no run, too few cases, no recurring theme, or themes."""

    NO_RUN = "no run"
    TOO_FEW = "too few to group"
    NOTHING = "nothing recurs yet"
    THEMES = "themes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeList:
    """The themes of a lens. ``lenses`` are those with a finished run; ``dormant`` are themes without cases."""

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
    """A case of a theme, with the strength of its assignment."""

    case: Case
    strength: float


def list_themes(store: Store, lens: str | None) -> ThemeList:
    """List the themes of the last run of a lens; None selects the lens of the last run."""
    run = store.runs.latest(lens)
    all_cards = store.themes.cards(lens, include_dormant=True) if run else []
    cards = tuple(card for card in all_cards if card.size)
    return ThemeList(
        status=_status(run, cards),
        run=run,
        lens=run.parameters.lens if run else lens or "all",
        lenses=list_lenses(store),
        cards=cards,
        dormant=tuple(card for card in all_cards if not card.size),
        area_names=store.themes.areas(lens) if run else {},
    )


def _status(run: RunRecord | None, cards: Sequence[ThemeCard]) -> ThemeStatus:
    if run is None:
        return ThemeStatus.NO_RUN
    if cards:
        return ThemeStatus.THEMES
    return ThemeStatus.TOO_FEW if run.n_cases < MIN_CASES else ThemeStatus.NOTHING


def list_lenses(store: Store) -> tuple[str, ...]:
    """Return the lenses with a finished run, in their fixed order."""
    return tuple(lens for lens in LENSES if store.runs.latest(lens) is not None)


def find_theme_detail(store: Store, theme_id: str) -> tuple[ThemeDetail, str]:
    """Return the details of a theme, and its lens.

    Raises:
        NotFound: The last run of no lens has this theme.
    """
    for lens in list_lenses(store):
        try:
            return store.themes.detail(theme_id, lens), lens
        except NotFound:
            continue
    raise NotFound("theme", theme_id)


def list_theme_members(
    store: Store, theme_id: str, lens: str, *, start: int, limit: int
) -> tuple[list[ThemeMember], int]:
    """Return a slice of a theme's cases, strongest first, and their total number.

    Args:
        start: Number of cases to skip.
    """
    all_ids = store.themes.case_ids(theme_id, lens)
    page_ids = all_ids[start : start + limit]
    cases = store.cases.get_many(page_ids)
    assignments = {case_id: store.runs.assignment_of(case_id, lens) for case_id in page_ids}
    members = [
        ThemeMember(cases[id], assignment.strength if (assignment := assignments[id]) else 0.0)
        for id in page_ids
        if id in cases
    ]
    return members, len(all_ids)


def list_unplaced_cases(store: Store, lens: str | None, *, limit: int, after: str | None) -> Page[CaseWithAssignment]:
    """List the cases in no theme, including those that came after the run."""
    return store.cases.page(CaseFilter(unplaced_only=True, lens=lens), limit=limit, cursor=after)


def case_display_ids(store: Store, edits: Sequence[Edit], max_cases: int) -> dict[str, str]:
    """Return external ids, or ids, of the first ``max_cases`` cases of each edit, by id."""
    ids = [id for edit in edits for id in edit.case_ids[:max_cases]]
    return {id: case.external_id or id for id, case in store.cases.get_many(list(dict.fromkeys(ids))).items()}

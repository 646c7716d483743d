"""Lists of cases, narrowed and a page at a time. The one place of the desk that reads many cases at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter

from patternmind.errors import UsageError
from patternmind.model.cases import Case, Kind
from patternmind.model.themes import Assignment
from patternmind.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesWanted:
    """Which cases a list is of; what is left out does not narrow it.

    Attributes:
        unplaced: only those in no theme yet, those that came since the run among them.
        since: dated on or after; ``until`` on or before. Either leaves out the undated.
        flag: the beginning of one of its flags: "suspicious:" finds every suspicion.
        words: each stands in its text, its external id or its title.
    """

    kind: Kind | None = None
    theme_id: str | None = None
    unplaced: bool = False
    team: str | None = None
    since: date | None = None
    until: date | None = None
    status: str | None = None
    flag: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class PlacedCase:
    """A case, and where the last run put it; ``placed`` is None where that run did not look at it."""

    case: Case
    placed: Assignment | None


@dataclass(frozen=True, slots=True)
class CasesFound:
    """Part of a list; ``following`` is the place after which it goes on, None where it ends; ``n`` are all of it."""

    rows: tuple[PlacedCase, ...]
    following: str | None
    n: int


def find_cases(store: Store, wanted: CasesWanted, *, limit: int, after: str | None = None) -> CasesFound:
    """Newest first, the undated last; the same date by falling id.

    Args:
        after: ``following`` of the page before.

    Raises:
        UsageError: ``after`` is no place of such a list.
    """
    if after is not None and " " not in after:
        raise UsageError("That place is not in this list. Begin it again from its first page.")
    cases, placed = cases_wanted(store, wanted)
    found = [(_place(case), case) for case in cases]
    left = sorted((one for one in found if after is None or one[0] < after), key=itemgetter(0), reverse=True)
    rows = tuple(PlacedCase(case, placed.get(case.id)) for _, case in left[:limit])
    return CasesFound(rows, left[limit - 1][0] if len(left) > limit else None, len(found))


def cases_wanted(store: Store, wanted: CasesWanted) -> tuple[list[Case], dict[str, Assignment]]:
    """All of a list, by id, with where the last run put every case."""
    placed = {one.case_id: one for one in store.assignments()}
    return [case for case in store.cases(kind=wanted.kind) if _is_wanted(case, wanted, placed)], placed


def teams_of(store: Store) -> list[str]:
    """The teams that cases name, in order: what a filter offers."""
    return sorted({case.team for case in store.cases() if case.team})


def theme_names(store: Store) -> dict[str, str]:
    """The themes of the last run that have cases, the largest first."""
    return {theme.id: theme.name for theme in store.themes() if theme.case_ids}


def place_of(store: Store, case_id: str) -> Assignment | None:
    """Where the last run put a case; None where it did not look at it."""
    return next((one for one in store.assignments() if one.case_id == case_id), None)


def cases_by_id(store: Store, case_ids: Sequence[str]) -> dict[str, Case]:
    """Those of these cases that are there."""
    wanted = set(case_ids)
    return {case.id: case for case in store.cases() if case.id in wanted} if wanted else {}


def _place(case: Case) -> str:
    return f"{case.date.isoformat() if case.date else ''} {case.id}"


def _is_wanted(case: Case, wanted: CasesWanted, placed: Mapping[str, Assignment]) -> bool:
    one = placed.get(case.id)
    theme_id = one.theme_id if one else None
    day = case.date
    return (
        (wanted.theme_id is None or theme_id == wanted.theme_id)
        and not (wanted.unplaced and theme_id is not None)
        and (wanted.team is None or case.team == wanted.team)
        and (wanted.since is None or (day is not None and day >= wanted.since))
        and (wanted.until is None or (day is not None and day <= wanted.until))
        and (wanted.status is None or case.facts.get("status") == wanted.status)
        and (wanted.flag is None or any(flag.startswith(wanted.flag) for flag in case.flags))
        and _says(case, wanted.words)
    )


def _says(case: Case, words: str) -> bool:
    if not words.strip():
        return True
    text = "\n".join((case.external_id or "", *case.text.values())).casefold()
    return all(word in text for word in words.casefold().split())

"""Uses: that a team worked by a pattern. Enough of them, by enough teams, and it is field-tested."""

import hashlib
from datetime import date

from patternmind.errors import NotAllowed, UsageError
from patternmind.model.drafts import Use
from patternmind.ports import Clock, Store
from patternmind.review import field_test
from patternmind.verbs.library import published_pattern
from patternmind.verbs.reviewing import open_draft, refuse_names

MIN_USES = 3
MIN_TEAMS = 2

LONGEST_NOTE = 1_000
LONGEST_TEAM = 100


def record_use(store: Store, clock: Clock, pattern_id: str, *, on: date, team: str, note: str, by: str) -> Use:
    """Keep that a team worked by a pattern; said twice it is kept once.

    Raises:
        NotFound: no such pattern is published.
        UsageError: no team, a day to come, a text too long, or one that names somebody.
        NotAllowed: nobody says so.
    """
    published_pattern(store, pattern_id)
    team, note, by = " ".join(team.split()), note.strip(), by.strip()
    _check(clock, on=on, team=team, note=note, by=by)
    refuse_names(store, note, {"team": team})
    digest = hashlib.sha256("\0".join((pattern_id, on.isoformat(), team, note, by)).encode()).hexdigest()
    use = Use(id=f"u-{digest[:16]}", pattern_id=pattern_id, on=on, team=team, note=note, by=by, at=clock.now())
    store.save_use(use)
    _prove(store, clock, pattern_id, by)
    return use


def _check(clock: Clock, *, on: date, team: str, note: str, by: str) -> None:
    if not by:
        raise NotAllowed("Every use is told by somebody: say who.")
    if not team or len(team) > LONGEST_TEAM:
        raise UsageError(f"Name the team that worked by it, in at most {LONGEST_TEAM} characters.", field="team")
    if len(note) > LONGEST_NOTE:
        raise UsageError(f"Say what came of it in at most {LONGEST_NOTE} characters.", field="note")
    if on > clock.now().date():
        raise UsageError("A use has happened: give a day that is not in the future.", field="on")


def _prove(store: Store, clock: Clock, pattern_id: str, by: str) -> None:
    """Note on the pattern's log that it is field-tested, once it is."""
    uses = store.uses(pattern_id)
    teams = {use.team.casefold() for use in uses}
    if len(uses) < MIN_USES or len(teams) < MIN_TEAMS:
        return
    reviewed = open_draft(store, _draft_id(pattern_id))
    note = f"{len(uses)} uses by {len(teams)} teams."
    decision = field_test(reviewed, by=by, at=clock.now(), note=note)
    if decision is not None:
        store.append_decision(decision, expected_version=reviewed.version)


def _draft_id(pattern_id: str) -> str:
    return pattern_id.replace("p-", "d-", 1)

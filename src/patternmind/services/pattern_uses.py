"""Uses of patterns by teams. A pattern with enough uses by enough teams is field-tested."""

import hashlib
from datetime import date

from patternmind.domain.drafts import PatternUse, draft_id_of
from patternmind.domain.members import require_actor
from patternmind.errors import UsageError
from patternmind.ports import Clock, Store
from patternmind.review import make_field_test_decision
from patternmind.services.library import get_library_entry
from patternmind.services.reviews import get_draft, reject_names

MIN_USES = 3
MIN_TEAMS = 2

MAX_NOTE_CHARS = 1_000
MAX_TEAM_CHARS = 100


def record_use(
    store: Store, clock: Clock, pattern_id: str, *, used_on: date, team: str, note: str, actor: str
) -> PatternUse:
    """Record that a team used a pattern; the same record is stored once.

    Raises:
        NotFound: No published pattern has this id.
        UsageError: Actor or team is missing, the day is in the future, a text is too long, or a text names a person.
    """
    get_library_entry(store, pattern_id)
    team, note, actor = " ".join(team.split()), note.strip(), require_actor(actor)
    _validate_use(clock, used_on=used_on, team=team, note=note)
    reject_names(store, note, {"team": team})
    digest = hashlib.sha256("\0".join((pattern_id, used_on.isoformat(), team, note, actor)).encode()).hexdigest()
    use = PatternUse(
        id=f"u-{digest[:16]}", pattern_id=pattern_id, on=used_on, team=team, note=note, by=actor, at=clock.now()
    )
    store.drafts.save_pattern_use(use)
    _mark_field_tested(store, clock, pattern_id, actor)
    return use


def _validate_use(clock: Clock, *, used_on: date, team: str, note: str) -> None:
    if not team or len(team) > MAX_TEAM_CHARS:
        raise UsageError(f"Name the team that used it, in at most {MAX_TEAM_CHARS} characters.", field="team")
    if len(note) > MAX_NOTE_CHARS:
        raise UsageError(f"Describe the result in at most {MAX_NOTE_CHARS} characters.", field="note")
    if used_on > clock.now().date():
        raise UsageError("Give a day that is not in the future.", field="on")


def _mark_field_tested(store: Store, clock: Clock, pattern_id: str, actor: str) -> None:
    """Log that the pattern is field-tested, if it has enough uses."""
    uses = store.drafts.pattern_uses(pattern_id)
    teams = {use.team.casefold() for use in uses}
    if len(uses) < MIN_USES or len(teams) < MIN_TEAMS:
        return
    reviewed = get_draft(store, draft_id_of(pattern_id))
    note = f"{len(uses)} uses by {len(teams)} teams."
    decision = make_field_test_decision(reviewed, actor=actor, at=clock.now(), note=note)
    if decision is not None:
        store.drafts.append_decision(decision, expected_version=reviewed.version)

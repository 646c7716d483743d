"""Protocol of the repository of drafts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from patternmind.domain.drafts import Decision, Draft, DraftKind, DraftReservation, DraftSummary, PatternUse
from patternmind.domain.read_models import DraftFilter, DraftListItem, Page, StoredDraft


class DraftRepository(Protocol):
    """Drafts, decisions on them, reservations and uses of patterns."""

    def list_all(self, *, current: bool = True, kind: DraftKind | None = None) -> list[StoredDraft]:
        """Return drafts with their decision logs, oldest first.

        Args:
            current: leave out unreviewed drafts that a later run replaced.
        """
        ...

    def get(self, draft_id: str) -> StoredDraft: ...

    def page(self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None) -> Page[StoredDraft]:
        """Return current drafts and drafts with a decision, oldest first, as created (not grounded)."""
        ...

    def item_page(self, draft_filter: DraftFilter, *, limit: int, cursor: str | None = None) -> Page[DraftListItem]:
        """Return the same drafts as ``page``, without their texts."""
        ...

    def quoting(self, case_id: str) -> list[Draft]:
        """Return the current drafts that quote a case, oldest first, as created (not grounded)."""
        ...

    def summaries(self) -> list[DraftSummary]:
        """Return current drafts and drafts with a decision, by id, without their texts."""
        ...

    def save_all(self, drafts: Sequence[Draft], now: datetime) -> None:
        """Store drafts; a draft that is stored already only becomes current again.

        Raises:
            VersionConflict: a case that they quote has been erased.
        """
        ...

    def append_decision(self, decision: Decision, /, *, expected_version: int) -> None:
        """Append a decision to the log of a draft.

        Raises:
            VersionConflict: the draft has another number of decisions than ``expected_version``.
        """
        ...

    def recent_decisions(self, actor: str, *, limit: int) -> list[Decision]:
        """Return a member's last decisions, newest first, including undone decisions and undos."""
        ...

    def reserve(self, reservation: DraftReservation, /, now: datetime) -> DraftReservation:
        """Reserve a draft, and return the valid reservation, which may be another reviewer's."""
        ...

    def release(self, draft_id: str, actor: str) -> None:
        """Release the actor's reservation of a draft; another reviewer's reservation is left unchanged."""
        ...

    def reservations(self, now: datetime) -> list[DraftReservation]:
        """Return the reservations that have not lapsed."""
        ...

    def save_pattern_use(self, use: PatternUse) -> None:
        """Store a use; a use that is stored already is left unchanged."""
        ...

    def pattern_uses(self, pattern_id: str | None = None) -> list[PatternUse]:
        """Return the uses of one pattern or of all patterns, latest first."""
        ...

"""Names that redaction may have missed: found for the steward, then confirmed or dismissed."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.errors import UsageError
from patternmind.ingestion.redaction.possible_names import PossibleName, find_possible_names
from patternmind.ports import Clock, Store
from patternmind.services.roster import add_people
from patternmind.services.versioned_cache import VersionedCache

N_NEWEST_WRITES = 2000
"""Newest writes searched for a page: half a second. All texts of 100,000 cases take 20 seconds."""


@dataclass(frozen=True, slots=True)
class PendingNames:
    """Names neither confirmed nor dismissed; ``is_complete`` is False if only the newest texts were searched."""

    names: tuple[PossibleName, ...]
    is_complete: bool


_POSSIBLE_NAMES_CACHE: VersionedCache[tuple[PossibleName, ...]] = VersionedCache(lambda store: store.vectors.version())


def search_possible_names(store: Store) -> tuple[PossibleName, ...]:
    """Find names that redacted cases and recaps may still contain, likeliest first. Only for stewards."""
    return find_possible_names(
        [text for case in store.cases.list_all() for text in (*case.text.values(), *case.extra.values())]
    )


def list_pending_names(store: Store, *, all_texts: bool = False) -> PendingNames:
    """List possible names that are neither confirmed nor dismissed.

    A word that the searched texts also write in lower case does not count as a name.

    Args:
        all_texts: Search all texts, which is slow, instead of the newest ones.
    """
    since = 0 if all_texts else max(0, store.vectors.version().last_write_number - N_NEWEST_WRITES)
    candidates = _POSSIBLE_NAMES_CACHE.get_or_compute(
        store,
        lambda: find_possible_names(
            [text for _, _, texts in store.cases.iter_texts(after_number=since) for text in texts]
        ),
        key=since,
    )
    dismissed, secret = store.network.dismissed_names(), store.network.contributor_secret()
    pending = (name for name in candidates if _name_digest(secret, name.name) not in dismissed)
    return PendingNames(tuple(pending), is_complete=since == 0)


def dismiss_names(store: Store, clock: Clock, names: Sequence[str], *, actor: str) -> int:
    """Exclude words that are not names from later lists, and return their number."""
    secret = store.network.contributor_secret()
    digests = {_name_digest(secret, name) for name in names if name.strip()}
    store.network.dismiss_names(digests, actor=actor, at=clock.now())
    return len(digests)


def _name_digest(secret: bytes, name: str) -> str:
    """Return a keyed digest that identifies a possible name without revealing it."""
    folded = " ".join(name.casefold().split())
    return hmac.new(secret, f"no name\0{folded}".encode(), hashlib.sha256).hexdigest()


def confirm_names(store: Store, names: Sequence[str]) -> int:
    """Add names to the roster, which redacts them everywhere; return how many were new.

    Raises:
        UsageError: A name has fewer than two letters and would match everywhere.
    """
    cleaned = [" ".join(name.split()).removeprefix("@") for name in names]
    if not all(sum(c.isalpha() for c in name) >= 2 for name in cleaned):
        raise UsageError("A name has at least two letters. No name was added to the roster.", field="names")
    return add_people(store, [(name, None, None) for name in cleaned]).added

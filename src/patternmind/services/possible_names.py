"""What redaction could not know: names that nobody put on the roster, offered to the steward and confirmed by hand."""

import hashlib
import hmac
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from patternmind.errors import UsageError
from patternmind.ingestion.redaction.possible_names import PossibleName, find_possible_names
from patternmind.ports import Clock, Store
from patternmind.services.network import add_people
from patternmind.services.versioned_cache import VersionedCache

N_NEWEST_WRITES = 2000
"""Texts of so many writes are looked through for a page: half a second. All of 100,000 cases are 20 seconds."""


@dataclass(frozen=True, slots=True)
class PendingNames:
    """Names that nobody has said anything about; ``everywhere`` unless only the newest texts were looked through."""

    names: tuple[PossibleName, ...]
    is_complete: bool


def _case_version(store: Store) -> Hashable:
    return store.vector_version()


_POSSIBLE_NAMES_CACHE: VersionedCache[tuple[PossibleName, ...]] = VersionedCache(_case_version)


def search_possible_names(store: Store) -> tuple[PossibleName, ...]:
    """The names that redacted texts of cases and recaps may still hold, the likeliest first. For stewards alone."""
    return find_possible_names([text for case in store.cases() for text in (*case.text.values(), *case.extra.values())])


def list_pending_names(store: Store, *, all_texts: bool = False) -> PendingNames:
    """Those that nobody has said anything about yet, in the newest texts; everywhere, if wanted, which takes its time.

    A name counts as one by all texts that were looked through: which words these also write small.
    """
    since = 0 if all_texts else max(0, store.vector_version().last_write_number - N_NEWEST_WRITES)
    offered = _POSSIBLE_NAMES_CACHE.get_or_compute(
        store,
        lambda: find_possible_names(
            [text for _, _, texts in store.iter_case_texts(after_number=since) for text in texts]
        ),
        key=since,
    )
    dismissed, secret = store.dismissed_names(), store.contributor_secret()
    return PendingNames(tuple(one for one in offered if _name_digest(secret, one.name) not in dismissed), since == 0)


def dismiss_names(store: Store, clock: Clock, names: Sequence[str], *, actor: str) -> int:
    """Offer these no more: they are no names. The number of them."""
    secret = store.contributor_secret()
    digests = {_name_digest(secret, name) for name in names if name.strip()}
    store.dismiss_names(digests, actor=actor, at=clock.now())
    return len(digests)


def _name_digest(secret: bytes, name: str) -> str:
    """Names a possible name without telling it."""
    said = " ".join(name.casefold().split())
    return hmac.new(secret, f"no name\0{said}".encode(), hashlib.sha256).hexdigest()


def confirm_names(store: Store, names: Sequence[str]) -> int:
    """Put names on the roster, which takes them out of everything stored; the number that was new.

    Raises:
        UsageError: a name without two letters, which would be found everywhere.
    """
    wanted = [" ".join(name.split()).removeprefix("@") for name in names]
    if not all(sum(c.isalpha() for c in name) >= 2 for name in wanted):
        raise UsageError("A name has at least two letters. Nothing was put on the roster.", field="names")
    return add_people(store, [(name, None, None) for name in wanted]).added

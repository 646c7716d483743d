"""What redaction could not know: names that nobody put on the roster, offered to the steward and confirmed by hand."""

import hashlib
import hmac
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from patternmind.errors import UsageError
from patternmind.intake.possible_names import PossibleName, possible_names
from patternmind.ports import Clock, Store
from patternmind.verbs.keeping import Keeping
from patternmind.verbs.network import add_people

NEWEST = 2000
"""Texts of so many writes are looked through for a page: half a second. All of 100,000 cases are 20 seconds."""


@dataclass(frozen=True, slots=True)
class NamesWaiting:
    """Names that nobody has said anything about; ``everywhere`` unless only the newest texts were looked through."""

    names: tuple[PossibleName, ...]
    everywhere: bool


def _texts_written(store: Store) -> Hashable:
    return store.vector_stamp()


_OFFERED: Keeping[tuple[PossibleName, ...]] = Keeping(_texts_written)


def offer_names(store: Store) -> tuple[PossibleName, ...]:
    """The names that redacted texts of cases and recaps may still hold, the likeliest first. For stewards alone."""
    return possible_names([text for case in store.cases() for text in (*case.text.values(), *case.extra.values())])


def waiting_names(store: Store, *, everywhere: bool = False) -> NamesWaiting:
    """Those that nobody has said anything about yet, in the newest texts; everywhere, if wanted, which takes its time.

    A name counts as one by all texts that were looked through: which words these also write small.
    """
    since = 0 if everywhere else max(0, store.vector_stamp().newest - NEWEST)
    offered = _OFFERED.of(
        store,
        lambda: possible_names([text for _, _, texts in store.case_words(since=since) for text in texts]),
        key=since,
    )
    dismissed, secret = store.dismissed_names(), store.secret()
    return NamesWaiting(tuple(one for one in offered if _digest(secret, one.name) not in dismissed), since == 0)


def dismiss_names(store: Store, clock: Clock, names: Sequence[str], *, by: str) -> int:
    """Offer these no more: they are no names. The number of them."""
    secret = store.secret()
    digests = {_digest(secret, name) for name in names if name.strip()}
    store.dismiss_names(digests, by=by, at=clock.now())
    return len(digests)


def _digest(secret: bytes, name: str) -> str:
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

"""What redaction could not know: names that nobody put on the roster, offered to the steward and confirmed by hand."""

import hashlib
import hmac
from collections.abc import Sequence

from patternmind.errors import UsageError
from patternmind.intake.possible_names import PossibleName, possible_names
from patternmind.ports import Clock, Store
from patternmind.verbs.network import add_people


def offer_names(store: Store) -> tuple[PossibleName, ...]:
    """The names that redacted texts of cases and recaps may still hold, the likeliest first. For stewards alone."""
    return possible_names([text for case in store.cases() for text in (*case.text.values(), *case.extra.values())])


def waiting_names(store: Store) -> tuple[PossibleName, ...]:
    """Those that nobody has said anything about yet."""
    dismissed = store.dismissed_names()
    return tuple(one for one in offer_names(store) if digest_of(store, one.name) not in dismissed)


def dismiss_names(store: Store, clock: Clock, names: Sequence[str], *, by: str) -> int:
    """Offer these no more: they are no names. The number of them."""
    digests = {digest_of(store, name) for name in names if name.strip()}
    store.dismiss_names(digests, by=by, at=clock.now())
    return len(digests)


def digest_of(store: Store, name: str) -> str:
    """Names a possible name without telling it."""
    said = " ".join(name.casefold().split())
    return hmac.new(store.secret(), f"no name\0{said}".encode(), hashlib.sha256).hexdigest()


def confirm_names(store: Store, names: Sequence[str]) -> int:
    """Put names on the roster, which takes them out of everything stored; the number that was new.

    Raises:
        UsageError: a name without two letters, which would be found everywhere.
    """
    wanted = [" ".join(name.split()).removeprefix("@") for name in names]
    if not all(sum(c.isalpha() for c in name) >= 2 for name in wanted):
        raise UsageError("A name has at least two letters. Nothing was put on the roster.")
    return add_people(store, [(name, None, None) for name in wanted]).added

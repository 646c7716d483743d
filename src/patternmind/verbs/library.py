"""The library: published patterns as their readers find them, by words and by meaning."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.errors import NotFound
from patternmind.model.drafts import Use
from patternmind.ports import Encoder, Store
from patternmind.publish.fields import lines_of
from patternmind.publish.rights import Published
from patternmind.verbs.publishing import collect_playbook
from patternmind.verbs.search import search_patterns


@dataclass(frozen=True, slots=True)
class Shelved:
    """A published pattern and how much it is used."""

    published: Published
    n_uses: int
    n_teams: int


def open_library(store: Store) -> list[Shelved]:
    """Every published pattern by name."""
    uses: defaultdict[str, list[Use]] = defaultdict(list)
    for use in store.uses():
        uses[use.pattern_id].append(use)
    return [_shelved(one, uses[one.pattern.id]) for one in collect_playbook(store).published]


def _shelved(published: Published, uses: Sequence[Use]) -> Shelved:
    return Shelved(published, len(uses), len({use.team.casefold() for use in uses}))


def published_pattern(store: Store, pattern_id: str) -> Shelved:
    """One of them.

    Raises:
        NotFound: none of this id is published.
    """
    found = next((one for one in collect_playbook(store).published if one.pattern.id == pattern_id), None)
    if found is None:
        raise NotFound("pattern", pattern_id)
    return _shelved(found, store.uses(pattern_id))


def find_in_library(shelved: Sequence[Shelved], store: Store, encoder: Encoder, text: str) -> list[Shelved]:
    """Those that hold every word first, then the others, each by nearness in meaning."""
    patterns = [one.published.pattern for one in shelved]
    scores = search_patterns(store, encoder, patterns, text)
    words = text.casefold().split()
    order = sorted(
        range(len(shelved)), key=lambda n: (not _holds(shelved[n], words), -scores[n], patterns[n].name.casefold())
    )
    return [shelved[n] for n in order]


def _holds(one: Shelved, words: Sequence[str]) -> bool:
    pattern = one.published.pattern
    lines = [pattern.name, *(line for name in pattern.fields for line in lines_of(pattern.fields, name))]
    said = " ".join(lines).casefold()
    return all(word in said for word in words)

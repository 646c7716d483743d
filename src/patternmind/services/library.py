"""The library: published patterns as their readers find them, by words and by meaning."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.domain.drafts import PatternUse
from patternmind.errors import NotFound
from patternmind.ports import Encoder, Store
from patternmind.publishing.field_text import stated_lines
from patternmind.publishing.publication_rules import PublishedPattern
from patternmind.services.playbook import collect_playbook
from patternmind.services.search import score_patterns


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """A published pattern and how much it is used."""

    published: PublishedPattern
    n_uses: int
    n_teams: int


def list_library(store: Store) -> list[LibraryEntry]:
    """Every published pattern by name."""
    uses: defaultdict[str, list[PatternUse]] = defaultdict(list)
    for use in store.list_pattern_uses():
        uses[use.pattern_id].append(use)
    return [_entry(one, uses[one.pattern.id]) for one in collect_playbook(store).published]


def _entry(published: PublishedPattern, uses: Sequence[PatternUse]) -> LibraryEntry:
    return LibraryEntry(published, len(uses), len({use.team.casefold() for use in uses}))


def get_library_entry(store: Store, pattern_id: str) -> LibraryEntry:
    """One of them.

    Raises:
        NotFound: none of this id is published.
    """
    found = next((one for one in collect_playbook(store).published if one.pattern.id == pattern_id), None)
    if found is None:
        raise NotFound("pattern", pattern_id)
    return _entry(found, store.list_pattern_uses(pattern_id))


def search_library(entries: Sequence[LibraryEntry], store: Store, encoder: Encoder, text: str) -> list[LibraryEntry]:
    """Those that hold every word first, then the others, each by nearness in meaning."""
    patterns = [one.published.pattern for one in entries]
    scores = score_patterns(store, encoder, patterns, text)
    words = text.casefold().split()
    order = sorted(
        range(len(entries)),
        key=lambda n: (not _contains_all_words(entries[n], words), -scores[n], patterns[n].name.casefold()),
    )
    return [entries[n] for n in order]


def _contains_all_words(entry: LibraryEntry, words: Sequence[str]) -> bool:
    pattern = entry.published.pattern
    lines = [pattern.name, *(line for name in pattern.fields for line in stated_lines(pattern.fields, name))]
    said = " ".join(lines).casefold()
    return all(word in said for word in words)

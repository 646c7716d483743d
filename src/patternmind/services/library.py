"""The library of published patterns, with their uses, and its search by words and meaning."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.domain.draft_fields import stated_lines
from patternmind.domain.drafts import PatternUse
from patternmind.errors import NotFound
from patternmind.ports import Encoder, Store
from patternmind.publishing.publication_rules import PublishedPattern
from patternmind.services.playbook import collect_playbook
from patternmind.services.search import score_patterns


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """A published pattern, with the numbers of its uses and using teams."""

    published: PublishedPattern
    n_uses: int
    n_teams: int


def list_library(store: Store) -> list[LibraryEntry]:
    """List all published patterns by name."""
    uses: defaultdict[str, list[PatternUse]] = defaultdict(list)
    for use in store.drafts.pattern_uses():
        uses[use.pattern_id].append(use)
    return [_entry(published, uses[published.pattern.id]) for published in collect_playbook(store).published]


def _entry(published: PublishedPattern, uses: Sequence[PatternUse]) -> LibraryEntry:
    return LibraryEntry(published, len(uses), len({use.team.casefold() for use in uses}))


def get_library_entry(store: Store, pattern_id: str) -> LibraryEntry:
    """Return the published pattern with this id.

    Raises:
        NotFound: No published pattern has this id.
    """
    for published in collect_playbook(store).published:
        if published.pattern.id == pattern_id:
            return _entry(published, store.drafts.pattern_uses(pattern_id))
    raise NotFound("pattern", pattern_id)


def search_library(entries: Sequence[LibraryEntry], store: Store, encoder: Encoder, text: str) -> list[LibraryEntry]:
    """Sort entries for a query: those with every word of it first, then by similarity in meaning."""
    patterns = [entry.published.pattern for entry in entries]
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
    text = " ".join(lines).casefold()
    return all(word in text for word in words)

"""The playbook: accepted patterns checked against the publishing limits, and documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Pattern, ReviewedDraft
from patternmind.domain.networks import Network
from patternmind.ports import Store
from patternmind.publishing.document import Document
from patternmind.publishing.playbook import build_playbook
from patternmind.publishing.prereading import lay_out_prereading, prereading_record
from patternmind.publishing.publication_rules import (
    PlaybookSelection,
    PublishedPattern,
    WithheldPattern,
    assess_pattern,
    pattern_texts,
    redact_for_export,
    select_patterns,
    source_case_ids,
)
from patternmind.services.confidential_cache import find_confidential_phrases
from patternmind.services.prereading_builder import PreparedPrereading, list_lenses_with_runs
from patternmind.services.reviews import list_accepted_patterns
from patternmind.services.versioned_cache import VersionedCache

_SELECTION_CACHE: VersionedCache[PlaybookSelection] = VersionedCache()


def collect_playbook(store: Store) -> PlaybookSelection:
    """Sort the accepted patterns into published, withheld (with the reason) and retired.

    Cached until data is written. Reads only these patterns and their source cases.
    """
    return _SELECTION_CACHE.get_or_compute(store, lambda: _read_playbook(store))


def _read_playbook(store: Store) -> PlaybookSelection:
    patterns = list_accepted_patterns(store)
    return select_patterns(
        patterns,
        _source_cases(store, patterns),
        store.network.get().rule,
        confidential=find_confidential_phrases(store, pattern_texts(patterns)),
    )


def assess_pattern_publication(store: Store, pattern: Pattern) -> PublishedPattern | WithheldPattern:
    """Check one pattern against the publishing limits, as ``collect_playbook`` does."""
    confidential = find_confidential_phrases(store, pattern_texts([pattern]))
    return assess_pattern(pattern, _source_cases(store, [pattern]), store.network.get().rule, confidential=confidential)


def _source_cases(store: Store, patterns: Sequence[Pattern]) -> dict[str, Case]:
    return store.cases.get_many([case_id for pattern in patterns for case_id in source_case_ids(pattern)])


def build_playbook_document(store: Store, selection: PlaybookSelection, now: datetime) -> Document:
    themes = [theme for lens in list_lenses_with_runs(store) for theme in store.themes.list_all(lens)]
    return build_playbook(
        selection.published,
        selection.withheld,
        selection.retired,
        network=store.network.get(),
        themes=redact_for_export(themes, {case.id: case for case in store.cases.list_all()}),
        date=now.date(),
    )


def prepared_document(prepared: PreparedPrereading, network: Network) -> Document:
    return lay_out_prereading(
        ReviewedDraft(grounded=prepared.grounded),
        theme=prepared.theme,
        patterns=prepared.patterns,
        cases=prepared.cases,
        network=network,
    )


def prepared_row(prepared: PreparedPrereading) -> Mapping[str, Any]:
    return prereading_record(ReviewedDraft(grounded=prepared.grounded))

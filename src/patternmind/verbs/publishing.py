"""The playbook and pre-reading as documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from patternmind.model.cases import Case
from patternmind.model.drafts import Pattern
from patternmind.model.network import Network
from patternmind.ports import Store
from patternmind.publish.document import Document
from patternmind.publish.playbook import make_playbook
from patternmind.publish.prereading import make_prereading, prereading_record
from patternmind.publish.rights import (
    Published,
    Sorted,
    Withheld,
    outward,
    publishable,
    rests_on,
    said_by,
    sort_patterns,
)
from patternmind.verbs.closing import closed_within
from patternmind.verbs.keeping import Keeping
from patternmind.verbs.prepare import Prepared, lenses_run
from patternmind.verbs.reviewing import accepted_patterns

_SORTED: Keeping[Sorted] = Keeping()


def collect_playbook(store: Store) -> Sorted:
    """What people accepted, parted into what may be published, what is withheld and why, and what was retired.

    It is kept until something is written; then the patterns and the cases they rest on are read, and no others.
    """
    return _SORTED.of(store, lambda: _collect(store))


def _collect(store: Store) -> Sorted:
    patterns = accepted_patterns(store)
    return sort_patterns(
        patterns, _cases_of(store, patterns), store.network.rule, closed=closed_within(store, said_by(patterns))
    )


def judge_pattern(store: Store, pattern: Pattern) -> Published | Withheld:
    """Whether one pattern may go out, as ``collect_playbook`` would say."""
    closed = closed_within(store, said_by([pattern]))
    return publishable(pattern, _cases_of(store, [pattern]), store.network.rule, closed=closed)


def _cases_of(store: Store, patterns: Sequence[Pattern]) -> dict[str, Case]:
    return store.cases_by_id([case_id for one in patterns for case_id in rests_on(one)])


def playbook_document(store: Store, collected: Sorted, now: datetime) -> Document:
    themes = [theme for lens in lenses_run(store) for theme in store.themes(lens)]
    return make_playbook(
        collected.published,
        collected.withheld,
        collected.retired,
        network=store.network,
        themes=outward(themes, {case.id: case for case in store.cases()}),
        date=now.date(),
    )


def prereading_document(prepared: Prepared, network: Network) -> Document:
    return make_prereading(
        prepared.grounded, theme=prepared.theme, patterns=prepared.patterns, cases=prepared.cases, network=network
    )


def prereading_row(prepared: Prepared) -> Mapping[str, Any]:
    return prereading_record(prepared.grounded)

"""The playbook and pre-reading as documents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from patternmind.model.network import Network
from patternmind.ports import Store
from patternmind.publish.document import Document
from patternmind.publish.playbook import make_playbook
from patternmind.publish.prereading import make_prereading, prereading_record
from patternmind.publish.rights import Sorted, outward, sort_patterns
from patternmind.verbs.prepare import Prepared, lenses_run
from patternmind.verbs.reviewing import accepted_patterns


def collect_playbook(store: Store) -> Sorted:
    """What people accepted, parted into what may be published, what is withheld and why, and what was retired."""
    cases = {case.id: case for case in store.cases()}
    return sort_patterns(accepted_patterns(store), cases, store.network.rule)


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

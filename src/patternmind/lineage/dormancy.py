"""Dormant themes and unseen members: state that a run keeps for cases it did not include."""

from collections.abc import Collection
from dataclasses import replace

from patternmind.domain.themes import Lineage, Theme

DORMANT_LINEAGES = (Lineage.DORMANT, Lineage.MERGED, Lineage.SPLIT, Lineage.RETIRED)
"""Lineage words under which a theme without a group is dormant.

Under any other word, its last run did not include its cases.
"""


def members_of(theme: Theme) -> frozenset[str]:
    """Return all cases of the theme, unseen ones included; for a dormant theme, its last cases."""
    return frozenset((*theme.case_ids, *theme.unseen_case_ids))


def exemplars_of(theme: Theme) -> tuple[str, ...]:
    return theme.exemplars or theme.former_exemplars


def is_dormant(theme: Theme) -> bool:
    """Return True if the theme matched no cluster in the last run. Its cases may belong to another theme now."""
    return not theme.case_ids and theme.lineage in DORMANT_LINEAGES


def keep_unseen_members(card: Theme, former: Theme | None, run_case_ids: Collection[str]) -> Theme:
    """Return the card with the theme's earlier cases that this run did not include."""
    if former is None:
        return card
    run_ids, own_ids = set(run_case_ids), set(card.case_ids)
    unseen = () if is_dormant(former) else sorted(members_of(former) - run_ids - own_ids)
    return replace(card, unseen_case_ids=tuple(unseen))


def mark_dormant(theme: Theme, lineage: Lineage) -> Theme:
    """Return the theme without a group; its name, centroid, history and former cases remain."""
    return replace(
        theme,
        case_ids=(),
        unseen_case_ids=tuple(sorted(members_of(theme))),
        exemplars=(),
        former_exemplars=exemplars_of(theme),
        edge_case=None,
        n_cases=0,
        n_teams=0,
        n_contributors=0,
        new_cases=0,
        share=0.0,
        lineage=lineage,
    )

"""What is remembered of a theme beyond the groups of its last run, so that nothing is lost where a run did not look."""

from collections.abc import Collection
from dataclasses import replace

from patternmind.domain.themes import Lineage, Theme

DORMANT_LINEAGES = (Lineage.DORMANT, Lineage.MERGED, Lineage.SPLIT, Lineage.RETIRED)
"""A theme without a group is at rest under these words; under any other its last run did not look at its cases."""


def members_of(theme: Theme) -> frozenset[str]:
    """Every case that is the theme's as far as anybody knows; of a theme at rest, those it last had."""
    return frozenset((*theme.case_ids, *theme.unseen_case_ids))


def exemplars_of(theme: Theme) -> tuple[str, ...]:
    return theme.exemplars or theme.former_exemplars


def is_dormant(theme: Theme) -> bool:
    """Whether no group carried the theme although the last run looked: its cases may be another theme's by now."""
    return not theme.case_ids and theme.lineage in DORMANT_LINEAGES


def keep_unseen_members(card: Theme, former: Theme | None, run_case_ids: Collection[str]) -> Theme:
    """The card of a theme that has a group, with those of its earlier cases that this run did not look at."""
    if former is None:
        return card
    seen, mine = set(run_case_ids), set(card.case_ids)
    unseen = () if is_dormant(former) else sorted(members_of(former) - seen - mine)
    return replace(card, unseen_case_ids=tuple(unseen))


def mark_dormant(theme: Theme, lineage: Lineage) -> Theme:
    """A theme that has no group: its name, centre and history stay, and its cases in mind, for them to come back."""
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

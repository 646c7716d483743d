"""What became of every theme in a run: one word of lineage each, and the evidence for it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.themes import (
    Flow,
    Lineage,
    Theme,
    ThemeChange,
)
from patternmind.lineage.case_matches import MAJORITY, MIN_PIECE_SHARE
from patternmind.lineage.dormancy import exemplars_of, is_dormant, members_of
from patternmind.lineage.identity import ClusterGroup, PreviousRun
from patternmind.lineage.periods import count_quiet_periods, extend_periods, periods_of

GROWTH_RATIO, SHRINK_RATIO = 1.25, 0.8
MIN_SPLIT_SHARE = 1 - SHRINK_RATIO
"""A theme that lost this share of its cases to themes split off from it is told as split, not as shrunk."""

MIN_CHANGED_CASES = 2
"""A theme that won or lost no more than one case did not change, however small it is."""

MIN_PIECE_CASES = 3
DORMANT_AFTER_PERIODS = 2
"""Labelled periods without a new case after which a theme is dormant."""


def describe_changes(
    groups: Sequence[ClusterGroup], theme_ids: Sequence[str], previous: PreviousRun, *, label: str = ""
) -> list[ThemeChange]:
    """One change for each group, in order, then one for each former theme that has no group, in theirs.

    Args:
        theme_ids: the theme of each group, as carried and as people changed it since.
        label: the period the run bears; without one no theme has been quiet for longer than before.
    """
    return list(_ChangeDetector(groups, theme_ids, previous, label).changes())


@dataclass(frozen=True, slots=True)
class _ThemeRelations:
    """Former themes and present ones, by id: what was split off from each, and what each took in."""

    parents: Mapping[str, tuple[str, ...]]
    pieces: Mapping[str, tuple[str, ...]]
    absorbed: Mapping[str, tuple[str, ...]]


class _ChangeDetector:
    """The groups of a run beside the themes before it, each looked up by id or by case."""

    def __init__(self, groups: Sequence[ClusterGroup], theme_ids: Sequence[str], past: PreviousRun, label: str) -> None:
        self.groups = dict(zip(theme_ids, groups, strict=True))
        self.former = {theme.id: theme for theme in past.themes}
        self.previous = past
        self.label = label
        self.now = {case_id: id for id, group in self.groups.items() for case_id in group.case_ids}
        awake = [theme for theme in past.themes if not is_dormant(theme)]
        self.before = {case_id: theme.id for theme in awake for case_id in members_of(theme)}
        self.went = {
            theme.id: _count_flows(members_of(theme) & past.seen_case_ids, self.now.get) for theme in past.themes
        }
        self.came = {
            id: _count_flows(group.case_ids & past.seen_case_ids, self.before.get) for id, group in self.groups.items()
        }
        self.relations = self._find_relations()

    def changes(self) -> Iterable[ThemeChange]:
        for id, group in self.groups.items():
            yield self._change_of_group(id, group, self.former.get(id))
        for theme in self.previous.themes:
            if theme.id not in self.groups:
                yield self._change_without_group(theme)

    def _find_relations(self) -> _ThemeRelations:
        parents = {id: self._parents(id) for id in self.groups if id not in self.former}
        pieces: dict[str, tuple[str, ...]] = {}
        for child, origin in parents.items():
            for parent in origin:
                pieces[parent] = (*pieces.get(parent, ()), child)
        absorbed: dict[str, tuple[str, ...]] = {}
        for theme in self.previous.themes:
            if theme.id not in self.groups and not is_dormant(theme):
                for flow in self._absorbing_theme(theme):
                    absorbed[flow] = (*absorbed.get(flow, ()), theme.id)
        return _ThemeRelations(parents, pieces, absorbed)

    def _parents(self, id: str) -> tuple[str, ...]:
        """The themes that a group without a former self was mostly made of."""
        size = len(self.groups[id].case_ids)
        return tuple(
            flow.theme_id
            for flow in self.came[id]
            if flow.theme_id and flow.n_cases > 1 and flow.share >= MAJORITY and flow.n_cases / size >= MIN_PIECE_SHARE
        )

    def _absorbing_theme(self, theme: Theme) -> tuple[str, ...]:
        """The one theme that took in most of a theme that has no group any more."""
        return tuple(
            flow.theme_id
            for flow in self.went[theme.id]
            if flow.theme_id and flow.n_cases > 1 and flow.share >= MAJORITY and self._is_covered_by_run(theme)
        )[:1]

    def _pieces_of(self, theme: Theme) -> tuple[str, ...]:
        """The themes that took in a theme in pieces, where they hold most of it together."""
        pieces = [
            flow
            for flow in self.went[theme.id]
            if flow.theme_id and flow.share >= MIN_SPLIT_SHARE and flow.n_cases >= MIN_PIECE_CASES
        ]
        enough = len(pieces) > 1 and sum(flow.share for flow in pieces) >= MAJORITY
        return tuple(flow.theme_id for flow in pieces if flow.theme_id) if enough else ()

    def _is_covered_by_run(self, theme: Theme) -> bool:
        """Whether the run held enough of the theme's cases to say that they are no group any more."""
        members = members_of(theme)
        return len(members & self.previous.seen_case_ids) >= MAJORITY * len(members) and bool(members)

    def _change_of_group(self, id: str, group: ClusterGroup, former: Theme | None) -> ThemeChange:
        quiet = count_quiet_periods(extend_periods(former, label=self.label, n_new=group.n_new))
        if former is None:
            parents = self.relations.parents[id]
            return ThemeChange(
                theme_id=id,
                lineage=Lineage.SPLIT if parents else Lineage.NEW,
                others=parents,
                n_after=len(group.case_ids),
                n_new=group.n_new,
                came=self.came[id],
            )
        known = members_of(former) & self.previous.seen_case_ids
        shared = group.case_ids & known
        both = len((group.case_ids & self.previous.seen_case_ids) | known)
        lineage, others = self._classify(id, former, group, quiet)
        return ThemeChange(
            theme_id=id,
            lineage=lineage,
            others=others,
            former_lineage=former.lineage,
            n_before=len(members_of(former)),
            n_known=len(known),
            n_after=len(group.case_ids),
            n_shared=len(shared),
            n_new=group.n_new,
            quiet_runs=quiet,
            overlap=len(shared) / both if both else 0.0,
            similarity=self._similarity(former, group),
            shared_exemplars=tuple(one for one in exemplars_of(former) if one in group.case_ids),
            went=self.went[id],
            came=self.came[id],
        )

    def _classify(self, id: str, former: Theme, group: ClusterGroup, quiet: int) -> tuple[Lineage, tuple[str, ...]]:
        """The word that says most about a theme that has a group, and the other themes it is about."""
        if former.lineage is Lineage.RETIRED:
            return Lineage.RETIRED, ()
        if is_dormant(former) or (_has_gone_quiet(former) and group.n_new):
            return Lineage.RETURNED, ()
        if absorbed := self.relations.absorbed.get(id, ()):
            return Lineage.MERGED, absorbed
        if pieces := self._large_pieces(id):
            return Lineage.SPLIT, pieces
        if (quiet >= DORMANT_AFTER_PERIODS or _has_gone_quiet(former)) and not group.n_new:
            return Lineage.DORMANT, ()
        return _classify_by_size(len(members_of(former) & self.previous.seen_case_ids), len(group.case_ids)), ()

    def _large_pieces(self, id: str) -> tuple[str, ...]:
        pieces = self.relations.pieces.get(id, ())
        lost = sum(flow.share for flow in self.went[id] if flow.theme_id in pieces)
        return pieces if lost >= MIN_SPLIT_SHARE else ()

    def _similarity(self, former: Theme, group: ClusterGroup) -> float:
        centre = self.previous.centroid(former, len(group.centroid))
        return float(group.centroid @ centre) if centre is not None else 0.0

    def _change_without_group(self, theme: Theme) -> ThemeChange:
        quiet = count_quiet_periods(extend_periods(theme, label=self.label, n_new=0))
        lineage, others = self._classify_without_group(theme, quiet)
        return ThemeChange(
            theme_id=theme.id,
            lineage=lineage,
            others=others,
            former_lineage=theme.lineage,
            n_before=len(members_of(theme)),
            n_known=len(members_of(theme) & self.previous.seen_case_ids),
            quiet_runs=quiet,
            went=self.went[theme.id],
        )

    def _classify_without_group(self, theme: Theme, quiet: int) -> tuple[Lineage, tuple[str, ...]]:
        if is_dormant(theme) or theme.lineage is Lineage.RETIRED:
            return theme.lineage, ()
        if into := self._absorbing_theme(theme):
            return Lineage.MERGED, into
        if into := self._pieces_of(theme):
            return Lineage.SPLIT, into
        if self._is_covered_by_run(theme) or quiet >= DORMANT_AFTER_PERIODS or _has_gone_quiet(theme):
            return Lineage.DORMANT, ()
        return Lineage.CONTINUED, ()


def _has_gone_quiet(theme: Theme) -> bool:
    return theme.lineage is Lineage.DORMANT or count_quiet_periods(periods_of(theme)) >= DORMANT_AFTER_PERIODS


def _count_flows(case_ids: frozenset[str], theme_of: Callable[[str], str | None]) -> tuple[Flow, ...]:
    """Where cases are or were, by falling number; the last is "in no theme"."""
    counts = Counter(theme_of(case_id) for case_id in case_ids)
    ordered = sorted(counts.items(), key=lambda item: (item[0] is None, -item[1], item[0] or ""))
    return tuple(Flow(theme_id=id, n_cases=n, share=round(n / len(case_ids), 4)) for id, n in ordered)


def _classify_by_size(n_before: int, n_after: int) -> Lineage:
    if n_after >= GROWTH_RATIO * n_before and n_after >= n_before + MIN_CHANGED_CASES:
        return Lineage.GREW
    return (
        Lineage.SHRANK
        if n_after <= SHRINK_RATIO * n_before and n_after <= n_before - MIN_CHANGED_CASES
        else Lineage.CONTINUED
    )

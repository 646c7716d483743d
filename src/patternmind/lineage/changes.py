"""Changes of themes in a run: a lineage word for every theme, with its evidence."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.themes import Flow, Lineage, Theme, ThemeChange
from patternmind.lineage.case_matches import MAJORITY, MIN_PIECE_SHARE
from patternmind.lineage.dormancy import exemplars_of, is_dormant, members_of
from patternmind.lineage.identity import ClusterGroup, PreviousRun
from patternmind.lineage.periods import count_quiet_periods, extend_periods, periods_of

GROWTH_RATIO, SHRINK_RATIO = 1.25, 0.8
MIN_SPLIT_SHARE = 1 - SHRINK_RATIO
"""Share of cases lost to new themes from which a theme is split, not shrunk."""

MIN_CHANGED_CASES = 2
"""Minimum number of cases gained or lost for a change; a single case never counts."""

MIN_PIECE_CASES = 3
DORMANT_AFTER_PERIODS = 2
"""Number of labelled periods without a new case after which a theme is dormant."""


def describe_changes(
    groups: Sequence[ClusterGroup], theme_ids: Sequence[str], previous: PreviousRun, *, label: str = ""
) -> list[ThemeChange]:
    """Describe the changes of groups, then of former themes without a group, in order.

    Args:
        groups: groups of this run.
        theme_ids: the theme of each group, after matching and after people's edits.
        previous: the themes before this run.
        label: label of the run's period; a run without a label does not extend quiet times.
    """
    return list(_ChangeDetector(groups, theme_ids, previous, label).changes())


@dataclass(frozen=True, slots=True)
class _ThemeRelations:
    """Relations of former and current themes, by id.

    Attributes:
        parents: former themes of each new theme.
        pieces: themes that split off from each theme.
        absorbed: former themes that each theme absorbed.
    """

    parents: Mapping[str, tuple[str, ...]]
    pieces: Mapping[str, tuple[str, ...]]
    absorbed: Mapping[str, tuple[str, ...]]


class _ChangeDetector:
    """Groups of a run and the themes before it, indexed by id and by case."""

    def __init__(
        self, groups: Sequence[ClusterGroup], theme_ids: Sequence[str], previous: PreviousRun, label: str
    ) -> None:
        self.groups = dict(zip(theme_ids, groups, strict=True))
        self.former = {theme.id: theme for theme in previous.themes}
        self.previous = previous
        self.label = label
        self.theme_by_case = {case_id: id for id, group in self.groups.items() for case_id in group.case_ids}
        active = [theme for theme in previous.themes if not is_dormant(theme)]
        self.former_theme_by_case = {case_id: theme.id for theme in active for case_id in members_of(theme)}
        self.outflows = {
            theme.id: _count_flows(members_of(theme) & previous.seen_case_ids, self.theme_by_case.get)
            for theme in previous.themes
        }
        self.inflows = {
            id: _count_flows(group.case_ids & previous.seen_case_ids, self.former_theme_by_case.get)
            for id, group in self.groups.items()
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
        for child, former_ids in parents.items():
            for parent in former_ids:
                pieces[parent] = (*pieces.get(parent, ()), child)
        absorbed: dict[str, tuple[str, ...]] = {}
        for theme in self.previous.themes:
            if theme.id not in self.groups and not is_dormant(theme):
                for theme_id in self._absorbing_theme(theme):
                    absorbed[theme_id] = (*absorbed.get(theme_id, ()), theme.id)
        return _ThemeRelations(parents, pieces, absorbed)

    def _parents(self, id: str) -> tuple[str, ...]:
        """Return the former themes that a new group mostly consists of."""
        size = len(self.groups[id].case_ids)
        return tuple(
            flow.theme_id
            for flow in self.inflows[id]
            if flow.theme_id and flow.n_cases > 1 and flow.share >= MAJORITY and flow.n_cases / size >= MIN_PIECE_SHARE
        )

    def _absorbing_theme(self, theme: Theme) -> tuple[str, ...]:
        """Return the theme that absorbed most of a theme without a group; empty or one id."""
        return tuple(
            flow.theme_id
            for flow in self.outflows[theme.id]
            if flow.theme_id and flow.n_cases > 1 and flow.share >= MAJORITY and self._is_covered_by_run(theme)
        )[:1]

    def _pieces_of(self, theme: Theme) -> tuple[str, ...]:
        """Return the themes with pieces of a theme, if together they have most of it."""
        pieces = [
            flow
            for flow in self.outflows[theme.id]
            if flow.theme_id and flow.share >= MIN_SPLIT_SHARE and flow.n_cases >= MIN_PIECE_CASES
        ]
        is_enough = len(pieces) > 1 and sum(flow.share for flow in pieces) >= MAJORITY
        return tuple(flow.theme_id for flow in pieces if flow.theme_id) if is_enough else ()

    def _is_covered_by_run(self, theme: Theme) -> bool:
        """Return True if the run had enough of the theme's cases to call it dissolved."""
        members = members_of(theme)
        return len(members & self.previous.seen_case_ids) >= MAJORITY * len(members) and bool(members)

    def _change_of_group(self, id: str, group: ClusterGroup, former: Theme | None) -> ThemeChange:
        quiet_periods = count_quiet_periods(extend_periods(former, label=self.label, n_new=group.n_new))
        if former is None:
            parents = self.relations.parents[id]
            return ThemeChange(
                theme_id=id,
                lineage=Lineage.SPLIT if parents else Lineage.NEW,
                others=parents,
                n_after=len(group.case_ids),
                n_new=group.n_new,
                came=self.inflows[id],
            )
        former_case_ids = members_of(former) & self.previous.seen_case_ids
        shared = group.case_ids & former_case_ids
        n_union = len((group.case_ids & self.previous.seen_case_ids) | former_case_ids)
        lineage, others = self._classify(id, former, group, quiet_periods)
        return ThemeChange(
            theme_id=id,
            lineage=lineage,
            others=others,
            former_lineage=former.lineage,
            n_before=len(members_of(former)),
            n_known=len(former_case_ids),
            n_after=len(group.case_ids),
            n_shared=len(shared),
            n_new=group.n_new,
            quiet_runs=quiet_periods,
            overlap=len(shared) / n_union if n_union else 0.0,
            similarity=self._similarity(former, group),
            shared_exemplars=tuple(case_id for case_id in exemplars_of(former) if case_id in group.case_ids),
            went=self.outflows[id],
            came=self.inflows[id],
        )

    def _classify(
        self, id: str, former: Theme, group: ClusterGroup, quiet_periods: int
    ) -> tuple[Lineage, tuple[str, ...]]:
        """Return the most informative lineage word of a theme and the related themes."""
        if former.lineage is Lineage.RETIRED:
            return Lineage.RETIRED, ()
        if is_dormant(former) or (_has_gone_quiet(former) and group.n_new):
            return Lineage.RETURNED, ()
        if absorbed := self.relations.absorbed.get(id, ()):
            return Lineage.MERGED, absorbed
        if pieces := self._large_pieces(id):
            return Lineage.SPLIT, pieces
        if (quiet_periods >= DORMANT_AFTER_PERIODS or _has_gone_quiet(former)) and not group.n_new:
            return Lineage.DORMANT, ()
        return _classify_by_size(len(members_of(former) & self.previous.seen_case_ids), len(group.case_ids)), ()

    def _large_pieces(self, id: str) -> tuple[str, ...]:
        pieces = self.relations.pieces.get(id, ())
        lost = sum(flow.share for flow in self.outflows[id] if flow.theme_id in pieces)
        return pieces if lost >= MIN_SPLIT_SHARE else ()

    def _similarity(self, former: Theme, group: ClusterGroup) -> float:
        centroid = self.previous.centroid(former, len(group.centroid))
        return float(group.centroid @ centroid) if centroid is not None else 0.0

    def _change_without_group(self, theme: Theme) -> ThemeChange:
        quiet_periods = count_quiet_periods(extend_periods(theme, label=self.label, n_new=0))
        lineage, others = self._classify_without_group(theme, quiet_periods)
        return ThemeChange(
            theme_id=theme.id,
            lineage=lineage,
            others=others,
            former_lineage=theme.lineage,
            n_before=len(members_of(theme)),
            n_known=len(members_of(theme) & self.previous.seen_case_ids),
            quiet_runs=quiet_periods,
            went=self.outflows[theme.id],
        )

    def _classify_without_group(self, theme: Theme, quiet_periods: int) -> tuple[Lineage, tuple[str, ...]]:
        if is_dormant(theme) or theme.lineage is Lineage.RETIRED:
            return theme.lineage, ()
        if theme_ids := self._absorbing_theme(theme):
            return Lineage.MERGED, theme_ids
        if theme_ids := self._pieces_of(theme):
            return Lineage.SPLIT, theme_ids
        if self._is_covered_by_run(theme) or quiet_periods >= DORMANT_AFTER_PERIODS or _has_gone_quiet(theme):
            return Lineage.DORMANT, ()
        return Lineage.CONTINUED, ()


def _has_gone_quiet(theme: Theme) -> bool:
    return theme.lineage is Lineage.DORMANT or count_quiet_periods(periods_of(theme)) >= DORMANT_AFTER_PERIODS


def _count_flows(case_ids: frozenset[str], theme_of: Callable[[str], str | None]) -> tuple[Flow, ...]:
    """Count cases by theme, in descending order; cases in no theme come last."""
    counts = Counter(theme_of(case_id) for case_id in case_ids)
    by_size = sorted(counts.items(), key=lambda item: (item[0] is None, -item[1], item[0] or ""))
    return tuple(Flow(theme_id=id, n_cases=n, share=round(n / len(case_ids), 4)) for id, n in by_size)


def _classify_by_size(n_before: int, n_after: int) -> Lineage:
    if n_after >= GROWTH_RATIO * n_before and n_after >= n_before + MIN_CHANGED_CASES:
        return Lineage.GREW
    return (
        Lineage.SHRANK
        if n_after <= SHRINK_RATIO * n_before and n_after <= n_before - MIN_CHANGED_CASES
        else Lineage.CONTINUED
    )

"""Assembly of a run's theme cards, drafts and assignments: applies user edits to the machine result."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from patternmind.clustering.exemplars import choose_exemplars
from patternmind.clustering.neighbours import cosine_similarity
from patternmind.clustering.partition import MIN_CASES
from patternmind.domain import theme_counts
from patternmind.domain.cases import Case
from patternmind.domain.drafts import Draft, GroundedDraft
from patternmind.domain.edits import Edit, EditAction, binding_edits
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER, Assignment, Lineage, OutlierReason, Theme, ThemeChange, Vectors
from patternmind.drafting.evidence import ThemeEvidence, gather_evidence
from patternmind.drafting.identity import with_recomputed_id
from patternmind.drafting.keyphrases import Phrase, PhraseCounts
from patternmind.drafting.name_candidates import propose_name_candidates, rank_by_similarity
from patternmind.drafting.patterns import draft_pattern
from patternmind.drafting.sentence_selection import select_sentences, sentences_with_roles
from patternmind.drafting.single_contributor import draft_no_pattern_for_single_contributor
from patternmind.drafting.theme_names import ThemeName, contains_theme_word, fallback_name, name_themes
from patternmind.edits import apply_edits, assign_cases, resolve_edits
from patternmind.grounding import add_counter_evidence
from patternmind.lineage import (
    ClusterGroup,
    PreviousRun,
    describe_changes,
    extend_periods,
    keep_unseen_members,
    mark_dormant,
)
from patternmind.ports import RunRecord
from patternmind.text import SentenceRole

OUTLIER_REASON_TEXTS: Mapping[OutlierReason, str] = {
    OutlierReason.ALONE: "not close enough to any other cases",
    OutlierReason.BETWEEN: "between several themes, firmly in none",
    OutlierReason.SMALL: "in a group too small for a theme",
}
"""Stored reason of an outlier that no edit moved there."""


@dataclass
class RunAssembler:
    """Builder of a run's theme cards, drafts and assignments.

    Row i of ``vectors`` and of the partition belongs to ``cases[i]``.

    Attributes:
        machine_result: result before edits; ``partition`` and ``theme_ids`` are the result after edits.
        previous: the themes as people last saw them.
        edit_log: all edits of the lens, undone ones included.
        encode: function from texts to (n, d) vectors in the space of ``vectors``, to rank names. Without it, only words
            decide.
    """

    cases: Sequence[Case]
    vectors: Vectors
    machine_result: MachineResult
    previous: PreviousRun
    run: RunRecord
    edit_log: Sequence[Edit] = field(default_factory=list[Edit])
    encode: Callable[[Sequence[str]], Vectors] | None = None

    def __post_init__(self) -> None:
        self.cases_by_id: Mapping[str, Case] = {case.id: case for case in self.cases}
        self.edits = binding_edits(self.edit_log)
        self.resolved = resolve_edits(self.edits)
        self.edited_assignments = assign_cases(self.machine_result, self.vectors, self.resolved)
        self.partition, self.theme_ids = apply_edits(
            self.machine_result, self.edited_assignments, self.resolved, self.vectors
        )
        self.previous = replace(self.previous, themes=[self._with_edits(theme) for theme in self.previous.themes])
        self.members = [self.partition.rows_of(label) for label in range(self.partition.n_clusters)]
        self.groups = build_groups(
            self.cases, self.members, self.partition.centres, frozenset(self.machine_result.new_cases)
        )
        self.strength_by_case = {
            case.id: float(strength) for case, strength in zip(self.cases, self.partition.strength, strict=True)
        }
        self.phrase_counts = PhraseCounts({case.id: "\n".join(case.text.values()) for case in self.cases})
        self._theme_phrases: dict[str, list[Phrase]] = {}
        self._evidence_by_theme: dict[str, ThemeEvidence] = {}
        self._renamed_themes: list[Theme] = []

    def _with_edits(self, theme: Theme) -> Theme:
        """Return a former theme with its current name and retirement, after undo."""
        name = self.resolved.names.get(theme.id) or self._former_name(theme)
        if theme.id in self.resolved.retired:
            return replace(theme, name=name, lineage=Lineage.RETIRED)
        reinstated = Lineage.CONTINUED if theme.case_ids else Lineage.DORMANT
        return replace(theme, name=name, lineage=reinstated if theme.lineage is Lineage.RETIRED else theme.lineage)

    def _former_name(self, theme: Theme) -> str:
        """Return the name of a theme before any person renamed it."""
        all_renames = (edit for edit in self.edit_log if edit.action is EditAction.RENAME and not edit.proposed)
        renames = (edit for edit in all_renames if edit.theme_id == theme.id)
        first = next(renames, None)
        return first.former_name if first else theme.name

    def changes(self) -> list[ThemeChange]:
        """Return the change of every theme, themes with cases first. A theme that a person merged counts as merged."""
        changes = describe_changes(self.groups, self.theme_ids, self.previous, label=self.run.parameters.label)
        merged_into = self.resolved.merged_into
        return [
            replace(change, lineage=Lineage.MERGED, others=(merged_into[change.theme_id],))
            if change.theme_id in merged_into
            else change
            for change in changes
        ]

    def themes(self, changes: Sequence[ThemeChange]) -> tuple[list[Theme], dict[str, str]]:
        """Return the theme cards by descending size, and the names of the areas by id.

        Args:
            changes: changes of the groups, in order, and then of the themes without a group.
        """
        former = {theme.id: theme for theme in self.previous.themes}
        with_group, without_group = changes[: len(self.groups)], changes[len(self.groups) :]
        self._theme_phrases = {
            theme_id: self.phrase_counts.distinctive_phrases(self._unique_case_ids(rows))
            for theme_id, rows in zip(self.theme_ids, self.members, strict=True)
        }
        supported_names = {theme.id: theme.name for theme in self.previous.themes if self._is_name_supported(theme)}
        existing_names = supported_names | dict(self.resolved.names)
        proposals = {
            theme_id: self._propose_names(position)
            for position, theme_id in enumerate(self.theme_ids)
            if theme_id not in existing_names
        }
        names = name_themes(self._theme_phrases, candidates=proposals, existing_names=existing_names)
        self._renamed_themes = [
            theme
            for theme in self.previous.themes
            if theme.id not in supported_names and theme.name not in {"", fallback_name(theme.id), names[theme.id].name}
        ]
        cards: list[Theme] = []
        for position, change in enumerate(with_group):
            card = self._card(position, change.theme_id, names[change.theme_id])
            cards.append(self._with_history(card, change, former.get(change.theme_id)))
        cards_without_group = [
            self._with_periods(mark_dormant(former[change.theme_id], change.lineage), change, former[change.theme_id])
            for change in without_group
        ]
        return [*self._with_nearest_themes(cards), *cards_without_group], self._area_names(cards)

    def _is_name_supported(self, theme: Theme) -> bool:
        """Return False if a machine-made name has no word in its cases any more.

        The cases of the machine result count, because an edit may be undone and must leave no trace.
        """
        current_ids = {*self.theme_ids} & {*self.machine_result.theme_ids}
        if theme.name_locked or theme.id in self.resolved.names or theme.id not in current_ids:
            return True
        rows = self.machine_result.partition.rows_of(self.machine_result.theme_ids.index(theme.id))
        return contains_theme_word(theme.name, ["\n".join(self.cases[row].text.values()) for row in rows])

    def _with_history(self, card: Theme, change: ThemeChange, former: Theme | None) -> Theme:
        """Return the card with the history of its former theme."""
        card = replace(card, new_cases=change.n_new, lineage=change.lineage)
        return self._with_periods(keep_unseen_members(card, former, self.cases_by_id), change, former)

    def _with_periods(self, theme: Theme, change: ThemeChange, former: Theme | None) -> Theme:
        periods = extend_periods(former, label=self.run.parameters.label, n_new=change.n_new)
        locked = theme.id in self.resolved.names
        return replace(theme, quiet_runs=change.quiet_runs, new_by_period=periods, name_locked=locked)

    def _unique_case_ids(self, rows: Sequence[int]) -> list[str]:
        """Return the cases for the name of a theme: without duplicates, unless fewer than two remain."""
        members = [self.cases[row] for row in rows]
        unique = [case.id for case in members if case.duplicate_of is None]
        return unique if len(unique) > 1 else [case.id for case in members]

    def _area_id(self, position: int) -> str:
        """Return the area of a theme in the machine result.

        If that has no areas, the themes that people made share the area of the largest.
        """
        machine_areas = self.machine_result.partition.areas
        number = int(self.partition.areas[position])
        area_ids = [
            area_id
            for area, area_id in zip(machine_areas, self.machine_result.area_ids, strict=True)
            if int(area) == number
        ]
        first = self.theme_ids[0]
        former = (theme.area_id for theme in self.previous.themes if theme.id == first)
        return area_ids[0] if area_ids else next(former, f"a-{first[2:]}")

    def _propose_names(self, position: int) -> list[Phrase]:
        """Propose names from a group's cases, the most distinctive against the nearest group first."""
        nearest = self._nearest_group(position)
        contrast_case_ids = self._unique_case_ids(self.members[nearest]) if nearest is not None else []
        case_ids = sorted(
            self._unique_case_ids(self.members[position]),
            key=lambda case_id: (-self.strength_by_case[case_id], case_id),
        )
        proposals = propose_name_candidates(self.phrase_counts, case_ids, contrast_case_ids=contrast_case_ids)
        if self.encode is None or not proposals:
            return proposals
        return rank_by_similarity(
            proposals,
            self.encode([phrase.text for phrase in proposals]),
            centre=self.partition.centres[position],
            contrast_centre=self.partition.centres[nearest] if nearest is not None else None,
        )

    def _nearest_group(self, position: int) -> int | None:
        """Return the group with the nearest centroid; None if there is only this group."""
        cosine = cosine_similarity(self.partition.centres[position : position + 1], self.partition.centres)[0]
        cosine[position] = -np.inf
        return int(cosine.argmax()) if len(cosine) > 1 else None

    def _card(self, position: int, theme_id: str, name: ThemeName) -> Theme:
        rows = sorted(self.members[position], key=lambda row: (-float(self.partition.strength[row]), row))
        exemplars = choose_exemplars(self.vectors, self.members[position], self.partition.centres[position])
        counts = theme_counts.count_once([self.cases[row] for row in rows])
        return Theme(
            id=theme_id,
            lens=self.run.parameters.lens,
            area_id=self._area_id(position),
            name=name.name,
            keywords=name.keywords,
            case_ids=tuple(self.cases[row].id for row in rows),
            exemplars=tuple(self.cases[row].id for row in exemplars.central),
            edge_case=self.cases[exemplars.edge].id if exemplars.edge is not None else None,
            n_cases=len(counts.cases),
            n_teams=counts.n_teams,
            n_contributors=counts.n_contributors,
            one_contributor=theme_counts.has_one_contributor([self.cases[row] for row in rows], self.cases),
            share=len(rows) / len(self.cases),
            stability=float(self.partition.stability[position]),
            tentative=bool(self.partition.tentative[position]),
            cohesion=exemplars.cohesion,
            trend=theme_counts.trend_by_quarter(counts.cases),
            centre=tuple(float(x) for x in self.partition.centres[position]),
            encoder=self.previous.encoder,
        )

    def _with_nearest_themes(self, cards: Sequence[Theme]) -> list[Theme]:
        """Return the cards with their nearest theme, the phrases that distinguish them, and a gist."""
        result: list[Theme] = []
        for position, card in enumerate(cards):
            nearest_group = self._nearest_group(position)
            nearest = cards[nearest_group] if nearest_group is not None else None
            differs_by = self._differs_by(card, nearest) if nearest else ()
            result.append(
                replace(
                    card, nearest_theme_id=nearest.id if nearest else None, differs_by=differs_by, gist=self._gist(card)
                )
            )
        return result

    def _differs_by(self, card: Theme, other: Theme) -> tuple[str, ...]:
        def lead(phrase: Phrase) -> float:
            n_other = sum(self.phrase_counts.contains_phrase(case_id, phrase.words) for case_id in other.case_ids)
            return phrase.case_share - n_other / max(1, len(other.case_ids))

        ranked = sorted(self._theme_phrases[card.id], key=lambda phrase: (-lead(phrase), phrase.words))
        return tuple(phrase.text for phrase in ranked[:3])

    def _gist(self, card: Theme) -> str:
        """Return the sentence that best states the theme's problem, verbatim from one of its cases."""
        evidence = self.evidence(card)
        sentences = sentences_with_roles(evidence.sentences, SentenceRole.PROBLEM, SentenceRole.HAPPENED)
        central = [sentence for sentence in sentences if sentence.case_id in card.exemplars]
        best = select_sentences(central or sentences, evidence.problem_score, limit=1)
        return best[0].text if best else ""

    def evidence(self, theme: Theme) -> ThemeEvidence:
        """Return the evidence of a theme, gathered once per run."""
        if theme.id not in self._evidence_by_theme:
            phrases = self._theme_phrases[theme.id]
            self._evidence_by_theme[theme.id] = gather_evidence(
                theme, self.cases_by_id, phrases=phrases, cohesion=self.strength_by_case
            )
        return replace(self._evidence_by_theme[theme.id], theme=theme)

    def _area_names(self, cards: Sequence[Theme]) -> dict[str, str]:
        case_ids_by_area: dict[str, list[str]] = {}
        for card in cards:
            case_ids_by_area.setdefault(card.area_id, []).extend(card.case_ids)
        names = name_themes(
            {area: self.phrase_counts.distinctive_phrases(ids) for area, ids in case_ids_by_area.items()},
            candidates={
                area: propose_name_candidates(self.phrase_counts, ids) for area, ids in case_ids_by_area.items()
            },
        )
        return {area: names[area].name for area in case_ids_by_area}

    def draft_patterns(self, themes: Sequence[Theme]) -> Iterator[Draft]:
        for theme in themes:
            if theme.case_ids and theme.lineage is not Lineage.RETIRED:
                yield self._draft_theme_pattern(theme)

    def _draft_theme_pattern(self, theme: Theme) -> Draft:
        """Draft a pattern with counter-evidence, or the answer that only one contributor reported it."""
        evidence = self.evidence(theme)
        if theme.one_contributor:
            return draft_no_pattern_for_single_contributor(evidence, run_id=self.run.id)
        members = [self.cases_by_id[case_id] for case_id in theme.case_ids]
        return with_recomputed_id(add_counter_evidence(draft_pattern(evidence, run_id=self.run.id), members))

    def assignments(self, themes: Sequence[Theme]) -> list[Assignment]:
        """Return one assignment per case: in a theme, or an outlier with nearest theme and reason."""
        active_themes = [theme for theme in themes if theme.case_ids]
        return [self._assignment(row, active_themes) for row in range(len(self.cases))]

    def _assignment(self, row: int, themes: Sequence[Theme]) -> Assignment:
        label, nearest = int(self.partition.labels[row]), int(self.partition.nearest[row])
        theme = themes[label] if label != OUTLIER else None
        second = int(self.partition.second[row])
        case_id = self.cases[row].id
        return Assignment(
            case_id=case_id,
            theme_id=theme.id if theme else None,
            area_id=theme.area_id if theme else None,
            strength=round(float(self.partition.strength[row]), 4),
            nearest_theme_id=themes[nearest].id if nearest != OUTLIER else None,
            second_theme_id=themes[second].id if second != OUTLIER else None,
            second_strength=round(float(self.partition.second_strength[row]), 4) if second != OUTLIER else 0.0,
            outlier_score=round(float(self.partition.outlier_score[row]), 4),
            reason=self.edited_assignments.reasons.get(case_id)
            or ("" if theme else self._outlier_reason(row, bool(themes))),
        )

    def _outlier_reason(self, row: int, has_themes: bool) -> str:
        if len(self.cases) < MIN_CASES:
            return "too few cases to group"
        if not has_themes:
            return "nothing recurs yet"
        return OUTLIER_REASON_TEXTS.get(
            OutlierReason(int(self.partition.why[row])), "not close enough to any other cases"
        )

    def notes(self, drafts: Sequence[GroundedDraft]) -> list[str]:
        n_refused = sum(len(grounded.refused_claims) for grounded in drafts)
        notes = [f"{n_refused} claims were refused because their quote was not found."] if n_refused else []
        if len(self.cases) < MIN_CASES:
            notes.append(f"Not enough cases to group: you have {len(self.cases)} and need {MIN_CASES}.")
        elif not self.groups:
            notes.append("Nothing recurs yet.")
        elif self.partition.is_all_tentative:
            notes.append("No theme is certain yet; treat all of them as tentative.")
        if self.machine_result.partition.smallest_visible:
            min_size = self.machine_result.partition.smallest_visible
            notes.append(
                f"Only a sample of the cases was grouped: themes of fewer than {min_size} cases may be missing."
            )
        notes += [
            f'Theme {theme.id} is no longer called "{theme.name}": its cases contain no word of that name.'
            for theme in self._renamed_themes
        ]
        return notes


def build_groups(
    cases: Sequence[Case], members: Sequence[Sequence[int]], centroids: Vectors, new_case_ids: frozenset[str]
) -> list[ClusterGroup]:
    """Build a group for each cluster.

    Args:
        cases: all cases of the run.
        members: rows of each cluster.
        centroids: (k, d) of the clusters.
        new_case_ids: cases that are new in this period.
    """
    return [
        ClusterGroup(
            frozenset(cases[row].id for row in rows),
            centroid,
            n_new=sum(case.id in new_case_ids for case in theme_counts.count_once([cases[row] for row in rows]).cases),
        )
        for rows, centroid in zip(members, centroids, strict=True)
    ]

"""What a drafter gets to see of one theme: its cases, their sentences by role, and the phrases that set it apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from patternmind.domain.cases import Case
from patternmind.domain.themes import Theme
from patternmind.drafting.keyphrases import Phrase
from patternmind.drafting.sentence_selection import centrality, compute_document_frequencies, sentences_with_roles
from patternmind.text import (
    Sentence,
    SentenceRole,
    extract_sentences,
    mentions_problem,
)

ADVICE_FIELDS = frozenset({"recommendation", "decision"})

SCENE_SETTING_WEIGHT = 0.6
"""What a sentence of the problem is worth in which nothing is amiss."""

ROLE_PROBABILITY_POWER = 2
"""Power of a role's certainty beside centrality: of two sentences equally central the one twice as sure counts four
times."""

MAX_CASES = 60
"""A theme of hundreds is read through its strongest cases; the drafts say how many of how many."""


@dataclass(frozen=True, slots=True)
class ThemeEvidence:
    """``cases`` by falling strength, near-duplicates left out; ``n_members`` counts them all."""

    theme: Theme
    cases: tuple[Case, ...]
    n_members: int
    sentences: tuple[Sentence, ...]
    phrases: tuple[Phrase, ...]
    cohesion: Mapping[str, float]
    document_frequencies: Mapping[str, float] = field(default_factory=dict[str, float])

    def score(self, sentence: Sentence) -> float:
        """How central a sentence is, and how sure its role: a doubtful one is quoted where nothing surer is said."""
        return self.centrality(sentence) * sentence.role_probability**ROLE_PROBABILITY_POWER

    def problem_score(self, sentence: Sentence) -> float:
        """As ``score``, with sentences in which something fails or lacks before those that only set the scene.

        Where a plain text's own words gave the role, they have had their say.
        """
        by_field = sentence.role_probability == 1.0
        return self.score(sentence) * (
            SCENE_SETTING_WEIGHT if by_field and not mentions_problem(sentence.text) else 1.0
        )

    def centrality(self, sentence: Sentence) -> float:
        firmness = self.cohesion.get(sentence.case_id, 0.0)
        return centrality(sentence, self.phrases, cohesion=firmness, document_frequencies=self.document_frequencies)

    def remedy_score(self, sentence: Sentence) -> float:
        """As ``score``, with what a case recommends or decided before what it merely learned."""
        return self.score(sentence) * (1.5 if sentence.field in ADVICE_FIELDS else 1.0)

    def remedies(self) -> list[Sentence]:
        """Sentences that say what helped; where fewer than two cases do, also what was tried and did not fail."""
        helped = sentences_with_roles(self.sentences, SentenceRole.HELPED)
        if len({sentence.case_id for sentence in helped}) > 1:
            return helped
        failed = {sentence.case_id for sentence in self.sentences if sentence.role is SentenceRole.WORSE}
        return helped + [s for s in sentences_with_roles(self.sentences, SentenceRole.TRIED) if s.case_id not in failed]

    def case(self, case_id: str) -> Case:
        return next(case for case in self.cases if case.id == case_id)

    def n_teams(self, case_ids: Sequence[str]) -> int:
        """Distinct teams of cases; all that name no team count as one."""
        return len({self.case(case_id).team for case_id in case_ids})


def gather_evidence(
    theme: Theme, cases: Mapping[str, Case], *, phrases: Sequence[Phrase], cohesion: Mapping[str, float]
) -> ThemeEvidence:
    """Read a theme's cases once for all its drafts."""
    members = [cases[case_id] for case_id in theme.case_ids if case_id in cases]
    told_once = [case for case in members if case.duplicate_of not in theme.case_ids][:MAX_CASES]
    return ThemeEvidence(
        theme=theme,
        cases=tuple(told_once),
        n_members=len(members),
        sentences=tuple(sentence for case in told_once for sentence in extract_sentences(case)),
        phrases=tuple(phrases),
        cohesion=cohesion,
        document_frequencies=compute_document_frequencies(["\n".join(case.text.values()) for case in told_once]),
    )

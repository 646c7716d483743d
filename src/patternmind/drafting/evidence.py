"""Gather the input of a theme's drafts: its cases, their sentences by role, and its distinctive phrases."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from patternmind.domain.case_fields import field_named
from patternmind.domain.cases import Case
from patternmind.domain.theme_counts import count_once, counted_as, without_near_duplicates
from patternmind.domain.themes import Theme
from patternmind.drafting.keyphrases import Phrase
from patternmind.drafting.sentence_selection import centrality, compute_document_frequencies, sentences_with_roles
from patternmind.text import Sentence, SentenceRole, extract_sentences, mentions_problem

SCENE_SETTING_WEIGHT = 0.6
"""Weight of a problem sentence that mentions no failure or lack."""

ROLE_PROBABILITY_POWER = 2
"""Power of a role's probability: at equal centrality, twice the probability gives four times the score."""

MAX_CASES = 60
"""Strongest cases that are read of a large theme; the drafts state how many of how many."""


@dataclass(frozen=True, slots=True)
class ThemeEvidence:
    """The cases of a theme and their sentences.

    Attributes:
        cases: the cases read, by descending strength, without near-duplicates.
        counted_as: id of the case that each of them counts as; see ``theme_counts``.
        n_cases: number of cases of the theme, each counted once, read or not.
    """

    theme: Theme
    cases: tuple[Case, ...]
    counted_as: Mapping[str, str]
    n_cases: int
    sentences: tuple[Sentence, ...]
    phrases: tuple[Phrase, ...]
    cohesion: Mapping[str, float]
    document_frequencies: Mapping[str, float] = field(default_factory=dict[str, float])

    def score(self, sentence: Sentence) -> float:
        """Multiply a sentence's centrality by the probability of its role, to a power.

        A sentence with a doubtful role is quoted only if no other sentence is more certain.
        """
        return self.centrality(sentence) * sentence.role_probability**ROLE_PROBABILITY_POWER

    def problem_score(self, sentence: Sentence) -> float:
        """Return ``score``, lowered for sentences that only set the scene.

        The weight applies only to roles that come from a field. In a plain text, the sentence's words have already
        decided the role.
        """
        is_role_from_field = sentence.role_probability == 1.0
        return self.score(sentence) * (
            SCENE_SETTING_WEIGHT if is_role_from_field and not mentions_problem(sentence.text) else 1.0
        )

    def centrality(self, sentence: Sentence) -> float:
        cohesion = self.cohesion.get(sentence.case_id, 0.0)
        return centrality(sentence, self.phrases, cohesion=cohesion, document_frequencies=self.document_frequencies)

    def remedy_score(self, sentence: Sentence) -> float:
        """Return ``score``, raised for recommendations and decisions."""
        return self.score(sentence) * (1.5 if field_named(sentence.field).is_advice else 1.0)

    def remedies(self) -> list[Sentence]:
        """Return the sentences that say what helped.

        If fewer than two cases have such a sentence, add what was tried in cases that report no failure.
        """
        helped = sentences_with_roles(self.sentences, SentenceRole.HELPED)
        if self.count_cases(helped) > 1:
            return helped
        failed = {sentence.case_id for sentence in self.sentences if sentence.role is SentenceRole.WORSE}
        return helped + [s for s in sentences_with_roles(self.sentences, SentenceRole.TRIED) if s.case_id not in failed]

    def case(self, case_id: str) -> Case:
        return next(case for case in self.cases if case.id == case_id)

    def count_cases(self, sentences: Iterable[Sentence]) -> int:
        """Count the cases of sentences, each once."""
        return len({self.counted_as[sentence.case_id] for sentence in sentences})

    @property
    def counted_cases(self) -> tuple[Case, ...]:
        """The cases read, each once."""
        return tuple(case for case in self.cases if self.counted_as[case.id] == case.id)


def gather_evidence(
    theme: Theme, cases: Mapping[str, Case], *, phrases: Sequence[Phrase], cohesion: Mapping[str, float]
) -> ThemeEvidence:
    """Read a theme's cases once for all its drafts."""
    members = [cases[case_id] for case_id in theme.case_ids if case_id in cases]
    distinct = without_near_duplicates(members)[:MAX_CASES]
    return ThemeEvidence(
        theme=theme,
        cases=tuple(distinct),
        counted_as=counted_as(distinct),
        n_cases=len(count_once(members).cases),
        sentences=tuple(sentence for case in distinct for sentence in extract_sentences(case)),
        phrases=tuple(phrases),
        cohesion=cohesion,
        document_frequencies=compute_document_frequencies(["\n".join(case.text.values()) for case in distinct]),
    )

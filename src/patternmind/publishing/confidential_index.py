"""In-memory index of the words of all cases, to check texts fast.

It gives the same result as reading every case (``ConfidentialPhrases.find_in``), a thousand times faster: words are
integers, all texts of one consent group form one array, and only positions with requested words are compared.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from patternmind.publishing.confidential_phrases import (
    MIN_SHORT_WORDS,
    RUN_WORDS,
    ConfidentialPhrases,
    WordRun,
    identifying_phrases,
    split_sentences,
    split_words,
)

WordIds = NDArray[np.int32]

END_MARKER = -1
"""Marker between texts and in place of a removed text; no word run contains it."""

INITIAL_CAPACITY = 1 << 16


class _TextArray:
    """Texts of one consent group as an array of word ids."""

    def __init__(self) -> None:
        self.word_ids: WordIds = np.full(INITIAL_CAPACITY, END_MARKER, np.int32)
        self.length = 0
        self.word_counts: WordIds = np.zeros(INITIAL_CAPACITY, np.int32)
        """Number of occurrences by word id."""

    def add(self, word_ids: Sequence[int]) -> None:
        length = self.length + len(word_ids)
        self.word_ids = _grow(self.word_ids, length, END_MARKER)
        self.word_ids[self.length : length] = word_ids
        added = self.word_ids[self.length : length]
        counts = np.bincount(added[added != END_MARKER])
        self.word_counts = _grow(self.word_counts, len(counts), 0)
        self.word_counts[: len(counts)] += counts
        self.length = length

    def remove(self, start: int, end: int) -> None:
        removed = self.word_ids[start:end]
        np.subtract.at(self.word_counts, removed[removed != END_MARKER], 1)
        self.word_ids[start:end] = END_MARKER

    def contains(self, word_id: int | None) -> bool:
        return word_id is not None and word_id < len(self.word_counts) and bool(self.word_counts[word_id])

    def find_runs(self, runs: Collection[tuple[int, ...]], n_words: int) -> set[tuple[int, ...]]:
        """Return the runs, of three to six words each, that occur in a text."""
        is_requested = np.zeros(n_words + 1, np.bool_)  # the last element is for END_MARKER
        is_requested[list({word_id for run in runs for word_id in run})] = True
        matches = is_requested[self.word_ids[: self.length]]
        has_three = self.length > 2
        starts = np.flatnonzero(matches[:-2] & matches[1:-1] & matches[2:]) if has_three else np.empty(0, np.intp)
        occurring: set[tuple[int, ...]] = set()
        for run_length in sorted({len(run) for run in runs}):
            starts = starts[starts + run_length <= self.length]
            windows = self.word_ids[starts[:, None] + np.arange(run_length)]
            candidates = windows[is_requested[windows].all(axis=1)]
            runs_of_length = {run for run in runs if len(run) == run_length}
            occurring |= runs_of_length.intersection(map(tuple, candidates.tolist()))
        return occurring


def _grow(array: WordIds, size: int, value: int) -> WordIds:
    if size <= len(array):
        return array
    larger = np.full(size + size // 4, value, np.int32)
    larger[: len(array)] = array
    return larger


class _WordIdTable(dict[str, int]):
    """Id of each word; a new word gets the next integer."""

    def __missing__(self, word: str) -> int:
        word_id = self[word] = len(self)
        return word_id


IndexedCase = tuple[str, bool, Sequence[str]]
"""Case id, true for a confidential case, and the texts of the case."""


class ConfidentialIndex:
    """The words of all cases of a network; an updated case replaces its earlier version."""

    def __init__(self) -> None:
        self._word_ids = _WordIdTable()
        self._texts_by_consent = (_TextArray(), _TextArray())
        self._spans: dict[str, tuple[bool, int, int]] = {}
        self._short_run_counts: Counter[WordRun] = Counter()
        self._short_runs_by_case: dict[str, list[WordRun]] = {}

    def update(self, cases: Iterable[IndexedCase]) -> None:
        """Add or replace cases; each id may occur once."""
        added: tuple[list[int], list[int]] = ([], [])
        for case_id, is_confidential, texts in cases:
            self._remove(case_id)
            word_ids, offset = added[is_confidential], self._texts_by_consent[is_confidential].length
            start = offset + len(word_ids)
            for text in texts:
                word_ids.extend(map(self._word_ids.__getitem__, split_words(text)))
                word_ids.append(END_MARKER)
            self._spans[case_id] = (is_confidential, start, offset + len(word_ids))
            if is_confidential:
                self._add_short_runs(case_id, texts)
        for text_array, word_ids in zip(self._texts_by_consent, added, strict=True):
            text_array.add(word_ids)

    def _add_short_runs(self, case_id: str, texts: Iterable[str]) -> None:
        sentences = {split_words(part) for text in texts for part in split_sentences(text)}
        short_runs = [words for words in sentences if MIN_SHORT_WORDS <= len(words) < RUN_WORDS]
        if short_runs:
            self._short_runs_by_case[case_id] = short_runs
            self._short_run_counts.update(short_runs)

    def _remove(self, case_id: str) -> None:
        if (span := self._spans.pop(case_id, None)) is not None:
            is_confidential, start, end = span
            self._texts_by_consent[is_confidential].remove(start, end)
        self._short_run_counts.subtract(self._short_runs_by_case.pop(case_id, ()))

    def find_in(self, texts: Iterable[str]) -> ConfidentialPhrases:
        """Return the phrases of these texts that occur only in confidential cases.

        The result equals that of ``ConfidentialPhrases.find_in``.
        """
        runs, short_runs, words = identifying_phrases(texts)
        public, confidential = self._texts_by_consent
        confidential_words = {word for word in words if confidential.contains(self._word_ids.get(word))}
        indexed = self._runs_by_ids(runs | {run for run in short_runs if self._short_run_counts[run] > 0})
        full_runs = {ids for ids in confidential.find_runs(indexed, len(self._word_ids)) if len(ids) == RUN_WORDS}
        in_confidential = full_runs | {ids for ids in indexed if len(ids) < RUN_WORDS}
        in_public = (
            public.find_runs(in_confidential, len(self._word_ids)) if in_confidential else set[tuple[int, ...]]()
        )
        only_confidential = {indexed[ids] for ids in in_confidential - in_public}
        return ConfidentialPhrases(
            runs=frozenset(run for run in only_confidential if len(run) == RUN_WORDS),
            short_runs=frozenset(run for run in only_confidential if len(run) < RUN_WORDS),
            words=frozenset(word for word in confidential_words if not public.contains(self._word_ids[word])),
        )

    def _runs_by_ids(self, runs: Iterable[WordRun]) -> dict[tuple[int, ...], WordRun]:
        """Return the runs whose words are all indexed, by their word ids."""
        ids = self._word_ids
        return {tuple(ids[word] for word in run): run for run in runs if all(word in ids for word in run)}

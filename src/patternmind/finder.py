"""Python API: find the themes of a list of texts without storing anything.

``find_themes(texts)`` is the function; ``ThemeFinder`` is the same as a scikit-learn estimator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin  # takes 0.6 s; this module is imported on first use

from patternmind.clustering.clusterer import group_rows
from patternmind.clustering.duplicates import find_near_duplicates
from patternmind.clustering.exemplars import choose_exemplars
from patternmind.clustering.neighbours import cosine_similarity, find_nearest_neighbours
from patternmind.clustering.partition import ENGINES, MIN_CASES, default_n_neighbours
from patternmind.clustering.placement import PlacementModel, fit_placement, predict
from patternmind.domain.themes import OUTLIER, Partition, Vectors
from patternmind.drafting.keyphrases import PhraseCounts
from patternmind.drafting.name_candidates import propose_name_candidates
from patternmind.drafting.theme_names import N_KEYWORDS, ThemeName, name_themes
from patternmind.embedding import minilm_encoder
from patternmind.errors import InvalidInput
from patternmind.services.validation import LEVELS

KEY_DIGITS = 10
"""Number of digits of a key, so that keys sort like row or theme numbers."""


class TextEncoder(Protocol):
    """Encoder of texts: any encoder of patternmind, or a SentenceTransformer."""

    def encode(self, texts: Sequence[str], /) -> Any:
        """Return the vectors of texts, (n, d); row i belongs to ``texts[i]``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTheme:
    """Theme of recurring rows. Rows and themes are identified by their numbers.

    Attributes:
        name: name of the theme, made from its texts.
        keywords: words that distinguish it from the other themes.
        size: number of rows.
        exemplars: its most central rows.
        stability: 0..1, the share of the theme that fits on parts of the rows reproduce.
        tentative: True if the stability is too low to be certain.
        nearest: the most similar theme.
        area: number of its broad area.
        area_name: name of that area.
    """

    name: str
    keywords: tuple[str, ...]
    size: int
    exemplars: tuple[int, ...]
    stability: float
    tentative: bool
    nearest: int | None
    area: int
    area_name: str


@dataclass(frozen=True, slots=True, eq=False)
class Themes:
    """Themes of a list of rows.

    Attributes:
        labels: (n,) theme of each row, -1 for rows without a theme.
        strengths: (n,) 0..1, the probability that a fit on other rows gives the same theme.
        nearest: (n,) theme of each row, or the nearest theme of a row without one; -1 if there are no themes.
        second: (n,) a further theme of the row, mostly -1.
        themes: ``themes[i]`` has the rows with label i; the largest comes first.
        note: message about the whole result, such as too few texts; mostly empty.
    """

    labels: NDArray[np.int32]
    strengths: NDArray[np.float32]
    nearest: NDArray[np.int32]
    second: NDArray[np.int32]
    themes: tuple[FoundTheme, ...]
    note: str = ""

    def rows_of(self, theme: int) -> list[int]:
        """Return the rows of a theme, in order."""
        return [int(row) for row in np.flatnonzero(self.labels == theme)]

    def __repr__(self) -> str:
        n_alone = int((self.labels == OUTLIER).sum())
        lines = [f"{len(self.themes)} themes in {len(self.labels)} rows, {n_alone} rows without a theme"]
        lines += [
            f"{number:4}  {theme.name}  ({theme.size} rows{', tentative' if theme.tentative else ''})"
            for number, theme in enumerate(self.themes)
        ]
        return "\n".join([*lines, *([self.note] if self.note else [])])


def find_themes(
    texts: Sequence[str] | None = None,
    *,
    vectors: Any = None,
    encoder: TextEncoder | None = None,
    seed: int = 0,
    engine: str = "graph",
    level: str = "theme",
) -> Themes:
    """Group texts by topic; the same texts give the same groups in any order.

    Args:
        texts: the texts to group.
        vectors: (n, d) vectors of the texts, if you have them. Without texts, themes are named by their numbers.
        encoder: encoder of the texts; by default the one of patternmind.
        seed: seed of all random draws.
        engine: "graph" or "hdbscan".
        level: "theme", or "area" for a few broad groups.

    Raises:
        InvalidInput: The input is not a list of texts, or not a matrix of numbers; also a ``ValueError``.
        ModelUnavailable: The encoder could not be loaded.
    """
    return _fit(texts, vectors, encoder, seed=seed, engine=engine, level=level).themes


class ThemeFinder(ClusterMixin, BaseEstimator):
    """``find_themes`` as a scikit-learn estimator.

    ``X`` is a list of texts or a matrix (n, d) of vectors. ``fit_predict(X)`` returns labels, -1 for rows without a
    theme. ``fit`` sets ``labels_``, ``strengths_``, ``themes_`` (a ``Themes``) and ``n_features_in_``. ``predict``
    assigns further rows to the themes.
    """

    def __init__(
        self, *, encoder: TextEncoder | None = None, seed: int = 0, engine: str = "graph", level: str = "theme"
    ) -> None:
        self.encoder = encoder
        self.seed = seed
        self.engine = engine
        self.level = level

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: N803 - the name in scikit-learn
        """Find the themes of ``X``; ``y`` is ignored.

        Raises:
            InvalidInput: ``X`` is neither a list of texts nor a matrix of numbers.
            ModelUnavailable: The encoder could not be loaded.
        """
        del y
        texts, vectors = _split_input(X)
        result = _fit(texts, vectors, self.encoder, seed=self.seed, engine=self.engine, level=self.level)
        self.themes_ = result.themes
        self.labels_ = result.themes.labels
        self.strengths_ = result.themes.strengths
        self.n_features_in_ = result.placement_model.quantized.shape[1]
        self._placement_model = result.placement_model
        return self

    def fit_predict(self, X: Any, y: object = None, **_: Any) -> NDArray[np.int32]:  # noqa: N803
        """Find the themes of ``X`` and return ``labels_``."""
        return self.fit(X, y).labels_

    def predict(self, X: Any) -> NDArray[np.int32]:  # noqa: N803
        """Return the themes of further rows, (m,); -1 for rows without a theme.

        Each row is assigned independently, and the themes do not change.

        Raises:
            InvalidInput: The number of columns differs from ``fit``, or ``fit`` has not been called.
        """
        if not hasattr(self, "_placement_model"):
            raise InvalidInput("There are no themes yet. Call fit before predict.")
        texts, vectors = _split_input(X)
        rows = _to_vectors(texts, vectors, self.encoder)
        if len(rows) and rows.shape[1] != self.n_features_in_:
            raise InvalidInput(f"The rows have {rows.shape[1]} columns; the rows of fit had {self.n_features_in_}.")
        return predict(rows.reshape(-1, self.n_features_in_), self._placement_model).labels


@dataclass(frozen=True, slots=True, eq=False)
class _FinderResult:
    themes: Themes
    placement_model: PlacementModel


def _fit(
    texts: Sequence[str] | None, vectors: Any, encoder: TextEncoder | None, *, seed: int, engine: str, level: str
) -> _FinderResult:
    for name, value, choices in (("engine", engine, ENGINES), ("level", level, LEVELS)):
        if value not in choices:
            raise InvalidInput(f'Unknown {name} "{value}". Choose one of: {", ".join(choices)}.')
    texts = None if texts is None else _validate_texts(texts)
    rows = _to_vectors(texts, vectors, encoder)
    order = _canonical_order(texts, rows)
    rows, texts = rows[order], None if texts is None else [texts[int(row)] for row in order]
    neighbours = find_nearest_neighbours(rows, default_n_neighbours(len(rows)))
    duplicate_of = find_near_duplicates(texts, neighbours) if texts is not None else {}
    is_duplicate = np.isin(np.arange(len(rows)), list(duplicate_of))
    partition = group_rows(rows, neighbours, engine=engine, seed=seed, level=level, is_duplicate=is_duplicate)
    original_order = np.argsort(order)
    return _FinderResult(
        Themes(
            labels=partition.labels[original_order],
            strengths=partition.strength[original_order],
            nearest=partition.nearest[original_order],
            second=partition.second[original_order],
            themes=tuple(_build_themes(texts, rows, duplicate_of, partition, order)),
            note=_note(partition),
        ),
        fit_placement(rows, partition.nearest, partition.strength, partition.why),
    )


def _note(partition: Partition) -> str:
    if len(partition.labels) < MIN_CASES:
        return f"Not enough rows to group: you have {len(partition.labels)} and need {MIN_CASES}."
    if not partition.n_clusters:
        return "Nothing recurs yet."
    notes = ["No theme is certain yet; treat all of them as tentative."] if partition.is_all_tentative else []
    if partition.smallest_visible:
        min_size = partition.smallest_visible
        notes.append(f"Only a sample of the rows was grouped: themes of fewer than {min_size} rows may be missing.")
    return " ".join(notes)


def _build_themes(
    texts: Sequence[str] | None,
    rows: Vectors,
    duplicate_of: Mapping[int, int],
    partition: Partition,
    order: NDArray[np.intp],
) -> list[FoundTheme]:
    members = [partition.rows_of(label) for label in range(partition.n_clusters)]
    areas = {
        int(area): [row for label in np.flatnonzero(partition.areas == area) for row in members[label]]
        for area in partition.areas
    }
    cosine = cosine_similarity(partition.centres, partition.centres)
    np.fill_diagonal(cosine, -np.inf)
    names, area_names = _name_themes_and_areas(texts, duplicate_of, members, areas, cosine)
    return [
        FoundTheme(
            name=names[_sort_key(label)].name if texts is not None else f"Theme {label}",
            keywords=names[_sort_key(label)].keywords[:N_KEYWORDS],
            size=len(theme_rows),
            exemplars=tuple(
                int(order[row]) for row in choose_exemplars(rows, theme_rows, partition.centres[label]).central
            ),
            stability=round(float(partition.stability[label]), 4),
            tentative=bool(partition.tentative[label]),
            nearest=int(cosine[label].argmax()) if len(members) > 1 else None,
            area=int(partition.areas[label]),
            area_name=area_names[_sort_key(int(partition.areas[label]))].name
            if texts is not None
            else f"Area {partition.areas[label]}",
        )
        for label, theme_rows in enumerate(members)
    ]


def _name_themes_and_areas(
    texts: Sequence[str] | None,
    duplicate_of: Mapping[int, int],
    members: Sequence[Sequence[int]],
    areas: dict[int, list[int]],
    cosine: NDArray[np.float32],
) -> tuple[dict[str, ThemeName], dict[str, ThemeName]]:
    """Return names and key phrases of themes and areas, by number. A text that repeats another one counts once."""
    if texts is None:
        return (
            name_themes({_sort_key(label): [] for label in range(len(members))}),
            name_themes({_sort_key(area): [] for area in areas}),
        )
    counts = PhraseCounts({_sort_key(row): text for row, text in enumerate(texts)})

    def unique_keys(rows: Sequence[int]) -> list[str]:
        unique = [_sort_key(row) for row in rows if row not in duplicate_of]
        return unique if len(unique) > 1 else [_sort_key(row) for row in rows]

    keys_by_theme = [unique_keys(rows) for rows in members]
    nearest = [
        keys_by_theme[int(cosine[label].argmax())] if len(keys_by_theme) > 1 else []
        for label in range(len(keys_by_theme))
    ]
    keys_by_area = {_sort_key(area): [_sort_key(row) for row in rows] for area, rows in areas.items()}
    return (
        name_themes(
            {_sort_key(label): counts.distinctive_phrases(keys) for label, keys in enumerate(keys_by_theme)},
            candidates={
                _sort_key(label): propose_name_candidates(counts, keys, contrast_case_ids=contrast_keys)
                for label, (keys, contrast_keys) in enumerate(zip(keys_by_theme, nearest, strict=True))
            },
        ),
        name_themes(
            {area: counts.distinctive_phrases(keys) for area, keys in keys_by_area.items()},
            candidates={area: propose_name_candidates(counts, keys) for area, keys in keys_by_area.items()},
        ),
    )


def _sort_key(number: int) -> str:
    return str(number).zfill(KEY_DIGITS)


# Input ---------------------------------------------------------------------------------------------------------------


def _split_input(data: Any) -> tuple[Sequence[str] | None, Any]:
    """Return ``X`` as texts or as vectors."""
    if isinstance(data, str):
        raise InvalidInput("Give a list of texts, not one text.")
    try:
        first = next(iter(data), "")
    except TypeError as error:
        raise InvalidInput(f"Give a list of texts or a matrix of vectors, not {type(data).__name__}.") from error
    return (list(data), None) if isinstance(first, str) else (None, data)


def _validate_texts(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise InvalidInput("Give a list of texts, not one text.")
    try:
        rows = list(texts)
    except TypeError as error:
        raise InvalidInput(f"Give a list of texts, not {type(texts).__name__}.") from error
    invalid_row = next((row for row, text in enumerate(rows) if not isinstance(text, str)), None)  # pyright: ignore[reportUnnecessaryIsInstance]
    if invalid_row is not None:
        raise InvalidInput(
            f"Row {invalid_row} is not a text but {type(rows[invalid_row]).__name__}. Remove it, or convert it to text."
        )
    return rows


def _to_vectors(texts: Sequence[str] | None, vectors: Any, encoder: TextEncoder | None) -> Vectors:
    """Return the vectors with unit norm, (n, d) float32; rows of zeros stay zeros."""
    if vectors is None:
        if texts is None:
            raise InvalidInput("Give texts, or vectors, or both.")
        vectors = _default_encoder(encoder).encode(texts) if texts else np.zeros((0, 1), np.float32)
    try:
        rows = np.asarray(vectors, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput("The vectors are not a matrix of numbers.") from error
    if rows.ndim != 2 or (len(rows) and rows.shape[1] == 0):
        raise InvalidInput(f"The vectors have the shape {rows.shape}. Give a matrix of (rows, columns).")
    if texts is not None and len(rows) != len(texts):
        raise InvalidInput(f"There are {len(texts)} texts and {len(rows)} vectors. Give one vector per text.")
    if not np.isfinite(rows).all():
        invalid_row = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise InvalidInput(f"Row {invalid_row} contains a value that is not a finite number.")
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)


def _default_encoder(encoder: TextEncoder | None) -> TextEncoder:
    return minilm_encoder.MiniLMEncoder() if encoder is None else encoder


def _canonical_order(texts: Sequence[str] | None, rows: Vectors) -> NDArray[np.intp]:
    """Return the order of the rows by content, which is independent of the input order."""
    sort_texts = texts if texts is not None else [""] * len(rows)
    order = sorted(range(len(rows)), key=lambda row: (sort_texts[row], rows[row].tobytes()))
    return np.asarray(order, np.intp)


__all__ = ["FoundTheme", "TextEncoder", "ThemeFinder", "Themes", "find_themes"]

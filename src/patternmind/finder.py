"""Themes of a list of texts, for a notebook or another program: nothing is stored, and nothing is written.

``find_themes(texts)`` is all of it; ``ThemeFinder`` is the same as scikit-learn has its estimators.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin  # 0.6 s; this module loads when it is asked for

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
from patternmind.errors import InvalidInput
from patternmind.services.validation import LEVELS

KEY_DIGITS = 10
"""Digits of a row or theme as its key, so that keys sort as numbers do."""


class TextEncoder(Protocol):
    """What turns texts into vectors: any of ours, or a SentenceTransformer."""

    def encode(self, texts: Sequence[str], /) -> Any:
        """Row i, (n, d), is the vector of ``texts[i]``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTheme:
    """A group of rows that recur. Rows and themes are named by their numbers.

    ``keywords`` set it apart from the other themes; ``exemplars`` are its most central rows; ``stability`` 0..1 is how
    much of it comes back where some rows are left out, and it is ``tentative`` where that is too little; ``nearest``
    is the theme most like it; ``area`` the broad area it is in, with a name of its own.
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
    """What was found. ``themes[i]`` has the rows with label i, the largest first.

    Attributes:
        labels: (n,) theme of each row, -1 where it is in none.
        strengths: (n,) 0..1, how firmly a row is where it is.
        nearest: (n,) its theme or, for a row in none, the nearest; -1 where there is none.
        second: (n,) a further theme that it belongs to, mostly -1.
        note: what there is to say of the whole, such as that there are too few texts; mostly empty.
    """

    labels: NDArray[np.int32]
    strengths: NDArray[np.float32]
    nearest: NDArray[np.int32]
    second: NDArray[np.int32]
    themes: tuple[FoundTheme, ...]
    note: str = ""

    def rows_of(self, theme: int) -> list[int]:
        """The rows of a theme, in order."""
        return [int(row) for row in np.flatnonzero(self.labels == theme)]

    def __repr__(self) -> str:
        n_alone = int((self.labels == OUTLIER).sum())
        lines = [f"{len(self.themes)} themes in {len(self.labels)} rows, {n_alone} in none"]
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
    """Group texts by what they are about; the same texts give the same groups, in whatever order they come.

    Args:
        vectors: (n, d), where they are known already; without texts, themes are named by their numbers.
        encoder: makes the vectors; by default the one that comes with patternmind.
        engine: "graph" or "hdbscan".
        level: "theme", or "area" for few broad groups.

    Raises:
        BadInput: something that is no list of texts, or no matrix of numbers; a ``ValueError`` too.
        ModelUnavailable
    """
    return _fit(texts, vectors, encoder, seed=seed, engine=engine, level=level).themes


class ThemeFinder(ClusterMixin, BaseEstimator):
    """``find_themes`` as an estimator of scikit-learn: ``fit_predict(X)`` gives labels, -1 for rows in no theme.

    ``X`` is a list of texts or a matrix (n, d) of vectors. After ``fit`` there are ``labels_``, ``strengths_``,
    ``themes_`` (a ``Themes``) and ``n_features_in_``; ``predict`` places further rows among the themes found.
    """

    def __init__(
        self,
        *,
        encoder: TextEncoder | None = None,
        seed: int = 0,
        engine: str = "graph",
        level: str = "theme",
    ) -> None:
        self.encoder = encoder
        self.seed = seed
        self.engine = engine
        self.level = level

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: N803 - scikit-learn's name for it
        """Find the themes of ``X``; ``y`` is not looked at.

        Raises:
            BadInput, ModelUnavailable
        """
        del y
        texts, vectors = _split_input(X)
        found = _fit(texts, vectors, self.encoder, seed=self.seed, engine=self.engine, level=self.level)
        self.themes_ = found.themes
        self.labels_ = found.themes.labels
        self.strengths_ = found.themes.strengths
        self.n_features_in_ = found.known.quantized.shape[1]
        self._known = found.known
        return self

    def fit_predict(self, X: Any, y: object = None, **_: Any) -> NDArray[np.int32]:  # noqa: N803
        """``fit`` and ``labels_`` in one."""
        return self.fit(X, y).labels_

    def predict(self, X: Any) -> NDArray[np.int32]:  # noqa: N803
        """The theme of further rows, (m,), each by itself; -1 where one stands alone. Nothing found changes.

        Raises:
            BadInput: other columns than in ``fit``, or ``fit`` has not been called.
        """
        if not hasattr(self, "_known"):
            raise InvalidInput("Call fit before predict: there are no themes yet.")
        texts, vectors = _split_input(X)
        rows = _to_vectors(texts, vectors, self.encoder)
        if len(rows) and rows.shape[1] != self.n_features_in_:
            raise InvalidInput(f"The rows have {rows.shape[1]} columns, those of fit had {self.n_features_in_}.")
        return predict(rows.reshape(-1, self.n_features_in_), self._known).labels


@dataclass(frozen=True, slots=True, eq=False)
class _FinderResult:
    themes: Themes
    known: PlacementModel


def _fit(
    texts: Sequence[str] | None, vectors: Any, encoder: TextEncoder | None, *, seed: int, engine: str, level: str
) -> _FinderResult:
    for name, value, known in (("engine", engine, ENGINES), ("level", level, LEVELS)):
        if value not in known:
            raise InvalidInput(f'There is no {name} "{value}". Choose one of: {", ".join(known)}.')
    texts = None if texts is None else _validate_texts(texts)
    rows = _to_vectors(texts, vectors, encoder)
    order = _canonical_order(texts, rows)
    rows, texts = rows[order], None if texts is None else [texts[int(row)] for row in order]
    neighbours = find_nearest_neighbours(rows, default_n_neighbours(len(rows)))
    repeats = find_near_duplicates(texts, neighbours) if texts is not None else {}
    told_again = np.isin(np.arange(len(rows)), list(repeats))
    part = group_rows(rows, neighbours, engine=engine, seed=seed, level=level, is_duplicate=told_again)
    back = np.argsort(order)
    return _FinderResult(
        Themes(
            labels=part.labels[back],
            strengths=part.strength[back],
            nearest=part.nearest[back],
            second=part.second[back],
            themes=tuple(_build_themes(texts, rows, repeats, part, order)),
            note=_note(part),
        ),
        fit_placement(rows, part.nearest, part.strength, part.why),
    )


def _note(part: Partition) -> str:
    if len(part.labels) < MIN_CASES:
        return f"Too few to group: {len(part.labels)} rows, {MIN_CASES} are needed."
    if not part.n_clusters:
        return "Nothing recurs yet."
    notes = ["Nothing recurs for certain yet: every theme is tentative."] if part.is_all_tentative else []
    if part.smallest_visible:
        notes.append(f"A sample of the rows was grouped: themes under {part.smallest_visible} rows may go unseen.")
    return " ".join(notes)


def _build_themes(
    texts: Sequence[str] | None,
    rows: Vectors,
    duplicate_of: Mapping[int, int],
    part: Partition,
    order: NDArray[np.intp],
) -> list[FoundTheme]:
    members = [part.rows_of(label) for label in range(part.n_clusters)]
    areas = {
        int(area): [row for label in np.flatnonzero(part.areas == area) for row in members[label]]
        for area in part.areas
    }
    cosine = cosine_similarity(part.centres, part.centres)
    np.fill_diagonal(cosine, -np.inf)
    names, area_names = _name_themes_and_areas(texts, duplicate_of, members, areas, cosine)
    return [
        FoundTheme(
            name=names[_sort_key(label)].name if texts is not None else f"Theme {label}",
            keywords=names[_sort_key(label)].keywords[:N_KEYWORDS],
            size=len(of_theme),
            exemplars=tuple(int(order[row]) for row in choose_exemplars(rows, of_theme, part.centres[label]).central),
            stability=round(float(part.stability[label]), 4),
            tentative=bool(part.tentative[label]),
            nearest=int(cosine[label].argmax()) if len(members) > 1 else None,
            area=int(part.areas[label]),
            area_name=area_names[_sort_key(int(part.areas[label]))].name
            if texts is not None
            else f"Area {part.areas[label]}",
        )
        for label, of_theme in enumerate(members)
    ]


def _name_themes_and_areas(
    texts: Sequence[str] | None,
    duplicate_of: Mapping[int, int],
    members: Sequence[Sequence[int]],
    areas: dict[int, list[int]],
    cosine: NDArray[np.float32],
) -> tuple[dict[str, ThemeName], dict[str, ThemeName]]:
    """Names and key phrases of each theme and each area, by number; a text that repeats another counts once."""
    if texts is None:
        return (
            name_themes({_sort_key(label): [] for label in range(len(members))}),
            name_themes({_sort_key(area): [] for area in areas}),
        )
    counts = PhraseCounts({_sort_key(row): text for row, text in enumerate(texts)})

    def told_once(rows: Sequence[int]) -> list[str]:
        once = [_sort_key(row) for row in rows if row not in duplicate_of]
        return once if len(once) > 1 else [_sort_key(row) for row in rows]

    told = [told_once(rows) for rows in members]
    nearest = [told[int(cosine[label].argmax())] if len(told) > 1 else [] for label in range(len(told))]
    in_area = {_sort_key(area): [_sort_key(row) for row in rows] for area, rows in areas.items()}
    return (
        name_themes(
            {_sort_key(label): counts.distinctive_phrases(keys) for label, keys in enumerate(told)},
            candidates={
                _sort_key(label): propose_name_candidates(counts, keys, contrast_case_ids=beside)
                for label, (keys, beside) in enumerate(zip(told, nearest, strict=True))
            },
        ),
        name_themes(
            {area: counts.distinctive_phrases(keys) for area, keys in in_area.items()},
            candidates={area: propose_name_candidates(counts, keys) for area, keys in in_area.items()},
        ),
    )


def _sort_key(number: int) -> str:
    return str(number).zfill(KEY_DIGITS)


# What is handed in ----------------------------------------------------------------------------------------------------


def _split_input(data: Any) -> tuple[Sequence[str] | None, Any]:
    """``X`` as texts, or as vectors."""
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
        found = list(texts)
    except TypeError as error:
        raise InvalidInput(f"Give a list of texts, not {type(texts).__name__}.") from error
    wrong = next((row for row, text in enumerate(found) if not isinstance(text, str)), None)  # pyright: ignore[reportUnnecessaryIsInstance]
    if wrong is not None:
        raise InvalidInput(
            f"Row {wrong} is no text but {type(found[wrong]).__name__}. Leave it out, or make it a text."
        )
    return found


def _to_vectors(texts: Sequence[str] | None, vectors: Any, encoder: TextEncoder | None) -> Vectors:
    """(n, d) float32 of unit norm; zeros stay zeros."""
    if vectors is None:
        if texts is None:
            raise InvalidInput("Give texts, or vectors, or both.")
        vectors = _default_encoder(encoder).encode(texts) if texts else np.zeros((0, 1), np.float32)
    try:
        rows = np.asarray(vectors, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput("The vectors are no matrix of numbers.") from error
    if rows.ndim != 2 or (len(rows) and rows.shape[1] == 0):
        raise InvalidInput(f"The vectors have the shape {rows.shape}; it takes (rows, columns).")
    if texts is not None and len(rows) != len(texts):
        raise InvalidInput(f"There are {len(texts)} texts and {len(rows)} vectors. Give one vector a text.")
    if not np.isfinite(rows).all():
        raise InvalidInput(f"Row {int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])} holds a number that is none.")
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)


def _default_encoder(encoder: TextEncoder | None) -> TextEncoder:
    if encoder is not None:
        return encoder
    from patternmind.embedding.minilm_encoder import MiniLMEncoder  # torch, 5 s

    return MiniLMEncoder()


def _canonical_order(texts: Sequence[str] | None, rows: Vectors) -> NDArray[np.intp]:
    """Rows by their content, so that the order they came in changes nothing."""
    said = texts if texts is not None else [""] * len(rows)
    order = sorted(range(len(rows)), key=lambda row: (said[row], rows[row].tobytes()))
    return np.asarray(order, np.intp)


__all__ = ["FoundTheme", "TextEncoder", "ThemeFinder", "Themes", "find_themes"]

"""Tests of the Python API: find_themes and its scikit-learn estimator."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import base
from tests.fixtures.builders import planted_vectors

import patternmind
from patternmind import ThemeFinder, find_themes
from patternmind.domain.themes import OUTLIER, Vectors
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import InvalidInput, PatternmindError

ROOT = Path(__file__).parents[2]
TOPICS = {
    "scanner": "hand scanner frozen battery cold store ramp",
    "invoice": "invoice copied twice customer number column sheet",
    "handover": "night shift handover board empty pallet nobody told",
}


def topic_texts(n_each: int = 12) -> list[str]:
    """Return texts with most words of their topic and a random word."""
    draw = np.random.default_rng(0)
    return [
        " ".join(draw.permutation(words.split())[:5]) + f" aside{draw.integers(10_000)}"
        for words in TOPICS.values()
        for _ in range(n_each)
    ]


def find(texts: Any, **options: Any) -> patternmind.Themes:
    arguments: dict[str, Any] = {"encoder": HashingEncoder(), **options}
    return find_themes(texts, **arguments)


def groups_of(labels: Any) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist()) - {OUTLIER}}


def vectors_of(n_each: int = 14) -> Vectors:
    return planted_vectors([n_each] * 3, spread=0.4)[0]


def test_find_themes_names_themes_with_words_of_their_texts() -> None:
    result = find(topic_texts())
    assert len(result.labels) == len(result.strengths) == 36
    assert groups_of(result.nearest) == {frozenset(range(start, start + 12)) for start in (0, 12, 24)}
    assert (result.labels != OUTLIER).sum() >= 34
    for number, theme in enumerate(result.themes):
        rows = result.rows_of(number)
        topic = list(TOPICS.values())[rows[0] // 12]
        assert theme.size == len(rows)
        assert set(theme.exemplars) <= set(rows)
        assert set(re.findall(r"\w+", theme.name.casefold())) <= set(topic.split())
        assert theme.nearest in {0, 1, 2} - {number}
        assert theme.keywords
        assert 0 <= theme.stability <= 1
    assert str(result).startswith("3 themes in 36 rows, ")
    assert ((result.strengths >= 0) & (result.strengths <= 1)).all()


@pytest.mark.parametrize("engine", ["graph", "hdbscan"])
@pytest.mark.filterwarnings("ignore:'force_all_finite'")
def test_find_themes_is_independent_of_the_order_of_texts(engine: str) -> None:
    texts = topic_texts()
    order = np.random.default_rng(3).permutation(len(texts))
    result, shuffled = find(texts, engine=engine), find([texts[row] for row in order], engine=engine)
    assert np.array_equal(result.labels[order], shuffled.labels)
    assert np.array_equal(result.strengths[order], shuffled.strengths)
    assert [theme.name for theme in result.themes] == [theme.name for theme in shuffled.themes]
    new_position = {int(row): position for position, row in enumerate(order)}
    assert [tuple(new_position[row] for row in theme.exemplars) for theme in result.themes] == [
        theme.exemplars for theme in shuffled.themes
    ]


def test_find_themes_is_reproducible_to_the_bit() -> None:
    first, repeated = find(topic_texts(), seed=4), find(topic_texts(), seed=4)
    assert np.array_equal(first.labels, repeated.labels)
    assert np.array_equal(first.strengths, repeated.strengths)
    assert first.themes == repeated.themes


def test_find_themes_accepts_vectors_of_any_norm() -> None:
    vectors = vectors_of()
    unit, longer = find_themes(vectors=vectors), find_themes(vectors=7.0 * vectors.astype(np.float64))
    assert [theme.name for theme in unit.themes] == ["Theme 0", "Theme 1", "Theme 2"]
    assert groups_of(unit.labels) == groups_of(longer.labels)


def test_find_themes_gives_each_theme_its_area() -> None:
    result = find(topic_texts())
    assert {theme.area for theme in result.themes} == set(range(len({theme.area for theme in result.themes})))
    assert all(theme.area_name for theme in result.themes)
    assert len(find(topic_texts(), level="area").themes) <= len(result.themes)


@pytest.mark.parametrize("n", [0, 1, 19])
def test_find_themes_returns_a_note_for_too_few_texts(n: int) -> None:
    result = find(topic_texts()[:n])
    assert result.labels.tolist() == [OUTLIER] * n
    assert (result.themes, result.note) == ((), f"Not enough rows to group: you have {n} and need 20.")
    assert result.note in str(result)


# the estimator


def test_theme_finder_equals_find_themes() -> None:
    texts = topic_texts()
    finder = ThemeFinder(encoder=HashingEncoder(), seed=1)
    labels = finder.fit_predict(texts)
    assert np.array_equal(labels, find(texts, seed=1).labels)
    assert np.array_equal(finder.strengths_, finder.themes_.strengths)
    assert finder.n_features_in_ == HashingEncoder.dimensions


def test_theme_finder_predicts_further_rows_without_changes() -> None:
    vectors = vectors_of()
    is_fitted = np.arange(len(vectors)) % 7 != 0
    finder = ThemeFinder().fit(vectors[is_fitted])
    former_labels = finder.labels_.copy()
    label_of = {row // 14: int(finder.labels_[np.flatnonzero(is_fitted).tolist().index(row)]) for row in (1, 15, 29)}
    predicted = finder.predict(vectors[~is_fitted])
    expected = [label_of[int(row) // 14] for row in np.flatnonzero(~is_fitted)]
    assert np.mean(predicted == np.asarray(expected)) > 0.8
    assert np.array_equal(finder.labels_, former_labels)
    assert finder.predict(vectors[:0]).tolist() == []


def test_theme_finder_can_be_cloned_and_configured() -> None:
    finder = ThemeFinder(seed=3, engine="hdbscan")
    untyped: Any = base
    copy: Any = untyped.clone(finder)
    assert copy is not finder
    assert copy.get_params() == {"encoder": None, "engine": "hdbscan", "level": "theme", "seed": 3}
    assert copy.set_params(seed=5).seed == 5
    assert "ThemeFinder(engine='hdbscan', seed=5)" in repr(copy)


# invalid input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": "one text"}, "not one text"),
        ({"texts": ["a", 3]}, "Row 1 is not a text but int"),
        ({"texts": 7}, "not int"),
        ({}, "Give texts, or vectors"),
        ({"vectors": [1.0, 2.0]}, r"shape \(2,\)"),
        ({"vectors": [["a", "b"]]}, "not a matrix of numbers"),
        ({"vectors": [[1.0, float("nan")]]}, "Row 0 contains"),
        ({"texts": ["a"], "vectors": np.eye(2)}, "1 texts and 2 vectors"),
        ({"texts": ["a"], "engine": "kmeans"}, "graph, hdbscan"),
        ({"texts": ["a"], "level": "top"}, "theme, area"),
    ],
)
def test_find_themes_raises_invalid_input_with_a_clear_message(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        find_themes(**arguments)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, PatternmindError)


def test_theme_finder_rejects_unsuitable_input() -> None:
    with pytest.raises(InvalidInput, match="Call fit"):
        ThemeFinder().predict(np.eye(3))
    with pytest.raises(InvalidInput, match="columns"):
        ThemeFinder().fit(vectors_of()).predict(np.eye(3))
    with pytest.raises(InvalidInput, match="not one text"):
        ThemeFinder().fit("one text")


# imports and documentation


def test_package_import_loads_no_heavy_library() -> None:
    script = "import sys, patternmind; print([m for m in ('numpy', 'sklearn', 'torch') if m in sys.modules])"
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'find_topics'"):
        _ = patternmind.find_topics  # pyright: ignore[reportAttributeAccessIssue]


def test_readme_example_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = next(block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "find_themes" in block)
    monkeypatch.setattr("patternmind.embedding.minilm_encoder.MiniLMEncoder", HashingEncoder)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"texts": topic_texts()}
    exec(example, names)  # noqa: S102 - our own README
    assert len(names["result"].themes) == 3
    assert list(tmp_path.iterdir()) == [], "nothing is written"

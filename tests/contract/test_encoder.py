"""Contract of the encoders: unit vectors that depend on their text only."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.embedding.minilm_encoder import (
    MiniLMEncoder,
    find_weights_folder,
    rows_per_batch,
    split_windows,
    verify_weights,
)
from patternmind.errors import WeightsRefused
from patternmind.ports import Encoder

WORDS = ["valve", "scanner", "night", "label", "printer", "callback", "customer", "van", "report", "login", "cold"]


@pytest.fixture(scope="module")
def minilm() -> MiniLMEncoder:
    return MiniLMEncoder()


@pytest.fixture(params=["minilm", "hashing"])
def encoder(request: pytest.FixtureRequest, minilm: MiniLMEncoder) -> Encoder:
    return minilm if request.param == "minilm" else HashingEncoder()


def make_texts(n: int) -> list[str]:
    """Make texts from one word to several windows long."""
    rng = random.Random(7)
    return [" ".join(rng.choices(WORDS, k=rng.choice([1, 3, 8, 20, 60, 150, 400]))) for _ in range(n)]


def test_encoder_returns_unit_vectors_in_text_order(encoder: Encoder) -> None:
    texts = make_texts(20)
    vectors = encoder.encode(texts)
    assert vectors.shape == (20, encoder.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(encoder.encode([text])[0], vector)


def test_encoder_vector_depends_on_its_text_only(encoder: Encoder) -> None:
    texts = make_texts(120)
    shuffled = texts.copy()
    random.Random(1).shuffle(shuffled)
    rows = dict(zip(texts, encoder.encode(texts), strict=True))
    again = dict(zip(shuffled, encoder.encode(shuffled), strict=True))
    assert all(np.array_equal(rows[text], again[text]) for text in texts)


def test_encoder_accepts_no_texts_and_empty_texts(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dimensions)
    assert np.isfinite(encoder.encode([""])).all()


def test_encoder_vector_is_independent_of_threads(minilm: MiniLMEncoder) -> None:
    import torch

    untyped: Any = torch
    texts = make_texts(40)
    before: int = untyped.get_num_threads()
    vectors = minilm.encode(texts)
    try:
        untyped.set_num_threads(1)
        assert np.array_equal(minilm.encode(texts), vectors)
    finally:
        untyped.set_num_threads(before)


def test_encoder_covers_the_end_of_a_long_text(minilm: MiniLMEncoder) -> None:
    text = "The pump in building four failed again. " * 80
    changed = text + "A wasp nest blocked the flue of the boiler. " * 20
    original_vector, changed_vector = minilm.encode([text, changed])
    assert float(original_vector @ changed_vector) < 0.95


def test_encoder_places_similar_texts_closer_than_unrelated_ones(minilm: MiniLMEncoder) -> None:
    texts = ["The label printer prints nothing since the update.", "After the update no labels come.", "A dog bit me."]
    vector, similar, unrelated = minilm.encode(texts)
    assert float(vector @ similar) > 0.6 > float(vector @ unrelated) + 0.2


def test_windows_cover_a_text_and_batch_shape_depends_on_length() -> None:
    pieces = list(range(250))
    windows = split_windows(pieces, 94)
    assert [piece for window in windows for piece in window] == pieces
    assert [len(window) for window in windows] == [94, 94, 62]
    assert {length: rows_per_batch(length) for length in (16, 64, 96)} == {16: 64, 64: 16, 96: 21}


def test_weights_are_refused_by_file_name_when_a_checksum_fails(tmp_path: Path) -> None:
    for name in ("model.safetensors", "tokenizer.json", "1_Pooling/config.json"):
        copy = tmp_path / name.replace("/", "-")
        _link_all_but(find_weights_folder(), copy, name)
        (copy / name).write_bytes(b"something else")
        with pytest.raises(WeightsRefused, match="fails its checksum") as refused:
            verify_weights(copy)
        assert refused.value.path.endswith(name)
        (copy / name).unlink()
        with pytest.raises(WeightsRefused, match="missing"):
            MiniLMEncoder(copy).encode(["x"])


def _link_all_but(source: Path, target: Path, excluded: str) -> None:
    for path in source.rglob("*"):
        link = target / path.relative_to(source)
        if path.is_dir():
            link.mkdir(parents=True, exist_ok=True)
        elif path.relative_to(source).as_posix() != excluded:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)

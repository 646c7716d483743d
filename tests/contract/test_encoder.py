"""Both encoders keep the port's promise: unit vectors that depend on their text alone."""

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


def some_texts(n: int) -> list[str]:
    """Texts of one word to several windows."""
    draw = random.Random(7)
    return [" ".join(draw.choices(WORDS, k=draw.choice([1, 3, 8, 20, 60, 150, 400]))) for _ in range(n)]


def test_rows_are_unit_vectors_in_the_order_of_the_texts(encoder: Encoder) -> None:
    texts = some_texts(20)
    vectors = encoder.encode(texts)
    assert vectors.shape == (20, encoder.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(encoder.encode([text])[0], vector)


def test_a_vector_depends_on_its_text_alone(encoder: Encoder) -> None:
    texts = some_texts(120)
    shuffled = texts.copy()
    random.Random(1).shuffle(shuffled)
    rows = dict(zip(texts, encoder.encode(texts), strict=True))
    again = dict(zip(shuffled, encoder.encode(shuffled), strict=True))
    assert all(np.array_equal(rows[text], again[text]) for text in texts)


def test_no_text_gives_no_row_and_an_empty_text_gives_one(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dimensions)
    assert np.isfinite(encoder.encode([""])).all()


def test_threads_do_not_change_a_vector(minilm: MiniLMEncoder) -> None:
    import torch

    untyped: Any = torch
    texts = some_texts(40)
    before: int = untyped.get_num_threads()
    vectors = minilm.encode(texts)
    try:
        untyped.set_num_threads(1)
        assert np.array_equal(minilm.encode(texts), vectors)
    finally:
        untyped.set_num_threads(before)


def test_the_end_of_a_long_text_counts(minilm: MiniLMEncoder) -> None:
    long = "The pump in building four failed again. " * 80
    changed = long + "A wasp nest blocked the flue of the boiler. " * 20
    same, other = minilm.encode([long, changed])
    assert float(same @ other) < 0.95


def test_similar_texts_are_closer_than_strangers(minilm: MiniLMEncoder) -> None:
    texts = ["The label printer prints nothing since the update.", "After the update no labels come.", "A dog bit me."]
    one, like, unlike = minilm.encode(texts)
    assert float(one @ like) > 0.6 > float(one @ unlike) + 0.2


def test_windows_cover_a_text_and_batches_have_one_shape_a_length() -> None:
    pieces = list(range(250))
    windows = split_windows(pieces, 94)
    assert [piece for window in windows for piece in window] == pieces
    assert [len(window) for window in windows] == [94, 94, 62]
    assert {length: rows_per_batch(length) for length in (16, 64, 96)} == {16: 64, 64: 16, 96: 21}


def test_a_weight_file_that_fails_its_checksum_is_refused_by_name(tmp_path: Path) -> None:
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


def _link_all_but(source: Path, target: Path, left_out: str) -> None:
    for path in source.rglob("*"):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif path.relative_to(source).as_posix() != left_out:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path)

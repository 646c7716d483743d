"""Clustering methods with one interface: vectors and texts in, labels and seconds per step out.

Outliers have the label -1. Peers run at their defaults, unseeded where that is the default: a seed makes UMAP run on
one thread, and default users get no seed. The name of a method states any difference from the defaults.
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
    """Result of a fit: ``labels`` (n,) int32 and ``seconds`` per step.

    ``seconds["clustering"]`` is compared between methods: vectors in, labels out.
    """

    labels: NDArray[np.int32]
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class MethodInput:
    """Input of a method.

    ``texts`` is empty for methods that do not read texts; ``true_k`` is 0 for rows without labels.
    """

    vectors: Vectors
    texts: Sequence[str]
    true_k: int

    def rows(self, chosen: NDArray[np.intp]) -> "MethodInput":
        texts = [self.texts[int(row)] for row in chosen] if self.texts else []
        return MethodInput(self.vectors[chosen], texts, self.true_k)


@dataclass(frozen=True, slots=True)
class Method:
    """Clustering method.

    Attributes:
        fit: function that fits it.
        description: note for the report.
        packages: packages that it depends on.
        reads_texts: True if it needs texts.
        needs_k: True if it needs the true number of labels.
        is_peer: True if the targets name it; other methods are for reference only.
        is_own: True for patternmind.
        refit: faster fit with the same labels, for fits on samples, which are not timed.
    """

    fit: Callable[[MethodInput], MethodFit]
    description: str
    packages: tuple[str, ...] = ()
    reads_texts: bool = False
    needs_k: bool = False
    is_peer: bool = False
    is_own: bool = False
    refit: Callable[[MethodInput], MethodFit] | None = None


def fit_graph(data: MethodInput) -> MethodFit:
    return _fit_patternmind(data, "graph")


def fit_hdbscan(data: MethodInput) -> MethodFit:
    return _fit_patternmind(data, "hdbscan")


def refit_graph(data: MethodInput) -> MethodFit:
    return _fit_patternmind(data, "graph", resample=False)


def _fit_patternmind(data: MethodInput, engine: str, *, resample: bool = True) -> MethodFit:
    from bench.patternmind_clustering import cluster_timed  # inside, so that its imports count as cold time

    result = cluster_timed(data.vectors, engine=engine, resample=resample)
    return MethodFit(result.labels, result.seconds)


def fit_bertopic(data: MethodInput) -> MethodFit:
    return _fit_bertopic(data)


def fit_bertopic_sqrt(data: MethodInput) -> MethodFit:
    """Fit BERTopic with defaults, except ``min_cluster_size`` of sqrt(n)/2 instead of 10."""
    size = max(2, round(np.sqrt(len(data.vectors)) / 2))
    density: Any = import_module("hdbscan")
    model = density.HDBSCAN(
        min_cluster_size=size, metric="euclidean", cluster_selection_method="eom", prediction_data=True
    )
    return _fit_bertopic(data, hdbscan_model=model)


def _fit_bertopic(data: MethodInput, **options: Any) -> MethodFit:
    """Fit BERTopic; the time in UMAP and HDBSCAN is measured separately, and only it is compared."""
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
    """Fit Toponymy as in its guide: UMAP to two dimensions, then the finest layer of its clusterer."""
    umap: Any = import_module("umap")
    clustering: Any = import_module("toponymy.clustering")
    started = time.perf_counter()
    positions = umap.UMAP(metric="cosine").fit_transform(data.vectors)
    layers, _ = clustering.ToponymyClusterer().fit_predict(positions, data.vectors)
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
    PATTERNMIND: Method(fit_graph, "graph engine, defaults", _OWN_PACKAGES, is_own=True, refit=refit_graph),
    "patternmind hdbscan": Method(fit_hdbscan, "hdbscan engine", (*_OWN_PACKAGES, "hdbscan"), is_own=True),
    BERTOPIC: Method(fit_bertopic, "defaults", _BERTOPIC_PACKAGES, reads_texts=True, is_peer=True),
    EVOC: Method(fit_evoc, "defaults", ("evoc", "numba", "scikit-learn", "numpy"), is_peer=True),
    "BERTopic sqrt": Method(
        fit_bertopic_sqrt, "min_cluster_size sqrt(n)/2; reference only", _BERTOPIC_PACKAGES, reads_texts=True
    ),
    "Toponymy": Method(
        fit_toponymy,
        "UMAP 2-d and its clusterer, finest layer; reference only",
        ("toponymy", "fast-hdbscan", "umap-learn", "numba", "scikit-learn", "numpy"),
    ),
    "k-means": Method(fit_k_means, "true k given; reference only", ("scikit-learn", "numpy"), needs_k=True),
}

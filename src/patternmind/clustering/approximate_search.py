"""Candidates for the neighbours of very many rows, by the neighbours of neighbours (pynndescent)."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.themes import Vectors

N_THREADS = 2
"""Always two, on any machine: the search shares its random draws out by threads, and one more would find others."""

CANDIDATES_PER_NEIGHBOUR, LARGE_FROM_ROWS, CANDIDATES_PER_NEIGHBOUR_LARGE = 1.5, 100_000, 1.75
"""Candidates a neighbour, and above how many rows more: 22 for 15 find .96 of them at 100,000 rows (.95 among means of
pairs) and .93 at 300,000. More rounds help little: seven instead of five find .004 more."""


def find_candidate_neighbours(vectors: Vectors, k: int) -> NDArray[np.int32]:
    """About ``MORE`` or ``MORE_STILL`` times k candidates of each row, itself among them, (n, m), in no order of use.

    The same rows in the same order give the same candidates on any number of processors.
    """
    os.environ.setdefault("NUMBA_NUM_THREADS", str(max(N_THREADS, os.cpu_count() or 1)))
    import pynndescent  # 3 s, and 20 s more the first time on a machine: it is compiled there

    search: Any = pynndescent
    found = search.NNDescent(
        vectors,
        metric="cosine",
        n_neighbors=round(
            k * (CANDIDATES_PER_NEIGHBOUR if len(vectors) <= LARGE_FROM_ROWS else CANDIDATES_PER_NEIGHBOUR_LARGE)
        ),
        n_iters=5,
        random_state=0,
        n_jobs=N_THREADS,
        low_memory=True,
        compressed=False,
    )
    index = np.asarray(found.neighbor_graph[0], np.int32)
    return np.where(index < 0, np.arange(len(index), dtype=np.int32)[:, None], index)

"""Embeddings to clusters: neighbour graph, partition, levels, outliers, stability, exemplars, near-duplicates."""

"""Clustering of vectors: neighbours, partition, areas, outliers, stability, exemplars and near-duplicates."""

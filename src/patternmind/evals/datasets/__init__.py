"""Data sets of the evals."""

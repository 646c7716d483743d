"""Embedding of case texts: lenses, encoders and vectors."""

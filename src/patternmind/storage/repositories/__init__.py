"""Repositories of the store, one module per group of tables."""

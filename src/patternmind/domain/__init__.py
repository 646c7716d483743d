"""Immutable domain objects: cases, themes, drafts, patterns and their network."""

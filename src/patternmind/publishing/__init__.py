"""Publish playbooks, pre-readings and theme maps: publication rules, documents, and renderers."""

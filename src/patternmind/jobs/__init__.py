"""Background jobs: runs and pre-readings."""

"""`make bench`: comparison with peers on the same vectors, and measured targets of the clustering.

This package is part of the repository, not of the wheel. ``python -m bench --help`` lists its parts.
"""

"""`make bench`: this project beside its peers on the same vectors, and the measured targets of its clustering.

A script package of the repository, not of the wheel. ``python -m bench --help`` lists the parts.
"""

"""Run the real community search in every unit test.

Tests of repeated runs must compare two searches, not a search with its cached copy.
"""

import pytest


@pytest.fixture(autouse=True)
def _real_search(real_search: None) -> None:  # pyright: ignore[reportUnusedFunction]
    pass

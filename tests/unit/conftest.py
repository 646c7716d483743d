"""Unit tests run the real community search each time: what they say of it holds for two runs."""

import pytest


@pytest.fixture(autouse=True)
def _real_search(real_search: None) -> None:  # pyright: ignore[reportUnusedFunction]
    pass

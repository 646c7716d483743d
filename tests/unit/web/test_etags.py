"""ETag comparison of the ``If-Match`` header."""

import pytest

from patternmind.errors import VersionConflict
from patternmind.web.etags import expected_version


@pytest.mark.parametrize("if_match", ['"2"', '"1", "2"', '"2","3"', 'W/"1", "2"', 'W/"2", "2"', '"a,b", "2"'])
def test_expected_version_returns_version_when_strong_tag_matches(if_match: str) -> None:
    assert expected_version(if_match, 2, kind="draft", id="d-1") == 2


@pytest.mark.parametrize("if_match", [None, "*", " * "])
def test_expected_version_returns_none_when_any_version_is_accepted(if_match: str | None) -> None:
    assert expected_version(if_match, 2, kind="draft", id="d-1") is None


@pytest.mark.parametrize("if_match", ["", "2", '"1"', 'W/"2"', '"1", W/"2"', '"12"', '"2'])
def test_expected_version_raises_when_no_strong_tag_matches(if_match: str) -> None:
    with pytest.raises(VersionConflict):
        expected_version(if_match, 2, kind="draft", id="d-1")

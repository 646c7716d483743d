"""Pages of lists and their links."""

from patternmind.domain.read_models import Page
from patternmind.web.pagination import cursor_links, encode_cursor, offset_links, paginate


def test_paginate_continues_after_the_last_row_when_rows_are_added() -> None:
    first = paginate(["a", "b", "d"], key=str, limit=2, cursor=None)
    second = paginate(["a", "aa", "b", "c", "d"], key=str, limit=2, cursor=encode_cursor(first.next_cursor))
    assert (first.rows, second.rows, second.next_cursor) == (("a", "b"), ("c", "d"), None)


def test_cursor_links_are_empty_when_list_has_one_page() -> None:
    assert cursor_links("/runs", Page((1, 2)), None) == {"next_url": "", "first_url": ""}


def test_cursor_links_extend_the_query_of_the_path() -> None:
    links = cursor_links("/themes?lens=all", Page((1, 2), "2"), "eA")
    assert links == {"next_url": f"/themes?lens=all&cursor={encode_cursor('2')}", "first_url": "/themes?lens=all"}


def test_offset_links_keep_filters_and_leave_out_empty_ones() -> None:
    assert offset_links("/library", 60, 24, 24, words="a b", state="") == {
        "page_range": "25–48 of 60",
        "next_url": "/library?words=a+b&start=48",
        "first_url": "/library?words=a+b",
    }


def test_offset_links_end_on_the_last_page() -> None:
    assert offset_links("/library", 60, 48, 24)["next_url"] == ""
    assert offset_links("/library", 60, 48, 24)["page_range"] == "49–60 of 60"

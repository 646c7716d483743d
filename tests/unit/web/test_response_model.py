"""API responses built from records."""

from dataclasses import dataclass

from pydantic import AliasPath, Field

from patternmind.domain.read_models import Page
from patternmind.web.api.schemas import ListResponse, PageResponse, ResponseModel
from patternmind.web.pagination import encode_cursor


@dataclass(frozen=True, slots=True)
class Author:
    name: str


@dataclass(frozen=True, slots=True)
class Book:
    id: str
    author: Author
    tags: tuple[str, ...] = ()


class BookResponse(ResponseModel):
    book_id: str = Field(validation_alias="id")
    author: str = Field(validation_alias=AliasPath("author", "name"))
    tags: list[str]
    is_lent: bool = False


BOOK = Book("b-1", Author("Ada"), ("old",))


def test_response_renames_and_flattens_attributes() -> None:
    assert BookResponse.of(BOOK).model_dump() == {"book_id": "b-1", "author": "Ada", "tags": ["old"], "is_lent": False}


def test_response_takes_values_that_the_record_lacks_or_that_replace_its_own() -> None:
    response = BookResponse.of(BOOK, is_lent=True, tags=["new"])
    assert (response.is_lent, response.tags, response.author) == (True, ["new"], "Ada")


def test_list_and_page_responses_build_their_items() -> None:
    assert ListResponse[BookResponse].of_records(iter([BOOK])).items == [BookResponse.of(BOOK)]
    page = PageResponse[BookResponse].of_page(Page((BOOK,), "b-1"))
    assert (page.items, page.next_cursor) == ([BookResponse.of(BOOK)], encode_cursor("b-1"))

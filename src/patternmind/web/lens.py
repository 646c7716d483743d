"""The lens parameter of API and page routes."""

from typing import Annotated, Literal

from fastapi import Query

LensName = Literal["all", "problem", "helped"]

LensQuery = Annotated[LensName | None, Query(description="Lens; default: that of the last run.")]

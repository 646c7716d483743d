"""Small nouns for tests: everything has a value, and a test names only what it is about."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternmind.ground import ground
from patternmind.model.cases import Case, Consent, Kind, Submission
from patternmind.model.drafts import Claim, Draft, DraftKind, DraftState, GroundedDraft, Pattern, Provenance, Quote
from patternmind.model.themes import OUTLIER, Theme, Vectors

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


def a_case(id: str = "c-1", text: str | Mapping[str, str] = "The pallet stood in lane 4.", **known: Any) -> Case:
    """A case that may be quoted, by a contributor and a team of its own unless ``known`` says otherwise."""
    given: dict[str, Any] = {
        "kind": Kind.CASE,
        "external_id": id.upper(),
        "date": dt.date(2026, 7, 9),
        "team": f"team of {id}",
        "contributor": f"contributor of {id}",
        "consent": Consent.QUOTABLE,
        "text_version": "v1",
        **known,
    }
    return Case(id=id, text={"problem": text} if isinstance(text, str) else text, **given)


def by_id(*cases: Case) -> dict[str, Case]:
    return {case.id: case for case in cases}


def a_quote(case: Case, text: str | None = None, field: str = "problem") -> Quote:
    """The whole field, or the first place where ``text`` stands in it."""
    said = case.text[field] if text is None else text
    start = case.text[field].index(said)
    return Quote(case_id=case.id, field=field, start=start, end=start + len(said), text=said)


def a_claim(field: str, case: Case, text: str | None = None, *, source: str = "problem") -> Claim:
    """A sentence of a case as a claim, word for word, as the drafter without a model makes them."""
    quote = a_quote(case, text, source)
    return Claim(text=quote.text, field=field, quotes=(quote,))


def inputs(cases: Sequence[Case]) -> tuple[str, ...]:
    return tuple(f"{case.id}@{case.text_version}" for case in cases)


def fields_by_claims(claims: Sequence[Claim]) -> dict[str, str | tuple[str, ...]]:
    names = dict.fromkeys(claim.field for claim in claims)
    return {name: tuple(claim.text for claim in claims if claim.field == name) for name in names}


def a_pattern(cases: Sequence[Case], claims: Sequence[Claim], **known: Any) -> Pattern:
    """An accepted pattern whose fields are its claims, made from ``cases``."""
    given: dict[str, Any] = {
        "id": "p-1",
        "theme_id": "t-1",
        "name": "Red tape on the goods",
        "fields": fields_by_claims(claims),
        "provenance": Provenance(run_id="r-1", prompt="extractive-pattern/1", inputs=inputs(cases)),
        "state": DraftState.ACCEPTED,
        "reviewers": ("Ada Berg",),
        "accepted_at": NOON,
        "version": 1,
        "share_edited": 0.0,
        **known,
    }
    return Pattern(claims=tuple(claims), **given)


def a_theme(id: str = "t-1", **known: Any) -> Theme:
    given: dict[str, Any] = {
        "lens": "all",
        "area_id": "a-1",
        "name": "pallets on hold",
        "case_ids": ("c-1",),
        "n_cases": 7,
        "n_teams": 3,
        "n_contributors": 6,
        **known,
    }
    return Theme(id=id, **given)


def a_grounded(
    cases: Mapping[str, Case], claims: Sequence[Claim], kind: DraftKind = DraftKind.PREREADING, **known: Any
) -> GroundedDraft:
    """A draft through ``ground``; its fields are its claims and what ``known["fields"]`` adds."""
    given: dict[str, Any] = {
        "id": "d-1",
        "theme_id": "t-1",
        "name": "Pre-reading: pallets on hold",
        "provenance": Provenance(run_id="r-1", prompt="extractive-prereading/1", inputs=inputs(list(cases.values()))),
        **known,
    }
    given["fields"] = {**fields_by_claims(claims), **known.get("fields", {})}
    return ground(Draft(kind=kind, claims=tuple(claims), **given), cases)


def a_submission(text: str | Mapping[str, str] = "The pallet stood in lane 4.", **known: Any) -> Submission:
    given: dict[str, Any] = {"kind": Kind.CASE, "external_id": None, "facts": {}, "extra": {}, **known}
    return Submission(text={"problem": text} if isinstance(text, str) else text, **given)


def planted_vectors(
    sizes: Sequence[int], *, strangers: int = 0, spread: float = 0.35, d: int = 64
) -> tuple[Vectors, NDArray[np.int32]]:
    """Groups around orthogonal directions and strangers with one each; the truth numbers them, -1 a stranger."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.standard_normal((d, d)))[0]
    truth = [group for group, size in enumerate(sizes) for _ in range(size)] + [OUTLIER] * strangers
    own = [*truth[: sum(sizes)], *range(len(sizes), len(sizes) + strangers)]
    around = spread * rng.standard_normal((len(own), d)) / np.sqrt(d)
    rows = directions[own] + np.where(np.asarray(truth)[:, None] == OUTLIER, 0, around)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), np.asarray(truth, np.int32)

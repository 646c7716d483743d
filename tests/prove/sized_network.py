"""A data folder of many cases, a finished run and many drafts, made in bulk: for proofs of how pages are read at size.

    python -m tests.prove.sized_network HOME --cases 100000 --drafts 2000 [--vectors FOLDER]

Texts are rows of arXiv in the folder that PATTERNMIND_CORPORA names. FOLDER holds ready vectors of them (``arxiv.npy``,
``arxiv.json`` with their ids); without it they are drawn around a direction for each category, which is enough to
measure by.
"""

import argparse
import datetime as dt
import gzip
import itertools
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert
from tests.prove.corpora import corpus_path

from patternmind.adapters.store import SqlStore, records, tables
from patternmind.adapters.store.case_rows import listed_by
from patternmind.bootstrap import DATABASE, House
from patternmind.draft.identity import with_own_id
from patternmind.embed import lens_text, text_hash
from patternmind.model.cases import Case, Consent, Kind, Submission
from patternmind.model.drafts import Claim, Decision, Draft, DraftAction, DraftKind, DraftState, Provenance, Quote
from patternmind.model.themes import Assignment, Lineage, Theme, ThemeChange, Vectors
from patternmind.ports import Encoder, RunOutcome, RunParameters
from patternmind.settings import Settings

NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
D = 384
UNPLACED = 0.4
"""Share of the cases that are in no theme; about what a run leaves out of these texts."""

DECIDED = 200
BATCH = 5000


def make_network(
    home: Path, *, n_cases: int, n_drafts: int, n_decided: int = DECIDED, encoder: Encoder, vectors: Path | None = None
) -> None:
    """Fill an empty folder. The same numbers and texts give the same network."""
    home.mkdir(parents=True, exist_ok=True)
    store = SqlStore(home / DATABASE)
    known = _ready_rows(vectors) if vectors else None
    rows = _rows(n_cases, known)
    cases = [_case(number, row) for number, row in enumerate(rows)]
    _put_cases(store, cases)
    kept = _ready(rows, vectors, known) if vectors and known else _drawn(rows)
    _put_vectors(store, cases, kept, encoder.id)
    run = store.begin_run(RunParameters(label="2026Q4"), NOW)
    themes, homes = _themes(cases, rows, kept, encoder.id)
    by_id = {case.id: case for case in cases}
    drafts = [_draft(number, themes[number % len(themes)], by_id, run.id) for number in range(n_drafts)]
    changes = [ThemeChange(theme_id=one.id, lineage=Lineage.NEW, n_after=one.n_cases) for one in themes]
    store.finish_run(
        run.id,
        RunOutcome(
            themes=themes,
            areas={"a-1": "All there is"},
            changes=changes,
            assignments=homes,
            duplicate_of={},
            drafts=drafts,
        ),
        NOW,
    )
    for draft in drafts[:n_decided]:
        _decide(store, draft)
    store.close()


def _ready_rows(folder: Path) -> dict[str, int]:
    """The rows that have a ready vector, by id: the file may not be full yet."""
    full = folder / "arxiv.done"
    ids = [row[0] for row in json.loads((folder / "arxiv.json").read_text("utf-8"))]
    return {id: row for row, id in enumerate(ids[: int(full.read_text("utf-8")) if full.is_file() else None])}


def _rows(n: int, known: Mapping[str, int] | None) -> list[dict[str, Any]]:
    """The first n, of those with a ready vector where there are any."""
    with gzip.open(corpus_path("arxiv_titles"), "rt", encoding="utf-8") as file:
        rows = list(itertools.islice((row for row in map(json.loads, file) if known is None or row["id"] in known), n))
    assert len(rows) == n, f"there are {len(rows)} rows of the {n} asked for"
    return rows


def _case(number: int, row: Mapping[str, Any]) -> Case:
    team = f"Team {number % 40}"
    return Case(
        id=f"c-{text_hash(row['id'])[:16]}",
        kind=Kind.CASE,
        external_id=row["id"],
        text={"problem": row["text"]},
        facts={"status": ("open", "solved", "workaround")[number % 3], "team": team},
        date=dt.date.fromisoformat(row["date"]),
        team=team,
        contributor=f"person {number % 5000}",
        consent=Consent.ORGANISATION,
        content_hash=text_hash(row["text"]),
        text_version=text_hash(row["text"])[:16],
        flags=("no consent given",) if number % 50 == 0 else (),
    )


def _put_cases(store: SqlStore, cases: Sequence[Case]) -> None:
    columns = [
        {
            "network_id": store.network.id,
            "id": case.id,
            "kind": case.kind.value,
            "external_id": case.external_id,
            "date": case.date.isoformat() if case.date else None,
            "content_hash": case.content_hash,
            "text_version": case.text_version,
            "body": records.case_record(case),
            "number": number,
            **listed_by(case),
        }
        for number, case in enumerate(cases, start=1)
    ]
    handed_in = [
        {
            "network_id": store.network.id,
            "case_id": case.id,
            "version": 1,
            "content_hash": case.content_hash,
            "body": records.submission_record(
                Submission(
                    kind=case.kind, external_id=case.external_id, text=case.text, facts=case.facts, extra=case.extra
                )
            ),
        }
        for case in cases
    ]
    with store._writing() as connection:  # pyright: ignore[reportPrivateUsage] - in bulk, past the checks of intake
        connection.execute(insert(tables.case), columns)
        connection.execute(insert(tables.submission), handed_in)


def _put_vectors(store: SqlStore, cases: Sequence[Case], vectors: Vectors, encoder_id: str) -> None:
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        hashes = [text_hash(lens_text(case, "all")) for case in batch]
        store.save_vectors(encoder_id, dict(zip(hashes, vectors[start : start + BATCH], strict=True)))


def _ready(rows: Sequence[Mapping[str, Any]], folder: Path, known: Mapping[str, int]) -> Vectors:
    kept = np.load(folder / "arxiv.npy", mmap_mode="r")
    order = np.asarray([known[row["id"]] for row in rows])
    found = np.empty((len(rows), kept.shape[1]), np.float32)
    for at in np.argsort(order):
        found[at] = kept[order[at]]
    return found


def _drawn(rows: Sequence[Mapping[str, Any]]) -> Vectors:
    draw = np.random.default_rng(5)
    labels = {label: draw.standard_normal(D) for label in sorted({row["label"] for row in rows})}
    found = np.stack([labels[row["label"]] for row in rows]) + 1.2 * draw.standard_normal((len(rows), D))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def _themes(
    cases: Sequence[Case], rows: Sequence[Mapping[str, Any]], vectors: Vectors, encoder_id: str
) -> tuple[list[Theme], list[Assignment]]:
    """A theme for each category; its strongest members first."""
    draw = random.Random(9)
    members: defaultdict[str, list[int]] = defaultdict(list)
    homes: list[Assignment] = []
    for number, (case, row) in enumerate(zip(cases, rows, strict=True)):
        theme_id = f"t-{text_hash(row['label'])[:10]}"
        alone = draw.random() < UNPLACED
        if not alone:
            members[row["label"]].append(number)
        homes.append(
            Assignment(
                case_id=case.id,
                theme_id=None if alone else theme_id,
                area_id=None if alone else "a-1",
                strength=0.0 if alone else 0.7,
                nearest_theme_id=theme_id,
                reason="not close enough to any other cases" if alone else "",
                x=draw.random(),
                y=draw.random(),
            )
        )
    themes = [_theme(label, numbers, cases, vectors, encoder_id) for label, numbers in members.items()]
    return sorted(themes, key=lambda theme: -theme.n_cases), homes


def _theme(label: str, numbers: Sequence[int], cases: Sequence[Case], vectors: Vectors, encoder_id: str) -> Theme:
    ids = tuple(cases[number].id for number in numbers)
    centre = vectors[list(numbers)].mean(axis=0)
    centre /= np.linalg.norm(centre)
    return Theme(
        id=f"t-{text_hash(label)[:10]}",
        lens="all",
        area_id="a-1",
        name=label,
        gist=cases[numbers[0]].text["problem"],
        keywords=tuple(label.split(".")),
        case_ids=ids,
        exemplars=ids[:3],
        edge_case=ids[-1],
        n_cases=len(ids),
        n_teams=len({cases[number].team for number in numbers}),
        n_contributors=len({cases[number].contributor for number in numbers}),
        new_cases=len(ids) // 10,
        share=len(ids) / len(cases),
        stability=0.8,
        cohesion=0.5,
        trend={f"2026Q{quarter}": len(ids) // 4 for quarter in range(1, 5)},
        centre=tuple(centre.tolist()),
        encoder=encoder_id,
    )


def _draft(number: int, theme: Theme, cases: Mapping[str, Case], run_id: str) -> Draft:
    ids = [theme.case_ids[(number * 7 + step) % len(theme.case_ids)] for step in range(12)]
    fields = ("context", "problem", "forces", "solution", "solution", "counter_evidence")
    claims = tuple(
        Claim(text=text, field=field, quotes=(Quote(case_id=id, field="problem", start=0, end=len(text), text=text),))
        for field, id in zip(fields, ids, strict=False)
        if (text := cases[id].text["problem"])
    )
    draft = Draft(
        id="",
        kind=DraftKind.PATTERN,
        theme_id=theme.id,
        name=f"{theme.name} {number}",
        fields={
            field: tuple(claim.text for claim in claims if claim.field == field) for field in dict.fromkeys(fields)
        },
        claims=claims,
        provenance=Provenance(run_id=run_id, inputs=tuple(f"{id}@{cases[id].text_version}" for id in ids)),
    )
    return replace(with_own_id(draft), kind=DraftKind.PATTERN)


def _decide(store: SqlStore, draft: Draft) -> None:
    state = DraftState.ACCEPTED if int(draft.id[2:6], 16) % 2 else DraftState.IN_REVIEW
    action = DraftAction.ACCEPT if state is DraftState.ACCEPTED else DraftAction.NOT_SURE
    decision = Decision(
        id=f"{draft.id}.1", draft_id=draft.id, action=action, by="Ada", at=NOW, before=DraftState.CANDIDATE, after=state
    )
    store.append_decision(decision, expected_version=0)


def main() -> None:
    asked = argparse.ArgumentParser(description="Make a data folder of many cases.")
    asked.add_argument("home", type=Path)
    asked.add_argument("--cases", type=int, default=100_000)
    asked.add_argument("--drafts", type=int, default=2000)
    asked.add_argument("--vectors", type=Path)
    given = asked.parse_args()
    encoder = House(Settings(home=given.home)).encoder
    make_network(given.home, n_cases=given.cases, n_drafts=given.drafts, encoder=encoder, vectors=given.vectors)


if __name__ == "__main__":
    main()

"""Whether quotes stand where they say: in everything a network exports, and among quotes planted to deceive."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from patternmind.evals.datasets import CORPORA
from patternmind.evals.false_quotes import Planted, hard_case, plain, plant
from patternmind.evals.gates import Score
from patternmind.evals.intervals import wilson
from patternmind.evals.networks import RunNetwork
from patternmind.evals.report import Direction, Unit
from patternmind.ground import ground
from patternmind.intake.cases import make_case
from patternmind.intake.redaction import Roster
from patternmind.intake.submissions import read_submissions
from patternmind.model.cases import Case, Submission
from patternmind.model.drafts import Claim, Draft, DraftKind, Provenance, Quote
from patternmind.verbs import prepare
from patternmind.verbs.export import export_rows

EVAL = "grounding"
PLANTED = "planted quotes"

LEAST_RECALL = 0.995
"""Of true quotes, typographic marks, spaces and normal forms among them (issue 4)."""

DRAFTS = 10_000


def score_exported_quotes(network: RunNetwork, *, most_prereadings: int | None = None) -> list[Score]:
    """Every quote of every exported draft, a pre-reading of each theme among them, against the exported cases.

    Args:
        most_prereadings: of the largest themes only; each takes seconds where the cases are many and long.
    """
    store = network.house.store
    standing = [theme for theme in store.themes() if theme.case_ids]
    for theme in standing[:most_prereadings]:
        prepare.prepare(store, network.house.clock, prepare.by_theme(store, theme.id))
    texts = {row["case_id"]: row["text"] for row in export_rows(store, "cases")}
    drafts = list(export_rows(store, "drafts"))
    quotes = [quote for draft in drafts for claim in draft["claims"] for quote in claim["quotes"]]
    if not quotes:
        return []
    exact = sum(_stands(quote, texts) for quote in quotes)
    claims = [claim for draft in drafts for claim in draft["claims"]]
    quoted = sum(bool(claim["quotes"]) for claim in claims)
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(draft["kind"] for draft in drafts).items()))
    return [
        _promised(network.name, "quotes that are slices of their case", exact, len(quotes), f"quotes; {kinds}"),
        _promised(network.name, "claims with a quote", quoted, len(claims), "claims"),
    ]


def _stands(quote: Mapping[str, Any], texts: Mapping[str, Mapping[str, str]]) -> bool:
    source = texts.get(quote["case_id"], {}).get(quote["field"], "")
    return 0 <= quote["start"] < quote["end"] and source[quote["start"] : quote["end"]] == quote["text"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a planted quote; ``kept`` is the quote as ``ground`` kept it."""

    planted: Planted
    kept: Quote | None


def score_planted_quotes(planted: Iterable[Planted], cases: Sequence[Case], *, on: str = PLANTED) -> list[Score]:
    """``ground`` as a detector of false quotes: recall, precision, and that what it keeps is the slice it names."""
    by_id = {case.id: case for case in [*cases, hard_case()]}
    verdicts = [Verdict(one, kept) for one, kept in _ground_each(list(planted), by_id)]
    false = [one for one in verdicts if one.planted.keep is False]
    true = [one for one in verdicts if one.planted.keep]
    refused_false = [one for one in false if one.kept is None]
    refused_true = [one for one in true if one.kept is None]
    kept = [one for one in verdicts if one.kept is not None]
    n_refused = len(refused_false) + len(refused_true)
    rightly_kept = sum(_is_slice(one, by_id) for one in kept)
    missed = _ways([one for one in false if one.kept is not None])
    true_or_not = [one for one in kept if one.planted.keep is not None]
    n_ways = len({one.planted.how for one in false})
    return [
        _promised(on, "false quotes refused (recall)", len(refused_false), len(false), f"in {n_ways} ways", missed),
        _promised(on, "refused quotes false (precision)", len(refused_false), n_refused, "", _ways(refused_true)),
        _promised(on, "kept quotes that are slices", rightly_kept, len(kept), ""),
        _promised(on, "accepted quotes true (precision)", len(true) - len(refused_true), len(true_or_not), "", missed),
        _promised(
            on,
            "true quotes accepted (recall)",
            len(true) - len(refused_true),
            len(true),
            "",
            _ways(refused_true),
            limit=LEAST_RECALL,
        ),
        _moved(verdicts, on),
    ]


def _ground_each(planted: Sequence[Planted], cases: Mapping[str, Case]) -> Iterator[tuple[Planted, Quote | None]]:
    """Each quote as the one claim of a draft of its own."""
    for one in planted:
        draft = Draft(
            id="d-planted",
            kind=DraftKind.PATTERN,
            theme_id=None,
            name="",
            fields={},
            claims=(Claim(text="Planted.", field="", quotes=(one.quote,)),),
            provenance=Provenance(run_id=""),
        )
        claims = ground(draft, cases).draft.claims
        yield one, claims[0].quotes[0] if claims else None


def _is_slice(verdict: Verdict, cases: Mapping[str, Case]) -> bool:
    """Kept text is the source's own, and says what was asked for."""
    quote = verdict.kept
    if quote is None:
        return False
    source = cases[quote.case_id].text[quote.field]
    return source[quote.start : quote.end] == quote.text and plain(quote.text) == plain(verdict.planted.quote.text)


def _moved(verdicts: Sequence[Verdict], on: str) -> Score:
    """True text under another field of its case: to find it and to refuse it are both right."""
    either = [one for one in verdicts if one.planted.keep is None]
    found = sum(one.kept is not None for one in either)
    value = found / len(either) if either else 0.0
    note = f"{found} of {len(either)}"
    name = "found under another field"
    return Score(eval=EVAL, on=on, name=name, value=value, direction=Direction.NONE, note=note)


def _ways(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{how}: {n}" for how, n in Counter(one.planted.how for one in verdicts).most_common(5))


def _promised(on: str, name: str, part: int, whole: int, of: str, wrong: str = "", *, limit: float = 1.0) -> Score:
    """A share that must be 1, or ``limit``; where it is not, the note says in which ways it failed."""
    low, high = wilson(part, whole)
    told = f"{part} of {whole}" + (f" {of}" if of else "") + f"; 95 % {low:.4f}-{high:.4f}"
    note = told + (f"; wrong: {wrong}" if wrong else "")
    return Score(
        eval=EVAL, on=on, name=name, value=part / whole if whole else 0.0, unit=Unit.SHARE, limit=limit, note=note
    )


def plant_drafts(cases: Sequence[Case], *, n_drafts: int, seed: int) -> list[Planted]:
    """So many planted quotes, from as many sentences of the cases as that takes."""
    planted = plant(cases, n_sentences=n_drafts, seed=seed)
    return list(islice(planted, n_drafts))


def _measure(corpora: Path, *, n_drafts: int, seed: int) -> Iterator[Score]:
    for corpus in (one for one in CORPORA if one.name in {"lessons", "recaps", "complaints"}):
        rows = read_submissions(corpora / corpus.file, kind=corpus.kind, mapping={})
        taken = [one for one in rows if isinstance(one, Submission)]
        cases = [make_case(one, roster=Roster.of([]), network_id="n", secret=b"eval")[0] for one in taken]
        yield from score_planted_quotes(
            plant_drafts(cases, n_drafts=n_drafts, seed=seed), cases, on=f"{PLANTED} in {corpus.name}"
        )


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description="Figure 3: quotes altered or left true, as drafts of one claim each.")
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--drafts", type=int, default=DRAFTS)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for score in _measure(asked.corpora, n_drafts=asked.drafts, seed=asked.seed):
        sys.stdout.write(f"{score.on}: {score.name} {score.value:.4f} ({score.note})\n")

"""Whether quotes stand where they say: in everything a network exports, and among quotes planted to deceive."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from patternmind.domain.cases import Case, Submission
from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Provenance,
    Quote,
)
from patternmind.evals.datasets.corpora import CORPORA
from patternmind.evals.datasets.planted_quotes import (
    PlantedQuote,
    edge_case,
    normalize_quote,
    plant_quotes,
)
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection, ScoreUnit
from patternmind.evals.scorers.intervals import wilson_interval
from patternmind.evals.steps.network_runs import NetworkRun
from patternmind.grounding import ground
from patternmind.ingestion.cases import make_case
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.submissions import read_submissions
from patternmind.services import prereading_builder
from patternmind.services.exports import export_rows

EVAL = "grounding"
DATASET = "planted quotes"

MIN_RECALL = 0.995
"""Of true quotes, typographic marks, spaces and normal forms among them (issue 4)."""

DEFAULT_DRAFTS = 10_000


def score_exported_quotes(network: NetworkRun, *, max_prereadings: int | None = None) -> list[Score]:
    """Every quote of every exported draft, a pre-reading of each theme among them, against the exported cases.

    Args:
        most_prereadings: of the largest themes only; each takes seconds where the cases are many and long.
    """
    store = network.ctx.store
    standing = [theme for theme in store.themes() if theme.case_ids]
    for theme in standing[:max_prereadings]:
        prereading_builder.build_prereading(
            store, network.ctx.clock, prereading_builder.subject_from_theme(store, theme.id)
        )
    texts = {row["case_id"]: row["text"] for row in export_rows(store, "cases")}
    drafts = list(export_rows(store, "drafts"))
    quotes = [quote for draft in drafts for claim in draft["claims"] for quote in claim["quotes"]]
    if not quotes:
        return []
    exact = sum(_is_exact_slice(quote, texts) for quote in quotes)
    claims = [claim for draft in drafts for claim in draft["claims"]]
    quoted = sum(bool(claim["quotes"]) for claim in claims)
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(Counter(draft["kind"] for draft in drafts).items()))
    return [
        _share_score(network.name, "quotes that are slices of their case", exact, len(quotes), f"quotes; {kinds}"),
        _share_score(network.name, "claims with a quote", quoted, len(claims), "claims"),
    ]


def _is_exact_slice(quote: Mapping[str, Any], texts: Mapping[str, Mapping[str, str]]) -> bool:
    source = texts.get(quote["case_id"], {}).get(quote["field"], "")
    return 0 <= quote["start"] < quote["end"] and source[quote["start"] : quote["end"]] == quote["text"]


@dataclass(frozen=True, slots=True)
class QuoteVerdict:
    """What became of a planted quote; ``kept`` is the quote as ``ground`` kept it."""

    planted: PlantedQuote
    grounded_quote: Quote | None


def score_planted_quotes(
    planted: Iterable[PlantedQuote], cases: Sequence[Case], *, dataset: str = DATASET
) -> list[Score]:
    """``ground`` as a detector of false quotes: recall, precision, and that what it keeps is the slice it names."""
    by_id = {case.id: case for case in [*cases, edge_case()]}
    verdicts = [QuoteVerdict(one, kept) for one, kept in _ground_each(list(planted), by_id)]
    false = [one for one in verdicts if one.planted.should_keep is False]
    true = [one for one in verdicts if one.planted.should_keep]
    refused_false = [one for one in false if one.grounded_quote is None]
    refused_true = [one for one in true if one.grounded_quote is None]
    kept = [one for one in verdicts if one.grounded_quote is not None]
    n_refused = len(refused_false) + len(refused_true)
    rightly_kept = sum(_is_kept_as_slice(one, by_id) for one in kept)
    missed = _count_alterations([one for one in false if one.grounded_quote is not None])
    true_or_not = [one for one in kept if one.planted.should_keep is not None]
    n_ways = len({one.planted.alteration for one in false})
    return [
        _share_score(
            dataset, "false quotes refused (recall)", len(refused_false), len(false), f"in {n_ways} ways", missed
        ),
        _share_score(
            dataset,
            "refused quotes false (precision)",
            len(refused_false),
            n_refused,
            "",
            _count_alterations(refused_true),
        ),
        _share_score(dataset, "kept quotes that are slices", rightly_kept, len(kept), ""),
        _share_score(
            dataset, "accepted quotes true (precision)", len(true) - len(refused_true), len(true_or_not), "", missed
        ),
        _share_score(
            dataset,
            "true quotes accepted (recall)",
            len(true) - len(refused_true),
            len(true),
            "",
            _count_alterations(refused_true),
            limit=MIN_RECALL,
        ),
        _misplaced_score(verdicts, dataset),
    ]


def _ground_each(
    planted: Sequence[PlantedQuote], cases: Mapping[str, Case]
) -> Iterator[tuple[PlantedQuote, Quote | None]]:
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


def _is_kept_as_slice(verdict: QuoteVerdict, cases: Mapping[str, Case]) -> bool:
    """Kept text is the source's own, and says what was asked for."""
    quote = verdict.grounded_quote
    if quote is None:
        return False
    source = cases[quote.case_id].text[quote.field]
    return source[quote.start : quote.end] == quote.text and normalize_quote(quote.text) == normalize_quote(
        verdict.planted.quote.text
    )


def _misplaced_score(verdicts: Sequence[QuoteVerdict], dataset: str) -> Score:
    """True text under another field of its case: to find it and to refuse it are both right."""
    either = [one for one in verdicts if one.planted.should_keep is None]
    found = sum(one.grounded_quote is not None for one in either)
    value = found / len(either) if either else 0.0
    note = f"{found} of {len(either)}"
    name = "found under another field"
    return Score(eval=EVAL, dataset=dataset, name=name, value=value, direction=ScoreDirection.NONE, note=note)


def _count_alterations(verdicts: Sequence[QuoteVerdict]) -> str:
    return ", ".join(f"{how}: {n}" for how, n in Counter(one.planted.alteration for one in verdicts).most_common(5))


def _share_score(
    dataset: str, name: str, n_hits: int, n_total: int, unit: str, failures: str = "", *, limit: float = 1.0
) -> Score:
    """A share that must be 1, or ``limit``; where it is not, the note says in which ways it failed."""
    low, high = wilson_interval(n_hits, n_total)
    told = f"{n_hits} of {n_total}" + (f" {unit}" if unit else "") + f"; 95 % {low:.4f}-{high:.4f}"
    note = told + (f"; wrong: {failures}" if failures else "")
    return Score(
        eval=EVAL,
        dataset=dataset,
        name=name,
        value=n_hits / n_total if n_total else 0.0,
        unit=ScoreUnit.SHARE,
        limit=limit,
        note=note,
    )


def plant_drafts(cases: Sequence[Case], *, n_drafts: int, seed: int) -> list[PlantedQuote]:
    """So many planted quotes, from as many sentences of the cases as that takes."""
    planted = plant_quotes(cases, n_sentences=n_drafts, seed=seed)
    return list(islice(planted, n_drafts))


def _measure_corpora(corpora: Path, *, n_drafts: int, seed: int) -> Iterator[Score]:
    for corpus in (one for one in CORPORA if one.name in {"lessons", "recaps", "complaints"}):
        rows = read_submissions(corpora / corpus.file, kind=corpus.kind, mapping={})
        taken = [one for one in rows if isinstance(one, Submission)]
        cases = [make_case(one, roster=Roster.of([]), network_id="n", secret=b"eval")[0] for one in taken]
        yield from score_planted_quotes(
            plant_drafts(cases, n_drafts=n_drafts, seed=seed), cases, dataset=f"{DATASET} in {corpus.name}"
        )


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description="Figure 3: quotes altered or left true, as drafts of one claim each.")
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--drafts", type=int, default=DEFAULT_DRAFTS)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for score in _measure_corpora(asked.corpora, n_drafts=asked.drafts, seed=asked.seed):
        sys.stdout.write(f"{score.dataset}: {score.name} {score.value:.4f} ({score.note})\n")

"""Verification of quotes: they must occur in their case exactly where they claim.

It is measured on everything a network exports, and on planted false quotes.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from patternmind.domain.cases import Case
from patternmind.domain.drafts import NO_AI, Claim, DraftKind, Provenance, Quote
from patternmind.drafting.identity import build_draft
from patternmind.evals.datasets.corpora import read_quoted_corpora
from patternmind.evals.datasets.planted_quotes import PlantedQuote, edge_case, normalize_quote, plant_quotes
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreDirection, ScoreUnit
from patternmind.evals.scorers.shares import wilson_interval
from patternmind.evals.steps.network_runs import NetworkRun
from patternmind.grounding import ground
from patternmind.services import prereading_builder
from patternmind.services.exports import export_rows

EVAL = "grounding"
DATASET = "planted quotes"

MIN_RECALL = 0.995
"""Limit for true quotes (issue 4). They include typographic marks, spaces and normal forms."""

DEFAULT_DRAFTS = 10_000


def score_exported_quotes(network: NetworkRun, *, max_prereadings: int | None = None) -> list[Score]:
    """Compare every quote of every exported draft with the exported cases.

    A pre-reading of each theme is built first and counts as a draft.

    Args:
        max_prereadings: build pre-readings of the largest themes only; each takes seconds with many long cases.
    """
    store = network.ctx.store
    active_themes = [theme for theme in store.themes.list_all() if theme.case_ids]
    for theme in active_themes[:max_prereadings]:
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
    """A planted quote and the result of ``ground``. ``grounded_quote`` is ``None`` if ``ground`` refused the quote."""

    planted: PlantedQuote
    grounded_quote: Quote | None


def score_planted_quotes(
    planted: Iterable[PlantedQuote], cases: Sequence[Case], *, dataset: str = DATASET
) -> list[Score]:
    """Score ``ground`` as a detector of false quotes.

    The scores are recall, precision, and the share of accepted quotes that are exact slices.
    """
    by_id = {case.id: case for case in [*cases, edge_case()]}
    verdicts = [
        QuoteVerdict(quote, ground_quote(Claim(text="Planted.", field="", quotes=(quote.quote,)), by_id))
        for quote in planted
    ]
    false = [verdict for verdict in verdicts if verdict.planted.should_keep is False]
    true = [verdict for verdict in verdicts if verdict.planted.should_keep]
    refused_false = [verdict for verdict in false if verdict.grounded_quote is None]
    refused_true = [verdict for verdict in true if verdict.grounded_quote is None]
    accepted = [verdict for verdict in verdicts if verdict.grounded_quote is not None]
    n_refused = len(refused_false) + len(refused_true)
    n_exact = sum(_is_kept_as_slice(verdict, by_id) for verdict in accepted)
    missed = _count_alterations([verdict for verdict in false if verdict.grounded_quote is not None])
    decidable = [verdict for verdict in accepted if verdict.planted.should_keep is not None]
    n_alterations = len({verdict.planted.alteration for verdict in false})
    return [
        _share_score(
            dataset, "false quotes refused (recall)", len(refused_false), len(false), f"in {n_alterations} ways", missed
        ),
        _share_score(
            dataset,
            "refused quotes false (precision)",
            len(refused_false),
            n_refused,
            "",
            _count_alterations(refused_true),
        ),
        _share_score(dataset, "kept quotes that are slices", n_exact, len(accepted), ""),
        _share_score(
            dataset, "accepted quotes true (precision)", len(true) - len(refused_true), len(decidable), "", missed
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


def ground_quote(claim: Claim, cases: Mapping[str, Case], *, model: str = NO_AI) -> Quote | None:
    """Ground a claim in a draft of its own; return its first quote, or ``None`` if ``ground`` refuses the claim."""
    provenance = Provenance(run_id="", model=model)
    draft = build_draft(DraftKind.PATTERN, None, "", {}, [claim], provenance)
    claims = ground(draft, cases).draft.claims
    return claims[0].quotes[0] if claims else None


def _is_kept_as_slice(verdict: QuoteVerdict, cases: Mapping[str, Case]) -> bool:
    """Return true if the accepted quote is an exact slice of its source.

    It must also say the same as the planted quote.
    """
    quote = verdict.grounded_quote
    if quote is None:
        return False
    source = cases[quote.case_id].text[quote.field]
    return source[quote.start : quote.end] == quote.text and normalize_quote(quote.text) == normalize_quote(
        verdict.planted.quote.text
    )


def _misplaced_score(verdicts: Sequence[QuoteVerdict], dataset: str) -> Score:
    """Score true text that names another field of its case. Accepting and refusing it are both right."""
    misplaced = [verdict for verdict in verdicts if verdict.planted.should_keep is None]
    n_found = sum(verdict.grounded_quote is not None for verdict in misplaced)
    value = n_found / len(misplaced) if misplaced else 0.0
    note = f"{n_found} of {len(misplaced)}"
    name = "found under another field"
    return Score(EVAL, dataset, name, value, direction=ScoreDirection.NONE, note=note)


def _count_alterations(verdicts: Sequence[QuoteVerdict]) -> str:
    return ", ".join(
        f"{alteration}: {n}"
        for alteration, n in Counter(verdict.planted.alteration for verdict in verdicts).most_common(5)
    )


def _share_score(
    dataset: str, name: str, n_hits: int, n_total: int, unit: str, failures: str = "", *, limit: float = 1.0
) -> Score:
    """Return a share with the given limit; the note lists the alterations that failed."""
    low, high = wilson_interval(n_hits, n_total)
    counts = f"{n_hits} of {n_total}" + (f" {unit}" if unit else "") + f"; 95 % {low:.4f}-{high:.4f}"
    note = counts + (f"; wrong: {failures}" if failures else "")
    return Score(
        EVAL, dataset, name, n_hits / n_total if n_total else 0.0, unit=ScoreUnit.SHARE, limit=limit, note=note
    )


def _measure_corpora(corpora: Path, *, n_drafts: int, seed: int) -> Iterator[Score]:
    """Score up to ``n_drafts`` planted quotes of each corpus, from as many sentences as needed."""
    for name, cases in read_quoted_corpora(corpora):
        planted = islice(plant_quotes(cases, n_sentences=n_drafts, seed=seed), n_drafts)
        yield from score_planted_quotes(planted, cases, dataset=f"{DATASET} in {name}")


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description="Figure 3: quotes altered or left true, as drafts of one claim each.")
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--drafts", type=int, default=DEFAULT_DRAFTS)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for score in _measure_corpora(args.corpora, n_drafts=args.drafts, seed=args.seed):
        sys.stdout.write(f"{score.dataset}: {score.name} {score.value:.4f} ({score.note})\n")

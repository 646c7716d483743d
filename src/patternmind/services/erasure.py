"""Erase or withdraw a case: from every table, from derived texts and from the files; only its id stays."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np

from patternmind.domain import theme_counts
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import NO_AI, Decision, Draft, DraftKind, Quote
from patternmind.domain.members import require_actor
from patternmind.domain.themes import Lineage, Theme
from patternmind.embedding.lenses import LENSES, lens_text
from patternmind.embedding.vectors import text_hash
from patternmind.errors import NotFound
from patternmind.ingestion.cases import case_id_for
from patternmind.ports import Clock, Erasure, Store, TextRewrite, Withdrawal
from patternmind.quote_repair import DraftRewriter, UniqueTerms, withdraw_quote
from patternmind.services.reviews import build_patterns, list_all_drafts


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureResult:
    """Effect of erasing a case, and the ids of cases that may still reveal it.

    ``n_quotes`` quotes were withdrawn in ``n_drafts`` drafts. ``again`` is True if the case was erased before and only
    the files were cleaned. ``same`` are other cases with its text; ``linked`` are cases and recaps that name it.
    """

    case_id: str
    n_quotes: int = 0
    n_drafts: int = 0
    again: bool = False
    same: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()


def find_erasure(store: Store, case_id: str) -> Erasure | None:
    """Return the erasure of a case by id or external id; None if it exists or never did."""
    ids = _possible_ids(store, case_id)
    return next((erasure for erasure in store.cases.erasures() if erasure.case_id in ids), None)


def erase_case(store: Store, clock: Clock, case_id: str, *, actor: str) -> ErasureResult:
    """Erase a case by id or external id. For a case erased before, clean the files again.

    Raises:
        NotFound: The case does not exist and never did.
        UsageError: The actor is missing.
        StoreUnavailable: The rows are gone, but another process prevents cleaning the file. Repeat the call.
    """
    actor = require_actor(actor)
    try:
        case = store.cases.get(case_id)
    except NotFound:
        if (withdrawal := find_withdrawal(store, case_id)) is not None:
            store.erase_case(withdrawal.case_id, _NO_REWRITE, kept_text_hashes=(), actor=actor, at=clock.now())
            store.purge_deleted()
            return ErasureResult(case_id=withdrawal.case_id)
        if (erasure := find_erasure(store, case_id)) is None:
            raise
        store.purge_deleted()
        return ErasureResult(case_id=erasure.case_id, again=True)
    result = _remove_case(store, clock, case, actor=actor, remove=store.erase_case)
    store.purge_deleted()
    return result


def find_withdrawal(store: Store, case_id: str) -> Withdrawal | None:
    """Return the withdrawal of a case by id or external id; None if it exists or never did."""
    ids = _possible_ids(store, case_id)
    return next((withdrawal for withdrawal in store.cases.withdrawals() if withdrawal.case_id in ids), None)


def _possible_ids(store: Store, id_or_external_id: str) -> set[str]:
    network_id = store.network.get().id
    return {id_or_external_id, *(case_id_for(id_or_external_id, kind=kind, network_id=network_id) for kind in CaseKind)}


def withdraw_case(store: Store, clock: Clock, case_id: str, *, actor: str) -> ErasureResult:
    """Hide a case from people and from later runs, and withdraw its quotes. It can be restored.

    Raises:
        NotFound: The case does not exist, or is withdrawn already.
        UsageError: The actor is missing.
    """
    actor = require_actor(actor)
    return _remove_case(store, clock, store.cases.get(case_id), actor=actor, remove=store.withdraw_case)


class _RemoveCase(Protocol):
    """Store method that removes a case: permanently, or so that it can be restored."""

    def __call__(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None: ...


def _remove_case(store: Store, clock: Clock, case: Case, *, actor: str, remove: _RemoveCase) -> ErasureResult:
    others = [
        replace(other, duplicate_of=None) if other.duplicate_of == case.id else other
        for other in store.cases.list_all()
        if other.id != case.id
    ]
    unique_terms = UniqueTerms.from_texts(_texts(case), (text for other in others for text in _texts(other)))
    quotes = [
        (draft.id, quote)
        for draft, _, _ in store.drafts.list_all(current=False)
        for claim in draft.claims
        for quote in claim.quotes
        if quote.case_id == case.id
    ]
    rewrite = TextRewrite(
        rewrite_theme=_ThemeWithoutCase(store, case, {other.id: other for other in others}, unique_terms).without_case,
        rewrite_name=unique_terms.withdraw_from_name,
        rewrite_text=unique_terms.withdraw_terms,
        rewrite_draft=lambda draft, log: _rewrite_draft(draft, log, case.id, unique_terms),
    )
    kept_text_hashes = {text_hash(lens_text(other, lens)) for other in others for lens in LENSES}
    remove(
        case.id,
        rewrite,
        kept_text_hashes=kept_text_hashes | _retained_pattern_hashes(store, case.id),
        actor=actor,
        at=clock.now(),
    )
    names = {case.id, case.external_id} - {None}
    return ErasureResult(
        case_id=case.id,
        n_quotes=len(quotes),
        n_drafts=len({draft_id for draft_id, _ in quotes}),
        same=tuple(other.id for other in others if case.content_hash and other.content_hash == case.content_hash),
        linked=tuple(other.id for other in others if names & set(other.linked_cases)),
    )


_NO_REWRITE = TextRewrite(
    rewrite_theme=lambda theme: theme,
    rewrite_name=lambda name: name,
    rewrite_text=lambda words: words,
    rewrite_draft=lambda draft, log: (draft, log),
)


def _texts(case: Case) -> list[str]:
    return [*case.text.values(), *case.extra.values(), *case.facts.values()]


def _rewrite_draft(
    draft: Draft, log: tuple[Decision, ...], case_id: str, unique_terms: UniqueTerms
) -> tuple[Draft, tuple[Decision, ...]]:
    """Remove a case from a draft and its log.

    A model may have used the case's words in any line; the drafter without a model only quotes.
    """

    def requote(quote: Quote) -> Quote:
        return withdraw_quote(quote) if quote.case_id == case_id else quote

    may_paraphrase = case_id in draft.provenance.case_ids and draft.provenance.model != NO_AI
    rewriter = DraftRewriter(
        rewrite_quote=requote,
        rewrite_name=unique_terms.withdraw_from_name,
        rewrite_machine_text=unique_terms.withdraw_terms if may_paraphrase else unique_terms.withdraw_sentences,
        rewrite_user_text=unique_terms.withdraw_terms,
        text_versions={},
    )
    return rewriter.rewrite(draft, log)


def _retained_pattern_hashes(store: Store, case_id: str) -> set[str]:
    """Return the text hashes of patterns that do not depend on the case."""
    patterns = build_patterns(list_all_drafts(store, kind=DraftKind.PATTERN))
    return {
        text_hash(f"{pattern.name}\n{pattern.fields.get('patlet', '')}")
        for pattern in patterns
        if case_id not in pattern.provenance.case_ids
    }


@dataclass(frozen=True, slots=True)
class _ThemeWithoutCase:
    """Removes a case from themes: ids, words, counts and centroid."""

    store: Store
    case: Case
    others: Mapping[str, Case]
    unique_terms: UniqueTerms

    def without_case(self, theme: Theme) -> Theme:
        remaining = self._other_ids(theme.case_ids)
        rewritten = replace(
            theme,
            name=self.unique_terms.withdraw_from_name(theme.name),
            gist="" if self._is_unique_gist(theme.gist) else theme.gist,
            keywords=self._other_phrases(theme.keywords),
            differs_by=self._other_phrases(theme.differs_by),
            case_ids=remaining,
            exemplars=self._other_ids(theme.exemplars),
            edge_case=None if theme.edge_case == self.case.id else theme.edge_case,
            unseen_case_ids=self._other_ids(theme.unseen_case_ids),
            former_exemplars=self._other_ids(theme.former_exemplars),
        )
        if self.case.id not in (*theme.case_ids, *theme.unseen_case_ids):
            return rewritten
        rewritten = replace(
            rewritten,
            centre=self._centroid(rewritten),
            lineage=theme.lineage if remaining or not theme.case_ids else Lineage.DORMANT,
        )
        return self._with_counts(rewritten) if theme.n_cases else rewritten

    def _other_ids(self, ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(id for id in ids if id != self.case.id)

    def _other_phrases(self, phrases: Sequence[str]) -> tuple[str, ...]:
        return tuple(phrase for phrase in phrases if not self.unique_terms.occur_in(phrase))

    def _is_unique_gist(self, gist: str) -> bool:
        """Return True if the sentence, or a term in it, is unique to this case."""
        if not gist or self.unique_terms.withdraw_terms(gist) != gist:
            return bool(gist)
        if not any(gist in text for text in self.case.text.values()):
            return False
        return not any(gist in text for other in self.others.values() for text in other.text.values())

    def _centroid(self, theme: Theme) -> tuple[float, ...]:
        """Return the unit-norm mean of the remaining members.

        From the old centroid and those members, the vector of the erased case could be computed.
        """
        hashes = [
            text_hash(lens_text(self.others[id], theme.lens))
            for id in sorted({*theme.case_ids, *theme.unseen_case_ids} & self.others.keys())
        ]
        vectors_by_hash = self.store.vectors.get_many(theme.encoder, hashes)
        vectors = [vectors_by_hash[key] for key in hashes if key in vectors_by_hash]
        total = np.stack(vectors).astype(np.float64).sum(axis=0) if vectors else np.zeros(1)
        length = float(np.linalg.norm(total))
        return tuple(float(x) for x in np.asarray(total / length, np.float32)) if length else ()

    def _with_counts(self, theme: Theme) -> Theme:
        counts = theme_counts.count_once([self.others[id] for id in theme.case_ids if id in self.others])
        return replace(
            theme,
            n_cases=len(counts.cases),
            n_teams=counts.n_teams,
            n_contributors=counts.n_contributors,
            trend=theme_counts.trend_by_quarter(counts.cases),
        )

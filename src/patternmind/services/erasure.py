"""Erasing a case: out of every table, out of what was made of it, out of the files; its id alone stays."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np

from patternmind.domain import theme_counts
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import (
    NO_AI,
    Decision,
    Draft,
    DraftKind,
    Quote,
)
from patternmind.domain.themes import Lineage, Theme
from patternmind.embedding.lenses import LENSES, lens_text, text_hash
from patternmind.errors import NotFound, UsageError
from patternmind.ingestion.cases import case_id_for
from patternmind.ports import (
    Clock,
    Erasure,
    Store,
    TextRewrite,
    Withdrawal,
)
from patternmind.quote_repair import DraftRewriter, UniqueTerms, withdraw_quote
from patternmind.services.reviews import build_patterns, list_all_drafts


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureResult:
    """What erasing a case did, and what it could not.

    ``n_quotes`` were withdrawn in ``n_drafts``; ``again`` says that the case was gone already and the files were
    cleaned once more. ``same`` are ids of other cases with its text, ``linked`` of cases and recaps that name it.
    """

    case_id: str
    n_quotes: int = 0
    n_drafts: int = 0
    again: bool = False
    same: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()


def find_erasure(store: Store, case_id: str) -> Erasure | None:
    """The erasure of a case, by its id or its external id; None where it is here, or never was."""
    ids = {case_id, *(case_id_for(case_id, kind=kind, network_id=store.network.id) for kind in CaseKind)}
    return next((one for one in store.erasures() if one.case_id in ids), None)


def erase_case(store: Store, clock: Clock, case_id: str, *, actor: str) -> ErasureResult:
    """Erase a case, by its id or its external id. One that was erased before has the files cleaned again.

    Raises:
        NotFound: it is not here and never was.
        UsageError: nobody says who erases it.
        StoreUnavailable: the rows are gone, but another process keeps the file from being cleaned: do it again.
    """
    if not actor.strip():
        raise UsageError("Every erasure is a named person's: say who erases with --by.")
    try:
        case = store.case(case_id)
    except NotFound:
        if (hidden := find_withdrawal(store, case_id)) is not None:
            store.erase_case(hidden.case_id, _NO_REWRITE, kept_text_hashes=(), actor=actor.strip(), at=clock.now())
            store.purge_deleted()
            return ErasureResult(case_id=hidden.case_id)
        if (gone := find_erasure(store, case_id)) is None:
            raise
        store.purge_deleted()
        return ErasureResult(case_id=gone.case_id, again=True)
    told = _remove_case(store, clock, case, actor=actor.strip(), remove=store.erase_case)
    store.purge_deleted()
    return told


def find_withdrawal(store: Store, case_id: str) -> Withdrawal | None:
    """The withdrawal of a case, by its id or its external id; None where it is here, or never was."""
    ids = {case_id, *(case_id_for(case_id, kind=kind, network_id=store.network.id) for kind in CaseKind)}
    return next((one for one in store.withdrawals() if one.case_id in ids), None)


def withdraw_case(store: Store, clock: Clock, case_id: str, *, actor: str) -> ErasureResult:
    """Take a case out of everything people and machines look at, its quotes withdrawn; it can be put back.

    Raises:
        NotFound: it is not here, or withdrawn already.
        UsageError: nobody says who withdraws it.
    """
    if not actor.strip():
        raise UsageError("Every withdrawal is a named person's: say who withdraws it.")
    return _remove_case(store, clock, store.case(case_id), actor=actor.strip(), remove=store.withdraw_case)


class _RemoveCase(Protocol):
    """How a case goes: for good, or so that it can be put back."""

    def __call__(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None: ...


def _remove_case(store: Store, clock: Clock, case: Case, *, actor: str, remove: _RemoveCase) -> ErasureResult:
    others = [
        replace(one, duplicate_of=None) if one.duplicate_of == case.id else one
        for one in store.cases()
        if one.id != case.id
    ]
    traces = UniqueTerms.from_texts(_texts(case), (text for one in others for text in _texts(one)))
    quotes = [
        (draft.id, quote)
        for draft, _, _ in store.drafts(current=False)
        for claim in draft.claims
        for quote in claim.quotes
        if quote.case_id == case.id
    ]
    retelling = TextRewrite(
        theme=_ThemeWithoutCase(store, case, {one.id: one for one in others}, traces).theme,
        name=traces.withdraw_from_name,
        words=traces.withdraw_terms,
        draft=lambda draft, log: _rewrite_draft(draft, log, case.id, traces),
    )
    kept = {text_hash(lens_text(one, lens)) for one in others for lens in LENSES}
    remove(
        case.id,
        retelling,
        kept_text_hashes=kept | _retained_pattern_hashes(store, case.id),
        actor=actor,
        at=clock.now(),
    )
    names = {case.id, case.external_id} - {None}
    return ErasureResult(
        case_id=case.id,
        n_quotes=len(quotes),
        n_drafts=len({draft_id for draft_id, _ in quotes}),
        same=tuple(one.id for one in others if case.content_hash and one.content_hash == case.content_hash),
        linked=tuple(one.id for one in others if names & set(one.linked_cases)),
    )


_NO_REWRITE = TextRewrite(
    theme=lambda theme: theme, name=lambda name: name, words=lambda words: words, draft=lambda draft, log: (draft, log)
)


def _texts(case: Case) -> list[str]:
    return [*case.text.values(), *case.extra.values(), *case.facts.values()]


def _rewrite_draft(
    draft: Draft, log: tuple[Decision, ...], case_id: str, unique_terms: UniqueTerms
) -> tuple[Draft, tuple[Decision, ...]]:
    """A draft without the case. A model may have put its words into any line; the drafter without one only quotes."""

    def requote(quote: Quote) -> Quote:
        return withdraw_quote(quote) if quote.case_id == case_id else quote

    stood_on = {name.partition("@")[0] for name in draft.provenance.inputs}
    retold = case_id in stood_on and draft.provenance.model != NO_AI
    teller = DraftRewriter(
        rewrite_quote=requote,
        rewrite_name=unique_terms.withdraw_from_name,
        rewrite_machine_text=unique_terms.withdraw_terms if retold else unique_terms.withdraw_sentences,
        rewrite_user_text=unique_terms.withdraw_terms,
        text_versions={},
    )
    return teller.rewrite(draft, log)


def _retained_pattern_hashes(store: Store, case_id: str) -> set[str]:
    """The texts of patterns that search knows by their vectors, of those that the case has no part in."""
    patterns = build_patterns(list_all_drafts(store, kind=DraftKind.PATTERN))
    return {
        text_hash(f"{one.name}\n{one.fields.get('patlet', '')}")
        for one in patterns
        if all(name.partition("@")[0] != case_id for name in one.provenance.inputs)
    }


@dataclass(frozen=True, slots=True)
class _ThemeWithoutCase:
    """Themes without the case: ids, words, counts and centre."""

    store: Store
    case: Case
    others: Mapping[str, Case]
    unique_terms: UniqueTerms

    def theme(self, theme: Theme) -> Theme:
        left = self._ids(theme.case_ids)
        told = replace(
            theme,
            name=self.unique_terms.withdraw_from_name(theme.name),
            gist="" if self._is_unique_gist(theme.gist) else theme.gist,
            keywords=self._phrases(theme.keywords),
            differs_by=self._phrases(theme.differs_by),
            case_ids=left,
            exemplars=self._ids(theme.exemplars),
            edge_case=None if theme.edge_case == self.case.id else theme.edge_case,
            unseen_case_ids=self._ids(theme.unseen_case_ids),
            former_exemplars=self._ids(theme.former_exemplars),
        )
        if self.case.id not in (*theme.case_ids, *theme.unseen_case_ids):
            return told
        told = replace(told, centre=self._centroid(told))
        told = replace(told, lineage=theme.lineage if left or not theme.case_ids else Lineage.DORMANT)
        return self._with_counts(told) if theme.n_cases else told

    def _ids(self, ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(id for id in ids if id != self.case.id)

    def _phrases(self, phrases: Sequence[str]) -> tuple[str, ...]:
        return tuple(phrase for phrase in phrases if not self.unique_terms.occur_in(phrase))

    def _is_unique_gist(self, gist: str) -> bool:
        """Whether the sentence stands in this case and in no other, or says what only this case says."""
        if not gist or self.unique_terms.withdraw_terms(gist) != gist:
            return bool(gist)
        if not any(gist in text for text in self.case.text.values()):
            return False
        return not any(gist in text for one in self.others.values() for text in one.text.values())

    def _centroid(self, theme: Theme) -> tuple[float, ...]:
        """The unit-norm mean of the members that are left: with the old one, and them, the case's could be reckoned."""
        hashes = [
            text_hash(lens_text(self.others[id], theme.lens))
            for id in sorted({*theme.case_ids, *theme.unseen_case_ids} & self.others.keys())
        ]
        known = self.store.vectors(theme.encoder, hashes)
        told = [known[key] for key in hashes if key in known]
        total = np.stack(told).astype(np.float64).sum(axis=0) if told else np.zeros(1)
        length = float(np.linalg.norm(total))
        return tuple(float(x) for x in np.asarray(total / length, np.float32)) if length else ()

    def _with_counts(self, theme: Theme) -> Theme:
        counts = theme_counts.count_cases([self.others[id] for id in theme.case_ids if id in self.others])
        return replace(
            theme,
            n_cases=len(counts.cases),
            n_teams=counts.n_teams,
            n_contributors=counts.n_contributors,
            trend=theme_counts.trend_by_quarter(counts.cases),
        )


__all__ = ["ErasureResult", "erase_case", "find_erasure"]

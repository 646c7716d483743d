"""Export rows of assignments, map, cases, themes, drafts and patterns, within consent and publishing limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from patternmind.domain.cases import Case, is_publishable
from patternmind.domain.drafts import NO_AI, Claim, Draft, Pattern, ReviewedDraft, fields_of, state_of
from patternmind.domain.themes import Assignment, Theme, stability_label
from patternmind.drafting.patterns import NO_PATTERN
from patternmind.embedding.lenses import check_lens
from patternmind.errors import UsageError
from patternmind.ingestion.redaction.redactor import redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ports import Store
from patternmind.publishing.confidential_phrases import WITHHELD_MARK, ConfidentialPhrases, iter_texts
from patternmind.publishing.prereading import claim_record, provenance_record
from patternmind.publishing.publication_rules import MIN_SUBSTRING_CHARS, redact_for_export
from patternmind.services.playbook import collect_playbook
from patternmind.services.reviews import list_all_drafts
from patternmind.services.theme_map import map_rows

Row = dict[str, Any]

NETWORK_ONLY_NOTE = "network only"

DRAFT_NAME_PREFIXES = ("Pre-reading: ", "Recap: ")
"""Name prefixes of drafts that are named after a theme, a topic or a case."""

EXPORT_NAMES = ("assignments", "map", "cases", "themes", "drafts", "patterns")


def export_rows(store: Store, name: str, *, lens: str | None = None) -> Iterator[Row]:
    """Return the rows of one kind, in a fixed order.

    Args:
        lens: Lens of themes, assignments or map; None for the lens of the last run. Other kinds belong to no lens.

    Raises:
        UsageError: The kind or lens is unknown, or the kind belongs to no lens.
    """
    of_lens = {"assignments": _assignment_rows, "map": map_rows, "themes": _theme_rows}
    of_network = {"cases": _case_rows, "drafts": _draft_rows, "patterns": _pattern_rows}
    if name not in of_lens and name not in of_network:
        raise UsageError(f'Unknown export "{name}". Choose one of: {", ".join(EXPORT_NAMES)}.')
    if lens is not None:
        check_lens(lens)
    if name in of_lens:
        return _redact_rows(store, of_lens[name](store, lens))
    if lens is not None:
        raise UsageError(f'The export "{name}" does not depend on a lens. Leave the lens out.', field="lens")
    rows = of_network[name](store)
    return rows if name == "cases" else _redact_rows(store, rows)


def _redact_rows(store: Store, rows: Iterator[Row]) -> Iterator[Row]:
    """Redact rows again: their texts may be older than the current roster.

    Cases do not need this: a change of the roster redacts them again.
    """
    roster = Roster.of(store.network.roster())
    return (redact_values(row, roster) for row in rows)


def _assignment_rows(store: Store, lens: str | None) -> Iterator[Row]:
    external_ids = {case.id: case.external_id for case in store.cases.list_all()}
    for assignment in store.runs.assignments(lens):
        yield assignment_row(assignment, external_ids.get(assignment.case_id))


def assignment_row(assignment: Assignment, external_id: str | None) -> Row:
    row: Row = {"case_id": assignment.case_id, "external_id": external_id, **asdict(assignment)}
    return {name: value for name, value in row.items() if name not in {"x", "y"}}


def _case_rows(store: Store) -> Iterator[Row]:
    """Yield every case, redacted. A network-only case keeps its row, without text."""
    for case in store.cases.list_all():
        row: Row = {
            "case_id": case.id,
            "external_id": case.external_id,
            "kind": case.kind.value,
            "text": dict(case.text) if case.is_publishable else {},
            "date": case.date.isoformat() if case.date else None,
            "team": case.team,
            "consent": case.consent.value,
            "flags": list(case.flags),
            "near_duplicate_of": case.duplicate_of,
            "extra": dict(case.extra) if case.is_publishable else {},
        }
        yield row if case.is_publishable else {**row, "withheld": NETWORK_ONLY_NOTE}


def theme_row(theme: Theme, size: int | None = None) -> Row:
    """Return a theme as in ``patternmind themes --json``.

    ``size`` counts every member, ``n_cases`` counts duplicates and recaps of listed cases once.

    Args:
        size: Number of members of a theme that was read without them.
    """
    return {
        "theme_id": theme.id,
        "name": theme.name,
        "gist": theme.gist,
        "size": len(theme.case_ids) if size is None else size,
        "n_cases": theme.n_cases,
        "n_teams": theme.n_teams,
        "n_contributors": theme.n_contributors,
        "one_contributor": theme.one_contributor,
        "keywords": list(theme.keywords),
        "exemplars": list(theme.exemplars),
        "edge_case": theme.edge_case,
        "lineage": theme.lineage.value,
        "area_id": theme.area_id,
        "lens": theme.lens,
        "new_cases": theme.new_cases,
        "share": round(theme.share, 4),
        "stability": round(theme.stability, 4),
        "tentative": theme.tentative,
        "steadiness": stability_label(theme.stability, tentative=theme.tentative),
        "cohesion": round(theme.cohesion, 4),
        "nearest_theme_id": theme.nearest_theme_id,
        "differs_by": list(theme.differs_by),
        "trend": dict(theme.trend),
    }


def _theme_rows(store: Store, lens: str | None) -> Iterator[Row]:
    """Yield every theme; network-only names and phrases are withheld."""
    themes = store.themes.list_all(lens)
    exported = redact_for_export(themes, {case.id: case for case in store.cases.list_all()})
    for theme, redacted in zip(themes, exported, strict=True):
        row = theme_row(redacted)
        yield row if redacted == theme else {**row, "withheld": NETWORK_ONLY_NOTE}


def _draft_rows(store: Store) -> Iterator[Row]:
    cases = store.cases.list_all()
    cases_by_id = {case.id: case for case in cases}
    rows = [draft_row(reviewed, cases_by_id) for reviewed in list_all_drafts(store)]
    confidential = ConfidentialPhrases.find_in(iter_texts(rows), cases)
    for row in rows:
        yield {
            **confidential.withhold(row),
            "name": _withhold_name(row["name"], confidential),
            "provenance": row["provenance"],
        }


def _withhold_name(name: str, confidential: ConfidentialPhrases) -> str:
    """Withhold the subject in a draft's name if only confidential cases contain its words."""
    kind, colon, subject = name.partition(": ") if name.startswith(DRAFT_NAME_PREFIXES) else ("", "", name)
    if name == NO_PATTERN or not (confidential.occurs_in_name(subject) or confidential.occurs_in(subject)):
        return name
    return f"{kind}{colon}{WITHHELD_MARK}"


def _pattern_rows(store: Store) -> Iterator[Row]:
    """Yield every accepted pattern; a withheld one has only its id and the reason."""
    selection = collect_playbook(store)
    for pattern in (*(published.pattern for published in selection.published), *selection.retired):
        yield _pattern_row(pattern)
    for withheld in selection.withheld:
        yield {"id": withheld.pattern_id, "kind": "pattern", "fields": {}, "claims": [], "withheld": withheld.reason}


def draft_row(reviewed: ReviewedDraft, cases: Mapping[str, Case] | None = None) -> Row:
    """Return a draft as reviewers see it, or with ``cases`` as exports do.

    Exports leave out claims and quotes from cases that are not publishable; left-out claims are counted.

    Args:
        cases: all current cases of the network by id; a missing one counts as withdrawn.
    """
    draft: Draft = reviewed.grounded.draft
    confidential_ids = frozenset[str]() if cases is None else _confidential_ids(draft, cases)
    by_model = draft.provenance.model != NO_AI
    hidden = {
        claim.text
        for claim in draft.claims
        if _is_withheld(claim.text, draft.claims, confidential_ids, is_by_model=by_model)
    }
    if by_model and not confidential_ids.isdisjoint(draft.provenance.case_ids):
        hidden |= set(iter_texts(draft.fields.get("reason", "")))
    content = _content_row(fields_of(reviewed), draft.claims, confidential_ids, hidden - {""})
    name = content["fields"].pop("name")
    return {
        "id": draft.id,
        "kind": draft.kind.value,
        "state": state_of(reviewed.decisions).value,
        "theme_id": draft.theme_id,
        "name": name,
        **content,
        "flags": [asdict(flag) for flag in reviewed.grounded.flags if flag.text not in hidden],
        "refused_claims": len(reviewed.grounded.refused_claims),
        "version": reviewed.version,
        "provenance": _provenance_row(draft),
    }


def _confidential_ids(draft: Draft, cases: Mapping[str, Case]) -> frozenset[str]:
    ids = {*draft.provenance.case_ids, *(quote.case_id for claim in draft.claims for quote in claim.quotes)}
    return frozenset(id for id in ids if not is_publishable(cases.get(id)))


def _pattern_row(pattern: Pattern) -> Row:
    return {
        "id": pattern.id,
        "kind": "pattern",
        "state": pattern.state.value,
        "theme_id": pattern.theme_id,
        "name": pattern.name,
        **_content_row(dict(pattern.fields), pattern.claims, frozenset(), set()),
        "reviewers": list(pattern.reviewers),
        "accepted_at": pattern.accepted_at.isoformat(),
        "version": pattern.version,
        "share_edited": round(pattern.share_edited, 4),
        "provenance": _provenance_row(pattern),
    }


def _content_row(
    fields: Mapping[str, Any], claims: Sequence[Claim], confidential_ids: frozenset[str], withheld_texts: set[str]
) -> Row:
    """Return fields and claims without the withheld claims, and without their text in any field."""
    exported = [claim for claim in claims if claim.text not in withheld_texts]
    return {
        "fields": {name: _without_texts(value, withheld_texts) for name, value in fields.items()},
        "claims": [claim_record(claim, without_cases=confidential_ids) for claim in exported],
        "withheld_claims": len(claims) - len(exported),
    }


def _is_withheld(text: str, claims: Sequence[Claim], confidential_ids: frozenset[str], *, is_by_model: bool) -> bool:
    """Return True if a claim with this text quotes only network-only cases.

    For a model's claim one such case is enough, because the model may mix their words.
    """
    quoting = [claim for claim in claims if claim.text == text and claim.quotes]
    is_enough = any if is_by_model else all
    return any(is_enough(quote.case_id in confidential_ids for quote in claim.quotes) for claim in quoting)


def _without_texts(value: str | Sequence[str], withheld_texts: set[str]) -> str | list[str]:
    if isinstance(value, str):
        return _replace_texts(value, withheld_texts)
    long = {text for text in withheld_texts if len(text) >= MIN_SUBSTRING_CHARS}
    return [_replace_texts(line, long) for line in value if line not in withheld_texts]


def _replace_texts(line: str, withheld_texts: set[str]) -> str:
    """Replace withheld texts in a line, longest first: a title may be part of a sentence."""
    for text in sorted(withheld_texts, key=len, reverse=True):
        line = line.replace(text, WITHHELD_MARK)
    return line


def _provenance_row(source: Draft | Pattern) -> Row:
    provenance = source.provenance
    cost = {"n_tokens": provenance.n_tokens, "cost_usd": provenance.cost_usd}
    return {**provenance_record(provenance), **cost}

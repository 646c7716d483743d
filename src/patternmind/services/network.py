"""What a network agreed on, and its roster."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from patternmind.domain.cases import Case, Consent, Submission
from patternmind.domain.drafts import Quote
from patternmind.domain.networks import (
    ROSTER_KINDS,
    Network,
    PublishingRule,
    RosterEntry,
)
from patternmind.domain.themes import Theme
from patternmind.embedding.lenses import LENSES, lens_text, text_hash
from patternmind.errors import UnreadableFile
from patternmind.ingestion.cases import make_case
from patternmind.ingestion.readers import read_rows
from patternmind.ingestion.redaction.phones import ALL_REGIONS, known_regions
from patternmind.ingestion.redaction.redactor import redact
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.rows import Row
from patternmind.ports import RosterChange, Store, TextRewrite
from patternmind.publishing.confidential_phrases import MAX_PHRASE_WORDS, QUOTATION_PATTERN
from patternmind.quote_repair import DraftRewriter, relocate_quote, withdraw_quote
from patternmind.services.validation import parse_enum


def update_network(
    store: Store,
    *,
    name: str = "",
    purpose: str = "",
    min_contributors: int | None = None,
    min_teams: int | None = None,
    default_consent: str | None = None,
) -> Network:
    """The network with what is named changed, and all else as it was."""
    before = store.network
    rule = PublishingRule(
        min_contributors=min_contributors or before.rule.min_contributors, min_teams=min_teams or before.rule.min_teams
    )
    consent = parse_enum(Consent, default_consent, "consent") if default_consent else before.default_consent
    after = replace(
        before, name=name or before.name, purpose=purpose or before.purpose, rule=rule, default_consent=consent
    )
    if after != before:
        store.save_network(after)
    return after


def import_roster(store: Store, path: Path) -> RosterChange:
    """Put the people, customers and sites of a file on the roster, and redact again what was taken in before.

    All in one transaction. People who are on the roster already are left, and all is redacted again even so: by the
    rules of this version, or because an earlier version was stopped between the two.

    Raises:
        UnreadableFile: not a table, a table without a column ``name``, or a row of a kind that no roster lists.
        RawTextLocked: raw text is sealed, and the key is not there.
    """
    named = [one for one in (_roster_row(row, path) for row in read_rows(path) if isinstance(row, Row)) if one[0]]
    if not named:
        raise UnreadableFile(path, "no row has a name", 'Give a CSV with the columns "name", "email" and "team"')
    return add_people(store, named)


def add_people(store: Store, people: Sequence[tuple[str, str | None, str | None]]) -> RosterChange:
    """Put (name, e-mail and handles, team) on the roster, and redact again what was taken in before they were known."""
    return store.extend_roster(people, partial(redact_with_roster, store))


def _roster_row(row: Row, path: Path) -> tuple[str, str | None, str | None]:
    values = {name.strip().casefold(): str(value).strip() for name, value in row.values.items() if value}
    name, kind = values.get("name", ""), values.get("kind", "person").casefold()
    if kind not in ROSTER_KINDS:
        raise UnreadableFile(
            path, f"row {row.row} is of no kind that is known", f"Write one of {', '.join(ROSTER_KINDS)}"
        )
    if kind == "region" and name.upper() not in {*known_regions(), ALL_REGIONS}:
        raise UnreadableFile(
            path, f"row {row.row} names no region", 'Write two letters (ISO 3166-1) such as NO, or "all"'
        )
    written = " ".join(filter(None, (values.get("email"), values.get("handle"), values.get("handles"))))
    return (name if kind == "person" or not name else f"{kind}: {name}"), written or None, values.get("team")


def redact_all(store: Store) -> int:
    """Redact all that is stored by the roster as it is now; the number of cases that changed."""
    return add_people(store, ()).changed


def redact_with_roster(
    store: Store, people: Sequence[RosterEntry]
) -> tuple[list[tuple[Submission, Case]], TextRewrite]:
    """All cases by a roster, and how all that was made of them is told then.

    Quotes move with their text, or are withdrawn where a name was found in them; the vectors of changed texts go.
    """
    roster = Roster.of(people)
    network, secret = store.network, store.secret()
    made = [
        (submission, make_case(submission, roster=roster, network_id=network.id, secret=secret)[0])
        for submission in store.submissions()
    ]
    kept = [
        (submission, case if "consent" in submission.facts else replace(case, consent=network.default_consent))
        for submission, case in made
    ]
    before = {case.id: case for case in store.cases()}
    changed = {case.id: case for _, case in kept if case.id in before and before[case.id].text != case.text}
    teller = DraftRewriter(
        rewrite_quote=lambda quote: _repair_quote(quote, before, changed),
        rewrite_name=lambda name: _without_name_phrases(name, roster),
        rewrite_machine_text=lambda text: _without_quoted_names(redact(text, roster).text, roster),
        rewrite_user_text=lambda text: _without_quoted_names(redact(text, roster).text, roster),
        text_versions={case_id: case.text_version for case_id, case in changed.items()},
    )
    retelling = TextRewrite(
        theme=lambda theme: _theme_without_names(theme, roster),
        name=teller.rewrite_name,
        words=teller.rewrite_machine_text,
        draft=teller.rewrite,
        vectors=frozenset(text_hash(lens_text(before[case_id], lens)) for case_id in changed for lens in LENSES),
    )
    return kept, retelling


def _repair_quote(quote: Quote, before: Mapping[str, Case], changed: Mapping[str, Case]) -> Quote:
    if quote.case_id not in changed:
        return quote
    old, new = before[quote.case_id].text.get(quote.field, ""), changed[quote.case_id].text.get(quote.field, "")
    return relocate_quote(quote, old, new) or withdraw_quote(quote)


def _without_quoted_names(text: str, roster: Roster) -> str:
    """A sentence of ours without the key phrases in it that name somebody; they are written small."""

    def told(found: re.Match[str]) -> str:
        phrase = found[1] or found[2]
        if len(phrase.split()) > MAX_PHRASE_WORDS or not contains_name(phrase, roster):
            return found[0]
        return found[0].replace(phrase, _without_name_phrases(phrase, roster))

    return QUOTATION_PATTERN.sub(told, text)


def _theme_without_names(theme: Theme, roster: Roster) -> Theme:
    """A theme whose texts hold no name of the roster; key phrases with a name in them go, the other words stay."""
    return replace(
        theme,
        name=_without_name_phrases(theme.name, roster),
        gist=redact(theme.gist, roster).text,
        keywords=tuple(word for word in theme.keywords if not contains_name(word, roster)),
        differs_by=tuple(word for word in theme.differs_by if not contains_name(word, roster)),
    )


def _without_name_phrases(name: str, roster: Roster) -> str:
    """A name made of key phrases without those that name somebody; the words that are left where all of them do."""
    phrases = name.split(", ")
    kept = [phrase for phrase in phrases if not contains_name(phrase, roster)]
    if kept:
        return ", ".join(kept)
    told = redact(name, roster).text
    return told if not contains_name(told, roster) else redact(name.title(), roster).text


def contains_name(phrase: str, roster: Roster) -> bool:
    """Key phrases are written small, and a first name alone counts only with its capital."""
    return bool(redact(phrase.title(), roster).counts or redact(phrase, roster).counts)

"""The roster of a network: additions, and redaction of new and stored texts with it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from patternmind.domain.cases import Case, Submission
from patternmind.domain.drafts import Quote
from patternmind.domain.networks import ROSTER_KINDS, RosterEntry
from patternmind.domain.themes import Theme
from patternmind.embedding.lenses import LENSES, lens_text
from patternmind.embedding.vectors import text_hash
from patternmind.errors import RosterChanged, UnreadableFile
from patternmind.ingestion.cases import make_case
from patternmind.ingestion.readers import read_rows
from patternmind.ingestion.redaction.phones import ALL_REGIONS, known_regions
from patternmind.ingestion.redaction.redactor import contains_name, redact
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.rows import Row
from patternmind.ports import RosterChange, Store, TextRewrite
from patternmind.publishing.confidential_phrases import MAX_PHRASE_WORDS, QUOTATION_PATTERN
from patternmind.quote_repair import DraftRewriter, relocate_quote, withdraw_quote

Result = TypeVar("Result")

MAX_ATTEMPTS = 5
"""Attempts to store redacted text while other requests change the roster."""


def with_current_roster(store: Store, write: Callable[[Sequence[RosterEntry]], Result]) -> Result:
    """Call ``write`` with the current roster; repeat if another request changes the roster meanwhile.

    Args:
        write: Redacts with the roster, and stores the result with its length as ``roster_version``.

    Raises:
        RosterChanged: The roster changed during all attempts.
    """
    for _ in range(MAX_ATTEMPTS - 1):
        with suppress(RosterChanged):
            return write(store.network.roster())
    return write(store.network.roster())


def redact_submissions(
    store: Store, submissions: Iterable[Submission], roster: Roster
) -> list[tuple[Submission, Case, Mapping[str, int]]]:
    """Make the redacted cases of submissions; return each with its submission and redaction counts by kind."""
    network, secret = store.network.get(), store.network.contributor_secret()
    return [
        (
            submission,
            *make_case(
                submission, roster=roster, network_id=network.id, secret=secret, default_consent=network.default_consent
            ),
        )
        for submission in submissions
    ]


def import_roster(store: Store, path: Path) -> RosterChange:
    """Add the entries of a file to the roster, and redact all stored texts again.

    All in one transaction. Texts are redacted again even if the roster has everyone already: the rules may be newer,
    and an earlier version could stop between the two steps.

    Raises:
        UnreadableFile: The file is not a table, has no column ``name``, or has a row of an unknown kind.
        RawTextKeyInvalid: Raw text is encrypted, and its key is not configured.
    """
    entries = [
        entry for entry in (_roster_row(row, path) for row in read_rows(path) if isinstance(row, Row)) if entry[0]
    ]
    if not entries:
        raise UnreadableFile(path, "no row has a name", 'Give a CSV with the columns "name", "email" and "team"')
    return add_people(store, entries)


def add_people(store: Store, people: Sequence[tuple[str, str | None, str | None]]) -> RosterChange:
    """Add (name, e-mail and handles, team) entries, and redact all stored texts again."""
    return store.extend_roster(people, partial(redact_with_roster, store))


def _roster_row(row: Row, path: Path) -> tuple[str, str | None, str | None]:
    values = {name.strip().casefold(): str(value).strip() for name, value in row.values.items() if value}
    name, kind = values.get("name", ""), values.get("kind", "person").casefold()
    if kind not in ROSTER_KINDS:
        raise UnreadableFile(
            path, f'row {row.row} has the unknown kind "{kind}"', f"Write one of {', '.join(ROSTER_KINDS)}"
        )
    if kind == "region" and name.upper() not in {*known_regions(), ALL_REGIONS}:
        raise UnreadableFile(
            path,
            f'row {row.row} has the unknown region "{name}"',
            'Write two letters (ISO 3166-1) such as NO, or "all"',
        )
    contacts = " ".join(filter(None, (values.get("email"), values.get("handle"), values.get("handles"))))
    return (name if kind == "person" or not name else f"{kind}: {name}"), contacts or None, values.get("team")


def redact_with_roster(
    store: Store, people: Sequence[RosterEntry]
) -> tuple[list[tuple[Submission, Case]], TextRewrite]:
    """Redact all cases with a roster; return them and the rewrite of derived texts.

    Quotes move with their text, or are withdrawn if a name is in them. The vectors of changed texts are deleted.
    """
    roster = Roster.of(people)
    redacted = [
        (submission, case) for submission, case, _ in redact_submissions(store, store.submissions.list_all(), roster)
    ]
    before = {case.id: case for case in store.cases.list_all()}
    changed = {case.id: case for _, case in redacted if case.id in before and before[case.id].text != case.text}
    rewriter = DraftRewriter(
        rewrite_quote=lambda quote: _repair_quote(quote, before, changed),
        rewrite_name=lambda name: _without_name_phrases(name, roster),
        rewrite_machine_text=lambda text: _without_quoted_names(redact(text, roster).text, roster),
        rewrite_user_text=lambda text: _without_quoted_names(redact(text, roster).text, roster),
        text_versions={case_id: case.text_version for case_id, case in changed.items()},
    )
    rewrite = TextRewrite(
        rewrite_theme=lambda theme: _theme_without_names(theme, roster),
        rewrite_name=rewriter.rewrite_name,
        rewrite_text=rewriter.rewrite_machine_text,
        rewrite_draft=rewriter.rewrite,
        dropped_text_hashes=frozenset(
            text_hash(lens_text(before[case_id], lens)) for case_id in changed for lens in LENSES
        ),
    )
    return redacted, rewrite


def _repair_quote(quote: Quote, before: Mapping[str, Case], changed: Mapping[str, Case]) -> Quote:
    if quote.case_id not in changed:
        return quote
    old, new = before[quote.case_id].text.get(quote.field, ""), changed[quote.case_id].text.get(quote.field, "")
    return relocate_quote(quote, old, new) or withdraw_quote(quote)


def _without_quoted_names(text: str, roster: Roster) -> str:
    """Remove names from the quoted key phrases of a machine-written sentence; key phrases are in lower case."""

    def redact_phrase(match: re.Match[str]) -> str:
        phrase = match[1] or match[2]
        if len(phrase.split()) > MAX_PHRASE_WORDS or not contains_name(phrase, roster):
            return match[0]
        return match[0].replace(phrase, _without_name_phrases(phrase, roster))

    return QUOTATION_PATTERN.sub(redact_phrase, text)


def _theme_without_names(theme: Theme, roster: Roster) -> Theme:
    """Redact the texts of a theme, and drop key phrases that contain a name."""
    return replace(
        theme,
        name=_without_name_phrases(theme.name, roster),
        gist=redact(theme.gist, roster).text,
        keywords=tuple(word for word in theme.keywords if not contains_name(word, roster)),
        differs_by=tuple(word for word in theme.differs_by if not contains_name(word, roster)),
    )


def _without_name_phrases(name: str, roster: Roster) -> str:
    """Drop the key phrases of a theme name that contain a person's name; if all do, redact the whole name."""
    phrases = [phrase for phrase in name.split(", ") if not contains_name(phrase, roster)]
    if phrases:
        return ", ".join(phrases)
    redacted = redact(name, roster).text
    return redacted if not contains_name(redacted, roster) else redact(name.title(), roster).text

"""The playbook: the patterns that may go out, a page each, with the way to them from the problem at hand."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from patternmind.model.breadth import counted
from patternmind.model.drafts import DraftState, Pattern
from patternmind.model.network import Network
from patternmind.model.themes import Theme
from patternmind.publish.document import (
    Block,
    Bullets,
    Contents,
    Document,
    Entry,
    Facts,
    Heading,
    Note,
    Numbered,
    Paragraph,
    Quote,
)
from patternmind.publish.fields import COUNTER, SAYS_NOTHING, lines_of, one_text, provenance_line, told
from patternmind.publish.rights import Published, Withheld

WHAT_IT_IS = (
    "Ways of working that recurred in this network's own cases. Each was proposed from those cases and accepted by a "
    "named person; every quote stands word for word in a case of a colleague, without names."
)
WHAT_IT_IS_NOT = (
    "It is no rule book and no ranking of people or teams. A pattern helped where it was tried: read when not to use "
    "it, and what speaks against it, before you rely on it."
)
NO_COUNTER_EVIDENCE = "None was found in these cases. That is no proof that it cannot fail."
NO_USES = "No use is recorded yet. If you try it, tell the network how it went."


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """An earlier version of the playbook, for the change log."""

    version: str
    date: dt.date
    text: str


def make_playbook(
    patterns: Sequence[Published],
    withheld: Sequence[Withheld],
    retired: Sequence[Pattern],
    *,
    network: Network,
    themes: Sequence[Theme],
    version: str = "0.1",
    date: dt.date,
    earlier: Sequence[Edition] = (),
) -> Document:
    """The whole playbook, patterns in the order given.

    Args:
        withheld: counted and their reasons told; no name or text of them is shown.
        retired: named in the retired list; ``rights.sort_patterns`` leaves out those that could never be published.
        earlier: former versions, newest first.
    """
    anchors = {one.pattern.id: _anchor(one.pattern, number) for number, one in enumerate(patterns, 1)}
    now = Edition(version=version, date=date, text=_this_edition(patterns))
    blocks: list[Block] = [*_front_page(patterns, withheld, network=network, version=version, date=date)]
    if patterns:
        blocks += _ways_in(patterns, anchors)
    for one in patterns:
        blocks += _pattern_page(one, anchors, patterns, themes)
    blocks += _change_log([now, *earlier])
    blocks += _retired_list(retired)
    return Document(
        kind="playbook",
        title=f"{network.name}: playbook" if network.name else "Playbook",
        blocks=tuple(blocks),
        front={
            "network": network.name,
            "version": version,
            "date": date.isoformat(),
            "patterns": tuple(one.pattern.id for one in patterns),
            "withheld": len(withheld),
            "retired": len(retired),
        },
    )


def _anchor(pattern: Pattern, number: int) -> str:
    return f"{re.sub('[^a-z0-9]+', '-', pattern.id.casefold()).strip('-') or 'pattern'}-{number}"


def _front_page(
    patterns: Sequence[Published], withheld: Sequence[Withheld], *, network: Network, version: str, date: dt.date
) -> Iterator[Block]:
    if network.purpose:
        yield Paragraph(network.purpose, lead=True)
    tested = sum(one.pattern.state is DraftState.FIELD_TESTED for one in patterns)
    number = f"{len(patterns)}, {tested} of them field-tested" if tested else str(len(patterns))
    yield Facts((("Version", version), ("Date", date.isoformat()), ("Patterns", number)))
    if not patterns:
        yield Paragraph(_why_empty(withheld))
        return
    yield Paragraph(WHAT_IT_IS)
    yield Paragraph(WHAT_IT_IS_NOT)
    if withheld:
        yield Note("Held back", _held_back(withheld))


def _why_empty(withheld: Sequence[Withheld]) -> str:
    if not withheld:
        return (
            "There is no pattern here yet, because none has been accepted. That is a normal beginning. Next: open the "
            "review desk, read the candidates beside their evidence, and accept the first one that you would tell a "
            "colleague to try."
        )
    return (
        f"There is no pattern here yet. {_held_back(withheld)} Next: ask other teams for a case of the same kind, and "
        "ask those whose case is for the network only whether it may be quoted without their name."
    )


def _held_back(withheld: Sequence[Withheld]) -> str:
    """How many and why, each reason once; nothing of the patterns themselves."""
    reasons = Counter(one.reason for one in withheld)
    told_reasons = " ".join(reason if n == 1 else f"{n} times: {reason}" for reason, n in reasons.items())
    verb = "is" if len(withheld) == 1 else "are"
    return f"{counted(len(withheld), 'pattern')} {verb} held back. {told_reasons}"


def _ways_in(patterns: Sequence[Published], anchors: Mapping[str, str]) -> list[Block]:
    situations = tuple(
        Entry(one.pattern.name, anchors[one.pattern.id], situation)
        for one in patterns
        for situation in dict.fromkeys(
            (*lines_of(one.pattern.fields, "problem"), *lines_of(one.pattern.fields, "signs_it_applies"))
        )
    )
    contents = tuple(Entry(one.pattern.name, anchors[one.pattern.id]) for one in patterns)
    blocks: list[Block] = [Heading(2, "Contents"), Contents("Patterns", contents)]
    if situations:
        blocks += [Heading(2, "What are you facing?"), Contents("Patterns by situation", situations)]
    return blocks


def _pattern_page(
    one: Published, anchors: Mapping[str, str], others: Sequence[Published], themes: Sequence[Theme]
) -> list[Block]:
    pattern, fields = one.pattern, one.pattern.fields
    return [
        Heading(2, pattern.name, anchors[pattern.id], new_page=True),
        Paragraph(one_text(fields, "patlet") or SAYS_NOTHING, lead=True),
        *_part("Context", fields, "context"),
        *_part("Problem", fields, "problem"),
        *_part("Forces", fields, "forces"),
        *_solution(fields),
        *_part("Signs that it applies", fields, "signs_it_applies"),
        *_part("Do not use when", fields, "do_not_use_when"),
        *_part("Consequences", fields, "consequences"),
        *_evidence(one),
        *_counter_evidence(one),
        *_part("Known uses", fields, "known_uses", empty=NO_USES),
        *_related(pattern, anchors, others),
        *_standing(one, themes),
    ]


def _part(
    title: str, fields: Mapping[str, str | tuple[str, ...]], name: str, *, empty: str = SAYS_NOTHING
) -> list[Block]:
    lines = lines_of(fields, name)
    if len(lines) > 1:
        return [Heading(3, title), Bullets(lines)]
    return [Heading(3, title), Paragraph(lines[0] if lines else empty)]


def _solution(fields: Mapping[str, str | tuple[str, ...]]) -> list[Block]:
    lines = lines_of(fields, "solution")
    if len(lines) < 2:
        return _part("Therefore", fields, "solution")
    return [Heading(3, "Therefore"), Numbered(lines)]


def _evidence(one: Published) -> list[Block]:
    quotes = (
        (quote.case_id, quote.text) for claim in one.pattern.claims if claim.field != COUNTER for quote in claim.quotes
    )
    said = [Quote(text, one.references.get(case_id, case_id)) for case_id, text in dict.fromkeys(quotes)]
    return [Heading(3, "Evidence, word for word"), *said]


def _counter_evidence(one: Published) -> list[Block]:
    claims = [claim for claim in one.pattern.claims if claim.field == COUNTER]
    lines = lines_of(one.pattern.fields, COUNTER)
    shown = told(lines, claims, one.references)
    return [Heading(3, "Counter-evidence"), *(shown or [Paragraph(NO_COUNTER_EVIDENCE)])]


def _related(pattern: Pattern, anchors: Mapping[str, str], others: Sequence[Published]) -> list[Block]:
    """Patterns of this playbook that the field names by theme or by id; a theme nobody published stays unnamed."""
    named = set(lines_of(pattern.fields, "related"))
    near = [other.pattern for other in others if other.pattern.id != pattern.id]
    found = [other for other in near if {other.id, other.name, other.theme_id or other.id} & named]
    if not found:
        return [Heading(3, "Related patterns"), Paragraph("None in this playbook yet.")]
    entries = tuple(Entry(other.name, anchors[other.id]) for other in found)
    return [Heading(3, "Related patterns"), Contents(f"Patterns related to {pattern.name}", entries)]


def _standing(one: Published, themes: Sequence[Theme]) -> list[Block]:
    pattern = one.pattern
    theme = next((theme for theme in themes if theme.id == pattern.theme_id), None)
    people = f"{counted(one.n_contributors, 'contributor')} in {counted(one.n_teams, 'team')}"
    rows = [
        ("Standing", "field-tested" if pattern.state is DraftState.FIELD_TESTED else "accepted"),
        ("Stands on", f"{counted(one.n_cases, 'case')} by {people}"),
        ("Theme", theme.name if theme else ""),
        ("Reviewed by", ", ".join(pattern.reviewers)),
        ("Version", f"{pattern.version}, accepted on {pattern.accepted_at.date().isoformat()}"),
        ("How it was written", provenance_line(pattern.provenance)),
        ("Changed by people", _share(pattern.share_edited)),
        ("Left out", _left_out(one)),
    ]
    return [Heading(3, "Where it stands"), Facts(tuple(row for row in rows if row[1]))]


def _share(share: float) -> str:
    percent = round(share * 100)
    return f"{percent} % of its words" if percent else "less than 1 % of its words" if share else "none of its words"


def _left_out(one: Published) -> str:
    if not one.n_cut_quotes:
        return ""
    return f"{counted(one.n_cut_quotes, 'quote')} that may not go out, and {counted(one.n_cut_lines, 'line')} with them"


def _this_edition(patterns: Sequence[Published]) -> str:
    if not patterns:
        return "No pattern yet."
    return f"{counted(len(patterns), 'pattern')}: {_names(one.pattern for one in patterns)}."


def _names(patterns: Iterable[Pattern]) -> str:
    return ", ".join(f"{one.name} (version {one.version})" for one in patterns)


def _change_log(editions: Sequence[Edition]) -> list[Block]:
    rows = tuple((f"{one.version}, {one.date.isoformat()}", one.text) for one in editions)
    return [Heading(2, "Change log", new_page=True), Facts(rows)]


def _retired_list(retired: Sequence[Pattern]) -> list[Block]:
    if not retired:
        return [Heading(2, "Retired patterns"), Paragraph("None. A pattern that no longer helps is listed here.")]
    lines = tuple(f"{one.name} (version {one.version}): no longer recommended." for one in retired)
    return [Heading(2, "Retired patterns"), Bullets(lines)]

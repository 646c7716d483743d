"""Output of drafts: a list, or one with its flags and decisions."""

from collections.abc import Mapping, Sequence
from typing import Any

from patternmind.cli.output import shorten, write_result
from patternmind.domain.drafts import ReviewedDraft
from patternmind.domain.wording import pluralize
from patternmind.services.exports import draft_row


def write_drafts(drafts: Sequence[ReviewedDraft], *, as_json: bool) -> None:
    rows = [draft_row(draft) for draft in drafts]
    message = "\n".join(map(_draft_line, rows)) or "No drafts yet. `patternmind run` creates them."
    write_result(rows, message, as_json=as_json)


def _draft_line(row: Mapping[str, Any]) -> str:
    flags = f"  ({pluralize(len(row['flags']), 'flag')})" if row["flags"] else ""
    return f"{row['id']}  {row['state']:<12}  {row['kind']:<12}  {row['name']}{flags}"


def write_draft(reviewed: ReviewedDraft, *, as_json: bool) -> None:
    row = draft_row(reviewed)
    lines = [f"{row['name']}  [{row['kind']}, {row['state']}, {row['provenance']['model']}]", ""]
    for name, value in row["fields"].items():
        lines += [
            f"{name.replace('_', ' ')}:",
            *(f"  {line}" for line in ([value] if isinstance(value, str) else value)),
        ]
    lines += ["", f"Claims: {len(row['claims'])} kept, {row['refused_claims']} refused."]
    lines += [_flag_line(flag) for flag in row["flags"]]
    for decision in reviewed.decisions:
        action = f"{decision.action.value} by {decision.by}"
        lines.append(f"{decision.at:%Y-%m-%d %H:%M}  {action}  {decision.reason or ''} {decision.note}")
    write_result(row, "\n".join(lines), as_json=as_json)


def _flag_line(flag: Mapping[str, str]) -> str:
    about = f" ({flag['field'].replace('_', ' ')}: {shorten(flag['text'], 60)})" if flag["text"] else ""
    return f"Check: {flag['doubt']}. {flag['reason']}{about}"

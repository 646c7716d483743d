"""Output of the commands: JSON alone on stdout with --json, else readable text; progress on stderr."""

import json
import os
import signal
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patternmind.domain.cases import IngestReport
from patternmind.domain.characters import strip_hidden
from patternmind.domain.networks import Network
from patternmind.domain.wording import pluralize

if TYPE_CHECKING:
    from types import FrameType

    from rich.console import Console

    from patternmind.diagnostics import CheckResult
    from patternmind.domain.calls import CallTotals
    from patternmind.domain.drafts import ReviewedDraft
    from patternmind.domain.themes import Assignment, Theme
    from patternmind.evals.report import EvalReport
    from patternmind.ports import Progress, RosterChange, RunRecord
    from patternmind.publishing.document import Document
    from patternmind.publishing.publication_rules import PlaybookSelection
    from patternmind.services.search import SearchResult
    from patternmind.storage.search.chroma import IndexCheck

MAX_REJECTED_SHOWN = 20
RETIRED_HEADING = "retired by a person"
"""Heading of the retired themes, which come last."""
NO_RUN_MESSAGE = "No runs yet. Import cases with `patternmind ingest`, then start a run with `patternmind run`.\n"
_NOUNS = {
    "card": ("card number", "card numbers"),
    "email": ("e-mail address", "e-mail addresses"),
    "iban": ("IBAN", "IBANs"),
    "id": ("ID number", "ID numbers"),
    "ip": ("IP address", "IP addresses"),
    "key": ("secret key", "secret keys"),
    "mac": ("MAC address", "MAC addresses"),
    "person": ("person", "people"),
    "phone": ("phone number", "phone numbers"),
}
"""Singular and plural of redacted kinds whose names need more than an s."""


def write_exact(text: str) -> None:
    """Write text for programs unchanged, as UTF-8, whatever the terminal's encoding is."""
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    sys.stdout.flush()


def write_text(text: str) -> None:
    """Write text for people, without characters that a terminal would act on."""
    write_exact(strip_hidden(text))


def write_json(value: Any) -> None:
    write_exact(json.dumps(value, ensure_ascii=False) + "\n")


def write_status(text: str) -> None:
    sys.stderr.write(strip_hidden(text) + "\n")


def make_console() -> "Console":
    from rich.console import Console

    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 110)


def write_result(record: Mapping[str, Any], message: str, *, as_json: bool) -> None:
    write_json(record) if as_json else write_text(message + "\n")


def _count(n: int, noun: str) -> str:
    """Return "1 case" or "3 people": a number with its noun."""
    return pluralize(n, *_NOUNS.get(noun, (noun,)))


def write_document(document: "Document") -> None:
    from patternmind.publishing.render import render_document

    write_text(render_document(document, ".md").decode())


@contextmanager
def show_progress() -> "Generator[Progress]":
    """Show a progress bar on a terminal, else a plain line every five seconds.

    Ctrl-C stops the work at the next step if it did not stop at once: Python drops it during a library's callback.
    """
    signals: list[int] = []

    def stop(number: int, frame: "FrameType | None") -> None:
        signals.append(number)
        signal.default_int_handler(number, frame)

    previous_handler = signal.signal(signal.SIGINT, stop)
    try:
        with _progress_reporter() as advance:

            def advance_or_stop(step: str, n_done: int, total: int) -> None:
                if signals:
                    raise KeyboardInterrupt
                advance(step, n_done, total)

            yield advance_or_stop
    finally:
        signal.signal(signal.SIGINT, previous_handler)


@contextmanager
def _progress_reporter() -> "Generator[Progress]":
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    no_color = bool(os.environ.get("NO_COLOR"))
    with Progress(*columns, console=Console(stderr=True, no_color=no_color), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(step: str, n_done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total or None)
            bars.update(tasks[step], completed=n_done, total=total or None)

        yield advance


def _plain_progress() -> "Progress":
    last_written = [time.monotonic()]

    def advance(step: str, n_done: int, total: int) -> None:
        now = time.monotonic()
        if now - last_written[0] >= 5:
            last_written[0] = now
            write_status(f"{step}: {n_done} of {total}" if total else f"{step}: {n_done}")

    return advance


# Commands ------------------------------------------------------------------------------------------------------------


def write_network(network: Network, home: Path, roster: "RosterChange | None", *, as_json: bool) -> None:
    added, changed = (roster.added, roster.changed) if roster else (0, 0)
    record = {**asdict(network), "home": str(home), "people_added": added, "cases_redacted_again": changed}
    message = (
        f"{network.name} is stored in {home}. Patterns are published once {network.rule.min_contributors} contributors "
        f"from {network.rule.min_teams} teams support them."
    )
    if roster:
        message += f" Added {_count(added, 'person')} to the roster; redacted {_count(changed, 'case')} again."
    write_result(record, message, as_json=as_json)


def write_ingest_report(report: IngestReport, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        write_json({**asdict(report), "dry_run": dry_run})
        return
    verb = "Would import" if dry_run else "Imported"
    counts = f"{report.updated} updated, {_count(report.duplicates, 'duplicate text')}"
    rest = f"{report.unchanged} unchanged, {len(report.rejected)} rejected"
    lines = [f"{verb} {report.accepted} ({counts}), {rest}."]
    if report.redacted:
        redacted = [_count(n, kind) for kind, n in sorted(report.redacted.items())]
        lines.append(f"Redacted: {', '.join(redacted)}.")
    if report.suspicious:
        lines.append(
            f"Suspicious: {_count(report.suspicious, 'row')}. `patternmind cases list --suspicious` shows the reasons."
        )
    lines += [f"  {row.file}, row {row.row}: {'; '.join(row.errors)}" for row in report.rejected[:MAX_REJECTED_SHOWN]]
    if len(report.rejected) > MAX_REJECTED_SHOWN:
        lines.append(f"  and {len(report.rejected) - MAX_REJECTED_SHOWN} more; --json lists all of them.")
    write_text("\n".join(lines) + "\n")


def write_run(record: "RunRecord", calls: "CallTotals", *, as_json: bool) -> None:
    if as_json:
        from patternmind.services.llm_costs import totals_row

        write_json(
            {
                "run_id": record.id,
                "label": record.parameters.label,
                "lens": record.parameters.lens,
                "cases": record.n_cases,
                "themes": record.n_themes,
                "outliers": record.n_outliers,
                "drafts": record.n_drafts,
                "seconds": dict(record.seconds),
                "notes": list(record.notes),
                "proposals": [asdict(conflict) for conflict in record.conflicts],
                "calls": totals_row(calls),
            }
        )
        return
    seconds = sum(record.seconds.values())
    counts = (
        f"{record.id}: {_count(record.n_cases, 'case')} in {_count(record.n_themes, 'theme')}, "
        f"{record.n_outliers} not in a theme yet, {_count(record.n_drafts, 'candidate pattern')} ({seconds:.1f} s)."
    )
    lines = [counts, *record.notes]
    lines += [f"The cases contradict a decision. {conflict.text}" for conflict in record.conflicts]
    if calls.n_calls:
        lines.append(
            f"{_count(calls.n_calls, 'model call')}: {calls.n_cached} from the cache, {calls.n_failed} failed, "
            f"{_count(calls.n_requests, 'request')}, {calls.cost_usd:.4f} USD. `patternmind runs --calls` lists them."
        )
    if record.n_themes:
        lines.append("Next: `patternmind themes`, `patternmind review list`, `patternmind prereading --topic ...`")
    write_text("\n".join(lines) + "\n")


def write_themes(
    themes: "Sequence[Theme]",
    areas: Mapping[str, str],
    outliers: "Sequence[Assignment]",
    last_run: "RunRecord | None",
    *,
    as_json: bool,
) -> None:
    if as_json:
        from patternmind.services.exports import theme_row

        write_json([theme_row(theme) for theme in themes])
        return
    if last_run is None:
        write_text(NO_RUN_MESSAGE)
        return
    if not themes:
        notes = "\n".join(last_run.notes or ("No themes yet.",))
        write_text(f"{notes}\nNot in a theme yet: {_count(len(outliers), 'case')}.\n")
        return
    make_console().print(make_theme_table(themes, areas))
    write_text(
        f"Not in a theme yet: {_count(len(outliers), 'case')}. Names are key phrases of the cases (no AI used).\n"
    )


def make_theme_table(themes: "Sequence[Theme]", areas: Mapping[str, str]) -> Any:
    """Make a table of areas and themes with names, sizes and one quote each."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False)
    for name, ratio in (("theme", 3), ("example quote", 6)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for name in ("cases", "teams", ""):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    order: dict[str, list[Theme]] = {}
    for theme in themes:
        order.setdefault(RETIRED_HEADING if theme.lineage == "retired" else theme.area_id, []).append(theme)
    for area_id, members in sorted(order.items(), key=lambda item: item[0] == RETIRED_HEADING):
        table.add_row(Text(strip_hidden(areas.get(area_id, area_id)).upper(), style="bold"))
        for theme in members:
            gist = Text(f"“{strip_hidden(_shorten(theme.gist))}”" if theme.gist else "", style="italic")
            name = Text(f"  {strip_hidden(theme.name)}\n  {theme.id}")
            marks = ["tentative"] * theme.tentative + ["one contributor"] * theme.one_contributor
            status = Text("\n".join([theme.lineage.value, *marks]))
            table.add_row(name, gist, str(theme.n_cases), str(theme.n_teams), status)
    return table


def _shorten(text: str, limit: int = 150) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def write_search_results(results: "Sequence[SearchResult]", *, as_json: bool) -> None:
    if as_json:
        write_json([asdict(result) for result in results])
    elif not results:
        write_text("No results: there are no cases yet. Import some with `patternmind ingest`.\n")
    else:
        write_text(
            "".join(
                f"{hit.score:.2f}  {hit.kind}  {hit.external_id or hit.id}\n      {hit.snippet}\n" for hit in results
            )
        )


def write_playbook(
    publication: "PlaybookSelection", document: "Document | None", out: Path | None, *, as_json: bool
) -> None:
    withheld = [asdict(pattern) for pattern in publication.withheld]
    if as_json:
        write_json({"patterns": len(publication.published), "withheld": withheld, "out": str(out) if out else None})
        return
    if document is not None:
        write_document(document)
    patterns = _count(len(publication.published), "pattern")
    write_status(f"{patterns}{f' written to {out}' if out else ''}, {len(withheld)} withheld.")
    for pattern in publication.withheld:
        write_status(f"  {pattern.name}: {pattern.reason}")


def write_drafts(drafts: "Sequence[ReviewedDraft]", *, as_json: bool) -> None:
    from patternmind.services.exports import draft_row

    rows = [draft_row(draft) for draft in drafts]
    if as_json:
        write_json(rows)
    elif not rows:
        write_text("No drafts yet. `patternmind run` creates them.\n")
    else:
        write_text("".join(_draft_line(row) for row in rows))


def _draft_line(row: Mapping[str, Any]) -> str:
    flags = f"  ({_count(len(row['flags']), 'flag')})" if row["flags"] else ""
    return f"{row['id']}  {row['state']:<12}  {row['kind']:<12}  {row['name']}{flags}\n"


def write_draft(reviewed: "ReviewedDraft", *, as_json: bool) -> None:
    from patternmind.services.exports import draft_row

    row = draft_row(reviewed)
    if as_json:
        write_json(row)
        return
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
    write_text("\n".join(lines) + "\n")


def _flag_line(flag: Mapping[str, str]) -> str:
    about = f" ({flag['field'].replace('_', ' ')}: {_shorten(flag['text'], 60)})" if flag["text"] else ""
    return f"Check: {flag['doubt']}. {flag['reason']}{about}"


def write_index_check(check: "IndexCheck", *, as_json: bool) -> None:
    if check.is_ok:
        message = f"The index matches the stored vectors ({_count(check.n_rows, 'row')})."
    else:
        message = (
            f"The index does not match the stored vectors: {len(check.missing)} missing, {len(check.extra)} extra and "
            f"{len(check.different)} different rows. Run `patternmind index rebuild`; search still works until then."
        )
    write_result({**asdict(check), "ok": check.is_ok}, message, as_json=as_json)


def write_check_results(results: "Sequence[CheckResult]", *, as_json: bool) -> None:
    if as_json:
        write_json([asdict(result) for result in results])
        return
    write_text(
        "".join(f"{'ok' if result.ok else 'ATTENTION':<10} {result.what}: {result.says}\n" for result in results)
    )


def write_eval_report(report: "EvalReport", junit: Path | None, *, as_json: bool) -> None:
    """Print the figures, and write them as JUnit XML to ``junit`` if given."""
    if junit is not None:
        from patternmind.cli.output_files import write_file

        write_file(junit, report.to_junit())
    if as_json:
        write_json(report.to_dict())
    else:
        make_console().print(report.to_table())

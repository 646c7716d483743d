"""What the commands print: JSON alone on stdout when asked, else readable text; progress on stderr."""

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

from patternmind.cli.terminal import escape_control_chars
from patternmind.domain.cases import IngestReport
from patternmind.domain.networks import Network

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
"""The heading of the themes that are shown apart."""


def write_exact(text: str) -> None:
    """Text for programs, as it is, whatever the terminal's encoding can show of it."""
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    sys.stdout.flush()


def write_text(text: str) -> None:
    """Text for people, without what a terminal would act on."""
    write_exact(escape_control_chars(text))


def write_json(value: Any) -> None:
    write_exact(json.dumps(value, ensure_ascii=False) + "\n")


def write_status(text: str) -> None:
    sys.stderr.write(escape_control_chars(text) + "\n")


def make_console() -> "Console":
    from rich.console import Console

    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 110)


def write_result(record: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    write_json(record) if as_json else write_text(sentence + "\n")


def write_document(document: "Document") -> None:
    from patternmind.publishing.render import render_document

    write_text(render_document(document, ".md").decode())


@contextmanager
def show_progress() -> "Generator[Progress]":
    """A bar on a terminal; else a plain line at most every five seconds.

    Ctrl-C stops at the next step where it did not at once: Python drops it where it comes while a library calls back.
    """
    asked: list[int] = []

    def stop(number: int, frame: "FrameType | None") -> None:
        asked.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, stop)
    try:
        with _progress_reporter() as advance:

            def advance_or_stop(step: str, n_done: int, total: int) -> None:
                if asked:
                    raise KeyboardInterrupt
                advance(step, n_done, total)

            yield advance_or_stop
    finally:
        signal.signal(signal.SIGINT, before)


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
    said = [time.monotonic()]

    def advance(step: str, n_done: int, total: int) -> None:
        now = time.monotonic()
        if now - said[0] >= 5:
            said[0] = now
            write_status(f"{step}: {n_done} of {total}" if total else f"{step}: {n_done}")

    return advance


# Commands ------------------------------------------------------------------------------------------------------------


def write_network(network: Network, home: Path, roster: "RosterChange | None", *, as_json: bool) -> None:
    added, changed = (roster.added, roster.changed) if roster else (0, 0)
    record = {**asdict(network), "home": str(home), "people_added": added, "cases_redacted_again": changed}
    people = f" {added} people were put on the roster, and {changed} cases redacted anew for it." if roster else ""
    rule = f"at least {network.rule.min_contributors} contributors and {network.rule.min_teams} teams"
    write_result(record, f"{network.name} is in {home}. Published is what stands on {rule}.{people}", as_json=as_json)


def write_intake_report(report: IngestReport, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        write_json({**asdict(report), "dry_run": dry_run})
        return
    what = "would be taken in" if dry_run else "taken in"
    counts = (
        f"{report.accepted} {what} ({report.updated} of them new versions, {report.duplicates} with a text known "
        f"under another id), {report.unchanged} unchanged, {len(report.rejected)} rejected."
    )
    lines = [counts]
    if report.redacted:
        lines.append("Redacted: " + ", ".join(f"{n} {kind}" for kind, n in sorted(report.redacted.items())) + ".")
    if report.suspicious:
        lines.append(f"Suspicious: {report.suspicious}; `patternmind cases list --suspicious` says why.")
    shown = report.rejected[:MAX_REJECTED_SHOWN]
    lines += [f"  {row.file}, row {row.row}: {'; '.join(row.errors)}" for row in shown]
    if len(report.rejected) > MAX_REJECTED_SHOWN:
        lines.append(f"  and {len(report.rejected) - MAX_REJECTED_SHOWN} more; --json lists them all.")
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
                "proposals": [asdict(one) for one in record.conflicts],
                "calls": totals_row(calls),
            }
        )
        return
    seconds = sum(record.seconds.values())
    counts = (
        f"{record.id}: {record.n_cases} cases in {record.n_themes} themes, {record.n_outliers} not in a theme yet, "
        f"{record.n_drafts} candidate patterns ({seconds:.1f} s)."
    )
    lines = [counts, *record.notes]
    lines += [f"The cases disagree. {one.text}" for one in record.conflicts]
    if calls.n_calls:
        lines.append(
            f"The model was asked {calls.n_calls} times: {calls.n_cached} answered from the cache, "
            f"{calls.n_failed} failed, {calls.n_requests} requests, {calls.cost_usd:.4f} USD. "
            "`patternmind runs --calls` lists them."
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
        write_text("There has been no run yet. Take in cases with `patternmind ingest`, then `patternmind run`.\n")
        return
    if not themes:
        write_text(
            "\n".join(last_run.notes or ("Nothing recurs yet.",)) + f"\n{len(outliers)} cases not in a theme yet.\n"
        )
        return
    make_console().print(make_theme_table(themes, areas))
    write_text(f"{len(outliers)} cases not in a theme yet. Names are key phrases of the cases (no AI used).\n")


def make_theme_table(themes: "Sequence[Theme]", areas: Mapping[str, str]) -> Any:
    """Areas and themes with names, sizes and one quote each."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False)
    for name, ratio in (("theme", 3), ("in its own words", 6)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for name in ("cases", "teams", ""):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    order: dict[str, list[Theme]] = {}
    for theme in themes:
        order.setdefault(RETIRED_HEADING if theme.lineage == "retired" else theme.area_id, []).append(theme)
    for area_id, members in sorted(order.items(), key=lambda item: item[0] == RETIRED_HEADING):
        table.add_row(Text(escape_control_chars(areas.get(area_id, area_id)).upper(), style="bold"))
        for theme in members:
            gist = Text(f"“{escape_control_chars(_shorten(theme.gist))}”" if theme.gist else "", style="italic")
            name = Text(f"  {escape_control_chars(theme.name)}\n  {theme.id}")
            marks = ["tentative"] * theme.tentative + ["one contributor"] * theme.one_contributor
            said = Text("\n".join([theme.lineage.value, *marks]))
            table.add_row(name, gist, str(theme.n_cases), str(theme.n_teams), said)
    return table


def _shorten(text: str, limit: int = 150) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def write_search_results(results: "Sequence[SearchResult]", *, as_json: bool) -> None:
    if as_json:
        write_json([asdict(result) for result in results])
    elif not results:
        write_text("Nothing found: there are no cases yet. Take some in with `patternmind ingest`.\n")
    else:
        write_text("".join(f"{r.score:.2f}  {r.kind}  {r.external_id or r.id}\n      {r.snippet}\n" for r in results))


def write_playbook(
    publication: "PlaybookSelection", document: "Document | None", out: Path | None, *, as_json: bool
) -> None:
    withheld = [asdict(one) for one in publication.withheld]
    if as_json:
        write_json({"patterns": len(publication.published), "withheld": withheld, "out": str(out) if out else None})
        return
    if document is not None:
        write_document(document)
    write_status(
        f"{len(publication.published)} patterns{f' written to {out}' if out else ''}, {len(withheld)} withheld."
    )
    for one in publication.withheld:
        write_status(f"  {one.name}: {one.reason}")


def write_drafts(drafts: "Sequence[ReviewedDraft]", *, as_json: bool) -> None:
    from patternmind.services.exports import draft_row

    rows = [draft_row(one) for one in drafts]
    if as_json:
        write_json(rows)
    elif not rows:
        write_text("No drafts yet. `patternmind run` makes them.\n")
    else:
        write_text("".join(_draft_line(row) for row in rows))


def _draft_line(row: Mapping[str, Any]) -> str:
    n = len(row["flags"])
    doubts = f"  ({n} {'doubt' if n == 1 else 'doubts'})" if n else ""
    return f"{row['id']}  {row['state']:<12}  {row['kind']:<12}  {row['name']}{doubts}\n"


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
    lines += ["", f"{len(row['claims'])} quotes checked, {row['refused_claims']} claims refused."]
    lines += [_flag_line(flag) for flag in row["flags"]]
    lines += [
        f"{d.at:%Y-%m-%d %H:%M}  {d.action.value} by {d.by}  {d.reason or ''} {d.note}" for d in reviewed.decisions
    ]
    write_text("\n".join(lines) + "\n")


def _flag_line(flag: Mapping[str, str]) -> str:
    about = f" ({flag['field'].replace('_', ' ')}: {_shorten(flag['text'], 60)})" if flag["text"] else ""
    return f"Look twice, {flag['doubt']}: {flag['reason']}{about}"


def write_index_check(check: "IndexCheck", *, as_json: bool) -> None:
    if check.is_ok:
        sentence = f"The index holds exactly the {check.n_rows} rows it should."
    else:
        sentence = (
            f"The index lacks {len(check.missing)} rows, holds {len(check.extra)} it should not and "
            f"{len(check.different)} with another vector. Run `patternmind index rebuild`; search works meanwhile."
        )
    write_result({**asdict(check), "ok": check.is_ok}, sentence, as_json=as_json)


def write_findings(findings: "Sequence[CheckResult]", *, as_json: bool) -> None:
    if as_json:
        write_json([asdict(finding) for finding in findings])
    else:
        write_text("".join(f"{'ok' if f.ok else 'ATTENTION':<10} {f.what}: {f.says}\n" for f in findings))


def write_eval_report(report: "EvalReport", junit: Path | None, *, as_json: bool) -> None:
    """Print the figures, write JUnit, and fail where a gate fell."""
    from patternmind.errors import GateFailed

    if junit is not None:
        from patternmind.cli.output_files import write_file

        write_file(junit, report.to_junit())
    if as_json:
        write_json(report.to_dict())
    else:
        make_console().print(report.to_table())
    if report.failed_results:
        raise GateFailed(f"{len(report.failed_results)} of {len(report.results)} figures fell below their gates.")

"""`patternmind demo`: import, run, review and publish the sample network, quarter by quarter."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from patternmind.bootstrap import AppContext
from patternmind.cli import output
from patternmind.cli.options import JsonOption
from patternmind.cli.output_files import write_file
from patternmind.cli.theme_output import write_themes
from patternmind.domain.cases import CaseKind, IngestReport
from patternmind.domain.drafts import DraftAction, DraftKind
from patternmind.domain.networks import PublishingRule
from patternmind.domain.themes import Theme
from patternmind.domain.wording import pluralize
from patternmind.errors import PatternmindError, UsageError
from patternmind.ports import RunParameters
from patternmind.publishing.publication_rules import PublishedPattern, assess_pattern
from patternmind.review import build_pattern
from patternmind.services import prereading_builder
from patternmind.services.exports import theme_row
from patternmind.services.file_import import import_files
from patternmind.services.network_settings import update_network
from patternmind.services.playbook import build_playbook_document, collect_playbook, prepared_document, prepared_row
from patternmind.services.reviews import decide_draft, get_draft, list_all_drafts
from patternmind.services.roster import import_roster
from patternmind.settings import Settings

DEMO_REVIEWER = "Demo Facilitator"
DEMO_MARKER = ".patternmind-demo"
QUARTER_FILES = (("2026Q3", "cases-2026Q3.csv"), ("2026Q4", "cases-2026Q4.csv"))
RECAPS_FILE = "recaps.jsonl"
MAX_ACCEPTED = 4

app = typer.Typer()


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("demo"), json: JsonOption = False
) -> None:
    """Run the whole pipeline on the sample network: two quarters, themes, a pre-reading and a playbook."""
    ctx = AppContext(Settings(home=_reset_home(out)))
    update_network(ctx.store, name="Halden Nordic peer network (sample)")
    with as_file(files("patternmind") / "sample") as sample, output.show_progress() as progress:
        people = import_roster(ctx.store, sample / "roster.csv").added
        output.write_status(f"Sample network: {people} people on the roster; their names are redacted everywhere.")
        for label, cases in QUARTER_FILES:
            report = import_files(ctx.store, [sample / cases], kind=CaseKind.CASE)
            if label == QUARTER_FILES[-1][0]:
                recaps = import_files(ctx.store, [sample / RECAPS_FILE], kind=CaseKind.RECAP)
                output.write_status(
                    f"Recaps: {recaps.accepted} imported, {_count_redacted(recaps)} names and numbers redacted."
                )
            record = ctx.run(RunParameters(label=label), progress=progress)
            output.write_status(
                f"{label}: {report.accepted} cases imported, {_count_redacted(report)} names and numbers redacted; "
                f"{record.n_themes} themes, {record.n_outliers} cases not in a theme yet."
            )
    accepted = _accept_drafts(ctx)
    written = _write_documents(ctx, out)
    themes = [theme for theme in ctx.store.themes.list_all() if theme.case_ids]
    if json:
        output.write_json(
            {
                "themes": [theme_row(theme) for theme in themes],
                "accepted": accepted,
                "written": [str(path) for path in written],
                "home": str(ctx.settings.home),
            }
        )
        return
    outliers = [assignment for assignment in ctx.store.runs.assignments() if assignment.theme_id is None]
    write_themes(themes, ctx.store.themes.areas(), outliers, ctx.store.runs.latest(), as_json=False)
    output.write_text(_summary(accepted, written, ctx.settings.home))


def _count_redacted(report: IngestReport) -> int:
    return sum(report.redacted.values())


def _reset_home(out: Path) -> Path:
    """Create the demo's data folder; delete the one of an earlier demo first.

    Raises:
        UsageError: the folder exists and no demo created it.
        PatternmindError: the folder cannot be created.
    """
    home = out / "home"
    if home.exists() and not (home / DEMO_MARKER).exists():
        raise UsageError(f"{home} was not created by a demo. Choose another folder with --out.")
    shutil.rmtree(home, ignore_errors=True)
    try:
        home.mkdir(parents=True)
        (home / DEMO_MARKER).touch()
    except OSError as error:
        raise PatternmindError(
            f"{home} cannot be created ({error.strerror}). Choose another folder with --out."
        ) from error
    return home


def _accept_drafts(ctx: AppContext) -> list[str]:
    """Accept publishable candidates of the largest themes, so that the playbook is not empty."""
    rule: PublishingRule = ctx.store.network.get().rule
    cases = {case.id: case for case in ctx.store.cases.list_all()}
    sizes = {theme.id: theme.n_cases for theme in ctx.store.themes.list_all()}
    candidates = [
        reviewed
        for reviewed in list_all_drafts(ctx.store, kind=DraftKind.PATTERN)
        if sum(claim.field == "solution" for claim in reviewed.grounded.draft.claims) > 1
    ]
    candidates.sort(
        key=lambda reviewed: (-sizes.get(reviewed.grounded.draft.theme_id or "", 0), reviewed.grounded.draft.id)
    )
    accepted: list[str] = []
    for candidate in candidates:
        draft_id = candidate.grounded.draft.id
        decide_draft(ctx.store, ctx.clock, draft_id, DraftAction.ACCEPT, actor=DEMO_REVIEWER)
        pattern = build_pattern(get_draft(ctx.store, draft_id))
        if pattern is not None and isinstance(assess_pattern(pattern, cases, rule), PublishedPattern):
            accepted.append(pattern.name)
        else:
            decide_draft(ctx.store, ctx.clock, draft_id, DraftAction.UNDO, actor=DEMO_REVIEWER)
        if len(accepted) == MAX_ACCEPTED:
            break
    return accepted


def _write_documents(ctx: AppContext, out: Path) -> list[Path]:
    theme: Theme = ctx.store.themes.list_all()[0]
    prepared = prereading_builder.build_prereading(
        ctx.store, ctx.clock, prereading_builder.subject_from_theme(ctx.store, theme.id), session="Problem-solving jam"
    )
    document = prepared_document(prepared, ctx.store.network.get())
    playbook = build_playbook_document(ctx.store, collect_playbook(ctx.store), ctx.clock.now())
    written = {
        out / "prereading.md": document,
        out / "prereading.html": document,
        out / "prereading.json": prepared_row(prepared),
        out / "playbook.md": playbook,
        out / "playbook.html": playbook,
    }
    for path, content in written.items():
        write_file(path, content)
    return list(written)


def _summary(accepted: list[str], written: list[Path], home: Path) -> str:
    lines = [
        "",
        f"“{DEMO_REVIEWER}” accepted {pluralize(len(accepted), 'candidate pattern')} to fill the playbook:",
        *(f"  {name}" for name in accepted),
        "In your network a named person decides; nothing is accepted automatically.",
        "",
        "Written:",
        *(f"  {path}" for path in written),
        "",
        f"To open the pages, run `patternmind serve --home {home}` and follow the sign-in link it prints.",
        "",
    ]
    return "\n".join(lines)

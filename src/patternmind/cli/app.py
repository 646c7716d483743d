"""The commands. Each reads its arguments, asks one verb, and shows what it got; heavy parts load inside."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import output
from patternmind.cli.audit import write_audit
from patternmind.errors import UsageError

if TYPE_CHECKING:
    from patternmind.bootstrap import AppContext

app = typer.Typer(
    name="patternmind",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Groups real work problems into lasting themes, drafts patterns with checked quotes, prepares pre-reading.",
)
index_app = typer.Typer(no_args_is_help=True, help="The vector index: derived, disposable, and checked.")
review_app = typer.Typer(no_args_is_help=True, help="Decide about drafts; every decision is logged and can be undone.")
app.add_typer(index_app, name="index")
app.add_typer(review_app, name="review")

HomeOption = Annotated[Path | None, typer.Option("--home", help="Data folder; PATTERNMIND_HOME names it too.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout and nothing else there.")]

_global_home: dict[str, Path] = {}
_global_network: dict[str, str] = {}


def _print_version(is_requested: bool) -> None:
    if is_requested:
        from patternmind import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def set_global_options(
    home: HomeOption = None,
    network: Annotated[
        str | None, typer.Option("--network", help="Where there are several: its id; PATTERNMIND_NETWORK names it too.")
    ] = None,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take --home before the command as well as after it, and --network before it."""
    _global_home.clear()
    _global_network.clear()
    if home is not None:
        _global_home["home"] = home
    if network is not None:
        _global_network["network"] = network


def open_context(home: Path | None) -> "AppContext":
    from patternmind.bootstrap import AppContext
    from patternmind.settings import read_settings

    chosen = home or _global_home.get("home")
    return AppContext(read_settings(os.environ, home=chosen, network=_global_network.get("network")))


@app.command()
def init(
    name: Annotated[str, typer.Option(help="The network's name.")] = "",
    purpose: Annotated[str, typer.Option(help="What the network is for, in a sentence.")] = "",
    roster: Annotated[Path | None, typer.Option(help="CSV with name, email, team: names that never leave.")] = None,
    min_contributors: Annotated[int | None, typer.Option(min=2, max=10, help="Fewest contributors to publish.")] = None,
    min_teams: Annotated[int | None, typer.Option(min=2, max=10, help="Fewest teams to publish.")] = None,
    default_consent: Annotated[str | None, typer.Option(help="What a row without consent means.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make a network, or change what it agreed on. Running it again keeps everything that is not named."""
    from patternmind.domain.permissions import Action
    from patternmind.services.network import import_roster, update_network

    house = open_context(home)
    network = update_network(
        house.store,
        name=name,
        purpose=purpose,
        min_contributors=min_contributors,
        min_teams=min_teams,
        default_consent=default_consent,
    )
    changed = None
    if roster:
        with house.run_locked() as store:
            changed = import_roster(store, roster)
    write_audit(house, Action.SETTINGS, "init")
    output.write_network(network, house.settings.home, changed, as_json=json)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="CSV, XLSX, JSON, JSONL or Markdown, .gz too.")],
    as_kind: Annotated[str, typer.Option("--as", help="case or recap.")] = "case",
    mapping: Annotated[list[str] | None, typer.Option("--map", help="FIELD=COLUMN, as often as needed.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on any rejected row.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Take in cases or recaps. Good rows are kept, bad rows are listed with everything that is wrong with them."""
    from patternmind.domain.cases import CaseKind
    from patternmind.domain.permissions import Action
    from patternmind.services.file_import import import_files

    if as_kind not in list(CaseKind):
        raise UsageError(f'--as takes "case" or "recap", not "{as_kind}".')
    house = open_context(home)
    with output.show_progress() as progress:
        report = import_files(
            house.store, paths, kind=CaseKind(as_kind), mapping=mapping or (), dry_run=dry_run, progress=progress
        )
    if report.accepted and not dry_run:
        write_audit(house, Action.IMPORT_FILES, "ingest")
    output.write_intake_report(report, dry_run=dry_run, as_json=json)
    n_new = 0 if dry_run or json else report.accepted - report.updated
    if n_new and house.store.last_run() is not None:
        output.write_text(
            f"{n_new} new cases; `patternmind place` shows where they belong, `patternmind run` takes them in.\n"
        )
    if (report.accepted == 0 and report.unchanged == 0) or (strict and report.rejected):
        raise typer.Exit(1)


@app.command()
def run(
    label: Annotated[str, typer.Option(help="The period, such as 2026Q4.")] = "",
    lens: Annotated[str, typer.Option(help="all, problem or helped: which part of a case is compared.")] = "all",
    level: Annotated[str, typer.Option(help="theme or area.")] = "theme",
    engine: Annotated[str, typer.Option(help="graph or hdbscan.")] = "graph",
    seed: Annotated[int, typer.Option(help="Same cases and seed, same themes.")] = 0,
    since: Annotated[str | None, typer.Option(help="Only cases dated on or after this ISO date.")] = None,
    no_draft: Annotated[bool, typer.Option("--no-draft", help="Themes only.")] = False,
    from_scratch: Annotated[
        bool, typer.Option("--afresh", help="Continue no fit of the last run, however few are new.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Group all cases to date into themes, carry the themes on, draft their patterns."""
    from patternmind.domain.calls import sum_calls
    from patternmind.domain.permissions import Action
    from patternmind.ports import RunParameters
    from patternmind.services.validation import validate_run_parameters

    parameters = RunParameters(
        label=label,
        lens=lens,
        level=level,
        engine=engine,
        seed=seed,
        since=since,
        draft=not no_draft,
        from_scratch=from_scratch,
    )
    validate_run_parameters(parameters)
    house = open_context(home)
    with output.show_progress() as progress:
        record = house.run(parameters, progress=progress)
    write_audit(house, Action.START_RUN, "run", "run", record.id)
    output.write_run(record, sum_calls(house.store.list_calls(record.id)), as_json=json)


@app.command()
def prereading(
    theme: Annotated[str | None, typer.Option(help="Theme id.")] = None,
    topic: Annotated[str | None, typer.Option(help="What the session is about.")] = None,
    case: Annotated[str | None, typer.Option(help="Case id or external id.")] = None,
    out: Annotated[Path | None, typer.Option(help="FILE.md, .html, .pdf, .docx or .json; else Markdown here.")] = None,
    session: Annotated[str, typer.Option(help="The session's name.")] = "",
    date: Annotated[str, typer.Option(help="The session's date.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Two pages for a session: the case in its own words, its theme, voices, what helped, what is open."""
    from patternmind.cli.output_files import check_suffix, write_file
    from patternmind.domain.permissions import Action
    from patternmind.services import prereading_builder
    from patternmind.services.playbook import prepared_document, prepared_row
    from patternmind.services.validation import require_search_text

    if sum(chosen is not None for chosen in (theme, topic, case)) != 1:
        raise UsageError("Name one of --theme ID, --topic TEXT or --case ID.")
    check_suffix(out, (".md", ".html", ".pdf", ".docx", ".json"))
    house = open_context(home)
    store = house.store
    if theme is not None:
        subject = prereading_builder.subject_from_theme(store, theme)
    elif case is not None:
        subject = prereading_builder.subject_from_case(store, case)
    else:
        require_search_text(topic or "")
        with output.show_progress() as progress, house.open_index(progress=progress) as index:
            subject = prereading_builder.subject_from_topic(store, house.encoder, index, topic or "")
    prepared = prereading_builder.build_prereading(
        store, house.clock, subject, topic=topic or "", session=session, date=date, llm=house.llm
    )
    write_audit(house, Action.REQUEST_PREREADING, "prereading", "prereading", prepared.grounded.draft.id)
    for note in prepared.notes:
        output.write_status(note)
    written = prepared_row(prepared)
    if out is not None:
        write_file(out, written if out.suffix == ".json" else prepared_document(prepared, store.network))
    if json:
        output.write_json(written)
    elif out is None:
        output.write_document(prepared_document(prepared, store.network))
    else:
        output.write_status(f"Written: {out}")


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What to look for, in your own words.")],
    kind: Annotated[str | None, typer.Option(help="case, recap or pattern.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many.")] = 10,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Cases, recaps and accepted patterns nearest in meaning."""
    from patternmind.services.search import search as find
    from patternmind.services.validation import require_search_text

    if kind not in (None, "case", "recap", "pattern"):
        raise UsageError(f'--kind takes case, recap or pattern, not "{kind}".')
    require_search_text(text)
    house = open_context(home)
    with output.show_progress() as progress, house.open_index(progress=progress) as index:
        results = find(house.store, house.encoder, index, text, kind=kind, k=k)
    output.write_search_results(results, as_json=json)


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="assignments, map, cases, themes, drafts or patterns.")],
    format: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    lens: Annotated[
        str | None, typer.Option(help="Of assignments, map, themes: another lens than the last run's.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file instead of stdout.")] = None,
    home: HomeOption = None,
) -> None:
    """Rows for other tools, consent and threshold applied."""
    from patternmind.cli.output_files import format_rows, write_file
    from patternmind.services.exports import export_rows

    text = format_rows(export_rows(open_context(home).store, what, lens=lens), format)
    if out is None:
        output.write_exact(text)
    else:
        write_file(out, text)
        output.write_status(f"Written: {out}")


@app.command()
def playbook(
    out: Annotated[Path | None, typer.Option(help="FILE.md, .html, .pdf or .docx; else Markdown here.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """The playbook of what people accepted, as far as consent and threshold let it out."""
    from patternmind.cli.output_files import check_suffix, write_file
    from patternmind.services.playbook import build_playbook_document, collect_playbook

    check_suffix(out, (".md", ".html", ".pdf", ".docx"))
    house = open_context(home)
    collected = collect_playbook(house.store)
    document = build_playbook_document(house.store, collected, house.clock.now())
    if out is not None:
        write_file(out, document)
    output.write_playbook(collected, document if out is None else None, out, as_json=json)


@review_app.command("list")
def review_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """The drafts that wait for somebody, and those that were decided on."""
    from patternmind.services.reviews import list_all_drafts

    output.write_drafts(list_all_drafts(open_context(home).store), as_json=json)


@review_app.command("show")
def review_show(draft: str, home: HomeOption = None, json: JsonOption = False) -> None:
    """One draft with its quotes and its decisions."""
    from patternmind.services.reviews import get_draft

    output.write_draft(get_draft(open_context(home).store, draft), as_json=json)


@review_app.command("decide")
def review_decide(
    draft: str,
    action: Annotated[str, typer.Argument(help="accept, edit, reject, not_sure, retire or undo.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
    reason: Annotated[str | None, typer.Option(help="Needed to reject.")] = None,
    note: str = "",
    field: Annotated[list[str] | None, typer.Option(help="FIELD=TEXT, for edit.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Accept, edit, reject, retire or undo."""
    from patternmind.domain.drafts import DraftAction, RejectionReason
    from patternmind.domain.permissions import Action
    from patternmind.services.reviews import decide_draft
    from patternmind.services.validation import parse_enum

    house = open_context(home)
    edits = dict(pair.split("=", 1) for pair in field or [] if "=" in pair)
    if len(edits) != len(field or []):
        raise UsageError("--field takes FIELD=TEXT.")
    reviewed = decide_draft(
        house.store,
        house.clock,
        draft,
        parse_enum(DraftAction, action, "action"),
        actor=by,
        reason=parse_enum(RejectionReason, reason, "reason") if reason else None,
        note=note,
        edits=dict(edits),
    )
    write_audit(house, Action.REVIEW_DRAFTS, "decide", "draft", draft, actor=by)
    output.write_draft(reviewed, as_json=json)


@index_app.command("rebuild")
def index_rebuild(home: HomeOption = None, json: JsonOption = False) -> None:
    """Build the index anew from the stored vectors."""
    from contextlib import closing

    from patternmind.services.search import embed_all_cases

    house = open_context(home)
    with output.show_progress() as progress, closing(house.chroma_index()) as index:
        ids, vectors = embed_all_cases(house.store, house.encoder, progress=progress)
        index.rebuild(ids, vectors)
    output.write_result({"rows": len(ids)}, f"The index holds {len(ids)} rows.", as_json=json)


@index_app.command("verify")
def index_verify(home: HomeOption = None, json: JsonOption = False) -> None:
    """Compare every row of the index with the stored vectors; exit 1 where they differ."""
    from contextlib import closing

    from patternmind.services.search import embed_all_cases

    house = open_context(home)
    with output.show_progress() as progress, closing(house.chroma_index()) as index:
        check = index.verify(*embed_all_cases(house.store, house.encoder, progress=progress))
    output.write_index_check(check, as_json=json)
    if not check.is_ok:
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8765,
    home: HomeOption = None,
) -> None:
    """Serve the pages and the API; where nobody has signed in yet, it prints the first link."""
    from patternmind.web.server import serve as listen

    listen(open_context(home), host=host, port=port)


@app.command()
def doctor(home: HomeOption = None, json: JsonOption = False) -> None:
    """Check data folder, encoder, index and gateway; exit 1 where something needs attention."""
    from patternmind.diagnostics import run_checks

    findings = run_checks(open_context(home))
    output.write_findings(findings, as_json=json)
    if any(not finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the demo writes.")] = Path("demo"),
    json: JsonOption = False,
) -> None:
    """Run the whole line on the sample network: two quarters, themes, pre-reading, a playbook."""
    from patternmind.cli.demo import run_demo

    run_demo(out, as_json=json)


@app.command("eval")
def evaluate(
    suite: Annotated[str, typer.Option(help="ci or full.")] = "ci",
    corpora: Annotated[Path | None, typer.Option(help="Folder with real corpora.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    json: JsonOption = False,
) -> None:
    """Measure quality against the baselines; exit 3 where a figure falls below its gate."""
    from patternmind.evals.suites import run_suite

    with output.show_progress() as progress:
        report = run_suite(suite, corpora=corpora, progress=progress)
    output.write_eval_report(report, junit, as_json=json)


# A command with a file of its own registers itself here.
from patternmind.cli import cases as _cases  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import erase as _erase  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import map as _map  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import members as _members  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import place as _place  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import recaps as _telling  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import redaction as _redaction  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import runs as _runs  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import themes as _themes  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import tokens as _tokens  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]

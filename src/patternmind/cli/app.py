"""The commands. Each reads its arguments, asks one verb, and shows what it got; heavy parts load inside."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import show
from patternmind.cli.audit import write_audit
from patternmind.errors import UsageError

if TYPE_CHECKING:
    from patternmind.bootstrap import House

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

Home = Annotated[Path | None, typer.Option("--home", help="Data folder; PATTERNMIND_HOME names it too.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout and nothing else there.")]

_chosen: dict[str, Path] = {}
_chosen_network: dict[str, str] = {}


def _version(wanted: bool) -> None:
    if wanted:
        from patternmind import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def choose_home(
    home: Home = None,
    network: Annotated[
        str | None, typer.Option("--network", help="Where there are several: its id; PATTERNMIND_NETWORK names it too.")
    ] = None,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take --home before the command as well as after it, and --network before it."""
    _chosen.clear()
    _chosen_network.clear()
    if home is not None:
        _chosen["home"] = home
    if network is not None:
        _chosen_network["network"] = network


def open_house(home: Path | None) -> "House":
    from patternmind.bootstrap import House
    from patternmind.settings import read_settings

    chosen = home or _chosen.get("home")
    return House(read_settings(os.environ, home=chosen, network=_chosen_network.get("network")))


@app.command()
def init(
    name: Annotated[str, typer.Option(help="The network's name.")] = "",
    purpose: Annotated[str, typer.Option(help="What the network is for, in a sentence.")] = "",
    roster: Annotated[Path | None, typer.Option(help="CSV with name, email, team: names that never leave.")] = None,
    min_contributors: Annotated[int | None, typer.Option(min=2, max=10, help="Fewest contributors to publish.")] = None,
    min_teams: Annotated[int | None, typer.Option(min=2, max=10, help="Fewest teams to publish.")] = None,
    default_consent: Annotated[str | None, typer.Option(help="What a row without consent means.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a network, or change what it agreed on. Running it again keeps everything that is not named."""
    from patternmind.model.rights import Action
    from patternmind.verbs.network import add_roster, change_network

    house = open_house(home)
    network = change_network(
        house.store,
        name=name,
        purpose=purpose,
        min_contributors=min_contributors,
        min_teams=min_teams,
        default_consent=default_consent,
    )
    changed = None
    if roster:
        with house.alone() as store:
            changed = add_roster(store, roster)
    write_audit(house, Action.SETTINGS, "init")
    show.network(network, house.settings.home, changed, as_json=json)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="CSV, XLSX, JSON, JSONL or Markdown, .gz too.")],
    as_kind: Annotated[str, typer.Option("--as", help="case or recap.")] = "case",
    mapping: Annotated[list[str] | None, typer.Option("--map", help="FIELD=COLUMN, as often as needed.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on any rejected row.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Take in cases or recaps. Good rows are kept, bad rows are listed with everything that is wrong with them."""
    from patternmind.model.cases import Kind
    from patternmind.model.rights import Action
    from patternmind.verbs.ingest import ingest_files

    if as_kind not in list(Kind):
        raise UsageError(f'--as takes "case" or "recap", not "{as_kind}".')
    house = open_house(home)
    with show.progress() as progress:
        report = ingest_files(
            house.store, paths, kind=Kind(as_kind), mapping=mapping or (), dry_run=dry_run, progress=progress
        )
    if report.accepted and not dry_run:
        write_audit(house, Action.IMPORT_FILES, "ingest")
    show.intake(report, dry_run=dry_run, as_json=json)
    n_new = 0 if dry_run or json else report.accepted - report.updated
    if n_new and house.store.last_run() is not None:
        show.raw(f"{n_new} new cases; `patternmind place` shows where they belong, `patternmind run` takes them in.\n")
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
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Continue no fit of the last run, however few are new.")
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Group all cases to date into themes, carry the themes on, draft their patterns."""
    from patternmind.model.calls import total
    from patternmind.model.rights import Action
    from patternmind.ports import RunParameters
    from patternmind.verbs.checks import check_parameters

    parameters = RunParameters(
        label=label,
        lens=lens,
        level=level,
        engine=engine,
        seed=seed,
        since=since,
        draft=not no_draft,
        afresh=afresh,
    )
    check_parameters(parameters)
    house = open_house(home)
    with show.progress() as progress:
        record = house.run(parameters, progress=progress)
    write_audit(house, Action.START_RUN, "run", "run", record.id)
    show.run(record, total(house.store.calls(record.id)), as_json=json)


@app.command()
def prereading(
    theme: Annotated[str | None, typer.Option(help="Theme id.")] = None,
    topic: Annotated[str | None, typer.Option(help="What the session is about.")] = None,
    case: Annotated[str | None, typer.Option(help="Case id or external id.")] = None,
    out: Annotated[Path | None, typer.Option(help="FILE.md, .html, .pdf, .docx or .json; else Markdown here.")] = None,
    session: Annotated[str, typer.Option(help="The session's name.")] = "",
    date: Annotated[str, typer.Option(help="The session's date.")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Two pages for a session: the case in its own words, its theme, voices, what helped, what is open."""
    from patternmind.cli.files import check_suffix, write_file
    from patternmind.model.rights import Action
    from patternmind.verbs import prepare
    from patternmind.verbs.checks import check_text
    from patternmind.verbs.publishing import prereading_document, prereading_row

    if sum(chosen is not None for chosen in (theme, topic, case)) != 1:
        raise UsageError("Name one of --theme ID, --topic TEXT or --case ID.")
    check_suffix(out, (".md", ".html", ".pdf", ".docx", ".json"))
    house = open_house(home)
    store = house.store
    if theme is not None:
        subject = prepare.by_theme(store, theme)
    elif case is not None:
        subject = prepare.by_case(store, case)
    else:
        check_text(topic or "")
        with show.progress() as progress, house.index(progress=progress) as index:
            subject = prepare.by_topic(store, house.encoder, index, topic or "")
    prepared = prepare.prepare(
        store, house.clock, subject, topic=topic or "", session=session, date=date, namer=house.namer
    )
    write_audit(house, Action.REQUEST_PREREADING, "prereading", "prereading", prepared.grounded.draft.id)
    for note in prepared.notes:
        show.say(note)
    written = prereading_row(prepared)
    if out is not None:
        write_file(out, written if out.suffix == ".json" else prereading_document(prepared, store.network))
    if json:
        show.json_line(written)
    elif out is None:
        show.text(prereading_document(prepared, store.network))
    else:
        show.say(f"Written: {out}")


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What to look for, in your own words.")],
    kind: Annotated[str | None, typer.Option(help="case, recap or pattern.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many.")] = 10,
    home: Home = None,
    json: Json = False,
) -> None:
    """Cases, recaps and accepted patterns nearest in meaning."""
    from patternmind.verbs.checks import check_text
    from patternmind.verbs.search import search as find

    if kind not in (None, "case", "recap", "pattern"):
        raise UsageError(f'--kind takes case, recap or pattern, not "{kind}".')
    check_text(text)
    house = open_house(home)
    with show.progress() as progress, house.index(progress=progress) as index:
        results = find(house.store, house.encoder, index, text, kind=kind, k=k)
    show.results(results, as_json=json)


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="assignments, map, cases, themes, drafts or patterns.")],
    format: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    lens: Annotated[
        str | None, typer.Option(help="Of assignments, map, themes: another lens than the last run's.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file instead of stdout.")] = None,
    home: Home = None,
) -> None:
    """Rows for other tools, consent and threshold applied."""
    from patternmind.cli.files import rows_to_text, write_file
    from patternmind.verbs.export import export_rows

    text = rows_to_text(export_rows(open_house(home).store, what, lens=lens), format)
    if out is None:
        show.exact(text)
    else:
        write_file(out, text)
        show.say(f"Written: {out}")


@app.command()
def playbook(
    out: Annotated[Path | None, typer.Option(help="FILE.md, .html, .pdf or .docx; else Markdown here.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """The playbook of what people accepted, as far as consent and threshold let it out."""
    from patternmind.cli.files import check_suffix, write_file
    from patternmind.verbs.publishing import collect_playbook, playbook_document

    check_suffix(out, (".md", ".html", ".pdf", ".docx"))
    house = open_house(home)
    collected = collect_playbook(house.store)
    document = playbook_document(house.store, collected, house.clock.now())
    if out is not None:
        write_file(out, document)
    show.playbook(collected, document if out is None else None, out, as_json=json)


@review_app.command("list")
def review_list(home: Home = None, json: Json = False) -> None:
    """The drafts that wait for somebody, and those that were decided on."""
    from patternmind.verbs.reviewing import open_drafts

    show.drafts(open_drafts(open_house(home).store), as_json=json)


@review_app.command("show")
def review_show(draft: str, home: Home = None, json: Json = False) -> None:
    """One draft with its quotes and its decisions."""
    from patternmind.verbs.reviewing import open_draft

    show.draft(open_draft(open_house(home).store, draft), as_json=json)


@review_app.command("decide")
def review_decide(
    draft: str,
    action: Annotated[str, typer.Argument(help="accept, edit, reject, not_sure, retire or undo.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
    reason: Annotated[str | None, typer.Option(help="Needed to reject.")] = None,
    note: str = "",
    field: Annotated[list[str] | None, typer.Option(help="FIELD=TEXT, for edit.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Accept, edit, reject, retire or undo."""
    from patternmind.model.drafts import DraftAction, Reason
    from patternmind.model.rights import Action
    from patternmind.verbs.checks import one_of
    from patternmind.verbs.reviewing import decide_draft

    house = open_house(home)
    edits = dict(pair.split("=", 1) for pair in field or [] if "=" in pair)
    if len(edits) != len(field or []):
        raise UsageError("--field takes FIELD=TEXT.")
    reviewed = decide_draft(
        house.store,
        house.clock,
        draft,
        one_of(DraftAction, action, "action"),
        by=by,
        reason=one_of(Reason, reason, "reason") if reason else None,
        note=note,
        edits=dict(edits),
    )
    write_audit(house, Action.REVIEW_DRAFTS, "decide", "draft", draft, by=by)
    show.draft(reviewed, as_json=json)


@index_app.command("rebuild")
def index_rebuild(home: Home = None, json: Json = False) -> None:
    """Build the index anew from the stored vectors."""
    from contextlib import closing

    from patternmind.verbs.search import index_vectors

    house = open_house(home)
    with show.progress() as progress, closing(house.chroma()) as index:
        ids, vectors = index_vectors(house.store, house.encoder, progress=progress)
        index.rebuild(ids, vectors)
    show.done({"rows": len(ids)}, f"The index holds {len(ids)} rows.", as_json=json)


@index_app.command("verify")
def index_verify(home: Home = None, json: Json = False) -> None:
    """Compare every row of the index with the stored vectors; exit 1 where they differ."""
    from contextlib import closing

    from patternmind.verbs.search import index_vectors

    house = open_house(home)
    with show.progress() as progress, closing(house.chroma()) as index:
        check = index.verify(*index_vectors(house.store, house.encoder, progress=progress))
    show.index_check(check, as_json=json)
    if not check.ok:
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8765,
    home: Home = None,
) -> None:
    """Serve the pages and the API; where nobody has signed in yet, it prints the first link."""
    from patternmind.web.serving import serve as listen

    listen(open_house(home), host=host, port=port)


@app.command()
def doctor(home: Home = None, json: Json = False) -> None:
    """Check data folder, encoder, index and gateway; exit 1 where something needs attention."""
    from patternmind.checkup import examine

    findings = examine(open_house(home))
    show.findings(findings, as_json=json)
    if any(not finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the demo writes.")] = Path("demo"),
    json: Json = False,
) -> None:
    """Run the whole line on the sample network: two quarters, themes, pre-reading, a playbook."""
    from patternmind.cli.demo import run_demo

    run_demo(out, as_json=json)


@app.command("eval")
def evaluate(
    suite: Annotated[str, typer.Option(help="ci or full.")] = "ci",
    corpora: Annotated[Path | None, typer.Option(help="Folder with real corpora.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    json: Json = False,
) -> None:
    """Measure quality against the baselines; exit 3 where a figure falls below its gate."""
    from patternmind.evals.suites import run_suite

    with show.progress() as progress:
        report = run_suite(suite, corpora=corpora, progress=progress)
    show.evaluation(report, junit, as_json=json)


# A command with a file of its own registers itself here.
from patternmind.cli import cases as _cases  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import erase as _erase  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import map as _map  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import members as _members  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import place as _place  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import redaction as _redaction  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import runs as _runs  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import telling as _telling  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import themes as _themes  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from patternmind.cli import tokens as _tokens  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]

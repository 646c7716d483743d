"""`patternmind demo`: the whole line on the sample network, quarter by quarter, with a person's part played openly."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from patternmind.bootstrap import House
from patternmind.cli import show
from patternmind.cli.files import write_file
from patternmind.errors import PatternmindError, UsageError
from patternmind.model.cases import IntakeReport, Kind
from patternmind.model.drafts import DraftAction, DraftKind
from patternmind.model.network import PublishingRule
from patternmind.model.themes import Theme
from patternmind.ports import RunParameters
from patternmind.publish.rights import Published, publishable
from patternmind.review import pattern_of
from patternmind.settings import Settings
from patternmind.verbs import prepare
from patternmind.verbs.export import theme_row
from patternmind.verbs.ingest import ingest_files
from patternmind.verbs.network import add_roster, change_network
from patternmind.verbs.publishing import (
    collect_playbook,
    playbook_document,
    prereading_document,
    prereading_row,
)
from patternmind.verbs.reviewing import decide_draft, open_draft, open_drafts

REVIEWER = "Demo Facilitator"
MARK = ".patternmind-demo"
QUARTERS = (("2026Q3", "cases-2026Q3.csv"), ("2026Q4", "cases-2026Q4.csv"))
RECAPS = "recaps.jsonl"
MOST_ACCEPTED = 4


def run_demo(out: Path, *, as_json: bool) -> None:
    """Ingest two quarters, run a cycle for each, review as a named demo person, and write what a steward would get."""
    house = House(Settings(home=_fresh_home(out)))
    change_network(house.store, name="Halden Nordic peer network (sample)")
    with as_file(files("patternmind") / "sample") as sample, show.progress() as progress:
        people = add_roster(house.store, sample / "roster.csv").added
        show.say(f"A sample network: {people} people on the roster; their names will not leave the redaction.")
        for label, cases in QUARTERS:
            report = ingest_files(house.store, [sample / cases], kind=Kind.CASE)
            if label == QUARTERS[-1][0]:
                recaps = ingest_files(house.store, [sample / RECAPS], kind=Kind.RECAP)
                show.say(f"Recaps: {recaps.accepted} taken in, {_redacted(recaps)} names and numbers redacted.")
            record = house.run(RunParameters(label=label), progress=progress)
            show.say(
                f"{label}: {report.accepted} cases taken in, {_redacted(report)} names and numbers redacted; "
                f"{record.n_themes} themes, {record.n_outliers} cases not in a theme yet."
            )
    accepted = _review(house)
    written = _write(house, out)
    themes = [theme for theme in house.store.themes() if theme.case_ids]
    if as_json:
        show.json_line(
            {
                "themes": [theme_row(theme) for theme in themes],
                "accepted": accepted,
                "written": [str(path) for path in written],
                "home": str(house.settings.home),
            }
        )
        return
    outliers = [one for one in house.store.assignments() if one.theme_id is None]
    show.themes(themes, house.store.areas(), outliers, house.store.last_run(), as_json=False)
    show.raw(_closing(accepted, written, house.settings.home))


def _redacted(report: IntakeReport) -> int:
    return sum(report.redacted.values())


def _fresh_home(out: Path) -> Path:
    """The demo's own data folder, emptied if an earlier demo made it.

    Raises:
        UsageError: a folder is there that no demo made.
        PatternmindError: it cannot be made.
    """
    home = out / "home"
    if home.exists() and not (home / MARK).exists():
        raise UsageError(f"{home} was not made by a demo. Name another folder with --out.")
    shutil.rmtree(home, ignore_errors=True)
    try:
        home.mkdir(parents=True)
        (home / MARK).touch()
    except OSError as error:
        raise PatternmindError(f"{home} cannot be made ({error.strerror}). Name another place with --out.") from error
    return home


def _review(house: House) -> list[str]:
    """Accept the widest candidates that may be published, so that there is a playbook to look at."""
    rule: PublishingRule = house.store.network.rule
    cases = {case.id: case for case in house.store.cases()}
    sizes = {theme.id: theme.n_cases for theme in house.store.themes()}
    candidates = [
        one
        for one in open_drafts(house.store, kind=DraftKind.PATTERN)
        if sum(claim.field == "solution" for claim in one.grounded.draft.claims) > 1
    ]
    candidates.sort(key=lambda one: (-sizes.get(one.grounded.draft.theme_id or "", 0), one.grounded.draft.id))
    accepted: list[str] = []
    for candidate in candidates:
        draft_id = candidate.grounded.draft.id
        decide_draft(house.store, house.clock, draft_id, DraftAction.ACCEPT, by=REVIEWER)
        pattern = pattern_of(open_draft(house.store, draft_id))
        if pattern is not None and isinstance(publishable(pattern, cases, rule), Published):
            accepted.append(pattern.name)
        else:
            decide_draft(house.store, house.clock, draft_id, DraftAction.UNDO, by=REVIEWER)
        if len(accepted) == MOST_ACCEPTED:
            break
    return accepted


def _write(house: House, out: Path) -> list[Path]:
    theme: Theme = house.store.themes()[0]
    prepared = prepare.prepare(
        house.store, house.clock, prepare.by_theme(house.store, theme.id), session="Problem-solving jam"
    )
    document = prereading_document(prepared, house.store.network)
    playbook = playbook_document(house.store, collect_playbook(house.store), house.clock.now())
    written = {
        out / "prereading.md": document,
        out / "prereading.html": document,
        out / "prereading.json": prereading_row(prepared),
        out / "playbook.md": playbook,
        out / "playbook.html": playbook,
    }
    for path, content in written.items():
        write_file(path, content)
    return list(written)


def _closing(accepted: list[str], written: list[Path], home: Path) -> str:
    lines = [
        "",
        f"{len(accepted)} candidate patterns were accepted by “{REVIEWER}”, so that there is a playbook to look at:",
        *(f"  {name}" for name in accepted),
        "In your network a named person decides; nothing is accepted by itself.",
        "",
        "Written:",
        *(f"  {path}" for path in written),
        "",
        f"Open the service:  patternmind serve --home {home}   and open the sign-in link that it prints",
        "",
    ]
    return "\n".join(lines)

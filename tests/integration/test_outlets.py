"""Where texts go out, and how far: every outlet has a row here, and one without a row fails.

A case for the network only has a word of its own in every sentence; where its text may not go, none of these words is.
"""

import io
import json
import pkgutil
import zipfile
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from tests.fixtures.commands import write_rows

from patternmind.bootstrap import AppContext
from patternmind.cli.app import app
from patternmind.cli.output_files import format_rows
from patternmind.domain.cases import CaseKind, Consent
from patternmind.domain.drafts import DraftAction, DraftKind
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir
from patternmind.llm.scripted_model import SERVER_FAILURE, ScriptedModel
from patternmind.pipeline import LlmContext, run_pipeline
from patternmind.ports import RunParameters
from patternmind.publishing.map_drawing import draw_map
from patternmind.publishing.render import RENDERERS, render_document
from patternmind.services import prereading_builder
from patternmind.services.exports import EXPORT_NAMES, export_rows
from patternmind.services.file_import import import_files
from patternmind.services.network_settings import update_network
from patternmind.services.playbook import build_playbook_document, collect_playbook, prepared_document
from patternmind.services.reviews import decide_draft, list_all_drafts
from patternmind.services.roster import import_roster
from patternmind.services.theme_map import build_theme_map
from patternmind.settings import Settings
from patternmind.web import api
from patternmind.web.app import make_app


class Reach(Enum):
    """How far what an outlet gives may go."""

    OUT = "others read it: nothing of a case for the network only"
    MEMBERS = "members and reviewers read it: any case, redacted"
    STEWARD = "the steward alone reads it: raw text"
    NO_TEXT = "it gives no text of cases"


COMMANDS = {
    "export": Reach.OUT,
    "playbook": Reach.OUT,
    "map": Reach.OUT,
    "prereading": Reach.MEMBERS,
    "search": Reach.MEMBERS,
    "place": Reach.MEMBERS,
    "review list": Reach.MEMBERS,
    "review show": Reach.MEMBERS,
    "review decide": Reach.MEMBERS,
    "raw": Reach.STEWARD,
    "redaction possible-names": Reach.STEWARD,
    **dict.fromkeys(["cases list", "cases show", "recap", "themes new"], Reach.MEMBERS),
    **dict.fromkeys(["themes", "themes log", "themes changes", "run"], Reach.MEMBERS),
    **dict.fromkeys(
        [
            f"themes {verb}"
            for verb in ("rename merge move-in move-out split-off together apart pin lock retire undo".split())
        ],
        Reach.MEMBERS,
    ),
    **dict.fromkeys(
        (
            "init|ingest|index rebuild|index verify|token create|serve|doctor|demo|eval|erase|key new|key apply|runs"
            "|redaction confirm|member add|member link|member list|member role|member remove|network add|network list"
            "|token list|token revoke"
        ).split("|"),
        Reach.NO_TEXT,
    ),
}
"""`demo` and `eval` read the sample and the corpora; `serve` gives what the API's rows say."""

API = "/api/v1"

UPLOADS = (("POST", ""), ("GET", "/{upload_id}"), ("PUT", "/{upload_id}/mapping"), ("POST", "/{upload_id}/import"))
"""Their rows are shown redacted; the errors file goes back to who sent the file, and to nobody else."""

ROUTES = {
    f"GET {API}/export/{{what}}": Reach.OUT,
    f"GET {API}/patterns": Reach.OUT,
    f"GET {API}/playbook": Reach.OUT,
    f"GET {API}/cases/{{case_id:path}}/raw": Reach.STEWARD,
    f"GET {API}/cases/{{case_id:path}}/possible-names": Reach.STEWARD,
    f"GET {API}/uploads/{{upload_id}}/errors": Reach.STEWARD,
    f"GET {API}/patterns/{{pattern_id}}/uses": Reach.MEMBERS,
    f"POST {API}/patterns/{{pattern_id}}/uses": Reach.MEMBERS,
    f"GET {API}/map.json": Reach.OUT,
    f"GET {API}/map.svg": Reach.OUT,
    **dict.fromkeys(
        [
            f"GET {API}/cases",
            f"GET {API}/cases/{{case_id:path}}",
            f"GET {API}/cases/{{case_id:path}}/placement",
            f"GET {API}/cases/{{case_id:path}}/related",
            f"POST {API}/cases",
            f"POST {API}/cases/preview",
            f"PUT {API}/cases/{{case_id:path}}",
            f"DELETE {API}/cases/{{case_id:path}}/withdrawal",
            *(f"{ask} {API}/uploads{rest}" for ask, rest in UPLOADS),
            f"POST {API}/placements",
            f"GET {API}/search",
            f"GET {API}/assignments",
            f"GET {API}/themes",
            f"GET {API}/themes/{{theme_id}}",
            f"GET {API}/areas",
            f"GET {API}/drafts",
            f"GET {API}/drafts/{{draft_id}}",
            f"POST {API}/drafts/{{draft_id}}/decisions",
            f"GET {API}/review/queue",
            f"GET {API}/review/discuss",
            f"GET {API}/review/decisions",
            f"POST {API}/review/undo",
            f"POST {API}/prereadings",
            f"GET {API}/prereadings",
            f"GET {API}/prereadings/{{prereading_id}}",
            f"PATCH {API}/prereadings/{{prereading_id}}",
            f"POST {API}/prereadings/{{prereading_id}}/approval",
            f"POST {API}/prereadings/{{prereading_id}}/undo",
            f"GET {API}/runs/{{run_id}}/changes",
            f"GET {API}/runs/{{run_id}}/comparison/{{other_id}}",
            f"GET {API}/themes/log",
            f"GET {API}/themes/proposals",
            f"GET {API}/themes/doubts",
            f"GET {API}/themes/changes",
            f"GET {API}/themes/trends",
            f"POST {API}/themes/edits",
            f"POST {API}/themes/{{theme_id}}/edits",
            f"POST {API}/themes/log/{{seq}}/undo",
            f"POST {API}/themes/proposals/{{seq}}",
            f"POST {API}/themes/doubts/{{seq}}",
            f"POST {API}/themes/changes/{{run_id}}/{{theme_id}}",
        ],
        Reach.MEMBERS,
    ),
    f"GET {API}/roster": Reach.STEWARD,
    f"GET {API}/possible-names": Reach.STEWARD,
    **dict.fromkeys(
        [
            f"GET {API}/network",
            f"POST {API}/cases/{{case_id:path}}/possible-names",
            f"POST {API}/cases/{{case_id:path}}/withdrawal",
            f"DELETE {API}/cases/{{case_id:path}}",
            f"DELETE {API}/uploads/{{upload_id}}",
            f"POST {API}/imports",
            f"POST {API}/runs",
            f"GET {API}/runs",
            f"GET {API}/runs/{{run_id}}",
            f"GET {API}/runs/{{run_id}}/costs",
            *(f"{method} {API}/settings/network" for method in ("GET", "PUT")),
            f"GET {API}/settings/limits",
            f"PUT {API}/settings/limits/thresholds",
            f"POST {API}/roster",
            f"DELETE {API}/roster/{{number}}",
            f"POST {API}/possible-names/confirm",
            f"POST {API}/possible-names/dismiss",
            f"POST {API}/checkup",
            f"GET {API}/jobs",
            f"GET {API}/jobs/{{job_id}}",
            f"GET {API}/jobs/{{job_id}}/events",
            f"GET {API}/events",
            f"POST {API}/runs/jobs/{{job_id}}/restart",
            f"POST {API}/prereadings/jobs/{{job_id}}/restart",
            f"GET {API}/me",
            f"GET {API}/members",
            f"GET {API}/audit",
            f"POST {API}/drafts/{{draft_id}}/reservation",
            f"DELETE {API}/drafts/{{draft_id}}/reservation",
            "GET /healthz",
            f"GET {API}/openapi.json",
            f"GET {API}/docs",
        ],
        Reach.NO_TEXT,
    ),
}

SUBMITTER, ON_ROSTER = "Wilhelmina Krups", "Zebulon Quast"
PARTS = {"printer": "labels and ink", "valve": "steam and pressure", "login": "passwords and accounts"}
SUBJECTS = tuple(PARTS)


WHEN = (
    "while pallets of frozen fish were loaded", "minutes before the lorry to Bergen left", "on a rainy Sunday evening",
    "after somebody swapped its power cable", "during the yearly stock count", "just as two trainees began",
    "when both managers were on holiday", "with customs officers waiting outside", "under the old crane by gate four",
    "the morning that heating broke down", "once everybody had gone for lunch", "in between three urgent returns",
)  # fmt: skip
LOST = (
    "we sent flowers to say sorry", "a customer cancelled his whole contract", "it cost us nine hundred kroner",
    "nobody noticed for half an afternoon", "forklifts queued right up to the road", "the report had to be typed twice",
    "our best driver missed his ferry", "head office rang every single hour", "seven crates went to Oslo instead",
    "insurance would not pay for any of it", "paper slips were lying everywhere", "the auditor wrote a long letter",
)  # fmt: skip
"""Every case tells a story of its own: what is told twice counts once."""


def private_word(subject: str, number: int) -> str:
    return f"zyx{subject}quokka{number}"


def rows() -> Iterator[dict[str, str]]:
    """Every third case is for the network only; so are all of "login" but one."""
    for at, subject in enumerate(SUBJECTS):
        for number in range(12):
            private = number % 3 == 0 or (subject == "login" and number > 1)
            own = f" {private_word(subject, number)}" if private else ""
            parts = PARTS[subject]
            when, lost = WHEN[(number + 4 * at) % 12], LOST[(5 * number + 3 * at) % 12]
            yield {
                "id": f"{subject}-{number}",
                "title": f"The{own} {subject} failed",
                "problem": f"The{own} {subject} failed again, with {parts}, in hall {number} {when}. "
                f"{ON_ROSTER} saw{own} that {subject} stop, and {lost}.",
                "outcome": f"But marking the{own} {subject}, its {parts}, made shift {number} slower {when}.",
                "lesson": f"Check the{own} {subject} and mark {parts} before shift {number}, for {lost}.",
                "team": f"team {number % 4}",
                "submitter": f"{SUBMITTER} {'ABCDEFGHIJKL'[number]}.",
                "remark": f"Said{own} in the meeting",
                "consent": Consent.NETWORK_ONLY.value if private else Consent.ORGANISATION.value,
            }


PRIVATE = tuple(private_word(subject, number) for subject in SUBJECTS for number in range(12))
RAW = (SUBMITTER, "Wilhelmina", "Krups", ON_ROSTER, "Zebulon", "Quast")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> AppContext:
    """A network where people accepted all they could, and repeated private sentences in their own words."""
    folder = tmp_path_factory.mktemp("outlets")
    house = AppContext(Settings(home=folder / "home"), encoder=HashingEncoder())
    store, clock = house.store, house.clock
    update_network(store, name="Docks", min_contributors=2, min_teams=2)
    import_roster(store, write_rows(folder / "roster.jsonl", [{"name": ON_ROSTER}]))
    report = import_files(store, [write_rows(folder / "cases.jsonl", list(rows()))], kind=CaseKind.CASE)
    assert report.accepted == 36
    for lens in ("helped", "problem", "all"):
        house.run(RunParameters(lens=lens))
    private = [case for case in store.cases() if case.consent is Consent.NETWORK_ONLY]
    for case in private[:3]:
        prereading_builder.build_prereading(store, clock, prereading_builder.subject_from_case(store, case.id))
    for number, one in enumerate(list_all_drafts(store)):
        draft = one.grounded.draft
        said = private[number % len(private)].text["problem"].partition(".")[0]
        told = {
            "context": f"They said: {said}, and so on.",
            "forces": (f"As we know, {said.lower()}!", "Speed or care."),
        }
        edits = {name: value for name, value in told.items() if name in draft.fields}
        if edits:
            decide_draft(store, clock, draft.id, DraftAction.EDIT, actor="Ada Berg", edits=edits, note=said)
        if any(claim.field == "solution" for claim in draft.claims):
            decide_draft(store, clock, draft.id, DraftAction.ACCEPT, actor="Ada Berg")
    return house


def held(text: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.casefold() in text.casefold()]


def as_text(data: bytes, suffix: str) -> str:
    """What a reader of the file can find in it, metadata too."""
    if suffix == ".docx":
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            return "\n".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())
    if suffix == ".pdf":
        from pypdfium2 import PdfDocument

        pages: Any = PdfDocument(data)
        shown = " ".join(page.get_textpage().get_text_range() for page in pages)
        return f"{shown} {pages.get_metadata_dict()}".replace("\r\n", " ")
    return data.decode()


def test_the_sample_holds_what_must_not_go_out(house: AppContext) -> None:
    texts = json.dumps([dict(case.text) for case in house.store.cases()])
    assert len(held(texts, PRIVATE)) == 20
    assert held(texts, RAW) == []
    drafts = json.dumps([str(one) for one in list_all_drafts(house.store)])
    assert len(held(drafts, PRIVATE)) >= 5
    assert len(collect_playbook(house.store).published) >= 1


@pytest.mark.parametrize("format", ["jsonl", "csv"])
@pytest.mark.parametrize("what", EXPORT_NAMES)
def test_no_export_holds_what_is_for_the_network_only(house: AppContext, what: str, format: str) -> None:
    text = format_rows(export_rows(house.store, what), format)
    assert len(text) > 100
    assert held(text, PRIVATE + RAW) == []


def test_no_draft_of_a_case_without_a_theme_gives_out_its_short_title(tmp_path: Path) -> None:
    """Such a case is asked about by its title, which has fewer words than the runs that are looked for."""
    house = AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())
    import_files(house.store, [write_rows(tmp_path / "cases.jsonl", list(rows())[:8])], kind=CaseKind.CASE)
    house.run(RunParameters())
    assert house.store.themes() == []
    private = [case for case in house.store.cases() if case.consent is Consent.NETWORK_ONLY]
    for case in private:
        prereading_builder.build_prereading(
            house.store, house.clock, prereading_builder.subject_from_case(house.store, case.id)
        )
    drafts = json.dumps([str(one) for one in list_all_drafts(house.store)])
    assert len(held(drafts, PRIVATE)) == len(private) == 3
    assert held(json.dumps(list(export_rows(house.store, "drafts"))), PRIVATE) == []


@pytest.mark.parametrize("suffix", RENDERERS)
def test_no_playbook_holds_what_is_for_the_network_only(house: AppContext, suffix: str) -> None:
    collected = collect_playbook(house.store)
    text = as_text(render_document(build_playbook_document(house.store, collected, house.clock.now()), suffix), suffix)
    assert "marking" in text or "mark" in text
    assert held(text, PRIVATE + RAW) == []


def test_no_map_holds_what_is_for_the_network_only(house: AppContext) -> None:
    for lens in ("all", "problem", "helped"):
        svg = draw_map(build_theme_map(house.store, lens)).svg
        assert held(svg, PRIVATE + RAW) == []


@pytest.mark.parametrize("suffix", RENDERERS)
def test_a_prereading_may_quote_it_and_then_says_so(house: AppContext, suffix: str) -> None:
    case = next(one for one in house.store.cases() if one.consent is Consent.NETWORK_ONLY)
    prepared = prereading_builder.build_prereading(
        house.store, house.clock, prereading_builder.subject_from_case(house.store, case.id)
    )
    text = as_text(render_document(prepared_document(prepared, house.store.network), suffix), suffix)
    assert held(text, PRIVATE)
    assert "network-only case" in " ".join(text.split())
    assert held(text, RAW) == []


def commands(group: Any, prefix: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if not hasattr(command, "commands"):
            yield f"{prefix}{name}"
            continue
        if command.invoke_without_command:
            yield f"{prefix}{name}"
        yield from commands(command, f"{prefix}{name} ")


def test_every_command_has_a_row() -> None:
    assert sorted(commands(typer.main.get_command(app))) == sorted(COMMANDS)


def api_routes(house: AppContext) -> Iterator[str]:
    """Of every module of routes, and what the application has beside them."""
    modules = [import_module(f"{api.__name__}.{one.name}") for one in pkgutil.iter_modules(api.__path__)]
    for prefix, found in (
        (API, [one for module in modules for one in module.router.routes]),
        ("", make_app(house).routes),
    ):
        for route in found:
            if isinstance(route, APIRoute):
                yield from (f"{method} {prefix}{route.path}" for method in route.methods or ())


def test_every_route_of_the_api_has_a_row(house: AppContext) -> None:
    assert sorted(api_routes(house)) == sorted(ROUTES)


def a_member(house: AppContext) -> Any:
    return TestClient(make_app(house), base_url="http://localhost", client=("127.0.0.1", 5))


def test_what_the_api_gives_to_others_holds_nothing_that_is_for_the_network_only(house: AppContext) -> None:
    asked = [f"{API}/export/{what}" for what in EXPORT_NAMES if what != "map"]
    asked += [
        f"{API}/patterns",
        f"{API}/map.json",
        f"{API}/map.svg",
        *(f"{API}/playbook?format={form}" for form in ("json", "md", "html", "pdf", "docx")),
    ]
    with a_member(house) as client:
        for path in asked:
            answer = client.get(path)
            assert answer.status_code == 200
            form = path.partition("format=")[2]
            text = as_text(answer.content, f".{form}" if form in {"pdf", "docx"} else ".json")
            assert held(text, PRIVATE + RAW) == [], path
    outlets = {path.partition("?")[0] for path in asked}
    of_rows = {row.partition(" ")[2] for row, reach in ROUTES.items() if reach is Reach.OUT}
    assert {
        path.replace(path.rpartition("/")[2], "{what}") if "/export/" in path else path for path in outlets
    } == of_rows


def test_no_answer_of_the_api_holds_raw_text(house: AppContext) -> None:
    ids = {
        "case_id:path": house.store.cases()[0].id,
        "theme_id": house.store.themes()[0].id,
        "draft_id": list_all_drafts(house.store)[0].grounded.draft.id,
        "run_id": "run-0003",
        "other_id": "run-0002",
        "prereading_id": next(one.id for one, _, _ in house.store.drafts() if one.kind is DraftKind.PREREADING),
        "job_id": "none",
        "what": "cases",
    }
    asks = {"search": {"q": "printer"}, "decisions": {"by": "Ada"}}
    with a_member(house) as client:
        ids["pattern_id"] = client.get(f"{API}/patterns").json()["items"][0]["id"]
        for row, reach in ROUTES.items():
            method, _, path = row.partition(" ")
            if reach is Reach.STEWARD or "{upload_id}" in path:
                continue
            for name, value in ids.items():
                path = path.replace(f"{{{name}}}", value)
            if method == "GET" and path != f"{API}/events":  # that one ends when nobody listens any more
                answer = client.get(path, params=asks.get(path.rpartition("/")[2], {}))
                assert answer.status_code == (404 if "/jobs/" in path else 200), path
                assert held(answer.text, RAW) == [], path


def test_a_model_is_told_redacted_text_and_no_submitter(house: AppContext) -> None:
    model = ScriptedModel({"theme-name": lambda _: SERVER_FAILURE})
    namer = LlmContext(model, PromptFiles(packaged_prompts_dir()))
    run_pipeline(
        house.store, house.encoder, house.clock, RunParameters(seed=1, lens="problem", from_scratch=True), llm=namer
    )
    sent = "".join(f"{one.prompt.system}\n{one.prompt.user}" for one in model.requests)
    assert held(sent, RAW) == []


RAW_READERS = {"verbs/network.py", "verbs/handing_in.py", "verbs/case_view.py", "cli/erase.py", "checkup.py"}
"""Redacting again; editing and what was handed in, for the steward and whose case it is; `patternmind raw`, for the
steward; the doctor, which asks only whether it opens."""


def test_raw_text_is_read_in_these_places_alone() -> None:
    source = Path(str(__import__("patternmind").__file__)).parent
    reading = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if ".submissions()" in (text := path.read_text(encoding="utf-8")) or ".submission(" in text
    }
    assert reading == RAW_READERS

"""Every outlet of text is listed here with its audience; an unlisted outlet fails.

Each network-only case has a unique word in every sentence. Outlets for everyone must contain none of these words.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from tests.fixtures.commands import write_rows

from patternmind.bootstrap import AppContext
from patternmind.cli.app import HELP_BY_COMMAND, load_command
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
from patternmind.web.app import PAGE_ROUTES, make_app


class Audience(Enum):
    """People who may read the output of an outlet."""

    EVERYONE = "anyone outside the network: no text of network-only cases"
    MEMBERS = "members and reviewers: any case, redacted"
    STEWARD = "only the steward: raw text"
    NO_TEXT = "no text of cases"


COMMANDS = {
    "export": Audience.EVERYONE,
    "playbook": Audience.EVERYONE,
    "map": Audience.EVERYONE,
    "prereading": Audience.MEMBERS,
    "search": Audience.MEMBERS,
    "place": Audience.MEMBERS,
    "review list": Audience.MEMBERS,
    "review show": Audience.MEMBERS,
    "review decide": Audience.MEMBERS,
    "raw": Audience.STEWARD,
    "redaction possible-names": Audience.STEWARD,
    **dict.fromkeys(["cases list", "cases show", "recap", "themes new"], Audience.MEMBERS),
    **dict.fromkeys(["themes", "themes log", "themes changes", "run"], Audience.MEMBERS),
    **dict.fromkeys(
        [
            f"themes {verb}"
            for verb in ("rename merge move-in move-out split-off together apart pin lock retire undo".split())
        ],
        Audience.MEMBERS,
    ),
    **dict.fromkeys(
        (
            "init|ingest|index rebuild|index verify|token create|serve|doctor|demo|eval|erase|key new|key apply|runs"
            "|redaction confirm|member add|member link|member list|member role|member remove|network add|network list"
            "|token list|token revoke"
        ).split("|"),
        Audience.NO_TEXT,
    ),
}
"""`demo` and `eval` read the sample and the corpora; the routes of `serve` are listed below."""

API = "/api/v1"

UPLOADS = (("POST", ""), ("GET", "/{upload_id}"), ("PUT", "/{upload_id}/mapping"), ("POST", "/{upload_id}/import"))
"""Their rows are redacted; only the person who uploaded the file gets the errors file."""

ROUTES = {
    f"GET {API}/export/{{what}}": Audience.EVERYONE,
    f"GET {API}/patterns": Audience.EVERYONE,
    f"GET {API}/playbook": Audience.EVERYONE,
    f"GET {API}/cases/{{case_id:path}}/raw": Audience.STEWARD,
    f"GET {API}/cases/{{case_id:path}}/possible-names": Audience.STEWARD,
    f"GET {API}/uploads/{{upload_id}}/errors": Audience.STEWARD,
    f"GET {API}/patterns/{{pattern_id}}/uses": Audience.MEMBERS,
    f"POST {API}/patterns/{{pattern_id}}/uses": Audience.MEMBERS,
    f"GET {API}/map.json": Audience.EVERYONE,
    f"GET {API}/map.svg": Audience.EVERYONE,
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
            *(f"{method} {API}/uploads{path}" for method, path in UPLOADS),
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
        Audience.MEMBERS,
    ),
    f"GET {API}/roster": Audience.STEWARD,
    f"GET {API}/possible-names": Audience.STEWARD,
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
        Audience.NO_TEXT,
    ),
}

SUBMITTER, ON_ROSTER = "Wilhelmina Krups", "Zebulon Quast"
PARTS = {"printer": "labels and ink", "valve": "steam and pressure", "login": "passwords and accounts"}
SUBJECTS = tuple(PARTS)


CONDITIONS = (
    "while pallets of frozen fish were loaded", "minutes before the lorry to Bergen left", "on a rainy Sunday evening",
    "after a visitor swapped its power cable", "during the yearly stock count", "just as two trainees began",
    "when both managers were on holiday", "with customs officers waiting outside", "under the old crane by gate four",
    "the morning that heating broke down", "once everybody had gone for lunch", "in between three urgent returns",
)  # fmt: skip
CONSEQUENCES = (
    "we sent flowers to say sorry", "a customer cancelled his whole contract", "it cost us nine hundred kroner",
    "no one noticed for half an afternoon", "forklifts queued right up to the road", "the report had to be typed twice",
    "our best driver missed his ferry", "head office rang every single hour", "seven crates went to Oslo instead",
    "insurance would not pay for any of it", "paper slips were lying everywhere", "the auditor wrote a long letter",
)  # fmt: skip
"""Each case has its own combination: repeated stories count once."""


def confidential_word(subject: str, number: int) -> str:
    return f"zyx{subject}quokka{number}"


def build_rows() -> Iterator[dict[str, str]]:
    """Yield rows; every third case is network-only, and all of "login" but one."""
    for position, subject in enumerate(SUBJECTS):
        for number in range(12):
            is_confidential = number % 3 == 0 or (subject == "login" and number > 1)
            unique = f" {confidential_word(subject, number)}" if is_confidential else ""
            topics = PARTS[subject]
            condition, consequence = (
                CONDITIONS[(number + 4 * position) % 12],
                CONSEQUENCES[(5 * number + 3 * position) % 12],
            )
            yield {
                "id": f"{subject}-{number}",
                "title": f"The{unique} {subject} failed",
                "problem": f"The{unique} {subject} failed again, with {topics}, in hall {number} {condition}. "
                f"{ON_ROSTER} saw{unique} that {subject} stop, and {consequence}.",
                "outcome": f"But marking the{unique} {subject}, its {topics}, made shift {number} slower {condition}.",
                "lesson": f"Check the{unique} {subject} and mark {topics} before shift {number}, for {consequence}.",
                "team": f"team {number % 4}",
                "submitter": f"{SUBMITTER} {'ABCDEFGHIJKL'[number]}.",
                "remark": f"Said{unique} in the meeting",
                "consent": Consent.NETWORK_ONLY.value if is_confidential else Consent.ORGANISATION.value,
            }


CONFIDENTIAL_WORDS = tuple(confidential_word(subject, number) for subject in SUBJECTS for number in range(12))
RAW_WORDS = (SUBMITTER, "Wilhelmina", "Krups", ON_ROSTER, "Zebulon", "Quast")


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> AppContext:
    """A network whose reviewers accepted every draft they could, and repeated confidential sentences in edits."""
    folder = tmp_path_factory.mktemp("outlets")
    ctx = AppContext(Settings(home=folder / "home"), encoder=HashingEncoder())
    store, clock = ctx.store, ctx.clock
    update_network(store, name="Docks", min_contributors=2, min_teams=2)
    import_roster(store, write_rows(folder / "roster.jsonl", [{"name": ON_ROSTER}]))
    report = import_files(store, [write_rows(folder / "cases.jsonl", list(build_rows()))], kind=CaseKind.CASE)
    assert report.accepted == 36
    for lens in ("helped", "problem", "all"):
        ctx.run(RunParameters(lens=lens))
    confidential = [case for case in store.cases.list_all() if case.consent is Consent.NETWORK_ONLY]
    for case in confidential[:3]:
        prereading_builder.build_prereading(store, clock, prereading_builder.subject_from_case(store, case.id))
    for number, reviewed in enumerate(list_all_drafts(store)):
        draft = reviewed.grounded.draft
        sentence = confidential[number % len(confidential)].text["problem"].partition(".")[0]
        values = {
            "context": f"They said: {sentence}, and so on.",
            "forces": (f"As we know, {sentence.lower()}!", "Speed or care."),
        }
        edits = {name: value for name, value in values.items() if name in draft.fields}
        if edits:
            decide_draft(store, clock, draft.id, DraftAction.EDIT, actor="Ada Berg", edits=edits, note=sentence)
        if any(claim.field == "solution" for claim in draft.claims):
            decide_draft(store, clock, draft.id, DraftAction.ACCEPT, actor="Ada Berg")
    return ctx


def find_words(text: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.casefold() in text.casefold()]


def as_text(data: bytes, suffix: str) -> str:
    """Return all text of a file, including its metadata."""
    if suffix == ".docx":
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            return "\n".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())
    if suffix == ".pdf":
        from pypdfium2 import PdfDocument

        pages: Any = PdfDocument(data)
        text = " ".join(page.get_textpage().get_text_range() for page in pages)
        return f"{text} {pages.get_metadata_dict()}".replace("\r\n", " ")
    return data.decode()


def test_sample_contains_confidential_words_and_no_raw_text(ctx: AppContext) -> None:
    texts = json.dumps([dict(case.text) for case in ctx.store.cases.list_all()])
    assert len(find_words(texts, CONFIDENTIAL_WORDS)) == 20
    assert find_words(texts, RAW_WORDS) == []
    drafts = json.dumps([str(reviewed) for reviewed in list_all_drafts(ctx.store)])
    assert len(find_words(drafts, CONFIDENTIAL_WORDS)) >= 5
    assert len(collect_playbook(ctx.store).published) >= 1


@pytest.mark.parametrize("format", ["jsonl", "csv"])
@pytest.mark.parametrize("what", EXPORT_NAMES)
def test_exports_contain_no_network_only_text(ctx: AppContext, what: str, format: str) -> None:
    text = format_rows(export_rows(ctx.store, what), format)
    assert len(text) > 100
    assert find_words(text, CONFIDENTIAL_WORDS + RAW_WORDS) == []


def test_draft_export_withholds_the_short_title_of_a_case_without_a_theme(tmp_path: Path) -> None:
    """Its pre-reading is named after the title, which is shorter than the phrases searched for."""
    ctx = AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())
    import_files(ctx.store, [write_rows(tmp_path / "cases.jsonl", list(build_rows())[:8])], kind=CaseKind.CASE)
    ctx.run(RunParameters())
    assert ctx.store.themes.list_all() == []
    confidential = [case for case in ctx.store.cases.list_all() if case.consent is Consent.NETWORK_ONLY]
    for case in confidential:
        prereading_builder.build_prereading(
            ctx.store, ctx.clock, prereading_builder.subject_from_case(ctx.store, case.id)
        )
    drafts = json.dumps([str(reviewed) for reviewed in list_all_drafts(ctx.store)])
    assert len(find_words(drafts, CONFIDENTIAL_WORDS)) == len(confidential) == 3
    assert find_words(json.dumps(list(export_rows(ctx.store, "drafts"))), CONFIDENTIAL_WORDS) == []


@pytest.mark.parametrize("suffix", RENDERERS)
def test_playbook_contains_no_network_only_text(ctx: AppContext, suffix: str) -> None:
    collected = collect_playbook(ctx.store)
    text = as_text(render_document(build_playbook_document(ctx.store, collected, ctx.clock.now()), suffix), suffix)
    assert "marking" in text or "mark" in text
    assert find_words(text, CONFIDENTIAL_WORDS + RAW_WORDS) == []


def test_map_contains_no_network_only_text(ctx: AppContext) -> None:
    for lens in ("all", "problem", "helped"):
        svg = draw_map(build_theme_map(ctx.store, lens)).svg
        assert find_words(svg, CONFIDENTIAL_WORDS + RAW_WORDS) == []


@pytest.mark.parametrize("suffix", RENDERERS)
def test_prereading_quotes_a_network_only_case_with_a_notice(ctx: AppContext, suffix: str) -> None:
    case = next(case for case in ctx.store.cases.list_all() if case.consent is Consent.NETWORK_ONLY)
    prepared = prereading_builder.build_prereading(
        ctx.store, ctx.clock, prereading_builder.subject_from_case(ctx.store, case.id)
    )
    text = as_text(render_document(prepared_document(prepared, ctx.store.network.get()), suffix), suffix)
    assert find_words(text, CONFIDENTIAL_WORDS)
    assert "network-only case" in " ".join(text.split())
    assert find_words(text, RAW_WORDS) == []


def commands(members: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, command in members.items():
        if not hasattr(command, "commands"):
            yield f"{prefix}{name}"
            continue
        if command.invoke_without_command:
            yield f"{prefix}{name}"
        yield from commands(command.commands, f"{prefix}{name} ")


def test_commands_are_all_listed() -> None:
    assert sorted(commands({name: load_command(name) for name in HELP_BY_COMMAND})) == sorted(COMMANDS)


def api_routes(ctx: AppContext) -> Iterator[str]:
    """Yield method and path of all routes but the pages."""
    for route in make_app(ctx).routes:
        assert isinstance(route, APIRoute), route
        if route not in PAGE_ROUTES:
            yield from (f"{method} {route.path}" for method in route.methods or ())


def test_api_routes_are_all_listed(ctx: AppContext) -> None:
    assert sorted(api_routes(ctx)) == sorted(ROUTES)


def build_client(ctx: AppContext) -> Any:
    return TestClient(make_app(ctx), base_url="http://localhost", client=("127.0.0.1", 5))


def test_public_api_responses_contain_no_network_only_text(ctx: AppContext) -> None:
    paths = [f"{API}/export/{what}" for what in EXPORT_NAMES if what != "map"]
    paths += [
        f"{API}/patterns",
        f"{API}/map.json",
        f"{API}/map.svg",
        *(f"{API}/playbook?format={format}" for format in ("json", "md", "html", "pdf", "docx")),
    ]
    with build_client(ctx) as client:
        for path in paths:
            response = client.get(path)
            assert response.status_code == 200
            format = path.partition("format=")[2]
            text = as_text(response.content, f".{format}" if format in {"pdf", "docx"} else ".json")
            assert find_words(text, CONFIDENTIAL_WORDS + RAW_WORDS) == [], path
    outlets = {path.partition("?")[0] for path in paths}
    listed_paths = {row.partition(" ")[2] for row, audience in ROUTES.items() if audience is Audience.EVERYONE}
    assert {
        path.replace(path.rpartition("/")[2], "{what}") if "/export/" in path else path for path in outlets
    } == listed_paths


def test_api_responses_contain_no_raw_text(ctx: AppContext) -> None:
    ids = {
        "case_id:path": ctx.store.cases.list_all()[0].id,
        "theme_id": ctx.store.themes.list_all()[0].id,
        "draft_id": list_all_drafts(ctx.store)[0].grounded.draft.id,
        "run_id": "run-0003",
        "other_id": "run-0002",
        "prereading_id": next(
            draft.id for draft, _, _ in ctx.store.drafts.list_all() if draft.kind is DraftKind.PREREADING
        ),
        "job_id": "none",
        "what": "cases",
    }
    queries = {"search": {"q": "printer"}, "decisions": {"by": "Ada"}}
    with build_client(ctx) as client:
        ids["pattern_id"] = client.get(f"{API}/patterns").json()["items"][0]["id"]
        for row, audience in ROUTES.items():
            method, _, path = row.partition(" ")
            if audience is Audience.STEWARD or "{upload_id}" in path:
                continue
            for name, value in ids.items():
                path = path.replace(f"{{{name}}}", value)
            if method == "GET" and path != f"{API}/events":  # an endless stream
                response = client.get(path, params=queries.get(path.rpartition("/")[2], {}))
                assert response.status_code == (404 if "/jobs/" in path else 200), path
                assert find_words(response.text, RAW_WORDS) == [], path


def test_model_prompts_contain_no_raw_text_or_submitter(ctx: AppContext) -> None:
    model = ScriptedModel({"theme-name": lambda _: SERVER_FAILURE})
    llm = LlmContext(model, PromptFiles(packaged_prompts_dir()))
    run_pipeline(ctx.store, ctx.encoder, ctx.clock, RunParameters(seed=1, lens="problem", from_scratch=True), llm=llm)
    prompts = "".join(f"{request.prompt.system}\n{request.prompt.user}" for request in model.requests)
    assert find_words(prompts, RAW_WORDS) == []


RAW_TEXT_READERS = {
    "services/roster.py",
    "services/case_submission.py",
    "services/case_view.py",
    "cli/raw.py",
    "diagnostics.py",
}
"""Modules that read raw text.

The roster redacts it again. Submission and case view return it to the steward and the case's owner, `patternmind raw`
to the steward. The diagnostics check only that it can be decrypted.
"""


def test_raw_text_is_read_only_in_the_listed_modules() -> None:
    source = Path(str(__import__("patternmind").__file__)).parent
    readers = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"\bsubmissions\.(get|list_all)\(|SubmissionRepository", path.read_text(encoding="utf-8"))
        and path.relative_to(source).parts[0] not in {"ports", "storage"}
    }
    assert readers == RAW_TEXT_READERS

"""Generated requests to the API get no 5xx and only documented responses."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis.checks
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.jobs import Job, JobKind
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.ports import RunParameters
from patternmind.services import prereading_builder
from patternmind.services.file_import import import_files
from patternmind.services.tokens import create_token
from patternmind.settings import Settings
from patternmind.web.app import make_app

GENERAL, SPECIFIED = cast(Any, schemathesis.checks), cast(Any, checks)
CHECKS = [
    GENERAL.not_a_server_error,
    SPECIFIED.status_code_conformance,
    SPECIFIED.content_type_conformance,
    SPECIFIED.response_headers_conformance,
    SPECIFIED.response_schema_conformance,
]

OPENAPI = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS = [(method.upper(), path) for path, methods in OPENAPI["paths"].items() for method in methods]

WHEN = """on Monday|at noon|by night|in March|after lunch|before dawn|under load|in rain|while empty|during stocktaking|
at start|once more|on Friday|near closing|without warning|with trainees|in frost|on holiday|next door|past midnight|
over Easter|for hours|upstairs|downstairs""".replace("\n", "").split("|")
"""A different time for each case, because near-duplicates count once."""

KnownIds = Mapping[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, KnownIds, str]]:
    """The schema of an app with a small network, known ids, and a token."""
    ctx, known_ids = make_described_network(tmp_path_factory.mktemp("schema"))
    secret, _ = create_token(ctx.store.tokens, ctx.clock, "schemathesis", lifetime_days=1)
    app = make_app(ctx)
    app.state.shared.event_streams.close()  # open streams would never end
    yield describe_app(app, secret), known_ids, secret
    app.state.shared.stop()


def describe_app(app: Any, secret: str) -> Any:
    """Return the app's schema, which generates requests and checks responses."""
    return cast(Any, schemathesis).openapi.from_asgi("/api/v1/openapi.json", app, headers=bearer(secret))


def make_described_network(home: Path) -> tuple[AppContext, KnownIds]:
    """Create a small network; return it with known ids."""
    ctx = AppContext(Settings(home=home), encoder=HashingEncoder())
    file = home / "cases.jsonl"
    subjects = enumerate(zip(["pump", "lift", "gate", "scale"] * 6, WHEN, strict=True))
    lines = [
        {"id": f"k{n}", "problem": f"The {word} broke again {when}.", "lesson": f"A new {word} helped. Try it."}
        for n, (word, when) in subjects
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    import_files(ctx.store, [file], kind=CaseKind.CASE)
    run = ctx.run(RunParameters())
    other = ctx.run(RunParameters(seed=1, from_scratch=True))
    theme = prereading_builder.subject_from_theme(ctx.store, ctx.store.themes.list_all()[0].id)
    now = ctx.clock.now()
    job = Job(id="j-1", kind=JobKind.PREREADING, by="Ada", parameters={"topic": "pumps"}, started_at=now, beat_at=now)
    ctx.store.jobs.create(job)
    return ctx, {
        "case_id": ctx.store.cases.list_all()[0].id,
        "leaving_id": ctx.store.cases.list_all()[-1].id,
        "run_id": run.id,
        "theme_id": ctx.store.themes.list_all()[0].id,
        "draft_id": ctx.store.drafts.list_all()[0][0].id,
        "prereading_id": prereading_builder.build_prereading(ctx.store, ctx.clock, theme).grounded.draft.id,
        "job_id": job.id,
        "other_id": other.id,
    }


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_responses_match_openapi_schema(method: str, path: str, served: tuple[Any, KnownIds, str]) -> None:
    schema, known_ids, secret = served
    modes = schemathesis.GenerationMode
    operation = schema[path][method]
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in (modes.POSITIVE, modes.NEGATIVE)))

    @seed(20261120)
    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=cases, with_known_ids=st.booleans())
    def send(case: Any, with_known_ids: bool) -> None:
        if with_known_ids:
            use_known_ids(case, known_ids)
        case.call_and_validate(headers=bearer(secret), checks=CHECKS)

    send()


def use_known_ids(case: Any, known_ids: KnownIds) -> None:
    """Use known ids, so that not every response is 404."""
    case.path_parameters.update({name: id for name, id in known_ids.items() if name in case.path_parameters})
    if "case_id" in case.path_parameters and (case.method == "DELETE" or case.path.endswith("/withdrawal")):
        case.path_parameters["case_id"] = known_ids["leaving_id"]  # other requests still need the first case
    if case.path.endswith(("/imports", "/uploads")):
        case.query["filename"] = "note.txt"
    if case.method == "POST" and case.path.endswith("/prereadings"):
        case.body = {"theme": known_ids["theme_id"]}

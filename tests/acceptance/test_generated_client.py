"""A client generated from docs/openapi.json works against a server."""

import importlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType
from tests.fixtures.browser import serve_in_thread
from tests.fixtures.networks import the_cases

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.services.members import add_member
from patternmind.services.tokens import create_token
from patternmind.settings import DEFAULT_NETWORK, Settings

ROOT = Path(__file__).parents[2]
PACKAGE = "patternmind_client_made_here"

AS_BYTES = {"application/x-ndjson": "application/octet-stream", "image/svg+xml": "application/octet-stream"}
"""Media types that the generator does not know; it returns their bytes."""


@pytest.fixture(scope="module")
def generated_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the generated client; the generator must not report any warning."""
    folder = tmp_path_factory.mktemp("client")
    config = ConfigFile(post_hooks=[], content_type_overrides=AS_BYTES)
    sources = Config.from_sources(
        config, MetaType.NONE, ROOT / "docs" / "openapi.json", "utf-8", True, folder / PACKAGE
    )
    warnings = generate(config=sources)
    assert [f"{warning.header}: {warning.detail}" for warning in warnings] == []
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    shutil.rmtree(folder)


class Client:
    """Calls the generated functions by name on a server."""

    def __init__(self, address: str, token: str) -> None:
        self.models = importlib.import_module(f"{PACKAGE}.models")
        self._client = importlib.import_module(f"{PACKAGE}.client").AuthenticatedClient(
            base_url=address, token=token, raise_on_unexpected_status=True
        )

    def call(self, name: str, **arguments: Any) -> Any:
        """Return the parsed response of any status."""
        return self._function(name).sync(client=self._client, **arguments)

    def status(self, name: str, **arguments: Any) -> tuple[int, Any]:
        answer = self._function(name).sync_detailed(client=self._client, **arguments)
        return int(answer.status_code), answer

    @staticmethod
    def _function(name: str) -> ModuleType:
        tag, _, function = name.partition(".")
        return importlib.import_module(f"{PACKAGE}.api.{tag}.{function}")


@pytest.fixture(scope="module")
def client(generated_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    ctx = AppContext(Settings(home=tmp_path_factory.mktemp("house")), encoder=HashingEncoder())
    _ = ctx.store
    member = add_member(
        ctx.accounts.members, ctx.clock, DEFAULT_NETWORK, "Stella Ward", [Role.STEWARD, Role.FACILITATOR]
    )
    secret, _ = create_token(
        ctx.store.tokens, ctx.clock, "client", lifetime_days=1, creator=member, roles=[Role.STEWARD, Role.FACILITATOR]
    )
    with serve_in_thread(ctx) as address:
        yield Client(address, secret)


def test_generated_client_submits_cases_runs_and_decides(client: Client) -> None:
    models = client.models
    assert client.call("network.read_me").name
    for case in the_cases():
        text = {name: case[name] for name in ("problem", "context", "lesson")}
        request = models.CaseRequest.from_dict({"kind": "case", "text": text, "facts": {"team": case["team"]}})
        status, answer = client.status("cases.submit_case", body=request)
        assert status == 201, answer.content
    page = client.call("cases.list_cases", limit=20)
    assert len(page.items) == 20
    rest = client.call("cases.list_cases", limit=200, cursor=page.next_cursor)
    assert len(page.items) + len(rest.items) == 48

    job = client.call("runs.start_run", body=models.RunRequest.from_dict({"label": "2026Q4"}))
    while (job := client.call("jobs.read_job", job_id=job.job_id)).state not in {"finished", "failed", "lost"}:
        time.sleep(0.05)
    assert job.state == "finished", job
    themes = client.call("themes.list_themes").items
    assert themes
    results = client.call("cases.search", q="frozen scanner battery", k=3)
    assert len(results.items) == 3

    drafts = client.call("review.list_drafts", kind=models.DraftKind("pattern")).items
    status, answer = client.status("review.read_draft", draft_id=drafts[0].id)
    assert status == 200
    tag = answer.headers["etag"]
    decision = models.DecisionRequest.from_dict({"action": "not_sure", "by": "Stella Ward"})
    assert client.call("review.decide", draft_id=drafts[0].id, body=decision, if_match=tag).id == drafts[0].id
    status, answer = client.status("review.decide", draft_id=drafts[0].id, body=decision, if_match=tag)
    assert (status, answer.parsed.title) == (412, "Changed by someone else in the meantime")

    lines = client.status("cases.export", what=models.ExportWhat("cases"))[1].content.decode().splitlines()
    assert len(lines) == 48

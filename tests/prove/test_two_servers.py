"""Two servers on one data folder decide on the same drafts at once; one always wins."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest
from tests.fixtures.commands import CommandRunner
from tests.fixtures.large_network import build_large_network
from tests.fixtures.server import RunningServer, run_server

from patternmind.bootstrap import DATABASE_FILE
from patternmind.domain.read_models import DraftFilter
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.storage import SqlStore

pytestmark = pytest.mark.prove

DRAFTS = 200
AT_ONCE = 16


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("queue")
    build_large_network(home, n_cases=2000, n_drafts=DRAFTS, n_decided=0, encoder=HashingEncoder())
    return home


def test_concurrent_decisions_by_two_servers_keep_exactly_one(home: Path) -> None:
    run_command = CommandRunner(home)
    tokens = [run_command("token", "create", name, "--json").json()["token"] for name in ("Ada", "Bo")]
    headers = [{"authorization": f"Bearer {token}"} for token in tokens]
    with run_server(home, **headers[0]) as first, run_server(home, **headers[1]) as second:
        statuses = asyncio.run(_decide([first, second], headers, _ids(home)))
    assert Counter(tuple(sorted(pair)) for pair in statuses.values()) == Counter({(200, 412): DRAFTS})
    store = SqlStore(home / DATABASE_FILE)
    drafts = store.drafts.list_all()
    items = store.drafts.item_page(DraftFilter(), limit=1000).rows
    store.close()
    assert [len(log) for _, log, _ in drafts] == [1] * DRAFTS
    for draft, log, _ in drafts:
        assert log[0].by == ("Ada", "Bo")[statuses[draft.id].index(200)]
    assert {(item.version, item.state.value) for item in items} == {(1, "rejected")}
    winners = Counter(log[0].by for _, log, _ in drafts)
    print(
        f"\n{2 * DRAFTS} decisions by two servers on {DRAFTS} drafts: kept {dict(winners)}, rejected {DRAFTS}, lost 0"
    )


def _ids(home: Path) -> list[str]:
    store = SqlStore(home / DATABASE_FILE)
    ids = [item.id for item in store.drafts.item_page(DraftFilter(), limit=1000).rows]
    store.close()
    assert len(ids) == DRAFTS
    return ids


async def _decide(
    servers: list[RunningServer], headers: list[dict[str, str]], ids: list[str]
) -> dict[str, tuple[int, int]]:
    """Send both decisions on each draft at once; return both statuses by draft."""
    body = {"action": "reject", "reason": "not useful"}
    semaphore = asyncio.Semaphore(AT_ONCE)
    clients = [
        httpx.AsyncClient(base_url=server.address, headers=header | {"if-match": '"0"'}, timeout=60)
        for server, header in zip(servers, headers, strict=True)
    ]

    async def about(id: str) -> tuple[str, tuple[int, int]]:
        async with semaphore:
            requests = (client.post(f"/api/v1/drafts/{id}/decisions", json=body) for client in clients)
            first, second = await asyncio.gather(*requests)
            return id, (first.status_code, second.status_code)

    try:
        return dict(await asyncio.gather(*(about(id) for id in ids)))
    finally:
        for client in clients:
            await client.aclose()

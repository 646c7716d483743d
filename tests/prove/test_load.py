"""Twenty people read a network of 100,000 cases at once, with a second between their requests, on two cores.

The data folders are made in PATTERNMIND_SIZED where that names a folder (and kept there), else in a temporary one;
PATTERNMIND_VECTORS may name a folder of ready vectors of the texts.
"""

import asyncio
import itertools
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.prove.serving import Served, serving
from tests.prove.sized_network import make_network

from patternmind.bootstrap import House
from patternmind.settings import Settings

pytestmark = pytest.mark.prove

READERS = 20
SMALL, LARGE, DRAFTS = 10_000, 100_000, 2000
READ_SECONDS = float(os.environ.get("PATTERNMIND_LOAD_SECONDS", "30"))
WARM_SECONDS = 4.0
SEARCHES_A_SECOND = 5
SEARCHES = 75
QUESTIONS = ("neutron stars", "graph colouring", "deep networks for images", "superconductors", "random walks")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    kept = os.environ.get("PATTERNMIND_SIZED")
    place = Path(kept) if kept else tmp_path_factory.mktemp("sized")
    ready = os.environ.get("PATTERNMIND_VECTORS")
    folders = {n: place / f"h{n}" for n in (SMALL, LARGE)}
    for n, home in folders.items():
        if not (home / "patternmind.db").exists():
            encoder = House(Settings(home=home)).encoder
            make_network(home, n_cases=n, n_drafts=DRAFTS, encoder=encoder, vectors=Path(ready) if ready else None)
    return folders


def addresses(served: Served) -> dict[str, list[str]]:
    """The reads, by what they are called in the table; each with several of its addresses."""
    with httpx.Client(base_url=f"{served.address}/api/v1/") as client:
        themes = [one["theme_id"] for one in client.get("themes").json()["items"]]
        page = client.get("cases", params={"limit": 50}).json()
        far = client.get("cases", params={"order": "newest", "since": "2010-01-01", "until": "2012-01-01"}).json()
        cases = [one["case_id"] for one in page["items"]]
        drafts = [one["id"] for one in client.get("drafts").json()["items"]]
    return {
        "cases": ["cases", f"cases?cursor={page['next_cursor']}", f"cases?order=newest&cursor={far['next_cursor']}"],
        "cases, filtered": [f"cases?theme_id={themes[3]}", "cases?unplaced=true", "cases?team=Team%207&status=open"],
        "cases, by words": ["cases?q=quantum", "cases?q=neural%20net", "cases?q=zebra"],
        "case": [f"cases/{id}" for id in cases[:20]],
        "themes": ["themes"],
        "theme": [f"themes/{id}" for id in themes[5:25]],
        "drafts": ["drafts?kind=pattern", "drafts?state=in_review", f"drafts?theme_id={themes[2]}"],
        "draft": [f"drafts/{id}" for id in drafts[:20]],
        "assignments": ["assignments?limit=50"],
        "network": ["network"],
        "runs": ["runs"],
    }


Taken = dict[str, list[float]]


async def read_on(served: Served, seconds: float) -> Taken:
    """Twenty readers, each over all reads in an order of its own, for so long."""
    taken: Taken = defaultdict(list)
    reads = addresses(served)
    limits = httpx.Limits(max_connections=READERS + 5)
    async with httpx.AsyncClient(base_url=f"{served.address}/api/v1/", limits=limits, timeout=30) as client:
        await asyncio.gather(*(_reader(client, number, reads, taken, seconds) for number in range(READERS)))
    return taken


async def _reader(
    client: httpx.AsyncClient, number: int, reads: dict[str, list[str]], taken: Taken, seconds: float
) -> None:
    draw = random.Random(number)
    order = draw.sample(list(reads), len(reads))
    await asyncio.sleep(number / READERS)
    begun = time.monotonic()
    for name in itertools.cycle(order):
        if time.monotonic() - begun > seconds:
            return
        asked = time.monotonic()
        answer = await client.get(draw.choice(reads[name]))
        assert answer.status_code == 200, answer.text
        if asked - begun > WARM_SECONDS:
            taken[name].append(time.monotonic() - asked)
        await asyncio.sleep(1)


async def search_on(served: Served) -> list[float]:
    """Five searches a second, whether or not the one before was answered."""
    taken: list[float] = []

    async def one(client: httpx.AsyncClient, number: int) -> None:
        await asyncio.sleep(number / SEARCHES_A_SECOND)
        asked = time.monotonic()
        question = f"{QUESTIONS[number % len(QUESTIONS)]} {number}"
        answer = await client.get("search", params={"q": question, "k": 10})
        assert len(answer.json()["items"]) == 10
        taken.append(time.monotonic() - asked)

    async with httpx.AsyncClient(base_url=f"{served.address}/api/v1/", timeout=60) as client:
        await client.get("search", params={"q": "the first one loads the encoder"})
        await client.get("search", params={"q": "the second one is like all others"})
        await asyncio.gather(*(one(client, number) for number in range(SEARCHES)))
    return taken


def milliseconds(taken: Sequence[float]) -> tuple[float, float, float]:
    p50, p95, p99 = (float(one) * 1000 for one in np.percentile(taken, [50, 95, 99]))
    return p50, p95, p99


def table(small: Taken, large: Taken) -> Iterator[str]:
    yield f"{'':18}{'n':>6}{'p50':>9}{'p95':>9}{'p99':>9}   ms at 100,000; p50 at 10,000, and the growth"
    for name, taken in large.items():
        p50, p95, p99 = milliseconds(taken)
        before = milliseconds(small[name])[0]
        yield f"{name:18}{len(taken):6}{p50:9.1f}{p95:9.1f}{p99:9.1f}{before:9.1f}{p50 / before:7.2f}x"


def test_twenty_readers_of_a_hundred_thousand_cases(folders: dict[int, Path]) -> None:
    with serving(folders[SMALL]) as served:
        small = asyncio.run(read_on(served, READ_SECONDS))
    with serving(folders[LARGE]) as served:
        large = asyncio.run(read_on(served, READ_SECONDS))
        ready, before_model = served.ready_seconds, served.peak_megabytes()
        searched = milliseconds(asyncio.run(search_on(served)))
        after_model = served.peak_megabytes()
    everything = milliseconds(list(itertools.chain(*large.values())))
    print("\n" + "\n".join(table(small, large)))
    print(f"all reads: p50 {everything[0]:.1f}, p95 {everything[1]:.1f}, p99 {everything[2]:.1f} ms")
    print(
        f"search, {SEARCHES_A_SECOND} a second: p50 {searched[0]:.1f}, p95 {searched[1]:.1f}, p99 {searched[2]:.1f} ms"
    )
    print(f"ready in {ready:.2f} s; {before_model:.0f} MB before the model, {after_model:.0f} MB after searches")
    assert everything[1] < 100
    assert all(milliseconds(taken)[1] < 100 for taken in large.values())
    assert searched[1] < 250
    assert ready < 4
    assert before_model < 400
    lists = [name for name in large if name.startswith(("cases", "drafts", "themes", "assignments"))]
    assert all(milliseconds(large[name])[0] <= 1.5 * milliseconds(small[name])[0] for name in lists)

"""Contract of the repository of requests that their callers may repeat."""

import datetime as dt
import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.queues import Queue
from pathlib import Path

import pytest
from tests.fixtures.builders import NOON, build_case, build_submission

from patternmind.ports import EarlierRequest, IdempotencyKey, KeyClaim, StoredResponse, TextRewrite
from patternmind.storage import SqlStore
from patternmind.storage.repositories import idempotency

LEASE = dt.timedelta(seconds=30)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=24)
KEY = IdempotencyKey(caller="default/token-1", path="/api/v1/cases", value="k-1", secret="Bearer pm_ottersecret")
RESPONSE = StoredResponse(
    201, [("location", "/cases/otterplace"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], b"The otter bit the valve."
)
NO_REWRITE = TextRewrite(
    rewrite_theme=lambda theme: theme,
    rewrite_name=lambda name: name,
    rewrite_text=lambda text: text,
    rewrite_draft=lambda draft, log: (draft, log),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(tmp_path / "patternmind.db")
    yield store
    store.close()


def claim(
    store: SqlStore, key: IdempotencyKey = KEY, content_hash: str = "c", now: dt.datetime = NOON
) -> KeyClaim | EarlierRequest:
    return store.idempotency_keys.claim(key, content_hash, now=now, lease_until=now + LEASE)


def complete(
    store: SqlStore,
    key: IdempotencyKey = KEY,
    response: StoredResponse = RESPONSE,
    *,
    now: dt.datetime = NOON,
    body: dt.timedelta = DAY,
) -> None:
    held = claim(store, key, now=now)
    assert isinstance(held, KeyClaim)
    store.idempotency_keys.complete(held, response, now=now, body_until=now + body, expires_at=now + DAY)


def test_repeated_request_gets_the_stored_response(store: SqlStore) -> None:
    held = claim(store)
    assert isinstance(held, KeyClaim)
    assert claim(store) == EarlierRequest(has_same_content=True)
    store.idempotency_keys.complete(held, RESPONSE, now=NOON, body_until=NOON + DAY, expires_at=NOON + DAY)
    earlier = EarlierRequest(has_same_content=True, completed_at=NOON, response=RESPONSE)
    assert claim(store) == earlier
    assert store.idempotency_keys.find(KEY, "c", now=NOON) == earlier


def test_request_with_other_content_is_recognized(store: SqlStore) -> None:
    claim(store)
    assert claim(store, content_hash="other") == EarlierRequest(has_same_content=False)


@pytest.mark.parametrize("field", ["caller", "path", "value", "secret"])
def test_request_with_another_identity_has_another_key(store: SqlStore, field: str) -> None:
    complete(store)
    other = replace(KEY, **{field: "other"})
    assert store.idempotency_keys.find(other, "c", now=NOON) is None
    assert isinstance(claim(store, other), KeyClaim)


def test_network_has_its_own_keys(store: SqlStore) -> None:
    complete(store)
    south = SqlStore(store.path, "south")
    assert isinstance(claim(south), KeyClaim)
    south.close()


def test_released_key_can_be_claimed_again(store: SqlStore) -> None:
    held = claim(store)
    assert isinstance(held, KeyClaim)
    store.idempotency_keys.release(held)
    assert store.idempotency_keys.find(KEY, "c", now=NOON) is None
    assert isinstance(claim(store), KeyClaim)


def test_key_is_free_after_its_lease_and_the_late_request_changes_nothing(store: SqlStore) -> None:
    late = claim(store)
    assert isinstance(late, KeyClaim)
    store.idempotency_keys.renew(late, lease_until=NOON + 2 * LEASE)
    assert claim(store, now=NOON + LEASE) == EarlierRequest(has_same_content=True)
    after = NOON + 2 * LEASE
    assert store.idempotency_keys.find(KEY, "c", now=after) is None
    second = claim(store, now=after)
    assert isinstance(second, KeyClaim)
    store.idempotency_keys.complete(late, RESPONSE, now=after, body_until=after + DAY, expires_at=after + DAY)
    store.idempotency_keys.release(late)
    store.idempotency_keys.renew(late, lease_until=after + DAY)
    assert claim(store, now=after) == EarlierRequest(has_same_content=True)
    assert isinstance(claim(store, now=after + LEASE), KeyClaim)


def test_body_and_key_expire(store: SqlStore) -> None:
    complete(store, body=MINUTE)
    only_location = StoredResponse(201, [("location", "/cases/otterplace")], None)
    for now, response in ((NOON + MINUTE / 2, RESPONSE), (NOON + MINUTE, only_location)):
        earlier = claim(store, now=now)
        assert isinstance(earlier, EarlierRequest)
        assert earlier.response == response
    assert isinstance(claim(store, now=NOON + DAY), KeyClaim)


@pytest.mark.parametrize(("limit", "value"), [("MAX_KEYS", 2), ("MAX_TOTAL_BYTES", 2 * len(RESPONSE.body or b""))])
def test_oldest_responses_are_deleted_when_there_are_too_many(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    in_progress = replace(KEY, value="in progress")
    assert isinstance(claim(store, in_progress, now=NOON), KeyClaim)
    monkeypatch.setattr(idempotency, limit, value)
    keys = [replace(KEY, value=f"k-{n}") for n in range(3)]
    for n, key in enumerate(keys):
        complete(store, key, now=NOON + dt.timedelta(seconds=n))
    claim(store, now=NOON + dt.timedelta(seconds=3))
    stored = [store.idempotency_keys.find(key, "c", now=NOON) is not None for key in (*keys, in_progress)]
    assert stored == [False, True, True, True]


def test_erased_and_withdrawn_case_deletes_all_bodies(store: SqlStore) -> None:
    form_key = replace(KEY, value="form")
    store.cases.save_all([(build_submission(id), build_case(id)) for id in ("c-1", "c-2")])
    for n, remove in enumerate((store.withdraw_case, store.erase_case), 1):
        complete(store)
        complete(store, form_key, body=MINUTE)
        remove(f"c-{n}", NO_REWRITE, kept_text_hashes=(), actor="Ada", at=NOON)
        assert store.idempotency_keys.find(KEY, "c", now=NOON) is None
        earlier = store.idempotency_keys.find(form_key, "c", now=NOON)
        assert earlier is not None
        assert earlier.response is not None
        assert earlier.response.body is None
        store.idempotency_keys.claim(form_key, "c", now=NOON + DAY, lease_until=NOON)  # expires the form's key


def test_secrets_and_texts_are_not_readable_in_the_files(store: SqlStore) -> None:
    complete(store)
    content = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert b"idempotency_key" in content
    for text in (b"otter", b"k-1", b"token-1", b"api/v1/cases", b"set-cookie"):
        assert text not in content, text


def test_concurrent_threads_get_one_claim(store: SqlStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(claim, [store] * 8))
    assert sum(isinstance(item, KeyClaim) for item in claims) == 1


def claim_all(path: Path, n_keys: int, results: "Queue[list[int]]") -> None:
    store = SqlStore(path)
    keys = [replace(KEY, value=f"k-{n}") for n in range(n_keys)]
    results.put([n for n, key in enumerate(keys) if isinstance(claim(store, key), KeyClaim)])
    store.close()


def test_concurrent_processes_get_one_claim_per_key(store: SqlStore) -> None:
    context = multiprocessing.get_context("fork")
    results: Queue[list[int]] = context.Queue()
    processes = [context.Process(target=claim_all, args=(store.path, 40, results)) for _ in range(2)]
    for process in processes:
        process.start()
    claimed = sorted([*results.get(timeout=60), *results.get(timeout=60)])
    for process in processes:
        process.join()
    assert claimed == list(range(40))


def claim_and_die(path: Path) -> None:
    claim(SqlStore(path))
    os.kill(os.getpid(), signal.SIGKILL)


def test_key_of_a_killed_process_is_free_after_its_lease(store: SqlStore) -> None:
    process = multiprocessing.get_context("fork").Process(target=claim_and_die, args=(store.path,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert claim(store, now=NOON + LEASE / 2) == EarlierRequest(has_same_content=True)
    assert isinstance(claim(store, now=NOON + LEASE), KeyClaim)

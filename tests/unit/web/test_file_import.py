"""Taking in a file through the pages: seen before it is stored, all or nothing, and nothing in it acts."""

import asyncio
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.page_client import PageClient, form_token_on

from patternmind.bootstrap import UPLOAD_FOLDER_PREFIX, AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.permissions import Role
from patternmind.domain.spreadsheet import FORMULA_PREFIXES, escape_formula
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.errors import StoreUnavailable
from patternmind.services.import_preview import mapping_from_choices, preview_file
from patternmind.settings import Settings
from patternmind.web import middleware
from patternmind.web import uploads as uploading
from patternmind.web.app import make_app
from patternmind.web.middleware import SecurityMiddleware
from patternmind.web.uploads import Upload, UploadStore, safe_name

ROWS = b"""id,Problem,Remark,status,submitter
1,The pump leaked in hall four. Call +47 22 33 44 55.,=1+1,open,Ann Lee
2,,nothing said,open,
3,The gate stood open all night.,@SUM(A1),half done,
4,The scanner froze in the yard.,fine,solved,Bo Lind
"""


@pytest.fixture(autouse=True)
def _waiting_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(uploading, "SMALL_FILE_WAIT_SECONDS", 60)


@pytest.fixture
def house(tmp_path: Path) -> AppContext:
    return AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())


@pytest.fixture
def steward(house: AppContext) -> PageClient:
    return PageClient(house, Role.STEWARD)


def upload(visitor: PageClient, name: str, content: bytes, *, kind: str = "case") -> Any:
    token = form_token_on(visitor.get("/cases/import").text)
    return visitor.post(
        "/cases/import", data={"form_token": token, "kind": kind}, files={"file": (name, content, "text/csv")}
    )


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def kept(house: AppContext) -> list[str]:
    return sorted(
        path.relative_to(house.settings.home).as_posix()
        for path in house.settings.home.glob(f"{UPLOAD_FOLDER_PREFIX}*/file/*")
    )


def test_a_file_is_seen_as_it_would_be_read_before_anything_is_stored(house: AppContext, steward: PageClient) -> None:
    sent = upload(steward, "cases.csv", ROWS)
    assert sent.status_code == 303
    page = steward.get(sent.headers["location"])
    said = words(page)
    assert "2 rows would be taken in, 2 rejected." in said
    assert "It has no title and no text." in said
    assert "is not one of open, workaround, solved, abandoned" in said
    assert "The pump leaked in hall four. Call phone ." in said
    assert "+47" not in page.text
    assert "Ann Lee" not in page.text
    assert '<option value="problem" selected>' in page.text
    assert house.store.cases() == []


def test_taken_in_it_is_stored_once_whole_and_the_raw_file_goes_when_nothing_is_left_to_mend(
    house: AppContext, steward: PageClient
) -> None:
    good = b"id,problem\n1,The pump leaked in hall four.\n2,The gate stood open all night.\n"
    address = upload(steward, "cases.csv", good).headers["location"]
    for _ in range(2):
        assert steward.send(address, {}, page=address).status_code == 303
    assert "2 rows taken in" in words(steward.get(address))
    assert [case.external_id for case in house.store.cases()] == ["1", "2"] or len(house.store.cases()) == 2
    assert kept(house) == []


def test_columns_can_be_read_another_way(house: AppContext, steward: PageClient) -> None:
    content = b"nr,Beskrivelse,problem\n7,The pump leaked in hall four.,none\n"
    address = upload(steward, "cases.csv", content).headers["location"]
    columns = {"column": ["nr", "Beskrivelse", "problem"], "field": ["id", "problem", ""], "kind": "case"}
    sent = steward.send(f"{address}/columns", columns, page=address)
    assert sent.status_code == 303
    assert "The pump leaked in hall four." in words(steward.get(address))
    steward.send(address, {}, page=address)
    case = house.store.case("7")
    assert case.text == {"problem": "The pump leaked in hall four."}
    assert case.extra == {"problem": "none"}


def test_two_columns_for_one_field_are_refused_and_the_page_stays(house: AppContext, steward: PageClient) -> None:
    address = upload(steward, "cases.csv", b"a,b\nOne thing happened.,Another thing happened.\n").headers["location"]
    sent = steward.send(
        f"{address}/columns", {"column": ["a", "b"], "field": ["problem", "problem"], "kind": "case"}, page=address
    )
    assert sent.status_code == 422
    assert "mapped twice" in sent.text
    assert house.store.cases() == []


def test_what_is_chosen_becomes_the_mapping_and_what_a_name_says_stays_unsaid() -> None:
    chosen = {"Problem": "problem", "text": "", "weird": "lesson", "other": ""}
    assert mapping_from_choices(chosen, CaseKind.CASE) == ("beside=text", "lesson=weird")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cases.exe", b"MZ", 'has the ending ".exe"'),
        ("empty.csv", b"", "empty.csv: "),
        ("cases.xlsx", b"PK\x03\x04 no workbook", "is not a readable XLSX workbook"),
        ("half.json", b'[{"problem": "x"', ""),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_not_kept(
    house: AppContext, steward: PageClient, name: str, content: bytes, said: str
) -> None:
    answer = upload(steward, name, content)
    assert answer.status_code == 422
    assert said in words(answer).replace("&#34;", '"')
    assert str(house.settings.home) not in answer.text
    assert kept(house) == []


def test_no_file_chosen_is_said(steward: PageClient) -> None:
    answer = steward.send("/cases/import", {"kind": "case"}, page="/cases/import")
    assert answer.status_code == 422
    assert "Choose a file first." in answer.text


def test_when_storing_fails_nothing_is_half_done_and_it_is_said(
    house: AppContext, steward: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = b"problem\n" + b"".join(b"The pump number %d leaked in hall four.\n" % n for n in range(1500))
    address = upload(steward, "many.csv", rows).headers["location"]
    store: Any = type(house.store)
    usual = store._put_case
    done = 0

    def fails(self: Any, *said: Any, **more: Any) -> None:
        nonlocal done
        done += 1
        if done > 1200:
            raise StoreUnavailable("The disk is full.")
        usual(self, *said, **more)

    monkeypatch.setattr(store, "_put_case", fails)
    steward.send(address, {}, page=address)
    page = steward.get(address)
    assert "The data folder is unavailable" in words(page)
    assert "disk" not in page.text
    assert house.store.cases() == []


# What is rejected ----------------------------------------------------------------------------------------------------


def test_rejected_rows_come_back_as_a_file_to_mend_that_calculates_nothing(
    house: AppContext, steward: PageClient
) -> None:
    address = upload(steward, "cases.csv", ROWS).headers["location"]
    answer = steward.get(f"{address}/errors.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="rows-to-fix.csv"'
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0] == [
        "patternmind: row",
        "patternmind: what is wrong",
        "id",
        "Problem",
        "Remark",
        "status",
        "submitter",
    ]
    assert [row[2] for row in rows[1:]] == ["2", "3"]
    assert rows[2][4] == "'@SUM(A1)"
    assert house.store.cases() == []


def test_a_mended_file_comes_back_as_if_it_had_been_right_at_first(house: AppContext, steward: PageClient) -> None:
    address = upload(steward, "cases.csv", ROWS).headers["location"]
    mended = steward.get(f"{address}/errors.csv").text.replace("half done", "open").encode()
    again = upload(steward, "rows-to-fix.csv", mended).headers["location"]
    page = steward.get(again)
    assert "1 row would be taken in, 1 rejected." in words(page)
    assert "patternmind: row" not in page.text
    steward.send(again, {}, page=again)
    case = house.store.case("3")
    assert (case.text["problem"], case.extra) == ("The gate stood open all night.", {"Remark": "@SUM(A1)"})


@pytest.mark.parametrize("start", [*FORMULA_PREFIXES, " =", "\u00a0@"])
def test_no_cell_begins_as_a_formula(start: str) -> None:
    assert escape_formula(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"
    assert escape_formula("plain = text") == "plain = text"


def test_a_formula_in_a_file_is_text_and_is_noted(house: AppContext, steward: PageClient) -> None:
    rows = b'problem,lesson\n"=HYPERLINK(""http://evil.example"",""x"") in the sheet was shown.",Look at it.\n'
    address = upload(steward, "cases.csv", rows).headers["location"]
    assert "1 with odd text" in words(steward.get(address))
    steward.send(address, {}, page=address)
    case = house.store.cases()[0]
    assert case.text["problem"].startswith("=HYPERLINK")
    assert any("begins like a spreadsheet formula" in flag for flag in case.flags)


# Names, sizes, speed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        "../../../etc/passwd.csv",
        "..\\..\\windows\\cases.csv",
        "/etc/cron.d/x.csv",
        "C:\\x\\y.csv",
        ".hidden.csv",
        "a\0b.csv",
        "state.json.csv",
        "\u202evsc.csv",
        "x" * 400 + ".csv",
        "ø" * 300 + ".csv",
        "<img src=x onerror=alert(1)>.csv",
        'a";\r\nSet-Cookie: x=1.csv',
        "%2e%2e%2fcases.csv",
    ],
)
def test_a_file_name_leads_nowhere_and_is_no_markup(house: AppContext, steward: PageClient, given: str) -> None:
    name = safe_name(given)
    assert name.endswith(".csv")
    assert not re.search(r"[/\\\x00-\x1f\u202e]|^\.", name)
    assert len(name.encode()) <= 240
    outside = set(house.settings.home.parent.iterdir())
    sent = upload(steward, given, b"problem\nThe pump leaked in hall four.\n")
    if sent.status_code == 303:
        page = steward.get(sent.headers["location"])
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert "set-cookie: x" not in str(page.headers).lower()
        assert [path for path in kept(house) if ".." not in path] == kept(house)
        assert len(kept(house)) == 1
    assert set(house.settings.home.parent.iterdir()) == outside


@pytest.mark.parametrize("id", ["x" * 22, "%2e%2e", "a" * 300, ".upload-", "x/y"])
def test_an_upload_is_known_by_its_own_id_alone(house: AppContext, steward: PageClient, id: str) -> None:
    upload(steward, "cases.csv", ROWS)
    assert steward.get(f"/cases/import/{id}").status_code == 404


def test_an_upload_is_there_for_who_sent_it_and_nobody_else(house: AppContext) -> None:
    app = make_app(house)
    ann, bo = (PageClient(house, Role.STEWARD, name=name, app=app) for name in ("Ann Lee", "Bo Lind"))
    address = upload(ann, "cases.csv", ROWS).headers["location"]
    assert ann.get(address).status_code == 200
    assert bo.get(address).status_code == 404
    assert bo.get(f"{address}/errors.csv").status_code == 404
    assert bo.send(address, {}, page="/cases/import").status_code == 404
    assert house.store.cases() == []


def test_a_file_left_aside_is_removed_and_one_left_lying_goes_within_the_hour(
    house: AppContext, steward: PageClient
) -> None:
    import os

    address = upload(steward, "cases.csv", ROWS).headers["location"]
    assert steward.send(f"{address}/drop", {}, page=address).status_code == 303
    assert kept(house) == []
    upload(steward, "old.csv", ROWS)
    for folder in house.settings.home.glob(f"{UPLOAD_FOLDER_PREFIX}*"):
        os.utime(folder, (0, 0))
    upload(steward, "new.csv", ROWS)
    assert [path.rpartition("/")[2] for path in kept(house)] == ["new.csv"]


def test_an_import_of_a_server_that_was_killed_is_said_to_be_off(house: AppContext, tmp_path: Path) -> None:
    uploads = UploadStore(house)
    assert house.store.cases() == []
    upload_id, place = uploads.create_folder()
    (place / "a.csv").write_bytes(ROWS)
    one = Upload(id=upload_id, owner="o", name="a.csv", kind=CaseKind.CASE, state="importing", pid=2**22 + 1)
    said: dict[str, Any] = {**{name: getattr(one, name) for name in Upload.__slots__}, "mapping": [], "report": {}}
    (place.parent / "state.json").write_text(json.dumps(said), encoding="utf-8")
    found = uploads.find(upload_id, owner="o")
    assert found.state == "failed"
    assert "No row of the file was imported" in found.failure
    assert preview_file(house.store, place / "a.csv", kind=CaseKind.CASE).columns


def test_a_body_that_is_too_large_is_refused_however_it_is_announced(
    house: AppContext, steward: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "MAX_IMPORT_BYTES", 200_000)
    big = b"problem\n" + b"The pump leaked.\n" * 20_000
    assert upload(steward, "cases.csv", big).status_code == 413
    token = form_token_on(steward.get("/cases/import").text)

    def drip() -> Any:
        yield from (big[at : at + 10_000] for at in range(0, len(big), 10_000))

    sent = steward.post("/api/v1/uploads?filename=cases.csv", content=drip(), headers={"x-form-token": token})
    assert sent.status_code == 413
    assert kept(house) == []
    assert steward.send("/cases/new", {"problem": "x" * 1_200_000}, page="/cases/new").status_code == 413


def test_a_body_that_stops_coming_is_not_waited_for() -> None:
    """A server that waits for every slow body has soon no room for the others."""

    async def reads_all(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async def ask(pauses: list[float]) -> list[Any]:
        said: list[Any] = []
        waits = iter(pauses)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(next(waits))
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(message: Any) -> None:
            said.append(message)

        scope = {"type": "http", "method": "POST", "path": "/cases/import", "query_string": b""}
        headers = [(b"host", b"localhost")]
        await SecurityMiddleware(reads_all, is_local=True, body_timeout_seconds=0.05)(
            {**scope, "headers": headers}, receive, send
        )
        return said

    silent = asyncio.run(ask([0.0, 5.0]))
    dripping = asyncio.run(ask([0.02] * 50))
    for answer in (silent, dripping):
        assert answer[0]["status"] == 408
        assert json.loads(answer[1]["body"])["type"].endswith("#problem-too-slow")

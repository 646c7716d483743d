"""File import pages: preview, all-or-nothing import, and escaping of file content."""

import asyncio
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.coroutines import run_coroutine
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
def ctx(tmp_path: Path) -> AppContext:
    return AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())


@pytest.fixture
def steward(ctx: AppContext) -> PageClient:
    return PageClient(ctx, Role.STEWARD)


def upload(visitor: PageClient, name: str, content: bytes, *, kind: str = "case") -> Any:
    token = form_token_on(visitor.get("/cases/import").text)
    return visitor.post(
        "/cases/import", data={"form_token": token, "kind": kind}, files={"file": (name, content, "text/csv")}
    )


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def uploaded_files(ctx: AppContext) -> list[str]:
    return sorted(
        path.relative_to(ctx.settings.home).as_posix()
        for path in ctx.settings.home.glob(f"{UPLOAD_FOLDER_PREFIX}*/file/*")
    )


def test_file_preview_stores_nothing(ctx: AppContext, steward: PageClient) -> None:
    sent = upload(steward, "cases.csv", ROWS)
    assert sent.status_code == 303
    page = steward.get(sent.headers["location"])
    text = words(page)
    assert "2 rows to import, 2 rejected." in text
    assert "No title and no text." in text
    assert "is not one of open, workaround, solved, abandoned" in text
    assert "The pump leaked in hall four. Call phone ." in text
    assert "+47" not in page.text
    assert "Ann Lee" not in page.text
    assert '<option value="problem" selected>' in page.text
    assert ctx.store.cases.list_all() == []


def test_import_stores_rows_once_and_deletes_the_file(ctx: AppContext, steward: PageClient) -> None:
    good = b"id,problem\n1,The pump leaked in hall four.\n2,The gate stood open all night.\n"
    address = upload(steward, "cases.csv", good).headers["location"]
    for _ in range(2):
        assert steward.send(address, {}, page=address).status_code == 303
    assert "2 rows imported" in words(steward.get(address))
    assert [case.external_id for case in ctx.store.cases.list_all()] == ["1", "2"] or len(
        ctx.store.cases.list_all()
    ) == 2
    assert uploaded_files(ctx) == []


def test_column_mapping_can_be_changed(ctx: AppContext, steward: PageClient) -> None:
    content = b"nr,Beskrivelse,problem\n7,The pump leaked in hall four.,none\n"
    address = upload(steward, "cases.csv", content).headers["location"]
    columns = {"column": ["nr", "Beskrivelse", "problem"], "field": ["id", "problem", ""], "kind": "case"}
    sent = steward.send(f"{address}/columns", columns, page=address)
    assert sent.status_code == 303
    assert "The pump leaked in hall four." in words(steward.get(address))
    steward.send(address, {}, page=address)
    case = ctx.store.cases.get("7")
    assert case.text == {"problem": "The pump leaked in hall four."}
    assert case.extra == {"problem": "none"}


def test_duplicate_column_mapping_is_refused(ctx: AppContext, steward: PageClient) -> None:
    address = upload(steward, "cases.csv", b"a,b\nOne thing happened.,Another thing happened.\n").headers["location"]
    sent = steward.send(
        f"{address}/columns", {"column": ["a", "b"], "field": ["problem", "problem"], "kind": "case"}, page=address
    )
    assert sent.status_code == 422
    assert "mapped twice" in sent.text
    assert ctx.store.cases.list_all() == []


def test_mapping_contains_only_choices_that_differ_from_names() -> None:
    chosen = {"Problem": "problem", "text": "", "weird": "lesson", "other": ""}
    assert mapping_from_choices(chosen, CaseKind.CASE) == ("beside=text", "lesson=weird")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cases.exe", b"MZ", 'has the unsupported ending ".exe"'),
        ("empty.csv", b"", "empty.csv: "),
        ("cases.xlsx", b"PK\x03\x04 no workbook", "is not a readable XLSX workbook"),
        ("half.json", b'[{"problem": "x"', ""),
    ],
)
def test_unreadable_file_is_named_and_deleted(
    ctx: AppContext, steward: PageClient, name: str, content: bytes, message: str
) -> None:
    answer = upload(steward, name, content)
    assert answer.status_code == 422
    assert message in words(answer).replace("&#34;", '"')
    assert str(ctx.settings.home) not in answer.text
    assert uploaded_files(ctx) == []


def test_import_without_file_shows_an_error(steward: PageClient) -> None:
    answer = steward.send("/cases/import", {"kind": "case"}, page="/cases/import")
    assert answer.status_code == 422
    assert "Select a file first." in answer.text


def test_failed_import_stores_nothing_and_shows_an_error(
    ctx: AppContext, steward: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = b"problem\n" + b"".join(b"The pump number %d leaked in hall four.\n" % n for n in range(1500))
    address = upload(steward, "many.csv", rows).headers["location"]
    from patternmind.storage.repositories import cases as case_rows

    usual: Any = case_rows.save_case
    done = 0

    def fails(self: Any, *args: Any, **more: Any) -> None:
        nonlocal done
        done += 1
        if done > 1200:
            raise StoreUnavailable("The disk is full.")
        usual(self, *args, **more)

    monkeypatch.setattr(case_rows, "save_case", fails)
    steward.send(address, {}, page=address)
    page = steward.get(address)
    assert "The data folder is unavailable" in words(page)
    assert "disk" not in page.text
    assert ctx.store.cases.list_all() == []


# What is rejected ----------------------------------------------------------------------------------------------------


def test_rejected_rows_download_as_csv_without_formulas(ctx: AppContext, steward: PageClient) -> None:
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
    assert ctx.store.cases.list_all() == []


def test_corrected_file_imports_like_a_valid_one(ctx: AppContext, steward: PageClient) -> None:
    address = upload(steward, "cases.csv", ROWS).headers["location"]
    mended = steward.get(f"{address}/errors.csv").text.replace("half done", "open").encode()
    again = upload(steward, "rows-to-fix.csv", mended).headers["location"]
    page = steward.get(again)
    assert "1 row to import, 1 rejected." in words(page)
    assert "patternmind: row" not in page.text
    steward.send(again, {}, page=again)
    case = ctx.store.cases.get("3")
    assert (case.text["problem"], case.extra) == ("The gate stood open all night.", {"Remark": "@SUM(A1)"})


@pytest.mark.parametrize("start", [*FORMULA_PREFIXES, " =", "\u00a0@"])
def test_csv_cells_are_escaped_against_formulas(start: str) -> None:
    assert escape_formula(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"
    assert escape_formula("plain = text") == "plain = text"


def test_formula_in_a_file_is_imported_as_flagged_text(ctx: AppContext, steward: PageClient) -> None:
    rows = b'problem,lesson\n"=HYPERLINK(""http://evil.example"",""x"") in the sheet was shown.",Look at it.\n'
    address = upload(steward, "cases.csv", rows).headers["location"]
    assert "1 suspicious text" in words(steward.get(address))
    steward.send(address, {}, page=address)
    case = ctx.store.cases.list_all()[0]
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
def test_file_name_is_sanitised_and_escaped(ctx: AppContext, steward: PageClient, given: str) -> None:
    name = safe_name(given)
    assert name.endswith(".csv")
    assert not re.search(r"[/\\\x00-\x1f\u202e]|^\.", name)
    assert len(name.encode()) <= 240
    outside = set(ctx.settings.home.parent.iterdir())
    sent = upload(steward, given, b"problem\nThe pump leaked in hall four.\n")
    if sent.status_code == 303:
        page = steward.get(sent.headers["location"])
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert "set-cookie: x" not in str(page.headers).lower()
        assert [path for path in uploaded_files(ctx) if ".." not in path] == uploaded_files(ctx)
        assert len(uploaded_files(ctx)) == 1
    assert set(ctx.settings.home.parent.iterdir()) == outside


@pytest.mark.parametrize("id", ["x" * 22, "%2e%2e", "a" * 300, ".upload-", "x/y"])
def test_upload_with_unknown_id_is_not_found(ctx: AppContext, steward: PageClient, id: str) -> None:
    upload(steward, "cases.csv", ROWS)
    assert steward.get(f"/cases/import/{id}").status_code == 404


def test_upload_is_visible_only_to_its_owner(ctx: AppContext) -> None:
    app = make_app(ctx)
    ann, bo = (PageClient(ctx, Role.STEWARD, name=name, app=app) for name in ("Ann Lee", "Bo Lind"))
    address = upload(ann, "cases.csv", ROWS).headers["location"]
    assert ann.get(address).status_code == 200
    assert bo.get(address).status_code == 404
    assert bo.get(f"{address}/errors.csv").status_code == 404
    assert bo.send(address, {}, page="/cases/import").status_code == 404
    assert ctx.store.cases.list_all() == []


def test_upload_is_deleted_when_cancelled_or_expired(ctx: AppContext, steward: PageClient) -> None:
    import os

    address = upload(steward, "cases.csv", ROWS).headers["location"]
    assert steward.send(f"{address}/drop", {}, page=address).status_code == 303
    assert uploaded_files(ctx) == []
    upload(steward, "old.csv", ROWS)
    for folder in ctx.settings.home.glob(f"{UPLOAD_FOLDER_PREFIX}*"):
        os.utime(folder, (0, 0))
    upload(steward, "new.csv", ROWS)
    assert [path.rpartition("/")[2] for path in uploaded_files(ctx)] == ["new.csv"]


def test_import_is_reported_failed_when_its_server_was_killed(ctx: AppContext, tmp_path: Path) -> None:
    uploads = UploadStore(ctx)
    assert ctx.store.cases.list_all() == []
    upload_id, place = uploads.create_folder()
    (place / "a.csv").write_bytes(ROWS)
    record = Upload(id=upload_id, owner="o", name="a.csv", kind=CaseKind.CASE, state="importing", pid=2**22 + 1)
    state: dict[str, Any] = {**{name: getattr(record, name) for name in Upload.__slots__}, "mapping": [], "report": {}}
    (place.parent / "state.json").write_text(json.dumps(state), encoding="utf-8")
    loaded = uploads.find(upload_id, owner="o")
    assert loaded.state == "failed"
    assert "No row of the file was imported" in loaded.failure
    assert preview_file(ctx.store, place / "a.csv", kind=CaseKind.CASE).columns


def test_upload_is_refused_when_its_body_is_too_large(
    ctx: AppContext, steward: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "MAX_IMPORT_BYTES", 200_000)
    big = b"problem\n" + b"The pump leaked.\n" * 20_000
    assert upload(steward, "cases.csv", big).status_code == 413
    token = form_token_on(steward.get("/cases/import").text)

    def drip() -> Any:
        yield from (big[at : at + 10_000] for at in range(0, len(big), 10_000))

    sent = steward.post("/api/v1/uploads?filename=cases.csv", content=drip(), headers={"x-form-token": token})
    assert sent.status_code == 413
    assert uploaded_files(ctx) == []
    assert steward.send("/cases/new", {"problem": "x" * 1_200_000}, page="/cases/new").status_code == 413


def test_upload_times_out_when_its_body_stalls() -> None:
    """A server that waits for every slow body has soon no room for the others."""

    async def reads_all(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async def ask(pauses: list[float]) -> list[Any]:
        messages: list[Any] = []
        waits = iter(pauses)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(next(waits))
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {"type": "http", "method": "POST", "path": "/cases/import", "query_string": b""}
        headers = [(b"host", b"localhost")]
        await SecurityMiddleware(reads_all, is_local=True, body_timeout_seconds=0.05)(
            {**scope, "headers": headers}, receive, send
        )
        return messages

    silent = run_coroutine(ask([0.0, 5.0]))
    dripping = run_coroutine(ask([0.02] * 50))
    for answer in (silent, dripping):
        assert answer[0]["status"] == 408
        assert json.loads(answer[1]["body"])["type"].endswith("#problem-too-slow")

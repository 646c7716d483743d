"""Erasure removes a case and everything derived from it from every file."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import write_rows

from patternmind.bootstrap import DATABASE_FILE, UPLOAD_FOLDER_PREFIX, AppContext
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.draft_fields import WITHDRAWN
from patternmind.domain.drafts import DraftAction, PatternUse
from patternmind.domain.edits import EditAction
from patternmind.domain.jobs import Job, JobKind
from patternmind.domain.themes import Vectors
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.embedding.lenses import LENSES, lens_text
from patternmind.errors import IndexUnavailable, NotFound, RunInProgress, StoreUnavailable, UsageError
from patternmind.ports import IdempotencyKey, KeyClaim, RunParameters, StoredResponse
from patternmind.services import prereading_builder
from patternmind.services.exports import EXPORT_NAMES, export_rows
from patternmind.services.file_import import import_files
from patternmind.services.playbook import build_playbook_document, collect_playbook
from patternmind.services.reviews import build_patterns, decide_draft, list_all_drafts
from patternmind.services.search import search
from patternmind.services.theme_edits import ThemeEditRequest, submit_edit
from patternmind.services.theme_map import build_theme_map
from patternmind.settings import Settings
from patternmind.storage.run_lock import run_lock
from patternmind.storage.schema import metadata

WORD, ACCENTED = "Zyxquokka", "Zyxquökka"
REQUEST_KEY = IdempotencyKey(caller="default/t-1", path="/api/v1/cases/preview", value="k-1", secret="Bearer pm_x")
PROBLEM = f"The {WORD} printer at the dock failed and the {WORD} order was lost in hall 77."
LESSON = f"Check the {ACCENTED} printer before the shift begins, and mark the {ACCENTED} order."


def make_rows() -> list[dict[str, str]]:
    cases = [
        {
            "id": f"{subject}-{number}",
            "problem": f"The {subject} at the dock failed again in hall {number}, and the {subject} order was lost.",
            "lesson": f"Check the {subject} before the shift {number} begins, and mark the {subject} order.",
            "team": f"team {number % 3}",
            "submitter": f"Person Number{number}",
        }
        for subject in ("printer", "valve", "login")
        for number in range(9)
    ]
    canary = {"id": "canary", "problem": PROBLEM, "lesson": LESSON, "team": "team 1", "remark": f"{WORD} too"}
    return [*cases, canary]


class FilledNetwork:
    """Network after every operation that leaves traces of a case in the data folder."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.file = folder / "cases.jsonl"
        self.ctx = AppContext(Settings(home=self.home), encoder=HashingEncoder())

    @property
    def case(self) -> Case:
        return self.ctx.store.cases.get("canary")

    def fill(self) -> None:
        import_files(self.ctx.store, [write_rows(self.file, make_rows())], kind=CaseKind.CASE)
        recap = {"id": "recap-1", "case": "We looked at a dock printer.", "linked_cases": ["canary"]}
        import_files(self.ctx.store, [write_rows(self.home / "r.jsonl", [recap])], kind=CaseKind.RECAP)
        for lens in LENSES:
            self.ctx.run(RunParameters(lens=lens, label="2026Q3"))
        self._decide_on_themes()
        self._review()
        self._ask_for_work()
        self._store_response()
        self.ctx.run(RunParameters(label="2026Q4"))
        with closing(self.ctx.chroma_index()) as chroma_index:
            ids = [case.id for case in self.ctx.store.cases.list_all()]
            chroma_index.rebuild(ids, self.vectors(ids))
        with self.ctx.open_index() as index:
            results = search(self.ctx.store, self.ctx.encoder, index, WORD, kind="case")
            assert results[0].id == self.case.id
        self.ctx.placer().place_cases(["canary"])
        copy = self.home / "patternmind.before-0006.db"
        with closing(sqlite3.connect(self.home / DATABASE_FILE)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        upload = self.home / f"{UPLOAD_FOLDER_PREFIX}killed"
        upload.mkdir()
        shutil.copy(self.file, upload)

    def vectors(self, ids: list[str]) -> Vectors:
        return self.ctx.encoder.encode([lens_text(self.ctx.store.cases.get(id), "all") for id in ids])

    def _ask_for_work(self) -> None:
        """Create two unfinished pre-reading jobs: one with words of the case, one for the case itself."""
        now = self.ctx.clock.now()
        for n, parameters in enumerate(
            ({"topic": f"Why {PROBLEM}"}, {"case": self.case.id, "session": f"The {WORD} jam"})
        ):
            job = Job(
                id=f"j-{n}", kind=JobKind.PREREADING, by="Ada", parameters=parameters, started_at=now, beat_at=now
            )
            self.ctx.store.jobs.create(job)

    def _store_response(self) -> None:
        """Store a response with text of the case, for a repeated request."""
        now = self.ctx.clock.now()
        day = timedelta(hours=24)
        claim = self.ctx.store.idempotency_keys.claim(REQUEST_KEY, "", now=now, lease_until=now + day)
        assert isinstance(claim, KeyClaim)
        response = StoredResponse(200, [("location", "/cases/canary")], f"{PROBLEM} {ACCENTED}".encode())
        self.ctx.store.idempotency_keys.complete(claim, response, now=now, body_until=now + day, expires_at=now + day)

    def stored_ciphertexts(self) -> list[bytes]:
        with closing(sqlite3.connect(self.home / DATABASE_FILE)) as connection:
            rows = connection.execute("SELECT json_extract(response, '$.sealed') FROM idempotency_key").fetchall()
        return [ciphertext.encode() for (ciphertext,) in rows]

    def decide(self, action: EditAction, **values: Any) -> None:
        submit_edit(self.ctx.store, self.ctx.clock, ThemeEditRequest(action=action, actor="Ada", lens="all", **values))

    def _decide_on_themes(self) -> None:
        theme = self.ctx.store.themes.list_all("all")[0].id
        note = f"The {WORD} case says it best."
        self.decide(EditAction.RENAME, theme_id=theme, name=f"Dock, {WORD} printer", note=note)
        self.decide(EditAction.PIN, theme_id=theme, case_ids=(self.case.id,))

    def _review(self) -> None:
        store, clock = self.ctx.store, self.ctx.clock
        prereading_builder.build_prereading(
            store, clock, prereading_builder.subject_from_case(store, "canary"), session=f"About the {WORD}"
        )
        for reviewed in list_all_drafts(store):
            if "solution" not in reviewed.grounded.draft.fields:
                continue
            draft = reviewed.grounded.draft
            quote_line = f"As one case says: {PROBLEM}"
            edits = {"context": (quote_line,), "forces": (f"Look for a {WORD}.",)}
            decide_draft(store, clock, draft.id, DraftAction.EDIT, actor="Ada", edits=edits, note=f"see {ACCENTED}")
            if any(claim.field == "solution" for claim in draft.claims):
                decide_draft(store, clock, draft.id, DraftAction.ACCEPT, actor="Ada")
        now = clock.now()
        note = f"The {WORD} case helped: {PROBLEM}"
        use = PatternUse(id="u-1", pattern_id="p-1", on=now.date(), team="team 1", note=note, by="Ada", at=now)
        store.drafts.save_pattern_use(use)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    FilledNetwork(folder).fill()
    return folder


@pytest.fixture
def network(filled: Path, tmp_path: Path) -> FilledNetwork:
    shutil.copytree(filled, tmp_path / "copy")
    return FilledNetwork(tmp_path / "copy")


def encoded_words() -> Iterator[bytes]:
    for word in (WORD, ACCENTED, WORD.lower(), ACCENTED.lower(), WORD.upper()):
        yield from (word.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
        yield json.dumps(word)[1:-1].encode()


def files_with_any(home: Path, byte_strings: list[bytes]) -> list[str]:
    """Return the names of all files that contain any of the byte strings."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if any(byte_string in path.read_bytes() for byte_string in byte_strings))


def tables_with_word(path: Path) -> set[str]:
    """Return the tables that contain the word; the word index is read through its own tables."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'case_words'"
        names = [name for (name,) in connection.execute(query)]
        rows_by_table = {name: str(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names}  # noqa: S608
    return {name for name, rows in rows_by_table.items() if WORD.casefold() in rows.casefold()}


def word_index_pages(path: Path) -> bytes:
    """Return the pages of the word index as they are in the file."""
    with closing(sqlite3.connect(path)) as connection:
        return b"".join(block for (block,) in connection.execute("SELECT block FROM case_words_data"))


TEXT_TABLES = {
    "submission",
    "case",
    "theme",
    "area",
    "run",
    "machine_result",
    "edit",
    "draft",
    "decision",
    "answer",
    "pattern_use",
    "job",
}
ENCRYPTED_TABLES = {"idempotency_key"}
NUMBER_TABLES = {"vector", "assignment", "fits", "answer_case"}
OTHER_TABLES = {
    *(
        "network",
        "person",
        "theme_change",
        "erasure",
        "withdrawal",
        "token",
        "model_call",
        "model_spend",
        "reservation",
    ),
    *("token", "dismissed_name", "account", "member", "session", "sign_in_link", "audit"),
}
"""Tables with ids at most; the text of the network and its roster does not come from cases."""


def test_tables_are_all_classified_by_their_case_data() -> None:
    """A new table must be listed here, and be rewritten (text) or deleted (encrypted, numbers)."""
    assert set(metadata.tables) == TEXT_TABLES | ENCRYPTED_TABLES | NUMBER_TABLES | OTHER_TABLES


def test_erased_case_leaves_no_trace_in_any_file(network: FilledNetwork) -> None:
    store = network.ctx.store
    its_vector = network.vectors([network.case.id])[0].tobytes()
    (ciphertext,) = network.stored_ciphertexts()
    traces = [*encoded_words(), its_vector, ciphertext]
    log = f"{DATABASE_FILE}-wal"
    assert {log, "patternmind.before-0006.db", "cases.jsonl"} <= set(
        files_with_any(network.home, list(encoded_words()))
    )
    assert {log, "chroma.sqlite3"} <= set(files_with_any(network.home, [its_vector]))
    assert set(files_with_any(network.home, [ciphertext])) & {log, DATABASE_FILE}
    assert "idempotency_key" not in tables_with_word(network.home / DATABASE_FILE)
    assert tables_with_word(network.home / DATABASE_FILE) >= {
        "submission",
        "case",
        "draft",
        "decision",
        "edit",
        "theme",
        "job",
    }
    assert WORD.casefold().encode() in word_index_pages(network.home / DATABASE_FILE)
    case = network.case
    result = network.ctx.erase("canary", actor="Stella Steward")
    assert files_with_any(network.home, traces) == []
    assert b"uokka" not in word_index_pages(network.home / DATABASE_FILE)
    assert result.case_id == case.id
    assert result.n_quotes > 0
    assert result.linked == (store.cases.get("recap-1").id,)
    assert [(erasure.case_id, erasure.by) for erasure in store.cases.erasures()] == [(case.id, "Stella Steward")]
    assert "canary" not in str([case.external_id for case in store.cases.list_all()])
    assert [job.id for job in store.jobs.list_recent()] == ["j-0"]
    assert store.idempotency_keys.find(REQUEST_KEY, "", now=network.ctx.clock.now()) is None


def test_network_works_without_the_erased_case(network: FilledNetwork) -> None:
    store, case = network.ctx.store, network.case
    network.ctx.erase(case.id, actor="Ada")
    exported = [json.dumps(row) for export_name in EXPORT_NAMES for row in export_rows(store, export_name)]
    assert not any(WORD in row or case.id in row for row in exported if '"provenance"' not in row)
    assert any(
        WITHDRAWN in json.dumps(decision.edits)
        for _, log, _ in store.drafts.list_all(current=False)
        for decision in log
    )
    for item in list_all_drafts(store):
        assert all(quote.text != WITHDRAWN for claim in item.grounded.draft.claims for quote in claim.quotes)
    assert build_patterns(list_all_drafts(store))
    for lens in LENSES:
        for theme in store.themes.list_all(lens):
            assert case.id not in (*theme.case_ids, *theme.exemplars, theme.edge_case, *theme.unseen_case_ids)
            assert theme.n_cases <= len(theme.case_ids)
        prereading_builder.subject_from_theme(store, store.themes.list_all(lens)[0].id)
    theme = store.themes.list_all("all")[0]
    network.decide(EditAction.RENAME, theme_id=theme.id, name="Docks")
    build_playbook_document(store, collect_playbook(store), network.ctx.clock.now())
    build_theme_map(store, "all")
    with network.ctx.open_index() as index:
        assert type(index).__name__ == "ChromaIndex"
        results = search(store, network.ctx.encoder, index, PROBLEM)
    assert case.id not in {item.id for item in results}
    assert network.ctx.placer().place_text(PROBLEM).like
    record = network.ctx.run(RunParameters(label="2026Q4"))
    assert (record.state, record.n_cases) == ("finished", len(make_rows()))
    assert files_with_any(network.home, list(encoded_words())) == []


def test_erased_case_is_not_imported_again_and_can_be_erased_again(network: FilledNetwork) -> None:
    store, case = network.ctx.store, network.case
    network.ctx.erase("canary", actor="Ada")
    report = import_files(store, [network.file], kind=CaseKind.CASE)
    (rejected,) = report.rejected
    assert (report.accepted, report.unchanged, rejected.row) == (0, 27, 28)
    assert "was erased on" in rejected.errors[0]
    for name in ("canary", case.id):
        result = network.ctx.erase(name, actor="Bo")
        assert (result.again, result.case_id) == (True, case.id)
    assert [erasure.by for erasure in store.cases.erasures()] == ["Ada"]


def test_erasure_reports_and_keeps_a_case_with_the_same_text(network: FilledNetwork, tmp_path: Path) -> None:
    twin = {**make_rows()[-1], "id": "twin"}
    import_files(network.ctx.store, [write_rows(tmp_path / "twin.jsonl", [twin])], kind=CaseKind.CASE)
    twin_id = network.ctx.store.cases.get("twin").id
    assert network.ctx.erase("canary", actor="Ada").same == (twin_id,)
    assert network.ctx.erase(twin_id, actor="Ada").same == ()
    assert files_with_any(network.home, list(encoded_words())) == []


def test_erasure_changes_nothing_when_it_is_refused(network: FilledNetwork) -> None:
    ctx, case = network.ctx, network.case
    with pytest.raises(NotFound):
        ctx.erase("nobody", actor="Ada")
    with pytest.raises(UsageError, match="Enter your name"):
        ctx.erase("canary", actor=" ")
    with run_lock(network.home), pytest.raises(RunInProgress):
        ctx.erase("canary", actor="Ada")
    with closing(ctx.chroma_index()), pytest.raises(IndexUnavailable):
        ctx.erase("canary", actor="Ada")
    assert ctx.store.cases.get("canary") == case
    assert ctx.store.cases.erasures() == []


def test_erasure_is_completed_by_repeating_it_when_purging_failed(
    network: FilledNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise StoreUnavailable("Another process reads it.")

    monkeypatch.setattr(network.ctx.store, "purge_deleted", refuse)
    with pytest.raises(StoreUnavailable):
        network.ctx.erase("canary", actor="Ada")
    with pytest.raises(NotFound):
        network.ctx.store.cases.get("canary")
    assert files_with_any(network.home, list(encoded_words())) != []  # the rows are deleted, but not SQLite's pages
    monkeypatch.undo()
    assert network.ctx.erase("canary", actor="Ada").again
    assert files_with_any(network.home, list(encoded_words())) == []

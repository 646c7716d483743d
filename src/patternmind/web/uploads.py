"""Uploaded files: previewed first, then imported as a whole; file and report are kept for an hour.

Each file has its own folder in the data folder, which also holds raw text, with its state in a small JSON file. So
every process of the same server can serve it. Ids are random, and only the member who uploaded a file can access it.
"""

import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends
from pydantic import TypeAdapter
from starlette.responses import Response

from patternmind.bootstrap import UPLOAD_FOLDER_PREFIX, AppContext
from patternmind.domain.cases import CaseKind, RejectedRow
from patternmind.errors import NotFound, PatternmindError, RuleViolated, UnreadableFile
from patternmind.services.file_import import import_files
from patternmind.services.import_preview import FilePreview, preview_file, rejected_as_csv
from patternmind.storage.engine import translate_db_errors
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.problems import problem_from_error, unexpected_problem

RETENTION_SECONDS = 3600
SMALL_FILE_WAIT_SECONDS = 1.5
"""Longest wait for a check or an import; small files finish within it, so the next page shows the result."""
MAX_NAME_LENGTH = 120
_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An uploaded file and its state: checking, ready, importing, done or failed.

    Attributes:
        report: row counts of the import, or of the dry run while the state is ready.
        failure: the error message of a failed check or import.
        pid: the process that checks or imports the file.
    """

    id: str
    owner: str
    name: str
    kind: CaseKind
    mapping: tuple[str, ...] = ()
    state: str = "checking"
    n_done: int = 0
    report: Mapping[str, Any] = field(default_factory=dict[str, Any])
    failure: str = ""
    pid: int = 0

    @property
    def is_in_progress(self) -> bool:
        return self.state in {"checking", "importing"}


_STORED_UPLOAD = TypeAdapter(Upload)


def safe_name(filename: str) -> str:
    """Return a file name without folders, control characters and bidi marks; its suffix is kept."""
    last = re.split(r"[/\\]", filename)[-1]
    plain = "".join(char for char in last if char.isprintable())
    plain = plain.strip().lstrip(".").strip() or "file"
    stem, dot, ending = plain.rpartition(".")
    short = plain if len(plain) <= MAX_NAME_LENGTH else f"{stem[: MAX_NAME_LENGTH - 10]}{dot}{ending[:9]}"
    while len(short.encode("utf-8", "replace")) > 240:
        short = short[1:]
    return short.encode("utf-8", "ignore").decode()


def upload_owner(caller: Caller) -> str:
    """Return the owner of the caller's uploads; other members cannot access them."""
    return f"{caller.network_id}/{caller.member.id if caller.member else caller.name or ''}"


def _own_upload(ctx: ContextDep, caller: CallerDep, upload_id: str) -> Upload:
    return UploadStore(ctx).find(upload_id, owner=upload_owner(caller))


UploadDep = Annotated[Upload, Depends(_own_upload)]
"""The caller's upload that the path names."""


class UploadStore:
    """The uploads of a data folder. Safe to use from several threads and processes."""

    def __init__(self, ctx: AppContext) -> None:
        self._ctx = ctx
        self._data_folder = ctx.settings.home

    def create_folder(self) -> tuple[str, Path]:
        """Return the id of a new upload and the folder to write its file to; expired uploads are deleted."""
        self.delete_expired()
        upload_id = secrets.token_urlsafe(16)
        folder = self._folder_path(upload_id) / "file"
        with translate_db_errors(self._data_folder):
            folder.mkdir(parents=True, mode=0o700)
        return upload_id, folder

    def register(self, upload_id: str, *, owner: str, name: str, kind: CaseKind, mapping: Sequence[str] = ()) -> Upload:
        """Set the owner and format of a written file, and start its check."""
        upload = Upload(id=upload_id, owner=owner, name=name, kind=kind, mapping=tuple(mapping))
        return self._start(upload, self._check)

    def find(self, upload_id: str, *, owner: str) -> Upload:
        """Return an upload of the owner.

        Raises:
            NotFound: the id is unknown, or the upload belongs to another member.
        """
        path = self._folder_path(upload_id) / "state.json" if _ID_PATTERN.fullmatch(upload_id) else None
        if path is None or not path.is_file():
            raise _not_found(upload_id)
        upload = _STORED_UPLOAD.validate_json(path.read_bytes())
        if not secrets.compare_digest(upload.owner.encode(), owner.encode()):
            raise _not_found(upload_id)
        if upload.is_in_progress and upload.pid != os.getpid() and not _is_process_alive(upload.pid):
            failure = "The server was stopped. No row of the file was imported; upload it again."
            return replace(upload, state="failed", failure=failure)
        return upload

    def file_path(self, upload: Upload) -> Path:
        return self._folder_path(upload.id) / "file" / upload.name

    def remap(self, upload: Upload, *, kind: CaseKind, mapping: Sequence[str]) -> Upload:
        """Check a file again with other columns.

        Raises:
            RuleViolated: the file is being imported, or is imported already.
        """
        if (self._folder_path(upload.id) / "imported").exists():
            raise RuleViolated("This file is already imported. Upload it again to read it with other columns.")
        return self._start(replace(upload, kind=kind, mapping=tuple(mapping), n_done=0, failure=""), self._check)

    def start_import(self, upload: Upload) -> Upload:
        """Import the file once; further calls return the current state.

        Raises:
            RuleViolated: the file is not checked yet, or cannot be read.
        """
        if upload.state in {"importing", "done"}:
            return upload
        if upload.state != "ready":
            raise RuleViolated("This file cannot be imported yet. Fix the problems shown first.")
        try:
            (self._folder_path(upload.id) / "imported").touch(exist_ok=False)
        except FileExistsError:
            return self.find(upload.id, owner=upload.owner)
        return self._start(replace(upload, state="importing", n_done=0), self._import)

    def rejected_rows(self, upload: Upload) -> list[RejectedRow]:
        path = self._folder_path(upload.id) / "rejected.json"
        rows: list[Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        return [RejectedRow(file=upload.name, row=row, errors=tuple(errors)) for row, errors in rows]

    def remove(self, upload: Upload) -> None:
        shutil.rmtree(self._folder_path(upload.id), ignore_errors=True)

    def discard(self, upload_id: str) -> None:
        """Remove the folder of an upload that was never registered."""
        shutil.rmtree(self._folder_path(upload_id), ignore_errors=True)

    def _folder_path(self, upload_id: str) -> Path:
        return self._data_folder / f"{UPLOAD_FOLDER_PREFIX}{upload_id}"

    def _start(self, upload: Upload, work: Callable[[Upload], Upload]) -> Upload:
        started = replace(upload, state=upload.state if upload.state == "importing" else "checking", pid=os.getpid())
        self._write(started)
        thread = threading.Thread(target=self._run, args=(started, work), name=f"upload-{upload.id[:6]}", daemon=True)
        thread.start()
        thread.join(SMALL_FILE_WAIT_SECONDS)
        return self.find(upload.id, owner=upload.owner)

    def _run(self, upload: Upload, work: Callable[[Upload], Upload]) -> None:
        try:
            self._write(work(upload))
        except UnreadableFile as error:
            self._write(replace(upload, state="failed", failure=f"{upload.name}: {error.reason}. {error.remedy}"))
        except PatternmindError as error:
            self._write(replace(upload, state="failed", failure=problem_from_error(error, request_id=upload.id).detail))
        except Exception as error:  # noqa: BLE001 - the last handler of a thread: it records every error
            self._write(replace(upload, state="failed", failure=unexpected_problem(error, request_id=upload.id).detail))

    def _check(self, upload: Upload) -> Upload:
        return self._ingest(upload, "ready", dry_run=True)

    def _import(self, upload: Upload) -> Upload:
        imported = self._ingest(upload, "done", dry_run=False)
        if not imported.report["n_rejected"]:
            shutil.rmtree(self.file_path(upload).parent, ignore_errors=True)  # raw text, not needed any more
        return imported

    def _ingest(self, upload: Upload, final_state: str, *, dry_run: bool) -> Upload:
        written_at = time.monotonic()

        def progress(step: str, n_done: int, n_total: int) -> None:
            nonlocal written_at
            del step, n_total
            if time.monotonic() - written_at > 0.5:
                written_at = time.monotonic()
                self._write(replace(upload, n_done=n_done))

        path = self.file_path(upload)
        report = import_files(
            self._ctx.store,
            [path],
            kind=upload.kind,
            mapping=upload.mapping,
            dry_run=dry_run,
            is_atomic=not dry_run,
            progress=progress,
        )
        counts = asdict(replace(report, rejected=())) | {"n_rejected": len(report.rejected)}
        _write_json(
            self._folder_path(upload.id) / "rejected.json", [[row.row, list(row.errors)] for row in report.rejected]
        )
        return replace(upload, state=final_state, report=counts)

    def _write(self, upload: Upload) -> None:
        _write_json(self._folder_path(upload.id) / "state.json", asdict(upload))

    def delete_expired(self) -> None:
        """Remove uploads that are no longer needed, or that a killed server left behind."""
        for folder in self._data_folder.glob(f"{UPLOAD_FOLDER_PREFIX}*"):
            try:
                if time.time() - folder.stat().st_mtime > RETENTION_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
            except FileNotFoundError:
                continue  # another process deleted it first


def rejected_rows_csv(ctx: AppContext, upload: Upload) -> Response:
    """Return the rejected rows with their errors as a CSV download."""
    uploads = UploadStore(ctx)
    text = rejected_as_csv(uploads.file_path(upload), uploads.rejected_rows(upload))
    headers = {"content-disposition": 'attachment; filename="rows-to-fix.csv"'}
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8", headers=headers)


def preview_upload(
    ctx: AppContext, upload: Upload, *, kind: CaseKind | None = None, mapping: Sequence[str] | None = None
) -> FilePreview:
    """Preview how the file is read, by default as its kind and with its mapping.

    Raises:
        UnreadableFile: the file cannot be read; the error has its name and not its folder.
    """
    path = UploadStore(ctx).file_path(upload)
    columns = upload.mapping if mapping is None else mapping
    try:
        return preview_file(ctx.store, path, kind=kind or upload.kind, mapping=columns)
    except UnreadableFile as error:
        raise UnreadableFile(upload.name, error.reason, error.remedy) from error


def _write_json(path: Path, data: Any) -> None:
    """Write a JSON file atomically; do nothing if the upload was removed."""
    if not path.parent.is_dir():
        return
    fresh = path.with_suffix(f".{secrets.token_hex(4)}")
    fresh.write_text(json.dumps(data), encoding="utf-8")
    fresh.replace(path)


def _is_process_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _not_found(upload_id: str) -> NotFound:
    return NotFound("upload", upload_id[:40], "Uploads are kept for an hour. Upload the file again.")

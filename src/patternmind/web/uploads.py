"""Files that wait to be taken in: looked at first, then taken in whole, with what came of it kept for an hour.

Each lies in a folder of its own in the data folder, where raw text is kept, beside a small file that says where it
stands; so another process of the same server can answer for it too. Its id is not to be guessed, and only who sent a
file comes to it.
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
from typing import Any

from patternmind.bootstrap import UPLOAD_FOLDER_PREFIX, AppContext
from patternmind.domain.cases import CaseKind, RejectedRow
from patternmind.errors import (
    NotFound,
    PatternmindError,
    RuleViolated,
    UnreadableFile,
)
from patternmind.services.file_import import import_files
from patternmind.storage.engine import translate_db_errors
from patternmind.web.problems import problem_from_error, unexpected_problem

RETENTION_SECONDS = 3600
SMALL_FILE_WAIT_SECONDS = 1.5
"""A small file is done by then, so that the next page shows it checked."""
MAX_NAME_LENGTH = 120
_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Where a file stands: checking, ready, importing, done or failed.

    ``report`` is how many rows were (while it is ready: would be) accepted and so on; ``failure`` says what went wrong.
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


def safe_name(filename: str) -> str:
    """A file's name without folders, controls and marks that turn its direction; its ending is kept."""
    last = re.split(r"[/\\]", filename)[-1]
    plain = "".join(char for char in last if char.isprintable() and char not in "\u202a\u202b\u202c\u202d\u202e")
    plain = plain.strip().lstrip(".").strip() or "file"
    stem, dot, ending = plain.rpartition(".")
    short = plain if len(plain) <= MAX_NAME_LENGTH else f"{stem[: MAX_NAME_LENGTH - 10]}{dot}{ending[:9]}"
    while len(short.encode("utf-8", "replace")) > 240:
        short = short[1:]
    return short.encode("utf-8", "ignore").decode()


class UploadStore:
    """The files of one data folder that wait. Safe among threads and processes."""

    def __init__(self, house: AppContext) -> None:
        self._ctx = house
        self._data_folder = house.settings.home

    def create_folder(self) -> tuple[str, Path]:
        """A new place for a file to be written to, and its id; what was left over longer than an hour goes."""
        self._delete_expired()
        upload_id = secrets.token_urlsafe(16)
        place = self._place(upload_id) / "file"
        with translate_db_errors(self._data_folder):
            place.mkdir(parents=True, mode=0o700)
        return upload_id, place

    def register(self, upload_id: str, *, owner: str, name: str, kind: CaseKind, mapping: Sequence[str] = ()) -> Upload:
        """Say whose file it is that now lies there, and begin to check it."""
        upload = Upload(id=upload_id, owner=owner, name=name, kind=kind, mapping=tuple(mapping))
        return self._begin(upload, self._check)

    def find(self, upload_id: str, *, owner: str) -> Upload:
        """Raises:
        NotFound: there is none of that id, or somebody else sent it.
        """
        path = self._place(upload_id) / "state.json" if _ID_PATTERN.fullmatch(upload_id) else None
        if path is None or not path.is_file():
            raise _not_found(upload_id)
        said = json.loads(path.read_text(encoding="utf-8"))
        values: dict[str, Any] = {**said, "kind": CaseKind(said["kind"]), "mapping": tuple(said["mapping"])}
        upload = Upload(**values)
        if not secrets.compare_digest(upload.owner.encode(), owner.encode()):
            raise _not_found(upload_id)
        if upload.is_in_progress and upload.pid != os.getpid() and not _is_process_alive(upload.pid):
            told = "The server was stopped meanwhile. Nothing of the file was taken in; upload it again."
            return replace(upload, state="failed", failure=told)
        return upload

    def file_path(self, upload: Upload) -> Path:
        return self._place(upload.id) / "file" / upload.name

    def remap(self, upload: Upload, *, kind: CaseKind, mapping: Sequence[str]) -> Upload:
        """Check it again with other columns.

        Raises:
            NotAllowed: it is being taken in, or was.
        """
        if (self._place(upload.id) / "taken").exists():
            raise RuleViolated("This file is taken in already. Upload it again to read it another way.")
        return self._begin(replace(upload, kind=kind, mapping=tuple(mapping), n_done=0, failure=""), self._check)

    def start_import(self, upload: Upload) -> Upload:
        """Take it in, once: whoever asks again gets what became of it.

        Raises:
            NotAllowed: it is not checked yet, or cannot be read.
        """
        if upload.state in {"importing", "done"}:
            return upload
        if upload.state != "ready":
            raise RuleViolated("This file cannot be taken in as it is. Look at what is wrong with it first.")
        try:
            (self._place(upload.id) / "taken").touch(exist_ok=False)
        except FileExistsError:
            return self.find(upload.id, owner=upload.owner)
        return self._begin(replace(upload, state="importing", n_done=0), self._import)

    def rejected_rows(self, upload: Upload) -> list[RejectedRow]:
        path = self._place(upload.id) / "rejected.json"
        rows: list[Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        return [RejectedRow(file=upload.name, row=row, errors=tuple(errors)) for row, errors in rows]

    def remove(self, upload: Upload) -> None:
        shutil.rmtree(self._place(upload.id), ignore_errors=True)

    def discard(self, upload_id: str) -> None:
        """Remove a place that no file was kept in."""
        shutil.rmtree(self._place(upload_id), ignore_errors=True)

    def _place(self, upload_id: str) -> Path:
        return self._data_folder / f"{UPLOAD_FOLDER_PREFIX}{upload_id}"

    def _begin(self, upload: Upload, work: Callable[[Upload], Upload]) -> Upload:
        begun = replace(upload, state=upload.state if upload.state == "importing" else "checking", pid=os.getpid())
        self._write(begun)
        thread = threading.Thread(target=self._run, args=(begun, work), name=f"upload-{upload.id[:6]}", daemon=True)
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
        except Exception as error:  # noqa: BLE001 - the outermost edge of a thread: recorded and ended here
            self._write(replace(upload, state="failed", failure=unexpected_problem(error, request_id=upload.id).detail))

    def _check(self, upload: Upload) -> Upload:
        return self._ingest(upload, "ready", dry_run=True)

    def _import(self, upload: Upload) -> Upload:
        done = self._ingest(upload, "done", dry_run=False)
        if not done.report["n_rejected"]:
            shutil.rmtree(self.file_path(upload).parent, ignore_errors=True)  # raw text that nobody reads again
        return done

    def _ingest(self, upload: Upload, final_state: str, *, dry_run: bool) -> Upload:
        said_at = time.monotonic()

        def progress(step: str, n_done: int, n_total: int) -> None:
            nonlocal said_at
            del step, n_total
            if time.monotonic() - said_at > 0.5:
                said_at = time.monotonic()
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
        told = asdict(replace(report, rejected=())) | {"n_rejected": len(report.rejected)}
        _write_json(self._place(upload.id) / "rejected.json", [[row.row, list(row.errors)] for row in report.rejected])
        return replace(upload, state=final_state, report=told)

    def _write(self, upload: Upload) -> None:
        _write_json(self._place(upload.id) / "state.json", asdict(upload))

    def _delete_expired(self) -> None:
        for left in self._data_folder.glob(f"{UPLOAD_FOLDER_PREFIX}*"):
            try:
                if time.time() - left.stat().st_mtime > RETENTION_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)
            except FileNotFoundError:
                continue  # somebody else was quicker


def _write_json(path: Path, data: Any) -> None:
    """Whole or not at all; an upload that was removed meanwhile stays removed."""
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
    return NotFound("upload", upload_id[:40], "Files wait for an hour. Upload it again.")

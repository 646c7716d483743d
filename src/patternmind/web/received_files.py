"""Files that a request sends, written to disk while they are read.

They hold raw text, so they stay inside the data folder.
"""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePath

import anyio
from starlette.datastructures import UploadFile
from starlette.requests import Request

from patternmind.bootstrap import UPLOAD_FOLDER_PREFIX
from patternmind.storage.engine import translate_db_errors

MAX_SUFFIX_LENGTH = 10


@contextmanager
def temporary_folder(home: Path) -> Generator[Path]:
    with translate_db_errors(home):
        temporary = tempfile.TemporaryDirectory(prefix=UPLOAD_FOLDER_PREFIX, dir=home)
    with temporary as folder:
        yield Path(folder)


@contextmanager
def temporary_form_file(home: Path, file: UploadFile) -> Generator[Path]:
    """Yield the path of a form's file under a generated name; only its suffix is kept, as it names the format."""
    suffix = PurePath((file.filename or "").replace("\\", "/")).suffix
    safe_suffix = suffix if suffix[1:].isalnum() and len(suffix) <= MAX_SUFFIX_LENGTH else ""
    with temporary_folder(home) as folder:
        path = folder / f"file{safe_suffix}"
        write_form_file(file, path)
        yield path


def write_form_file(file: UploadFile, path: Path) -> None:
    with translate_db_errors(path.parent), path.open("wb") as target:
        shutil.copyfileobj(file.file, target)


async def write_body(request: Request, path: Path) -> None:
    """Write the body of a request to a file, as it arrives."""
    with translate_db_errors(path.parent):
        async with await anyio.open_file(path, "wb") as file:
            async for chunk in request.stream():
                await file.write(chunk)

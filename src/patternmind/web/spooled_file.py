"""A file that came with a form, on disk while it is read. It is raw text, so it lies where raw text is kept."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePath

from fastapi import UploadFile

from patternmind.bootstrap import UPLOAD_FOLDER_PREFIX
from patternmind.storage.engine import translate_db_errors

MAX_SUFFIX_LENGTH = 10


@contextmanager
def spooled_file(home: Path, file: UploadFile) -> Generator[Path]:
    """The file under a name of ours; of its own only the ending counts, which says what it is."""
    suffix = PurePath((file.filename or "").replace("\\", "/")).suffix
    kept = suffix if suffix[1:].isalnum() and len(suffix) <= MAX_SUFFIX_LENGTH else ""
    with translate_db_errors(home):
        folder = tempfile.TemporaryDirectory(prefix=UPLOAD_FOLDER_PREFIX, dir=home)
    with folder as place:
        path = Path(place) / f"file{kept}"
        with translate_db_errors(home), path.open("wb") as target:
            shutil.copyfileobj(file.file, target)
        yield path

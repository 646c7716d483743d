"""An uploaded form file, written to disk while it is read.

The file holds raw text, so it stays inside the data folder.
"""

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
    """Yield the path of the file under a generated name; only its suffix is kept, as it names the format."""
    suffix = PurePath((file.filename or "").replace("\\", "/")).suffix
    safe_suffix = suffix if suffix[1:].isalnum() and len(suffix) <= MAX_SUFFIX_LENGTH else ""
    with translate_db_errors(home):
        temporary = tempfile.TemporaryDirectory(prefix=UPLOAD_FOLDER_PREFIX, dir=home)
    with temporary as folder:
        path = Path(folder) / f"file{safe_suffix}"
        with translate_db_errors(home), path.open("wb") as target:
            shutil.copyfileobj(file.file, target)
        yield path

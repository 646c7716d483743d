"""The real corpora that the proofs are made on, read from the folder that PATTERNMIND_CORPORA names."""

import gzip
import json
import os
from pathlib import Path
from typing import Any


def corpus_path(name: str) -> Path:
    """The file of a corpus; fails with one line where the folder is not there."""
    folder = Path(os.environ.get("PATTERNMIND_CORPORA", ""))
    for ending in (".jsonl.gz", ".jsonl"):
        if (folder / f"{name}{ending}").is_file():
            return folder / f"{name}{ending}"
    raise AssertionError(f"{name} is not in PATTERNMIND_CORPORA={folder}; run: make prove CORPORA=folder")


def corpus_rows(name: str) -> list[dict[str, Any]]:
    path = corpus_path(name)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]

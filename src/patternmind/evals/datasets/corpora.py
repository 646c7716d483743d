"""What is measured on: the packaged sample with the truth of its authors, and the real corpora with their labels."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from patternmind.domain.cases import CaseKind
from patternmind.errors import UsageError

SAMPLE = "sample"
N_ARXIV_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Corpus:
    """A file of real texts. ``labelled``: people said what each is about. ``large``: never one blob."""

    name: str
    file: str
    kind: CaseKind = CaseKind.CASE
    is_labelled: bool = False
    is_large: bool = False
    is_drafted: bool = True
    """Whether drafts are made and their quotes checked; single questions and titles hold nothing to draft from."""


BANKING77 = Corpus("banking77", "banking77.jsonl.gz", is_labelled=True, is_large=True, is_drafted=False)
ARXIV = Corpus("arxiv 20,000", "arxiv_titles.jsonl.gz", is_labelled=True, is_large=True, is_drafted=False)
LESSONS = Corpus("lessons", "lessons.jsonl.gz", is_large=True)
CORPORA = (
    BANKING77,
    Corpus("complaints", "complaints.jsonl.gz", is_labelled=True, is_large=True),
    Corpus("bills", "bills.jsonl.gz", is_labelled=True, is_large=True, is_drafted=False),
    LESSONS,
    Corpus("recaps", "recaps.jsonl", kind=CaseKind.RECAP),
    Corpus("postmortems", "postmortems.jsonl"),
)
PII_FILE = "pii.jsonl.gz"


def check_corpora(folder: Path, *, full: bool) -> None:
    """Refuse a folder that is not there or lacks a file, before the first minute is spent.

    Raises:
        UsageError: naming all that is missing.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}. Name the folder of the real corpora with --corpora.")
    wanted = [corpus.file for corpus in CORPORA] + [PII_FILE] + ([ARXIV.file] if full else [])
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"{folder} lacks {', '.join(missing)}. Name the folder that holds the real corpora.")


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def gold_labels(path: Path) -> dict[str, str]:
    """The label that people gave each row, by its id. The line never sees it: ``label`` is an unknown column to it."""
    return {str(row["id"]): str(row["label"]) for row in read_jsonl(path) if row.get("label")}


def write_arxiv_subset(corpora: Path, folder: Path) -> Path:
    """The rows whose ids have the smallest hashes: the same 20,000 in whatever order the file comes."""

    def hashed(row: Mapping[str, Any]) -> str:
        return hashlib.sha256(str(row["id"]).encode()).hexdigest()

    chosen = sorted(read_jsonl(corpora / ARXIV.file), key=hashed)[:N_ARXIV_ROWS]
    out = folder / "arxiv_subset.jsonl"
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen), encoding="utf-8")
    return out


class SampleNetwork:
    """The packaged sample network. Its authors wrote the truth too: it guards against regressions only."""

    def __init__(self) -> None:
        self.folder = Path(str(files("patternmind") / SAMPLE))

    @property
    def quarters(self) -> Mapping[str, Path]:
        return {path.stem.removeprefix("cases-"): path for path in sorted(self.folder.glob("cases-*.csv"))}

    @property
    def recaps(self) -> Path:
        return self.folder / "recaps.jsonl"

    @property
    def roster(self) -> Path:
        return self.folder / "roster.csv"

    @cached_property
    def _truth(self) -> Mapping[str, Any]:
        return json.loads((self.folder / "truth.json").read_text(encoding="utf-8"))

    @property
    def themes_of_cases(self) -> Mapping[str, str | None]:
        """The authors' theme by external id; ``None`` for a case that belongs nowhere."""
        return self._truth["cases"]

    @property
    def themes_of_recaps(self) -> Mapping[str, str | None]:
        return self._truth["recaps"]

    @property
    def near_duplicates(self) -> frozenset[frozenset[str]]:
        return frozenset(frozenset(pair) for pair in self._truth["near_duplicates"])

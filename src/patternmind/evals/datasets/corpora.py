"""Data sets of the evals.

They are the packaged sample with its authors' theme of each case, and the real corpora with their labels.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from patternmind.domain.cases import Case, CaseKind, Submission
from patternmind.errors import UsageError
from patternmind.ingestion.cases import make_case
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.submissions import read_submissions

SAMPLE = "sample"
N_ARXIV_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Corpus:
    """A file of real texts.

    With ``is_labelled``, people labelled what each text is about. With ``is_large``, no theme may hold half of the
    cases.
    """

    name: str
    file: str
    kind: CaseKind = CaseKind.CASE
    is_labelled: bool = False
    is_large: bool = False
    is_drafted: bool = True
    """True if drafts are made and their quotes checked. Single questions and titles hold nothing to draft from."""


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
    """Raise an error if a corpus file is missing, before any work starts.

    Raises:
        UsageError: Naming every missing file.
    """
    if not folder.is_dir():
        raise UsageError(f"Folder {folder} not found. Name the folder of the real corpora with --corpora.")
    required = [corpus.file for corpus in CORPORA] + [PII_FILE] + ([ARXIV.file] if full else [])
    missing = [name for name in required if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"{folder} lacks {', '.join(missing)}. Name the folder that holds the real corpora.")


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def read_quoted_corpora(folder: Path) -> Iterator[tuple[str, list[Case]]]:
    """Yield name and cases of the corpora whose sentences are quoted in planted drafts."""
    for corpus in CORPORA:
        if corpus.name in {"lessons", "recaps", "complaints"}:
            rows = read_submissions(folder / corpus.file, kind=corpus.kind, mapping={})
            yield corpus.name, [make_eval_case(row) for row in rows if isinstance(row, Submission)]


def make_eval_case(submission: Submission) -> Case:
    """Return the case of a submission in a network without a roster."""
    return make_case(submission, roster=Roster.of([]), network_id="n", secret=b"eval")[0]


def gold_labels(path: Path) -> dict[str, str]:
    """Return the label that people gave each row, by its id.

    The pipeline never sees the label: for the import, ``label`` is an unknown column.
    """
    return {str(row["id"]): str(row["label"]) for row in read_jsonl(path) if row.get("label")}


def write_arxiv_subset(corpora: Path, folder: Path) -> Path:
    """Write the 20,000 rows whose ids have the smallest hashes.

    The selection does not depend on the order of the file.
    """

    def id_hash(row: Mapping[str, Any]) -> str:
        return hashlib.sha256(str(row["id"]).encode()).hexdigest()

    subset = sorted(read_jsonl(corpora / ARXIV.file), key=id_hash)[:N_ARXIV_ROWS]
    out = folder / "arxiv_subset.jsonl"
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in subset), encoding="utf-8")
    return out


class SampleNetwork:
    """The packaged sample network.

    Its authors also wrote the expected themes, so it guards against regressions only.
    """

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
        """The authors' theme by external id. It is ``None`` for a case that belongs to no theme."""
        return self._truth["cases"]

    @property
    def themes_of_recaps(self) -> Mapping[str, str | None]:
        return self._truth["recaps"]

    @property
    def near_duplicates(self) -> frozenset[frozenset[str]]:
        return frozenset(frozenset(pair) for pair in self._truth["near_duplicates"])

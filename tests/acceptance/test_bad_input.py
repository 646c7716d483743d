"""Bad input: each is answered by one clear sentence and exit 1 or 2, and what was stored stays as it was."""

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.commands import (
    CommandResult,
    CommandRunner,
    clean_environment,
    write_rows,
)
from tests.fixtures.in_process import InProcess, on_a_copy
from tests.fixtures.networks import CopiedHome

from patternmind.embedding.minilm_encoder import find_weights_folder
from patternmind.storage.run_lock import run_lock

MB = 1 << 20
DATABASE = "patternmind.db"
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'case_words'"
"""The index of words cannot be read itself, but the tables that it is made of can."""

TOPICS = {
    "scanner": "The hand scanner froze in the cold store and the pallet left without its label",
    "handover": "Nobody told the night shift that the pallet was on hold after the handover",
    "invoice": "The invoice went out twice because the order was copied by hand",
}
CASES = [
    {
        "id": f"{topic}/{n}",
        "text": f"{text}, on line {n} this time.",
        "date": "2026-10-05" if 3 * n + position < 19 else "2026-07-01",
        "consent": "organisation",
    }
    for n in range(8)
    for position, (topic, text) in enumerate(TOPICS.items())
]


def store_three(home: Path) -> None:
    """Take in three cases."""
    assert InProcess(home)("ingest", write_rows(home.with_name("three.jsonl"), CASES[:3])).code == 0


def group_all(home: Path) -> None:
    """Take in 24 cases, 19 of them dated in October, and group them."""
    store_three(home)
    assert InProcess(home)("ingest", write_rows(home.with_name("all.jsonl"), CASES)).code == 0
    assert InProcess(home)("run", "--json").json()["themes"] > 0


@pytest.fixture(scope="module")
def stored(copied_home: CopiedHome) -> Path:
    """A data folder with three cases and no run."""
    return copied_home("three-cases", store_three)


@pytest.fixture(scope="module")
def grouped(copied_home: CopiedHome) -> Path:
    """A data folder with 24 cases in themes, 19 of them dated in October."""
    return copied_home("grouped", group_all)


@pytest.fixture
def patternmind(stored: Path, tmp_path: Path) -> InProcess:
    """The command on a data folder with three cases."""
    return on_a_copy(stored, tmp_path)


def everything_in(home: Path) -> dict[str, list[Any]]:
    """Every row of every table, after a check that the database is whole."""
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        names = [name for (name,) in connection.execute(TABLES)]
        return {name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr) for name in names}  # noqa: S608


def texts_in(home: Path) -> dict[str, str]:
    """The problem of each case by its external id."""
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        bodies = [json.loads(body) for (body,) in connection.execute('SELECT body FROM "case"')]
    return {body["external_id"]: body["text"]["problem"] for body in bodies}


def assert_one_sentence(answer: CommandResult, *words: str, code: int = 1) -> None:
    """It failed with this code, said so in one or two lines on stderr and nothing on stdout, and named these words."""
    said = answer.err.strip()
    assert (answer.code, answer.out) == (code, ""), answer
    assert 0 < len(said.splitlines()) <= 2, said
    assert said.endswith("."), said
    assert not [word for word in ("Traceback", "unexpected", "Error)") if word in said], said
    assert not [word for word in words if word not in said], said


# Files ---------------------------------------------------------------------------------------------------------------


def missing(path: Path) -> Path:
    return path.with_suffix(".csv")


def empty(path: Path) -> Path:
    path.with_suffix(".csv").touch()
    return path.with_suffix(".csv")


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def name_too_long(path: Path) -> Path:
    return path.with_name("x" * 300 + ".csv")


def pipe(path: Path) -> Path:
    os.mkfifo(path.with_suffix(".csv"))
    return path.with_suffix(".csv")


def bytes_named(ending: str) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.with_suffix(ending).write_bytes(bytes(range(256)) * 400)
        return path.with_suffix(ending)

    return write


def zip_bomb(path: Path) -> Path:
    with zipfile.ZipFile(path.with_suffix(".xlsx"), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(200):
                sheet.write(b" " * MB)
    return path.with_suffix(".xlsx")


BAD_FILES: list[tuple[Callable[[Path], Path], str]] = [
    (missing, "does not exist"),
    (empty, "is empty"),
    (folder, "is a folder"),
    (name_too_long, "cannot be read"),
    (pipe, "is a pipe"),
    (bytes_named(".csv"), "is not text"),
    (bytes_named(".jsonl.gz"), "is not a whole gzip file"),
    (bytes_named(".xlsx"), "is not a readable XLSX workbook"),
    (zip_bomb, "inflates to far more"),
]


@pytest.mark.parametrize(("make", "reason"), BAD_FILES, ids=[reason for _, reason in BAD_FILES])
def test_ingest_names_the_file_and_the_reason_when_it_cannot_be_read(
    patternmind: InProcess, tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    before = everything_in(patternmind.home)
    path = make(tmp_path / "cases")

    answer = patternmind("ingest", path, seconds=30)

    assert_one_sentence(answer, path.name, reason)
    assert everything_in(patternmind.home) == before


INGEST_EACH = """
import resource, sys
from patternmind import cli

for path in sys.argv[1:]:
    sys.argv = ["patternmind", "ingest", path]
    try:
        cli.main()
    except SystemExit as ended:
        print(ended.code)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_ingest_needs_less_than_300_mb_when_files_cannot_be_read(patternmind: InProcess, tmp_path: Path) -> None:
    """All bad files in one process, which a small process starts: a peak is inherited from the process that forks."""
    paths: list[str] = []
    for number, (make, _) in enumerate(BAD_FILES):
        (tmp_path / str(number)).mkdir()
        paths.append(str(make(tmp_path / str(number) / "cases")))
    command = ["/bin/sh", "-c", '"$0" "$@" & wait $!', sys.executable, "-c", INGEST_EACH, *paths]
    environment = clean_environment() | {"PATTERNMIND_HOME": str(patternmind.home)}

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)

    *codes, peak = map(int, done.stdout.split())
    assert codes == [1] * len(BAD_FILES), done.stderr
    assert peak / 1024 < 300


def test_broken_json_on_line_500_is_listed_and_the_rows_before_and_after_are_kept(
    patternmind: InProcess, tmp_path: Path
) -> None:
    path = write_rows(tmp_path / "k.jsonl", [{"id": f"p{n}", "text": f"Pump {n} leaks."} for n in range(1, 1001)])
    lines = path.read_text().splitlines()
    lines[499] = lines[499][:-4]
    path.write_text("\n".join(lines))

    report = patternmind("ingest", path, "--json").json()

    (rejected,) = report["rejected"]
    assert (report["accepted"], rejected["file"], rejected["row"]) == (999, str(path), 500)
    assert "not valid JSON" in rejected["errors"][0]
    assert set(texts_in(patternmind.home)) == {f"p{n}" for n in range(1, 1001) if n != 500} | {
        case["id"] for case in CASES[:3]
    }
    strict = patternmind("ingest", path, "--strict", "--json")
    assert (strict.code, json.loads(strict.out)["unchanged"]) == (1, 999)


def test_a_line_of_200_mb_is_rejected_alone_in_bounded_memory(patternmind: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b'{"id": "before", "text": "A short one before it."}\n{"id": "long", "text": "')
        file.writelines(b"a" * MB for _ in range(200))
        file.write(b'"}\n{"id": "after", "text": "A short one after it."}\n')

    answer = patternmind.process("ingest", path, "--json", measured=True)
    path.unlink()

    assert [row["row"] for row in answer.json()["rejected"]] == [2]
    assert {"before", "after"} < set(texts_in(patternmind.home))
    assert answer.peak_mb < 600


def test_rows_with_nul_bytes_or_days_that_do_not_exist_are_rejected_with_the_reason(
    patternmind: InProcess, tmp_path: Path
) -> None:
    rows = [
        {"id": "nul", "text": "A NUL\0 in the text."},
        {"id": "day", "text": "No such day.", "date": "31/02/2026"},
        {"id": "good", "text": "A day that there is.", "date": "28/02/2026"},
    ]

    report = patternmind("ingest", write_rows(tmp_path / "rows.jsonl", rows), "--json").json()

    assert report["accepted"] == 1
    assert [(row["row"], row["errors"]) for row in report["rejected"]] == [
        (1, ['"problem" holds a NUL character; take it out']),
        (2, ['opened_on is "31/02/2026": there is no such day; write it as 2026-05-31']),
    ]
    assert texts_in(patternmind.home)["good"] == "A day that there is."


def test_text_in_the_encodings_of_spreadsheets_and_of_the_world_is_taken_right(
    patternmind: InProcess, tmp_path: Path
) -> None:
    german = "“Übergabe” an der Rampe – 5 € zu wenig im Café"
    world = "الماسح الضوئي متوقف 🚚🔧 והמשטח נשאר בלי תווית"
    (tmp_path / "windows.csv").write_bytes(f"id,text\r\nwindows,{german}\r\n".encode("cp1252"))
    (tmp_path / "excel.csv").write_bytes(f"id\ttext\r\nexcel\t{german}\r\n".encode("utf-16"))
    write_rows(tmp_path / "world.jsonl", [{"id": "world", "text": world}])

    paths = [tmp_path / name for name in ("windows.csv", "excel.csv", "world.jsonl")]
    report = patternmind("ingest", *paths, "--json").json()

    assert (report["accepted"], report["rejected"]) == (3, [])
    texts = texts_in(patternmind.home)
    assert (texts["windows"], texts["excel"], texts["world"]) == (german, german, world)


def test_formulas_are_kept_as_text_and_defused_where_a_spreadsheet_would_run_them(
    patternmind: InProcess, tmp_path: Path
) -> None:
    (tmp_path / "f.csv").write_text('id,text,team\n=cmd|A1,"=HYPERLINK(""x"") was in the cell",@SUM(A1)\n')
    assert patternmind("ingest", tmp_path / "f.csv").code == 0

    exported = {row["external_id"]: row for row in patternmind("export", "cases").rows()}["=cmd|A1"]
    table = list(csv.reader(io.StringIO(patternmind("export", "cases", "--format", "csv").out)))

    assert (exported["text"], exported["team"]) == ({"problem": '=HYPERLINK("x") was in the cell'}, "@SUM(A1)")
    assert not [cell for row in table for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert {"'=cmd|A1", "'@SUM(A1)"} < {cell for row in table for cell in row}


# Arguments and settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["ingest", "FILE", "--map", "foo=text"], ['no field "foo"', "problem"]),
        (["ingest", "FILE", "--map", "problem=nope"], ['no column "nope"', "text"]),
        (["ingest", "FILE", "--map", "problem"], ["FIELD=COLUMN"]),
        (["ingest", "FILE", "--as", "letter"], ["case", "recap", "letter"]),
        (["run", "--lens", "x"], ['lens "x"', "problem"]),
        (["run", "--since", "31/02/2026"], ["--since", "31/02/2026"]),
        (["search", " "], ["Enter a few words to search for"]),
        (["search", "pump", "-k", "0"], ["-k"]),
        (["prereading", "--theme", "t-1", "--out", "x.exe"], [".docx"]),
        (["init", "--default-consent", "maybe"], ['"maybe"', "network only"]),
        (["review", "decide", "d-1", "zap", "--by", "Ada"], ['"zap"', "reject"]),
        (["nosuch"], ["nosuch", "--help"]),
    ],
    ids=str,
)
def test_wrong_arguments_are_answered_by_what_would_be_right(
    stored: Path, tmp_path: Path, arguments: Sequence[str], named: Sequence[str]
) -> None:
    path = write_rows(tmp_path / "one.jsonl", [{"id": "new", "text": "Not to be taken in."}])
    before = everything_in(stored)

    answer = InProcess(stored)(*[str(path) if word == "FILE" else word for word in arguments])

    assert_one_sentence(answer, *named, code=2)
    assert everything_in(stored) == before


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["prereading", "--theme", "t-none"], 'no theme "t-none"'),
        (["prereading", "--case", "c-none"], 'no case "c-none"'),
        (["review", "show", "d-none"], 'no draft "d-none"'),
        (["review", "decide", "d-none", "accept", "--by", "Ada"], 'no draft "d-none"'),
        (["playbook", "--out", "/proc/nowhere/playbook.md"], "cannot be written"),
        (["demo", "--out", "/proc/nowhere"], "cannot be made"),
    ],
    ids=str,
)
def test_what_does_not_exist_is_named(stored: Path, arguments: Sequence[str], named: str) -> None:
    assert_one_sentence(InProcess(stored)(*arguments), named)


def test_wrong_settings_are_all_named_at_once(stored: Path) -> None:
    wrong = InProcess(stored).with_env(
        PATTERNMIND_COLOUR="red", PATTERNMIND_ENCODER="/nowhere", PATTERNMIND_MODEL_TIMEOUT_SECONDS="soon"
    )

    assert_one_sentence(wrong("themes"), "_COLOUR is no", "_ENCODER must", "_SECONDS must", code=2)


# The data folder -----------------------------------------------------------------------------------------------------


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def overwrite_the_middle(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:12288] + b"\xa5" * 32768 + data[45056:])


def replace_by_text(path: Path) -> None:
    path.write_text("This was my shopping list.")


def write_newer_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut_short, "damaged"),
        (overwrite_the_middle, "damaged"),
        (replace_by_text, "not a patternmind database"),
        (write_newer_schema, "newer patternmind (schema 9999)"),
    ],
    ids=["cut short", "overwritten", "no database", "newer"],
)
def test_a_database_that_cannot_be_used_is_left_as_it_is(
    patternmind: InProcess, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    database = patternmind.home / DATABASE
    spoil(database)
    before = database.read_bytes()

    assert_one_sentence(patternmind("ingest", write_rows(tmp_path / "more.jsonl", CASES)), str(database), said)
    assert database.read_bytes() == before


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("A file.")

    assert_one_sentence(InProcess(tmp_path / "home")("run"), f"{tmp_path / 'home'} is a file")


def test_a_read_only_data_folder_is_left_as_it_is(patternmind: InProcess, tmp_path: Path) -> None:
    before = everything_in(patternmind.home)
    more = write_rows(tmp_path / "more.jsonl", CASES)
    for path in (*patternmind.home.iterdir(), patternmind.home):
        path.chmod(0o555 if path.is_dir() else 0o444)
    tmp_path.chmod(0o555)
    ordinary = patternmind.as_ordinary_user()

    assert_one_sentence(ordinary("ingest", more), "cannot be written", "--home")
    assert_one_sentence(ordinary("run"), "cannot be written", "--home")
    assert_one_sentence(ordinary.on_home(tmp_path / "new")("init"), "cannot be written", "--home")
    assert_one_sentence(ordinary("token", "create", "x"), "cannot be written")

    for path in (tmp_path, patternmind.home):
        path.chmod(0o755)
    assert everything_in(patternmind.home) == before


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A file system of 3 MB that is seen in one process's mount namespace only, and goes when that process ends."""

    folder: Path
    inside: Sequence[str]
    """Put before a command, it runs where the file system is seen."""

    def sh(self, script: str, *arguments: object) -> str:
        command = [*self.inside, "sh", "-c", script, str(self.folder), *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def fill(self) -> None:
        self.sh('cat /dev/zero > "$0/filler" || true')

    def make_room(self) -> None:
        self.sh('rm "$0/filler"')


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    as_user = ["--map-root-user"] if os.getuid() else []
    mount = 'mount -t tmpfs -o size=3m tmpfs "$0" && echo mounted && exec sleep 300'
    holder = subprocess.Popen(
        ["unshare", "--mount", *as_user, "sh", "-c", mount, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stderr is not None
    try:
        if holder.stdout.readline() != b"mounted\n":
            said = holder.stderr.read().decode().strip()
            pytest.fail(f"This test needs Linux with the right to mount a tmpfs in a namespace of its own: {said}")
        user = ["--user", "--preserve-credentials"] if as_user else []
        yield SmallDisk(folder, ["nsenter", f"--target={holder.pid}", "--mount", *user])
    finally:
        holder.kill()
        holder.communicate()


def test_a_full_disk_stops_every_writer_with_a_sentence_and_loses_nothing(
    grouped: Path, small_disk: SmallDisk, tmp_path: Path
) -> None:
    more = write_rows(tmp_path / "more.jsonl", [{"id": f"m{n}", "text": "Much to say. " * 90} for n in range(3000)])
    small_disk.sh('cp -r "$1" "$0/home"', grouped)
    disk = CommandRunner(small_disk.folder / "home", prefix=small_disk.inside)
    elsewhere = disk.on_home(grouped)
    playbook = small_disk.folder / "playbook.md"
    assert elsewhere("playbook", "--out", playbook).code == 0
    written, assigned = small_disk.sh('cat "$0/playbook.md"'), disk("export", "assignments").out
    small_disk.fill()

    assert_one_sentence(disk("ingest", more), "is full", "nothing was lost")
    assert_one_sentence(disk("run", "--label", "2026Q4"), "is full")
    assert_one_sentence(elsewhere("playbook", "--out", playbook), "No space left")
    assert_one_sentence(disk.on_home(small_disk.folder / "new")("init"), "is full")

    assert small_disk.sh('cat "$0/playbook.md"') == written
    assert set(small_disk.sh('ls -A "$0"').split()) <= {"filler", "home", "new", "playbook.md"}
    small_disk.make_room()
    assert disk("export", "assignments").out == assigned
    assert disk("run", "--label", "2026Q4", "--json").json()["cases"] == len(CASES)
    assert disk("export", "assignments").out == assigned


# Runs ----------------------------------------------------------------------------------------------------------------


def test_fewer_than_20_cases_are_too_few_to_group(grouped: Path, tmp_path: Path) -> None:
    patternmind = on_a_copy(grouped, tmp_path)

    said = patternmind("run", "--since", "2026-10-01", "--json").json()

    assert (said["cases"], said["themes"], said["outliers"], said["drafts"]) == (19, 0, 19, 0)
    assert said["notes"] == ["Not enough cases to group: you have 19 and need 20."]
    assert {row["theme_id"] for row in patternmind("export", "assignments").rows()} == {None}
    assert patternmind("themes").out.startswith("Too few to group")


def test_a_second_run_at_the_same_time_is_refused_and_the_first_goes_on(grouped: Path, tmp_path: Path) -> None:
    patternmind = on_a_copy(grouped, tmp_path)
    before = everything_in(patternmind.home)

    with run_lock(patternmind.home):
        answer = patternmind.process("run", "--label", "2026Q4")

    assert_one_sentence(answer, "Another run is in progress", f"process {os.getpid()}")
    assert everything_in(patternmind.home) == before
    assert patternmind("run", "--label", "2026Q4").code == 0


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "vocab.txt"])
def test_a_weight_file_that_fails_its_checksum_is_not_loaded(patternmind: InProcess, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(find_weights_folder(), folder, copy_function=os.symlink)
    (folder / name).unlink()
    shutil.copy(find_weights_folder() / name, folder / name)
    with (folder / name).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    before = everything_in(patternmind.home)

    answer = patternmind.with_env(PATTERNMIND_ENCODER=str(folder))("run")

    assert_one_sentence(answer, str(folder / name), "fails its checksum", "pip install")
    assert everything_in(patternmind.home) == before


def test_a_person_who_stops_an_ingest_keeps_what_was_stored_and_goes_on_later(tmp_path: Path) -> None:
    n_rows = 6_000  # six commits; the signal comes after the first
    rows = [{"id": f"p{n}", "text": f"Pump {n} leaks into the cellar. " * 10} for n in range(n_rows)]
    path = write_rows(tmp_path / "rows.jsonl", rows)
    patternmind = InProcess(tmp_path / "home")
    patternmind("init")

    with patternmind.start("ingest", path) as process:
        while n_cases(patternmind.home) == 0:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        code = process.wait(30)

    kept = len(texts_in(patternmind.home))
    report = patternmind("ingest", path, "--json").json()
    assert code == 130
    assert 1000 <= kept < n_rows
    assert (report["unchanged"], report["accepted"]) == (kept, n_rows - kept)


def n_cases(home: Path) -> int:
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        return connection.execute('SELECT count(*) FROM "case"').fetchone()[0]


# The terminal --------------------------------------------------------------------------------------------------------


def test_help_answers_in_under_half_a_second(stored: Path) -> None:
    answers = [CommandRunner(stored)("--help") for _ in range(5)]

    assert "ingest" in answers[0].out
    assert min(answer.seconds for answer in answers) < 0.5

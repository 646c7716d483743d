"""Bad input: one clear sentence, exit 1 or 2, and no change to stored data."""

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
from tests.fixtures.commands import CommandResult, CommandRunner, clean_environment, write_rows
from tests.fixtures.in_process import InProcess, on_a_copy
from tests.fixtures.networks import CopiedHome

from patternmind.embedding.minilm_encoder import find_weights_folder
from patternmind.storage.run_lock import run_lock

MB = 1 << 20
DATABASE = "patternmind.db"
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'case_words'"
"""Tables to compare. The word index is a virtual table that cannot be read, but its underlying tables can."""

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
    """Import three cases."""
    assert InProcess(home)("ingest", write_rows(home.with_name("three.jsonl"), CASES[:3])).code == 0


def group_all(home: Path) -> None:
    """Import 24 cases, 19 of them dated in October, and group them."""
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
    """Command on a data folder with three cases."""
    return on_a_copy(stored, tmp_path)


def everything_in(home: Path) -> dict[str, list[Any]]:
    """Return every row of every table, after an integrity check."""
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        names = [name for (name,) in connection.execute(TABLES)]
        return {name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr) for name in names}  # noqa: S608


def texts_in(home: Path) -> dict[str, str]:
    """Return the problem of each case by its external id."""
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        bodies = [json.loads(body) for (body,) in connection.execute('SELECT body FROM "case"')]
    return {body["external_id"]: body["text"]["problem"] for body in bodies}


def assert_one_sentence(result: CommandResult, *words: str, code: int = 1) -> None:
    """Check exit code, empty stdout, and one or two lines on stderr with these words."""
    message = result.err.strip()
    assert (result.code, result.out) == (code, ""), result
    assert 0 < len(message.splitlines()) <= 2, message
    assert message.endswith("."), message
    assert not [word for word in ("Traceback", "unexpected", "Error)") if word in message], message
    assert not [word for word in words if word not in message], message


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
    """Read all bad files in one process. A small process starts it, because a fork inherits the peak."""
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


def test_ingest_rejects_only_the_broken_json_line(patternmind: InProcess, tmp_path: Path) -> None:
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


def test_ingest_rejects_a_line_of_200_mb_in_bounded_memory(patternmind: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b'{"id": "before", "text": "A short one before it."}\n{"id": "long", "text": "')
        file.writelines(b"a" * MB for _ in range(200))
        file.write(b'"}\n{"id": "after", "text": "A short one after it."}\n')

    result = patternmind.process("ingest", path, "--json", measured=True)
    path.unlink()

    assert [row["row"] for row in result.json()["rejected"]] == [2]
    assert {"before", "after"} < set(texts_in(patternmind.home))
    assert result.peak_mb < 600


def test_ingest_gives_reasons_for_nul_characters_and_invalid_days(patternmind: InProcess, tmp_path: Path) -> None:
    rows = [
        {"id": "nul", "text": "A NUL\0 in the text."},
        {"id": "day", "text": "The day does not exist.", "date": "31/02/2026"},
        {"id": "good", "text": "The day exists.", "date": "28/02/2026"},
    ]

    report = patternmind("ingest", write_rows(tmp_path / "rows.jsonl", rows), "--json").json()

    assert report["accepted"] == 1
    assert [(row["row"], row["errors"]) for row in report["rejected"]] == [
        (1, ['column "text" contains a NUL character; remove it']),
        (2, ['"31/02/2026" is not a day that exists (column "date"); use YYYY-MM-DD']),
    ]
    assert texts_in(patternmind.home)["good"] == "The day exists."


def test_ingest_reads_spreadsheet_encodings_and_any_script(patternmind: InProcess, tmp_path: Path) -> None:
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


def test_export_escapes_formulas_only_in_csv(patternmind: InProcess, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('id,text,team\n=cmd|A1,"=HYPERLINK(""x"") was in the cell",@SUM(A1)\n')
    assert patternmind("ingest", tmp_path / "f.csv").code == 0

    exported = {row["external_id"]: row for row in patternmind("export", "cases").rows()}["=cmd|A1"]
    table = list(csv.reader(io.StringIO(patternmind("export", "cases", "--format", "csv").out)))

    assert (exported["text"], exported["team"]) == ({"problem": '=HYPERLINK("x") was in the cell'}, "@SUM(A1)")
    assert not [cell for row in table for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert {"'=cmd|A1", "'@SUM(A1)"} < {cell for row in table for cell in row}


# Arguments and settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
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
def test_commands_explain_wrong_arguments(
    stored: Path, tmp_path: Path, arguments: Sequence[str], words: Sequence[str]
) -> None:
    path = write_rows(tmp_path / "one.jsonl", [{"id": "new", "text": "This must not be imported."}])
    before = everything_in(stored)

    result = InProcess(stored)(*[str(path) if word == "FILE" else word for word in arguments])

    assert_one_sentence(result, *words, code=2)
    assert everything_in(stored) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prereading", "--theme", "t-none"], 'no theme "t-none"'),
        (["prereading", "--case", "c-none"], 'no case "c-none"'),
        (["review", "show", "d-none"], 'no draft "d-none"'),
        (["review", "decide", "d-none", "accept", "--by", "Ada"], 'no draft "d-none"'),
        (["playbook", "--out", "/proc/nowhere/playbook.md"], "cannot be written"),
        (["demo", "--out", "/proc/nowhere"], "cannot be created"),
    ],
    ids=str,
)
def test_commands_name_what_does_not_exist(stored: Path, arguments: Sequence[str], message: str) -> None:
    assert_one_sentence(InProcess(stored)(*arguments), message)


def test_settings_errors_are_all_reported_at_once(stored: Path) -> None:
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
    ("damage", "message"),
    [
        (cut_short, "damaged"),
        (overwrite_the_middle, "damaged"),
        (replace_by_text, "not a patternmind database"),
        (write_newer_schema, "newer version of patternmind (schema 9999)"),
    ],
    ids=["cut short", "overwritten", "no database", "newer"],
)
def test_ingest_does_not_change_a_database_it_cannot_use(
    patternmind: InProcess, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    database = patternmind.home / DATABASE
    damage(database)
    before = database.read_bytes()

    assert_one_sentence(patternmind("ingest", write_rows(tmp_path / "more.jsonl", CASES)), str(database), message)
    assert database.read_bytes() == before


def test_run_names_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("A file.")

    assert_one_sentence(InProcess(tmp_path / "home")("run"), f"{tmp_path / 'home'} is a file")


def test_commands_do_not_change_a_read_only_data_folder(patternmind: InProcess, tmp_path: Path) -> None:
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
    """A file system of 3 MB, visible only in one process's mount namespace; it ends with that process."""

    folder: Path
    prefix: Sequence[str]
    """Prefix of commands that run in the namespace."""

    def sh(self, script: str, *arguments: object) -> str:
        command = [*self.prefix, "sh", "-c", script, str(self.folder), *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def fill(self) -> None:
        self.sh('cat /dev/zero > "$0/filler" || true')

    def empty(self) -> None:
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
            error = holder.stderr.read().decode().strip()
            pytest.fail(f"This test needs Linux and permission to mount a tmpfs in its own namespace: {error}")
        user = ["--user", "--preserve-credentials"] if as_user else []
        yield SmallDisk(folder, ["nsenter", f"--target={holder.pid}", "--mount", *user])
    finally:
        holder.kill()
        holder.communicate()


@pytest.mark.prove(reason="runs real commands on a full disk: 46 s")
def test_commands_fail_without_losing_data_when_the_disk_is_full(
    grouped: Path, small_disk: SmallDisk, tmp_path: Path
) -> None:
    more = write_rows(tmp_path / "more.jsonl", [{"id": f"m{n}", "text": "Much to say. " * 90} for n in range(3000)])
    small_disk.sh('cp -r "$1" "$0/home"', grouped)
    disk = CommandRunner(small_disk.folder / "home", prefix=small_disk.prefix)
    assert disk("run", "--label", "2026Q3").code == 0  # with the encoder of a process
    elsewhere = disk.on_home(grouped)
    playbook = small_disk.folder / "playbook.md"
    assert elsewhere("playbook", "--out", playbook).code == 0
    document, assignments = small_disk.sh('cat "$0/playbook.md"'), disk("export", "assignments").out
    small_disk.fill()

    assert_one_sentence(disk("ingest", more), "is full", "nothing was lost")
    assert_one_sentence(disk("run", "--label", "2026Q4"), "is full")
    assert_one_sentence(elsewhere("playbook", "--out", playbook), "No space left")
    assert_one_sentence(disk.on_home(small_disk.folder / "new")("init"), "is full")

    assert small_disk.sh('cat "$0/playbook.md"') == document
    assert set(small_disk.sh('ls -A "$0"').split()) <= {"filler", "home", "new", "playbook.md"}
    small_disk.empty()
    assert disk("export", "assignments").out == assignments
    assert disk("run", "--label", "2026Q4", "--json").json()["cases"] == len(CASES)
    assert disk("export", "assignments").out == assignments


# Runs ----------------------------------------------------------------------------------------------------------------


def test_run_finds_no_themes_in_fewer_than_20_cases(grouped: Path, tmp_path: Path) -> None:
    patternmind = on_a_copy(grouped, tmp_path)

    run = patternmind("run", "--since", "2026-10-01", "--json").json()

    assert (run["cases"], run["themes"], run["outliers"], run["drafts"]) == (19, 0, 19, 0)
    assert run["notes"] == ["Not enough cases to group: you have 19 and need 20."]
    assert {row["theme_id"] for row in patternmind("export", "assignments").rows()} == {None}
    assert patternmind("themes").out.startswith("Not enough cases to group")


def test_run_is_refused_while_another_run_is_in_progress(grouped: Path, tmp_path: Path) -> None:
    patternmind = on_a_copy(grouped, tmp_path)
    before = everything_in(patternmind.home)

    with run_lock(patternmind.home):
        result = patternmind.process("run", "--label", "2026Q4")

    assert_one_sentence(result, "Another run is in progress", f"process {os.getpid()}")
    assert everything_in(patternmind.home) == before
    assert patternmind("run", "--label", "2026Q4").code == 0


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "vocab.txt"])
def test_run_refuses_weight_files_that_fail_their_checksum(patternmind: InProcess, tmp_path: Path, name: str) -> None:
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

    result = patternmind.with_env(PATTERNMIND_ENCODER=str(folder))("run")

    assert_one_sentence(result, str(folder / name), "fails its checksum", "pip install")
    assert everything_in(patternmind.home) == before


@pytest.mark.prove(reason="imports 6,000 rows in a process that is stopped: 19 s")
def test_ingest_keeps_stored_rows_when_interrupted_and_continues_later(tmp_path: Path) -> None:
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

    n_stored = len(texts_in(patternmind.home))
    report = patternmind("ingest", path, "--json").json()
    assert code == 130
    assert 1000 <= n_stored < n_rows
    assert (report["unchanged"], report["accepted"]) == (n_stored, n_rows - n_stored)


def n_cases(home: Path) -> int:
    with closing(sqlite3.connect(home / DATABASE)) as connection:
        return connection.execute('SELECT count(*) FROM "case"').fetchone()[0]


# The terminal --------------------------------------------------------------------------------------------------------


LIST_LOADED_MODULES = """
import atexit, sys
from patternmind import cli
atexit.register(lambda: print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr))
sys.argv = ["patternmind", "--help"]
cli.main()
"""


def test_help_loads_no_heavy_library() -> None:
    """The time of --help is the time of its imports."""
    command = [sys.executable, "-c", LIST_LOADED_MODULES]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    assert "ingest" in result.stdout
    heavy = {"numpy", "scipy", "sqlalchemy", "fastapi", "torch", "sklearn", "litellm", "chromadb", "openpyxl"}
    assert heavy & set(result.stderr.split()) == set()

"""What a run left behind, as far as two runs on the same cases must agree on it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.acceptance.running import Patternmind


def outcome_of(patternmind: Patternmind) -> dict[str, Any]:
    """Assignments, themes and drafts; the number of the run that made them left out."""
    drafts = patternmind("export", "drafts").rows()
    for draft in drafts:
        del draft["provenance"]["run_id"]
    return {
        "assignments": patternmind("export", "assignments").out,
        "themes": patternmind("themes", "--all", "--json").json(),
        "drafts": sorted(drafts, key=lambda draft: str(draft["id"])),
    }


def vectors_of(home: Path) -> dict[str, bytes]:
    with closing(sqlite3.connect(home / "patternmind.db")) as connection:
        return dict(connection.execute("SELECT text_hash, vector FROM vector"))


def is_sound(home: Path) -> bool:
    with closing(sqlite3.connect(home / "patternmind.db")) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def count(home: Path, table: str) -> int:
    with closing(sqlite3.connect(home / "patternmind.db")) as connection:
        return connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]

"""Columns and indexes that lists are read by, and an index of the words of cases; what is there is filled in."""

import hashlib
import json
import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

CASE_FIELDS = """title problem context expected what_happened tried decision_point newcomer_miss outcome lesson
recommendation""".split()
RECAP_FIELDS = "title case pattern decision next_use open_question notes".split()
PERSON = re.compile(r"\[(?:person|customer|site)(?: \d+)?\]")
MEMBERS = ("case_ids", "centre", "remembered", "spoke", "new_by_period")

WORDS = (
    """CREATE VIEW case_said (number, words) AS SELECT number, coalesce(external_id, '') || char(10) ||
    coalesce((SELECT group_concat(value, char(10)) FROM json_each("case".body, '$.text')), '') FROM "case" """,
    """CREATE VIRTUAL TABLE case_words USING fts5(words, content='', columnsize=0,
    tokenize="unicode61 remove_diacritics 2")""",
    """CREATE TRIGGER case_words_came AFTER INSERT ON "case" BEGIN
    INSERT INTO case_words (rowid, words) SELECT number, words FROM case_said WHERE number = new.number; END""",
    """CREATE TRIGGER case_words_change BEFORE UPDATE OF number, body, external_id ON "case" BEGIN
    INSERT INTO case_words (case_words, rowid, words)
    SELECT 'delete', number, words FROM case_said WHERE number = old.number; END""",
    """CREATE TRIGGER case_words_changed AFTER UPDATE OF number, body, external_id ON "case" BEGIN
    INSERT INTO case_words (rowid, words) SELECT number, words FROM case_said WHERE number = new.number; END""",
    """CREATE TRIGGER case_words_went BEFORE DELETE ON "case" BEGIN
    INSERT INTO case_words (case_words, rowid, words)
    SELECT 'delete', number, words FROM case_said WHERE number = old.number; END""",
    "INSERT INTO case_words (rowid, words) SELECT number, words FROM case_said",
)


def upgrade() -> None:
    op.add_column("case", sa.Column("number", sa.Integer(), nullable=False, server_default="0"))
    for name in ("dated", "flags", "vector_hash"):
        op.add_column("case", sa.Column(name, sa.String(), nullable=False, server_default=""))
    for name in ("team", "status"):
        op.add_column("case", sa.Column(name, sa.String(), nullable=True))
    op.add_column("theme", sa.Column("card", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("theme", sa.Column("n_members", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("theme", sa.Column("centre", sa.LargeBinary(), nullable=True))
    op.add_column("draft", sa.Column("state", sa.String(), nullable=False, server_default="candidate"))
    op.add_column("draft", sa.Column("n_decisions", sa.Integer(), nullable=False, server_default="0"))
    _fill_cases()
    _fill_themes()
    _fill_drafts()
    op.create_index("ix_case_number", "case", ["number"], unique=True)
    listed = ["kind", "team", "status", "flags", "number"]
    op.create_index("ix_case_listed", "case", ["network_id", "id", *listed, "dated"])
    op.create_index("ix_case_dated", "case", ["network_id", "dated", "id", *listed])
    op.create_index("ix_case_kind", "case", ["network_id", "kind", "id", *listed[1:], "dated"])
    op.create_index("ix_case_team", "case", ["network_id", "team", "id"])
    op.create_index("ix_case_external_id", "case", ["network_id", "external_id"])
    op.create_index("ix_case_written", "case", ["network_id", "number", "id", "vector_hash"])
    op.create_index("ix_assignment_theme", "assignment", ["network_id", "run_id", "theme_id", "case_id"])
    op.create_index("ix_theme_change_theme", "theme_change", ["network_id", "theme_id"])
    listed_columns = ["current", "n_decisions", "kind", "state", "theme_id"]
    op.create_index("ix_draft_listed", "draft", ["network_id", "created_at", "id", *listed_columns])
    op.create_index("ix_run_number", "run", ["network_id", "state", "number"])
    for statement in WORDS:
        op.execute(sa.text(statement.replace(":", r"\:")))


def _rows(statement: str) -> list[Any]:
    return list(op.get_bind().execute(sa.text(statement)))


def _put(statement: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        op.get_bind().execute(sa.text(statement), rows)


def _fill_cases() -> None:
    rows: list[dict[str, Any]] = []
    for number, row in enumerate(_rows('SELECT rowid, body FROM "case" ORDER BY rowid'), start=1):
        body = json.loads(row.body)
        rows.append(
            {
                "rowid": row.rowid,
                "number": number,
                "dated": body["date"] or "",
                "team": body["team"],
                "status": body["facts"].get("status"),
                "flags": "".join(f"|{flag}" for flag in body["flags"]),
                "vector_hash": _vector_hash(body),
            }
        )
    _put(
        'UPDATE "case" SET number = :number, dated = :dated, team = :team, status = :status, flags = :flags,'
        " vector_hash = :vector_hash WHERE rowid = :rowid",
        rows,
    )


def _vector_hash(body: Any) -> str:
    """The key of the vector of the whole text, as it was made when this was written."""
    fields = CASE_FIELDS if body["kind"] == "case" else RECAP_FIELDS
    text = PERSON.sub("somebody", "\n".join(body["text"][name] for name in fields if name in body["text"]))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _fill_themes() -> None:
    from array import array

    rows: list[dict[str, Any]] = []
    for row in _rows("SELECT rowid, body FROM theme"):
        body = json.loads(row.body)
        centre = body.get("centre") or ()
        card: dict[str, Any] = {name: value for name, value in body.items() if name not in MEMBERS} | {"case_ids": []}
        rows.append(
            {
                "rowid": row.rowid,
                "card": json.dumps(card),
                "n_members": len(body["case_ids"]),
                "centre": array("f", centre).tobytes() if len(centre) else None,
            }
        )
    _put("UPDATE theme SET card = :card, n_members = :n_members, centre = :centre WHERE rowid = :rowid", rows)


def _fill_drafts() -> None:
    logs: dict[tuple[str, str], list[Any]] = {}
    for row in _rows("SELECT network_id, draft_id, body FROM decision ORDER BY draft_id, seq"):
        logs.setdefault((row.network_id, row.draft_id), []).append(json.loads(row.body))
    rows: list[dict[str, Any]] = []
    for (network_id, draft_id), log in logs.items():
        undone = {entry["undoes"] for entry in log}
        held = [entry for entry in log if entry["action"] != "undo" and entry["id"] not in undone]
        state = held[-1]["after"] if held else "candidate"
        rows.append({"network_id": network_id, "id": draft_id, "state": state, "n": len(log)})
    _put("UPDATE draft SET state = :state, n_decisions = :n WHERE network_id = :network_id AND id = :id", rows)

"""Changes by commands are in the audit log, without case text."""

from pathlib import Path

from tests.fixtures.in_process import InProcess

from patternmind.bootstrap import AppContext
from patternmind.settings import DEFAULT_NETWORK, Settings


def test_commands_write_audit_entries_only_for_successful_changes(tmp_path: Path) -> None:
    patternmind = InProcess(tmp_path / "home")
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": "HN-1", "problem": "The quiet gasket leaks."}\n{"id": "HN-2", "problem": "A door jams."}\n')
    assert patternmind("init", "--name", "Halden").code == 0
    assert patternmind("ingest", file).code == 0
    assert patternmind("cases", "list").code == 0
    assert patternmind("erase", "HN-9", "--by", "Ines", "--yes").code == 1
    erased_id = patternmind("erase", "HN-1", "--by", "Ines", "--yes", "--json").json()["case_id"]
    assert patternmind("member", "add", "Mia Falk", "--role", "steward").code == 0
    ctx = AppContext(Settings(home=tmp_path / "home"))
    _ = ctx.store
    log = ctx.accounts.audit.list_recent(DEFAULT_NETWORK)
    assert [(entry.who, entry.did, entry.kind, entry.id) for entry in reversed(log)] == [
        ("the command line", "init", "", ""),
        ("the command line", "ingest", "", ""),
        ("Ines (the command line)", "erase", "case", erased_id),
        ("the command line", "member.add", "member", "mia-falk"),
    ]
    assert "gasket" not in repr(log)

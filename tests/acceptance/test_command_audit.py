"""What a command changes stands in the audit log, as what the web changes does; and no text of a case does."""

from pathlib import Path

from tests.fixtures.in_process import InProcess

from patternmind.bootstrap import AppContext
from patternmind.settings import DEFAULT_NETWORK, Settings


def test_a_line_for_what_changed_and_none_for_what_was_read_or_failed(tmp_path: Path) -> None:
    patternmind = InProcess(tmp_path / "home")
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": "HN-1", "problem": "The quiet gasket leaks."}\n{"id": "HN-2", "problem": "A door jams."}\n')
    assert patternmind("init", "--name", "Halden").code == 0
    assert patternmind("ingest", file).code == 0
    assert patternmind("cases", "list").code == 0
    assert patternmind("erase", "HN-9", "--by", "Ines", "--yes").code == 1
    gone = patternmind("erase", "HN-1", "--by", "Ines", "--yes", "--json").json()["case_id"]
    assert patternmind("member", "add", "Mia Falk", "--role", "steward").code == 0
    house = AppContext(Settings(home=tmp_path / "home"))
    _ = house.store
    log = house.accounts.list_audit(DEFAULT_NETWORK)
    assert [(one.who, one.did, one.kind, one.id) for one in reversed(log)] == [
        ("the command line", "init", "", ""),
        ("the command line", "ingest", "", ""),
        ("Ines (the command line)", "erase", "case", gone),
        ("the command line", "member.add", "member", "mia-falk"),
    ]
    assert "gasket" not in repr(log)

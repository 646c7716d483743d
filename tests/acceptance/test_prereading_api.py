"""Pre-readings in the API: request, list, edit, approve, undo and print."""

from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.test_api import Program, check_problem

from patternmind.bootstrap import AppContext


@pytest.fixture(scope="module")
def desk(grown_context: AppContext) -> Program:
    return Program(grown_context)


def ask_for(client: Program, session: str, **fields: Any) -> str:
    """Request a pre-reading and return its id; each session has its own."""
    theme = client.get("themes").json()["items"][0]["theme_id"]
    made = client.post("prereadings", json={"theme": theme, "session": session, **fields})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def printed(client: Program, id: str) -> str:
    return client.get(f"prereadings/{id}", params={"format": "md"}).text


def test_prereading_stores_fields_of_its_request(desk: Program) -> None:
    id = ask_for(desk, "Jam 1", leave_with="One rule for frozen scanners.", date="2026-12-03")
    made = desk.get(f"prereadings/{id}").json()
    assert made["fields"]["leave_with"] == "One rule for frozen scanners."
    assert (made["fields"]["session"], made["fields"]["date"], made["version"]) == ("Jam 1", "2026-12-03", 0)
    listed = next(item for item in desk.get("prereadings").json()["items"] if item["id"] == id)
    assert (listed["session"], listed["approved_by"], listed["state"]) == ("Jam 1", None, "candidate")


def test_prereading_prints_draft_notice_until_approved_and_after_an_edit(desk: Program) -> None:
    id = ask_for(desk, "Jam 2")
    assert "Draft, not reviewed" in printed(desk, id)
    check_problem(desk.post(f"prereadings/{id}/approval"), 422, "invalid")
    approved = desk.post(f"prereadings/{id}/approval", json={"by": "Ada Berg"})
    assert (approved.json()["approved_by"], approved.headers["etag"]) == ("Ada Berg", '"1"')
    assert "Draft, not reviewed" not in printed(desk, id)
    assert "By Ada Berg on" in printed(desk, id)
    edited = desk.request("PATCH", f"prereadings/{id}", json={"fields": {"session": "Jam 2b"}, "by": "Bo Lind"}).json()
    assert (edited["approved_by"], edited["state"], edited["fields"]["session"]) == (None, "in_review", "Jam 2b")
    assert "Draft, not reviewed" in printed(desk, id)
    back = desk.post(f"prereadings/{id}/undo", json={"by": "Bo Lind"}).json()
    assert (back["approved_by"], back["fields"]["session"]) == ("Ada Berg", "Jam 2")
    assert desk.post(f"prereadings/{id}/undo", json={"by": "Ada Berg"}).json()["state"] == "candidate"
    check_problem(desk.post(f"prereadings/{id}/undo", json={"by": "Ada Berg"}), 409, "wrong-state")
    assert [decision["action"] for decision in desk.get(f"prereadings/{id}").json()["decisions"]] == [
        "accept", "edit", "undo", "undo",
    ]  # fmt: skip


def test_prereading_edit_requires_current_version_and_allowed_text(desk: Program) -> None:
    id = ask_for(desk, "Jam 3")
    seen = desk.get(f"prereadings/{id}").headers["etag"]
    first = {"fields": {"questions": ["What now?", "Who else?"]}, "by": "Ada"}
    done = desk.request("PATCH", f"prereadings/{id}", json=first, headers={"if-match": seen})
    assert done.json()["fields"]["questions"] == ["What now?", "Who else?"]
    late = desk.request("PATCH", f"prereadings/{id}", json=first, headers={"if-match": seen})
    check_problem(late, 412, "changed-meanwhile")
    check_problem(
        desk.post(f"prereadings/{id}/approval", json={"by": "B"}, headers={"if-match": seen}), 412, "changed-meanwhile"
    )
    check_problem(desk.request("PATCH", f"prereadings/{id}", json=first), 422, "not-allowed")
    named = {"fields": {"session": "Call me at anna@example.org"}, "by": "Ada"}
    check_problem(desk.request("PATCH", f"prereadings/{id}", json=named), 422, "invalid")


def test_prereading_request_returns_a_job_when_client_prefers_async(desk: Program) -> None:
    body = {"topic": "the invoice went out twice", "session": "Jam 4"}
    begun = desk.post("prereadings", json=body, headers={"prefer": "respond-async"})
    assert (begun.status_code, begun.headers["preference-applied"]) == (202, "respond-async")
    stream = desk.get(f"{begun.headers['location']}/events").text
    assert "event: done" in stream
    job = desk.get(begun.headers["location"]).json()
    assert desk.get(f"prereadings/{job['prereading_id']}").json()["fields"]["session"] == "Jam 4"
    wrong = desk.post("prereadings", json={"theme": "t-none"}, headers={"prefer": "respond-async"})
    check_problem(wrong, 404, "not-found")


def test_prereading_api_rejects_drafts_of_other_kinds(desk: Program) -> None:
    pattern = desk.get("drafts", params={"kind": "pattern"}).json()["items"][0]["id"]
    for answer in (
        desk.get(f"prereadings/{pattern}"),
        desk.post(f"prereadings/{pattern}/approval", json={"by": "Ada"}),
        desk.request("PATCH", f"prereadings/{pattern}", json={"fields": {"name": "x"}, "by": "Ada"}),
    ):
        check_problem(answer, 404, "not-found")


@pytest.mark.parametrize(("format", "begins"), [("pdf", b"%PDF"), ("docx", b"PK"), ("html", b"<!doctype")])
def test_prereading_is_available_in_every_format(desk: Program, format: str, begins: bytes) -> None:
    id = ask_for(desk, "Jam 5")
    file = desk.get(f"prereadings/{id}", params={"format": format})
    assert file.content.lower().startswith(begins.lower())
    assert Path(file.headers["content-disposition"].partition('"')[2].rstrip('"')).suffix == f".{format}"

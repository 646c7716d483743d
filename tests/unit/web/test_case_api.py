"""The API of cases: preview, submit, edit, withdraw, erase and import."""

from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.page_client import PageClient, form_token_on

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.settings import Settings
from patternmind.web import uploads
from patternmind.web.app import make_app

API = "/api/v1"
PROBLEM = "The scanner of Kjetil Moe froze in the cold store. Call +47 22 33 44 55."


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PageClient]:
    ctx = AppContext(Settings(home=tmp_path_factory.mktemp("api") / "home"), encoder=HashingEncoder())
    app = make_app(ctx)
    clients_by_role = {
        "member": PageClient(ctx, Role.MEMBER, name="Ada Berg", app=app),
        "other": PageClient(ctx, Role.MEMBER, name="Bo Lind", app=app),
        "steward": PageClient(ctx, Role.STEWARD, name="Sten Vik", app=app),
    }
    for visitor in clients_by_role.values():
        visitor.client.headers["x-form-token"] = form_token_on(visitor.get("/cases/new").text)
    return clients_by_role


def submit(visitor: PageClient, **fields: Any) -> Any:
    return visitor.post(f"{API}/cases", json={"text": {"problem": PROBLEM}, **fields})


def test_case_can_be_previewed_submitted_edited_withdrawn_restored_and_erased(clients: dict[str, PageClient]) -> None:
    member, other, steward = clients["member"], clients["other"], clients["steward"]
    body = {"text": {"problem": PROBLEM}, "facts": {"status": "open"}, "consent": "network only"}
    preview = member.post(f"{API}/cases/preview", json=body).json()
    assert preview["case"]["text"]["problem"].endswith("Call [phone].")
    assert (preview["redacted"], preview["possible_names"]) == ({"phone": 1}, ["Kjetil Moe"])
    assert preview["missing"]["field"] == "what_happened"
    created = member.post(f"{API}/cases", json=body)
    assert (created.status_code, created.headers["etag"]) == (201, '"1"')
    id = created.json()["case"]["case_id"]
    assert created.headers["location"] == f"{API}/cases/{id}"
    assert member.get(f"{API}/cases/{id}").json()["consent"] == "network only"
    assert other.get(f"{API}/cases/{id}/raw").status_code == 403
    raw = member.get(f"{API}/cases/{id}/raw").json()["versions"]
    assert (raw[0]["text"]["problem"], raw[0]["by"]) == (PROBLEM, "Ada Berg")
    changed = {"text": {"problem": f"{PROBLEM} Again."}}
    edited = member.client.put(f"{API}/cases/{id}", json=changed, headers={"if-match": '"1"'})
    assert (edited.status_code, edited.headers["etag"]) == (200, '"2"')
    late = steward.client.put(f"{API}/cases/{id}", json=changed, headers={"if-match": '"1"'})
    assert (late.status_code, late.json()["title"]) == (412, "Changed by someone else in the meantime")
    assert other.client.put(f"{API}/cases/{id}", json=changed).status_code == 403
    related = steward.get(f"{API}/cases/{id}/related")
    assert (related.headers["etag"], related.json()["n_versions"], related.json()["quotes"]) == ('"2"', 2, [])
    assert other.post(f"{API}/cases/{id}/withdrawal", json={}).status_code == 403
    assert member.post(f"{API}/cases/{id}/withdrawal", json={}).json()["case_id"] == id
    assert member.get(f"{API}/cases/{id}").status_code == 404
    assert other.client.delete(f"{API}/cases/{id}/withdrawal").status_code == 404
    assert member.client.delete(f"{API}/cases/{id}/withdrawal").json()["case_id"] == id
    assert other.client.delete(f"{API}/cases/{id}").status_code == 403
    assert member.client.delete(f"{API}/cases/{id}").json() == {
        "case_id": id, "n_quotes": 0, "n_drafts": 0, "same": [], "linked": [],
    }  # fmt: skip
    assert member.get(f"{API}/cases/{id}").status_code == 404
    entries = [(entry["did"], entry["id"]) for entry in steward.get(f"{API}/audit?limit=100").json()["items"]]
    expected_actions = ["submit_case", "read_raw", "replace_case", "withdraw_case", "put_case_back", "erase_case"]
    assert [did for did, about in reversed(entries) if about == id] == expected_actions
    assert "preview_case" not in {did for did, _ in entries}
    again = submit(member, external_id="x")
    assert again.status_code == 201


def test_invalid_case_returns_field_errors(clients: dict[str, PageClient]) -> None:
    member = clients["member"]
    rejected = submit(member, facts={"status": "maybe", "opened_on": "soon"})
    assert rejected.status_code == 422
    assert {error["field"] for error in rejected.json()["errors"]} == {"body.status", "body.opened_on"}
    assert PROBLEM not in rejected.text
    assert submit(member, text={}).json()["errors"][0]["field"] == "body.problem"
    assert "no field" in submit(member, text={"gossip": "x"}).json()["detail"]
    assert submit(member, facts={"submitter": "Other"}).status_code == 422
    assert submit(member, submitter="Other Member").json()["title"] == "Not allowed by policy"


def test_repeated_submission_creates_one_case(clients: dict[str, PageClient]) -> None:
    member = clients["member"]
    request = {
        "json": {"text": {"problem": "The pump leaked twice in hall four."}},
        "headers": {"idempotency-key": "k-1"},
    }
    first, again = (member.post(f"{API}/cases", **request) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    without_key = member.post(f"{API}/cases", json=request["json"]).json()
    assert (without_key["case"]["case_id"], without_key["is_new"]) == (first.json()["case"]["case_id"], False)


def test_erasing_case_clears_cached_responses(clients: dict[str, PageClient]) -> None:
    member = clients["member"]
    request = {"json": {"text": {"problem": "The wombat sat on the valve."}}, "headers": {"idempotency-key": "k-2"}}
    id = member.post(f"{API}/cases", **request).json()["case"]["case_id"]
    member.client.delete(f"{API}/cases/{id}")
    after = member.post(f"{API}/cases", **request)
    assert after.status_code == 422
    assert "erased" in after.json()["detail"]
    assert "wombat" not in after.text


def test_case_list_supports_all_filters(clients: dict[str, PageClient]) -> None:
    member = clients["member"]
    text = {"problem": "The crane would not lower its hook at the quay."}
    facts = {"team": "Quay", "status": "solved", "opened_on": "2026-05-02"}
    id = member.post(f"{API}/cases", json={"text": text, "facts": facts}).json()["case"]["case_id"]
    for item in (
        "q=crane+hook",
        "team=Quay",
        "status=solved",
        "since=2026-05-01&until=2026-05-31",
        "q=CRANE&kind=case",
    ):
        assert [case["case_id"] for case in member.get(f"{API}/cases?{item}").json()["items"]] == [id], item
    for item in ("q=crane+pump", "team=Unknown", "since=2026-06-01&team=Quay", "flag=suspicious:&team=Quay"):
        assert member.get(f"{API}/cases?{item}").json()["items"] == [], item
    assert member.get(f"{API}/cases?unplaced=true").status_code == 403


def test_upload_can_be_mapped_imported_and_its_rejected_rows_downloaded(
    clients: dict[str, PageClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SMALL_FILE_WAIT_SECONDS", 60)
    steward = clients["steward"]
    rows = (
        b"nr,Beskrivelse,status\n71,The hatch leaked oil on the belt.,open\n72,,open\n73,The belt tore at noon.,maybe\n"
    )
    sent = steward.post(f"{API}/uploads?filename=rows.csv", content=rows)
    assert sent.status_code == 201
    address = sent.headers["location"]
    assert (sent.json()["accepted"], sent.json()["n_rejected"]) == (0, 3)
    assert [(column["name"], column["field"]) for column in sent.json()["columns"]] == [
        ("nr", None), ("Beskrivelse", None), ("status", "status"),
    ]  # fmt: skip
    mapped = steward.client.put(f"{address}/mapping", json={"map": ["id=nr", "problem=Beskrivelse"]}).json()
    assert (mapped["accepted"], mapped["n_rejected"], mapped["state"]) == (1, 2, "ready")
    assert mapped["rows"][0]["text"] == {"problem": "The hatch leaked oil on the belt."}
    assert steward.client.put(f"{address}/mapping", json={"map": ["problem=nowhere"]}).status_code == 422
    imported = steward.post(f"{address}/import").json()
    assert (imported["state"], imported["accepted"]) == ("done", 1)
    assert steward.get(f"{API}/cases/71").json()["title"] == "The hatch leaked oil on the belt."
    assert "73,The belt tore at noon.,maybe" in steward.get(f"{address}/errors").text
    assert clients["member"].get(address).status_code == 403
    assert steward.client.delete(address).status_code == 204
    assert steward.get(address).status_code == 404


def test_possible_name_is_confirmed_only_by_steward(clients: dict[str, PageClient]) -> None:
    member, steward = clients["member"], clients["steward"]
    text = {"problem": "We asked Ingeborg Tveit, and Ingeborg Tveit said that the lift is old."}
    id = member.post(f"{API}/cases", json={"text": text}).json()["case"]["case_id"]
    candidates = steward.get(f"{API}/cases/{id}/possible-names").json()["items"]
    assert [item["name"] for item in candidates] == ["Ingeborg Tveit"]
    address = f"{API}/cases/{id}/possible-names"
    assert steward.post(address, json={"names": ["Belt"]}).status_code == 422
    assert member.post(address, json={"names": ["Ingeborg Tveit"]}).status_code == 403
    assert steward.post(address, json={"names": ["Ingeborg Tveit"]}).json() == {"people_added": 1}
    assert "Ingeborg" not in member.get(f"{API}/cases/{id}").text


def test_other_submitter_is_accepted_only_from_steward(clients: dict[str, PageClient], tmp_path: Path) -> None:
    del tmp_path
    steward, other = clients["steward"], clients["other"]
    body = {"text": {"problem": "The lamp over the ramp was dark all week."}, "submitter": "Bo Lind"}
    id = steward.post(f"{API}/cases", json=body).json()["case"]["case_id"]
    assert other.get(f"{API}/cases/{id}/raw").json()["versions"][0]["facts"]["submitter"] == "Bo Lind"

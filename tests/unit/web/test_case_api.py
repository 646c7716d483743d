"""The API of cases: hand in, look over, edit, let go, take in a file; each answer complete, each refusal named."""

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
def everybody(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PageClient]:
    house = AppContext(Settings(home=tmp_path_factory.mktemp("api") / "home"), encoder=HashingEncoder())
    app = make_app(house)
    found = {
        "member": PageClient(house, Role.MEMBER, name="Ada Berg", app=app),
        "other": PageClient(house, Role.MEMBER, name="Bo Lind", app=app),
        "steward": PageClient(house, Role.STEWARD, name="Sten Vik", app=app),
    }
    for visitor in found.values():
        visitor.client.headers["x-form-token"] = form_token_on(visitor.get("/cases/new").text)
    return found


def hand_in(visitor: PageClient, **said: Any) -> Any:
    return visitor.post(f"{API}/cases", json={"text": {"problem": PROBLEM}, **said})


def test_a_case_is_looked_over_handed_in_edited_withdrawn_put_back_and_erased(everybody: dict[str, PageClient]) -> None:
    member, other, steward = everybody["member"], everybody["other"], everybody["steward"]
    asked = {"text": {"problem": PROBLEM}, "facts": {"status": "open"}, "consent": "network only"}
    seen = member.post(f"{API}/cases/preview", json=asked).json()
    assert seen["case"]["text"]["problem"].endswith("Call [phone].")
    assert (seen["redacted"], seen["possible_names"]) == ({"phone": 1}, ["Kjetil Moe"])
    assert seen["missing"]["field"] == "what_happened"
    made = member.post(f"{API}/cases", json=asked)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    id = made.json()["case"]["case_id"]
    assert made.headers["location"] == f"{API}/cases/{id}"
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
    around = steward.get(f"{API}/cases/{id}/related")
    assert (around.headers["etag"], around.json()["n_versions"], around.json()["quotes"]) == ('"2"', 2, [])
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
    lines = [(one["did"], one["id"]) for one in steward.get(f"{API}/audit?limit=100").json()["items"]]
    done = ["submit_case", "read_raw", "replace_case", "withdraw_case", "put_case_back", "erase_case"]
    assert [did for did, about in reversed(lines) if about == id] == done
    assert "preview_case" not in {did for did, _ in lines}
    again = hand_in(member, external_id="x")
    assert again.status_code == 201


def test_what_cannot_be_taken_names_its_fields(everybody: dict[str, PageClient]) -> None:
    member = everybody["member"]
    wrong = hand_in(member, facts={"status": "maybe", "opened_on": "soon"})
    assert wrong.status_code == 422
    assert {one["field"] for one in wrong.json()["errors"]} == {"body.status", "body.opened_on"}
    assert PROBLEM not in wrong.text
    assert hand_in(member, text={}).json()["errors"][0]["field"] == "body.problem"
    assert "no field" in hand_in(member, text={"gossip": "x"}).json()["detail"]
    assert hand_in(member, facts={"submitter": "Somebody"}).status_code == 422
    assert hand_in(member, submitter="Somebody Else").json()["title"] == "Not allowed by policy"


def test_the_same_request_is_done_once(everybody: dict[str, PageClient]) -> None:
    member = everybody["member"]
    said = {"json": {"text": {"problem": "The pump leaked twice in hall four."}}, "headers": {"idempotency-key": "k-1"}}
    first, again = (member.post(f"{API}/cases", **said) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    without_key = member.post(f"{API}/cases", json=said["json"]).json()
    assert (without_key["case"]["case_id"], without_key["is_new"]) == (first.json()["case"]["case_id"], False)


def test_an_answer_kept_for_repeats_goes_with_an_erased_case(everybody: dict[str, PageClient]) -> None:
    member = everybody["member"]
    said = {"json": {"text": {"problem": "The wombat sat on the valve."}}, "headers": {"idempotency-key": "k-2"}}
    id = member.post(f"{API}/cases", **said).json()["case"]["case_id"]
    member.client.delete(f"{API}/cases/{id}")
    after = member.post(f"{API}/cases", **said)
    assert after.status_code == 422
    assert "erased" in after.json()["detail"]
    assert "wombat" not in after.text


def test_a_list_is_narrowed_by_all_it_can_be(everybody: dict[str, PageClient]) -> None:
    member = everybody["member"]
    told = {"problem": "The crane would not lower its hook at the quay."}
    facts = {"team": "Quay", "status": "solved", "opened_on": "2026-05-02"}
    id = member.post(f"{API}/cases", json={"text": told, "facts": facts}).json()["case"]["case_id"]
    for said in (
        "q=crane+hook",
        "team=Quay",
        "status=solved",
        "since=2026-05-01&until=2026-05-31",
        "q=CRANE&kind=case",
    ):
        assert [one["case_id"] for one in member.get(f"{API}/cases?{said}").json()["items"]] == [id], said
    for said in ("q=crane+pump", "team=Nobody", "since=2026-06-01&team=Quay", "flag=suspicious:&team=Quay"):
        assert member.get(f"{API}/cases?{said}").json()["items"] == [], said
    assert member.get(f"{API}/cases?unplaced=true").status_code == 403


def test_a_file_is_sent_mapped_taken_in_and_its_rest_given_back(
    everybody: dict[str, PageClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SMALL_FILE_WAIT_SECONDS", 60)
    steward = everybody["steward"]
    rows = (
        b"nr,Beskrivelse,status\n71,The hatch leaked oil on the belt.,open\n72,,open\n73,The belt tore at noon.,maybe\n"
    )
    sent = steward.post(f"{API}/uploads?filename=rows.csv", content=rows)
    assert sent.status_code == 201
    address = sent.headers["location"]
    assert (sent.json()["accepted"], sent.json()["n_rejected"]) == (0, 3)
    assert [(one["name"], one["field"]) for one in sent.json()["columns"]] == [
        ("nr", None), ("Beskrivelse", None), ("status", "status"),
    ]  # fmt: skip
    mapped = steward.client.put(f"{address}/mapping", json={"map": ["id=nr", "problem=Beskrivelse"]}).json()
    assert (mapped["accepted"], mapped["n_rejected"], mapped["state"]) == (1, 2, "ready")
    assert mapped["rows"][0]["text"] == {"problem": "The hatch leaked oil on the belt."}
    assert steward.client.put(f"{address}/mapping", json={"map": ["problem=nowhere"]}).status_code == 422
    done = steward.post(f"{address}/import").json()
    assert (done["state"], done["accepted"]) == ("done", 1)
    assert steward.get(f"{API}/cases/71").json()["title"] == "The hatch leaked oil on the belt."
    assert "73,The belt tore at noon.,maybe" in steward.get(f"{address}/errors").text
    assert everybody["member"].get(address).status_code == 403
    assert steward.client.delete(address).status_code == 204
    assert steward.get(address).status_code == 404


def test_a_possible_name_is_confirmed_by_the_steward(everybody: dict[str, PageClient]) -> None:
    member, steward = everybody["member"], everybody["steward"]
    told = {"problem": "We asked Ingeborg Tveit, and Ingeborg Tveit said that the lift is old."}
    id = member.post(f"{API}/cases", json={"text": told}).json()["case"]["case_id"]
    found = steward.get(f"{API}/cases/{id}/possible-names").json()["items"]
    assert [one["name"] for one in found] == ["Ingeborg Tveit"]
    address = f"{API}/cases/{id}/possible-names"
    assert steward.post(address, json={"names": ["Belt"]}).status_code == 422
    assert member.post(address, json={"names": ["Ingeborg Tveit"]}).status_code == 403
    assert steward.post(address, json={"names": ["Ingeborg Tveit"]}).json() == {"people_added": 1}
    assert "Ingeborg" not in member.get(f"{API}/cases/{id}").text


def test_somebody_elses_submitter_is_named_by_the_steward_alone(
    everybody: dict[str, PageClient], tmp_path: Path
) -> None:
    del tmp_path
    steward, other = everybody["steward"], everybody["other"]
    told = {"text": {"problem": "The lamp over the ramp was dark all week."}, "submitter": "Bo Lind"}
    id = steward.post(f"{API}/cases", json=told).json()["case"]["case_id"]
    assert other.get(f"{API}/cases/{id}/raw").json()["versions"][0]["facts"]["submitter"] == "Bo Lind"

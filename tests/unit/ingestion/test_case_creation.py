"""Make cases: stable ids, redacted text, contributors that can be counted but not named."""

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from patternmind.domain.cases import Case, CaseKind, Consent, Submission
from patternmind.domain.networks import RosterEntry
from patternmind.ingestion.cases import content_hash, make_case
from patternmind.ingestion.redaction.roster import Roster

ROSTER = Roster.of([RosterEntry(number=3, name="Anna Hansen", email="anna@example.org", team="Nord")])
SUBMISSION = Submission(
    kind=CaseKind.CASE,
    external_id="HN-1",
    text={"title": "Late lorry", "problem": "Anna waited for Kari. Call 22 12 34 56."},
    facts={
        "status": "open",
        "opened_on": "2026-05-01",
        "team": "Anna's corner",
        "region": "Anna",
        "impact": "Anna lost two days",
        "links": "https://x.example/anna",
        "consent": "organisation",
        "submitter": "Kari Nordmann",
    },
    extra={"Anna's remark": "ask kari nordmann", "mail": "anna@example.org"},
    linked_cases=("HN-2",),
)


def case_of(submission: Submission, network_id: str = "n1", secret: bytes = b"key") -> Case:
    return make_case(submission, roster=ROSTER, network_id=network_id, secret=secret)[0]


def test_make_case_redacts_everything_that_names_a_person() -> None:
    case, counts = make_case(SUBMISSION, roster=ROSTER, network_id="n1", secret=b"key")
    assert case == Case(
        id="c-" + case.id[2:],
        kind=CaseKind.CASE,
        external_id="HN-1",
        text={"title": "Late lorry", "problem": "[person 3] waited for [person]. Call [phone]."},
        extra={"[person 3]'s remark": "ask [person]", "mail": "[email]"},
        facts={
            "status": "open",
            "opened_on": "2026-05-01",
            "team": "Anna's corner",
            "region": "[person 3]",
            "impact": "[person 3] lost two days",
            "links": "[link]",
        },
        date=dt.date(2026, 5, 1),
        team="Anna's corner",
        contributor=case.contributor,
        consent=Consent.ORGANISATION,
        linked_cases=("HN-2",),
        content_hash=content_hash(SUBMISSION),
        text_version=case.text_version,
        flags=("redacted",),
    )
    assert counts == {"person": 6, "phone": 1, "email": 1, "link": 1}
    assert len(case.id) == 18
    assert len(case.content_hash) == 64
    assert len(case.text_version) == 16
    assert case.contributor is not None
    assert len(case.contributor) == 16


def test_contributor_is_the_same_for_every_form_of_a_name() -> None:
    def contributor(submitter: str) -> str | None:
        return case_of(replace(SUBMISSION, facts={"submitter": submitter})).contributor

    spellings = [
        "Anna Hansen",
        "anna  hansen",
        "A. Hansen",
        "Hansen, Anna",
        "a.h. <ANNA@example.org>",
        "anna@example.org",
    ]
    assert len({contributor(name) for name in spellings}) == 1
    assert contributor("Kari  NORDMANN") == contributor("Kari Nordmann") != contributor("Anna Hansen")
    assert contributor("anonymous") is None
    assert case_of(replace(SUBMISSION, facts={})).contributor is None


def test_contributor_depends_on_the_secret() -> None:
    assert case_of(SUBMISSION, secret=b"other").contributor != case_of(SUBMISSION).contributor


def test_case_id_depends_only_on_network_kind_and_external_id() -> None:
    base = case_of(SUBMISSION).id
    assert (
        case_of(replace(SUBMISSION, text={"problem": "another text"}, facts={}, extra={}, row=9, file="x")).id == base
    )
    recap = case_of(replace(SUBMISSION, kind=CaseKind.RECAP))
    others = [case_of(SUBMISSION, network_id="n2").id, case_of(replace(SUBMISSION, external_id="HN-2")).id, recap.id]
    assert len({base, *others}) == 4
    assert recap.id.startswith("r-")


def test_case_id_depends_on_the_raw_text_when_external_id_is_missing() -> None:
    anonymous = replace(SUBMISSION, external_id=None)
    assert case_of(anonymous).id == case_of(replace(anonymous, facts={}, extra={})).id
    assert case_of(anonymous).id != case_of(replace(anonymous, text={"problem": "another"})).id


def test_content_hash_is_the_same_for_equal_texts_with_different_ids() -> None:
    assert content_hash(SUBMISSION) == content_hash(replace(SUBMISSION, external_id="HN-2", facts={}, extra={}))
    assert content_hash(SUBMISSION) != content_hash(replace(SUBMISSION, kind=CaseKind.RECAP))
    assert content_hash(SUBMISSION) != content_hash(replace(SUBMISSION, text={"context": "Late lorry"}))


def test_text_version_changes_with_the_redacted_text() -> None:
    changed = make_case(SUBMISSION, roster=Roster.of([]), network_id="n1", secret=b"key")[0]
    assert (changed.id, changed.content_hash) == (case_of(SUBMISSION).id, case_of(SUBMISSION).content_hash)
    assert changed.text_version != case_of(SUBMISSION).text_version


def test_flags_mark_long_titles_and_missing_consent() -> None:
    plain = Submission(kind=CaseKind.CASE, external_id=None, text={"title": "x" * 81}, facts={}, extra={})
    assert case_of(plain).flags == ("long title", "no consent given")
    assert case_of(plain).consent is Consent.NETWORK_ONLY


@given(
    st.lists(st.text(max_size=20), min_size=1, max_size=8, unique=True).flatmap(
        lambda t: st.tuples(st.just(t), st.permutations(t))
    )
)
def test_case_ids_are_independent_of_order(both: tuple[list[str], list[str]]) -> None:
    def ids(texts: list[str]) -> dict[str, str]:
        rows = [
            Submission(kind=CaseKind.CASE, external_id=None, text={"problem": t}, facts={}, extra={}) for t in texts
        ]
        return {row.text["problem"]: case_of(row).id for row in rows}

    in_order, shuffled = both
    assert ids(in_order) == ids(shuffled)
    assert len(set(ids(in_order).values())) == len(in_order)

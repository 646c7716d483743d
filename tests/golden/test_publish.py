"""Golden files of a playbook and a pre-reading.

After an intended change, run ``python -m tests.golden.test_publish`` and review the difference.
"""

import datetime as dt
from pathlib import Path

import pytest
from tests.fixtures.builders import (
    NOON,
    build_case,
    build_claim,
    build_grounded_draft,
    build_pattern,
    build_theme,
    case_inputs,
    cases_by_id,
)

from patternmind.domain.cases import Consent
from patternmind.domain.drafts import Claim, DraftKind, DraftState, Provenance, ReviewedDraft
from patternmind.domain.networks import Network, PublishingRule
from patternmind.publishing.document import Document
from patternmind.publishing.playbook import build_playbook
from patternmind.publishing.prereading import lay_out_prereading
from patternmind.publishing.publication_rules import select_patterns
from patternmind.publishing.render import render_document

NETWORK = Network(
    id="n-1",
    name="Nordlys Heat Pumps",
    purpose="Fewer wrong deliveries and second visits, by learning from each other's cases.",
    rule=PublishingRule(min_contributors=3, min_teams=2),
)

NIGHT = build_case(
    "hn-002",
    {
        "title": "nobody told nights about the pallet on hold",
        "problem": "came on at 22. pallet with 12 outdoor units stood in lane 4 like any other.",
        "what_happened": "seven came back. two are still at a customer i think",
        "tried": "asked for a notebook on the lead desk. lasted until somebody put coffee on it",
        "lesson": "red tape on the goods themselves. a sheet in the office is no use when you sit on the truck",
    },
    team="Nord",
)
DOCK = build_case(
    "hn-017",
    {
        "problem": "A carton on hold for a recall went out with the Friday lorry because the list hangs in the office.",
        "lesson": "We now turn the pallet round so that its label faces the wall; nobody picks what he cannot scan.",
    },
    team="Syd",
    date=dt.date(2026, 8, 21),
)
RETURNS = build_case(
    "hn-031",
    {
        "problem": "Returned pumps stood beside new ones, but only the day shift knew which were which.",
        "outcome": "Since the red tape no returned pump has left the house.",
        "notes": "Tape did not help in the cold store: it falls off below zero.",
    },
    team="Returns",
    date=dt.date(2026, 10, 2),
)
QUIET = build_case(
    "hn-044",
    {"problem": "Our supplier asked us to keep this one to ourselves, and so we do, in this network."},
    team="Syd",
    consent=Consent.NETWORK_ONLY,
)
CASES = cases_by_id(NIGHT, DOCK, RETURNS, QUIET)

CLAIMS = (
    build_claim("problem", NIGHT, "pallet with 12 outdoor units stood in lane 4 like any other."),
    build_claim("forces", RETURNS),
    build_claim("solution", NIGHT, "red tape on the goods themselves.", source="lesson"),
    build_claim("solution", DOCK, source="lesson"),
    build_claim("signs_it_applies", DOCK),
    build_claim("signs_it_applies", QUIET),
    build_claim("consequences", RETURNS, source="outcome"),
    build_claim("counter_evidence", RETURNS, source="notes"),
)
TAPE = build_pattern(
    [NIGHT, DOCK, RETURNS, QUIET],
    CLAIMS,
    fields={
        "patlet": f"{CLAIMS[0].text} Therefore: {CLAIMS[2].text}",
        "context": "not stated in these cases",
        "problem": (CLAIMS[0].text,),
        "forces": (CLAIMS[1].text, "A mark must be seen from the truck, yet come off without a trace."),
        "solution": ("Tape the goods themselves, in red, on two sides.", CLAIMS[3].text),
        "signs_it_applies": (CLAIMS[4].text, CLAIMS[5].text),
        "do_not_use_when": "not stated in these cases",
        "consequences": (CLAIMS[6].text,),
        "counter_evidence": (CLAIMS[7].text,),
        "coverage": "Evidence from 3 of 4 cases and 3 teams.",
        "related": "t-2",
    },
    share_edited=0.18,
    version=2,
)
ASK = build_pattern(
    [NIGHT, DOCK, RETURNS],
    [
        build_claim("problem", DOCK),
        build_claim("solution", RETURNS, source="outcome"),
        build_claim("solution", DOCK, source="lesson"),
    ],
    id="p-2",
    theme_id="t-2",
    name="A shelf of their own",
    state=DraftState.FIELD_TESTED,
    reviewers=("Ada Berg", "Tor Lie"),
)
NARROW = build_pattern([NIGHT], [build_claim("solution", NIGHT, source="lesson")], id="p-3", name="Not for others")
OLD = build_pattern(
    [NIGHT, DOCK, RETURNS], ASK.claims, id="p-4", name="Notebook on the lead desk", state=DraftState.RETIRED
)
THEMES = [
    build_theme(
        name="pallets on hold",
        gist="Goods on hold look like any other goods to whoever was not told.",
        n_cases=4,
        n_contributors=4,
        new_cases=1,
        share=0.08,
        trend={"2026Q3": 3, "2026Q4": 1},
        differs_by=("hold", "tape", "night shift"),
    ),
    build_theme("t-2", name="returned goods"),
]


def playbook() -> Document:
    sorted_ = select_patterns([TAPE, ASK, NARROW, OLD], CASES, NETWORK.rule)
    return build_playbook(
        sorted_.published, sorted_.withheld, sorted_.retired, network=NETWORK, themes=THEMES, date=dt.date(2026, 11, 21)
    )


def prereading() -> Document:
    own = [
        build_claim("case", NIGHT, text, source=field)
        for field, text in (
            ("problem", "came on at 22."),
            ("problem", "pallet with 12 outdoor units stood in lane 4 like any other."),
            ("what_happened", "seven came back."),
            ("what_happened", "two are still at a customer i think"),
        )
    ]
    claims: list[Claim] = [
        *own,
        build_claim("quotes", DOCK),
        build_claim("quotes", RETURNS),
        build_claim("quotes", QUIET),
        build_claim("helped", DOCK, source="lesson"),
        build_claim("disagreement", RETURNS, source="notes"),
    ]
    grounded = build_grounded_draft(
        CASES,
        claims,
        fields={
            "session": "Jam 7: what nobody told the night shift",
            "date": "2026-12-03",
            "case_title": NIGHT.title,
            "leave_with": "We will leave with one thing each of us will try on “pallets on hold” before we meet again, "
            "and a date for it.",
            "unknown": ("1 of 4 cases do not say what helped.",),
            "questions": (
                "Who here has seen one of these remedies work, and what was different there?",
                "One case says: “Tape did not help in the cold store.” When does this remedy make things worse?",
                "When could someone have noticed the problem earlier, and what would they have had to look at?",
            ),
        },
    )
    candidate = build_grounded_draft(
        CASES,
        [build_claim("forces", RETURNS), build_claim("solution", NIGHT, source="lesson")],
        DraftKind.PATTERN,
        id="d-2",
        name="Marks on the goods",
        fields={"patlet": f"{RETURNS.text['problem']} Therefore: {NIGHT.text['lesson']}"},
        provenance=Provenance(run_id="r-1", prompt="extractive-pattern/1", inputs=case_inputs([NIGHT, RETURNS])),
    )
    patterns = [ReviewedDraft(grounded=candidate, created_at=NOON), TAPE]
    reviewed = ReviewedDraft(grounded=grounded)
    return lay_out_prereading(reviewed, theme=THEMES[0], patterns=patterns, cases=CASES, network=NETWORK)


DOCUMENTS = {"playbook": playbook, "prereading": prereading}


def golden(name: str, suffix: str) -> Path:
    return Path(__file__).with_name(f"{name}{suffix}")


@pytest.mark.parametrize("suffix", [".md", ".html"])
@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_document_equals_the_reviewed_file(name: str, suffix: str) -> None:
    assert render_document(DOCUMENTS[name](), suffix).decode() == golden(name, suffix).read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, build in DOCUMENTS.items():
        for suffix in (".md", ".html"):
            golden(name, suffix).write_bytes(render_document(build(), suffix))

"""Pre-reading by a language model: what it adds to the pages that are made from the texts themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.draft.choose import pick
from patternmind.draft.evidence import ThemeEvidence
from patternmind.draft.patterns import NOT_STATED
from patternmind.draft.prompted.asking import Answer, Ask, Numbered, draft_of, lines_in
from patternmind.model.cases import Case
from patternmind.model.drafts import Claim, Draft, DraftKind
from patternmind.sentences import Sentence, sentences_of

PROMPT = "pre-reading"

MOST_OTHERS, SENTENCES_EACH, MOST_OWN = 12, 4, 60

VOICES, N_QUESTIONS = "quotes", 3

OWN = ("case_title", "case")
"""The case in its own words: no model has a part in it."""


@dataclass(frozen=True, slots=True)
class PrereadingProposal:
    """What the model proposes beside ``plain``, the pre-reading made without one. ``claims`` are not grounded yet."""

    plain: Draft
    shown: tuple[Case, ...]
    claims: tuple[Claim, ...]
    answer: Answer

    def draft(self, kept: Sequence[Claim], *, run_id: str) -> Draft:
        """The pages with these of its claims. The case in its own words and what can be counted stay as they were."""
        asked = [claim for claim in kept if claim.field == "questions"][:N_QUESTIONS]
        spare = [claim for claim in self.plain.claims if claim.field == "questions"]
        questions = (*(claim.text for claim in asked), *self.plain.fields["questions"])[:N_QUESTIONS]
        fields = {
            **self.plain.fields,
            "leave_with": " ".join(lines_in(kept, "leave_with")) or self.plain.fields["leave_with"],
            **{name: lines_in(kept, name) or NOT_STATED for name in (VOICES, "helped", "disagreement")},
            "questions": questions,
        }
        claims = [
            *(claim for claim in self.plain.claims if claim.field in OWN),
            *(claim for claim in kept if claim.field not in {*OWN, "questions"}),
            *(claim for claim in (*asked, *spare) if claim.text in questions),
        ]
        provenance = self.answer.provenance(run_id, self.shown)
        return draft_of(DraftKind.PREREADING, self.plain.theme_id, self.plain.name, fields, claims, provenance)


def propose_prereading(evidence: ThemeEvidence, case: Case, plain: Draft, ask: Ask) -> PrereadingProposal:
    """What the model makes of the case and of sentences of the cases most like it.

    Raises:
        GatewayFailed: there is no usable answer.
    """
    own = sentences_of(case)[:MOST_OWN]
    others = [other for other in evidence.cases if other.id != case.id]
    chosen = {other.id: _speaking(evidence, other) for other in others[:MOST_OTHERS]}
    numbered = Numbered.of([*own, *(sentence for said in chosen.values() for sentence in said)])
    shown = [case, *(other for other in others if chosen.get(other.id))]
    variables = {
        "session": {"about": evidence.theme.name, "name": str(plain.fields.get("session", ""))},
        "case": {"case_id": case.id, "text": numbered.lines(case.id)},
        "n_shown": len(shown) - 1,
        "n_cases": len(others),
        "others": [{"case_id": other.id, "sentences": numbered.lines(other.id)} for other in shown[1:]],
    }
    answer = ask(PROMPT, variables, case_ids=[one.id for one in shown])
    said = answer.value
    voices = [numbered.by_id[id] for id in dict.fromkeys(said["voices"]) if id in numbered.by_id]
    claims = [
        *numbered.claims("leave_with", said["leave_with"]),
        *(Claim(text=one.text, field=VOICES, quotes=(one.quote(),)) for one in voices if one.case_id != case.id),
        *numbered.claims("helped", said["helped"]),
        *numbered.claims("disagreement", said["disagreement"]),
        *numbered.claims("questions", said["questions"]),
    ]
    return PrereadingProposal(plain=plain, shown=tuple(shown), claims=tuple(claims), answer=answer)


def _speaking(evidence: ThemeEvidence, case: Case) -> list[Sentence]:
    """The sentences that speak most for the theme, in reading order."""
    own = [sentence for sentence in evidence.sentences if sentence.case_id == case.id and sentence.quotable]
    best = pick(own, evidence.remedy_score, limit=SENTENCES_EACH, one_per_case=False)
    return sorted(best, key=own.index)

"""Claims of a model with a number, a date or a name altered, or the same fact written in another way.

Whether an altered fact is false is not asked of the code under test: its figures, or its word, stand nowhere in the
case. Run as ``python -m patternmind.evals.scorers.planted_facts CORPORA``.
"""

import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from patternmind.domain.cases import Case, Submission
from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Provenance,
)
from patternmind.evals.datasets.corpora import CORPORA
from patternmind.evals.scorers.intervals import wilson_interval
from patternmind.grounding import ground
from patternmind.ingestion.cases import make_case
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.submissions import read_submissions
from patternmind.text import Sentence, extract_sentences

N_SENTENCES = 1000
NUMBER = re.compile(r"(?<![\w.,:/$-])\d{1,6}(?![\w.,:/²³\]-])")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b(?! [A-Z])")
NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()


@dataclass(frozen=True, slots=True)
class PlantedClaim:
    claim: str
    alteration: str
    is_true: bool


FactAlteration = Callable[[str, Case, Sequence[str], random.Random], str | None]


def _draw_number(sentence: str, chance: random.Random) -> re.Match[str] | None:
    found = list(NUMBER.finditer(sentence))
    return chance.choice(found) if found else None


def _replace_span(sentence: str, match: re.Match[str], new: str) -> str:
    return sentence[: match.start()] + new + sentence[match.end() :]


def plant_facts(case: Case, sentence: Sentence, names: Sequence[str], chance: random.Random) -> Iterator[PlantedClaim]:
    """Every alteration of one sentence that fits, and the same sentence said in other ways."""
    text, everything = sentence.text, " ".join(case.text.values())
    yield PlantedClaim(f"In short: {text[:1].lower()}{text[1:]}", "as it stands, introduced", is_true=True)
    if number := _draw_number(text, chance):
        figures, value = number[0], int(number[0])
        if value <= 12:
            yield PlantedClaim(
                _replace_span(text, number, NUMBER_WORDS[value]), "a small number as a word", is_true=True
            )
        if len(figures) > 3 and not figures.startswith(("0", "19", "20")):
            for mark in (",", ".", " ", "\u00a0", "'"):
                yield PlantedClaim(
                    _replace_span(text, number, f"{value:,}".replace(",", mark)), "thousands parted", is_true=True
                )
        wrong = str(value + chance.choice([1, 2, 7, 10, 100]))
        if not _contains_number(everything, wrong):
            yield PlantedClaim(_replace_span(text, number, wrong), "another number", is_true=False)
            yield PlantedClaim(f"{text} It cost {wrong} hours.", "a number added", is_true=False)
    named = list(NAME.finditer(text))
    if named:
        name = chance.choice(named)
        others = [one for one in names if one.casefold() not in everything.casefold()]
        if others:
            yield PlantedClaim(_replace_span(text, name, chance.choice(others)), "another name", is_true=False)


def _contains_number(text: str, value: str) -> bool:
    """Whether a text says a whole number in figures or, up to twelve, as a word; generously."""
    digits = re.sub(r"(?<=\d)[,.' \u00a0](?=\d{3})", "", text)
    worded = int(value) <= 12 and re.search(rf"\b{NUMBER_WORDS[int(value)]}", text, re.IGNORECASE) is not None
    return value in digits or value in text or worded


def measure_refusals(cases: Sequence[Case], *, n_sentences: int, seed: int) -> Iterator[str]:
    """Lines: of each way how many claims were accepted, and the two shares with their intervals."""
    chance = random.Random(seed)
    pairs = [(case, one) for case in cases for one in extract_sentences(case) if one.is_quotable]
    telling = [pair for pair in pairs if NUMBER.search(pair[1].text) or NAME.search(pair[1].text)]
    names = sorted({name[0] for _, one in pairs for name in NAME.finditer(one.text)})
    counts: dict[tuple[bool, str], list[int]] = {}
    for case, sentence in chance.sample(telling, min(n_sentences, len(telling))):
        for planted in plant_facts(case, sentence, names, chance):
            accepted = _is_accepted(planted.claim, case, sentence)
            count = counts.setdefault((planted.is_true, planted.alteration), [0, 0])
            count[0] += accepted
            count[1] += 1
    for (true, how), (accepted, n) in sorted(counts.items()):
        yield f"  {'true' if true else 'false'}, {how}: {accepted} of {n} accepted"
    for true, told in ((True, "true claims accepted"), (False, "false claims refused")):
        found = [count for (kind, _), count in counts.items() if kind is true]
        n = sum(count[1] for count in found)
        accepted = sum(count[0] for count in found)
        part = accepted if true else n - accepted
        low, high = wilson_interval(part, n)
        yield f"  {told}: {part} of {n} = {part / max(n, 1):.4f} (95 % {low:.4f}-{high:.4f})"


def _is_accepted(text: str, case: Case, sentence: Sentence) -> bool:
    draft = Draft(
        id="d-facts",
        kind=DraftKind.PATTERN,
        theme_id=None,
        name="",
        fields={},
        claims=(Claim(text=text, field="problem", quotes=(sentence.to_quote(),)),),
        provenance=Provenance(run_id="", model="scripted"),
    )
    return bool(ground(draft, {case.id: case}).draft.claims)


def _main(corpora: Path, seed: int) -> None:
    for corpus in (one for one in CORPORA if one.name in {"lessons", "recaps", "complaints"}):
        rows = read_submissions(corpora / corpus.file, kind=corpus.kind, mapping={})
        taken = [one for one in rows if isinstance(one, Submission)]
        cases = [make_case(one, roster=Roster.of([]), network_id="n", secret=b"eval")[0] for one in taken]
        sys.stdout.write(f"{corpus.name}, seed {seed}\n")
        sys.stdout.writelines(f"{line}\n" for line in measure_refusals(cases, n_sentences=N_SENTENCES, seed=seed))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)

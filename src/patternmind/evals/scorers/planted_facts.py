"""Refusal of claims in which a model altered a number, a date or a name.

Claims that write the same fact in another way must be accepted. The code under test does not decide whether an altered
fact is false: its figures, or its word, do not occur in the case. Run it as
``python -m patternmind.evals.scorers.planted_facts CORPORA``.
"""

import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim
from patternmind.evals.datasets.corpora import read_quoted_corpora
from patternmind.evals.scorers.grounding import ground_quote
from patternmind.evals.scorers.shares import wilson_interval
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


def _draw_number(sentence: str, rng: random.Random) -> re.Match[str] | None:
    numbers = list(NUMBER.finditer(sentence))
    return rng.choice(numbers) if numbers else None


def _replace_span(sentence: str, match: re.Match[str], new: str) -> str:
    return sentence[: match.start()] + new + sentence[match.end() :]


def plant_facts(case: Case, sentence: Sentence, names: Sequence[str], rng: random.Random) -> Iterator[PlantedClaim]:
    """Yield every applicable alteration of a sentence, and the same sentence in other words."""
    text, case_text = sentence.text, " ".join(case.text.values())
    yield PlantedClaim(f"In short: {text[:1].lower()}{text[1:]}", "unchanged, introduced", is_true=True)
    if number := _draw_number(text, rng):
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
        wrong_number = str(value + rng.choice([1, 2, 7, 10, 100]))
        if not _contains_number(case_text, wrong_number):
            yield PlantedClaim(_replace_span(text, number, wrong_number), "another number", is_true=False)
            yield PlantedClaim(f"{text} It cost {wrong_number} hours.", "a number added", is_true=False)
    name_matches = list(NAME.finditer(text))
    if name_matches:
        name = rng.choice(name_matches)
        others = [other_name for other_name in names if other_name.casefold() not in case_text.casefold()]
        if others:
            yield PlantedClaim(_replace_span(text, name, rng.choice(others)), "another name", is_true=False)


def _contains_number(text: str, value: str) -> bool:
    """Return true if a text has a whole number in figures.

    Up to twelve, the number as a word counts too. The check accepts too much rather than too little.
    """
    digits = re.sub(r"(?<=\d)[,.' \u00a0](?=\d{3})", "", text)
    is_in_words = int(value) <= 12 and re.search(rf"\b{NUMBER_WORDS[int(value)]}", text, re.IGNORECASE) is not None
    return value in digits or value in text or is_in_words


def measure_refusals(cases: Sequence[Case], *, n_sentences: int, seed: int) -> Iterator[str]:
    """Yield report lines: accepted claims per alteration, and both shares with intervals."""
    rng = random.Random(seed)
    pairs = [(case, sentence) for case in cases for sentence in extract_sentences(case) if sentence.is_quotable]
    with_facts = [pair for pair in pairs if NUMBER.search(pair[1].text) or NAME.search(pair[1].text)]
    names = sorted({name[0] for _, sentence in pairs for name in NAME.finditer(sentence.text)})
    counts: dict[tuple[bool, str], list[int]] = {}
    for case, sentence in rng.sample(with_facts, min(n_sentences, len(with_facts))):
        for planted in plant_facts(case, sentence, names, rng):
            accepted = _is_accepted(planted.claim, case, sentence)
            counter = counts.setdefault((planted.is_true, planted.alteration), [0, 0])
            counter[0] += accepted
            counter[1] += 1
    for (is_true, alteration), (accepted, n) in sorted(counts.items()):
        yield f"  {'true' if is_true else 'false'}, {alteration}: {accepted} of {n} accepted"
    for is_true, label in ((True, "true claims accepted"), (False, "false claims refused")):
        kind_counts = [counter for (is_true_claim, _), counter in counts.items() if is_true_claim is is_true]
        n = sum(counter[1] for counter in kind_counts)
        accepted = sum(counter[0] for counter in kind_counts)
        part = accepted if is_true else n - accepted
        low, high = wilson_interval(part, n)
        yield f"  {label}: {part} of {n} = {part / max(n, 1):.4f} (95 % {low:.4f}-{high:.4f})"


def _is_accepted(text: str, case: Case, sentence: Sentence) -> bool:
    claim = Claim(text=text, field="problem", quotes=(sentence.to_quote(),))
    return ground_quote(claim, {case.id: case}, model="scripted") is not None


def _main(corpora: Path, seed: int) -> None:
    for name, cases in read_quoted_corpora(corpora):
        sys.stdout.write(f"{name}, seed {seed}\n")
        sys.stdout.writelines(f"{line}\n" for line in measure_refusals(cases, n_sentences=N_SENTENCES, seed=seed))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)

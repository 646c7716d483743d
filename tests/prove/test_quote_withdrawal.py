"""Proof that a late roster updates quotes and that erased cases leave no text.

It uses the sample network.
"""

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.fixtures.commands import SAMPLE

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.draft_fields import WITHDRAWN
from patternmind.domain.drafts import Draft, Quote
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.embedding.lenses import LENSES
from patternmind.ports import RunParameters
from patternmind.publishing.confidential_phrases import split_words
from patternmind.quote_repair import UniqueTerms
from patternmind.services import prereading_builder
from patternmind.services.file_import import import_files
from patternmind.services.roster import import_roster
from patternmind.settings import Settings

SEED = 0
N_ERASED = 12
MIN_LETTERS = 7
"""Minimum length of a word to search for in the bytes of all files; shorter words occur in vectors by chance."""


def bytes_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()).lower()


def quotes(drafts: list[Draft]) -> list[Quote]:
    return [quote for draft in drafts for claim in draft.claims for quote in claim.quotes]


@pytest.mark.prove
def test_quotes_and_files_contain_no_late_names_or_erased_text(tmp_path: Path) -> None:
    ctx = AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())
    store = ctx.store
    AppContext(Settings(home=tmp_path / "bare"), encoder=HashingEncoder()).store.themes.list_all()
    empty_bytes = bytes_in(tmp_path / "bare")  # column names may also occur in a case
    import_files(store, sorted(SAMPLE.glob("cases-*.csv")), kind=CaseKind.CASE)
    import_files(store, [SAMPLE / "recaps.jsonl"], kind=CaseKind.RECAP)
    for lens in LENSES:
        ctx.run(RunParameters(lens=lens))
    draw = random.Random(SEED)
    for case in draw.sample(store.cases.list_all(), 20):
        prereading_builder.build_prereading(store, ctx.clock, prereading_builder.subject_from_case(store, case.id))

    def drafts() -> list[Draft]:
        return [draft for draft, _, _ in store.drafts.list_all(current=False)]

    before, texts = quotes(drafts()), {case.id: case.text for case in store.cases.list_all()}
    started_at = time.perf_counter()
    change = import_roster(store, SAMPLE / "roster.csv")
    roster_seconds = time.perf_counter() - started_at
    new_texts = {case.id: case.text for case in store.cases.list_all()}
    counts: Counter[str] = Counter()
    for old, new in zip(before, quotes(drafts()), strict=True):
        if new.text == WITHDRAWN:
            counts["withdrawn"] += 1
            assert old.text not in new_texts[old.case_id][old.field]
        else:
            assert new_texts[new.case_id][new.field][new.start : new.end] == new.text == old.text
            counts["moved" if old != new else "same place"] += 1
    assert texts != new_texts
    print(
        f"\nroster: {change.added} people, {change.changed} of {len(new_texts)} cases changed in {roster_seconds:.1f} s"
    )
    print(f"quotes: {len(before)}, {dict(counts)}")

    erased = draw.sample(store.cases.list_all(), N_ERASED)
    seconds: list[float] = []
    n_unique_terms: list[int] = []
    for case in erased:
        others = [text for other in store.cases.list_all() if other.id != case.id for text in other.text.values()]
        terms = UniqueTerms.from_texts(case.text.values(), others)
        raw = store.submissions.get(case.id)
        n_unique_terms.append(len(terms.words))
        started_at = time.perf_counter()
        ctx.erase(case.id, actor="Ada")
        seconds.append(time.perf_counter() - started_at)
        remaining_bytes = bytes_in(tmp_path / "home")
        lines = [line for text in (*raw.text.values(), *case.text.values()) for line in text.lower().split("\n")]
        long_words = [
            word
            for word in terms.words
            if len(word) >= MIN_LETTERS and word not in WITHDRAWN and word.encode() not in empty_bytes
        ]
        searched = [
            *long_words,
            *(line for line in lines if len(split_words(line)) > 5 and line not in " ".join(others).lower()),
        ]
        remaining = [
            text for text in searched if text.encode() in remaining_bytes or text.encode("utf-16-le") in remaining_bytes
        ]
        assert remaining == [], f"{len(remaining)} of {len(searched)}"
    print(f"erased: {len(erased)}, {sum(seconds) / len(seconds):.1f} s each; words only in them: {n_unique_terms}")

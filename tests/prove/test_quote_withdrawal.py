"""On the sample network: what a late roster does to quotes, and that nothing of erased cases is left in any file."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.fixtures.commands import SAMPLE

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import Draft, Quote
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.embedding.lenses import LENSES
from patternmind.grounding import WITHDRAWN
from patternmind.ports import RunParameters
from patternmind.publishing.confidential_phrases import split_words
from patternmind.quote_repair import UniqueTerms
from patternmind.services import prereading_builder
from patternmind.services.file_import import import_files
from patternmind.services.roster import import_roster
from patternmind.settings import Settings

SEED = 0
N_ERASED = 12
LONG = 7
"""Letters from which a word is looked for in every byte of the folder: shorter ones stand in vectors by chance."""


def bytes_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()).lower()


def quotes(drafts: list[Draft]) -> list[Quote]:
    return [quote for draft in drafts for claim in draft.claims for quote in claim.quotes]


@pytest.mark.prove
def test_late_names_and_erased_cases_leave_nothing_behind(tmp_path: Path) -> None:
    house = AppContext(Settings(home=tmp_path / "home"), encoder=HashingEncoder())
    store = house.store
    AppContext(Settings(home=tmp_path / "bare"), encoder=HashingEncoder()).store.themes()
    bare = bytes_in(tmp_path / "bare")  # columns have names that a case may say too
    import_files(store, sorted(SAMPLE.glob("cases-*.csv")), kind=CaseKind.CASE)
    import_files(store, [SAMPLE / "recaps.jsonl"], kind=CaseKind.RECAP)
    for lens in LENSES:
        house.run(RunParameters(lens=lens))
    draw = random.Random(SEED)
    for case in draw.sample(store.cases(), 20):
        prereading_builder.build_prereading(store, house.clock, prereading_builder.subject_from_case(store, case.id))

    def drafts() -> list[Draft]:
        return [draft for draft, _, _ in store.drafts(current=False)]

    before, texts = quotes(drafts()), {case.id: case.text for case in store.cases()}
    begun = time.perf_counter()
    change = import_roster(store, SAMPLE / "roster.csv")
    took = time.perf_counter() - begun
    now = {case.id: case.text for case in store.cases()}
    fate: Counter[str] = Counter()
    for old, new in zip(before, quotes(drafts()), strict=True):
        if new.text == WITHDRAWN:
            fate["withdrawn"] += 1
            assert old.text not in now[old.case_id][old.field]
        else:
            assert now[new.case_id][new.field][new.start : new.end] == new.text == old.text
            fate["moved" if old != new else "same place"] += 1
    assert texts != now
    print(f"\nroster: {change.added} people, {change.changed} of {len(now)} cases changed in {took:.1f} s")
    print(f"quotes: {len(before)}, {dict(fate)}")

    gone = draw.sample(store.cases(), N_ERASED)
    seconds: list[float] = []
    telling: list[int] = []
    for case in gone:
        others = [text for one in store.cases() if one.id != case.id for text in one.text.values()]
        traces = UniqueTerms.from_texts(case.text.values(), others)
        raw = store.submission(case.id)
        telling.append(len(traces.words))
        begun = time.perf_counter()
        house.erase(case.id, actor="Ada")
        seconds.append(time.perf_counter() - begun)
        held = bytes_in(tmp_path / "home")
        lines = [line for text in (*raw.text.values(), *case.text.values()) for line in text.lower().split("\n")]
        long = [
            word for word in traces.words if len(word) >= LONG and word not in WITHDRAWN and word.encode() not in bare
        ]
        wanted = [
            *long,
            *(line for line in lines if len(split_words(line)) > 5 and line not in " ".join(others).lower()),
        ]
        left = [one for one in wanted if one.encode() in held or one.encode("utf-16-le") in held]
        assert left == [], f"{len(left)} of {len(wanted)}"
    print(f"erased: {len(gone)}, {sum(seconds) / len(seconds):.1f} s each; words only they said: {telling}")

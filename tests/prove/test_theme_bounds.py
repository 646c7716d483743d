"""Proof of bounds on real corpora: number of themes, outliers, largest theme, and AMI of banking77."""

from collections import Counter
from pathlib import Path

import pytest
from sklearn.metrics import adjusted_mutual_info_score  # pyright: ignore[reportUnknownVariableType]
from tests.fixtures.commands import CommandRunner
from tests.fixtures.corpora import corpus_path, corpus_rows

pytestmark = pytest.mark.prove

LARGE = ("banking77", "complaints", "bills", "lessons")


@pytest.mark.parametrize("corpus", [*LARGE, "recaps", "postmortems"])
def test_theme_bounds_hold_on_all_corpora(corpus: str, tmp_path: Path) -> None:
    patternmind = CommandRunner(tmp_path / "home")
    assert patternmind("ingest", corpus_path(corpus), seconds=300).code == 0
    assert patternmind("run", "--no-draft", "--json", seconds=1200).code == 0
    rows = patternmind("export", "assignments").rows()
    sizes = Counter(row["theme_id"] for row in rows if row["theme_id"])
    outlier_share = sum(row["theme_id"] is None for row in rows) / len(rows)
    largest_share = max(sizes.values()) / len(rows)
    print(
        f"\n{corpus}: {len(rows)} cases, {len(sizes)} themes, {outlier_share:.3f} outliers, biggest {largest_share:.2f}"
    )
    assert 1 < len(sizes) <= len(rows) / 4
    assert outlier_share <= 0.5
    if corpus in LARGE:
        assert largest_share < 0.5
    if corpus == "banking77":
        gold = {row["id"]: row["label"] for row in corpus_rows(corpus)}
        labels = [gold[row["external_id"]] for row in rows]
        theme_ids = [row["theme_id"] or row["nearest_theme_id"] for row in rows]
        ami = float(adjusted_mutual_info_score(labels, theme_ids))
        print(f"banking77 AMI filled {ami:.3f}")
        assert ami >= 0.77

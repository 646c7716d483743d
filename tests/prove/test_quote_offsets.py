"""Proof that quotes of drafts and pre-readings are the stated slices of exported cases."""

import json
from pathlib import Path

import pytest
from tests.fixtures.commands import CommandRunner, is_verbatim, quotes_in
from tests.fixtures.corpora import corpus_path

pytestmark = pytest.mark.prove


@pytest.mark.parametrize(
    ("corpus", "kind"),
    [("lessons", "case"), ("complaints", "case"), ("postmortems", "case"), ("recaps", "recap"), ("recaps", "case")],
)
def test_every_quote_is_a_slice_of_its_case(corpus: str, kind: str, tmp_path: Path) -> None:
    patternmind = CommandRunner(tmp_path / "home")
    assert patternmind("ingest", corpus_path(corpus), "--as", kind).code == 0
    assert patternmind("run", "--json", seconds=1200).code == 0
    texts = {row["case_id"]: row["text"] for row in patternmind("export", "cases").rows()}
    drafts = patternmind("export", "drafts").rows()
    for theme in patternmind("themes", "--json").json():
        out = tmp_path / f"{theme['theme_id']}.json"
        assert patternmind("prereading", "--theme", theme["theme_id"], "--out", out).code == 0
        drafts.append(json.loads(out.read_text(encoding="utf-8")))
    quotes = list(quotes_in(drafts))
    n_verbatim = sum(is_verbatim(quote, texts) for quote in quotes)
    n_without_quote = sum(not claim["quotes"] for draft in drafts for claim in draft["claims"])
    print(
        f"\n{corpus} as {kind}: {n_verbatim} of {len(quotes)} quotes hold, in {len(drafts)} drafts; "
        f"{n_without_quote} claims without a quote"
    )
    assert quotes
    assert n_verbatim == len(quotes)
    assert n_without_quote == 0

"""Explanation of a theme's change in short sentences that a person can check."""

from collections.abc import Mapping

from patternmind.domain.themes import Lineage, ThemeChange
from patternmind.domain.wording import join_words, pluralize


def explain_change(change: ThemeChange, names: Mapping[str, str]) -> str:
    """Explain what happened to a theme.

    Args:
        change: the change and its evidence.
        names: theme names by id; a theme without a name is shown by its id.
    """
    return " ".join(
        part
        for part in (_event_sentence(change, names), _retention_sentence(change), _destination_sentence(change, names))
        if part
    )


def _event_sentence(change: ThemeChange, names: Mapping[str, str]) -> str:
    others = join_words(_theme_label(id, names) for id in change.others)
    if not change.n_after:
        return _groupless_event_sentence(change, others)
    size, n_before = pluralize(change.n_after, "case"), change.n_before
    new = f", {change.n_new} of them new" if change.n_new else ""
    split = (
        f"Split: from {n_before} to {size}, the rest mostly in {others}."
        if n_before
        else f"Split off from {others}, {size}."
    )
    verb = "grew" if change.n_after > n_before else "went"
    sentences = {
        Lineage.NEW: f"New with {size}.",
        Lineage.SPLIT: split,
        Lineage.MERGED: f"Absorbed {others}; {verb} from {n_before} to {size}.",
        Lineage.GREW: f"Grew from {n_before} to {size}.",
        Lineage.SHRANK: f"Shrank from {n_before} to {size}.",
        Lineage.RETURNED: f"Returned with {size}{new}.",
        Lineage.DORMANT: f"Dormant: no new case in the last {change.quiet_runs} labelled runs; it has {size}.",
        Lineage.RETIRED: f"Retired by a person; {size} would belong to it.",
        Lineage.CONTINUED: f"Continued with {size}{new}.",
    }
    return sentences[change.lineage]


def _groupless_event_sentence(change: ThemeChange, others: str) -> str:
    n_seen, cases_before = change.n_known, pluralize(change.n_before, "case")
    sentences = {
        Lineage.MERGED: f"Merged into {others}." if others else "Merged into another theme in an earlier run.",
        Lineage.SPLIT: f"Split up among {others}." if others else "Split up among other themes in an earlier run.",
        Lineage.RETIRED: "Retired by a person.",
        Lineage.DORMANT: "Dormant: no group of this run continues it.",
    }
    return sentences.get(change.lineage, f"This run included only {n_seen} of its {cases_before}, too few to judge it.")


def _retention_sentence(change: ThemeChange) -> str:
    """State how many earlier cases remain, or else how the theme was recognised."""
    if not change.n_after or not change.n_before:
        return ""
    if not change.n_known:
        return f"Recognised by its topic (similarity {change.similarity:.2f}), not by shared cases."
    owner = "its" if change.n_known == change.n_before else "the"
    restriction = "" if change.n_known == change.n_before else " in this run"
    verb = "is" if change.n_shared == 1 else "are"
    return f"{change.n_shared} of {owner} {change.n_known} earlier cases{restriction} {verb} still in it."


def _destination_sentence(change: ThemeChange, names: Mapping[str, str]) -> str:
    """Return the themes of the cases that left, the three largest parts."""
    if change.lineage not in {Lineage.SPLIT, Lineage.MERGED, Lineage.SHRANK, Lineage.DORMANT}:
        return ""
    outflows = [flow for flow in change.went if flow.theme_id != change.theme_id][:3]
    parts = [
        f"{flow.n_cases} in {_theme_label(flow.theme_id, names) if flow.theme_id else 'no theme'}" for flow in outflows
    ]
    subject = "Cases that left" if change.n_after else "Its cases"
    return f"{subject} are now: {', '.join(parts)}." if parts else ""


def _theme_label(id: str, names: Mapping[str, str]) -> str:
    return f"“{names[id]}”" if id in names else id

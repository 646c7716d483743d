"""Labels of lenses and lineages."""

from collections.abc import Mapping

from patternmind.domain.themes import Lineage

LENS_LABELS: Mapping[str, str] = {"all": "Whole case", "problem": "By problem", "helped": "By what helped"}

LINEAGE_LABELS: Mapping[Lineage, str] = {
    Lineage.NEW: "new in the last run",
    Lineage.CONTINUED: "continued unchanged",
    Lineage.GREW: "has clearly more cases than before",
    Lineage.SHRANK: "has clearly fewer cases than before",
    Lineage.SPLIT: "a part became another theme",
    Lineage.MERGED: "absorbed another theme",
    Lineage.DORMANT: "no new case in the last two labelled runs",
    Lineage.RETURNED: "returned after being dormant",
    Lineage.RETIRED: "retired by a person",
}

"""What was reached before, by figure: ``evals/baselines.json`` in the repository, packed into the wheel."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patternmind.errors import UnreadableFile

BASELINES_FILE = "baselines.json"
REMEDY = "Install patternmind again, or write it anew: python -m patternmind.evals.baseline_update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """``gate`` is value less noise in the direction that is worse, ``None`` for what is reported only.

    ``modes`` are the ways of measuring that yield this figure: "ci", "ci+corpora", "full".
    """

    value: float
    noise: float
    gate: float | None
    modes: tuple[str, ...]


def find_baselines() -> Path:
    """The file that belongs to this version: in the installed package, else in the repository.

    Raises:
        UnreadableFile: neither is there.
    """
    here = Path(__file__).resolve()
    packed, repository = here.parent / BASELINES_FILE, here.parents[3]
    if packed.is_file():
        return packed
    if (repository / "pyproject.toml").is_file() and (repository / "evals").is_dir():
        return repository / "evals" / BASELINES_FILE
    raise UnreadableFile(packed, "the baselines are missing from this installation", REMEDY)


def read_baselines(path: Path) -> dict[str, Baseline]:
    """Baselines by figure key; none where the file holds none yet.

    Raises:
        UnreadableFile
    """
    try:
        rows: Mapping[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return {
            key: Baseline(value=row["value"], noise=row["noise"], gate=row["gate"], modes=tuple(row["modes"]))
            for key, row in rows.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableFile(path, "the baselines cannot be read", REMEDY) from error


def expected_keys(baselines: Mapping[str, Baseline], modes: Sequence[str]) -> list[str]:
    """The figures that these ways of measuring must yield."""
    return [key for key, baseline in baselines.items() if set(baseline.modes) & set(modes)]


def merge_baselines(
    old: Mapping[str, Baseline], new: Mapping[str, Baseline], modes: Sequence[str]
) -> dict[str, Baseline]:
    """The old baselines with what these modes measured anew; what they no longer yield is expected of them no more."""
    merged: dict[str, Baseline] = {}
    for key in sorted({*old, *new}):
        elsewhere = tuple(mode for mode in old[key].modes if mode not in modes) if key in old else ()
        latest = new.get(key) or old[key]
        now = new[key].modes if key in new else ()
        kept = tuple(sorted({*elsewhere, *now}))
        if kept:
            merged[key] = Baseline(value=latest.value, noise=latest.noise, gate=latest.gate, modes=kept)
    return merged


def write_baselines(path: Path, baselines: Mapping[str, Baseline]) -> None:
    """One figure a line, so that a change of a figure is one line of a diff."""
    lines = [
        f"  {json.dumps(key)}: "
        + json.dumps({"value": one.value, "noise": one.noise, "gate": one.gate, "modes": list(one.modes)})
        for key, one in baselines.items()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")

"""Baselines by figure. ``evals/baselines.json`` in the repository holds them; the wheel includes a copy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from patternmind.errors import UnreadableFile

BASELINES_FILE = "baselines.json"
REMEDY = "Install patternmind again, or write the file again: python -m patternmind.evals.baseline_update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Value, noise and gate of one figure.

    ``gate`` is the value moved by the noise in the worse direction; ``None`` for a figure that is reported only.
    ``modes`` are the ways of measuring that yield this figure: "ci", "ci+corpora", "full".
    """

    value: float
    noise: float
    gate: float | None
    modes: tuple[str, ...]


def find_baselines() -> Path:
    """Return the path of the baselines of this version.

    The copy in the installed package is used if it exists, otherwise the file in the repository.

    Raises:
        UnreadableFile: Neither file exists.
    """
    module_path = Path(__file__).resolve()
    packaged, repository = module_path.parent / BASELINES_FILE, module_path.parents[3]
    if packaged.is_file():
        return packaged
    if (repository / "pyproject.toml").is_file() and (repository / "evals").is_dir():
        return repository / "evals" / BASELINES_FILE
    raise UnreadableFile(packaged, "the baselines are missing from this installation", REMEDY)


def read_baselines(path: Path) -> dict[str, Baseline]:
    """Read baselines by figure key; a file without figures gives an empty dictionary.

    Raises:
        UnreadableFile: The file is missing or malformed.
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
    """Return the keys of the figures that these modes must yield."""
    return [key for key, baseline in baselines.items() if set(baseline.modes) & set(modes)]


def merge_baselines(
    old: Mapping[str, Baseline], new: Mapping[str, Baseline], modes: Sequence[str]
) -> dict[str, Baseline]:
    """Replace the old baselines of these modes with new ones.

    If these modes no longer yield a figure, its baseline no longer lists them.
    """
    merged: dict[str, Baseline] = {}
    for key in sorted({*old, *new}):
        other_modes = tuple(mode for mode in old[key].modes if mode not in modes) if key in old else ()
        latest = new.get(key) or old[key]
        new_modes = new[key].modes if key in new else ()
        merged_modes = tuple(sorted({*other_modes, *new_modes}))
        if merged_modes:
            merged[key] = replace(latest, modes=merged_modes)
    return merged


def write_baselines(path: Path, baselines: Mapping[str, Baseline]) -> None:
    """Write one figure per line. A changed figure is then one line of a diff."""
    lines = [f"  {json.dumps(key)}: {json.dumps(asdict(baseline))}" for key, baseline in baselines.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")

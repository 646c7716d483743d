"""Removing a case from a machine result."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import build_theme

from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER, Partition


@given(labels=st.lists(st.integers(OUTLIER, 3), min_size=1, max_size=12), data=st.data())
def test_machine_result_without_a_case_keeps_other_rows_and_drops_empty_clusters(
    labels: list[int], data: st.DataObject
) -> None:
    present = sorted({label for label in labels if label != OUTLIER})
    rows = np.asarray([present.index(label) if label != OUTLIER else OUTLIER for label in labels], np.int32)
    k, n = len(present), len(rows)
    result = MachineResult(
        case_ids=tuple(f"c-{row}" for row in range(n)),
        theme_ids=tuple(f"t-{label}" for label in range(k)),
        area_ids=tuple(f"a-{label}" for label in range(k)),
        partition=Partition(
            labels=rows,
            areas=np.arange(k, dtype=np.int32),
            strength=np.linspace(0, 1, n).astype(np.float32),
            nearest=np.zeros(n, np.int32) if k else np.full(n, OUTLIER, np.int32),
            centres=np.eye(k, 5, dtype=np.float32),
            stability=np.linspace(0, 1, k).astype(np.float32),
        ),
        encoder="mini/1",
        new_cases=("c-0",),
        duplicate_of={"c-0": "c-1"},
    )
    removed_row = data.draw(st.integers(0, n - 1))
    removed_label = int(rows[removed_row])
    known_themes = tuple(build_theme(f"t-{label}", centre=(0.0, 0.0, 0.0, 0.0, 1.0)) for label in range(k))
    remaining = result.without_case(f"c-{removed_row}", known_themes)
    assert remaining.case_ids == tuple(id for id in result.case_ids if id != f"c-{removed_row}")
    assert set(remaining.theme_ids) == {
        f"t-{label}" for row, label in enumerate(rows) if row != removed_row and label >= 0
    }
    assert remaining.partition.n_clusters == len(remaining.theme_ids) == len(remaining.area_ids)
    for row, case_id in enumerate(remaining.case_ids):
        former_row = result.case_ids.index(case_id)
        label, former_label = int(remaining.partition.labels[row]), int(rows[former_row])
        assert (remaining.theme_ids[label] if label >= 0 else None) == (
            f"t-{former_label}" if former_label >= 0 else None
        )
        assert remaining.partition.strength[row] == result.partition.strength[former_row]
        assert remaining.partition.nearest[row] < max(1, remaining.partition.n_clusters)
    for label, theme_id in enumerate(remaining.theme_ids):
        former_label = int(theme_id[2:])
        expected = (
            np.eye(1, 5, 4)
            if former_label == removed_label
            else result.partition.centres[former_label : former_label + 1]
        )
        assert np.array_equal(remaining.partition.centres[label : label + 1], expected)
    assert f"c-{removed_row}" not in {*remaining.new_cases, *remaining.duplicate_of, *remaining.duplicate_of.values()}

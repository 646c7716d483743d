"""What a run found, without one of its cases, is what it would have been told had the case not been placed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.builders import build_theme

from patternmind.domain.machine_result import MachineResult
from patternmind.domain.themes import OUTLIER, Partition


@given(labels=st.lists(st.integers(OUTLIER, 3), min_size=1, max_size=12), data=st.data())
def test_a_case_leaves_the_other_rows_as_they_are_and_no_empty_cluster(labels: list[int], data: st.DataObject) -> None:
    present = sorted({label for label in labels if label != OUTLIER})
    rows = np.asarray([present.index(label) if label != OUTLIER else OUTLIER for label in labels], np.int32)
    k, n = len(present), len(rows)
    found = MachineResult(
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
    gone = data.draw(st.integers(0, n - 1))
    home = int(rows[gone])
    memory = tuple(build_theme(f"t-{label}", centre=(0.0, 0.0, 0.0, 0.0, 1.0)) for label in range(k))
    left = found.without_case(f"c-{gone}", memory)
    assert left.case_ids == tuple(id for id in found.case_ids if id != f"c-{gone}")
    assert set(left.theme_ids) == {f"t-{label}" for row, label in enumerate(rows) if row != gone and label >= 0}
    assert left.partition.n_clusters == len(left.theme_ids) == len(left.area_ids)
    for row, case_id in enumerate(left.case_ids):
        before = found.case_ids.index(case_id)
        label, was = int(left.partition.labels[row]), int(rows[before])
        assert (left.theme_ids[label] if label >= 0 else None) == (f"t-{was}" if was >= 0 else None)
        assert left.partition.strength[row] == found.partition.strength[before]
        assert left.partition.nearest[row] < max(1, left.partition.n_clusters)
    for label, theme_id in enumerate(left.theme_ids):
        was = int(theme_id[2:])
        expected = np.eye(1, 5, 4) if was == home else found.partition.centres[was : was + 1]
        assert np.array_equal(left.partition.centres[label : label + 1], expected)
    assert f"c-{gone}" not in {*left.new_cases, *left.duplicate_of, *left.duplicate_of.values()}

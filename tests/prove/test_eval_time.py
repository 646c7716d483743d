"""Prove how little processor time the evals of CI take: two minutes, or five without bf16.

A proof and no test of CI: the same evals take 40 s on a processor with bf16 and 131 s on one without.
"""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from patternmind.embedding.minilm_encoder import _cpu_has_bf16  # pyright: ignore[reportPrivateUsage]

pytestmark = pytest.mark.prove

MAX_SECONDS = 120 if _cpu_has_bf16() else 300


def test_eval_takes_little_processor_time() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [Path(sys.executable).with_name("patternmind"), "eval", "--suite", "ci", "--json"]
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < MAX_SECONDS

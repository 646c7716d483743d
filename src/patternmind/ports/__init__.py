"""Protocols of everything the pipeline needs from outside: storage, encoders, language models, time."""

from patternmind.ports.accounts import (
    Accounts,
    AuditLog,
    MemberChange,
    MemberRepository,
    NetworkDirectory,
    PasswordHasher,
    SessionRepository,
    SignInLinkRepository,
    TokenDirectory,
    TokenRepository,
)
from patternmind.ports.cases import (
    CaseRepository,
    CaseSaveCounts,
    CaseTexts,
    Erasure,
    RawTextCounts,
    SubmissionRepository,
    VectorRepository,
    VectorRow,
    Withdrawal,
)
from patternmind.ports.drafts import DraftRepository
from patternmind.ports.idempotency import (
    EarlierRequest,
    IdempotencyKey,
    IdempotencyKeyRepository,
    KeyClaim,
    StoredResponse,
)
from patternmind.ports.jobs import JobRepository
from patternmind.ports.llm import CallLedger, LanguageModel, ModelAnswer, PromptTemplates, RenderedPrompt
from patternmind.ports.networks import NetworkRepository, RosterChange
from patternmind.ports.runs import RunOutcome, RunParameters, RunRecord, RunRepository, RunRevision, ThemeSnapshot
from patternmind.ports.search import Clock, Encoder, Hit, Progress, VectorIndex
from patternmind.ports.store import Store, TextRewrite
from patternmind.ports.themes import EditRepository, ThemeRepository

__all__ = [
    "Accounts",
    "AuditLog",
    "CallLedger",
    "CaseRepository",
    "CaseSaveCounts",
    "CaseTexts",
    "Clock",
    "DraftRepository",
    "EarlierRequest",
    "EditRepository",
    "Encoder",
    "Erasure",
    "Hit",
    "IdempotencyKey",
    "IdempotencyKeyRepository",
    "JobRepository",
    "KeyClaim",
    "LanguageModel",
    "MemberChange",
    "MemberRepository",
    "ModelAnswer",
    "NetworkDirectory",
    "NetworkRepository",
    "PasswordHasher",
    "Progress",
    "PromptTemplates",
    "RawTextCounts",
    "RenderedPrompt",
    "RosterChange",
    "RunOutcome",
    "RunParameters",
    "RunRecord",
    "RunRepository",
    "RunRevision",
    "SessionRepository",
    "SignInLinkRepository",
    "Store",
    "StoredResponse",
    "SubmissionRepository",
    "TextRewrite",
    "ThemeRepository",
    "ThemeSnapshot",
    "TokenDirectory",
    "TokenRepository",
    "VectorIndex",
    "VectorRepository",
    "VectorRow",
    "Withdrawal",
]

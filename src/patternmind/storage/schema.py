"""SQLAlchemy tables; migrations create them, and a test compares the two.

Every row belongs to a network. JSON columns hold data that is only read as a whole.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    table,
)

from patternmind.domain.case_fields import COLUMN_FACTS

metadata = MetaData(
    naming_convention={"fk": "fk_%(table_name)s_%(column_0_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s"}
)


def _network_id_column() -> Column[str]:
    return Column("network_id", String, primary_key=True)


network = Table(
    "network",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("purpose", Text, nullable=False, default=""),
    Column("min_contributors", Integer, nullable=False),
    Column("min_teams", Integer, nullable=False),
    Column("default_consent", String, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("raw_key", String),
)

person = Table(
    "person",
    metadata,
    _network_id_column(),
    Column("number", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("email", String),
    Column("team", String),
)

submission = Table(
    "submission",
    metadata,
    _network_id_column(),
    Column("case_id", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", JSON, nullable=False),
    Column("content_hash", String, nullable=False),
    comment="Submitted text including names, read by the steward's tools only. A new text is a new version.",
)

erasure = Table(
    "erasure",
    metadata,
    _network_id_column(),
    Column("case_id", String, primary_key=True),
    Column("at", String, nullable=False),
    Column("by", String, nullable=False),
    comment="Erased cases: only the id, with time and actor. An erased case is not imported again.",
)

withdrawal = Table(
    "withdrawal",
    metadata,
    _network_id_column(),
    Column("case_id", String, primary_key=True),
    Column("at", String, nullable=False),
    Column("by", String, nullable=False),
    comment="Withdrawn cases, with time and actor; only their submissions remain, hidden from all other queries.",
)

case = Table(
    "case",
    metadata,
    _network_id_column(),
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("external_id", String),
    Column("date", String),
    Column("content_hash", String, nullable=False, index=True),
    Column("text_version", String, nullable=False),
    Column("duplicate_of", String),
    Column("body", JSON, nullable=False),
    Column("number", Integer, nullable=False, server_default="0"),
    Column("dated", String, nullable=False, server_default=""),
    Column("flags", String, nullable=False, server_default=""),
    Column("vector_hash", String, nullable=False, server_default=""),
    Column("team", String),
    *(Column(name, String) for name in COLUMN_FACTS),
    Index("ix_case_number", "number", unique=True),
    Index("ix_case_listed", "network_id", "id", "kind", "team", "status", "flags", "number", "dated"),
    Index("ix_case_dated", "network_id", "dated", "id", "kind", "team", "status", "flags", "number"),
    Index("ix_case_kind", "network_id", "kind", "id", "team", "status", "flags", "number", "dated"),
    Index("ix_case_team", "network_id", "team", "id"),
    Index("ix_case_repeats", "network_id", "duplicate_of"),
    Index("ix_case_external_id", "network_id", "external_id"),
    Index("ix_case_written", "network_id", "number", "id", "vector_hash"),
    comment="``number`` grows with every write, so that readers can query new rows; other columns repeat the body.",
)

case_words = table("case_words")
"""Full-text index of the words of all cases of all networks, by case number.

It is an index of SQLite without the texts. A migration creates it, triggers update it, and ``metadata`` excludes it.
"""

vector = Table(
    "vector",
    metadata,
    _network_id_column(),
    Column("encoder_id", String, primary_key=True),
    Column("text_hash", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

run = Table(
    "run",
    metadata,
    _network_id_column(),
    Column("id", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("lens", String, nullable=False),
    Column("state", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("finished_at", String),
    Column("fingerprint", String, nullable=False, default=""),
    Column("body", JSON, nullable=False),
    Index("ix_run_number", "network_id", "state", "number"),
)


def _run_foreign_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["network_id", "run_id"], ["run.network_id", "run.id"])


theme = Table(
    "theme",
    metadata,
    _network_id_column(),
    Column("run_id", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("rank", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("card", JSON, nullable=False, server_default="{}"),
    Column("n_members", Integer, nullable=False, server_default="0"),
    Column("centre", LargeBinary),
    _run_foreign_key(),
    comment="``card`` is the body without the members, whose number grows with the network.",
)

area = Table(
    "area",
    metadata,
    _network_id_column(),
    Column("run_id", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    _run_foreign_key(),
)

theme_change = Table(
    "theme_change",
    metadata,
    _network_id_column(),
    Column("run_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("theme_id", String, nullable=False),
    Column("body", JSON, nullable=False),
    _run_foreign_key(),
    Index("ix_theme_change_theme", "network_id", "theme_id"),
)

assignment = Table(
    "assignment",
    metadata,
    _network_id_column(),
    Column("run_id", String, primary_key=True),
    Column("case_id", String, primary_key=True),
    Column("theme_id", String),
    Column("area_id", String),
    Column("strength", Float, nullable=False),
    Column("nearest_theme_id", String),
    Column("second_theme_id", String),
    Column("second_strength", Float, nullable=False, server_default="0"),
    Column("outlier_score", Float, nullable=False, server_default="0"),
    Column("reason", String, nullable=False, default=""),
    Column("x", Float),
    Column("y", Float),
    _run_foreign_key(),
    Index("ix_assignment_theme", "network_id", "run_id", "theme_id", "case_id"),
)

machine_result = Table(
    "machine_result",
    metadata,
    _network_id_column(),
    Column("run_id", String, primary_key=True),
    Column("lens", String, nullable=False),
    Column("body", JSON, nullable=False),
    Column("partition", LargeBinary, nullable=False),
    _run_foreign_key(),
    comment="Machine result before people's edits, of the newest run of each lens only.",
)

stored_fits = Table(
    "fits",
    metadata,
    _network_id_column(),
    Column("lens", String, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("holds_for", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _run_foreign_key(),
    comment="Fits of the newest run of each lens, for the next run to continue; numbers only.",
)

edit = Table(
    "edit",
    metadata,
    _network_id_column(),
    Column("seq", Integer, primary_key=True),
    Column("lens", String, nullable=False),
    Column("body", JSON, nullable=False),
    comment="Append-only log of people's edits of themes; an undo is a row of its own.",
)

draft = Table(
    "draft",
    metadata,
    _network_id_column(),
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("theme_id", String),
    Column("created_at", String, nullable=False),
    Column("current", Integer, nullable=False, default=1),
    Column("body", JSON, nullable=False),
    Column("name", String, nullable=False, server_default=""),
    Column("doubts", String, nullable=False, server_default=""),
    Column("n_cases", Integer, nullable=False, server_default="0"),
    Column("state", String, nullable=False, server_default="candidate"),
    Column("n_decisions", Integer, nullable=False, server_default="0"),
    Index("ix_draft_desk", *("network_id", "id", "current", "kind", "theme_id", "name", "doubts", "n_cases")),
    Index(
        "ix_draft_listed", *("network_id", "created_at", "id", "current", "n_decisions", "kind", "state", "theme_id")
    ),
    comment="``name``, ``doubts`` and ``n_cases`` repeat the body, for the review queue. "
    "``state`` and ``n_decisions`` follow from the decision log and are updated with every decision.",
)

decision = Table(
    "decision",
    metadata,
    _network_id_column(),
    Column("draft_id", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("body", JSON, nullable=False),
    ForeignKeyConstraint(["network_id", "draft_id"], ["draft.network_id", "draft.id"]),
    comment="Append-only: rows are never changed or deleted; an undo is a row of its own.",
)

reservation = Table(
    "reservation",
    metadata,
    _network_id_column(),
    Column("draft_id", String, primary_key=True),
    Column("by", String, nullable=False),
    Column("until", String, nullable=False),
    comment="Reservations of drafts by reviewers; lapsed rows are ignored.",
)

pattern_use = Table(
    "pattern_use",
    metadata,
    _network_id_column(),
    Column("id", String, primary_key=True),
    Column("pattern_id", String, nullable=False),
    Column("on", String, nullable=False),
    Column("team", String, nullable=False),
    Column("note", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", String, nullable=False),
    Index("ix_pattern_use_pattern", "network_id", "pattern_id"),
    comment="Uses of patterns by teams; people write the notes.",
)

account = Table(
    "account",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("password_hash", String),
    comment="Accounts of the installation; an account can be a member of several networks.",
)

member = Table(
    "member",
    metadata,
    _network_id_column(),
    Column("account_id", String, primary_key=True, index=True),
    Column("roles", String, nullable=False),
    ForeignKeyConstraint(["network_id"], ["network.id"]),
    ForeignKeyConstraint(["account_id"], ["account.id"]),
)

session = Table(
    "session",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("account_id", String, nullable=False, index=True),
    Column("network_id", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("seen_at", String, nullable=False),
    Column("confined", Integer, nullable=False),
    ForeignKeyConstraint(["account_id"], ["account.id"]),
)

sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("account_id", String),
    Column("network_id", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("confined", Integer, nullable=False),
    ForeignKeyConstraint(["account_id"], ["account.id"]),
)

token = Table(
    "token",
    metadata,
    _network_id_column(),
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("sha256", String, nullable=False, index=True),
    Column("created_at", String, nullable=False),
    Column("expires_at", String),
    Column("account_id", String),
    Column("roles", String, nullable=False, server_default="steward"),
    Column("actions", String),
    Column("revoked_at", String),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    _network_id_column(),
    Column("digest", String, primary_key=True),
    Column("content_digest", String, nullable=False),
    Column("claim_id", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("completed_at", String),
    Column("status", Integer),
    Column("body_until", String),
    Column("n_bytes", Integer, nullable=False),
    Column("location", JSON(none_as_null=True)),
    Column("response", JSON(none_as_null=True)),
    Index("ix_idempotency_key_expires", "network_id", "expires_at"),
    Index("ix_idempotency_key_body", "network_id", "body_until"),
    Index("ix_idempotency_key_size", "network_id", "completed_at", "n_bytes"),
    comment="Requests that may be repeated. Keys are hashed; responses are encrypted with a secret of their caller.",
)

audit = Table(
    "audit",
    metadata,
    _network_id_column(),
    Column("number", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("who", String, nullable=False),
    Column("action", String, nullable=False),
    Column("did", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    comment="Append-only: triggers reject every change. Ids and our own words, no text of a case.",
)

job = Table(
    "job",
    metadata,
    _network_id_column(),
    Column("id", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("beat_at", String, nullable=False),
    Column("finished_at", String),
    Column("changed", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Index("ix_job_number", "network_id", "number"),
    Index("ix_job_changed", "network_id", "changed"),
    comment="Jobs and their progress; ``changed`` counts the changes of all jobs of a network.",
)

dismissed_name = Table(
    "dismissed_name",
    metadata,
    _network_id_column(),
    Column("digest", String, primary_key=True),
    Column("by", String, nullable=False),
    Column("at", String, nullable=False),
    comment="Dismissed possible names by keyed digest, without any word of a case.",
)

model_call = Table(
    "model_call",
    metadata,
    _network_id_column(),
    Column("id", String, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("at", String, nullable=False),
    Column("task", String, nullable=False),
    Column("model", String, nullable=False),
    Column("prompt_hash", String, nullable=False),
    Column("input_hash", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("n_attempts", Integer, nullable=False),
    Column("n_tokens_in", Integer, nullable=False),
    Column("n_tokens_out", Integer, nullable=False),
    Column("cost_nanousd", BigInteger, nullable=False),
    Column("reserved_nanousd", BigInteger, nullable=False),
    Column("reserved_until", String),
    Column("seconds", Float, nullable=False),
    Index("ix_model_call_run", "network_id", "run_id"),
    Index("ix_model_call_open", "network_id", "reserved_until"),
    comment="All calls of the language model, without text.",
)

model_spend = Table(
    "model_spend",
    metadata,
    _network_id_column(),
    Column("scope", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("cost_nanousd", BigInteger, nullable=False),
    Column("reserved_nanousd", BigInteger, nullable=False),
    comment="Sums of model_call by run, month and network, updated with every row: one query checks a budget.",
)

answer = Table(
    "answer",
    metadata,
    _network_id_column(),
    Column("key", String, primary_key=True),
    Column("model", String, nullable=False),
    Column("prompt_hash", String, nullable=False),
    Column("input_hash", String, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("value", JSON, nullable=False),
    Column("cases_known", Integer, nullable=False),
    Column("at", String, nullable=False),
    Column("n_tokens", Integer, nullable=False),
    Column("cost_nanousd", BigInteger, nullable=False),
    comment="Paid answers by a hash of everything they depend on; they contain text of cases.",
)

answer_case = Table(
    "answer_case",
    metadata,
    _network_id_column(),
    Column("key", String, primary_key=True),
    Column("case_id", String, primary_key=True),
    ForeignKeyConstraint(["network_id", "key"], ["answer.network_id", "answer.key"]),
    Index("ix_answer_case_case", "network_id", "case_id"),
    comment="Cases that the model saw for a paid answer: erasing one deletes the answer.",
)

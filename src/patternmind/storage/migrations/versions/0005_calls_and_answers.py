"""Calls of the language model with what they cost, and the answers that were paid."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "model_call",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("prompt_hash", sa.String(), nullable=False),
        sa.Column("input_hash", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("n_attempts", sa.Integer(), nullable=False),
        sa.Column("n_tokens_in", sa.Integer(), nullable=False),
        sa.Column("n_tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost_nanousd", sa.BigInteger(), nullable=False),
        sa.Column("reserved_nanousd", sa.BigInteger(), nullable=False),
        sa.Column("reserved_until", sa.String(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "id"),
    )
    op.create_index("ix_model_call_run", "model_call", ["network_id", "run_id"])
    op.create_index("ix_model_call_open", "model_call", ["network_id", "reserved_until"])
    op.create_table(
        "model_spend",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("cost_nanousd", sa.BigInteger(), nullable=False),
        sa.Column("reserved_nanousd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "scope", "key"),
    )
    op.create_table(
        "answer",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("prompt_hash", sa.String(), nullable=False),
        sa.Column("input_hash", sa.String(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("cases_known", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("n_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_nanousd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "key"),
    )
    op.create_table(
        "answer_case",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "key", "case_id"),
        sa.ForeignKeyConstraint(
            ["network_id", "key"], ["answer.network_id", "answer.key"], name="fk_answer_case_network_id"
        ),
    )
    op.create_index("ix_answer_case_case", "answer_case", ["network_id", "case_id"])

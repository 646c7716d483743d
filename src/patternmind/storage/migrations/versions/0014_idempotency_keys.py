"""Add the table of requests that may be repeated, with their encrypted responses."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "idempotency_key",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("claim_id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.Column("completed_at", sa.String(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body_until", sa.String(), nullable=True),
        sa.Column("n_bytes", sa.Integer(), nullable=False),
        sa.Column("location", sa.JSON(), nullable=True),
        sa.Column("response", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("network_id", "digest"),
    )
    op.create_index("ix_idempotency_key_expires", "idempotency_key", ["network_id", "expires_at"])
    op.create_index("ix_idempotency_key_body", "idempotency_key", ["network_id", "body_until"])
    op.create_index("ix_idempotency_key_size", "idempotency_key", ["network_id", "completed_at", "n_bytes"])


def downgrade() -> None:
    op.drop_table("idempotency_key")

"""Accounts, members, sessions, one-time links; tokens with scopes; the audit log, which can only grow."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TRIGGERS = ("update", "delete")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "member",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "account_id"),
        sa.ForeignKeyConstraint(["network_id"], ["network.id"], name="fk_member_network_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_member_account_id"),
    )
    op.create_index("ix_member_account_id", "member", ["account_id"])
    op.create_table(
        "session",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("seen_at", sa.String(), nullable=False),
        sa.Column("confined", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_session_account_id"),
    )
    op.create_index("ix_session_account_id", "session", ["account_id"])
    op.create_table(
        "sign_in_link",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.Column("confined", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_sign_in_link_account_id"),
    )
    op.add_column("token", sa.Column("account_id", sa.String(), nullable=True))
    op.add_column("token", sa.Column("roles", sa.String(), nullable=False, server_default="steward"))
    op.add_column("token", sa.Column("actions", sa.String(), nullable=True))
    op.add_column("token", sa.Column("revoked_at", sa.String(), nullable=True))
    op.create_index("ix_token_sha256", "token", ["sha256"])
    op.create_table(
        "audit",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("did", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "number"),
    )
    for word in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER audit_no_{word} BEFORE {word.upper()} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END"
        )


def downgrade() -> None:
    for word in TRIGGERS:
        op.execute(f"DROP TRIGGER audit_no_{word}")
    op.drop_table("audit")
    op.drop_index("ix_token_sha256", "token")
    for column in ("revoked_at", "actions", "roles", "account_id"):
        op.drop_column("token", column)
    for table in ("sign_in_link", "session", "member", "account"):
        op.drop_table(table)

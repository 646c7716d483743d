"""Who looks at which draft just now, the uses of patterns, and what the review queue is ordered by."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("draft", sa.Column("name", sa.String(), nullable=False, server_default=""))
    op.add_column("draft", sa.Column("doubts", sa.String(), nullable=False, server_default=""))
    op.add_column("draft", sa.Column("n_cases", sa.Integer(), nullable=False, server_default="0"))
    _fill(op.get_bind())
    queue_columns = ("id", "current", "kind", "theme_id", "name", "doubts", "n_cases")
    op.create_index(
        "ix_draft_desk", "draft", ["network_id", *queue_columns]
    )  # without the bodies: a queue reads no text
    op.create_table(
        "reservation",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("draft_id", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("until", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "draft_id"),
    )
    op.create_table(
        "pattern_use",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pattern_id", sa.String(), nullable=False),
        sa.Column("on", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "id"),
    )
    op.create_index("ix_pattern_use_pattern", "pattern_use", ["network_id", "pattern_id"])


def downgrade() -> None:
    op.drop_index("ix_pattern_use_pattern", "pattern_use")
    op.drop_table("pattern_use")
    op.drop_table("reservation")
    op.drop_index("ix_draft_desk", "draft")
    for column in ("n_cases", "doubts", "name"):
        op.drop_column("draft", column)


def _fill(connection: sa.Connection) -> None:
    draft = sa.table(
        "draft",
        sa.column("network_id", sa.String),
        sa.column("id", sa.String),
        sa.column("body", sa.JSON),
        sa.column("name", sa.String),
        sa.column("doubts", sa.String),
        sa.column("n_cases", sa.Integer),
    )
    for row in connection.execute(sa.select(draft.c.network_id, draft.c.id, draft.c.body)).all():
        body = row.body
        doubts = sorted({flag["doubt"] for flag in body.get("flags", ())})
        cases = {quote["case_id"] for claim in body["claims"] for quote in claim["quotes"]}
        mine = (draft.c.network_id == row.network_id) & (draft.c.id == row.id)
        connection.execute(
            sa.update(draft).where(mine).values(name=body["name"], doubts="\n".join(doubts), n_cases=len(cases))
        )

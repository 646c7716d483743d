"""The name of the key that raw text is sealed with, and which cases were erased: their ids and nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("network", sa.Column("raw_key", sa.String(), nullable=True))
    op.create_table(
        "erasure",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "case_id"),
    )

"""People's edits of themes; a second theme and a place on the map for every case."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "edit",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("lens", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "seq"),
    )
    op.add_column("assignment", sa.Column("second_theme_id", sa.String(), nullable=True))
    op.add_column("assignment", sa.Column("second_strength", sa.Float(), nullable=False, server_default="0"))
    op.add_column("assignment", sa.Column("outlier_score", sa.Float(), nullable=False, server_default="0"))
    op.add_column("assignment", sa.Column("x", sa.Float(), nullable=True))
    op.add_column("assignment", sa.Column("y", sa.Float(), nullable=True))

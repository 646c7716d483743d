"""What a run found before people's decisions are laid over it; the newest of each lens is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "found",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("lens", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("partition", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "run_id"),
        sa.ForeignKeyConstraint(["network_id", "run_id"], ["run.network_id", "run.id"], name="fk_found_network_id"),
    )

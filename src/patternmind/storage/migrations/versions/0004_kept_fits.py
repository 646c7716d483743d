"""What the fits of the newest run of each lens said, for the next run to continue."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "fits",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("lens", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("holds_for", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "lens"),
        sa.ForeignKeyConstraint(["network_id", "run_id"], ["run.network_id", "run.id"], name="fk_fits_network_id"),
    )

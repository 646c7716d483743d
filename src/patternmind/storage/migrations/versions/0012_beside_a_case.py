"""Which cases nearly repeat a case, found without reading all of them."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index("ix_case_repeats", "case", ["network_id", "duplicate_of"])


def downgrade() -> None:
    op.drop_index("ix_case_repeats", "case")

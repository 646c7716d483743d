"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "case",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("date", sa.String(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("duplicate_of", sa.String(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "id"),
    )
    op.create_index(op.f("ix_case_content_hash"), "case", ["content_hash"], unique=False)
    op.create_table(
        "draft",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("theme_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "id"),
    )
    op.create_table(
        "network",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("min_contributors", sa.Integer(), nullable=False),
        sa.Column("min_teams", sa.Integer(), nullable=False),
        sa.Column("default_consent", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "person",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("team", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("network_id", "number"),
    )
    op.create_table(
        "run",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lens", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", sa.String(), nullable=False),
        sa.Column("finished_at", sa.String(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "id"),
    )
    op.create_table(
        "submission",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "case_id", "version"),
        comment="As handed in, names included: read by the steward's tools alone. A new text is a new version.",
    )
    op.create_table(
        "token",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("network_id", "id"),
    )
    op.create_table(
        "vector",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("encoder_id", sa.String(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "encoder_id", "text_hash"),
    )
    op.create_table(
        "area",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id", "run_id"], ["run.network_id", "run.id"], name=op.f("fk_area_network_id")
        ),
        sa.PrimaryKeyConstraint("network_id", "run_id", "id"),
    )
    op.create_table(
        "assignment",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("theme_id", sa.String(), nullable=True),
        sa.Column("area_id", sa.String(), nullable=True),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("nearest_theme_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id", "run_id"], ["run.network_id", "run.id"], name=op.f("fk_assignment_network_id")
        ),
        sa.PrimaryKeyConstraint("network_id", "run_id", "case_id"),
    )
    op.create_table(
        "decision",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("draft_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id", "draft_id"], ["draft.network_id", "draft.id"], name=op.f("fk_decision_network_id")
        ),
        sa.PrimaryKeyConstraint("network_id", "draft_id", "seq"),
        comment="Append-only: rows are never changed and never deleted; an undo is a row of its own.",
    )
    op.create_table(
        "theme",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id", "run_id"], ["run.network_id", "run.id"], name=op.f("fk_theme_network_id")
        ),
        sa.PrimaryKeyConstraint("network_id", "run_id", "id"),
    )
    op.create_table(
        "theme_change",
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("theme_id", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["network_id", "run_id"], ["run.network_id", "run.id"], name=op.f("fk_theme_change_network_id")
        ),
        sa.PrimaryKeyConstraint("network_id", "run_id", "seq"),
    )

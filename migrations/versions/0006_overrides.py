"""Topics that a person gave or took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Add the table; nobody has decided anything."""
    op.create_table(
        "overrides",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(length=60), nullable=False),
        sa.Column("given", sa.Boolean(create_constraint=True, name="given"), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("source", "key", "topic", name=op.f("pk_overrides")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget what was decided; the tags stay until the items are tagged again."""
    op.drop_table("overrides")

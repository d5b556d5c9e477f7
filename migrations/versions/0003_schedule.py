"""Due work beside visits: requests of the web, chores of the instance, warnings about sources, who was told of dead ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the tables and columns; nothing waits and nobody has been told."""
    op.add_column("sources", sa.Column("warning", sa.Text(), nullable=False, server_default=""))
    op.add_column("sources", sa.Column("warned_since", _INSTANT))
    op.add_column("sources", sa.Column("alerted_at", _INSTANT))
    op.create_table(
        "requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("asked", _INSTANT, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("finished", _INSTANT),
        sa.Column("run", sa.BigInteger()),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    waiting = sa.text("owner = ''")
    op.create_index("uq_requests_waiting", "requests", ["source"], unique=True, sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "chores",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("next_due", _INSTANT, nullable=False),
        sa.Column("last_done", _INSTANT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chores")),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("chores")
    op.drop_table("requests")
    for column in ("alerted_at", "warned_since", "warning"):
        op.drop_column("sources", column)

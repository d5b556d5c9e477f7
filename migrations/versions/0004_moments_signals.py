"""Dated points of items, numbers from outside, form and level of papers; tags without evidence."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
_ITEMS = sa.table("items", sa.column("id", sa.BigInteger), sa.column("tags", sa.Text))
_AT_ONCE = 1000  # items


def upgrade() -> None:
    """Add the tables and columns, which are empty, and take the evidence out of the tags."""
    for column in ("form", "level"):
        op.add_column("items", sa.Column(column, sa.String(length=12), nullable=False, server_default=""))
    op.create_table(
        "moments",
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("whole_day", sa.Boolean(create_constraint=True, name="whole_day"), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_moments_item_id")),
        sa.PrimaryKeyConstraint("item_id", "at", "what", "label", name=op.f("pk_moments")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_moments_at"), "moments", ["at"])
    op.create_table(
        "signals",
        sa.Column("scheme", sa.String(length=12), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Double(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("scheme", "value", "source", "name", name=op.f("pk_signals")),
        sqlite_with_rowid=False,
    )
    _rewrite(lambda tag: tag[:2])


def downgrade() -> None:
    """Forget them; what evidence there was is not known any more."""
    _rewrite(lambda tag: [*tag[:2], []])
    op.drop_table("signals")
    op.drop_table("moments")
    for column in ("level", "form"):
        op.drop_column("items", column)


def _rewrite(change: object) -> None:
    """Give each item's tags another form; in one pass by id, as the table may be large."""
    if op.get_context().as_sql:  # offline, there are no rows to read
        return
    db = op.get_bind()
    assert callable(change)
    last = 0
    while rows := db.execute(
        sa.select(_ITEMS).where(_ITEMS.c.id > last, _ITEMS.c.tags != "[]").order_by(_ITEMS.c.id).limit(_AT_ONCE)
    ).all():
        last = rows[-1].id
        form = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
        changed = [{"b_id": r.id, "b_tags": form.encode([change(tag) for tag in json.loads(r.tags)])} for r in rows]
        db.execute(_ITEMS.update().where(_ITEMS.c.id == sa.bindparam("b_id")).values(tags=sa.bindparam("b_tags")), changed)

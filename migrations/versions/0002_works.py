"""One work, many entries: links between entries, corrections by hand, ids of merged items, what venues say, who told news."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from catalog.titles import title_hash

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Add what resolving across sources needs; titles that are held already are hashed."""
    op.add_column("entries", sa.Column("details", sa.Text(), nullable=False, server_default=""))
    op.add_column("entries", sa.Column("title_hash", sa.BigInteger(), nullable=False, server_default="0"))
    _fill_hashes()
    op.create_index("ix_entries_title_hash", "entries", ["title_hash"])
    op.create_table(
        "links",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_links_entry_id")),
        sa.ForeignKeyConstraint(["other_id"], ["entries.id"], name=op.f("fk_links_other_id")),
        sa.PrimaryKeyConstraint("entry_id", "other_id", name=op.f("pk_links")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_links_other_id", "links", ["other_id"])
    op.create_table(
        "corrections",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("other_source", sa.String(length=80), nullable=False),
        sa.Column("other_key", sa.Text(), nullable=False),
        sa.Column("same", sa.Boolean(create_constraint=True, name="same"), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("source", "key", "other_source", "other_key", name=op.f("pk_corrections")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_corrections_other", "corrections", ["other_source", "other_key"])
    op.create_table(
        "aliases",
        sa.Column("public_id", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_aliases_item_id")),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_aliases")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_aliases_item_id", "aliases", ["item_id"])
    _remake(
        "identifiers", _identifiers(["scheme", "value", "item_id"]), "scheme, value, item_id", "SELECT scheme, value, item_id"
    )
    op.create_index("ix_identifiers_item_id", "identifiers", ["item_id"])
    _remake(
        "news",
        [
            sa.Column("entry_id", sa.BigInteger(), nullable=False),
            sa.Column("what", sa.String(length=20), nullable=False),
            sa.Column("text", sa.Text(), nullable=False),
            sa.Column("status", sa.String(length=10), nullable=False),
            sa.Column("day", sa.Date(), nullable=False),
            sa.Column("item_id", sa.BigInteger(), nullable=False),
            sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_news_entry_id")),
            sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_news_item_id")),
            sa.PrimaryKeyConstraint("entry_id", "what", "text", name=op.f("pk_news")),
        ],
        "entry_id, what, text, status, day, item_id",
        "SELECT i.lead_entry, o.what, o.text, '', min(o.day), o.item_id",
        "JOIN items i ON i.id = o.item_id GROUP BY i.lead_entry, o.what, o.text, o.item_id",
    )
    op.create_index("ix_news_day", "news", ["day"])
    op.create_index("ix_news_item_id", "news", ["item_id"])


def downgrade() -> None:
    """Forget them. Items that several entries make stay one; an identifier that two items claim stays with the older."""
    _remake(
        "news",
        [
            sa.Column("item_id", sa.BigInteger(), nullable=False),
            sa.Column("day", sa.Date(), nullable=False),
            sa.Column("what", sa.String(length=20), nullable=False),
            sa.Column("text", sa.Text(), nullable=False),
            sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_news_item_id")),
            sa.PrimaryKeyConstraint("item_id", "day", "what", name=op.f("pk_news")),
        ],
        "item_id, day, what, text",
        "SELECT o.item_id, o.day, o.what, min(o.text)",
        "GROUP BY o.item_id, o.day, o.what",
    )
    op.create_index("ix_news_day", "news", ["day"])
    _remake(
        "identifiers",
        _identifiers(["scheme", "value"]),
        "scheme, value, item_id",
        "SELECT scheme, value, min(item_id)",
        "GROUP BY scheme, value",
    )
    op.create_index("ix_identifiers_item_id", "identifiers", ["item_id"])
    for table in ("aliases", "corrections", "links"):
        op.drop_table(table)
    op.drop_index("ix_entries_title_hash", "entries")
    op.drop_column("entries", "title_hash")
    op.drop_column("entries", "details")


def _identifiers(key: list[str]) -> list[sa.Column[object] | sa.Constraint]:
    return [
        sa.Column("scheme", sa.String(length=12), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_identifiers_item_id")),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_identifiers")),
    ]


def _remake(table: str, parts: list, columns: str, query: str, rest: str = "") -> None:  # type: ignore[type-arg]
    """Make a table anew with its rows: SQLite cannot change a primary key."""
    bind = op.get_bind()
    names = [i["name"] for i in sa.inspect(bind).get_indexes(table)] if not op.get_context().as_sql else []
    for name in names or [f"ix_{table}_item_id" if table == "identifiers" else "ix_news_day"]:
        op.drop_index(str(name), table)
    op.rename_table(table, f"{table}_old")
    if bind.dialect.name != "sqlite":  # names of constraints are unique in the schema there
        op.execute(f"ALTER TABLE {table}_old RENAME CONSTRAINT pk_{table} TO pk_{table}_old")
    op.create_table(table, *parts, sqlite_with_rowid=False)
    op.execute(f"INSERT INTO {table} ({columns}) {query} FROM {table}_old o {rest}")
    op.drop_table(f"{table}_old")


def _fill_hashes() -> None:
    """Titles that are held already; in offline mode there are none."""
    if op.get_context().as_sql:
        return
    bind = op.get_bind()
    entries = sa.table("entries", sa.column("id"), sa.column("kind"), sa.column("title"), sa.column("title_hash"))
    after = 0
    while True:
        query = sa.select(entries.c.id, entries.c.title).where(entries.c.id > after, entries.c.kind == "paper")
        rows = bind.execute(query.order_by(entries.c.id).limit(2000)).all()
        if not rows:
            return
        bind.execute(
            entries.update().where(entries.c.id == sa.bindparam("b_id")).values(title_hash=sa.bindparam("b_hash")),
            [{"b_id": r.id, "b_hash": title_hash(r.title)} for r in rows],
        )
        after = rows[-1].id

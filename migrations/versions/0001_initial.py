"""The first schema: sources, runs, entries, items, tags, counters, leases and the search table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "batches",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("part", sa.String(length=120), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("announced", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "part", "day", name=op.f("pk_batches")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "items",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("public_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("announced", sa.Date(), nullable=False),
        sa.Column("estimated", sa.Boolean(create_constraint=True, name="estimated"), nullable=False),
        sa.Column("submitted", _INSTANT, nullable=True),
        sa.Column("updated", _INSTANT, nullable=True),
        sa.Column("withdrawn", sa.Boolean(create_constraint=True, name="withdrawn"), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("lead_entry", sa.BigInteger(), nullable=False),
        sa.Column("changed", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("position", name=op.f("uq_items_position")),
        sa.UniqueConstraint("public_id", name=op.f("uq_items_public_id")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("ready_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "runs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("started", _INSTANT, nullable=False),
        sa.Column("finished", _INSTANT, nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("revised", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Text(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index("ix_runs_source_id", "runs", ["source", "id"], unique=False)
    op.create_table(
        "source_parts",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("part", sa.String(length=120), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "part", name=op.f("pk_source_parts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sources",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("enabled", sa.Boolean(create_constraint=True, name="enabled"), nullable=False),
        sa.Column("next_due", _INSTANT, nullable=False),
        sa.Column("last_run", _INSTANT, nullable=True),
        sa.Column("last_success", _INSTANT, nullable=True),
        sa.Column("last_new", _INSTANT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", _INSTANT, nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sources")),
    )
    op.create_table(
        "terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scheme", sa.String(length=10), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sa.UniqueConstraint("scheme", "value", name=op.f("uq_terms_scheme_value")),
    )
    op.create_table(
        "daily_counts",
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_daily_counts_term_id")),
        sa.PrimaryKeyConstraint("term_id", "day", name=op.f("pk_daily_counts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("announced", sa.Date(), nullable=False),
        sa.Column("basis", sa.String(length=10), nullable=False),
        sa.Column("submitted", _INSTANT, nullable=True),
        sa.Column("updated", _INSTANT, nullable=True),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("identifiers", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(create_constraint=True, name="withdrawn"), nullable=False),
        sa.Column("detail", sa.String(length=5), nullable=False),
        sa.Column("hash", sa.String(length=32), nullable=False),
        sa.Column("first_held", _INSTANT, nullable=False),
        sa.Column("changed", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_entries_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_entries_source_key")),
    )
    op.create_index("ix_entries_item_id", "entries", ["item_id"], unique=False)
    op.create_table(
        "facets",
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_facets_term_id")),
        sa.PrimaryKeyConstraint("term_id", "position", name=op.f("pk_facets")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identifiers",
        sa.Column("scheme", sa.String(length=12), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_identifiers_item_id")),
        sa.PrimaryKeyConstraint("scheme", "value", name=op.f("pk_identifiers")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_identifiers_item_id", "identifiers", ["item_id"], unique=False)
    op.create_table(
        "news",
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_news_item_id")),
        sa.PrimaryKeyConstraint("item_id", "day", "what", name=op.f("pk_news")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_news_day", "news", ["day"], unique=False)
    op.create_table(
        "tags",
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["term_id"], ["terms.id"], name=op.f("fk_tags_term_id")),
        sa.PrimaryKeyConstraint("term_id", "position", name=op.f("pk_tags")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entry_versions",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("at", _INSTANT, nullable=True),
        sa.Column("withdrawn", sa.Boolean(create_constraint=True, name="withdrawn"), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_entry_versions_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "number", name=op.f("pk_entry_versions")),
        sqlite_with_rowid=False,
    )
    if op.get_context().dialect.name == "sqlite":
        # Without content: the words are derived from titles and abstracts that are stored anyway (docs/decisions/0003).
        op.execute("CREATE VIRTUAL TABLE search USING fts5(title, names, body, terms, content='', tokenize='ascii')")
    else:
        op.create_table(
            "search",
            sa.Column("position", sa.BigInteger(), nullable=False),
            sa.Column("words", TSVECTOR(), nullable=False),
            sa.PrimaryKeyConstraint("position", name="pk_search"),
        )
        op.create_index("ix_search_words", "search", ["words"], postgresql_using="gin")


def downgrade() -> None:
    """Drop everything."""
    op.drop_table("search")
    op.drop_table("entry_versions")
    op.drop_table("tags")
    op.drop_table("news")
    op.drop_table("identifiers")
    op.drop_table("facets")
    op.drop_table("entries")
    op.drop_table("daily_counts")
    op.drop_table("terms")
    op.drop_table("sources")
    op.drop_table("source_parts")
    op.drop_table("runs")
    op.drop_table("meta")
    op.drop_table("leases")
    op.drop_table("items")
    op.drop_table("batches")

"""Subscriptions by mail: who gets what, questions that wait for a yes, the outbox, addresses that no mail goes to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the tables; nobody has subscribed."""
    op.create_table(
        "subscriptions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("made", _INSTANT, nullable=False),
        sa.Column("confirmed", _INSTANT),
        sa.Column("consent", sa.String(length=20), nullable=False),
        sa.Column("paused", sa.Boolean(create_constraint=True, name="paused"), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("changed", _INSTANT, nullable=False),
        sa.Column("next_due", _INSTANT),
        sa.Column("reckoned", _INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("hash", name=op.f("uq_subscriptions_hash")),
        sa.UniqueConstraint("token", name=op.f("uq_subscriptions_token")),
    )
    op.create_index("ix_subscriptions_next_due", "subscriptions", ["next_due"])
    op.create_table(
        "addresses",
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name=op.f("fk_addresses_subscription_id")),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_addresses")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "confirmations",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("expires", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name=op.f("fk_confirmations_subscription_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_confirmations")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_confirmations_subscription_id", "confirmations", ["subscription_id"])
    op.create_table(
        "signups",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("sent", sa.Boolean(create_constraint=True, name="sent"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signups")),
    )
    op.create_index("ix_signups_address_at", "signups", ["address", "at"])
    op.create_index("ix_signups_client_at", "signups", ["client", "at"])
    op.create_index("ix_signups_at", "signups", ["at"])
    op.create_table(
        "suppressions",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_suppressions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "letters",
        sa.Column("id", _ID, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("made", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint("key", "period", name=op.f("uq_letters_key_period")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _ID, nullable=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("letter_id", sa.BigInteger()),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("made", _INSTANT, nullable=False),
        sa.Column("settled", _INSTANT),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name=op.f("fk_outbox_subscription_id")),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_outbox_letter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("subscription_id", "kind", "reference", name=op.f("uq_outbox_subscription_id_kind_reference")),
    )
    op.create_index("ix_outbox_letter_id", "outbox", ["letter_id"])
    waiting = sa.text("state IN ('queued', 'sending', 'deferred')")
    op.create_index("ix_outbox_open", "outbox", ["kind", "next_at"], sqlite_where=waiting, postgresql_where=waiting)


def downgrade() -> None:
    """Forget them."""
    for table in ("outbox", "letters", "suppressions", "signups", "confirmations", "addresses", "subscriptions"):
        op.drop_table(table)

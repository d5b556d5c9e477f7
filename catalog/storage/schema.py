"""The whole schema, column by column, with the reason of each index. Migrations make it; a test holds the two together.

Positions: every item has one 64-bit `position` = (day number of its announced date) << 24 | (low 24 bits of its row id). It
is unique, and descending positions are "newest first" everywhere: keyset pages, topic pages, text search. Date bounds are
position bounds. Tags, facets and the search index are keyed by it, so a page by topic is one range scan of one index; when a
date is corrected, the item's rows move (rare: estimated dates only).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

POSITION_BITS = 24


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant.

    SQLite has no such type and would drop the offset: there it is text such as 2026-01-28T05:00:00.000000Z.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """timestamptz on PostgreSQL, text on SQLite."""
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuses naive datetimes."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored: {value!r}")
        value = value.astimezone(UTC)
        # Not strftime, whose %Y leaves out the zeros of the years before 1000.
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Always aware, always UTC."""
        if value is None:
            return None
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else value.astimezone(UTC)


def position_of(announced: date, row_id: int) -> int:
    """The sort key of an item."""
    return announced.toordinal() << POSITION_BITS | row_id & ((1 << POSITION_BITS) - 1)


def first_position(day: date) -> int:
    """The smallest position that an item of the day can have."""
    return day.toordinal() << POSITION_BITS


def day_of(position: int) -> date:
    """The announced date of the item at a position."""
    return date.fromordinal(position >> POSITION_BITS)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_id = BigInteger().with_variant(Integer, "sqlite")  # SQLite's rowid alias needs the exact type INTEGER

meta = Table(
    "meta",
    metadata,
    Column("key", String(40), primary_key=True),  # analysis: version of the word rules; tagger, retag: see storage.retags
    Column("value", Text, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("enabled", Boolean(create_constraint=True, name="enabled"), nullable=False),
    Column("next_due", UtcDateTime, nullable=False),  # by the instance's clock; the tick asks for what is due
    Column("last_run", UtcDateTime),  # end of the last visit
    Column("last_success", UtcDateTime),  # end of the last visit that ended ok or empty
    Column("last_new", UtcDateTime),  # end of the last visit that brought something new or revised
    Column("failures", Integer, nullable=False),  # visits in a row that did not end ok or empty
    Column("failing_since", UtcDateTime),  # first of those
    Column("outcome", String(20), nullable=False),  # of the last visit, "" before the first
    Column("error", Text, nullable=False),  # of the last visit, "" when there was none
    Column("warning", Text, nullable=False, server_default=""),  # ends well and gives far less than usual: see catalog.yields
    Column("warned_since", UtcDateTime),
    Column("alerted_at", UtcDateTime),  # when the operator was told that it fails; null when there is nothing to take back
)

source_parts = Table(
    "source_parts",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("part", String(120), primary_key=True),  # a category, set or volume
    Column("cursor", Text, nullable=False),  # the source's own JSON: where the next visit goes on
    Column("etag", Text, nullable=False),  # verbatim, quotes or none (RFC 9110 8.8.3)
    Column("last_modified", Text, nullable=False),  # verbatim
    sqlite_with_rowid=False,
)

batches = Table(
    "batches",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("part", String(120), primary_key=True),
    Column("day", Date, primary_key=True),  # what the source announced on this day in this part
    Column("announced", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("missing", Text, nullable=False),  # JSON list of the keys that are not held
    Column("note", Text, nullable=False),  # why it is not confirmed, "" when it is
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("id", _id, primary_key=True),
    Column("source", String(80), nullable=False),
    Column("started", UtcDateTime, nullable=False),
    Column("finished", UtcDateTime),  # null while it runs
    Column("outcome", String(20)),  # null while it runs
    Column("seen", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("revised", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("rejected", Text, nullable=False),  # JSON {reason: count}
    Column("requests", Integer, nullable=False),
    Column("seconds", Double, nullable=False),  # real time
    Column("error", Text, nullable=False),
    Column("parts", Text, nullable=False),  # JSON list of parts
    Index("ix_runs_source_id", "source", "id"),  # the newest runs of a source
)

# What the web asks the worker to do.
requests = Table(
    "requests",
    metadata,
    Column("id", _id, primary_key=True),
    Column("source", String(80), nullable=False),  # to be visited at once
    Column("asked", UtcDateTime, nullable=False),
    Column("owner", Text, nullable=False),  # of the worker that took it, "" while it waits
    Column("fence", BigInteger, nullable=False),  # grows by one each time that it is taken
    Column("expires_at", Double, nullable=False),  # seconds since 1970 by the DATABASE's clock: then another may take it
    Column("finished", UtcDateTime),  # null while it is open
    Column("run", BigInteger),  # the visit that answered it
    Column("outcome", String(20), nullable=False),  # of that visit, "" while it is open
    Column("error", Text, nullable=False),
    # One request waits for a source at a time.
    Index("uq_requests_waiting", "source", unique=True, sqlite_where=text("owner = ''"), postgresql_where=text("owner = ''")),
)

# What the worker does for the instance itself: when it is due, and how it went.
chores = Table(
    "chores",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("next_due", UtcDateTime, nullable=False),  # by the instance's clock
    Column("last_done", UtcDateTime),
    Column("failures", Integer, nullable=False),  # in a row
    Column("error", Text, nullable=False),  # of the last try, "" when it was done
)

items = Table(
    "items",
    metadata,
    Column("id", _id, primary_key=True, autoincrement=False),
    Column("public_id", String(16), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("title", Text, nullable=False),  # readable
    Column("authors", Text, nullable=False),  # JSON list of display names
    Column("url", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("announced", Date, nullable=False),
    Column("estimated", Boolean(create_constraint=True, name="estimated"), nullable=False),
    Column("submitted", UtcDateTime),
    Column("updated", UtcDateTime),
    Column("withdrawn", Boolean(create_constraint=True, name="withdrawn"), nullable=False),
    Column("categories", Text, nullable=False),  # blanks between, primary first
    Column("tags", Text, nullable=False),  # JSON [[topic, score], …], best first; evidence is computed when it is asked for
    Column("terms", Text, nullable=False),  # ids of all its terms, ascending, blanks between: what to remove when it changes
    Column("lead_entry", BigInteger, nullable=False),  # the entry whose abstract and comment are shown
    Column("changed", UtcDateTime, nullable=False),  # last write of this row, by the instance's clock
    Column("form", String(12), nullable=False, server_default=""),  # of a paper; "" when not told
    Column("level", String(12), nullable=False, server_default=""),  # of a paper; "" when not told
    UniqueConstraint("public_id"),  # /items/{id}
    UniqueConstraint("position"),  # newest first over everything, and the join of tags, facets and search
)

entries = Table(
    "entries",
    metadata,
    Column("id", _id, primary_key=True),
    Column("item_id", BigInteger, ForeignKey("items.id"), nullable=False),
    Column("source", String(80), nullable=False),
    Column("key", Text, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("title", Text, nullable=False),  # as said
    Column("abstract", Text, nullable=False),
    Column("authors", Text, nullable=False),  # JSON list
    Column("url", Text, nullable=False),
    Column("announced", Date, nullable=False),
    Column("basis", String(10), nullable=False),  # how sure the announced date is
    Column("submitted", UtcDateTime),
    Column("updated", UtcDateTime),
    Column("categories", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("identifiers", Text, nullable=False),  # JSON [[scheme, value], …]
    Column("comment", Text, nullable=False),
    Column("journal", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("withdrawn", Boolean(create_constraint=True, name="withdrawn"), nullable=False),
    Column("detail", String(5), nullable=False),
    Column("hash", String(32), nullable=False),  # content_hash of what was said
    Column("first_held", UtcDateTime, nullable=False),
    Column("changed", UtcDateTime, nullable=False),
    # JSON of year, track, decision, award, subjects, keywords, moments, about; "" when there are none
    Column("details", Text, nullable=False, server_default=""),
    # catalog.titles.title_hash of a paper; 0 for all that titles do not tell
    Column("title_hash", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("source", "key"),  # the identity of an entry
    Index("ix_entries_item_id", "item_id"),  # the entries of an item
    Index("ix_entries_title_hash", "title_hash"),  # who else has this title
)

# Why two entries are one item. An item's entries are those that links join; nothing else joins them.
links = Table(
    "links",
    metadata,
    Column("entry_id", BigInteger, ForeignKey("entries.id"), primary_key=True),  # the smaller id of the two
    Column("other_id", BigInteger, ForeignKey("entries.id"), primary_key=True),
    Column("reason", Text, nullable=False),
    Index("ix_links_other_id", "other_id"),
    sqlite_with_rowid=False,
)

# What a person decided about two entries, by their keys, so that it holds whatever is fetched again. The smaller one is first.
corrections = Table(
    "corrections",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("other_source", String(80), primary_key=True),
    Column("other_key", Text, primary_key=True),
    Column("same", Boolean(create_constraint=True, name="same"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_corrections_other", "other_source", "other_key"),  # looked up from either side
    sqlite_with_rowid=False,
)

# What a person decided about the topics of what an entry speaks of, so that it holds whatever is fetched or tagged again.
overrides = Table(
    "overrides",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("topic", String(60), primary_key=True),  # slug at that time
    Column("given", Boolean(create_constraint=True, name="given"), nullable=False),  # False: it has not this topic
    Column("at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

# Ids of items that were merged into another; they answer with the one that stays.
aliases = Table(
    "aliases",
    metadata,
    Column("public_id", String(16), primary_key=True),
    Column("item_id", BigInteger, ForeignKey("items.id"), nullable=False),
    Index("ix_aliases_item_id", "item_id"),  # when that one is merged in turn
    sqlite_with_rowid=False,
)

entry_versions = Table(
    "entry_versions",
    metadata,
    Column("entry_id", BigInteger, ForeignKey("entries.id"), primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("at", UtcDateTime),
    Column("withdrawn", Boolean(create_constraint=True, name="withdrawn"), nullable=False),
    sqlite_with_rowid=False,
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("scheme", String(12), primary_key=True),
    Column("value", Text, primary_key=True),
    # Two items may claim one: a DOI of a whole volume, or what a person took apart.
    Column("item_id", BigInteger, ForeignKey("items.id"), primary_key=True),
    Index("ix_identifiers_item_id", "item_id"),  # the identifiers of an item
    sqlite_with_rowid=False,
)

# The dated points of items, for "soonest first".
moments = Table(
    "moments",
    metadata,
    Column("item_id", BigInteger, ForeignKey("items.id"), primary_key=True),
    Column("at", UtcDateTime, primary_key=True),
    Column("what", String(20), primary_key=True),
    Column("label", Text, primary_key=True),
    Column("said", Text, nullable=False),
    Column("whole_day", Boolean(create_constraint=True, name="whole_day"), nullable=False),
    Index("ix_moments_at", "at"),  # what comes next
    sqlite_with_rowid=False,
)

# Numbers from outside, by identifier, so that they stay with the work whatever is merged or split. One row each: they do not
# grow with time.
signals = Table(
    "signals",
    metadata,
    Column("scheme", String(12), primary_key=True),
    Column("value", Text, primary_key=True),
    Column("source", String(80), primary_key=True),
    Column("name", String(20), primary_key=True),
    Column("number", Double, nullable=False),
    Column("at", UtcDateTime, nullable=False),  # when the source said so, by the instance's clock
    sqlite_with_rowid=False,
)

news = Table(
    "news",
    metadata,
    Column("entry_id", BigInteger, ForeignKey("entries.id"), primary_key=True),  # who said so
    Column("what", String(20), primary_key=True),
    Column("text", Text, primary_key=True),
    Column("status", String(10), nullable=False),  # claimed or confirmed for what can be either, else ""
    Column("day", Date, nullable=False),  # of the first saying
    Column("item_id", BigInteger, ForeignKey("items.id"), nullable=False),
    Index("ix_news_item_id", "item_id"),  # the news of an item
    Index("ix_news_day", "day"),  # the news of a period
    sqlite_with_rowid=False,
)

terms = Table(
    "terms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scheme", String(10), nullable=False),  # topic, area, kind, source, category, venue, form, level
    Column("value", Text, nullable=False),
    UniqueConstraint("scheme", "value"),
)

tags = Table(
    "tags",
    metadata,
    Column("term_id", Integer, ForeignKey("terms.id"), primary_key=True),
    Column("position", BigInteger, primary_key=True),  # scanned backwards: the newest of a topic
    Column("score", Double, nullable=False),
    sqlite_with_rowid=False,
)

facets = Table(
    "facets",
    metadata,
    Column("term_id", Integer, ForeignKey("terms.id"), primary_key=True),  # any but a topic
    Column("position", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

daily_counts = Table(
    "daily_counts",
    metadata,
    Column("term_id", Integer, ForeignKey("terms.id"), primary_key=True),
    Column("day", Date, primary_key=True),  # announced
    Column("n", Integer, nullable=False),  # items; kept in the transaction that writes them (45 times cheaper than counting)
    sqlite_with_rowid=False,
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("owner", Text, nullable=False),  # "" when free
    Column("fence", BigInteger, nullable=False),  # grows by one with each claim
    Column("expires_at", Double, nullable=False),  # seconds since 1970 by the DATABASE's clock
    Column("ready_at", Double, nullable=False),  # not to be claimed before: the spacing of a host
)

# A reader's standing choice; one per address. The address is not here: see `addresses`.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", _id, primary_key=True),
    Column("hash", String(64), nullable=False),  # of the address, keyed: who has the database alone cannot try addresses out
    Column("salt", String(32), nullable=False),  # with the instance's key it makes the reader's token; a new one revokes it
    Column("token", String(64), nullable=False),  # SHA-256 of the reader's token
    Column("made", UtcDateTime, nullable=False),
    Column("confirmed", UtcDateTime),  # null: nothing but the question whether it is wanted is sent
    Column("consent", String(20), nullable=False),  # version of the text that was agreed to, "" before
    Column("paused", Boolean(create_constraint=True, name="paused"), nullable=False),
    Column("choices", Text, nullable=False),  # JSON of catalog.subscriptions.Choices
    Column("changed", UtcDateTime, nullable=False),  # last change of the choices
    Column("next_due", UtcDateTime),  # null while unconfirmed or paused
    Column("reckoned", UtcDateTime),  # when `next_due` was reckoned; in the future it was by a clock that ran ahead
    UniqueConstraint("hash"),
    UniqueConstraint("token"),
    Index("ix_subscriptions_next_due", "next_due"),  # what is due
)

# The only place of addresses. Rows are put and removed and never changed, in transactions that overwrite what they free.
addresses = Table(
    "addresses",
    metadata,
    Column("subscription_id", BigInteger, ForeignKey("subscriptions.id"), primary_key=True),
    Column("address", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Questions that wait for a yes; each may be answered once.
confirmations = Table(
    "confirmations",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of the token
    Column("subscription_id", BigInteger, ForeignKey("subscriptions.id"), nullable=False),
    Column("salt", String(32), nullable=False),  # with the instance's key it makes the token
    Column("choices", Text, nullable=False),  # what the yes puts in force
    Column("expires", UtcDateTime, nullable=False),
    Index("ix_confirmations_subscription_id", "subscription_id"),
    sqlite_with_rowid=False,
)

# Requests to subscribe of the last days, for their limits; keyed hashes only.
signups = Table(
    "signups",
    metadata,
    Column("id", _id, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("address", String(64), nullable=False),  # hash
    Column("client", String(64), nullable=False),  # hash of the network address
    Column("sent", Boolean(create_constraint=True, name="sent"), nullable=False),  # a question was sent
    Index("ix_signups_address_at", "address", "at"),
    Index("ix_signups_client_at", "client", "at"),
    Index("ix_signups_at", "at"),
)

# Addresses that no mail goes to, by their keyed hash.
suppressions = Table(
    "suppressions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("reason", String(10), nullable=False),  # bounced, erased, left
    Column("at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

# What is mailed of one filter and period: written once, shared by all who have it, the same bytes whenever it is sent.
letters = Table(
    "letters",
    metadata,
    Column("id", _id, primary_key=True),
    Column("key", String(32), nullable=False),  # hash of the filter
    Column("period", String(10), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),  # with a mark where the reader's own links go
    Column("made", UtcDateTime, nullable=False),
    UniqueConstraint("key", "period"),
)

# Each mail to a reader, once: made in the transaction of the decision to send it.
outbox = Table(
    "outbox",
    metadata,
    Column("id", _id, primary_key=True),
    Column("subscription_id", BigInteger, ForeignKey("subscriptions.id"), nullable=False),
    Column("kind", String(10), nullable=False),  # confirm or digest
    Column("reference", String(64), nullable=False),  # the confirmation's hash, the digest's period
    Column("letter_id", BigInteger, ForeignKey("letters.id")),
    Column("message_id", String(200), nullable=False),  # the same whenever it is sent
    Column("state", String(10), nullable=False),  # queued, sending, deferred; sent, failed, suppressed, skipped
    Column("attempts", SmallInteger, nullable=False),  # that the relay answered or broke off
    Column("next_at", UtcDateTime, nullable=False),  # by the instance's clock: not to be sent before
    Column("owner", Text, nullable=False),  # holder of the lease under which it is being sent, "" when it is not
    Column("fence", BigInteger, nullable=False),  # of that lease, which expires by the DATABASE's clock
    Column("made", UtcDateTime, nullable=False),
    Column("settled", UtcDateTime),  # when it came to its end
    Column("reason", Text, nullable=False),  # of a state that is not the wished-for one; names no address
    UniqueConstraint("subscription_id", "kind", "reference"),  # the identity of a delivery
    Index("ix_outbox_letter_id", "letter_id"),  # whether a letter is still needed
    # What waits, confirmations first.
    Index(
        "ix_outbox_open", "kind", "next_at",
        sqlite_where=text("state IN ('queued', 'sending', 'deferred')"),
        postgresql_where=text("state IN ('queued', 'sending', 'deferred')"),
    ),
)  # fmt: skip

# The table `search` has one row per item, keyed by position: on SQLite an FTS5 table without content (title, names, body,
# terms),
# on PostgreSQL (position, words tsvector) with a GIN index. `storage.search` writes and asks both.

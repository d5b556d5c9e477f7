from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from catalog.errors import UsageError
from catalog.items import public_id
from catalog.storage import Storage, items
from ingest.correct import merge, split
from tests.dumps import check_derived, dump
from tests.ingest.works import ALL, ARXIV, FORUM, NOW, SITE, VOLUME, groups, held, keep, keeper, said

OTHER = said("acl", "2026.x-1.1", title="Another Title Altogether for the Same Thing", authors=("Cy Other",))


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """An empty store."""
    made = Storage(migrated_url, upgrade=False)
    yield made
    made.close()


def again(storage: Storage) -> None:
    """Everything is said again, with other words, so that it is resolved anew."""
    for n, title in enumerate(("Sparse Attention", "Sparse Attention for Forecasting Energy Demand"), 2):
        later = NOW + timedelta(days=n)
        keep(storage, *(replace(e, version=n, title=title if e is not OTHER else e.title) for e in (*ALL, OTHER)), now=later)


def test_a_merge_by_hand_holds_over_ingestion_and_the_old_id_leads_on(storage: Storage) -> None:
    keep(storage, ARXIV, OTHER)
    other, first = (i.id for i in held(storage))
    assert merge(storage, keeper(storage), [first, other], NOW) == first
    assert groups(storage) == [["acl 2026.x-1.1", "arxiv 2601.00001"]]
    with storage.read() as db:
        assert items.merged_into(db, other) == first
    assert held(storage)[0].entries[0].joined == (("merged by hand", "arxiv", "2601.00001"),)
    check_derived(storage)
    again(storage)
    assert len(held(storage)) == 1
    check_derived(storage)


def test_an_entry_split_by_hand_stays_out_over_ingestion(storage: Storage) -> None:
    keep(storage, *ALL)
    (item,) = held(storage)
    made = split(storage, keeper(storage), item.id, ["pmlr v300/example26a"], NOW)
    assert set(made) == {item.id, public_id("pmlr", "v300/example26a")}
    apart = [["arxiv 2601.00001", "openreview f1", "virtual-icml icml-2026/u1"], ["pmlr v300/example26a"]]
    assert groups(storage) == apart
    check_derived(storage)
    again(storage)
    assert groups(storage)[-1] == ["pmlr v300/example26a"]
    late = said("neurips", "0" * 32)  # would join both
    keep(storage, late)
    assert len(groups(storage)) == 3  # with OTHER
    check_derived(storage)


def test_all_entries_of_an_item_can_be_taken_apart(storage: Storage) -> None:
    keep(storage, *ALL)
    split(storage, keeper(storage), held(storage)[0].id, [], NOW)
    assert [len(g) for g in groups(storage)] == [1, 1, 1, 1]
    check_derived(storage)
    again(storage)
    assert [len(g) for g in groups(storage)] == [1] * 5


def test_what_was_split_can_be_merged_again_and_what_was_merged_gets_its_id_back(storage: Storage) -> None:
    keep(storage, ARXIV)
    keep(storage, replace(FORUM, title="An Older Title", authors=("Nobody Known",)))
    first, second = (i.id for i in held(storage))
    keep(storage, SITE)
    (item,) = held(storage)
    made = split(storage, keeper(storage), item.id, ["openreview f1", "virtual-icml icml-2026/u1"], NOW)
    assert set(made) == {first, second}
    with storage.read() as db:
        assert items.merged_into(db, second) is None
    assert merge(storage, keeper(storage), [second, first], NOW) == second
    with storage.read() as db:
        assert items.merged_into(db, first) == second
    assert len(held(storage)) == 1
    keep(storage, VOLUME)
    check_derived(storage)


def test_splitting_twice_or_merging_one_is_refused_and_changes_nothing(storage: Storage) -> None:
    keep(storage, ARXIV, FORUM)
    (item,) = held(storage)
    before = dump(storage)
    for ids in ([item.id], [item.id, item.id]):
        with pytest.raises(UsageError, match=r"one item|two ids"):
            merge(storage, keeper(storage), ids, NOW)
    with pytest.raises(UsageError, match="no item 'nobody'"):
        merge(storage, keeper(storage), [item.id, "nobody"], NOW)
    with pytest.raises(UsageError, match=r"no entry 'acl x'; it has arxiv 2601\.00001, openreview f1"):
        split(storage, keeper(storage), item.id, ["acl x"], NOW)
    with pytest.raises(UsageError, match="nothing to take apart"):
        split(storage, keeper(storage), item.id, ["arxiv 2601.00001", "openreview:f1"], NOW)
    assert dump(storage) == before

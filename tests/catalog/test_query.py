"""The search text becomes a tree of words; nothing that is typed is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.query import Clause, Query, parse_query, tiers

GRAPH, NEURAL, SURVEY = Clause(("graph",)), Clause(("neural",)), Clause(("survey",))
TYPED = st.lists(
    st.sampled_from(
        ["graph", '"', "-", "OR", "title:", "author:", "venue:", " ", ":", "(", "*", "'", "é", "NOT", "AND", "-title:", '""']
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("graph", Query(((GRAPH,),))),
        ("graph neural", Query(((GRAPH,), (NEURAL,)))),
        ("graph OR neural", Query(((GRAPH, NEURAL),))),
        ("graph OR neural OR survey", Query(((GRAPH, NEURAL, SURVEY),))),
        ("graph or neural", Query(((GRAPH,), (Clause(("or",)),), (NEURAL,)))),
        ("graph -survey", Query(((GRAPH,),), (SURVEY,))),
        ('"graph neural networks"', Query(((Clause(("graph", "neural", "network")),),))),
        ('"graph neural', Query(((Clause(("graph", "neural")),),))),
        ('title:"sparse attention"', Query(((Clause(("spars", "attent"), "title"),),))),
        ("author:Erdős", Query(((Clause(("erdo",), "author"),),))),
        ("-title:survey graph", Query(((GRAPH,),), (Clause(("survey",), "title"),))),
        ("graph-neural", Query(((Clause(("graph", "neural")),),))),
        ("OR graph", Query(((GRAPH,),))),
        ("graph OR", Query(((GRAPH,),))),
        ("-survey", Query((), (SURVEY,))),
        ("venue:neurips", Query(((Clause(("NeurIPS",), "venue"),),))),
        ('-venue:"nips 2018" graph', Query(((GRAPH,),), (Clause(("NeurIPS 2018",), "venue"),))),
        ("volume:neurips", Query(((Clause(("volum", "neurip")),),))),
        ("graph OR -survey neural", Query(((GRAPH,), (NEURAL,)), (SURVEY,))),
    ],
)
def test_what_is_typed_and_what_it_means(text: str, query: Query) -> None:
    assert parse_query(text) == query


@pytest.mark.parametrize("text", ["", "   ", "…", '""', "OR", "- -"])
def test_nothing_to_look_for_is_no_query(text: str) -> None:
    assert parse_query(text) is None


@given(st.one_of(st.text(max_size=200), TYPED))
def test_anything_may_be_typed(text: str) -> None:
    query = parse_query(text)
    if query is not None:
        assert query.wanted or query.refused
        assert all(group for group in query.wanted)
        assert all(clause.words for group in (*query.wanted, query.refused) for clause in group)


def _titled(clause: Clause) -> Clause:
    return Clause(clause.words, "title")


def test_tiers_are_all_words_in_the_title_some_and_none() -> None:
    author = Clause(("ada",), "author")
    query = Query(((GRAPH, author), (NEURAL,)), (SURVEY,))
    first, second, third = tiers(query)
    titled = ((_titled(GRAPH), author), (_titled(NEURAL),))
    free = (_titled(GRAPH), _titled(NEURAL))
    assert first == Query(titled, (SURVEY,))
    assert second == Query((*query.wanted, free), (SURVEY,), titled)
    assert third == Query(query.wanted, (SURVEY, *free))


def test_there_is_one_tier_where_no_word_may_stand_anywhere() -> None:
    for text in ("title:graph author:ada", "-survey"):
        query = parse_query(text)
        assert query is not None
        assert tiers(query) == (query,)


def test_what_was_typed_stays_known() -> None:
    query = parse_query('Grafs OR "Neural  Nets"')
    assert query is not None
    assert [c.said for c in query.clauses] == ["Grafs", "Neural  Nets"]

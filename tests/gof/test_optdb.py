"""Databases of rewrites: registration, tags, queries."""

from __future__ import annotations

import pytest

from theano_compat.gof.opt import EquilibriumOptimizer, LocalOptGroup, LocalOptimizer, Optimizer, SeqOptimizer, TopoOptimizer
from theano_compat.gof.optdb import DB, EquilibriumDB, LocalGroupDB, ProxyDB, Query, SequenceDB, TopoDB


class Nothing(Optimizer):
    def apply(self, fgraph):
        return None


class NothingLocal(LocalOptimizer):
    def transform(self, node):
        return False


def filled(db, **rewrites):
    """Register one rewrite per keyword, with the given tags."""
    for name, tags in rewrites.items():
        db.register(name, Nothing(), *tags)
    return db


def names(found):
    return [rewrite.name for rewrite in found]


def test_tags_include_require_and_exclude():
    db = filled(DB(), a=["x"], b=["x", "y"], c=["y", "z"])
    assert names(db.query("+x")) == ["a", "b"]
    assert names(db.query("+x", "&y")) == ["b"]
    assert names(db.query("+x", "+y", "-z")) == ["a", "b"]
    assert names(db.query("+x", "-b")) == ["a"]
    assert names(db.query("+Nothing")) == ["a", "b", "c"]


def test_a_query_object_equals_its_tags():
    db = filled(DB(), a=["x"], b=["x", "y"])
    assert names(db.query(Query(["x"]).excluding("y"))) == names(db.query("+x", "-y"))
    assert names(db.query(Query(["x"]).requiring("y"))) == ["b"]
    assert names(db.query(Query([]).including("y"))) == ["b"]


def test_names_are_unique_and_tags_may_not_be_names():
    db = filled(DB(), a=["x"])
    with pytest.raises(ValueError, match="The name of the object cannot be an existing tag"):
        db.register("a", Nothing())
    with pytest.raises(ValueError, match="The name of the object cannot be an existing tag"):
        db.register("x", Nothing())
    with pytest.raises(ValueError, match="collides with a name"):
        db.register("b", Nothing(), "a")
    with pytest.raises(TypeError, match="cannot be registered"):
        db.register("c", object())


def test_one_object_cannot_have_two_names():
    db, rewrite = DB(), Nothing()
    db.register("a", rewrite)
    with pytest.raises(ValueError, match="can't register the same optimization multiple time"):
        db.register("b", rewrite)


def test_tags_can_be_added_and_removed_later():
    db = filled(DB(), a=["x"])
    db.add_tags("a", "late")
    assert names(db.query("+late")) == ["a"]
    db.remove_tags("a", "late")
    assert db.query("+late") == []


def test_lookup_by_name():
    db = filled(DB(), a=["x"], b=["x"])
    assert db["a"].name == "a"
    with pytest.raises(KeyError, match="Nothing registered for 'q'"):
        db["q"]
    with pytest.raises(ValueError, match="More than one match"):
        db["x"]


def test_a_sequence_is_ordered_by_position_and_then_by_name():
    db = SequenceDB()
    for name, position in (("late", 3), ("b", 1), ("a", 1), ("early", 0.5)):
        db.register(name, Nothing(), position, "x")
    sequence = db.query("+x")
    assert isinstance(sequence, SeqOptimizer)
    assert names(sequence) == ["early", "a", "b", "late"]
    assert names(db.query("+x", position_cutoff=1)) == ["early"]
    assert names(db.query(Query(["x"], position_cutoff=3))) == ["early", "a", "b"]


def test_a_rewrite_outside_of_the_database_joins_by_position():
    db = SequenceDB()
    db.register("first", Nothing(), 1, "x")
    db.register("last", Nothing(), 9, "x")
    extra = Nothing()
    extra.name = "extra"
    assert names(db.query(Query(["x"]).register((extra, 5)))) == ["first", "extra", "last"]


def test_rewrites_without_a_name_keep_their_own_positions():
    db = SequenceDB()
    for name, position in (("first", 1), ("last", 9)):
        db.register(name, Nothing(), position, "x")
    early, late = Nothing(), Nothing()
    assert early.name is None
    found = list(db.query(Query(["x"]).register((late, 9), (early, 0.5))))
    assert found[0] is early and late in found[2:] and [rewrite.name for rewrite in found if rewrite.name] == ["first", "last"]


def test_an_equilibrium_separates_local_global_final_and_cleanup():
    db = EquilibriumDB()
    db.name = "eq"
    db.register("local", NothingLocal(), "x")
    db.register("whole", Nothing(), "x")
    db.register("final", Nothing(), "x", final_opt=True)
    db.register("clean", Nothing(), "x", cleanup=True)
    built = db.query("+x")
    assert isinstance(built, EquilibriumOptimizer)
    assert names(built.get_local_optimizers()) == ["local"]
    assert names(built.global_optimizers) == ["whole"]
    assert names(built.final_optimizers) == ["final"]
    assert names(built.cleanup_optimizers) == ["clean"]
    assert names(db.query("+eq").get_local_optimizers()) == ["local"]


def test_the_database_name_is_a_tag_unless_told_otherwise():
    db = EquilibriumDB()
    db.name = "eq"
    db.register("in", NothingLocal(), "x")
    db.register("out", NothingLocal(), "x", use_db_name_as_tag=False)
    assert names(db.query("+x", "-eq").get_local_optimizers()) == ["out"]


def test_groups_keep_positions_and_topo_wraps_them():
    group = LocalGroupDB()
    group.register("second", NothingLocal(), "x", position=2)
    group.register("first", NothingLocal(), "x", position=1)
    built = group.query("+x")
    assert isinstance(built, LocalOptGroup)
    assert names(built.opts) == ["first", "second"]
    assert isinstance(TopoDB(group).query("+x"), TopoOptimizer)
    assert names(ProxyDB(group).query("+x").opts) == ["first", "second"]


def test_a_database_inside_answers_with_its_own_query():
    outer, inner = SequenceDB(), SequenceDB()
    outer.register("inner", inner, 1, "x")
    inner.register("a", Nothing(), 1, "x")
    inner.register("b", Nothing(), 2, "y")
    (built,) = outer.query("+x")
    assert names(built) == ["a"] and built.name == "inner"
    (built,) = outer.query("+x", inner=Query(["y"]))
    assert names(built) == ["b"]

"""Nodes, walks, clones, orders, strings and comparisons."""

import random

import pytest

from tests.gof.toys import Number, add, chain, divmod_, mul, neg, number, numbers, view
from theano_compat.gof import Apply, Constant, Variable
from theano_compat.gof import graph as g

DEPTH = 20_000


def test_apply_rejects_what_is_no_variable_or_is_owned_by_another():
    x, y = numbers("xy")
    with pytest.raises(TypeError, match="The 'inputs' argument to Apply must contain Variable instances, not 1"):
        Apply(neg, [1], [number()])
    with pytest.raises(TypeError, match="The 'outputs' argument to Apply must contain Variable instances with no owner"):
        Apply(neg, [x], [1])
    with pytest.raises(ValueError, match="All output variables passed to Apply must belong to it."):
        Apply(neg, [x], [neg(y)])


def test_variable_rejects_wrong_owner_and_name():
    with pytest.raises(TypeError, match="name must be a string"):
        Variable(number, name=3)
    with pytest.raises(TypeError, match="owner must be an Apply instance"):
        Variable(number, owner=3)


def test_default_output_is_the_only_one_or_what_the_op_names():
    x, y = numbers("xy")
    assert neg(x).owner.out is neg(x).owner.outputs[0] or neg(x).owner.nout == 1
    with pytest.raises(AttributeError, match="default_output should be an output index"):
        divmod_(x, y)[0].owner.default_output()


def test_constant_has_no_owner_and_a_signature():
    one, other = Constant(number, 1), Constant(number, 1.0)
    assert one.value == 1.0 and one.equals(other) and not one.equals(Constant(number, 2))
    one.owner = None
    with pytest.raises(ValueError, match="Constant instances cannot have an owner"):
        one.owner = neg(other).owner
    assert str(one) == "Constant{1.0}" and str(Constant(number, 1, name="c")) == "c"


def test_variables_are_shown_by_name_or_by_their_node():
    (x,) = numbers("x")
    assert str(x) == "x"
    assert str(neg(x)) == "Neg.0"
    assert str(number()).startswith("<Number{")
    assert [str(v) for v in divmod_(x, x)] == ["DivMod.0", "DivMod.1"]


def test_inputs_and_ancestors_stop_at_blockers():
    x, y = numbers("xy")
    middle = add(x, y)
    out = neg(middle)
    assert g.inputs([out]) == [x, y]
    assert g.inputs([out], blockers=[middle]) == []
    assert set(g.ancestors([out])) == {x, y, middle, out}
    assert set(g.ancestors([out], blockers=[middle])) == {middle, out}


def test_stack_search_visits_each_node_once_and_inverts():
    from collections import deque

    edges = {0: [1, 2], 1: [3], 2: [3], 3: []}
    visited, inverse = g.stack_search(deque([0]), edges.get, "bfs", build_inv=True)
    assert visited == [0, 1, 2, 3]
    assert inverse == {1: [0], 2: [0], 3: [1, 2]}
    with pytest.raises(ValueError, match="mode should be bfs or dfs"):
        g.stack_search(deque([0]), edges.get, "up")


def test_orphans_are_leaves_that_are_not_inputs():
    x, y = numbers("xy")
    out = mul(add(x, y), 2.0)
    (constant,) = [v for v in out.owner.inputs if isinstance(v, Constant)]
    assert set(g.orphans([x], [out])) == {y, constant}
    assert g.ops([x, y], [out]) == {out.owner, out.owner.inputs[0].owner}
    assert set(g.variables([x, y], [out])) == {x, y, constant, out, out.owner.inputs[0]}


def _random_graph(seed, size=60):
    rng = random.Random(seed)
    leaves = numbers("abc")
    pool = list(leaves)
    for _ in range(size):
        op = rng.choice([add, mul, neg, divmod_])
        made = op(*[rng.choice(pool) for _ in range(1 if op is neg else 2)])
        pool.extend(made if isinstance(made, list) else [made])
    return leaves, pool[-3:]


@pytest.mark.parametrize("seed", range(5))
def test_toposort_puts_each_node_after_what_it_needs(seed):
    leaves, outs = _random_graph(seed)
    for order in (g.io_toposort(leaves, outs), g.io_toposort(leaves, outs, orderings={}, clients={})):
        position = {node: i for i, node in enumerate(order)}
        assert len(position) == len(order)
        assert set(order) == g.ops(leaves, outs)
        assert all(position[v.owner] < position[node] for node in order for v in node.inputs if v.owner is not None)


def test_toposort_honours_orderings_and_finds_cycles():
    (x,) = numbers("x")
    first, second = neg(x), view(x)
    out = add(first, second)
    for early, late in ((first, second), (second, first)):
        order = g.io_toposort([x], [out], {late.owner: [early.owner]})
        assert order.index(early.owner) < order.index(late.owner)
    with pytest.raises(ValueError, match="graph contains cycles"):
        g.io_toposort([x], [out], {first.owner: [out.owner]})


def test_toposort_without_orderings_runs_the_last_inputs_branch_first():
    x, y = numbers("xy")
    left, right = neg(x), view(y)
    assert g.io_toposort([x, y], [add(left, right)])[:2] == [right.owner, left.owner]


def test_clone_copies_or_keeps_inputs_and_orphans():
    x, y = numbers("xy")
    out = add(x, mul(y, 2.0))
    constant = out.owner.inputs[1].owner.inputs[1]
    (new_x,), (copied,) = g.clone([x], [out])
    assert new_x is not x and new_x.name == "x"
    assert copied.owner.inputs[0] is new_x and y not in g.ancestors([copied]) and constant not in g.ancestors([copied])
    (same_x,), (copied,) = g.clone([x], [out], copy_inputs=False)
    assert same_x is x and {x, y, constant} <= set(g.ancestors([copied]))
    memo = g.clone_get_equiv([x], [out], copy_inputs=True, copy_orphans=False, memo={y: x})
    assert memo[out].owner.inputs[1].owner.inputs[0] is x


def test_clone_with_new_inputs_remakes_the_node_only_if_not_strict():
    (x,) = numbers("x")
    other = Number("other")("o")
    node = neg(x).owner
    with pytest.raises(TypeError, match="Cannot convert Type"):
        node.clone_with_new_inputs([other])
    assert node.clone_with_new_inputs([other], strict=False).inputs == [other]


def test_as_string_names_what_is_used_twice():
    (x,) = numbers("x")
    twice = neg(x)
    assert g.as_string([x], [add(twice, twice), twice]) == ["Add(*1 -> Neg(x), *1)", "*1"]
    assert str(add(twice, x).owner) == "Add(Neg.0, x)"


def test_same_graph_compares_structure_leaves_and_constants():
    x, y = numbers("xy")
    assert g.is_same_graph(add(x, mul(y, 2.0)), add(x, mul(y, 2.0)))
    assert not g.is_same_graph(add(x, mul(y, 2.0)), add(x, mul(y, 3.0)))
    assert not g.is_same_graph(add(x, y), add(y, x))
    assert g.is_same_graph(add(x, y), add(x, x), givens={y: x})
    assert not g.is_same_graph(divmod_(x, y)[0], divmod_(x, y)[1])


def test_view_roots_follow_view_maps():
    x, y = numbers("xy")
    assert g.view_roots(view(view(x))) == [x]
    middle = neg(view(x))
    assert g.view_roots(view(middle)) == [middle]


def test_is_in_ancestors():
    x, y = numbers("xy")
    low = neg(x)
    high = add(low, y)
    assert g.is_in_ancestors(high.owner, low.owner) and not g.is_in_ancestors(low.owner, high.owner)


def test_nodes_constructed_collects_new_variables_only_inside():
    (x,) = numbers("x")
    with g.nodes_constructed() as made:
        out = neg(x)
    neg(x)
    assert made == [out]


def test_connection_pattern_goes_through_the_graph():
    x, y, z = numbers("xyz")
    pattern = g.io_connection_pattern([x, y, z], [add(x, neg(y)), neg(z), x])
    assert pattern == [[True, False, True], [True, False, False], [False, True, False]]


def test_test_value_of_a_name_is_unique():
    x, y = numbers("xy")
    assert x.auto_name != y.auto_name and x.auto_name.startswith("auto_")


def test_walks_do_not_depend_on_depth():
    (x,) = numbers("x")
    out = chain(x, DEPTH)
    assert g.inputs([out]) == [x]
    assert len(g.ancestors([out])) == DEPTH + 1
    assert len(g.io_toposort([x], [out])) == DEPTH
    (new_x,), (copied,) = g.clone([x], [out])
    assert g.is_same_graph(out, copied, givens={new_x: x})
    assert len(g.as_string([x], [out])[0]) > DEPTH
    assert g.list_of_nodes([x], [out])[0] is out.owner
    assert g.io_connection_pattern([x], [out]) == [[True]]

"""Copies and pickles of functions, named values, freeing, and what may share memory."""

import copy
import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import In, function, shared
from theano_compat.compile import (
    alias_root,
    check_equal,
    convert_function_input,
    get_info_on_inputs,
    infer_reuse_pattern,
    std_fgraph,
    view_tree_set,
)
from theano_compat.compile.io import Out, SymbolicInput

MODE = "FAST_COMPILE"


def counter():
    x, w = T.dscalar("x"), shared(0.0, "w")
    return x, w, function([x], x + w, updates=[(w, w + 1)], mode=MODE, name="counter")


def test_copy_shares_shared_variables():
    _, w, f = counter()
    g = f.copy()
    assert g.name == "counter copy"
    assert [float(f(0)), float(g(0)[0]), float(f(0))] == [0, 1, 2]
    assert float(w.get_value()) == 3


def test_copy_with_other_shared_variables_leaves_the_original_alone():
    _, w, f = counter()
    other = shared(100.0, "other")
    g = f.copy(swap={w: other}, name="swapped")
    assert g.name == "swapped" and [float(g(0)[0]), float(g(0)[0])] == [100, 101]
    assert float(f(0)) == 0 and float(other.get_value()) == 102


def test_copy_without_updates():
    _, w, f = counter()
    g = f.copy(delete_updates=True)
    assert [float(g(5)[0]), float(g(5)[0])] == [5, 5] and float(w.get_value()) == 0
    assert len(g.maker.fgraph.outputs) == 1


def test_copy_without_updates_keeps_what_would_be_overwritten():
    w, x = shared(np.arange(3.0)), T.dvector("x")
    f = function([x], w * x * 7, updates=[(w, w + 1)])
    g = f.copy(delete_updates=True)
    assert [g(np.ones(3))[0].tolist(), g(np.ones(3))[0].tolist(), w.get_value().tolist()] == [[0, 7, 14], [0, 7, 14], [0, 1, 2]]
    assert f(np.ones(3)).tolist() == [0, 7, 14] and w.get_value().tolist() == [1, 2, 3]


def test_copy_carries_own_state_over():
    s = T.dscalar("s")
    f = function([In(s, value=1.0, update=s * 2)], s, mode=MODE)
    f()
    g = f.copy()
    assert float(g()[0]) == 2 and float(g()[0]) == 4 and float(f()) == 2


def test_copy_that_shares_storage_gives_the_same():
    x = T.dvector("x")
    f = function([x], T.exp(x).sum() * 2, mode=theano.Mode("vm_nogc", "fast_compile"))
    g = f.copy(share_memory=True)
    assert [f(np.zeros(3))] == g(np.zeros(3)) == [6]


def test_swap_is_checked():
    x, w, f = counter()
    with pytest.raises(ValueError, match="not found"):
        f.copy(swap={shared(1.0): w})
    with pytest.raises(AssertionError, match="Value of swap should be SharedVariable"):
        f.copy(swap={w: x})
    with pytest.raises(AssertionError, match="Key of swap should be SharedVariable"):
        f.copy(swap={x: w})
    with pytest.raises(AssertionError, match="Type of given SharedVariable conflicts"):
        f.copy(swap={w: shared(np.zeros(2))})


def test_pickle_keeps_values_defaults_and_trust():
    x, s = T.dscalars("x", "s")
    f = function([x, In(s, value=1.0, update=s + x)], s * 2, mode=MODE, name="f")
    f(4)
    f.trust_input = True
    g = pickle.loads(pickle.dumps(f))
    assert g.trust_input and g.name == "f"
    g.trust_input = f.trust_input = False
    assert float(g(1)) == float(f(1)) == 10 and float(g["s"]) == 6


def test_pickled_functions_stay_connected_through_their_shared_variable():
    w = shared(0.0)
    f = function([], w, updates=[(w, w + 1)], mode=MODE)
    g = function([], w * 10, mode=MODE)
    f2, g2 = pickle.loads(pickle.dumps((f, g)))
    f2()
    assert float(g2()) == 10 and float(g()) == 0


def test_unpickling_can_be_switched_off():
    _, _, f = counter()
    text = pickle.dumps(f)
    theano.config.unpickle_function = False
    try:
        assert pickle.loads(text) is None
    finally:
        theano.config.unpickle_function = True


def test_copies_by_the_copy_module():
    x, s = T.dscalars("x", "s")
    f = function([x, In(s, value=0.0, update=s + x)], s, mode=MODE)
    shallow, deep = copy.copy(f), copy.deepcopy(f)
    f(5)
    assert float(f["s"]) == 5 and float(shallow["s"]) == 0 and float(deep["s"]) == 0


def test_free_drops_intermediate_results_only():
    x, w = T.dvector("x"), shared(np.ones(2))
    f = function([x], (x * 2 + w).sum(), mode=theano.Mode("vm_nogc", None))
    f([1.0, 2.0])
    f.free()
    kept = [v for v, cell in f.fn.storage_map.items() if v.owner is not None and cell[0] is not None]
    assert not kept and f([1.0, 2.0]) == 8


def test_get_shared_and_named_values():
    _, w, f = counter()
    assert f.get_shared() == [w]
    assert f.container[w].storage is w.container.storage
    assert f.value["w"] == 0
    with pytest.raises(TypeError, match="Unknown input or state: nobody"):
        f.value["nobody"]
    with pytest.raises(TypeError, match="Tried to provide value for implicit input: w"):
        f(1, w=3)


def test_ambiguous_names():
    a, b = T.dscalar("a"), T.dscalar("b")
    f = function([In(a, name="same"), In(b, name="same")], a + b, mode=MODE)
    assert f(1, 2) == 3
    with pytest.raises(TypeError, match="Ambiguous name: same"):
        f(1, same=2)


@pytest.mark.parametrize(
    "named, unnamed, text",
    [
        ([], 0, "The function is supposed to have no input."),
        ([], 1, "The function has a single input variable which has no name"),
        ([], 2, "The function has 2 inputs, but none of them is named"),
        (["a"], 0, "The function has 1 named input (a)."),
        (["a", "b"], 2, "The function has 2 named inputs (a, b), and 2 unnamed inputs which thus cannot be accessed"),
    ],
)
def test_sentences_about_inputs(named, unnamed, text):
    assert get_info_on_inputs(named, unnamed).startswith(text)


def test_convert_function_input():
    x = T.dscalar("x")
    assert convert_function_input(x).variable is x
    assert convert_function_input(("n", x)).name == "n"
    assert convert_function_input((x, 2.0)).value == 2.0
    both = convert_function_input(("n", (x, x * 2), 3.0))
    assert (both.name, both.value, both.variable) == ("n", 3.0, x) and both.update is not None
    for wrong in (3, [], (x, 1, 2, 3), ((x, x, x), 3), T.constant(1), "x"):
        with pytest.raises(TypeError):
            convert_function_input(wrong)


def test_alias_root_and_views():
    x = T.dmatrix("x")
    a = x.T
    b = a[0]
    c = x + 1
    fgraph, _ = std_fgraph([SymbolicInput(x)], [Out(a), Out(b), Out(c)])
    root, (ga, gb, gc) = fgraph.inputs[0], fgraph.outputs
    assert alias_root(gb) is root and alias_root(gc) is gc
    views = set()
    view_tree_set(root, views)
    assert {root, ga, gb} <= views and gc not in views
    assert set(infer_reuse_pattern(fgraph, [gb])) == {ga, gb}


def test_graphs_with_inplace_operations_have_to_be_accepted():
    from theano_compat.tensor import inplace

    x = T.dvector("x")
    y = inplace.exp_inplace(x)
    with pytest.raises(TypeError, match="Graph must not contain inplace operations"):
        function([x], y, mode=MODE)
    f = function([In(x, mutable=True)], y, mode=MODE, accept_inplace=True)
    assert np.allclose(f(np.zeros(2)), 1)


def test_check_equal():
    assert check_equal(np.ones(2), np.ones(2)) and not check_equal(np.ones(2), np.zeros(2))
    assert check_equal("a", "a") and not check_equal(1, 2)


def test_compiling_does_not_change_the_users_objects():
    x, y = T.dscalars("x", "y")
    spec = In(x, value=1.0)
    z = (x + y) * 2
    node = z.owner
    before = list(node.inputs)
    function([spec, y], z, mode="FAST_RUN")
    assert spec.variable is x and node.inputs == before and z.owner is node

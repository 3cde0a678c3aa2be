"""Composites: flattening, values, printing, equality, pickling, gradients, float16 widening."""
from __future__ import annotations

import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.scalar as scal
import theano_compat.tensor as T
from theano_compat.scalar import Composite
from theano_compat.tensor.elemwise import Elemwise


@pytest.fixture
def xy():
    return scal.float64("x"), scal.float64("y")


def test_printed_form(xy):
    x, y = xy
    text = str(Composite([x, y], [x * y + scal.exp(x) - (-y) / scal.maximum(x, y) ** scal.sqr(x)]))
    assert text == "Composite{(((i0 * i1) + exp(i0)) - ((-i1) / (maximum(i0, i1) ** sqr(i0))))}"
    several = Composite([x, y], [scal.add(x, y, x), scal.switch(x > y, x, 2)])
    assert str(several) == "Composite{(i0 + i1 + i0), Switch(GT(i0, i1), i0, Constant{2})}"
    assert str(Elemwise(several)) == "Elemwise{Composite{(i0 + i1 + i0), Switch(GT(i0, i1), i0, Constant{2})}}"


def test_steps_are_flat_and_equal_nodes_are_merged(xy):
    x, y = xy
    inner = Composite([x, y], [x * y, x - y])
    first, second = inner(x + 1, y)
    outer = Composite([x, y], [first * second + (x + 1) * y])
    assert [str(step.op) for step in outer.steps].count("mul") == 2
    assert not any(isinstance(step.op, Composite) for step in outer.steps)
    assert outer.impl(3.0, 2.0) == (4 * 2) * (4 - 2) + 4 * 2
    last = len(outer.inputs) + len(outer.constants)
    for step in outer.steps:
        assert max(step.arguments) < min(step.results) and min(step.results) >= last
        last = max(step.results)


def test_deep_and_shared_graphs_stay_linear(xy):
    x, _ = xy
    out = x
    for _ in range(3000):
        out = out * 0.5 + out
    composite = Composite([x], [out])
    assert len(composite.steps) == 6000
    assert len(str(composite)) < 20000
    assert composite.impl(0.0) == 0


def test_inner_results_have_their_declared_dtypes():
    x = scal.int8("x")
    composite = Composite([x], [scal.add(x, x) + scal.cast(1.5, "float32")])
    assert composite.impl(np.int8(100)) == np.float32(-56 + 1.5)
    data = np.array([100, 1], "int8")
    storage = [[None]]
    node = Elemwise(composite)(T.bvector()).owner
    node.op.perform(node, [data], storage)
    np.testing.assert_array_equal(storage[0][0], np.array([-54.5, 3.5], "float32"))


def test_equality_hash_and_pickles(xy):
    x, y = xy
    composite = Composite([x, y], [x * y + 3.25])
    same = Composite([y, x], [y * x + 3.25])
    assert composite == same and hash(composite) == hash(same)
    assert composite != Composite([x, y], [x * y + 3.5])
    assert composite != Composite([x, y], [y * x + 3.25])
    copy = pickle.loads(pickle.dumps(composite))
    assert copy == composite and str(copy) == str(composite) and copy.impl(2.0, 3.0) == 9.25


def test_other_input_types_make_another_composite(xy):
    x, y = xy
    composite = Composite([x, y], [x * y])
    out = composite(scal.int8("i"), y)
    assert out.type == scal.float64 and out.owner.op.inputs_type == (scal.int8, scal.float64)
    with pytest.raises(TypeError, match="Wrong types for Composite"):
        composite.output_types([scal.int8, scal.int8])


def test_inputs_as_outputs_and_free_variables_are_refused(xy):
    x, y = xy
    with pytest.raises(AssertionError):
        Composite([x, y], [x, x + y])
    with pytest.raises(Exception, match="not one of its inputs"):
        Composite([x], [x + y])


def test_gradient_is_the_chain_rule(xy):
    x, y = xy
    composite = Composite([x, y], [scal.exp(x * y) + scal.sin(x), x - y * y])
    rng = np.random.RandomState(3)

    def both(a, b):
        first, second = Elemwise(composite)(a, b)
        return first + 2 * second

    T.verify_grad(both, [rng.rand(3, 2), rng.rand(3, 2)], rng=rng, mode=theano.Mode("py", None))


def test_float16_widens_to_float32():
    h = scal.float16("h")
    composite = Composite([h], [scal.cast(h * 2 + scal.cast(h, "float16"), "float16")])
    wide = composite.clone_float32()
    assert wide.inputs_type == (scal.float32,) and wide.outputs_type == (scal.float32,)
    inputs, outputs = scal.composite_f32.apply(composite.fgraph)
    assert inputs[0].type == scal.float32 and outputs[0].type == scal.float32


def test_in_place_copy_keeps_the_graph(xy):
    x, y = xy
    composite = Composite([x, y], [x * y])
    inplace = composite.make_new_inplace(scal.transfer_type(1))
    assert inplace.impl(2.0, 4.0) == 8.0 and str(inplace) == str(composite)


def test_c_code_is_one_statement_per_step(xy):
    x, y = xy
    composite = Composite([x, y], [(x + 70.0) * y])
    text = composite.c_code(composite.make_node(x, y), "n", ["a", "b"], ["z"], {"fail": ""})
    assert "70.0" in text and text.count("=") == 3 and text.startswith("{") and text.endswith("}")

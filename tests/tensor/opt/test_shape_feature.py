"""What is known of shapes: right for every op that tells its shape, lazy, and kept when variables are replaced."""

from __future__ import annotations

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.tensor.opt.tools import PLAIN
from theano_compat.compile.mode import Mode
from theano_compat.gof import Apply, FunctionGraph, Op
from theano_compat.tensor.opt import MakeVector, ShapeFeature

x, z = T.dmatrices("x", "z")
v = T.dvector("v")
n = T.lscalar("n")
VALUES = [np.arange(12.0).reshape(3, 4), np.ones((3, 4)), np.arange(4.0), 3]
INPUTS = [x, z, v, n]

EXPRESSIONS = {
    "elementwise": lambda: x + v,
    "transposed": lambda: x.T,
    "product": lambda: T.dot(x, z.T),
    "sum": lambda: x.sum(axis=1),
    "kept sum": lambda: x.sum(axis=1, keepdims=True),
    "slice": lambda: x[1:n],
    "negative step": lambda: x[::-2],
    "element": lambda: x[0, 1:],
    "rows": lambda: x[[0, 2, 2]],
    "join": lambda: T.concatenate([x, z[:2]], axis=0),
    "stack": lambda: T.stack([x, z]),
    "reshape": lambda: x.reshape((2, 6)),
    "reshape with a gap": lambda: x.reshape((-1, 2)),
    "alloc": lambda: T.alloc(v, n, 4),
    "set": lambda: T.set_subtensor(x[0], 1.0),
    "arange": lambda: T.arange(n),
    "repeat": lambda: T.repeat(v, 2),
    "eye": lambda: T.eye(n, n + 1),
    "outer": lambda: T.outer(v, v),
}


def feature_of(*outputs):
    fgraph = FunctionGraph(INPUTS, list(outputs), clone=True)
    fgraph.attach_feature(ShapeFeature())
    return fgraph, fgraph.shape_feature


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_shape_of_is_the_shape(name):
    expression = EXPRESSIONS[name]()
    function = theano.function(INPUTS, [expression, expression.shape], mode=PLAIN, on_unused_input="ignore")
    wanted = function(*VALUES)[0].shape
    fgraph, feature = feature_of(expression)
    lengths = feature.shape_of[fgraph.outputs[0]]
    lengths = theano.function(fgraph_inputs(fgraph), list(lengths), mode=PLAIN, on_unused_input="ignore") if lengths else None
    assert tuple(int(i) for i in lengths(*VALUES)) == wanted


def fgraph_inputs(fgraph):
    """Take the graph apart, so that its variables can be used in a function."""
    inputs = list(fgraph.inputs)
    fgraph.disown()
    return inputs


def test_only_shapes_that_are_asked_for_are_computed():
    asked = []

    class Watched(Op):
        __props__ = ()

        def make_node(self, a):
            return Apply(self, [a], [a.type()])

        def infer_shape(self, node, shapes):
            asked.append(node)
            return shapes

    fgraph, feature = feature_of(Watched()(x), x.T)
    assert feature.shape_of[fgraph.outputs[1]] and not asked
    assert feature.shape_of[fgraph.outputs[0]] and len(asked) == 1


def test_depth_does_not_matter():
    out = x
    for _ in range(3000):
        out = -out
    fgraph, feature = feature_of(out)
    assert feature.same_shape(fgraph.outputs[0], fgraph.inputs[0])


def test_same_shape_of_dimensions():
    fgraph, feature = feature_of(x + z, x.T)
    total, transposed = fgraph.outputs
    assert feature.same_shape(total, transposed, 0, 1)
    assert not feature.same_shape(total, transposed)
    with pytest.raises(ValueError, match="both dimensions or neither"):
        feature.same_shape(total, transposed, 0)


def test_a_replacement_without_infer_shape_inherits_what_was_known():
    class Silent(Op):
        __props__ = ()

        def make_node(self, a):
            return Apply(self, [a], [a.type()])

    fgraph, feature = feature_of(T.exp(x))
    (old,) = fgraph.outputs
    known = feature.shape_of[old]
    new = Silent()(fgraph.inputs[0])
    fgraph.replace(old, new)
    assert feature.shape_of[new] == known


def test_wrong_infer_shape_is_an_error_that_names_the_op():
    class Wrong(Op):
        __props__ = ()

        def make_node(self, a):
            return Apply(self, [a], [a.type()])

        def infer_shape(self, node, shapes):
            return [shapes[0], shapes[0]]

    fgraph, feature = feature_of(Wrong()(x))
    with pytest.raises(Exception, match="returned a list with the wrong number of element"):
        feature.shape_of[fgraph.outputs[0]]


def test_shapes_in_functions_need_no_computation():
    function = theano.function([x, z], T.tanh(T.dot(x, z.T)).shape, mode=Mode("py", "fast_run"))
    assert not any("dot" in str(node.op).lower() for node in function.maker.fgraph.toposort())
    np.testing.assert_array_equal(function(np.ones((2, 3)), np.ones((5, 3))), [2, 5])


def test_make_vector():
    a, b = T.dscalars("ab")
    out = MakeVector("float64")(a, b)
    assert theano.function([a, b], out, mode=PLAIN)(1, 2).tolist() == [1.0, 2.0]
    assert theano.function([a, b], T.grad((out * [3.0, 5.0]).sum(), b), mode=PLAIN)(1, 2) == 5.0
    with pytest.raises(AssertionError, match="upcast of the inputs to MakeVector"):
        MakeVector("int64")(a, b)
    with pytest.raises(TypeError, match="takes scalars"):
        MakeVector("float64")(v)

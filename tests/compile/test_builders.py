"""OpFromGraph: values, gradients and their replacements, shared variables, inlining, shapes."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat import OpFromGraph, function, shared
from theano_compat.gradient import DisconnectedType

MODE = "FAST_COMPILE"
A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 0.5], [1.0, -1.0]])


@pytest.fixture(params=[False, True], ids=["op", "inline"])
def inline(request):
    return request.param


def test_value_and_node(inline):
    x, y = T.dmatrices("x", "y")
    op = OpFromGraph([x, y], [x + y * 2, x.sum()], inline=inline, name="mine")
    a, b = T.dmatrices("a", "b")
    f = function([a, b], op(a, op(b, a)[0]), mode=MODE)
    first, second = f(A, B)
    assert np.allclose(first, A + 2 * (B + 2 * A)) and np.allclose(second, A.sum())
    assert str(op) == f"mine{{inline={inline}}}"
    left = [node for node in f.maker.fgraph.apply_nodes if isinstance(node.op, OpFromGraph)]
    assert bool(left) is not inline


def test_gradient_of_gradient(inline):
    x, y = T.dmatrices("x", "y")
    op = OpFromGraph([x, y], [x**3 * y], inline=inline)
    a, b = T.dmatrices("a", "b")
    first = theano.grad(op(a, b).sum(), a)
    second = theano.grad(first.sum(), [a, b])
    g, ga, gb = function([a, b], [first, *second], mode=MODE)(A, B)
    assert np.allclose(g, 3 * A**2 * B) and np.allclose(ga, 6 * A * B) and np.allclose(gb, 3 * A**2)


def test_r_op(inline):
    x = T.dvector("x")
    op = OpFromGraph([x], [x**2], inline=inline)
    a, v = T.dvectors("a", "v")
    f = function([a, v], theano.Rop(op(a), a, v), mode=MODE)
    assert np.allclose(f([1.0, 2.0], [3.0, 4.0]), [6, 16])


def test_shared_variables_are_captured_and_updated_values_seen(inline):
    x, w = T.dmatrix("x"), shared(B.copy(), "w")
    op = OpFromGraph([x], [x * w], inline=inline)
    a = T.dmatrix("a")
    f = function([a], op(a), mode=MODE)
    assert np.allclose(f(A), A * B)
    w.set_value(2 * B)
    assert np.allclose(f(A), 2 * A * B)
    g = function([a], theano.grad(op(a).sum(), w), mode=MODE)
    assert np.allclose(g(A), A)


def test_replaced_gradients():
    x, y = T.dvectors("x", "y")
    a, b = T.dvectors("a", "b")

    def tens(inputs, outputs, gradients):
        return [gradients[0] * 10, gradients[0] * 20]

    def value(op):
        return [v.tolist() for v in function([a, b], theano.grad(op(a, b).sum(), [a, b]), mode=MODE,
                                             on_unused_input="ignore")([1.0], [2.0])]

    assert value(OpFromGraph([x, y], [x * y], lop_overrides=tens)) == [[10], [20]]
    assert value(OpFromGraph([x, y], [x * y], grad_overrides=lambda i, g: [g[0] * 3, i[0] * g[0]])) == [[3], [1]]
    one = OpFromGraph([x, y], [x * y], grad_overrides=["default", lambda i, g: g[0] * 7])
    assert value(one) == [[2], [7]]
    with pytest.raises(ValueError, match="mutually exclusive"):
        OpFromGraph([x], [x], lop_overrides=tens, grad_overrides=tens)


def test_disconnected_replacement():
    x, y = T.dvectors("x", "y")
    op = OpFromGraph([x, y], [x * y], grad_overrides=["default", None])
    a, b = T.dvectors("a", "b")
    assert op.connection_pattern(None) == [[True], [False]]
    with pytest.raises(theano.gradient.DisconnectedInputError):
        theano.grad(op(a, b).sum(), b)
    g = theano.grad(op(a, b).sum(), b, disconnected_inputs="ignore", return_disconnected="disconnected")
    assert isinstance(g.type, DisconnectedType)


def test_op_as_replacement():
    x, g = T.dvectors("x", "g")
    op = OpFromGraph([x], [x**2], grad_overrides=OpFromGraph([x, g], [g * x * 100]))
    a = T.dvector("a")
    assert np.allclose(function([a], theano.grad(op(a).sum(), a), mode=MODE)([2.0]), 200)


def test_connection_pattern_of_the_expression():
    x, y, z = T.dvectors("x", "y", "z")
    op = OpFromGraph([x, y, z], [x + y, z * 2], on_unused_input="ignore")
    assert op.connection_pattern(None) == [[True, False], [True, False], [False, True]]


def test_shape_is_known_without_computing():
    x, y = T.dmatrix("x"), T.dmatrix("y")
    op = OpFromGraph([x, y], [T.dot(x, y)])
    a, b = T.dmatrices("a", "b")
    f = function([a, b], op(a, b).shape, mode=theano.Mode("py", "fast_run"))
    assert list(f(np.ones((2, 3)), np.ones((3, 5)))) == [2, 5]
    assert not [node for node in f.maker.fgraph.apply_nodes if isinstance(node.op, OpFromGraph)]


def test_wrong_arguments():
    x = T.dvector("x")
    with pytest.raises(TypeError, match="outputs must be list"):
        OpFromGraph([x], x)
    with pytest.raises(TypeError, match="updates and givens are not allowed here"):
        OpFromGraph([x], [x], givens={})
    with pytest.raises(ValueError, match="Expected 1 inputs, got 2"):
        OpFromGraph([x], [x * 2])(x, x)

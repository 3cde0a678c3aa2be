"""View, copy, shape and broadcast ops; ops made of Python functions."""

import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.compile import ops
from theano_compat.gof.utils import MethodNotDefined

MODE = theano.Mode("py", None)


def value(expression, givens):
    return theano.function(list(givens), expression, mode=MODE, on_unused_input="ignore")(*givens.values())


def test_view_and_copy():
    x = T.dvector("x")
    data = np.ones(3)
    storage = [None]
    node = ops.view_op(x).owner
    node.op.perform(node, [data], [storage])
    assert storage[0] is data
    node = ops.deep_copy_op(x).owner
    node.op.perform(node, [data], [storage])
    assert storage[0] is not data and np.array_equal(storage[0], data)
    assert str(ops.view_op) == "ViewOp" and ops.view_op == ops.ViewOp()


def test_shape_ops_agree_with_numpy():
    x = T.dmatrix("x")
    data = np.zeros((2, 5))
    assert list(value(ops.shape(x), {x: data})) == [2, 5]
    assert value(ops.shape_i_op(1)(x), {x: data}) == 5
    assert ops.shape_i_op(1) is ops.shape_i_op(np.int64(1)) and ops.Shape_i(1) == ops.Shape_i(np.int8(1))
    assert str(ops.Shape_i(1)) == "Shape_i{1}"
    with pytest.raises(TypeError, match="x has too few dimensions for Shape_i"):
        ops.Shape_i(2)(x)
    assert value(ops.shape_i(x, 0), {x: data}) == 2


def test_shapes_have_no_gradient():
    x = T.dmatrix("x")
    with pytest.raises(theano.gradient.DisconnectedInputError):
        theano.grad(ops.shape(x).sum().astype("float64"), x)


def test_specify_shape():
    x = T.dmatrix("x")
    y = ops.specify_shape(x, (2, 3))
    assert np.array_equal(value(y, {x: np.ones((2, 3))}), np.ones((2, 3)))
    with pytest.raises(AssertionError, match="got shape"):
        value(y, {x: np.ones((3, 2))})
    gradient = theano.grad((y**2).sum(), x)
    assert np.array_equal(value(gradient, {x: np.ones((2, 3))}), 2 * np.ones((2, 3)))
    with pytest.raises(AssertionError):
        ops.specify_shape(x, (2,))


def test_rebroadcast():
    x = T.dmatrix("x")
    y = ops.Rebroadcast((0, True), (1, False))(x)
    assert y.broadcastable == (True, False) and str(y.owner.op) == "Rebroadcast{1,0}"
    assert str(ops.Rebroadcast((2, True))) == "Rebroadcast{?,?,1}"
    assert ops.Rebroadcast((1, True), (0, False)) == ops.Rebroadcast((0, False), (1, True))
    with pytest.raises(ValueError, match="Dimension 0 in Rebroadcast's input was supposed to be 1"):
        value(y, {x: np.ones((2, 2))})
    gradient = theano.grad(y.sum(), x)
    assert gradient.broadcastable == (False, False)
    for wrong in ((0, 3), ("a", True)):
        with pytest.raises(TypeError):
            ops.Rebroadcast(wrong)
    with pytest.raises(ValueError, match="Trying to rebroadcast non-existent dimension"):
        ops.Rebroadcast((2, True))(x)


@ops.as_op(itypes=[T.dvector, T.dvector], otypes=[T.dvector, T.dscalar], infer_shape=lambda node, shapes: [shapes[0], ()])
def cross(a, b):
    return a * b, np.asarray(a @ b)


def test_as_op():
    a, b = T.dvectors("a", "b")
    product, dot = cross(a, b)
    left, right = np.arange(3.0), np.ones(3)
    assert np.array_equal(value(product, {a: left, b: right}), left) and value(dot, {a: left, b: right}) == 3
    assert str(cross) == "FromFunctionOp{cross}"
    shape = theano.function([a, b], product.shape, mode=theano.Mode("py", "fast_run"), on_unused_input="ignore")
    assert not [node for node in shape.maker.fgraph.apply_nodes if node.op == cross]
    assert list(shape(left, right)) == [3]


def test_as_op_pickles_by_name():
    assert pickle.loads(pickle.dumps(cross)) is cross
    local = ops.as_op([T.dvector], [T.dvector])(lambda x: x)
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(local)


def test_as_op_checks_its_arguments():
    with pytest.raises(TypeError, match="itypes has to be a list of Theano types"):
        ops.as_op([3], [T.dvector])
    with pytest.raises(TypeError, match="infer_shape needs to be a callable"):
        ops.as_op([T.dvector], [T.dvector], infer_shape=3)
    with pytest.raises(TypeError, match="We expected inputs of types"):
        cross(T.fvector(), T.dvector())


def test_registered_c_text_is_kept():
    class Mine(theano.gof.Type):
        def filter(self, data, strict=False, allow_downcast=None):
            return data

    ops.register_view_op_c_code(Mine, "%(oname)s = %(iname)s; // %(fail)s", version=(1,))
    x = Mine()()
    text = ops.view_op.c_code(ops.view_op(x).owner, "n", ["in"], ["out"], {"fail": "F"})
    assert text == "out = in; // F"
    with pytest.raises(MethodNotDefined):
        ops.deep_copy_op.c_code(ops.deep_copy_op(x).owner, "n", ["in"], ["out"], {"fail": "F"})
    del ops.ViewOp.c_code_and_version[Mine]

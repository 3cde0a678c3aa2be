"""Elemwise, DimShuffle and the reductions: forms, errors, dtype rules. Values are in ``tests/specs``."""
from __future__ import annotations

import pickle

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.scalar as scal
import theano_compat.tensor as T
from theano_compat.tensor import inplace
from theano_compat.tensor.elemwise import (
    All,
    Any,
    CAReduce,
    CAReduceDtype,
    DimShuffle,
    Elemwise,
    Prod,
    ProdWithoutZeros,
    Sum,
)

PY = theano.Mode("py", None)


def test_printed_forms():
    x = T.dmatrix("x")
    for op, text in (
        (T.add, "Elemwise{add,no_inplace}"),
        (Elemwise(scal.add), "Elemwise{add}"),
        (Elemwise(scal.add, {0: 0}), "Elemwise{add}[(0, 0)]"),
        (Elemwise(scal.Add(scal.transfer_type(0)), {0: 0}), "Elemwise{Add}[(0, 0)]"),
        (Elemwise(scal.add, {0: 0}, name="hi"), "hi"),
        (T.sum(x).owner.op, "Sum{acc_dtype=float64}"),
        (T.sum(x, axis=0).owner.op, "Sum{axis=[0], acc_dtype=float64}"),
        (Sum((0, 1), dtype="int8"), "Sum{axis=[0, 1], acc_dtype=None}"),
        (T.prod(T.bmatrix()).owner.op, "Prod{axis=None, dtype='int64', acc_dtype='int64'}"),
        (ProdWithoutZeros(), "ProdWithoutZeros{axis=None, dtype=None, acc_dtype=None}"),
        (CAReduce(scal.maximum, 1), "Reduce{maximum}{1}"),
        (CAReduce(scal.add), "Reduce{add}"),
        (Any(), "Any"),
        (All(0), "All{0}"),
        (x.T.owner.op, "InplaceDimShuffle{1,0}"),
        (T.dvector().dimshuffle("x", 0).owner.op, "InplaceDimShuffle{x,0}"),
        (T.cast(x, "float32").owner.op, "Elemwise{Cast{float32}}"),
        (inplace.exp_inplace, "exp_inplace"),
    ):
        assert str(op) == text


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((2, 3), (3, 3), "Input dimension mis-match. (input[0].shape[0] = 2, input[1].shape[0] = 3)"),
        ((2, 3), (1, 3), "Input dimension mis-match. (input[0].shape[0] = 2, input[1].shape[0] = 1)"),
        ((2, 3), (2, 4), "Input dimension mis-match. (input[0].shape[1] = 3, input[1].shape[1] = 4)"),
    ],
)
def test_lengths_that_clash_are_named(a, b, message):
    x, y = T.dmatrix("x"), T.dmatrix("y")
    with pytest.raises(ValueError) as error:
        theano.function([x, y], x + y, mode=PY)(np.zeros(a), np.zeros(b))
    assert str(error.value).startswith(message)


def test_in_place_needs_room_and_the_same_dtype():
    x, row, whole = T.dmatrix(), T.drow(), T.imatrix()
    with pytest.raises(ValueError, match="Operation cannot be done inplace on an input with broadcasted dimensions."):
        Elemwise(scal.add, {0: 0})(row, x)
    with pytest.raises(TypeError, match="Cannot do an inplace operation on incompatible data types."):
        Elemwise(scal.add, {0: 0})(whole, x)


def test_elemwise_equality_ignores_the_name():
    assert T.add == Elemwise(scal.add) and hash(T.add) == hash(Elemwise(scal.add))
    assert Elemwise(scal.add, {0: 0}) != T.add
    for op in (T.add, Elemwise(scal.Add(scal.transfer_type(1)), {0: 1}), T.exp):
        copy = pickle.loads(pickle.dumps(op))
        assert copy == op and hash(copy) == hash(op) and copy.destroy_map == op.destroy_map and str(copy) == str(op)


def test_inputs_get_dimensions_on_the_left():
    x, v, s = T.dmatrix("x"), T.dvector("v"), T.dscalar("s")
    node = (x + v + s).owner
    assert str(node.inputs[1].owner.op) == "InplaceDimShuffle{x,x}"
    assert (T.dcol() + T.drow()).type.broadcastable == (False, False)
    assert (T.drow() + T.drow()).type.broadcastable == (True, False)


def test_a_users_scalar_op_works_elementwise_through_impl():
    class Twice(scal.UnaryScalarOp):
        def impl(self, x):
            return x + x

    op = Elemwise(Twice(scal.same_out, name="twice"))
    x = T.ivector("x")
    np.testing.assert_array_equal(theano.function([x], op(x), mode=PY)(np.arange(4, dtype="int32")), [0, 2, 4, 6])
    assert op(x).dtype == "int32"


def test_a_scalar_op_of_two_outputs():
    class DivMod(scal.BinaryScalarOp):
        nout = 2

        def impl(self, x, y):
            return x // y, x % y

    op = Elemwise(DivMod(lambda x, y: (x, y)))
    x = T.lvector("x")
    quotient, rest = theano.function([x], op(x, 3), mode=PY)(np.arange(7))
    np.testing.assert_array_equal(quotient, [0, 0, 0, 1, 1, 1, 2])
    np.testing.assert_array_equal(rest, [0, 1, 2, 0, 1, 2, 0])


def test_results_never_alias_inputs():
    x = T.dmatrix("x")
    data = np.ones((2, 3))
    for out in (T.identity(x) if hasattr(T, "identity") else Elemwise(scal.identity)(x), T.fill(x, x), T.real(x), T.cast(x, "float64") * 1):
        if out is x:
            continue
        storage = [[None]]
        out.owner.op.perform(out.owner, [data] * len(out.owner.inputs), storage)
        assert not np.may_share_memory(storage[0][0], data)
        assert storage[0][0].flags.writeable


def test_gradient_of_a_stretched_input_is_summed():
    x, v, s = T.dmatrix("x"), T.dvector("v"), T.dscalar("s")
    gradients = theano.function([x, v, s], T.grad((x * v + s).sum(), [x, v, s]), mode=PY)
    a, b = np.arange(6.0).reshape(2, 3), np.array([1.0, 2, 3])
    gx, gv, gs = gradients(a, b, 2.0)
    np.testing.assert_allclose(gx, np.broadcast_to(b, (2, 3)))
    np.testing.assert_allclose(gv, a.sum(axis=0))
    assert gs == 6


def test_gradient_through_a_comparison_is_zero_and_of_float_dtype():
    x = T.dmatrix("x")
    gradient = T.grad(T.switch(T.gt(x, 0), x, 2 * x).sum(), x)
    np.testing.assert_array_equal(theano.function([x], gradient, mode=PY)(np.array([[1.0, -1.0]])), [[1, 2]])
    assert theano.function([x], T.grad(T.sum(T.any(x)), x), mode=PY)(np.ones((1, 2))).dtype == "float64"


def test_second_derivatives_and_disconnected_inputs():
    x = T.dscalar("x")
    second = T.grad(T.grad(T.exp(x) * T.sin(x), x), x)
    np.testing.assert_allclose(theano.function([x], second, mode=PY)(0.7), 2 * np.exp(0.7) * np.cos(0.7))
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(T.fill(x, 2.0), x)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((False, False), (0,)), ValueError, "You cannot drop a non-broadcastable dimension."),
        (((False,), (0, 0)), ValueError, "The same input dimension may not appear twice"),
        (((False,), (1,)), ValueError, r"new_order\[0\] is 1, but the input only has 1 axes."),
        (((False,), ("y",)), TypeError, "DimShuffle indices must be python ints."),
        (((False,), ("x", 0), False), ValueError, "DimShuffle is inplace by default"),
    ],
)
def test_impossible_shuffles_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        DimShuffle(*arguments)


def test_a_shuffle_takes_the_pattern_it_was_made_for():
    with pytest.raises(TypeError, match="The number of dimensions of the input is incorrect for this op. Expected "):
        DimShuffle((False,), ("x", 0))(T.dmatrix())
    with pytest.raises(TypeError, match="The broadcastable pattern of the input is incorrect for this op."):
        DimShuffle((True,), ("x", 0))(T.dvector())


@pytest.mark.parametrize("mode", [PY, theano.Mode("c", "fast_run")], ids=["py", "c"])
def test_more_dimensions_than_numpy_has_are_a_value_error(mode):
    x = T.dscalar("x")
    f = theano.function([x], x.dimshuffle(["x"] * 65), mode=mode)
    with pytest.raises(ValueError, match="dimension"):
        f(0.0)


def test_a_shuffle_is_a_view_with_its_parts_listed():
    op = DimShuffle((False, True, False), (2, "x", 0))
    assert (op.shuffle, op.drop, op.augment, op.transposition, op.view_map) == ([2, 0], [1], [1], [2, 0, 1], {0: [0]})
    data = np.arange(6.0).reshape(2, 1, 3)
    node, storage = op.make_node(T.TensorType("float64", (False, True, False))()), [[None]]
    op.perform(node, [data], storage)
    assert storage[0][0].shape == (3, 1, 2) and np.shares_memory(storage[0][0], data)
    with pytest.raises(ValueError, match="of length 1"):
        op.perform(node, [np.zeros((2, 2, 3))], [[None]])


SUM_DTYPES = {"bool": "int64", "int8": "int64", "int32": "int64", "uint8": "uint64", "uint32": "uint64"}
ACC_DTYPES = {**SUM_DTYPES, "float16": "float32", "float32": "float64", "complex64": "complex128"}


@pytest.mark.parametrize("dtype", [t.dtype for t in scal.all_types])
@pytest.mark.parametrize("cls", [Sum, Prod])
def test_default_dtypes_of_sums_and_products(cls, dtype):
    wide = {"int16": "int64", "uint16": "uint64"}
    node = cls()(T.TensorType(dtype, (False, False))()).owner
    assert node.op.dtype == node.outputs[0].dtype == {**SUM_DTYPES, **wide}.get(dtype, dtype)
    assert node.op.acc_dtype == {**ACC_DTYPES, **wide}.get(dtype, dtype)
    assert CAReduce(scal.maximum)(T.TensorType(dtype, (False,))()).dtype == dtype
    assert All()(T.TensorType(dtype, (False,))()).dtype == "bool"


def test_an_accumulator_too_narrow_is_refused():
    with pytest.raises(TypeError, match="Cannot build Sum{acc_dtype=int8} node with input dtype int32 and acc_dtype int8"):
        T.sum(T.imatrix(), acc_dtype="int8")
    assert T.sum(T.imatrix(), acc_dtype="float32").owner.op.acc_dtype == "float32"
    assert T.sum(T.dmatrix(), dtype="int32").dtype == "int32"


def test_axes_are_sorted_counted_from_the_front_and_checked():
    x = T.dmatrix("x")
    assert Sum(axis=[1, 0]).axis == (0, 1) and Sum(axis=np.int64(1)).axis == (1,) and Sum()(x).owner.op.axis is None
    assert Sum(axis=-1)(x).owner.op.axis == (1,)
    for axis in (2, -3):
        with pytest.raises(ValueError, match=f"Not enough dimensions on x to reduce on axis {axis}"):
            T.sum(x, axis=axis)
    with pytest.raises(NotImplementedError, match="CAReduce only supports binary functions with a single output."):
        CAReduce(scal.sin)


def test_an_empty_maximum_is_an_error_and_an_empty_sum_is_zero():
    x = T.dmatrix("x")
    with pytest.raises(ValueError, match="has zero-size on axis 0, but self.scalar_op .maximum. has no attribute 'identity'"):
        theano.function([x], CAReduce(scal.maximum, 0)(x), mode=PY)(np.zeros((0, 3)))
    for build, wanted in ((T.sum, 0), (T.prod, 1), (T.any, False), (T.all, True)):
        np.testing.assert_array_equal(theano.function([x], build(x, axis=1), mode=PY)(np.zeros((3, 0))), [wanted] * 3)


def test_reductions_compare_by_scalar_op_axis_and_dtypes():
    assert Sum() != Sum(dtype="float64") and Sum(0) == Sum(0) and hash(Sum(0)) == hash(Sum(0)) and Sum(0) != Prod(0)
    assert CAReduceDtype(scal.add, 0) != CAReduceDtype(scal.mul, 0)
    for op in (Sum(0, dtype="int8"), Prod(1), Any((0, 1)), CAReduce(scal.minimum)):
        assert pickle.loads(pickle.dumps(op)) == op


def test_a_product_through_a_python_only_op_gets_folded():
    class Glue(scal.BinaryScalarOp):
        commutative = associative = True
        identity = 0

        def impl(self, x, y):
            return x + 2 * y

    x = T.dvector("x")
    assert theano.function([x], CAReduce(Glue(scal.upcast_out))(x), mode=PY)(np.array([1.0, 2.0, 3.0])) == 11.0


def test_gradients_of_products_with_zeros():
    data = np.array([[1.0, 2, 3], [0, 5, 6], [0, 0, 9]])
    x = T.dmatrix("x")
    gradient = theano.function([x], T.grad(T.prod(x, axis=1).sum(), x), mode=PY)(data)
    np.testing.assert_allclose(gradient, [[6, 3, 2], [30, 0, 0], [0, 0, 0]])


def test_in_place_names_do_their_work():
    x = T.dvector("x")
    data = np.array([0.0, 1.0])
    for name, wanted in (("exp_inplace", np.exp), ("neg_inplace", np.negative), ("sqr_inplace", np.square)):
        op, values, storage = getattr(inplace, name), data.copy(), [[None]]
        op.perform(op.make_node(x), [values], storage)
        assert storage[0][0] is values
        np.testing.assert_allclose(values, wanted(data))
    assert str(inplace.transpose_inplace(T.dmatrix()).owner.op) == "InplaceDimShuffle{1,0}"


def test_pretty_printing_of_shuffles_and_operators():
    x, v = T.dmatrix("x"), T.dvector("v")
    assert theano.pp(x.T + v) == "(x.T + v)"
    assert theano.pp(v.dimshuffle(0, "x")) == "DimShuffle{0, x}(v)"
    a, b = scal.float64("a"), scal.float64("b")
    assert theano.pp(-a * b**2 - a / b) == "(((-a) * (b ** Constant{2})) - (a / b))"

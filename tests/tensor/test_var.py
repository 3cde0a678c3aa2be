"""Operators and methods of variables, constants, and conversion to both."""

import copy
import pickle

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from tests.tensor.tensor_tools import evaluate
from theano_compat.tensor.var import AsTensorError, TensorConstant, TensorConstantSignature

RNG = np.random.RandomState(1)
M = RNG.uniform(0.1, 0.9, (3, 4))
N = RNG.uniform(0.1, 0.9, (3, 4))

BINARY = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "//": lambda a, b: a // b, "%": lambda a, b: a % b, "**": lambda a, b: a**b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "divmod 0": lambda a, b: divmod(a, b)[0], "divmod 1": lambda a, b: divmod(a, b)[1],
}  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
def test_binary_operators_work_from_both_sides(name):
    op, x, y = BINARY[name], T.dmatrix(), T.dmatrix()
    np.testing.assert_allclose(evaluate(op(x, y), {x: M, y: N}), op(M, N))
    np.testing.assert_allclose(evaluate(op(x, 2), {x: M}), op(M, 2))
    np.testing.assert_allclose(evaluate(op(2.0, x), {x: M}), op(2.0, M))


@pytest.mark.parametrize("name", ["&", "|", "^"])
def test_bit_operators(name):
    op = {"&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b}[name]
    x, value = T.ivector(), np.array([0, 1, 2, 7], "int32")
    np.testing.assert_array_equal(evaluate(op(x, 3), {x: value}), op(value, 3))
    np.testing.assert_array_equal(evaluate(op(3, x), {x: value}), op(3, value))
    np.testing.assert_array_equal(evaluate(~x, {x: value}), ~value)


METHODS = {
    **dict.fromkeys("arccos arcsin arcsinh arctan arctanh ceil cos cosh deg2rad exp exp2 expm1 floor log log10 log1p log2 rad2deg " "sin sinh sqrt tan tanh trunc".split(), ()),
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_elementwise_methods(name):
    x = T.dmatrix()
    np.testing.assert_allclose(evaluate(getattr(x, name)(), {x: M}), getattr(np, name)(M))


def test_arccosh_method():
    x = T.dmatrix()
    np.testing.assert_allclose(evaluate(x.arccosh(), {x: M + 1}), np.arccosh(M + 1))


@pytest.mark.parametrize(
    ("build", "reference"),
    [
        (lambda x: abs(x - 0.5), lambda x: abs(x - 0.5)), (lambda x: -x, lambda x: -x),
        (lambda x: x.T, lambda x: x.T), (lambda x: x.real, lambda x: x.real), (lambda x: x.imag, lambda x: x.imag),
        (lambda x: x.conj(), lambda x: x), (lambda x: x.clip(0.3, 0.6), lambda x: x.clip(0.3, 0.6)),
        (lambda x: x.fill(3), lambda x: np.full_like(x, 3)), (lambda x: x.ravel(), np.ravel),
        (lambda x: x.astype("float32"), lambda x: x.astype("float32")), (lambda x: x.copy(), lambda x: x),
        (lambda x: x.transpose(1, 0), lambda x: x.T), (lambda x: x.transpose([0, 1]), lambda x: x),
        (lambda x: x.dimshuffle(1, "x", 0), lambda x: x.T[:, None]), (lambda x: x.swapaxes(0, 1), lambda x: x.T),
        (lambda x: x.sum(0).cumsum(), lambda x: x.sum(0).cumsum()), (lambda x: x.cumprod(1), lambda x: x.cumprod(1)),
        (lambda x: x.repeat(2, axis=1), lambda x: x.repeat(2, 1)), (lambda x: x.sort(1), lambda x: np.sort(x, 1)),
        (lambda x: x.argsort(0), lambda x: np.argsort(x, 0)), (lambda x: x.take([2, 0], axis=1), lambda x: x[:, [2, 0]]),
        (lambda x: x.norm(2), np.linalg.norm), (lambda x: x.norm(2, axis=1, keepdims=True), lambda x: np.linalg.norm(x, axis=1, keepdims=True)),
        (lambda x: x.dot(x.T), lambda x: x @ x.T), (lambda x: x.trace(), np.trace), (lambda x: x.diagonal(1), lambda x: x.diagonal(1)),
        (lambda x: x.nonzero()[1], lambda x: x.nonzero()[1]), (lambda x: x.nonzero_values(), np.ravel),
        (lambda x: (x > 0.5)[:, 0].compress(x, axis=0), lambda x: x[x[:, 0] > 0.5]),
        (lambda x: x[0].sort().searchsorted(0.5), lambda x: np.searchsorted(np.sort(x[0]), 0.5)),
        (lambda x: x.dimshuffle(0, "x", 1).squeeze(), lambda x: x), (lambda x: x.zeros_like(), np.zeros_like),
        (lambda x: x.ones_like("int8"), lambda x: np.ones_like(x, "int8")), (lambda x: x.size, np.size),
        (lambda x: (x * 10).round(), lambda x: np.round(x * 10)), (lambda x: x.ptp(0), lambda x: np.ptp(x, 0)),
    ],
)  # fmt: skip
def test_methods(build, reference):
    x = T.dmatrix()
    np.testing.assert_allclose(evaluate(build(x), {x: M}), reference(M))


def test_an_ndarray_on_the_left_leaves_the_operation_to_the_variable():
    x = T.dvector()
    with_array = np.float64(2) * x
    assert with_array.type == T.dvector


def test_truth_of_a_comparison_is_an_error():
    x = T.dscalar()
    assert bool(x)
    for build in (lambda: bool(x > 3), lambda: 1 < x < 3):
        with pytest.raises(TypeError, match="^Variables do not support boolean operations"):
            build()


def test_equality_is_identity():
    x, y = T.dscalars("x", "y")
    assert x == x and x != y and len({x, y, x}) == 2


def test_iteration_stops_where_the_length_is_not_known():
    with pytest.raises(TypeError, match="does not support iteration"):
        list(T.dmatrix())
    assert len(list(T.as_tensor_variable([T.dscalar(), 1.0]))) == 2
    rows, columns = T.dmatrix().shape
    assert rows.dtype == "int64"


def test_what_cannot_be_a_tensor_leaves_the_operator_to_the_other_side():
    class Other:
        def __radd__(self, other):
            return "mine"

    assert T.dvector() + Other() == "mine"
    with pytest.raises(TypeError, match="unsupported operand"):
        T.dvector() + None


def test_mod_of_complex_numbers_is_an_error():
    with pytest.raises(theano_compat.scalar.ComplexError):
        T.zvector() % 2


# --- indexing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index",
    [
        0, -1, (1, 2), slice(1, 3), (slice(None), slice(None, None, -1)), Ellipsis, (Ellipsis, 1), (0, Ellipsis),
        None, (slice(None), None), (None, 0), (0, None, 1), (None, None, Ellipsis, None), (), [0, 2], (slice(None), [1, 0]),
        ([0, 1], [1, 2]), (0, [1, 2]), np.array([1, 2]), np.array([[0, 1], [2, 0]]), ([0, 1], None), (None, [1, 0]),
        np.array([[True, False, True, False]] * 3), np.array([True, False, True]), np.int32(2), np.uint8(1), [],
    ],
    ids=str,
)  # fmt: skip
def test_indexing_is_numpys(index):
    x = T.dmatrix()
    got, want = evaluate(x[index], {x: M}), M[index]
    np.testing.assert_array_equal(got, want)
    assert got.shape == want.shape


def test_indexing_by_variables():
    x, i, j, mask = T.dmatrix(), T.lscalar(), T.lvector(), T.TensorType("bool", (False, False))()
    values = {x: M, i: 2, j: np.array([2, 0]), mask: M > 0.5}
    want = [M[2], M[1:2], M[[2, 0]], M[:, [2, 0]], M[M > 0.5], M[2, [2, 0]], M[[[2, 0]]]]
    got = evaluate([x[i], x[1:i], x[j], x[:, j], x[mask], x[i, j], x[j.dimshuffle("x", 0)]], values)
    for a, b in zip(got, want):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("index", "op"),
    [
        (0, "Subtensor{int64}"), (Ellipsis, "Subtensor{::, ::}"), ((), "Subtensor{}"), ([0, 1], "AdvancedSubtensor1"),
        (([0], [1]), "AdvancedSubtensor"), ((slice(None), slice(None), None), "InplaceDimShuffle{0,1,x}"),
    ],
)  # fmt: skip
def test_indexing_makes_theanos_ops(index, op):
    assert str(T.dmatrix()[index].owner.op) == op


@pytest.mark.parametrize(
    ("index", "error", "text"),
    [
        ((0, 0, 0), IndexError, "^too many indices for array$"),
        ((Ellipsis, Ellipsis), IndexError, "single Ellipsis"),
        ([True, False], TypeError, "does not support Python bools"),
        (True, TypeError, "does not support Python bools"),
        (1.5, TypeError, "index must be integers"),
        ("a", TypeError, "Cannot convert a"),
    ],
)  # fmt: skip
def test_bad_indices_are_errors(index, error, text):
    with pytest.raises(error, match=text):
        T.dmatrix()[index]


# --- constants --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (3, T.bscalar, "TensorConstant{3}"), (300, T.wscalar, "TensorConstant{300}"), (2**40, T.lscalar, "TensorConstant{1099511627776}"),
        ([1, 2], T.lvector, "TensorConstant{[1 2]}"), ([1.5], T.TensorType("float64", (True,)), "TensorConstant{(1,) of 1.5}"),
        (np.zeros((1, 3)), T.drow, "TensorConstant{(1, 3) of 0.0}"), (True, T.TensorType("int8", ()), "TensorConstant{1}"),
        (np.float32(2), T.fscalar, "TensorConstant{2.0}"), (np.arange(30), T.lvector, "TensorConstant{[ 0  1  2 .. 27 28 29]}"),
        (np.zeros(0), T.dvector, "TensorConstant{[]}"),
    ],
)  # fmt: skip
def test_constants_know_type_and_show_value(value, kind, shown):
    c = T.constant(value)
    assert c.type == kind or isinstance(value, bool)
    assert str(c) == shown
    np.testing.assert_array_equal(c.data, value)


def test_constant_options():
    assert T.constant(3, dtype="int64").dtype == "int64"
    assert str(T.constant(np.zeros(3), name="k")) == "k{(3,) of 0.0}"
    assert T.constant([1, 2], ndim=2).broadcastable == (True, False)
    with pytest.raises(ValueError, match="could not be cast to constant with 1 dimensions"):
        T.constant(np.zeros((3, 3)), ndim=1)
    for wrong in ("a", object(), T.dscalar()):
        with pytest.raises(TypeError):
            T.constant(wrong)


def test_small_constants_are_shared_until_a_function_owns_them():
    a = T.constant(3)
    assert T.constant(3) is a
    assert T.constant(3, name="other") is not a and T.constant(3, dtype="int64") is not a
    from theano_compat.gof import FunctionGraph

    x = T.dscalar()
    graph = FunctionGraph([x], [x + a], clone=False)
    assert a.fgraph is graph
    assert T.constant(3) is not a


def test_signatures_compare_by_value():
    def sig(value):
        return T.constant(np.asarray(value)).signature()

    assert sig([1.0, 2.0]) == sig([1.0, 2.0]) and hash(sig([1.0, 2.0])) == hash(sig([1.0, 2.0]))
    assert sig([1.0]) != sig([2.0]) and sig(1.0) != sig([1.0]) and sig(1) != sig(1.0)
    assert sig([np.nan, 1]) == sig([np.nan, 1]) and hash(sig([np.nan, 1])) == hash(sig([np.nan, 1]))
    assert sig([np.nan, 1]) != sig([np.nan, 2])
    assert sig(0.0) != sig(-0.0)
    assert sig(np.zeros(100)) == sig(np.zeros(100)) != sig(np.ones(100))
    assert isinstance(sig(1.0), TensorConstantSignature)
    assert sig([1.0, 2.0]).sum == 3 and sig([1.0]).no_nan and not sig([np.nan]).no_nan


def test_constants_copy_and_pickle():
    c = T.constant(np.arange(3.0))
    for other in (copy.copy(c), copy.deepcopy(c), pickle.loads(pickle.dumps(c)), c.clone()):
        assert isinstance(other, TensorConstant) and other.equals(c) and other is not c
    assert copy.deepcopy(c).data is not c.data
    assert c.equals(np.arange(3.0)) and not c.equals(np.arange(4.0))


# --- as_tensor_variable -------------------------------------------------------------------------------------


def test_as_tensor_variable_takes():
    x = T.dmatrix()
    assert T.as_tensor_variable(x) is x
    assert T.as_tensor_variable((x + 1).owner).owner.inputs[0] is x
    assert T.as_tensor_variable(x, ndim=3).broadcastable == (True, False, False)
    assert T.as_tensor_variable(T.drow(), ndim=1).type == T.dvector
    assert T.as_tensor_variable([T.dscalar(), 1]).type == T.dvector
    assert T.as_tensor_variable([T.dvector(), [1, 2]]).ndim == 2
    assert T.as_tensor_variable([[T.dscalar(), 1], [2, 3]]).ndim == 2
    assert T.as_tensor_variable(theano_compat.scalar.float32("s")).type == T.fscalar

    class Wrapped:
        def _as_TensorVariable(self):
            return x

    assert T.as_tensor_variable(Wrapped()) is x


def test_as_tensor_variable_refuses():
    with pytest.raises(AsTensorError, match=r"Cannot cast True or False as a tensor variable\."):
        T.as_tensor_variable(True)
    for wrong in ("x", None, object(), theano_compat.function):
        with pytest.raises(AsTensorError, match="Cannot convert"):
            T.as_tensor_variable(wrong)
    with pytest.raises(ValueError, match="could not be cast to have 1 dimensions"):
        T.as_tensor_variable(T.dmatrix(), ndim=1)
    with pytest.raises(ValueError, match="ambiguous"):
        T.as_tensor_variable(T.max_and_argmax(T.dmatrix())[0].owner)
    with pytest.raises(AsTensorError):
        T.as_tensor_variable(theano_compat.gof.generic())


# --- known values -----------------------------------------------------------------------------------------


def test_known_values_are_seen_through_graphs():
    col, one = T.dcol(), T.get_scalar_constant_value
    for build, want in (
        (3, 3), (np.ones((2, 2))[:1, :1], 1), (T.constant(np.full((2, 3), 4.0)), 4), (T.constant(3) + 1, 4),
        (T.zeros((2, 3)) + 1, 1), (col.shape[1], 1), (T.constant([1, 2])[1], 2), (T.fill(col, 7.0), 7),
        (T.as_tensor_variable([T.dscalar(), 5.0])[1], 5), (T.cast(T.constant(2.0), "int8"), 2),
        (T.shape_padleft(T.constant(3.0), 2), 3), (T.switch(T.constant(1), 2, 3), 2),
        (T.constant(np.zeros((4, 3))).shape[1], 3),
    ):  # fmt: skip
        assert one(build) == want


def test_unknown_values_are_an_error():
    for unknown in (T.dscalar(), T.dmatrix().shape[0], T.constant([1, 2]), T.dmatrix()):
        with pytest.raises(T.NotScalarConstantError):
            T.get_scalar_constant_value(unknown)
    with pytest.raises(T.EmptyConstantError):
        T.get_scalar_constant_value(T.constant(np.zeros(0)))
    with pytest.raises(T.NotScalarConstantError):
        T.get_scalar_constant_value(T.constant(3) + 1, elemwise=False)
    with pytest.raises(T.NotScalarConstantError):
        T.get_scalar_constant_value(T.constant(3) + 1, only_process_constants=True)
    x = T.dscalar()
    assert T.extract_constant(x) is x and T.extract_constant(T.constant(2.0)) == 2


def test_vector_lengths():
    x, i = T.dmatrix(), T.lvector()
    for v, want in (
        (x.shape, 2), (x.shape[1:], 1), ([1, 2, 3], 3), (T.TensorType("int8", (True,))(), 1),
        (T.stack([i[0], 2]), 2), (T.join(0, [1, 2], x.shape), 4), (T.dtensor4().shape[::2], 2),
    ):  # fmt: skip
        assert T.get_vector_length(v) == want
    with pytest.raises(ValueError, match="length not known"):
        T.get_vector_length(i)
    with pytest.raises(TypeError, match="must be symbolic vector"):
        T.get_vector_length(x)


def test_float64_warnings_on_request():
    with theano_compat.change_flags(warn_float64="warn"), pytest.warns(UserWarning, match="float64"):
        T.dscalar()
    with theano_compat.change_flags(warn_float64="raise"), pytest.raises(Exception, match="float64"):
        T.dscalar()

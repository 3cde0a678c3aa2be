"""Values, shapes and gradients of the basic ops against NumPy."""

import numpy as np
import pytest

import theano_compat.tensor as T
from tests.tensor.tensor_tools import check, evaluate
from theano_compat.gof import Apply
from theano_compat.tensor.basic.products import Dot

RNG = np.random.RandomState(0)


def floats(*shape):
    return RNG.uniform(-1, 1, shape)


A, B, V, W, S, C3, ROW = (
    floats(3, 4), floats(3, 4), floats(4), floats(4), floats(), floats(2, 3, 4), floats(1, 4)
)  # fmt: skip
I = RNG.randint(-5, 6, (3, 4))

CASES = {
    # reductions
    "sum": (lambda x: x.sum(), np.sum, A),
    "sum over an axis": (lambda x: T.sum(x, axis=0), lambda x: x.sum(0), A),
    "sum keeping dimensions": (lambda x: T.sum(x, axis=-1, keepdims=True), lambda x: x.sum(-1, keepdims=True), A),
    "sum over two axes": (lambda x: T.sum(x, axis=(0, 2)), lambda x: x.sum((0, 2)), C3),
    "prod": (lambda x: T.prod(x, axis=1), lambda x: x.prod(1), A),
    "mean": (lambda x: T.mean(x), np.mean, A),
    "mean over an axis": (lambda x: x.mean(axis=1), lambda x: x.mean(1), A),
    "mean keeping dimensions": (lambda x: x.mean(axis=0, keepdims=True), lambda x: x.mean(0, keepdims=True), A),
    "mean of integers": (lambda x: x.mean(), np.mean, I),
    "Mean op": (lambda x: T.mean(x, op=True), np.mean, A),
    "Mean op over an axis": (lambda x: T.mean(x, axis=1, op=True), lambda x: x.mean(1), A),
    "var": (lambda x: T.var(x), np.var, A),
    "var with ddof": (lambda x: T.var(x, axis=0, ddof=1), lambda x: x.var(0, ddof=1), A),
    "var corrected": (lambda x: T.var(x, axis=1, corrected=True), lambda x: x.var(1), A),
    "var corrected with ddof": (lambda x: T.var(x, axis=1, ddof=1, corrected=True), lambda x: x.var(1, ddof=1), A),
    "std": (lambda x: T.std(x, axis=1, keepdims=True), lambda x: x.std(1, keepdims=True), A),
    "max": (lambda x: T.max(x), np.max, A),
    "max over an axis": (lambda x: T.max(x, axis=1, keepdims=True), lambda x: x.max(1, keepdims=True), A),
    "min over an axis": (lambda x: T.min(x, axis=0), lambda x: x.min(0), A),
    "min of integers": (lambda x: T.min(x, axis=0), lambda x: x.min(0), I),
    "argmax": (lambda x: T.argmax(x), np.argmax, A),
    "argmax over two axes": (lambda x: T.argmax(x, axis=(0, 2)), lambda x: x.transpose(1, 0, 2).reshape(3, 8).argmax(1), C3),
    "argmin": (lambda x: T.argmin(x, axis=1), lambda x: x.argmin(1), A),
    "max of a scalar": (lambda x: x.max(), np.max, S),
    "ptp": (lambda x: T.ptp(x, axis=0), lambda x: np.ptp(x, 0), A),
    "any": (lambda x: T.any(x > 0.5, axis=0), lambda x: (x > 0.5).any(0), A),
    "all": (lambda x: T.all(x, axis=1, keepdims=True), lambda x: x.all(1, keepdims=True), I),
    "cov": (lambda x: T.cov(x), np.cov, A),
    "cov of columns": (lambda x: T.cov(x, rowvar=False, bias=True), lambda x: np.cov(x, rowvar=False, bias=True), A),
    # elementwise helpers
    "clip": (lambda x: T.clip(x, -0.5, 0.5), lambda x: x.clip(-0.5, 0.5), A),
    "smallest": (lambda x, y: T.smallest(x, y, x * y), lambda x, y: np.minimum(np.minimum(x, y), x * y), A, B),
    "largest": (lambda x, y: T.largest(x, y), np.maximum, A, B),
    "ceil_intdiv": (lambda x: T.ceil_intdiv(x, 3), lambda x: -(-x // 3), I),
    "round": (lambda x: T.round(x * 3), lambda x: np.round(x * 3), A),
    "round half away": (lambda x: T.round(x / 2, mode="half_away_from_zero"),
                        lambda x: np.sign(x) * np.floor(abs(x / 2) + 0.5), I),
    "iround": (lambda x: T.iround(x * 3), lambda x: np.round(x * 3).astype("int64"), A),
    "cast": (lambda x: T.cast(x, "int32"), lambda x: x.astype("int32"), A * 9),
    "cast of integers": (lambda x: T.cast(x, "float64"), lambda x: x.astype("float64"), I),
    "isclose": (lambda x, y: T.isclose(x, y, rtol=0.5), lambda x, y: np.isclose(x, y, rtol=0.5), A, B),
    "divmod": (lambda x: T.divmod(x, 3)[1], lambda x: x % 3, I),
    # creation
    "zeros_like": (lambda x: T.zeros_like(x), np.zeros_like, A),
    "ones_like of a dtype": (lambda x: T.ones_like(x, dtype="int8"), lambda x: np.ones_like(x, dtype="int8"), A),
    "alloc": (lambda x: T.alloc(x, 2, 3, 4), lambda x: np.broadcast_to(x, (2, 3, 4)), A),
    "alloc of a row": (lambda x: T.alloc(x, 2, 3, 4), lambda x: np.broadcast_to(x, (2, 3, 4)), ROW),
    "alloc of a scalar": (lambda x: T.alloc(x, 2, 1), lambda x: np.broadcast_to(x, (2, 1)), S),
    "tril": (lambda x: T.tril(x, 1), lambda x: np.tril(x, 1), A),
    "triu": (lambda x: T.triu(x, -1), lambda x: np.triu(x, -1), A),
    "identity_like": (lambda x: T.identity_like(x), lambda x: np.eye(3, 4), A),
    # shapes
    "reshape": (lambda x: x.reshape((4, 3)), lambda x: x.reshape(4, 3), A),
    "reshape with an unknown": (lambda x: x.reshape((2, -1)), lambda x: x.reshape(2, -1), A),
    "reshape by shape": (lambda x: x.reshape((x.shape[1], x.shape[0])), lambda x: x.reshape(4, 3), A),
    "reshape by shape with an unknown": (lambda x: x.reshape((x.shape[1], -1, 1)), lambda x: x.reshape(4, -1, 1), A),
    "reshape to a scalar": (lambda x: x[:1, :1].reshape(()), lambda x: x[0, 0], A),
    "flatten": (lambda x: x.flatten(), np.ravel, A),
    "flatten to a matrix": (lambda x: x.flatten(2), lambda x: x.reshape(2, 12), C3),
    "flatten of a scalar": (lambda x: x.flatten(), np.ravel, S),
    "Flatten op": (lambda x: T.Flatten(2)(x), lambda x: x.reshape(2, 12), C3),
    "transpose": (lambda x: x.T, np.transpose, A),
    "transpose of three": (lambda x: T.transpose(x, (1, 2, 0)), lambda x: x.transpose(1, 2, 0), C3),
    "swapaxes": (lambda x: T.swapaxes(x, 0, -1), lambda x: x.swapaxes(0, -1), C3),
    "shape_padleft": (lambda x: T.shape_padleft(x, 2), lambda x: x[None, None], A),
    "shape_padright": (lambda x: T.shape_padright(x), lambda x: x[..., None], A),
    "shape_padaxis": (lambda x: T.shape_padaxis(x, -2), lambda x: x[:, None], A),
    "addbroadcast": (lambda x: T.addbroadcast(T.unbroadcast(x, 0), 0) + 1, lambda x: x + 1, ROW),
    # joining
    "join": (lambda x, y: T.join(0, x, y), lambda x, y: np.concatenate([x, y]), A, B),
    "join with a row": (lambda x, y: T.concatenate([x, y, x]), lambda x, y: np.concatenate([x, y, x]), A, ROW),
    "join at the end": (lambda x, y: T.join(-1, x, y), lambda x, y: np.concatenate([x, y], -1), A, B),
    "join of dtypes": (lambda x, y: T.join(0, x, y), lambda x, y: np.concatenate([x, y]), A, I),
    "stack": (lambda x, y: T.stack([x, y], axis=1), lambda x, y: np.stack([x, y], 1), A, B),
    "stack last": (lambda x, y: T.stack([x, y], axis=-1), lambda x, y: np.stack([x, y], -1), A, B),
    "stack of scalars": (lambda x: T.stack([x, 2 * x]), lambda x: np.stack([x, 2 * x]), S),
    "stacklists": (lambda x: T.stacklists([[x, 2 * x], [x, x]]), lambda x: np.array([[x, 2 * x], [x, x]]), S),
    "split": (lambda x: T.split(x, [1, 3], 2, axis=1)[1], lambda x: x[:, 1:], A),
    "roll": (lambda x: T.roll(x, 2), lambda x: np.roll(x, 2), A),
    "roll along an axis": (lambda x: T.roll(x, -1, axis=1), lambda x: np.roll(x, -1, 1), A),
    "tile": (lambda x: T.tile(x, (2, 3)), lambda x: np.tile(x, (2, 3)), A),
    "tile of fewer": (lambda x: T.tile(x, 2), lambda x: np.tile(x, 2), A),
    "tile of more": (lambda x: T.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3)), A),
    # products
    "dot": (lambda x, y: T.dot(x, y.T), lambda x, y: x @ y.T, A, B),
    "dot of vectors": (T.dot, np.dot, V, W),
    "dot of matrix and vector": (T.dot, np.dot, A, V),
    "dot of vector and matrix": (lambda x, y: T.dot(y, x.T), lambda x, y: y @ x.T, A, V),
    "dot of a scalar": (T.dot, np.dot, S, A),
    "dot of a row": (lambda x, y: T.dot(x, y.T), lambda x, y: x @ y.T, A, ROW),
    "dot of three dimensions": (lambda x, y: T.dot(x, y.T), lambda x, y: np.dot(x, y.T), C3, A),
    "tensordot": (lambda x, y: T.tensordot(x, y, axes=[[1, 2], [0, 1]]), lambda x, y: np.tensordot(x, y, [[1, 2], [0, 1]]), C3, A),
    "tensordot by number": (lambda x, y: T.tensordot(x, y, axes=2), lambda x, y: np.tensordot(x, y, 2), C3, A),
    "tensordot outer": (lambda x, y: T.tensordot(x, y, axes=0), lambda x, y: np.tensordot(x, y, 0), A, V),
    "tensordot to a scalar": (lambda x, y: T.tensordot(x, y, axes=2), lambda x, y: np.tensordot(x, y, 2), A, B),
    "outer": (T.outer, np.outer, V, A),
    # diagonals
    "diag of a vector": (lambda x: T.diag(x, 1), lambda x: np.diag(x, 1), V),
    "diag of a matrix": (lambda x: T.diag(x, -1), lambda x: np.diag(x, -1), A),
    "diag above": (lambda x: T.diag(x, 2), lambda x: np.diag(x, 2), A),
    "diag above of a tall one": (lambda x: T.diag(x, 1), lambda x: np.diag(x, 1), A.T),
    "diagonal of three": (lambda x: T.diagonal(x, 1, 1, 2), lambda x: x.diagonal(1, 1, 2), C3),
    "diagonal of outer dimensions": (lambda x: T.diagonal(x, 0, 0, 2), lambda x: x.diagonal(0, 0, 2), C3),
    "AllocDiag of a matrix": (lambda x: T.AllocDiag(1, 0, 2)(x), lambda x: np.moveaxis(np.stack([np.diag(r, 1) for r in x]), (1, 2), (0, 2)), A),
    "trace": (lambda x: x.trace(), np.trace, A),
    # selection
    "nonzero": (lambda x: T.nonzero(x, return_matrix=True), lambda x: np.array(np.nonzero(x)), I),
    "flatnonzero": (lambda x: T.flatnonzero(x), np.flatnonzero, I),
    "nonzero_values": (lambda x: T.nonzero_values(x), lambda x: x[x.nonzero()], I),
    "permute": (lambda x, p: T.permute_row_elements(x, p), lambda x, p: x[:, p], A, np.array([2, 0, 3, 1])),
    "permute back": (lambda x, p: T.permute_row_elements(x, p, inverse=True), lambda x, p: x[:, np.argsort(p)], A, np.array([2, 0, 3, 1])),
    "inverse_permutation": (T.inverse_permutation, np.argsort, np.array([2, 0, 3, 1])),
    "default": (lambda x, y: T.default(x, y), lambda x, y: x, A, B),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda v: None if callable(v) and not isinstance(v, type) else str(v))
def test_agrees_with_numpy(case):
    build, reference, *arrays = CASES[case]
    # extrema of random floats have no ties, rounding and choices no gradient worth checking
    discrete = ("iround", "round", "cast", "isclose", "argm", "any", "zeros_like", "ones_like", "identity", "default")
    grad = [] if case.startswith(discrete) else None
    check(build, reference, *arrays, grad=grad)


LINEAR_IN_DIRECTION = [name for name, case in CASES.items() if all(a.dtype == "float64" for a in case[2:])]
NO_R_OP = ("Mean op", "argm", "iround", "isclose", "any", "cast", "default", "identity", "zeros_like", "ones_like", "Flatten op",
           "round", "prod")  # fmt: skip


@pytest.mark.parametrize("case", [name for name in LINEAR_IN_DIRECTION if not name.startswith(NO_R_OP)], ids=lambda v: None if callable(v) and not isinstance(v, type) else str(v))
def test_r_operator_is_the_directional_derivative(case):
    from theano_compat.gradient import Rop

    build, reference, *arrays = CASES[case]
    variables = [T.TensorType("float64", [n == 1 for n in a.shape])() for a in arrays]
    directions = [T.TensorType("float64", [n == 1 for n in a.shape])() for a in arrays]
    along = [np.asarray(RNG.uniform(-1, 1, a.shape)) for a in arrays]
    pushed = Rop(build(*variables), variables, directions)
    got = evaluate(pushed, dict(zip(variables + directions, arrays + along)))
    step = 1e-6
    ahead = np.asarray(reference(*(a + step * d for a, d in zip(arrays, along))))
    behind = np.asarray(reference(*(a - step * d for a, d in zip(arrays, along))))
    np.testing.assert_allclose(got, (ahead - behind) / (2 * step), atol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float32", "complex128", "bool"])
def test_extrema_and_sums_of_every_kind_of_dtype(dtype):
    values = (RNG.randint(0, 50, (3, 4)) % (2 if dtype == "bool" else 50)).astype(dtype)
    if dtype == "complex128":
        check(lambda x: x.sum(axis=0), lambda x: x.sum(0), values)
        return
    check(lambda x: x.max(axis=1), lambda x: x.max(1), values)
    check(lambda x: x.min(axis=1), lambda x: x.min(1), values)
    check(lambda x: x.argmin(axis=1), lambda x: x.argmin(1), values)
    check(lambda x: x.sum(axis=0), lambda x: x.sum(0), values)


def test_max_passes_nan_on():
    x = T.dmatrix()
    value = np.array([[1.0, np.nan], [2.0, 3.0]])
    greatest, least = evaluate([x.max(axis=1), x.min(axis=1)], {x: value})
    np.testing.assert_array_equal(greatest, [np.nan, 3])
    np.testing.assert_array_equal(least, [np.nan, 2])


def test_max_of_nothing_is_an_error():
    x = T.dmatrix()
    with pytest.raises(ValueError):
        evaluate(x.max(axis=1), {x: np.zeros((2, 0))})


@pytest.mark.parametrize(
    "args", [(5,), (2, 9), (0, 1, 0.25), (9, 2, -2), (3, 3), (5, 2), (0, -7, -3), (1, 8, 3)], ids=str
)
def test_arange_and_its_length(args):
    got, length = evaluate([T.arange(*args), T.arange(*args).shape[0]])
    want = np.arange(*args)
    np.testing.assert_allclose(got, want)
    assert length == len(want)
    node = T.arange(*args).owner
    (inferred,) = node.op.infer_shape(node, [(), (), ()])
    assert evaluate(T.as_tensor_variable(inferred[0])) == len(want)


def test_arange_does_not_overflow_small_integers():
    n = T.bscalar()
    assert evaluate(T.arange(n), {n: np.int8(100)}).dtype == "int64"
    node = T.arange(T.constant(-100, dtype="int8"), T.constant(100, dtype="int8")).owner
    assert evaluate(node.op.infer_shape(node, [(), (), ()])[0][0]) == 200


def test_eye_and_tri():
    np.testing.assert_array_equal(evaluate(T.eye(3, 4, 1, dtype="int8")), np.eye(3, 4, 1))
    np.testing.assert_array_equal(evaluate(T.tri(3, 4, -1)), np.tri(3, 4, -1))


def test_grids():
    dense, sparse = T.mgrid[0:3, 1:8:2], T.ogrid[0:3, 1:8:2]
    for got, want in zip(evaluate(dense), np.mgrid[0:3, 1:8:2]):
        np.testing.assert_array_equal(got, want)
    for got, want in zip(evaluate(sparse), np.ogrid[0:3, 1:8:2]):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
def test_choose(mode):
    a, choices = np.array([[0, 1], [1, 0]]), RNG.uniform(size=(2, 2, 2))
    if mode != "raise":
        a = a * 5 - 1
    check(lambda a, c: T.choose(a, c, mode=mode), lambda a, c: np.choose(a, c, mode=mode), a, choices, grad=[])


def test_choose_out_of_range_is_an_error():
    a = T.lvector()
    with pytest.raises(ValueError):
        evaluate(T.choose(a, T.constant(np.eye(2))), {a: np.array([0, 2])})


def test_split_lengths_are_checked():
    x, splits = T.dvector(), T.lvector()
    parts = T.split(x, splits, 2)
    for wrong in ([1, 1], [1, 1, 1], [4, -1]):
        with pytest.raises(ValueError):
            evaluate(parts, {x: np.zeros(3), splits: np.array(wrong)})


def test_split_of_one_part_has_a_gradient():
    check(lambda x: T.split(x, [3], 1), lambda x: x, V[:3])


def test_gradient_of_a_split_part_that_is_not_used():
    x = T.dvector()
    import theano_compat

    first, _ = T.split(x, [1, 3], 2)
    np.testing.assert_array_equal(evaluate(theano_compat.grad(first.sum(), x), {x: V}), [1, 0, 0, 0])


def test_join_with_a_symbolic_axis():
    axis, x = T.lscalar(), T.dmatrix()
    for value in (0, 1, -1):
        got = evaluate(T.join(axis, x, x), {axis: value, x: A})
        np.testing.assert_array_equal(got, np.concatenate([A, A], value))


def test_join_as_a_view_of_the_only_array_with_elements():
    x, y = T.dvector(), T.dvector()
    op = T.Join(view=0)
    assert str(op) == "Join{view=0}" and op.view_map == {0: [1]}
    np.testing.assert_array_equal(evaluate(op(0, x, y), {x: V, y: np.zeros(0)}), V)


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (lambda: T.join(0, T.dmatrix(), T.dvector()), TypeError, "same number of dimensions"),
        (lambda: T.join(2, T.dmatrix(), T.dmatrix()), ValueError, "out of range"),
        (lambda: T.concatenate(T.dmatrix()), TypeError, "must be either a tuple or a list"),
        (lambda: T.stack([]), Exception, "tensors is empty"),
        (lambda: T.stack([T.dmatrix()] * 2, axis=3), IndexError, "axis 3 is out of bounds"),
        (lambda: T.dmatrix().reshape(T.lvector()), ValueError, "cannot be automatically determined"),
        (lambda: T.dmatrix().reshape([2.5]), TypeError, "Shape must be integers"),
        (lambda: T.dmatrix().flatten(3), ValueError, "out of bound"),
        (lambda: T.alloc(1.0, 2.5), TypeError, "must be integers"),
        (lambda: T.alloc(T.dmatrix(), 2), TypeError, "more dimensions than the specified"),
        (lambda: T.cast(T.zmatrix(), "float64"), TypeError, "ambiguous"),
        (lambda: T.dmatrix().max(axis=2), ValueError, "Not enough dimensions"),
        (lambda: T.diag(T.dscalar()), ValueError, "v.ndim >= 1"),
        (lambda: T.nonzero(T.dscalar()), ValueError, "non-scalar"),
        (lambda: T.tensordot(T.dmatrix(), T.dvector(), axes=2), ValueError, "can not be larger"),
        (lambda: Dot()(T.dtensor3(), T.dmatrix()), TypeError, "must have ndim of 1 or 2"),
        (lambda: T.choose(T.dvector(), T.dmatrix()), TypeError, "must have an"),
        (lambda: T.round(T.dscalar(), mode="up"), Exception, "not implemented"),
        (lambda: T.transfer(T.dscalar(), "nowhere"), ValueError, "Can't transfer"),
    ],
    ids=lambda v: "case" if callable(v) and not isinstance(v, type) else str(v),
)
def test_wrong_arguments_are_errors_while_the_graph_is_built(build, error, text):
    with pytest.raises(error, match=text):
        build()


@pytest.mark.parametrize("lengths", [T.constant([2, 3, 1]), T.stack([T.lscalar(), T.lscalar(), T.lscalar()]), T.constant([6, 1, 1, 1])])
def test_the_shape_of_a_reshape_has_as_many_lengths_as_dimensions(lengths):
    op, x = T.Reshape(2), T.vector()
    with pytest.raises(ValueError, match="2 dimensions"):
        op.infer_shape(Apply(op, [x, lengths], [T.matrix()]), [(x.shape[0],), (3,)])


def test_reshape_to_a_wrong_size_is_an_error():
    x = T.dmatrix()
    with pytest.raises(ValueError, match="Cannot reshape input of shape"):
        evaluate(x.reshape((5, 5)), {x: A})


def test_tile_by_a_vector_of_known_rank():
    x, reps = T.dmatrix(), T.lvector()
    np.testing.assert_array_equal(evaluate(T.tile(x, reps, ndim=2), {x: A, reps: np.array([2])}), np.tile(A, (1, 2)))


def test_transfer_asks_the_registered_functions():
    from theano_compat.tensor.basic import selection

    def move(var, target):
        return var * 2 if target == "double" else None

    T.register_transfer(move)
    try:
        x = T.dscalar()
        assert evaluate(T.transfer(x, "double"), {x: 2.0}) == 4
        assert T.transfer(x, "cpu") is x
    finally:
        selection._all_transfers.remove(move)

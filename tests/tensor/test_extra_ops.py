"""Ops after NumPy, against NumPy."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.tensor.subtensor_tools import run
from theano_compat.tensor import extra_ops as ops

rng = np.random.RandomState(3)
MATRIX = rng.rand(3, 4)
CUBE = rng.rand(2, 3, 4)


def check_grad(build, *values):
    theano.gradient.verify_grad(build, list(values), rng=rng, mode="FAST_COMPILE")


def shape_by_rule(variable, values):
    """Evaluate what ``infer_shape`` says about a variable."""
    node = variable.owner
    shapes = [tuple(v.shape[k] for k in range(v.ndim)) for v in node.inputs]
    shape = node.op.infer_shape(node, shapes)[node.outputs.index(variable)]
    return tuple(int(run(T.as_tensor_variable(extent), values)) for extent in shape)


@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1])
@pytest.mark.parametrize(("ours", "numpys"), [(ops.cumsum, np.cumsum), (ops.cumprod, np.cumprod)])
def test_cumulative(ours, numpys, axis):
    x = T.tensor3()
    out = ours(x, axis)
    wanted = numpys(CUBE, axis)
    np.testing.assert_allclose(run(out, {x: CUBE}), wanted)
    assert shape_by_rule(out, {x: CUBE}) == wanted.shape
    check_grad(lambda v: ours(v, axis), CUBE)


def test_cumulative_keeps_a_small_dtype():
    x = T.bvector()
    assert run(ops.cumsum(x), {x: np.ones(3, "int8")}).dtype == "int8"


def test_cumulative_errors_and_names():
    with pytest.raises(ValueError, match=r"axis\(=2\) out of bounds"):
        ops.cumsum(T.matrix(), 2)
    with pytest.raises(ValueError, match='CumOp: Unknown mode "foo"'):
        ops.CumOp(0, "foo")
    assert str(ops.CumOp(1, "mul")) == "CumOp{1, mul}"
    assert ops.CumsumOp(1) == ops.CumOp(1, "add") and ops.CumprodOp() == ops.CumOp(None, "mul")


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_diff(n, axis):
    x = T.matrix()
    out = ops.diff(x, n, axis)
    wanted = np.diff(MATRIX, n, axis)
    np.testing.assert_allclose(run(out, {x: MATRIX}), wanted)
    assert shape_by_rule(out, {x: MATRIX}) == wanted.shape
    check_grad(lambda v: ops.diff(v, n, axis), MATRIX)


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side):
    x, v, order = T.vector(), T.matrix(), T.lvector()
    values = np.array([3.0, 1.0, 2.0, 2.0])
    index = np.argsort(values)
    sought = np.array([[0.0, 2.0], [2.5, 9.0]])
    got = run(ops.searchsorted(x, v, side, sorter=order), {x: values, v: sought, order: index})
    np.testing.assert_array_equal(got, np.searchsorted(values, sought, side, index))
    got = run(ops.searchsorted(x, v, side), {x: values[index], v: sought})
    np.testing.assert_array_equal(got, np.searchsorted(values[index], sought, side))
    with pytest.raises(ValueError, match="is an invalid value for keyword 'side'"):
        ops.searchsorted(x, v, "middle")
    with pytest.raises(TypeError, match="sorter must be an integer vector"):
        ops.searchsorted(x, v, sorter=T.vector())


def test_bincount():
    x, w = T.ivector(), T.vector()
    data, weights = np.array([1, 4, 1, 0], "int32"), np.array([0.5, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(run(ops.bincount(x), {x: data}), np.bincount(data))
    got = run(ops.bincount(x, w, minlength=7), {x: data, w: weights})
    np.testing.assert_allclose(got, np.bincount(data, weights, 7))
    with pytest.raises(TypeError, match="Inputs must be of dimension 1"):
        ops.bincount(T.imatrix())
    checked = ops.bincount(x, assert_nonneg=True)
    with pytest.raises(AssertionError, match="Input to bincount has negative values!"):
        run(checked, {x: -data})


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("kind", ["number", "scalar", "vector"])
def test_repeat(axis, kind):
    x, r = T.matrix(), (T.lvector() if kind == "vector" else T.lscalar())
    extent = MATRIX.size if axis is None else MATRIX.shape[axis]
    count = np.arange(extent) % 3 if kind == "vector" else np.asarray(2)
    repeats = 2 if kind == "number" else r
    out = ops.repeat(x, repeats, axis)
    values = {x: MATRIX, r: count}
    np.testing.assert_array_equal(run(out, values), np.repeat(MATRIX, count, axis))
    check_grad(lambda v: ops.repeat(v, T.constant(count) if kind != "number" else 2, axis), MATRIX)


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("count", [np.asarray(2), "each"], ids=["scalar", "vector"])
def test_repeat_op(axis, count):
    x = T.matrix()
    if isinstance(count, str):
        count = np.arange(MATRIX.size if axis is None else MATRIX.shape[axis])
    r = T.TensorType("int64", (False,) * count.ndim)()
    out = ops.RepeatOp(axis)(x, r)
    wanted = np.repeat(MATRIX, count, axis)
    np.testing.assert_array_equal(run(out, {x: MATRIX, r: count}), wanted)
    assert shape_by_rule(out, {x: MATRIX, r: count}) == wanted.shape
    check_grad(lambda v: ops.RepeatOp(axis)(v, T.constant(count)), MATRIX)


def test_repeat_errors():
    x = T.matrix()
    with pytest.raises(ValueError, match="The dimension of repeats should not exceed 1"):
        ops.repeat(x, T.imatrix(), 1)
    with pytest.raises(ValueError, match="Axis should not exceed x.ndim-1"):
        ops.repeat(x, 2, 5)
    with pytest.raises(TypeError, match="repeats.dtype must be an integer"):
        ops.repeat(x, T.vector(), 1)


def test_squeeze_drops_only_what_is_known():
    x = T.TensorType("float64", (True, False, True))()
    assert ops.squeeze(x).ndim == 1
    assert ops.squeeze(T.matrix()).ndim == 2


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_compress(axis):
    x, c = T.matrix(), T.ivector()
    condition = np.array([1, 0, 1], "int32")
    got = run(ops.compress(c, x, axis), {x: MATRIX, c: condition})
    np.testing.assert_array_equal(got, np.compress(condition, MATRIX, axis))


def test_cpu_contiguous_copies_only_when_needed():
    x = T.matrix()
    assert run(ops.cpu_contiguous(x), {x: MATRIX}) is MATRIX
    turned = run(ops.cpu_contiguous(x), {x: MATRIX.T})
    assert turned.flags.c_contiguous and (turned == MATRIX.T).all()
    check_grad(ops.cpu_contiguous, MATRIX)


@pytest.mark.parametrize("points", [-2, 0, 1, 2, 7])
def test_bartlett(points):
    n = T.iscalar()
    out = ops.bartlett(n)
    values = {n: np.int32(points)}
    np.testing.assert_allclose(run(out, values), np.bartlett(points))
    assert shape_by_rule(out, values) == (max(points, 0),)
    with pytest.raises(TypeError, match="only works on integer input"):
        ops.bartlett(T.dscalar())


@pytest.mark.parametrize("shape", [(3, 3), (5, 2), (2, 5)])
def test_fill_diagonal(shape):
    x, v = T.matrix(), T.dscalar()
    data = rng.rand(*shape)
    wanted = data.copy()
    wanted[range(min(shape)), range(min(shape))] = 7
    np.testing.assert_array_equal(run(ops.fill_diagonal(x, v), {x: data, v: np.float64(7)}), wanted)
    check_grad(ops.fill_diagonal, data, np.float64(2.0))


def test_fill_diagonal_of_a_cube():
    x = T.tensor3()
    data = rng.rand(3, 3, 3)
    wanted = data.copy()
    np.fill_diagonal(wanted, 1)
    np.testing.assert_array_equal(run(ops.fill_diagonal(x, 1), {x: data}), wanted)


@pytest.mark.parametrize("shape", [(4, 3), (3, 5)])
@pytest.mark.parametrize("offset", [-9, -2, -1, 0, 1, 3, 9])
def test_fill_diagonal_offset(shape, offset):
    x = T.matrix()
    data = rng.rand(*shape)
    wanted = np.where(np.eye(*shape, k=offset, dtype=bool), 5.0, data)
    np.testing.assert_array_equal(run(ops.fill_diagonal_offset(x, 5, offset), {x: data}), wanted)
    check_grad(lambda a, v: ops.fill_diagonal_offset(a, v, offset), data, np.float64(2.0))


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: ops.fill_diagonal(T.vector(), 1), "first parameter must have at least two dimensions"),
        (lambda: ops.fill_diagonal(T.matrix(), T.vector()), "second parameter must be a scalar"),
        (lambda: ops.fill_diagonal(T.imatrix(), 1.5), "type of second parameter must be the same as the first's"),
        (lambda: ops.fill_diagonal_offset(T.tensor3(), 1, 2), "first parameter must have exactly two dimensions"),
        (lambda: ops.fill_diagonal_offset(T.matrix(), 1, 1.5), "type of third parameter must be as integer"),
    ],
)
def test_fill_diagonal_errors(build, text):
    with pytest.raises(TypeError, match=text):
        build()


def test_to_one_hot():
    y = T.ivector()
    got = run(ops.to_one_hot(y, 4, dtype="int8"), {y: np.array([2, 0, 3], "int32")})
    np.testing.assert_array_equal(got, np.eye(4, dtype="int8")[[2, 0, 3]])


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_unique(axis):
    x = T.matrix()
    data = rng.randint(0, 3, size=(6, 2)).astype("float64")
    outs = ops.Unique(True, True, True, axis=axis)(x)
    wanted = list(np.unique(data, True, True, True, axis=axis))
    wanted[2] = wanted[2].reshape(-1)
    for got, right in zip(run(outs, {x: data}), wanted):
        np.testing.assert_array_equal(got, right)
    with pytest.raises(RuntimeError, match="Unique axis `2` is outside of input ndim = 2."):
        ops.Unique(axis=2)(x)


@pytest.mark.parametrize("order", ["C", "F"])
def test_flat_and_multiple_indices_are_inverse(order):
    flat = T.lvector()
    dims = (3, 4, 5)
    values = np.array([0, 59, 17, 23])
    parts = ops.unravel_index(flat, dims, order=order)
    for got, right in zip(run(list(parts), {flat: values}), np.unravel_index(values, dims, order=order)):
        np.testing.assert_array_equal(got, right)
    back = ops.ravel_multi_index(parts, dims, order=order)
    np.testing.assert_array_equal(run(back, {flat: values}), values)


@pytest.mark.parametrize(
    ("i", "j"),
    [
        (np.array([[0], [2]]), np.array([1, 3, 0])),
        (np.array([[1]]), np.array([[1], [2]])),
        (np.zeros((0, 1), int), np.zeros((1, 3), int)),
        (np.array(1), np.array(3)),
    ],
    ids=["ranks", "one row", "empty", "scalars"],
)
def test_ravel_multi_index_knows_its_shape_without_its_values(i, j):
    row, column = (T.TensorType("int64", (False,) * index.ndim)() for index in (i, j))
    f = theano.function([row, column], ops.ravel_multi_index((row, column), (3, 4)).shape)
    assert not any(isinstance(node.op, ops.RavelMultiIndex) for node in f.maker.fgraph.apply_nodes)
    np.testing.assert_array_equal(f(i, j), np.broadcast_shapes(i.shape, j.shape))


@pytest.mark.parametrize("mode", ["wrap", "clip"])
def test_ravel_multi_index_modes(mode):
    i, j = T.lvectors("i", "j")
    values = {i: np.array([5, -1]), j: np.array([1, 9])}
    got = run(ops.ravel_multi_index((i, j), (3, 4), mode=mode), values)
    np.testing.assert_array_equal(
        got, np.ravel_multi_index(tuple(values.values()), (3, 4), mode=mode)
    )


def test_index_conversion_errors():
    with pytest.raises(ValueError, match="cannot be automatically determined"):
        ops.unravel_index(T.lvector(), T.lvector())
    with pytest.raises(TypeError, match="'float64' object cannot be interpreted as an index"):
        ops.unravel_index(T.dvector(), (2, 3))
    with pytest.raises(TypeError, match="multi_index must be a tuple or a list."):
        ops.ravel_multi_index(T.lmatrix(), (2, 3))
    with pytest.raises(TypeError, match="dims must be a 1D array"):
        ops.unravel_index(T.lvector(), T.lmatrix(), ndim=2)

"""Sorting and top-k against NumPy."""

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from tests.tensor.subtensor_tools import run
from theano_compat.tensor.sort import TopKOp, argsort, argtopk, sort, topk, topk_and_argtopk

rng = np.random.RandomState(11)
DATA = rng.permutation(24).reshape(2, 3, 4).astype("float64")


@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -3])
@pytest.mark.parametrize("kind", ["quicksort", "mergesort", "heapsort"])
def test_sort_and_argsort(axis, kind):
    x = T.tensor3()
    np.testing.assert_array_equal(run(sort(x, axis, kind), {x: DATA}), np.sort(DATA, axis, kind))
    np.testing.assert_array_equal(
        run(argsort(x, axis, kind), {x: DATA}), np.argsort(DATA, axis, kind)
    )


def test_sort_along_a_symbolic_axis():
    x, axis = T.tensor3(), T.lscalar()
    for value in (0, 1, -1):
        got = run(sort(x, axis), {x: DATA, axis: np.int64(value)})
        np.testing.assert_array_equal(got, np.sort(DATA, value))


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_gradient_of_sort(axis):
    theano_compat.gradient.verify_grad(lambda v: sort(v, axis), [DATA], rng=rng, mode="FAST_COMPILE")


def test_gradient_of_sort_along_a_symbolic_axis():
    x, axis = T.tensor3(), T.lscalar()
    weights = rng.rand(*DATA.shape)
    gx = T.grad((sort(x, axis) * weights).sum(), x)
    for value in (0, 1, -1):
        ranks = np.argsort(np.argsort(DATA, value), value)
        got = run(gx, {x: DATA, axis: np.int64(value)})
        np.testing.assert_allclose(got, np.take_along_axis(weights, ranks, value))


@pytest.mark.parametrize("axis", [0, 1, -1, None])
@pytest.mark.parametrize("k", [1, 2, -1, -2])
@pytest.mark.parametrize("ordered", [True, False])
def test_topk(axis, k, ordered):
    x = T.tensor3()
    values, places = run(topk_and_argtopk(x, k, axis, sorted=ordered), {x: DATA})
    data, along = (DATA.ravel(), 0) if axis is None else (DATA, axis)
    np.testing.assert_array_equal(np.take_along_axis(data, places, along), values)
    ascending = np.sort(data, along)
    extent = data.shape[along]
    wanted = np.take(ascending, range(extent - k, extent) if k > 0 else range(-k), axis=along)
    np.testing.assert_array_equal(np.sort(values, along), wanted)
    if ordered:
        np.testing.assert_array_equal(values, np.flip(wanted, along))
    np.testing.assert_array_equal(run(topk(x, k, axis, ordered), {x: DATA}), values)
    np.testing.assert_array_equal(run(argtopk(x, k, axis, ordered), {x: DATA}), places)


@pytest.mark.parametrize("ordered", [True, False])
def test_gradient_of_topk(ordered):
    theano_compat.gradient.verify_grad(
        lambda v: topk(v, 2, 1, sorted=ordered), [DATA], rng=rng, mode="FAST_COMPILE"
    )


def test_shape_of_topk():
    x, k = T.matrix(), T.iscalar()
    node = topk(x, k, axis=0).owner
    shape = node.op.infer_shape(node, [(x.shape[0], x.shape[1]), ()])[0]
    got = [int(run(T.as_tensor_variable(e), {x: DATA[0], k: np.int32(-2)})) for e in shape]
    assert got == [2, 4]


@pytest.mark.parametrize("k", [0, 9, -9])
def test_topk_rejects_impossible_numbers(k):
    x = T.matrix()
    with pytest.raises(ValueError, match="topk: kth"):
        run(topk(x, k), {x: DATA[0]})


@pytest.mark.parametrize(
    ("build", "error"),
    [
        (lambda: TopKOp(axis=1.5), TypeError),
        (lambda: TopKOp(idx_dtype="float32"), TypeError),
        (lambda: TopKOp(return_values=False, return_indices=False), ValueError),
        (lambda: topk(T.dscalar(), 1), ValueError),
        (lambda: topk(T.matrix(), 1, axis=2), IndexError),
        (lambda: topk(T.matrix(), 1.5), TypeError),
    ],
)
def test_topk_errors(build, error):
    with pytest.raises(error):
        build()


def test_names():
    x = T.matrix()
    assert str(sort(x).owner.op) == "SortOp{quicksort, None}"
    assert str(argsort(x, 1, "heapsort").owner.op) == "ArgSortOp{heapsort, None}"
    assert str(topk(x, 2, sorted=False).owner.op) == "TopKOp{axis=-1, sorted=False}"

"""New arrays, shapes as values, reshape, join, split, repeat, diagonals."""

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from tests.codegen.support import compare, layouts
from theano_compat.tensor import extra_ops

rng = np.random.default_rng(4)
x, y, v, s = T.dmatrix("x"), T.dmatrix("y"), T.dvector("v"), T.dscalar("s")
i, j = T.lscalar("i"), T.lscalar("j")


def test_filled_and_ranges():
    outputs = [
        T.alloc(s, i, j), T.alloc(v, i, v.shape[0]), T.alloc(s, i, j) + 1, T.zeros((i, j)), T.ones((3, 2)), T.eye(i, j, 1),
        T.arange(i), T.arange(1, i, 2), T.arange(i, -3, -2), T.arange(s), T.zeros_like(v), T.tri(i, j, 1),
    ]  # fmt: skip
    two = np.array(2.5)
    # a number of columns that the caller gives may be None, which only Python can take
    sets = (two, np.array(3), np.array(4), np.ones(4)), (two, np.array(0), np.array(5), np.ones(5))
    compare([s, i, j, v], outputs, *sets, may_be_island=("Eye", "Tri"))
    compare([i], [T.eye(i, i + 1, 1), T.eye(i), T.eye(3, 4, -1), T.tri(i, i - 1, 1)], (np.array(3),))


def test_negative_or_wrong_extents_are_errors():
    compare([s, i, j], [T.alloc(s, i, j)], (np.array(2.0), np.array(-1), np.array(5)))
    compare([v, i, j], [T.alloc(v, i, j)], (np.ones(4), np.array(2), np.array(5)), (np.ones(4), np.array(2), np.array(4)))


def test_shapes_as_values():
    outputs = [x.shape, x.shape[0], x.shape[1] * 2, x.size, T.stack([s, s * 2]), x.shape.prod(), T.stack(x.shape[0], i)]
    compare([x, s, i], outputs, *[(a, np.array(1.0), np.array(7)) for a in layouts(rng, 6, 8)])


def test_reshape():
    outputs = [
        x.reshape((4, 12)), x.reshape((-1,)), x.T.reshape((2, -1)), x.flatten(), x.reshape((2, 3, 2, 4)),
        x.reshape((i, -1)), x.reshape(x.shape[::-1]), (x + 1).reshape((8, 6)) * 2, T.reshape(x, T.stack(i, 48 // i)),
    ]  # fmt: skip
    for n in (3, 4, 48):
        compare([x, i], outputs, *[(a, np.array(n)) for a in layouts(rng, 6, 8)])
    compare([x, i], [x.reshape((i, -1))], (np.ones((6, 8)), np.array(5)), (np.ones((6, 8)), np.array(-1)))
    compare([x], [x.reshape((5, -1))], (np.ones((6, 8)),))


def test_join_and_split():
    outputs = [T.join(0, x, y), T.join(1, x, y * 2), T.join(0, x, x, y), T.stack([x, y]), T.join(0, T.exp(x), y)]
    compare([x, y], outputs, *[(a, b) for a in layouts(rng, 3, 4) for b in layouts(rng, 3, 4)])
    compare([x, y], [T.join(0, x, y)], (np.ones((3, 4)), np.ones((0, 4))), (np.ones((3, 4)), np.ones((2, 5))))
    parts = T.split(x, [2, 1, 3], 3, axis=0)
    compare([x], parts, *[(a,) for a in layouts(rng, 6, 8)], (np.ones((5, 8)),))


def test_cumulative_difference_and_repeat():
    outputs = [
        T.cumsum(x), T.cumsum(x, 0), T.cumprod(x, 1), extra_ops.diff(x), extra_ops.diff(x, 2, 0), T.repeat(x, 2, 0),
        T.repeat(x, i, 1), extra_ops.RepeatOp()(x, i), extra_ops.cpu_contiguous(x.T),
    ]  # fmt: skip
    compare([x, i], outputs, *[(a, np.array(n)) for a in layouts(rng, 4, 6) for n in (0, 1, 3)])


def test_diagonals():
    outputs = [
        T.diag(x), T.diag(v), T.diagonal(x, 1), T.diagonal(x, -2), extra_ops.fill_diagonal(x, s),
        extra_ops.fill_diagonal_offset(x, s, i), T.tril(x), T.triu(x, 1),
    ]  # fmt: skip
    values = [(a, np.arange(3.0), np.array(2.0), np.array(n)) for a in layouts(rng, 4, 6) for n in (1, -2, 9)]
    compare([x, v, s, i], outputs, *values)


def test_number_of_columns_may_be_none():
    for made in (T.eye(i, j, 1), T.tri(i, j, 1)):
        square = theano_compat.function([i, j], made)
        assert square(3, None).shape == (3, 3)
        assert square(3, 5).shape == (3, 5)


def test_split_refuses_negative_lengths():
    for sizes in ([-1, 5], T.stack([i, 4 - i])):
        parts = theano_compat.function([v, i], T.split(v, sizes, 2), on_unused_input="ignore")
        with pytest.raises(ValueError, match="negative number of elements"):
            parts(np.ones(4), -1)


def test_join_gives_its_view_when_the_rest_is_empty():
    join = theano_compat.function([theano_compat.In(v, borrow=True), s], theano_compat.Out(T.Join(view=0)(0, v, T.alloc(s, 0)), borrow=True))
    value = np.arange(3.0)
    assert np.shares_memory(join(value, 1.0), value)


def test_ranges_of_floats_round_as_numpy():
    numbers = [T.dscalar(n) for n in "abc"]
    span = theano_compat.function(numbers, T.arange(*numbers))
    for bounds in ((0.0, 1.0, 0.1), (-3.3, 7.0, 0.7), (1e8, 1e8 + 3, 0.3)):
        np.testing.assert_array_equal(span(*bounds), np.arange(*bounds))

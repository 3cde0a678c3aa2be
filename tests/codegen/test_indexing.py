"""Basic and advanced indexing, reading and writing; indices out of range are errors."""

import numpy as np
import pytest

import theano_compat.tensor as T
from tests.codegen.support import compare, layouts

rng = np.random.default_rng(3)
x, x3, v = T.dmatrix("x"), T.dtensor3("x3"), T.dvector("v")
i, j = T.lscalar("i"), T.lscalar("j")
iv, im = T.lvector("iv"), T.lmatrix("im")

PAIRS = [(0, 3), (2, 5), (-1, 4), (5, 100), (-100, 2), (3, 1), (6, 2), (-7, 1), (-6, -1)]


@pytest.mark.parametrize(
    "expression",
    [
        x[i], x[i:j], x[:, i:j:2], x[i::-1], x[:i, j:], x[::-1, ::-2], x[-1], x[i, j], x[:, -2:], x[j:i:-1],
        x[::2][:, i:] + 1, x[1:3, 2:5].sum(), x[i : j : 3], x[::j],
    ],
    ids=str,
)  # fmt: skip
def test_slices_and_integers(expression):
    values = [(a, np.array(p), np.array(q)) for a in layouts(rng, 6, 8) for p, q in PAIRS]
    compare([x, i, j], [expression], *values)


def test_setting_and_adding_to_parts():
    outputs = [
        T.inc_subtensor(x[1:3], v), T.set_subtensor(x[i], v), T.inc_subtensor(x[:, i], 1.5),
        T.set_subtensor(x[::-2, i:], 0.0), T.inc_subtensor(x[i, i], 3.0), T.inc_subtensor((x * 1)[::2, 1:], 2.0),
    ]  # fmt: skip
    values = [(a, rng.standard_normal(8), np.array(p)) for a in layouts(rng, 6, 8) for p in (0, 2, -1)]
    compare([x, v, i], outputs, *values, (np.ones((6, 8)), np.ones(7), np.array(1)), (np.ones((6, 8)), np.ones(8), np.array(9)))


def test_rows_by_a_vector():
    outputs = [x[iv], x[iv].sum(0), T.inc_subtensor(x[iv], 1.0), T.set_subtensor(x[iv], x[iv] * 2)]
    for index in ([0, 3, 3, -1], [], [7], [-7], [1, 1, 1]):
        compare([x, iv], outputs, *[(a, np.array(index, "int64")) for a in layouts(rng, 6, 8)])


def test_elements_by_vectors():
    outputs = [
        x[iv, iv], x[T.arange(iv.shape[0]), iv], x[:, iv], x[iv][:, iv], T.inc_subtensor(x[iv, iv], 2.0),
        T.inc_subtensor(x[T.arange(iv.shape[0]), iv], T.cast(iv, "float64")), T.set_subtensor(x[:, iv], 1.0),
    ]  # fmt: skip
    for index in ([0, 3, 3, -1], [5, 4], [10], [1, 1, 1]):
        compare([x, iv], outputs, *[(a, np.array(index)) for a in layouts(rng, 6, 8)])


def test_index_arrays_of_any_rank_anywhere():
    outputs = [
        x3[im], x3[:, im], x3[im, :, iv], x3[:, im, iv], x3[0, im, iv], x3[1:, iv], x3[im, 1],
        T.inc_subtensor(x3[:, im], 1.0), T.inc_subtensor(x3[im, iv], rng.standard_normal((2, 3, 6))),
        T.inc_subtensor(x3[im, iv], rng.standard_normal(6)), T.set_subtensor(x3[:, im, iv], 0.5),
    ]  # fmt: skip
    values = [(a, rng.integers(0, 4, (2, 3)), rng.integers(-3, 3, 3)) for a in layouts(rng, 4, 5, 6)]
    compare([x3, im, iv], outputs, *values)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
def test_index_dtypes(dtype):
    index = T.TensorType(dtype, (False,))("index")
    compare([x, index], [x[index], x[index, index]], (rng.standard_normal((4, 4)), np.array([0, 3, 1], dtype)))


def test_values_of_extent_1_are_stretched_when_assigned():
    y = T.dmatrix("y")
    outputs = [T.inc_subtensor(x[2:4], y), T.set_subtensor(x[:, :], y), T.inc_subtensor(x[iv], y), T.alloc(y, 6, 8)]
    values = [(np.ones((6, 8)), np.array([2, 2]), value) for value in (np.ones((1, 8)), np.full((1, 1), 3.0))]
    compare([x, iv, y], outputs, *values)
    compare([x, iv, y], [T.inc_subtensor(x[2:4], y)], (np.ones((6, 8)), np.array([1]), np.ones((3, 8))))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_positions_of_what_is_not_zero(dtype, ndim):
    x = T.TensorType(dtype, (False,) * ndim)("x")
    values = [np.zeros((3,) * ndim, dtype), np.zeros((0,) * ndim, dtype), np.ones((2,) * ndim, dtype)]
    for value in layouts(rng, *(5, 4, 3)[:ndim], dtype=dtype):
        value = value if value.flags.writeable else value.copy()
        value[rng.random(value.shape) < 0.5] = 0
        values.append(value)
    compare([x], [T.nonzero(x, return_matrix=True), *T.nonzero(x)], *[(value,) for value in values])


def test_positions_of_a_computed_mask_index_other_arrays():
    x = T.dmatrix("x")
    outputs = [x[T.nonzero(x > 0)], T.nonzero((x > 0) | (x < -1))[1] + 1, T.set_subtensor(x[T.nonzero(x < 0)], 0.0)]
    compare([x], outputs, (rng.standard_normal((4, 5)),), (np.zeros((4, 5)),), (np.ones((1, 5)),))

"""Reductions over any axes, layouts and dtypes."""

import numpy as np
import pytest

import theano_compat.tensor as T
from tests.codegen.support import compare, layouts, link, run
from theano_compat.codegen.linker import CodegenLinker

rng = np.random.default_rng(2)
x, x3 = T.dmatrix("x"), T.dtensor3("x3")


def test_sums_products_extrema_over_all_layouts():
    outputs = [
        x.sum(), x.sum(0), x.sum(1), x.max(), x.max(0), x.min(1), x.prod(0), (x > 0).any(0), (x > 0).all(1), x.mean(),
        x.T.sum(0), T.exp(x).sum(1), T.sqr(x - x.mean(0)).sum(1), x.argmax(1), x.argmax(0), T.argmax(x),
    ]  # fmt: skip
    compare([x], outputs, *[(a,) for a in layouts(rng, 5, 7)], (rng.standard_normal((300, 3)),))


def test_axes_of_three():
    outputs = [x3.sum((0, 2)), x3.sum(1), x3.max((1, 2)), x3.sum(), x3.dimshuffle(2, 0, 1).sum((0, 1)), T.argmax(x3, axis=1)]
    compare([x3], outputs, *[(a,) for a in layouts(rng, 4, 5, 6)], (rng.standard_normal((1, 5, 1)),))


def test_nan_wins_extrema_wherever_it_stands():
    for place in range(40):
        value = rng.standard_normal((5, 8))
        value.flat[place] = np.nan
        compare([x], [x.max(), x.min(), x.max(0), x.max(1), x.min(0), x.argmax(1), T.argmax(x)], (value,))


def test_empty_sums_are_zero_and_empty_extrema_errors():
    compare([x], [x.sum(), x.sum(0), x.prod(1), x.sum(1)], (np.zeros((0, 3)),), (np.zeros((3, 0)),))
    compare([x], [x.max()], (np.zeros((0, 3)),))
    compare([x], [x.max(1)], (np.zeros((0, 3)),))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "bool", "float16", "float32", "complex64"])
def test_dtypes_and_their_accumulators(dtype):
    a = T.TensorType(dtype, (False, False))("a")
    outputs = [a.sum(), a.sum(0), a.sum(1)]
    if not dtype.startswith("complex"):
        outputs += [a.max(), a.min(0)]
    compare([a], outputs, *[(value,) for value in layouts(rng, 6, 5, dtype=dtype)])


def test_long_float32_sum_in_float32_is_accurate():
    a = T.fvector("a")
    n = 3_000_000
    linked = link(CodegenLinker(), [a], [T.sum(a, acc_dtype="float32")])
    found = run(linked, [np.full(n, 0.1, "float32")])[0]
    assert abs(found / (n * float(np.float32(0.1))) - 1) < 1e-5

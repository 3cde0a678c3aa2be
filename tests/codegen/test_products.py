"""Products of vectors, matrices and batches in every layout, small (in line) and large (library)."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.codegen.support import compare, layouts
from theano_compat.tensor import blas

rng = np.random.default_rng(5)
x, y, z, v, s = T.dmatrix("x"), T.dmatrix("y"), T.dmatrix("z"), T.dvector("v"), T.dscalar("s")

SIZES = [(6, 8, 5), (60, 80, 50), (60, 1, 50), (1, 80, 50), (60, 80, 1), (6, 0, 5), (0, 8, 5), (200, 30, 2)]


@pytest.mark.parametrize("m, k, n", SIZES)
def test_products(m, k, n):
    outputs = [
        T.dot(x, y), T.dot(x, v), T.dot(v, y), T.dot(v, v), T.dot(y.T, v), blas._dot22(x, y), blas._dot22(y.T, x.T),
        blas._dot22scalar(x, y, np.asarray(2.0)),
    ]  # fmt: skip
    for a, b in zip(layouts(rng, m, k), layouts(rng, k, n)):
        for c in layouts(rng, k):
            compare([x, y, v], outputs, (a, b, c))


@pytest.mark.parametrize("m, k, n", [*SIZES[:5], (7, 300, 9)])
def test_products_added_to_arrays(m, k, n):
    outputs = [
        blas.gemm_no_inplace(z, s, x, y, np.asarray(0.5)), blas.gemm_inplace(z * 1, s, x, y, np.asarray(0.0)),
        blas.gemm_inplace(z, s, x, y, np.asarray(2.0)),
    ]  # fmt: skip
    for c in layouts(rng, m, n):
        if 0 in c.strides:
            continue
        for a, b in zip(layouts(rng, m, k), layouts(rng, k, n)):
            compare([z, x, y, s], outputs[:2], (c, a, b, np.array(-0.1)))
            compare([z, x, y, s], outputs[2:], (c, a, b, np.array(-0.1)))


def test_vectors_added_and_outer_products():
    outputs = [blas.gemv_no_inplace(z[:, 0], s, x, y[:, 0], np.asarray(2.0)), blas.ger(z, s, x[:, 0], y[0])]
    for a, b, c in zip(layouts(rng, 6, 8), layouts(rng, 8, 5), layouts(rng, 6, 5)):
        compare([z, x, y, s], outputs, (c, a, b, np.array(2.0)))


def test_extents_that_do_not_match_are_errors():
    compare([x, y], [T.dot(x, y)], (np.ones((6, 8)), np.ones((7, 5))))
    compare([x, v], [T.dot(x, v)], (np.ones((6, 8)), np.ones(7)))
    compare([x, v], [T.dot(v, x)], (np.ones((6, 8)), np.ones(7)))
    compare([z, x, y, s], [blas.gemm_no_inplace(z, s, x, y, np.asarray(0.5))], (np.ones((6, 4)), np.ones((6, 8)), np.ones((8, 5)), np.array(1.0)))


def test_batches():
    a, b = T.dtensor3("a"), T.dtensor3("b")
    outputs = [T.batched_dot(a, b), T.batched_dot(x, b), T.batched_dot(a, x.dimshuffle(0, 1))]
    for n in (4, 40):
        values = [
            (p, q, r) for p, q, r in zip(layouts(rng, 3, n, 5), layouts(rng, 3, 5, 2), layouts(rng, 3, 5))
        ]
        compare([a, b, x], outputs, *values)


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "complex64", "complex128"])
def test_dtypes(dtype):
    a = T.TensorType(dtype, (False, False))("a")
    outputs = [T.dot(a, a.T), T.dot(a, a[0]), T.dot(a[0], a[0]), T.dot(a[0], a.T)]
    compare([a], outputs, *[(value,) for n in (4, 50) for value in layouts(rng, n, n + 1, dtype=dtype)])


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("m, k, n", [(40, 3000, 60), (30, 2000, 3), (3, 1000, 500)])
def test_a_small_step_of_a_parameter_is_rounded_once(m, k, n, order):
    rng = np.random.RandomState(0)
    before = rng.uniform(-0.1, 0.1, (m, n)).astype("float32")
    a, b = ((rng.randn(k, c) * 1e-3).astype("float32") for c in (m, n))
    parameter, x, y = theano.shared(np.array(before, order=order), borrow=True), *T.fmatrices("x", "y")
    f = theano.function([x, y], [], updates=[(parameter, parameter - np.float32(0.1) * T.dot(x.T, y))])
    assert "Gemm" in str(f.maker.fgraph.outputs[0].owner.op)
    f(a, b)
    exact = before.astype("float64") - 0.1 * (a.T.astype("float64") @ b)
    assert np.abs(parameter.get_value() - exact).max() < 0.6 * np.spacing(np.float32(0.1))

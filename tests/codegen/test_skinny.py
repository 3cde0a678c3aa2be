"""Products with few columns or rows, which the engine computes by itself: every branch, layout and remainder against float64 NumPy."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T

#: Rows, columns, depth: widths around the blocks of 2 and 1, and around the 4 from which a library does them; depths around the lanes and around the 512 taken at once.
SIZES = [
    (100, 10, 784), (784, 10, 100), (67, 16, 513), (4, 3, 1100), (130, 1, 129), (64, 7, 8), (65, 8, 1024), (9, 700, 140), (16, 16, 300), (3, 2, 2000),
    (128, 17, 130), (63, 5, 40), (300, 1, 1100), (1, 201, 600), (100, 4, 784), (70, 3, 40), (4, 201, 600), (65, 5, 1024), (3, 64, 513),
]


@pytest.fixture(scope="module")
def updates():
    """Return dtype -> (function computing ``z <- z beta + alpha x y`` in place, z), compiled once."""
    made = {}
    for dtype in ("float32", "float64"):
        x, y = T.matrix("x", dtype), T.matrix("y", dtype)
        alpha, beta = T.scalar("alpha", dtype), T.scalar("beta", dtype)
        z = theano.shared(np.zeros((1, 1), dtype))
        made[dtype] = theano.function([x, y, alpha, beta], T.dot(x, y), updates=[(z, beta * z + alpha * T.dot(x, y))], mode="FAST_RUN"), z
    return made


def _laid_out(values, how):
    if how == "C":
        return np.ascontiguousarray(values)
    if how == "F":
        return np.asfortranarray(values)
    room = np.full((2 * values.shape[0], 3 * values.shape[1]), np.nan, values.dtype)[::2, ::3]  # "gaps"
    room[...] = values
    return room


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layouts", ["CC", "FC", "CF", "FF", "Cg", "gF"])
def test_product_and_update(updates, dtype, layouts):
    function, z = updates[dtype]
    rng = np.random.default_rng(4)
    for m, n, k in SIZES:
        a, b, c = (rng.standard_normal(s).astype(dtype) for s in ((m, k), (k, n), (m, n)))
        exact = a.astype("float64") @ b.astype("float64")
        a, b = (_laid_out(v, how) for v, how in zip((a, b), layouts))
        tolerance = np.finfo(dtype).eps * 8 * np.sqrt(k)
        for beta in (1.0, -0.5):
            z.set_value(c)
            got = function(a, b, 0.25, beta)
            np.testing.assert_allclose(got, exact, rtol=0, atol=tolerance * 4, err_msg=f"{m}x{k} by {k}x{n}")
            np.testing.assert_allclose(z.get_value(), beta * c + 0.25 * exact, rtol=0, atol=tolerance * 4, err_msg=f"{m}x{k} by {k}x{n}, beta {beta}")


def test_old_contents_do_not_matter(updates):
    """With beta = 0 what the memory held, NaN included, has no part in the result."""
    x, y = T.matrix("x", "float64"), T.matrix("y", "float64")
    function = theano.function([x, y], T.dot(x, y))
    a = np.ones((100, 784))
    a[7, 3] = np.nan
    function(a, np.ones((784, 10)))
    a[7, 3] = 1
    np.testing.assert_array_equal(function(a, np.ones((784, 10))), np.full((100, 10), 784.0))

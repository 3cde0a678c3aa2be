"""Products of rows that are taken several times."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.tensor.opt.repeated_rows import DistinctRows, distinct_rows

MODES = ["FAST_RUN", theano.Mode("py", "fast_run")]
INDICES = {
    "few rows": np.arange(200) % 5,
    "negative ones": np.arange(200) % 7 - 3,
    "in reverse": (np.arange(400) % 9)[::-2],
    "most differ": np.arange(40),
    "few indices": np.zeros(5, int),
    "none": np.zeros(0, int),
}


def ops(f):
    return [node.op for node in f.maker.fgraph.toposort()]


def count(f):
    return sum(isinstance(op, DistinctRows) for op in ops(f))


@pytest.fixture
def embedding():
    """A matrix, a vector of row numbers, a second matrix, and an expression of the products of the rows with the gradients."""
    x, w, i = T.dmatrix("x"), T.dmatrix("w"), T.ivector("i")
    out = T.tanh(T.dot(x[i], w))
    return [x, i, w], [out, *T.grad((out**2).sum(), [x, w])]


@pytest.mark.parametrize("name", INDICES)
@pytest.mark.parametrize("mode", MODES)
def test_values_and_gradients_stay(embedding, mode, name):
    inputs, outputs = embedding
    f = theano.function(inputs, outputs, mode=mode)
    plain = theano.function(inputs, outputs, mode=theano.compile.get_mode(mode).excluding("repeated_rows"))
    assert count(f) == 1 and count(plain) == 0
    rng = np.random.RandomState(0)
    for rows in (60, 9, 2000) if name == "few rows" else (60,):
        x, w = rng.randn(rows, 4), rng.randn(4, 6)
        for got, wanted in zip(f(x, INDICES[name].astype("int32"), w), plain(x, INDICES[name].astype("int32"), w)):
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13)


def test_products_have_a_row_for_each_different_index(embedding):
    inputs, outputs = embedding
    extents = []

    def note(position, node, thunk):
        if type(node.op).__name__ in ("Dot", "Dot22"):
            extents.append({n for cell in (*thunk.inputs, *thunk.outputs) for n in cell[0].shape})

    f = theano.function(inputs, outputs, mode=theano.compile.MonitorMode(post_func=note))
    f(np.ones((50, 4)), np.arange(1000, dtype="int32") % 5, np.ones((4, 6)))
    assert extents == [{4, 5, 6}] * 3


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint32", "int64"])
@pytest.mark.parametrize("mode", MODES)
def test_indices_of_all_integer_types(mode, dtype):
    i, n = T.vector("i", dtype), T.lscalar("n")
    f = theano.function([i, n], distinct_rows(i, n), mode=mode)
    index = np.array([3, 1, 3, 7] * 20, dtype)
    rows, place = f(index, 9)
    np.testing.assert_array_equal(rows, [1, 3, 7])
    np.testing.assert_array_equal(rows[place], index)
    for unchanged, length in ((index, 7), (index, 10**9), (index[:8], 9), (index[:0], 9), (np.arange(100, dtype=dtype), 100)):
        rows, place = f(unchanged, length)
        np.testing.assert_array_equal(rows, unchanged)
        np.testing.assert_array_equal(place, np.arange(len(unchanged)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("bad", [5, -6])
def test_an_index_out_of_bounds_is_named(embedding, mode, bad):
    inputs, outputs = embedding
    f = theano.function(inputs, outputs, mode=mode)
    index = np.zeros(100, "int32")
    index[50] = bad
    with pytest.raises(IndexError, match=f"index {bad} is out of bounds"):
        f(np.ones((5, 4)), index, np.ones((4, 6)))


def test_infinite_rows_that_are_not_taken_do_not_matter(embedding):
    inputs, outputs = embedding
    x = np.ones((50, 4))
    x[7:] = np.inf
    results = theano.function(inputs, outputs)(x, np.arange(100, dtype="int32") % 6, np.ones((4, 6)))
    assert all(np.isfinite(r).all() for r in results)


def test_lengths_that_do_not_agree_are_refused():
    x, y, i = T.dmatrix("x"), T.dmatrix("y"), T.lvector("i")
    product = theano.function([x, y, i], T.dot(x[i].T, y))
    with pytest.raises(ValueError):
        product(np.ones((5, 4)), np.ones((1, 3)), np.zeros(40, int))


@pytest.mark.parametrize("dtypes", [("int32", "int8"), ("int32", "bool"), ("float32", "int8"), ("float32", "float16"), ("int8", "int8")])
def test_sums_that_other_dtypes_would_spoil_are_left_alone(dtypes):
    x, y = (T.matrix(name, dtype) for name, dtype in zip("xy", dtypes))
    i = T.lvector("i")
    rows = T.alloc(y[0, 0], i.shape[0], 4)
    results = [T.dot(x[i].T, rows), T.inc_subtensor(T.zeros((5, 4), dtypes[0])[i], T.dot(rows, T.ones((4, 4), dtypes[0])))]
    f = theano.function([x, y, i], results, on_unused_input="ignore")
    assert count(f) == 0
    values = np.ones((3, 6), dtypes[0]), np.full((1, 1), 1 if dtypes[1] == "bool" else 100, dtypes[1]), np.arange(200) % 3
    plain = theano.function([x, y, i], results, mode=theano.compile.get_mode("FAST_RUN").excluding("repeated_rows"))
    for got, wanted in zip(f(*values), plain(*values)):
        np.testing.assert_array_equal(got, wanted)


def test_a_matrix_added_to_rows_that_are_matrices():
    x, e, w, i = T.dtensor3("x"), T.dmatrix("e"), T.dmatrix("w"), T.lvector("i")
    product = T.dot(T.alloc(e[0, 0], i.shape[0], 4) + e[0], w)
    f = theano.function([x, e, w, i], T.inc_subtensor(x[i], product))
    index = np.arange(40) % 3
    wanted = np.zeros((3, 40, 5))
    np.add.at(wanted, index, np.full((40, 5), 8.0))
    np.testing.assert_allclose(f(np.zeros((3, 40, 5)), np.ones((4, 4)), np.ones((4, 5)), index), wanted)


def test_a_product_with_a_vector_and_rows_as_second_factor():
    x, i, v, y = T.dmatrix("x"), T.lvector("i"), T.dvector("v"), T.dmatrix("y")
    z = T.dot(x[i], y)
    f = theano.function([x, i, v, y], [T.dot(x[i], v), T.dot(z.T, x[i])])
    assert count(f) == 1 and "Python" not in f.explain()
    rng = np.random.RandomState(1)
    a, b, c, d = rng.randn(9, 4), rng.randint(9, size=300), rng.randn(4), rng.randn(4, 3)
    got = f(a, b, c, d)
    np.testing.assert_allclose(got[0], a[b] @ c)
    np.testing.assert_allclose(got[1], (a[b] @ d).T @ a[b])


def test_rows_of_sentences():
    """As the tutorial on LSTMs writes it: a matrix of words, reshaped on the way to the product."""
    table, w, words = T.dmatrix("table"), T.dmatrix("w"), T.lmatrix("words")
    embedded = table[words.flatten()].reshape([words.shape[0], words.shape[1], 4])
    out = T.tanh(T.dot(embedded, w))
    inputs, outputs = [table, w, words], [out, *T.grad((out**3).sum(), [table, w])]
    f = theano.function(inputs, outputs)
    assert count(f) == 1 and "Python" not in f.explain()
    rng = np.random.RandomState(2)
    values = rng.randn(20, 4), rng.randn(4, 3), rng.randint(9, size=(30, 5))
    for got, wanted in zip(f(*values), theano.function(inputs, outputs, mode="FAST_COMPILE")(*values)):
        np.testing.assert_allclose(got, wanted, rtol=1e-10)
    with pytest.raises(ValueError):
        f(np.ones((20, 5)), *values[1:])


def test_steps_of_a_loop_keep_their_products():
    x, w, i = T.dmatrix("x"), T.dmatrix("w"), T.lmatrix("i")
    h, _ = theano.scan(lambda i, h: T.tanh(T.dot(x[i] * h, w)), sequences=i, outputs_info=T.zeros((40, 4)))
    f = theano.function([x, w, i], h[-1])
    assert "Python" not in f.explain() and count(f) == 0
    f(np.ones((5, 4)), np.ones((4, 4)), np.zeros((3, 40), int))

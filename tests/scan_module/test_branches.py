"""ifelse in compiled loops: what is not taken is neither computed nor read, and what is overwritten is read before."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.ifelse import ifelse


def scanned(step, taken, start, others=(), dtype="int32"):
    """A function of the conditions, and its explanation."""
    c, h0 = T.vector("c", dtype=dtype), T.TensorType("float64", (False,) * np.ndim(start))("h0")
    rows, _ = theano.scan(step, sequences=c, outputs_info=h0, non_sequences=list(others))
    f = theano.function([c, h0, *others], rows)
    return f, lambda *values: f(np.array(taken, dtype), start, *values)


def test_arrays_made_outside_and_changed_in_a_branch_keep_their_value_outside():
    k = T.iscalar("k")

    def step(i, h, k):
        y = T.exp(h)
        z = T.set_subtensor(y[k], 5.0)
        return T.tanh(h) * ifelse(T.gt(i, 0), (z * T.exp(-z)).sum(), y.sum()) * y.sum()

    f, run = scanned(step, [1, 0, 1], np.full(3, 0.1), [k])
    assert "steps in C" in f.explain()
    h, wanted = np.full(3, 0.1), []
    for taken in (1, 0, 1):
        y = np.exp(h)
        z = y.copy()
        z[1] = 5
        h = np.tanh(h) * ((z * np.exp(-z)).sum() if taken else y.sum()) * y.sum()
        wanted.append(h)
    np.testing.assert_allclose(run(1), wanted)


def test_what_is_overwritten_is_read_before_in_a_function_too():
    h, k = T.dvector("h"), T.iscalar("k")
    y = T.exp(h)
    z = T.inc_subtensor(y[k], 1.0)
    f = theano.function([h, k], T.tanh(z) * ifelse(T.gt(z.sum(), 5), y.sum(), y[k] * 3))
    before = np.exp(np.ones(3))
    after = before + [0, 1, 0]
    np.testing.assert_allclose(f(np.ones(3), 1), np.tanh(after) * before.sum())


def test_elements_are_read_after_they_were_set_in_the_branch():
    k, j = T.iscalar("k"), T.iscalar("j")

    def step(i, h, k, j):
        y = T.exp(h)
        s = y.sum()
        return T.tanh(h) * ifelse(T.gt(i, 0), T.set_subtensor(y[k], 5.0)[j], s) * s

    _, run = scanned(step, [1], np.ones(3), [k, j])
    np.testing.assert_allclose(run(1, 1)[0], np.tanh(1) * 5 * 3 * np.e)


def test_memory_of_a_branch_that_is_not_taken_is_not_read():
    W = T.dtensor3("W")
    f, run = scanned(lambda i, h, W: T.tanh(ifelse(T.lt(i, W.shape[0]), T.dot(h, W[i]), h)), [0, 10**9], np.full((64, 64), 0.01), [W])
    first = np.tanh(np.full((64, 64), 0.01) @ np.full((64, 64), 0.01))
    np.testing.assert_allclose(run(np.full((2, 64, 64), 0.01)), [first, np.tanh(first)])


def test_a_slice_step_of_zero_that_is_not_taken_does_no_harm():
    v = T.dvector("v")
    _, run = scanned(lambda i, a, v: a + ifelse(T.gt(i, 0), v[::i].sum(), np.float64(0)), [1, 0], np.float64(0), [v])
    np.testing.assert_allclose(run(np.ones(3)), [3, 3])


def test_memory_for_a_branch_that_is_not_taken_is_not_wanted():
    _, run = scanned(lambda i, a: a + ifelse(T.lt(i, 1000), T.exp(T.alloc(a, i, i)).max(axis=0).sum(), np.float64(0)), [1, 10**7], np.float64(0))
    np.testing.assert_allclose(run(), [1, 1])


def test_an_index_that_only_branches_read_is_not_checked_where_none_is_taken():
    v = T.dvector("v")

    def step(i, a, v):
        y, inside = T.exp(v[i]), T.lt(i, v.shape[0])
        return a + ifelse(inside, y, np.float64(0)) + ifelse(inside, y * 2, np.float64(1))

    _, run = scanned(step, [0, 7], np.float64(0), [v])
    np.testing.assert_allclose(run(np.zeros(3)), [3, 4])
    v_too_short = np.zeros(0)
    np.testing.assert_allclose(run(v_too_short), [1, 2])


def test_indices_out_of_bounds_in_the_branch_that_is_taken_are_an_error():
    v = T.dvector("v")
    _, run = scanned(lambda i, a, v: a + ifelse(T.gt(i, 0), v[i], np.float64(0)), [1, 7], np.float64(0), [v])
    with pytest.raises(IndexError, match="index 7 is out of bounds"):
        run(np.ones(3))

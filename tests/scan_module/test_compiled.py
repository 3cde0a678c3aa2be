"""Loops that are compiled into the function."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.ifelse import ifelse

#: Rewritten and as written, both compiled.
MODES = ["FAST_RUN", theano.Mode("cvm", "fast_compile")]


@pytest.mark.parametrize("order", ["C", "F"])
def test_copies_that_are_made_before_a_loop_are_there_in_every_step(order):
    u, W, V, x0, y0, w = T.dmatrix("u"), T.dmatrix("W"), T.dmatrix("V"), T.dvector("x0"), T.dscalar("y0"), T.dvector("w")
    (xs, ys), _ = theano.scan(lambda u, x, y: [T.dot(u, V) + T.dot(x, W), T.dot(x, w)], sequences=u, outputs_info=[x0, y0])
    f = theano.function([u, V, x0, W, w, y0], [xs, ys], on_unused_input="ignore")
    rng = np.random.RandomState(0)
    values = [rng.randn(4, 3), np.array(rng.randn(3, 2), order=order), rng.randn(2), np.array(rng.randn(2, 2), order=order), rng.randn(4)[::2], 0.0]
    wanted_x, wanted_y, x = [], [], values[2]
    for row in values[0]:
        wanted_y.append(x @ values[4])
        x = row @ values[1] + x @ values[3]
        wanted_x.append(x)
    for _ in range(2):
        got_x, got_y = f(*values)
        np.testing.assert_allclose(got_x, wanted_x)
        np.testing.assert_allclose(got_y, wanted_y)


def test_second_derivatives_taken_in_a_compiled_loop():
    x, A = T.dvector("x"), T.dmatrix("A")
    slope = T.grad(T.dot(x * x, T.dot(A, x)), x)
    rows, _ = theano.scan(lambda i, slope, x: T.grad(slope[i], x), sequences=T.arange(slope.shape[0]), non_sequences=[slope, x])
    value, matrix = np.array([1.0, -0.5, 2.0]), np.array([[1.0, 3.0, 0.0], [2.0, 0.5, -1.0], [0.25, 0.0, 4.0]])
    mixed = 2 * value[:, None] * matrix
    np.testing.assert_allclose(theano.function([x, A], rows)(value, matrix), mixed + mixed.T + np.diag(2 * matrix @ value))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("m, k, n", [(1, 40, 70), (2, 300, 9), (17, 260, 300), (33, 100, 129), (32, 800, 64), (70, 400, 257), (200, 60, 90)])
@pytest.mark.parametrize("transposed", [False, True])
def test_products_with_a_factor_that_all_steps_share(m, k, n, transposed, dtype):
    x, W, z = T.tensor3("x", dtype=dtype), T.matrix("W", dtype=dtype), T.matrix("z", dtype=dtype)
    rows, _ = theano.scan(lambda row, before, W: T.dot(row, W.T if transposed else W) * 0.5 + before, sequences=x, outputs_info=z, non_sequences=W)
    f = theano.function([x, W, z], rows)
    assert "Python" not in f.explain()
    rng = np.random.RandomState(0)
    values = [rng.randn(3, m, k).astype(dtype), rng.randn(*((n, k) if transposed else (k, n))).astype(dtype), rng.randn(m, n).astype(dtype)]
    wanted, state = [], values[2].astype("float64")
    for row in values[0]:
        state = state + 0.5 * (row.astype("float64") @ (values[1].T if transposed else values[1]))
        wanted.append(state)
    tolerance = 2e-4 if dtype == "float32" else 1e-11
    for _ in range(2):
        np.testing.assert_allclose(f(*values), wanted, rtol=tolerance, atol=tolerance)


def test_gradient_through_a_masked_lstm():
    n, steps = 4, 6
    mask = (np.arange(steps)[:, None] < np.array([6, 6, 4, 3, 2])).astype("float64")

    def step(below, m, h, memory, U):
        gates = below + T.dot(h, U)
        write, keep, show, new = (gates[:, i * n : (i + 1) * n] for i in range(4))
        new_memory = T.nnet.sigmoid(keep) * memory + T.nnet.sigmoid(write) * T.tanh(new)
        m = m.dimshuffle(0, "x")
        return m * T.nnet.sigmoid(show) * T.tanh(new_memory) + (1 - m) * h, m * new_memory + (1 - m) * memory

    def cost(x, W, U):
        start = T.zeros((x.shape[1], n))
        (h, _), _ = theano.scan(step, sequences=[T.dot(x, W), T.constant(mask)], outputs_info=[start, start], non_sequences=U)
        return T.sum(h**2 * mask[:, :, None])

    rng = np.random.RandomState(0)
    T.verify_grad(cost, [rng.randn(steps, 5, 3), rng.randn(3, 4 * n), rng.randn(n, 4 * n)], rng=rng)


def test_states_that_are_changed_a_little_are_changed_in_place_unless_their_old_value_is_read():
    x, n = T.dvector("x"), T.iscalar("n")
    value = np.random.RandomState(0).rand(7)

    def plain(row, t):
        return T.set_subtensor(row[t], row[t - 1] + 2 * row[t])

    def old_value_read(t, row):
        return plain(row, t), T.sum(row * T.arange(7)), row[t]

    (rows, sums, elements), _ = theano.scan(old_value_read, sequences=T.arange(n), outputs_info=[x, None, None])
    alone, _ = theano.scan(lambda t, row: plain(row, t), sequences=T.arange(n), outputs_info=x)
    f = theano.function([x, n], [rows[-1], sums, elements, alone[-1]])
    assert "Python" not in f.explain()
    for count in (1, 2, 6):
        row, wanted_sums, wanted_elements = value.copy(), [], []
        for t in range(count):
            wanted_sums.append(np.sum(row * np.arange(7)))
            wanted_elements.append(row[t])
            row[t] = row[t - 1] + 2 * row[t]
        given = value.copy()
        for a, b in zip(f(given, count), (row, wanted_sums, wanted_elements, row)):
            np.testing.assert_allclose(a, b)
        np.testing.assert_array_equal(given, value)


@pytest.mark.parametrize("mode", MODES)
def test_results_that_do_not_vary_have_no_rows_after_no_steps(mode):
    x, n = T.dvector("x"), T.lscalar("n")
    rows, _ = theano.scan(lambda x: x * 2, non_sequences=x, n_steps=n)
    f = theano.function([x, n], rows, mode=mode)
    assert f([1.0, 2.0], 0).shape == (0, 2)
    np.testing.assert_array_equal(f([1.0, 2.0], 2), [[2, 4], [2, 4]])


def test_rows_without_values_become_a_result():
    n = T.lscalar("n")
    rows = T.set_subtensor(T.basic.AllocEmpty("float64")(n + 1)[:1], 2.0)
    f = theano.function([n], rows, mode=MODES[1])
    assert "Python" not in f.explain()
    assert f(0) == [2.0] and f(3)[0] == 2.0 and f(3).shape == (4,)


def test_directional_derivative_of_a_state_that_is_a_row_of_integers():
    i, x = T.lvector("i"), T.dscalar("x")
    (a, b), _ = theano.scan(lambda i, a, b: [T.cast(i, "float64"), a * b], sequences=i, outputs_info=[x, x])
    f = theano.function([i, x], T.Rop(a.sum() + b[-1], x, T.constant(1.0)), mode="FAST_RUN")
    # b is 2 * x * x after two steps
    np.testing.assert_allclose(f([2, 3], 1.5), 6.0)


def in_c(f):
    """Tell whether all loops of a function run in C."""
    return "steps in C" in f.explain() and "Python: for" not in f.explain()


@pytest.mark.parametrize("mode", MODES)
def test_branches_in_a_step_may_have_results_of_different_shapes(mode):
    x, i, W = T.dvector("x"), T.lvector("i"), T.dmatrix("W")

    def step(i, b, x, W):
        either = ifelse(T.gt(i, 1), ifelse(T.gt(i, 2), x[1:], b * 2), T.dot(W, x))
        return b + either.sum(), either.max()

    (rows, most), _ = theano.scan(step, sequences=i, outputs_info=[x, None], non_sequences=[x, W])
    f = theano.function([i, x, W], [rows, most], mode=mode)
    assert in_c(f)
    value, matrix = np.array([0.5, 1.0, 2.0]), np.arange(15.0).reshape(5, 3)
    before, wanted, wanted_most = value, [], []
    for k in (0, 1, 2, 3, 0):
        either = value[1:] if k > 2 else before * 2 if k > 1 else matrix @ value
        before = before + either.sum()
        wanted.append(before)
        wanted_most.append(either.max())
    got, most = f([0, 1, 2, 3, 0], value, matrix)
    np.testing.assert_allclose(got, wanted)
    np.testing.assert_allclose(most, wanted_most)


@pytest.mark.parametrize("mode", MODES)
def test_results_of_branches_are_kept_where_their_shapes_are_equal(mode):
    x, i, W = T.dvector("x"), T.lvector("i"), T.dmatrix("W")
    rows, _ = theano.scan(lambda i, x, W: ifelse(T.gt(i, 1), ifelse(T.gt(i, 2), x * 3, T.dot(W, x)), x * 2), sequences=i, non_sequences=[x, W])
    f = theano.function([i, x, W], rows, mode=mode)
    assert in_c(f)
    value, matrix = np.array([1.0, 2.0]), np.array([[1.0, 1.0], [0.0, 3.0]])
    np.testing.assert_allclose(f([1, 2, 3], value, matrix), [value * 2, matrix @ value, value * 3])
    with pytest.raises(ValueError, match="branches of an ifelse have the extents 2 and 3"):
        f([1, 2, 3], value, np.ones((3, 2)))


@pytest.mark.parametrize("mode", MODES)
def test_extents_that_turn_out_equal_in_a_step(mode):
    x, i = T.dvector("x"), T.lvector("i")

    def step(i, x):
        left = T.exp(x[:i])
        right = x[i:]
        return T.dot(left, left) + T.sum(right * left)

    rows, _ = theano.scan(step, sequences=i, non_sequences=x)
    f = theano.function([x, i], rows, mode=mode)
    assert in_c(f)
    value = np.array([0.5, 1.0, -1.0, 0.25])
    left, right = np.exp(value[:2]), value[2:]
    np.testing.assert_allclose(f(value, [2, 2]), [left @ left + left @ right] * 2)
    with pytest.raises(ValueError, match="Input dimension mis-match"):  # and nothing was written beyond what there is room for
        f(value, [2, 1])


@pytest.mark.parametrize("mode", MODES)
def test_gradient_through_branches_in_branches_stays_in_c(mode):
    x, i = T.dvector("x"), T.lvector("i")

    def step(i, before):
        inside = ifelse(T.gt(before.sum(), 2.0), T.sin(before), before * x)
        return ifelse(T.gt(i, 0), inside * 0.5, T.exp(-T.sqr(before)))

    rows, _ = theano.scan(step, sequences=i, outputs_info=x)
    f = theano.function([x, i], T.grad(T.sum(rows), x), mode=mode)
    assert in_c(f)
    state, total = x, 0
    for k in (1, 0, 1):
        # the sums are 3.5, below 2 and below 2
        state = T.sin(state) * 0.5 if state is x else T.exp(-T.sqr(state)) if k == 0 else state * x * 0.5
        total = total + state.sum()
    value = np.array([0.5, 3.0])
    wanted = theano.function([x], T.grad(total, x), mode=theano.Mode("py", None))(value)
    np.testing.assert_allclose(f(value, [1, 0, 1]), wanted)


@pytest.mark.parametrize("mode", MODES)
def test_branches_in_branches_may_have_matrices_of_different_shapes(mode):
    y, w, i = T.dmatrix("y"), T.dmatrix("w"), T.lvector("i")

    def step(i, y, w):
        inside = ifelse(T.gt(y.sum() + i, 20.0), T.sin(y), w)
        return T.dot(ifelse(T.gt(i, 1), inside * 0.5, T.exp(-T.sqr(y))), T.ones((2,))).sum(), inside.sum()

    (sums, parts), _ = theano.scan(step, sequences=i, non_sequences=[y, w])
    f = theano.function([y, w, i], [sums, parts], mode=mode)
    assert in_c(f)
    rng = np.random.RandomState(0)
    for rows in (3, 5):
        a, b = np.arange(6.0).reshape(3, 2), rng.randn(rows, 2)
        # the sum of a is 15
        insides = [np.sin(a) if 15 + k > 20 else b for k in (0, 2, 9)]
        wanted = [np.exp(-a * a).sum(), insides[1].sum() * 0.5, insides[2].sum() * 0.5]
        got, got_parts = f(a, b, [0, 2, 9])
        np.testing.assert_allclose(got, wanted)
        np.testing.assert_allclose(got_parts, [m.sum() for m in insides])


def test_gradient_of_a_product_whose_shape_changes_from_step_to_step():
    W, h0, counts = T.dmatrix("W"), T.dvector("h0"), T.ivector("counts")
    rows, _ = theano.scan(lambda i, h, W: h * T.tanh(T.dot(W[:i], h)).sum(), sequences=counts, outputs_info=h0, non_sequences=W)
    f = theano.function([counts, W, h0], [rows[-1].sum(), T.grad(rows[-1].sum(), W)])
    given, matrix = np.array([2, 3], "int32"), np.full((3, 3), 0.2)
    _, slope = f(given, matrix, np.ones(3))
    step = 1e-6
    for i, j in np.ndindex(3, 3):
        moved = [matrix + step * sign * (np.arange(9).reshape(3, 3) == 3 * i + j) for sign in (1, -1)]
        numeric = (f(given, moved[0], np.ones(3))[0] - f(given, moved[1], np.ones(3))[0]) / (2 * step)
        np.testing.assert_allclose(slope[i, j], numeric, rtol=1e-6)


def test_directional_derivative_passes_by_a_sum_of_integers():
    x, v = T.dvectors("xv")
    signs = T.cast(T.cast(x > 0, "int64").sum(), "float64")
    rows, _ = theano.scan(lambda b: b * T.cast(T.cast(b > 0, "int64").sum(), "float64"), outputs_info=x, n_steps=2)
    f = theano.function([x, v], T.Rop([signs * x.sum(), rows[-1].sum()], [x], [v]))
    np.testing.assert_allclose(f([1.0, -2.0, 3.0], [1.0, 1.0, 2.0]), [8.0, 16.0])

"""What the rewrites of loops leave behind."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.codegen.ir import Repeat
from theano_compat.scan_module.scan_op import Scan
from theano_compat.tensor.basic import Alloc, AllocEmpty, Dot
from theano_compat.tensor.blas import Dot22, Gemm


def scans(f):
    return [node for node in f.maker.fgraph.toposort() if isinstance(node.op, Scan)]


def test_a_gradient_in_a_loop_compiles_though_its_constants_move_out_of_two_steps(monkeypatch):
    monkeypatch.setattr(theano.config, "on_opt_error", "raise")
    x = T.dmatrix("x")
    values, _ = theano.scan(lambda i, x: (x * 2).sum() * x[i, 0], sequences=T.arange(2), non_sequences=x)
    rows, _ = theano.scan(lambda i, values, x: T.grad(values[i], x), sequences=T.arange(2), non_sequences=[values, x])
    value = np.array([[0.5, -1.0], [2.0, 3.0]])
    wanted = np.full((2, 2, 2), 2.0) * value[:, 0][:, None, None]
    wanted[0, 0, 0] += 2 * value.sum()
    wanted[1, 1, 0] += 2 * value.sum()
    for _ in range(2):  # the second function is made of the same loops
        np.testing.assert_allclose(theano.function([x], rows)(value), wanted)


@pytest.mark.parametrize("allowed, mark", [(True, "no_inplace"), (False, "[(0, 0)]")])
def test_what_a_step_returns_is_not_computed_in_place_where_it_goes_straight_into_a_row(allowed, mark, monkeypatch):
    monkeypatch.setattr(theano.config.scan, "allow_output_prealloc", allowed)
    w, start = T.dmatrix("w"), T.dvector("start")
    outs, _ = theano.scan(lambda before, w: T.tanh(T.dot(w, before)), outputs_info=start, non_sequences=w, n_steps=3)
    f = theano.function([w, start], outs, mode="FAST_RUN")
    step = scans(f)[0].op.fn.maker.fgraph
    assert mark in str(step.outputs[0].owner.op)
    value, w_value = np.array([0.1, 0.2]), np.array([[0.5, -0.25], [1.0, 0.75]])
    wanted = [value := np.tanh(w_value @ value) for _ in range(3)]
    np.testing.assert_allclose(f(w_value, [0.1, 0.2]), wanted)


@pytest.mark.parametrize("repeated", [T.alloc(np.float64(1), 2, 5), T.ones((2, 5)), T.alloc(T.constant(np.arange(5.0))[None], 2, 5)])
def test_of_initial_rows_that_are_one_row_repeated_all_are_there_when_only_the_last_row_is_kept(repeated, monkeypatch):
    monkeypatch.setattr(theano.config, "on_opt_error", "raise")
    n = T.lscalar("n")
    rows, _ = theano.scan(lambda a, b: a + 2 * b, outputs_info={"initial": repeated, "taps": [-2, -1]}, n_steps=n)
    f = theano.function([n], rows[-1])
    a, b = repeated.eval()
    for _ in range(4):
        a, b = b, a + 2 * b
    np.testing.assert_array_equal(f(4), b)


def lstm_cost(x, h, c, W, U, V):
    """A loop with all of its weights in it; products of the input, of the state before and of the new state."""

    def step(x_t, h, c, W, U, V):
        z = T.dot(x_t, W) + T.dot(h, U)
        i, f, g, o = (z[:, k * 2 : k * 2 + 2] for k in range(4))
        c = T.nnet.sigmoid(f) * c + T.nnet.sigmoid(i) * T.tanh(g)
        h = T.nnet.sigmoid(o) * T.tanh(c)
        return h, c, T.sqr(T.dot(h, V)).sum()

    (_, _, costs), _ = theano.scan(step, sequences=x, outputs_info=[h, c, None], non_sequences=[W, U, V])
    return costs.sum()


def rnn_cost(x, h, c, W, U, V):
    """A loop whose new state is all that its products are needed for."""
    rows, _ = theano.scan(lambda x_t, h, W, U: T.tanh(T.dot(x_t, W) + T.dot(h, U)), sequences=x, outputs_info=h, non_sequences=[W, U])
    return T.sqr(T.dot(rows, V)).sum()


def unrolled(cost, n):
    """The same with the loop written out."""

    def scan(step, sequences, outputs_info, non_sequences):
        state, rows = outputs_info, []
        many = isinstance(state, list)
        for t in range(n):
            given = [s for s in (state if many else [state]) if s is not None]
            state = step(sequences[t], *given, *non_sequences)
            rows.append(state if many else [state])
            state = [s if known is not None else None for s, known in zip(state, outputs_info)] if many else state
        found = [T.stack(list(r)) for r in zip(*rows)]
        return found if many else found[0], {}

    def written_out(*arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(theano, "scan", scan)
            return cost(*arguments)

    return written_out


def gradients(cost, width):
    x, h, c, W, U, V = variables = [T.dtensor3("x"), *map(T.dmatrix, "hcWUV")]
    rng = np.random.RandomState(0)
    values = [rng.randn(*shape) for shape in [(4, 3, 5), (3, 2), (3, 2), (5, width), (2, width), (2, 3)]]
    used = [0, 1, 3, 4, 5] if cost is rnn_cost else range(6)

    def compiled(cost):
        return theano.function(variables, T.grad(cost(*variables), [variables[k] for k in used]), on_unused_input="ignore", mode="FAST_RUN")

    f = compiled(cost)
    for got, wanted in zip(f(*values), compiled(unrolled(cost, 4))(*values)):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)
    return f


def test_of_products_that_are_summed_the_sum_is_kept_for_the_gradient_and_of_what_a_state_is_made_from_nothing():
    forward, backward = scans(gradients(lstm_cost, 8))
    # the sum of the two products and the third
    assert [v.type.ndim for v in forward.outputs].count(3) == 2 + 2
    assert not [n for n in backward.op.fn.maker.fgraph.toposort() if isinstance(n.op, Dot)]
    forward, backward = scans(gradients(rnn_cost, 2))
    assert len(forward.outputs) == 1


def test_no_array_of_rows_of_zeros_is_made_for_a_gradient():
    for node in scans(gradients(lstm_cost, 8)):
        for v in node.inputs[node.op.layout.outer_in["seqs"]]:
            while v.owner is not None and getattr(v.owner.op, "view_map", None):
                v = v.owner.inputs[0]
            assert v.owner is None or not isinstance(v.owner.op, Alloc)


def test_the_gradient_on_weights_needs_no_room_for_one_of_each_step():
    f = gradients(lstm_cost, 8)
    states = sum(node.op.layout.n_mit_sot + node.op.layout.n_sit_sot for node in scans(f))
    assert len([n for n in f.maker.fgraph.toposort() if isinstance(n.op, AllocEmpty)]) <= states


def test_a_product_that_the_step_reads_is_not_made_again_behind_the_loop():
    x, h, W = T.dtensor3("x"), T.dmatrix("h"), T.dmatrix("W")

    def step(x_t, h, W):
        product = T.dot(x_t, W)
        return T.tanh(product + h), product

    (rows, products), _ = theano.scan(step, sequences=x, outputs_info=[h, None], non_sequences=W)
    f = theano.function([x, h, W], [rows, products], mode="FAST_RUN")
    assert not [n for n in f.maker.fgraph.toposort() if isinstance(n.op, (Dot, Dot22, Gemm))]
    rng = np.random.RandomState(0)
    values = rng.randn(4, 3, 2), rng.randn(3, 5), rng.randn(2, 5)
    got_rows, got_products = f(*values)
    np.testing.assert_allclose(got_products, values[0] @ values[2])
    state = values[1]
    for row, product in zip(got_rows, got_products):
        state = np.tanh(product + state)
        np.testing.assert_allclose(row, state)


def loops_of(f):
    """The loops of a function as they were compiled: each with the arrays that it reads and those that it writes, by their numbers."""
    statements = [s for step in f.fn.schedule.steps if hasattr(step, "statements") for s in step.statements]
    return [({b.number for b in s.read}, {b.number for b in s.written}) for s in statements if isinstance(s, Repeat)]


def test_a_gradient_is_written_over_the_kept_rows_that_its_loop_has_read():
    f = gradients(lstm_cost, 8)
    (_, made), (_, changed) = loops_of(f)
    assert made & changed


def swapped(row, W):
    return T.concatenate([row[:, 2:] + 1, row[:, :2] * 2], axis=1)


@pytest.mark.parametrize("step, by_numpy", [
    (lambda row, W: T.dot(row, W), lambda z, W: z @ W),
    (swapped, lambda z, W: np.concatenate([z[:, :, 2:] + 1, z[:, :, :2] * 2], axis=2)),
    (lambda row, W: row[:, ::-1] + row.sum(), lambda z, W: z[:, :, ::-1] + z.sum((1, 2))[:, None, None]),
    (lambda row, W: T.set_subtensor(row[0], row[1]), lambda z, W: z[:, [1, 1, 2]]),
])  # fmt: skip
@pytest.mark.parametrize("backwards", [False, True])
def test_rows_that_are_read_for_the_last_time_are_written_over_where_nobody_can_see_it(step, by_numpy, backwards):
    x, W = T.dtensor3("x"), T.dmatrix("W")
    z = T.exp(x).cumsum(0)
    rng = np.random.RandomState(0)
    values = rng.randn(5, 3, 4), rng.randn(4, 4)
    whole = np.exp(values[0]).cumsum(0)
    wanted = by_numpy(whole[::-1] if backwards else whole, values[1])

    def loop(rows, **more):
        # a counter keeps the loop a loop
        return theano.scan(lambda row, n, W: [step(row, W), n + 1], sequences=rows, outputs_info=[None, T.constant(0)], non_sequences=W, **more)[0][0]

    rows = loop(z, go_backwards=backwards)
    cases = [
        ([rows], [wanted]),
        ([rows[::-1] * 1.0], [wanted[::-1]]),
        ([rows, z], [wanted, whole]),
        ([rows, (z * rows).sum()], [wanted, (whole * wanted).sum()]),
        ([theano.scan(lambda k, W: loop(z) * k, sequences=T.arange(3.0), non_sequences=W)[0]], [by_numpy(whole, values[1]) * np.arange(3.0)[:, None, None, None]]),
    ]
    for outputs, results in cases:
        f = theano.function([x, W], outputs, on_unused_input="ignore")
        for _ in range(2):
            for got, result in zip(f(*values), results):
                np.testing.assert_allclose(got, result, rtol=1e-10)


def test_a_sequence_that_is_read_at_two_places_is_not_written_over():
    x = T.dmatrix("x")
    z = T.exp(x)
    rows, _ = theano.scan(lambda a, b: a * T.sin(b) + a.sum(), sequences={"input": z, "taps": [0, -1]})
    more, _ = theano.scan(lambda a, b: a * T.sin(b) + a.sum(), sequences=[z, z[::-1]])
    f = theano.function([x], [rows, more])
    value = np.random.RandomState(0).randn(6, 3)
    whole = np.exp(value)
    got, got_more = f(value)
    np.testing.assert_allclose(got, whole[1:] * np.sin(whole[:-1]) + whole[1:].sum(1, keepdims=True))
    np.testing.assert_allclose(got_more, whole * np.sin(whole[::-1]) + whole.sum(1, keepdims=True))

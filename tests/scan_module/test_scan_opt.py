"""What the rewrites of loops leave behind."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.scan_module.scan_op import Scan


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

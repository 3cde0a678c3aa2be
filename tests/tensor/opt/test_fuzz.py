"""Random expressions: the value and the gradient after all rewrites are those of the expression node by node."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import theano_compat as theano
import theano_compat.tensor as T
from tests.tensor.opt.tools import PLAIN
from theano_compat.compile.mode import Mode

FULL = Mode("py", "fast_run")
LEAVES = {"x": T.dmatrix("x"), "z": T.dmatrix("z"), "v": T.dvector("v"), "s": T.dscalar("s")}
VALUES = {
    "x": np.random.RandomState(0).uniform(0.3, 1.5, (3, 3)),
    "z": np.random.RandomState(1).uniform(-1.5, -0.3, (3, 3)),
    "v": np.random.RandomState(2).uniform(0.3, 1.5, 3),
    "s": np.array(0.7),
}

# Smooth everywhere (or away from the values above), so that gradients can be compared too.
UNARY = {
    "neg": T.neg, "sqr": T.sqr, "tanh": T.tanh, "exp of tanh": lambda a: T.exp(T.tanh(a)), "sigmoid": T.nnet.sigmoid,
    "log of one plus sqr": lambda a: T.log(1 + T.sqr(a)), "cube": lambda a: a**3, "half": lambda a: a / 2,
    "twice": lambda a: 2 * a, "same": lambda a: a * 1 + 0, "inverse": lambda a: 1 / (2 + T.sqr(a)), "abs": lambda a: abs(a + 40),
    "transposed": lambda a: a.T, "reversed": lambda a: a[::-1], "mean": lambda a: a.mean(), "rows": lambda a: a.sum(axis=0),
    "cast": lambda a: T.cast(T.cast(a, "float64"), "float64"), "filled": lambda a: T.fill(a, 0.5) * a,
    "zeros": lambda a: T.zeros_like(a), "softmax": lambda a: T.nnet.softmax(a) if a.ndim == 2 else T.tanh(a),
    "reshaped": lambda a: a.reshape(a.shape) if a.ndim else a, "set": lambda a: T.set_subtensor(a[0], 1.5) if a.ndim else a,
    "increased": lambda a: T.inc_subtensor(a[:1], 2.5) if a.ndim else a,
}  # fmt: skip
UNARY["reversed"] = lambda a: a[::-1] if a.ndim else a
UNARY["rows"] = lambda a: a.sum(axis=0) if a.ndim else a
BINARY = {
    "add": T.add, "sub": T.sub, "mul": T.mul, "div": lambda a, b: a / (3 + T.sqr(b)),
    "cancelled": lambda a, b: (a + b) - b, "ratio": lambda a, b: (a * (b + 40)) / (b + 40),
    "dot": lambda a, b: T.dot(a, b) if a.ndim and b.ndim else a * b,
    "switched": lambda a, b: T.switch(T.lt(a, 100), a, b), "maximum": lambda a, b: T.maximum(a, b - 50),
}  # fmt: skip


def trees():
    """Return a strategy of expressions as nested tuples."""
    leaf = st.sampled_from([("leaf", name) for name in LEAVES] + [("number", c) for c in (0.0, 1.0, -1.0, 2.0, 0.5)])
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(st.just("unary"), st.sampled_from(sorted(UNARY)), inner),
            st.tuples(st.just("binary"), st.sampled_from(sorted(BINARY)), inner, inner),
        ),
        max_leaves=9,
    )


def build(tree):
    kind = tree[0]
    if kind == "leaf":
        return LEAVES[tree[1]]
    if kind == "number":
        return T.constant(tree[1], dtype="float64")
    if kind == "unary":
        return UNARY[tree[1]](build(tree[2]))
    return BINARY[tree[1]](build(tree[2]), build(tree[3]))


SETTINGS = dict(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], database=None
)


def compare(outputs):
    inputs, values = list(LEAVES.values()), list(VALUES.values())
    with np.errstate(all="ignore"):
        wanted = theano.function(inputs, outputs, mode=PLAIN, on_unused_input="ignore")(*values)
        found = theano.function(inputs, outputs, mode=FULL, on_unused_input="ignore")(*values)
    for want, got in zip(wanted, found):
        assert want.dtype == got.dtype and want.shape == got.shape
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)


@settings(max_examples=120, **SETTINGS)
@given(trees())
def test_random_expressions_keep_their_value(tree):
    compare([build(tree)])


@settings(max_examples=60, **SETTINGS)
@given(trees())
def test_random_expressions_keep_their_gradient(tree):
    out = build(tree)
    if not isinstance(out, theano.tensor.TensorConstant):
        cost = out.sum()
        compare([T.grad(cost, v, disconnected_inputs="ignore") for v in LEAVES.values()])

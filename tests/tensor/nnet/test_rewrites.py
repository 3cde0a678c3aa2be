"""Rewrites of neural-net expressions: what they make of a graph, and that the value stays the same."""
import numpy as np
import pytest
from scipy import special

import theano_compat as theano
import theano_compat.tensor as T
from tests.tensor.nnet import oracles
from theano_compat.compile.mode import Mode
from theano_compat.tensor import nnet
from theano_compat.tensor.nnet.nnet import (
    CrossentropySoftmax1HotWithBiasDx,
    CrossentropySoftmaxArgmax1HotWithBias,
    LogSoftmax,
    Softmax,
    SoftmaxGrad,
    SoftmaxWithBias,
)

REWRITTEN = Mode(linker="py", optimizer="fast_run")
PLAIN = Mode(linker="py", optimizer=None)

x, w, t = T.dmatrices("x", "w", "t")
b = T.dvector("b")
y = T.lvector("y")
rng = np.random.RandomState(7)
VALUES = {x: rng.randn(4, 5), w: rng.randn(5, 5), t: rng.rand(4, 5), b: rng.randn(5), y: np.array([2, 0, 4, 1])}


def compiled(expression, mode=REWRITTEN):
    inputs = [v for v in VALUES if v in theano.gof.graph.inputs([expression])]
    f = theano.function(inputs, expression, mode=mode)
    return f, [VALUES[v] for v in inputs]


def ops_of(f):
    return [node.op for node in f.maker.fgraph.toposort()]


def scalar_names(f):
    """Names of all scalar ops, those inside fused loops included."""
    names = []
    for op in ops_of(f):
        scalar = getattr(op, "scalar_op", None)
        if scalar is not None:
            inner = getattr(scalar, "fgraph", None)
            names += [str(n.op) for n in inner.toposort()] if inner is not None else [str(scalar)]
    return names


def rows(p):
    return p[T.arange(y.shape[0]), y]


ROW_MAX = [
    # expression, ops that must be there, ops that must not
    (T.log(nnet.softmax(x)), [LogSoftmax], [Softmax]),
    (nnet.softmax(T.dot(x, w) + b), [SoftmaxWithBias], [Softmax]),
    (T.exp(x) / T.exp(x).sum(axis=1, keepdims=True), [Softmax], []),
    (T.exp(x) / T.exp(x).sum(axis=0, keepdims=True), [], [Softmax]),
    (T.log(nnet.softmax(x + b))[T.arange(y.shape[0]), y], [CrossentropySoftmaxArgmax1HotWithBias], [Softmax, T.AdvancedSubtensor]),
    (T.log(rows(nnet.softmax(x))), [CrossentropySoftmaxArgmax1HotWithBias], [Softmax, T.AdvancedSubtensor]),
    (T.log(rows(nnet.softmax(x)) + 1), [Softmax], [CrossentropySoftmaxArgmax1HotWithBias]),
    (T.log(nnet.softmax(x))[T.arange(y.shape[0]) * 0, y], [LogSoftmax], [CrossentropySoftmaxArgmax1HotWithBias]),
    (nnet.categorical_crossentropy(nnet.softmax(x + b), y), [CrossentropySoftmaxArgmax1HotWithBias], [Softmax, SoftmaxWithBias]),
    (nnet.categorical_crossentropy(nnet.softmax(x), y), [CrossentropySoftmaxArgmax1HotWithBias], [Softmax]),
    (T.argmax(nnet.softmax(x), axis=1), [], [Softmax]),
    (T.argmax(nnet.softmax(x), axis=0), [Softmax], []),
    (T.argmax(nnet.sigmoid(x), axis=0), [], []),
    (T.max(nnet.softmax(x), axis=1), [Softmax], []),
]  # fmt: skip


@pytest.mark.parametrize("case", ROW_MAX, ids=lambda c: str(c[0])[:20])
def test_softmax_rewrites_give_the_wanted_ops_and_keep_the_value(case):
    expression, wanted, unwanted = case
    f, values = compiled(expression)
    kinds = [type(op) for op in ops_of(f)]
    assert all(k in kinds for k in wanted), kinds
    assert not any(k in kinds for k in unwanted), kinds
    plain, _ = compiled(expression, PLAIN)
    np.testing.assert_allclose(f(*values), plain(*values), rtol=1e-10)


COSTS = [
    -T.mean(T.log(nnet.softmax(T.dot(x, w) + b))[T.arange(y.shape[0]), y]),
    -T.sum(T.log(rows(nnet.softmax(x)))),
    2.5 * T.mean(T.log(rows(nnet.softmax(x + b)))),
    nnet.categorical_crossentropy(nnet.softmax(x), y).mean(),
    nnet.categorical_crossentropy(nnet.softmax(x + b), y).sum() * -3,
]  # fmt: skip


@pytest.mark.parametrize("cost", COSTS, ids=range(len(COSTS)))
def test_gradient_of_a_crossentropy_is_one_op(cost):
    gradient = T.grad(cost, x)
    f, values = compiled(gradient)
    kinds = [type(op) for op in ops_of(f)]
    assert CrossentropySoftmax1HotWithBiasDx in kinds
    assert SoftmaxGrad not in kinds and T.AdvancedIncSubtensor not in kinds
    plain, _ = compiled(gradient, PLAIN)
    np.testing.assert_allclose(f(*values), plain(*values), rtol=1e-9, atol=1e-12)


def test_cost_and_gradient_share_the_softmax():
    cost = COSTS[0]
    f = theano.function([x, w, b, y], [cost, *T.grad(cost, [w, b])], mode=REWRITTEN)
    kinds = [type(op) for op in ops_of(f)]
    assert kinds.count(CrossentropySoftmaxArgmax1HotWithBias) == 1
    assert Softmax not in kinds and SoftmaxWithBias not in kinds


def test_crossentropy_of_a_distribution_has_a_stable_gradient():
    cost = nnet.categorical_crossentropy(nnet.softmax(x), t).sum()
    f = theano.function([x, t], [cost, T.grad(cost, x)], mode=REWRITTEN)
    big = np.array([[0.0, 2000.0, -2000.0]])
    target = np.array([[0.2, 0.3, 0.5]])
    value, gradient = f(big, target)
    np.testing.assert_allclose(value, -(target * oracles.log_softmax(big)).sum())
    np.testing.assert_allclose(gradient, oracles.softmax(big) - target)


def test_wrong_number_of_labels_is_noticed_after_the_rewrites():
    cost = -T.mean(T.log(nnet.softmax(x))[T.arange(y.shape[0]), y])
    f = theano.function([x, y], T.grad(cost, x), mode=REWRITTEN)
    with pytest.raises((ValueError, AssertionError)):
        f(np.ones((4, 5)), [0, 1])


SIGMOIDS = [
    (T.log(nnet.sigmoid(x)), {"scalar_softplus", "neg"}),
    (T.log(1 - nnet.sigmoid(x)), {"scalar_softplus", "neg"}),
    (T.log1p(-nnet.sigmoid(x)), {"scalar_softplus", "neg"}),
    (T.log(1 + T.exp(x)), {"scalar_softplus"}),
    (T.exp(x) / (1 + T.exp(x)), {"scalar_sigmoid"}),
    (1 / (1 + T.exp(-x)), {"scalar_sigmoid"}),
    (3 * T.exp(x) / (t * (1 + T.exp(x))), {"scalar_sigmoid", "mul", "true_div"}),
    (nnet.sigmoid(x) * T.exp(-x), {"scalar_sigmoid", "neg"}),
    (-nnet.sigmoid(-x) * (t * T.exp(x)), {"scalar_sigmoid", "neg", "mul"}),
    (-1.0 / (1 + T.exp(-x)), {"scalar_sigmoid", "neg"}),
]  # fmt: skip


@pytest.mark.parametrize("expression, wanted", SIGMOIDS, ids=range(len(SIGMOIDS)))
def test_sigmoid_rewrites_give_the_wanted_functions_and_keep_the_value(expression, wanted):
    f, values = compiled(expression)
    assert {n.split("{")[0].lower() for n in scalar_names(f)} <= wanted
    plain, _ = compiled(expression, PLAIN)
    np.testing.assert_allclose(f(*values), plain(*values), rtol=1e-10)


NEAR_MISSES = [
    T.exp(x) / (2 + T.exp(x)), T.exp(x) / (1 - T.exp(x)), T.exp(x + 1) / (1 + T.exp(x)), nnet.sigmoid(x) * T.exp(x),
    T.log(2 - nnet.sigmoid(x)), T.exp(t) / (1 + T.exp(x)),
]  # fmt: skip


@pytest.mark.parametrize("expression", NEAR_MISSES, ids=range(len(NEAR_MISSES)))
def test_near_misses_keep_their_value(expression):
    f, values = compiled(expression)
    plain, _ = compiled(expression, PLAIN)
    np.testing.assert_allclose(f(*values), plain(*values), rtol=1e-10)


def test_log_of_a_sigmoid_does_not_overflow():
    f = theano.function([x], [T.log(nnet.sigmoid(x)), T.grad(T.log(nnet.sigmoid(x)).sum(), x)], mode=REWRITTEN)
    far = np.array([[-1000.0, 0.0, 1000.0]])
    value, gradient = f(far)
    np.testing.assert_allclose(value, special.log_expit(far))
    np.testing.assert_allclose(gradient, special.expit(-far), atol=1e-300)


@pytest.mark.parametrize("name", ["local_ultra_fast_sigmoid", "local_hard_sigmoid"])
def test_approximations_are_applied_only_where_named(name):
    expression = nnet.sigmoid(x)
    exact, values = compiled(expression)
    assert "scalar_sigmoid" in scalar_names(exact)
    rough, _ = compiled(expression, REWRITTEN.including(name))
    assert "scalar_sigmoid" not in scalar_names(rough)
    np.testing.assert_allclose(rough(*values), exact(*values), atol=0.1)


def test_batch_normalisation_becomes_elementwise():
    gamma = T.TensorType("float64", (True, False))("gamma")
    out = nnet.bn.batch_normalization_train(x, gamma, gamma)[0]
    f = theano.function([x, gamma], [out, *T.grad((out ** 2).sum(), [x, gamma])], mode=REWRITTEN)
    plain = theano.function([x, gamma], [out, *T.grad((out ** 2).sum(), [x, gamma])], mode=PLAIN)
    assert not any(type(op).__name__.startswith("AbstractBatchNorm") for op in ops_of(f))
    values = VALUES[x], np.array([[1.0, 2.0, 0.5, -1.0, 3.0]])
    for found, wanted in zip(f(*values), plain(*values)):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_slices_beside_a_list_of_indices_are_no_rows(caplog):
    m = T.dmatrix("m")
    f = theano.function([m], m[::-1, [0, 2]])
    value = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(f(value), value[::-1][:, [0, 2]])
    assert "Optimization failure" not in caplog.text

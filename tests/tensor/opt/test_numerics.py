"""Expressions as users write them stay accurate where the plain formula overflows or cancels, gradients too."""

from __future__ import annotations

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from theano_compat.compile.mode import Mode

MODE = Mode("py", "fast_run")
x, y, w = T.dmatrix("x"), T.dvector("y"), T.dvector("w")
v = T.dvector("v")


@pytest.mark.parametrize("scale", [1.0, 50.0, 1000.0, -1000.0])
def test_logistic_regression_written_out(scale):
    p = 1 / (1 + T.exp(-T.dot(x, w)))
    cost = (-y * T.log(p) - (1 - y) * T.log(1 - p)).mean()
    function = theano.function([x, y, w], [cost, T.grad(cost, w)], mode=MODE)
    inputs, labels, weights = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([0.0, 1.0]), np.array([scale, scale])
    found, gradient = function(inputs, labels, weights)
    z = inputs @ weights
    wanted = np.mean(np.logaddexp(0, z) - labels * z)
    probability = np.exp(-np.logaddexp(0, -z))
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-200)
    np.testing.assert_allclose(gradient, ((probability - labels) / 2) @ inputs, rtol=1e-10, atol=1e-200)


@pytest.mark.parametrize(
    "expression, at, wanted",
    [
        (lambda a: T.log(T.sum(T.exp(a), axis=0)), [1000.0, 1000.0], 1000 + np.log(2)),
        (lambda a: T.log(T.sum(T.exp(a), axis=0)), [-np.inf, -np.inf], -np.inf),
        (lambda a: T.log(T.sum(T.exp(a), axis=0)), [np.inf, 0.0], np.inf),
        (lambda a: T.log(T.exp(a) + T.exp(2 * a)), [800.0, -900.0], [1600.0, -900.0]),
        (lambda a: T.log(1 + a), [1e-20, -1e-18], [1e-20, -1e-18]),
        (lambda a: T.exp(a) - 1, [1e-20, -1e-18], [1e-20, -1e-18]),
        (lambda a: 1 - T.erf(a), [10.0, 20.0], [2.088487583762545e-45, 5.395865611607901e-176]),
        (lambda a: T.log(T.erfc(a)), [30.0, 100.0], [-903.9741171106439, -10005.177585122272]),
    ],
)
def test_stable_forms(expression, at, wanted):
    function = theano.function([v], expression(v), mode=MODE)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(function(np.array(at)), wanted, rtol=1e-9)

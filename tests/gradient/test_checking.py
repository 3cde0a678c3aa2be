"""Finite differences and verify_grad."""

import numpy as np
import pytest

import theano_compat.tensor as T
from theano_compat import gof, gradient
from theano_compat.gradient import GradientError, numeric_grad, verify_grad

MODE = "FAST_COMPILE"


class Wrong(gof.Op):
    """The square, with a gradient that is off by a factor."""

    __props__ = ("factor",)

    def __init__(self, factor):
        self.factor = factor

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return gof.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0] ** 2

    def grad(self, inputs, output_grads):
        return [self.factor * inputs[0] * output_grads[0]]


def rng():
    return np.random.RandomState(3)


def test_numeric_grad():
    single = numeric_grad(lambda a: (a**2).sum(), np.array([1.0, 2.0]))
    assert np.allclose(single.gf, [2, 4], atol=1e-5)
    several = numeric_grad(lambda a, b: (a * b).sum(), [np.array([1.0, 2.0]), np.array([3.0, 5.0])])
    assert np.allclose(several.gf[0], [3, 5], atol=1e-5) and np.allclose(several.gf[1], [1, 2], atol=1e-5)


def test_max_err_finds_the_worst_element():
    numeric = numeric_grad(lambda a: (a**2).sum(), [np.array([1.0, 2.0, 3.0])])
    argument, position, absolute, relative = numeric.max_err([np.array([2.0, 4.5, 6.0])], 1e-4, 1e-4)
    assert (argument, position) == (0, 1)
    assert absolute == pytest.approx(0.5, abs=1e-5) and relative == pytest.approx(0.5 / 8.5, abs=1e-5)
    with pytest.raises(ValueError, match="argument has wrong number of elements"):
        numeric.max_err([], 1, 1)
    with pytest.raises(ValueError, match="argument element 0 has wrong shape"):
        numeric.max_err([np.ones(2)], 1, 1)
    with pytest.raises(ValueError, match="abs_err not finite"):
        numeric.max_err([np.array([np.nan, 4, 6])], 1, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_right_gradients_pass(dtype):
    verify_grad(T.tanh, [np.array([0.1, -0.5], dtype)], rng=rng(), mode=MODE)
    verify_grad(lambda x, y: T.dot(x, y), [np.ones((2, 3), dtype), np.ones((3, 2), dtype)], rng=rng(), mode=MODE)
    verify_grad(Wrong(2), [np.array([1.0, 3.0], dtype)], rng=rng(), mode=MODE)


def test_wrong_gradients_fail_with_the_place():
    with pytest.raises(GradientError) as error:
        verify_grad(Wrong(3), [np.array([1.0, 2.0])], rng=rng(), mode=MODE)
    text = str(error.value)
    assert text.startswith("GradientError: numeric gradient and analytic gradient exceed tolerance:\n        At position ")
    assert "of argument 0 with shape (2,)" in text and "The error happened with the following inputs" in text
    assert error.value.rel_err > 0.1 and verify_grad.E_grad is GradientError


def test_tolerances_can_be_widened():
    verify_grad(Wrong(2.05), [np.array([1.0, 2.0])], rng=rng(), mode=MODE, rel_tol=0.1)


def test_what_verify_grad_refuses():
    with pytest.raises(TypeError, match="rng should be a valid instance of numpy.random.RandomState"):
        verify_grad(T.tanh, [np.ones(2)])
    with pytest.raises(TypeError, match='verify_grad can work only with floating point inputs, but input 0 has dtype "int'):
        verify_grad(T.tanh, [np.ones(2, "int32")], rng=rng())
    with pytest.raises(NotImplementedError, match="multiple outputs"):
        verify_grad(lambda x: [x, x], [np.ones(2)], rng=rng())


def test_mode_not_slow_keeps_the_rewrites_of_debug_mode():
    mode = gradient.mode_not_slow("DebugMode")
    assert type(mode).__name__ == "Mode"
    assert gradient.mode_not_slow("FAST_COMPILE").provided_optimizer == "fast_run"

"""Softmax and crossentropies against NumPy, in every layout and at extreme values."""

import numpy as np
import pytest

import theano_compat.tensor as T
from tests.codegen.support import compare, layouts
from theano_compat.tensor.nnet import nnet

rng = np.random.default_rng(6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_gradients(dtype):
    x, b = T.TensorType(dtype, (False, False))("x"), T.TensorType(dtype, (False,))("b")
    y = T.lvector("y")
    outputs = [
        nnet.softmax(x), nnet.softmax_with_bias(x, b), nnet.logsoftmax(x),
        *nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, y),
        nnet.crossentropy_softmax_1hot_with_bias_dx(b[:4], nnet.softmax(x), y), nnet.softmax_grad(x, nnet.softmax(x)),
        nnet.crossentropy_categorical_1hot(nnet.softmax(x), y),
    ]  # fmt: skip
    classes = np.array([0, 5, 2, 3])
    for a in layouts(rng, 4, 6, dtype=dtype):
        for c in layouts(rng, 6, dtype=dtype):
            compare([x, b, y], outputs, (a, c, classes))


def test_large_scores_do_not_overflow():
    x = T.dmatrix("x")
    value = np.array([[1e4, 0.0, -1e4], [-1e300, 0.0, 1e300], [0.0, 0.0, 0.0]])
    compare([x], [nnet.softmax(x), nnet.logsoftmax(x)], (value,))


@pytest.mark.parametrize("bad", [6, -1, 100])
def test_a_class_that_is_not_there_is_an_error(bad):
    x, b, y = T.dmatrix("x"), T.dvector("b"), T.lvector("y")
    outputs = nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, y)
    compare([x, b, y], outputs, (np.ones((4, 6)), np.ones(6), np.array([0, 1, bad, 2])))
    compare([x, b, y], outputs, (np.ones((4, 6)), np.ones(5), np.array([0, 1, 2, 2])))
    compare([x, b, y], outputs, (np.ones((4, 6)), np.ones(6), np.array([0, 1, 2])))

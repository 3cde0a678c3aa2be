"""The complex Fourier transform."""

import numpy as np
import pytest

import theano_compat
import theano_compat.tensor as T
from tests.tensor.tensor_tools import check, evaluate
from theano_compat.tensor.fourier import fft

VALUE = np.random.RandomState(0).uniform(size=(4, 3))


@pytest.mark.parametrize(("n", "axis"), [(6, 0), (None, None), (2, 1), (3, 0)])
def test_agrees_with_numpy(n, axis):
    check(lambda x: fft(x, n, axis), lambda x: np.fft.fft(x, n, -1 if axis is None else axis), VALUE)


@pytest.mark.parametrize("n", [6, 3])
def test_gradient_is_the_transposed_transform(n):
    x = T.dmatrix()
    weights = np.random.RandomState(1).uniform(size=(n, 3)) + 1j
    pulled = theano_compat.gradient.Lop(fft(x, n, 0), x, T.constant(weights))
    matrix = np.fft.fft(np.eye(4), n, axis=0)
    np.testing.assert_allclose(evaluate(pulled, {x: VALUE}), matrix.T @ weights)


@pytest.mark.parametrize("args", [(1.5, 0), (0, 0), (3, 5), (3, -1)])
def test_wrong_arguments(args):
    with pytest.raises(TypeError, match="^Fourier: "):
        fft(T.dmatrix(), *args)

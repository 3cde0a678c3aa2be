"""The whole road in under a minute: expression, gradient, compiled function, training, cache, errors."""

import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T


def test_expression_is_compiled_and_right():
    x, y = T.dmatrix("x"), T.dvector("y")
    f = theano.function([x, y], [T.exp(-x) * y, T.dot(x, y), x.sum(axis=0)])
    a, b = np.random.RandomState(0).rand(4, 3), np.arange(3.0)
    e, d, s = f(a, b)
    np.testing.assert_allclose(e, np.exp(-a) * b)
    np.testing.assert_allclose(d, a @ b)
    np.testing.assert_allclose(s, a.sum(0))


def test_gradient_agrees_with_finite_differences():
    T.verify_grad(lambda x: T.log(T.nnet.sigmoid(T.dot(x, x.T))).sum(), [np.random.RandomState(1).rand(3, 4)], rng=np.random.RandomState(2))


def test_training_learns_xor():
    rng = np.random.RandomState(3)
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float64")
    targets = np.array([0, 1, 1, 0], "float64")
    x, t = T.dmatrix(), T.dvector()
    W, b, v, c = (theano.shared(rng.randn(*shape)) for shape in ((2, 8), (8,), (8,), ()))
    p = T.nnet.sigmoid(T.dot(T.tanh(T.dot(x, W) + b), v) + c)
    cost = T.nnet.binary_crossentropy(p, t).mean()
    params = [W, b, v, c]
    step = theano.function([x, t], cost, updates=[(q, q - 1.0 * g) for q, g in zip(params, T.grad(cost, params))])
    first = step(inputs, targets)
    for _ in range(1500):
        last = step(inputs, targets)
    assert last < 0.01 < first
    np.testing.assert_array_equal(theano.function([x], p > 0.5)(inputs), targets > 0.5)


def test_shared_updates_givens_and_defaults():
    state = theano.shared(0)
    n = T.iscalar("n")
    add = theano.function([theano.In(n, value=1)], state, updates=[(state, state + n)])
    assert (int(add()), int(add(10)), int(state.get_value())) == (0, 1, 11)
    doubled = theano.function([], state * 2, givens={state: T.constant(21, dtype="int64")})
    assert doubled() == 42


def test_errors_say_what_is_wrong():
    x, y = T.dvector("x"), T.dvector("y")
    f = theano.function([x, y], x + y)
    with pytest.raises(ValueError, match="Input dimension mis-match"):
        f([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="Bad input argument"):
        f([[1.0]], [1.0])
    with pytest.raises(theano.gof.MissingInputError, match="not provided|undeclared"):
        theano.function([x], x + y)


def test_convolution_and_pooling():
    from scipy.signal import convolve2d

    from theano_compat.tensor.signal.pool import pool_2d

    image, kernel = T.dtensor4(), T.dtensor4()
    f = theano.function([image, kernel], pool_2d(T.nnet.conv2d(image, kernel), (2, 2), ignore_border=True))
    rng = np.random.RandomState(4)
    a, k = rng.rand(2, 1, 7, 7), rng.rand(3, 1, 2, 2)
    got = f(a, k)
    full = np.array([[convolve2d(a[i, 0], k[j, 0], "valid") for j in range(3)] for i in range(2)])
    np.testing.assert_allclose(got, full.reshape(2, 3, 3, 2, 3, 2).max((3, 5)))

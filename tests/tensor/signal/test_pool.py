"""Pooling: arguments, shapes, errors, and gradients of higher order (values are in the spec records)."""
import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.tensor.nnet import oracles
from theano_compat.compile.mode import Mode
from theano_compat.gradient import verify_grad
from theano_compat.tensor.signal import pool

PLAIN = Mode(linker="py", optimizer=None)
X = T.dtensor4("x")
rng = np.random.RandomState(2)
DISTINCT = rng.permutation(2 * 6 * 7).reshape(1, 2, 6, 7) / 3.0


@pytest.mark.parametrize("arguments, wanted", [
    (((2, 3, 7, 8), (2, 3)), [2, 3, 4, 3]), (((2, 3, 7, 8), (2, 3), True), [2, 3, 3, 2]),
    (((7, 8), (3, 3), False, (2, 2)), [3, 4]), (((7, 8), (3, 3), True, (2, 2), (1, 1)), [4, 4]),
    (((7, 8), (2, 2), False, (3, 3)), [3, 3]), (((1, 1), (2, 2), True), [0, 0]), (((7, 8), (3, 3), False, (5, 5)), [2, 2]),
    (((1, 2), (2, 2), False, (3, 3)), [1, 1]), (((0, 0), (3, 3), False, (4, 4)), [0, 0]), (((0, 0), (3, 3), False, (1, 1)), [1, 1]),
])  # fmt: skip
def test_output_shapes_are_theanos(arguments, wanted):
    assert pool.Pool.out_shape(*arguments) == wanted


@pytest.mark.parametrize("call, error, message", [
    (lambda: pool.pool_2d(X, (2, 2), False, pad=(1, 1)), NotImplementedError, "padding works only with ignore_border=True"),
    (lambda: pool.pool_2d(X, (2, 2), True, pad=(2, 2)), NotImplementedError, "padding must be smaller than strides"),
    (lambda: pool.pool_2d(X, (2, 2), True, mode="foo"), ValueError,
     "Pool mode parameter only support 'max', 'sum', 'average_inc_pad' and 'average_exc_pad'. Got foo"),
    (lambda: pool.pool_2d(X, ignore_border=True), ValueError, "You must provide a tuple value for the window size."),
    (lambda: pool.pool_2d(T.dvector(), (2, 2), True), NotImplementedError, "pool_2d requires a dimension >= 2"),
    (lambda: pool.pool_3d(T.dmatrix(), (2, 2, 2), True), NotImplementedError, "pool_3d requires a dimension >= 3"),
    (lambda: pool.pool_2d(X, (2.5, 2), True), TypeError, "Pool downsample parameters must be ints."),
    (lambda: pool.pool_2d(X, (2, 2), True, ds=(2, 2)), ValueError,
     "You can't provide a tuple value to both 'ws' and 'ds'. Please provide a value only to 'ws'."),
])  # fmt: skip
def test_wrong_arguments_are_refused_in_theanos_words(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_old_names_warn_and_work():
    with pytest.warns(UserWarning, match="'ds' parameter is not going to exist"):
        old = pool.pool_2d(X, ds=(2, 2), st=(1, 1), ignore_border=True, padding=(1, 1))
    new = pool.pool_2d(X, (2, 2), True, stride=(1, 1), pad=(1, 1))
    f = theano.function([X], [old, new], mode=PLAIN)
    a, b = f(DISTINCT)
    np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="ignore_border default value changed"):
        pool.pool_2d(X, (2, 2))


def test_downsample_is_the_old_module():
    with pytest.warns(UserWarning, match="moved"):
        import importlib

        import theano_compat.tensor.signal.downsample as downsample

        importlib.reload(downsample)
    f = theano.function([X], downsample.max_pool_2d(X, (2, 2), ignore_border=True), mode=PLAIN)
    np.testing.assert_array_equal(f(DISTINCT), oracles.pool(DISTINCT, (2, 2)))


def test_symbolic_window():
    ws = T.ivector("ws")
    f = theano.function([X, ws], pool.pool_2d(X, ws, ignore_border=True), mode=PLAIN)
    np.testing.assert_array_equal(f(DISTINCT, [3, 2]), oracles.pool(DISTINCT, (3, 2)))


@pytest.mark.parametrize("mode", ["max", "sum", "average_inc_pad", "average_exc_pad"])
@pytest.mark.parametrize("stride, pad", [(None, None), ((1, 2), None), ((2, 2), (1, 1))])
def test_gradient_of_the_gradient(mode, stride, pad):
    def gradient(x, g):
        return theano.grad(None, x, known_grads={pool.Pool(True, mode)(x, (3, 2), stride, pad): g})

    shape = oracles.pool(DISTINCT, (3, 2), True, stride, pad, mode).shape

    def of_gradient(g):
        x = T.as_tensor_variable(DISTINCT)
        p = pool.Pool(True, mode)(x, (3, 2), stride, pad)
        return theano.grad(None, x, known_grads={p: g})

    verify_grad(of_gradient, [rng.randn(*shape)], rng=np.random.RandomState(1), mode=PLAIN)


def test_directional_derivative_takes_the_first_maximum():
    v = T.dtensor4("v")
    f = theano.function([X, v], T.Rop(pool.Pool(True)(X, (2, 2)), X, v), mode=PLAIN)
    x = np.array([[[[1.0, 3.0], [3.0, 2.0]]]])
    assert f(x, np.array([[[[1.0, 20.0], [300.0, 4000.0]]]])) == 20.0


def test_only_the_maximum_of_each_patch_is_kept():
    f = theano.function([X], pool.max_pool_2d_same_size(X, (2, 2)), mode=PLAIN)
    x = np.array([[[[1.0, 2.0, 3.0], [4.0, 0.0, 1.0]]]])
    np.testing.assert_array_equal(f(x), [[[[0, 0, 0], [4, 0, 0]]]])

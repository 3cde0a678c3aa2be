"""What the spec records do not say: second gradients, errors, hierarchical softmax, patches, block-sparse products."""
import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.tensor.nnet import oracles
from theano_compat.compile.mode import Mode
from theano_compat.gradient import verify_grad
from theano_compat.tensor import nnet
from theano_compat.tensor.nnet import blocksparse, ctc, neighbours
from theano_compat.tensor.nnet.nnet import (
    crossentropy_softmax_1hot_with_bias_dx,
    crossentropy_softmax_argmax_1hot_with_bias,
    prepend_1_to_each_row,
    prepend_scalar_to_each_row,
    softmax_grad,
    softmax_op,
)

PLAIN = Mode(linker="py", optimizer=None)
rng = np.random.RandomState(11)


def grad_checks(op, *arrays):
    verify_grad(op, list(arrays), rng=np.random.RandomState(5), mode=PLAIN)


def test_second_derivatives_of_the_softmax():
    grad_checks(lambda x: T.grad((softmax_op(x) ** 2).sum(), x), rng.randn(3, 4))
    grad_checks(softmax_grad, rng.randn(3, 4), oracles.softmax(rng.randn(3, 4)))


@pytest.mark.parametrize("rows", [3, 1])
def test_second_derivative_of_the_crossentropy(rows):
    grad_checks(lambda dy, sm: crossentropy_softmax_1hot_with_bias_dx(dy, sm, [1, 0, 3]), rng.randn(rows), rng.rand(3, 4))


@pytest.mark.parametrize("y", [[0, 3], [-1, 0]])
def test_class_out_of_bounds_is_an_error(y):
    x = T.dmatrix()
    f = theano.function([x], crossentropy_softmax_argmax_1hot_with_bias(x, np.zeros(3), np.array(y)), mode=PLAIN)
    with pytest.raises(ValueError, match="y_i value out of bounds"):
        f(np.ones((2, 3)))


@pytest.mark.parametrize("build, error, message", [
    (lambda: softmax_op(T.imatrix()), ValueError, "x must be 1-d or 2-d tensor of floats. Got TensorType(int32, matrix)"),
    (lambda: nnet.categorical_crossentropy(T.dmatrix(), T.dtensor3()), TypeError, "rank mismatch between coding and true distributions"),
    (lambda: nnet.confusion_matrix(T.imatrix(), T.ivector()), ValueError, "actual must be 1-d tensor variable"),
    (lambda: nnet.bn.batch_normalization_train(T.dmatrix(), T.row(), T.row(), epsilon=1e-6), ValueError, "epsilon must be at least 1e-5"),
    (lambda: nnet.bn.batch_normalization_train(T.dmatrix(), T.row(), T.row(), axes=(0, 2)), ValueError,
     "axes should be less than ndim (<2), but (0, 2) given"),
    (lambda: blocksparse.sparse_block_gemv(T.dvector(), T.dtensor4(), T.dtensor3(), T.imatrix(), T.imatrix()), TypeError,
     "The output o must be a 3D tensor"),
    (lambda: neighbours.Images2Neibs("foo"), NotImplementedError, "Only modes"),
])  # fmt: skip
def test_errors_in_theanos_words(build, error, message):
    with pytest.raises(error) as caught:
        build()
    assert message in " ".join(map(str, caught.value.args))


def test_softmax_of_a_vector_warns_and_gives_a_row():
    with pytest.warns(UserWarning, match="DEPRECATION: If x is a vector"):
        out = nnet.softmax(T.dvector())
    assert out.ndim == 2 and out.broadcastable == (True, False)


def test_sigmoid_crossentropy_equals_the_crossentropy_of_the_sigmoid():
    p, t = T.dvectors("p", "t")
    direct, stable = nnet.binary_crossentropy(nnet.sigmoid(p), t), nnet.sigmoid_binary_crossentropy(p, t)
    f = theano.function([p, t], [direct, stable], mode=PLAIN)
    a, b = f(rng.randn(20), rng.rand(20))
    np.testing.assert_allclose(a, b)
    grad_checks(nnet.sigmoid_binary_crossentropy, rng.randn(5), rng.rand(5))
    far = theano.function([p, t], stable, mode=PLAIN)(np.array([-1e4, 1e4]), np.array([0.0, 0.0]))
    np.testing.assert_allclose(far, [0.0, 1e4])


def test_hierarchical_softmax_gives_the_same_with_and_without_a_target():
    x, y = T.dmatrix("x"), T.ivector("y")
    arrays = rng.randn(4, 3), rng.randn(3), rng.randn(3, 4, 5), rng.randn(3, 5)
    one = nnet.h_softmax(x, 6, 14, 3, 5, *map(T.as_tensor_variable, arrays), target=y)
    everything = nnet.h_softmax(x, 6, 14, 3, 5, *map(T.as_tensor_variable, arrays))
    f = theano.function([x, y], [one, everything], mode=PLAIN)
    classes = np.array([0, 13, 7, 4, 5, 9], dtype="int32")
    a, b = f(rng.randn(6, 4), classes)
    assert b.shape == (6, 14)
    np.testing.assert_allclose(a, b[np.arange(6), classes])


def test_confusion_matrix_counts():
    a, p = T.lvectors("a", "p")
    f = theano.function([a, p], nnet.confusion_matrix(a, p), mode=PLAIN)
    counts, order = f([2, 0, 2, 2, 0, 7], [0, 0, 2, 2, 0, 2])
    np.testing.assert_array_equal(order, [0, 2, 7])
    np.testing.assert_array_equal(counts, [[2, 0, 0], [1, 2, 0], [0, 1, 0]])


def test_prepended_columns():
    x, s = T.dmatrix(), T.dscalar()
    f = theano.function([x, s], [prepend_1_to_each_row(x), prepend_scalar_to_each_row(s, x)], mode=PLAIN)
    a, b = f(np.zeros((2, 3)), 5.0)
    np.testing.assert_array_equal(a, [[1, 0, 0, 0]] * 2)
    np.testing.assert_array_equal(b, [[5, 0, 0, 0]] * 2)
    grad_checks(prepend_scalar_to_each_row, np.asarray(2.0), rng.randn(2, 3))


@pytest.mark.parametrize("mode", ["valid", "ignore_borders", "wrap_centered", "half", "full"])
def test_patches_have_a_gradient_in_every_mode(mode):
    step = None if mode in ("ignore_borders",) else (1, 1)
    grad_checks(lambda x: neighbours.images2neibs(x, (3, 3), step, mode=mode), rng.randn(2, 1, 5, 4))


def test_patches_go_back_to_the_image():
    x = T.dtensor4()
    back = neighbours.neibs2images(neighbours.images2neibs(x, (2, 3)), (2, 3), x.shape)
    value = rng.randn(2, 3, 4, 6)
    np.testing.assert_array_equal(theano.function([x], back, mode=PLAIN)(value), value)
    with pytest.raises(TypeError, match=r"neib_shape\[0\]=2, neib_step\[0\]=2 and ten4.shape\[2\]=5 not consistent"):
        theano.function([x], back, mode=PLAIN)(rng.randn(1, 1, 5, 6))


def test_block_sparse_product_and_its_gradients():
    h, w, b = rng.randn(2, 3, 4), rng.randn(5, 6, 4, 2), rng.randn(6, 2)
    i, j = np.array([[0, 2, 4], [1, 2, 2]]), np.array([[5, 0], [3, 3]])

    def product(w, h, b):
        return blocksparse.sparse_block_dot(w, h, i, b, j)

    variables = T.dtensor4(), T.dtensor3(), T.dmatrix()
    found = theano.function(variables, product(*variables), mode=PLAIN)(w, h, b)
    for n in range(2):
        for k, block in enumerate(j[n]):
            wanted = b[block] + sum(h[n, m] @ w[i[n, m], block] for m in range(3))
            np.testing.assert_allclose(found[n, k], wanted)
    grad_checks(product, w, h, b)


def test_batch_normalisation_updates_running_averages():
    x, r = T.dmatrix("x"), T.TensorType("float64", (True, False))("r")
    outs = nnet.bn.batch_normalization_train(x, r, r, running_average_factor=0.3, running_mean=r, running_var=r)
    value, old = rng.randn(8, 3), rng.rand(1, 3)
    _, mean, invstd, new_mean, new_var = theano.function([x, r], outs, mode=PLAIN)(value, old)
    np.testing.assert_allclose(mean[0], value.mean(0))
    np.testing.assert_allclose(invstd[0], 1 / np.sqrt(value.var(0) + 1e-4))
    np.testing.assert_allclose(new_mean[0], 0.7 * old[0] + 0.3 * value.mean(0))
    np.testing.assert_allclose(new_var[0], 0.7 * old[0] + 0.3 * value.var(0, ddof=1))


def test_batch_normalisation_has_a_second_derivative():
    gamma, beta = rng.rand(1, 3) + 0.5, rng.randn(1, 3)

    def gradient(x, g):
        out = nnet.bn.batch_normalization_train(x, T.patternbroadcast(g, (True, False)), beta)[0]
        return T.grad((out ** 3).sum(), x)

    grad_checks(gradient, rng.randn(5, 3), gamma)


def test_ctc_without_its_library_says_what_is_missing():
    if ctc.ctc_available():
        pytest.skip("warp-ctc is installed")
    with pytest.raises(RuntimeError, match="Baidu CTC is not available"):
        ctc.ctc(T.ftensor3(), T.imatrix(), T.ivector())
    assert ctc.ctc_available.msg

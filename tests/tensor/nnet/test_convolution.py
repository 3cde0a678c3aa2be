"""Convolution: shapes, errors, the functions around the ops, and which implementation the rewrites choose."""
import numpy as np
import pytest

import theano_compat as theano
import theano_compat.tensor as T
from tests.tensor.nnet import oracles
from theano_compat.compile.mode import Mode
from theano_compat.tensor import nnet
from theano_compat.tensor.nnet import abstract_conv as ac
from theano_compat.tensor.nnet import conv as old_conv
from theano_compat.tensor.nnet.conv3d2d import conv3d as conv3d_by_2d
from theano_compat.tensor.nnet.corr import CorrMM, CorrMM_gradInputs, CorrMM_gradWeights
from theano_compat.tensor.signal.conv import conv2d as signal_conv2d

PLAIN = Mode(linker="py", optimizer=None)
REWRITTEN = Mode(linker="py", optimizer="fast_run")
rng = np.random.RandomState(3)
X, W = T.dtensor4("x"), T.dtensor4("w")


@pytest.mark.parametrize("shapes, wanted", [
    (((2, 3, 4, 5), (2, 3, 2, 2), "valid", (1, 1)), (2, 2, 3, 4)),
    (((2, 3, 4, 5), (2, 3, 2, 2), "half", (2, 1)), (2, 2, 3, 6)),
    (((2, 3, None, 5), (2, 3, 2, 2), "full", (2, 1)), (2, 2, None, 6)),
    (((2, 3, 4, 5), (2, 3, 2, 2), ((1, 2), (0, 3)), (2, 1)), (2, 2, 3, 7)),
    (((2, 3, 4, 5), (2, 3, 2, 2), "valid", (1, 1), (2, 3)), (2, 2, 2, 2)),
])  # fmt: skip
def test_output_shape(shapes, wanted):
    assert ac.get_conv_output_shape(*shapes) == wanted


@pytest.mark.parametrize("mode", ["valid", "full", (1, 0), ((2, 1), (0, 1))])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
def test_each_shape_follows_from_the_two_others(mode, dilation):
    image, kernel = (2, 4, 9, 8), (6, 2, 3, 2)
    output = ac.get_conv_output_shape(image, kernel, mode, (1, 1), dilation)
    assert ac.get_conv_gradweights_shape(image, output, mode, (1, 1), dilation, 2) == kernel
    assert ac.get_conv_gradinputs_shape(kernel, output, mode, (1, 1), dilation, 2) == image
    assert ac.check_conv_gradinputs_shape(image, kernel, output, mode, (1, 1), dilation)


def test_symbolic_shapes_evaluate_to_the_numeric_ones():
    n, k = T.lscalars("n", "k")
    for mode in ("valid", "full", "half", 2, (1, 3)):
        symbolic = theano.function([n, k], ac.get_conv_shape_1axis(n, k, mode, 2, 3), mode=PLAIN)
        assert symbolic(20, 3) == ac.get_conv_shape_1axis(20, 3, mode, 2, 3)


@pytest.mark.parametrize("kwargs, message", [
    (dict(border_mode="foo"), 'invalid border_mode foo, which must be either "valid", "full", "half", an integer or a tuple of length 2'),
    (dict(border_mode=-1), "invalid border_mode -1, which must be a non-negative integer"),
    (dict(border_mode=(1,)), "invalid border_mode (1,), which must be a tuple of length 2"),
    (dict(border_mode=(1, -1)), "invalid border mode (1, -1). The tuple can only contain integers  or pairs of integers"),
    (dict(subsample=(1,)), "subsample must have 2 elements"),
    (dict(filter_dilation=(1, 1, 1)), "filter_dilation must have 2 elements"),
    (dict(num_groups=0), "num_groups must have value greater than zero"),
    (dict(filter_shape=(1, 2, 3, "a")), "kshp should be None or a tuple of constant int values"),
    (dict(input_shape=T.constant([1, 2, 3, 4])), "imshp should be None or a tuple of constant int values"),
])  # fmt: skip
def test_wrong_settings_are_refused_in_theanos_words(kwargs, message):
    with pytest.raises(ValueError) as caught:
        nnet.conv2d(X, W, **kwargs)
    assert str(caught.value) == message


def test_wrong_ranks_are_refused():
    with pytest.raises(TypeError, match="img must be 4D tensor"):
        nnet.conv2d(T.dtensor3(), W)
    with pytest.raises(TypeError, match="kern must be 6D tensor for unshared convolution"):
        nnet.conv2d(X, W, unshared=True)


@pytest.mark.parametrize("mode", [PLAIN, REWRITTEN], ids=["perform", "rewritten"])
@pytest.mark.parametrize("x_shape, w_shape", [((2, 3, 4, 5), (2, 4, 2, 2)), ((2, 3, 4, 5), (2, 3, 5, 2))])
def test_shapes_that_do_not_fit_are_noticed(mode, x_shape, w_shape):
    f = theano.function([X, W], nnet.conv2d(X, W), mode=mode)
    with pytest.raises(ValueError):
        f(np.ones(x_shape), np.ones(w_shape))


def test_old_keywords_warn():
    with pytest.warns(UserWarning, match="renamed to `input_shape`"):
        out = nnet.conv2d(X, W, image_shape=(1, 2, 3, 4))
    assert out.owner.op.imshp == (1, 2, 3, 4)
    with pytest.raises(ValueError, match="should not be provided at the same time"), pytest.warns(UserWarning):
        nnet.conv2d(X, W, input_shape=(1, 2, 3, 4), image_shape=(1, 2, 3, 4))


@pytest.mark.parametrize("flip", [True, False])
def test_abstract_convolution_becomes_corrmm_in_both_directions(flip):
    out = nnet.conv2d(X, W, border_mode="half", subsample=(2, 1), filter_flip=flip)
    f = theano.function([X, W], [out, *T.grad((out ** 2).sum(), [X, W])], mode=REWRITTEN)
    plain = theano.function([X, W], [out, *T.grad((out ** 2).sum(), [X, W])], mode=PLAIN)
    kinds = [type(node.op) for node in f.maker.fgraph.toposort()]
    assert [kinds.count(k) for k in (CorrMM, CorrMM_gradWeights, CorrMM_gradInputs)] == [1, 1, 1]
    assert not any(issubclass(k, ac.BaseAbstractConv) for k in kinds)
    values = rng.randn(2, 3, 7, 6), rng.randn(4, 3, 3, 2)
    for found, wanted in zip(f(*values), plain(*values)):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("border_mode", ["valid", "full"])
def test_without_gemm_the_old_op_serves(border_mode):
    out = nnet.conv2d(X, W, border_mode=border_mode)
    outputs = [out, *T.grad((out ** 2).sum(), [X, W])]
    f = theano.function([X, W], outputs, mode=REWRITTEN.excluding("conv_gemm"))
    assert sum(isinstance(n.op, old_conv.ConvOp) for n in f.maker.fgraph.toposort()) == 3
    values = rng.randn(2, 3, 7, 6), rng.randn(4, 3, 3, 2)
    for found, wanted in zip(f(*values), theano.function([X, W], outputs, mode=PLAIN)(*values)):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11)


def test_no_implementation_is_an_error():
    with pytest.raises(AssertionError, match="AbstractConv2d Theano optimization failed"):
        theano.function([X, W], nnet.conv2d(X, W, border_mode="half"), mode=REWRITTEN.excluding("conv_gemm"))


def test_unshared_convolution_has_filters_per_position():
    w6 = T.TensorType("float64", (False,) * 6)("w6")
    x, w = rng.randn(2, 4, 5, 6), rng.randn(6, 3, 5, 2, 3, 2)
    out = nnet.conv2d(X, w6, unshared=True, num_groups=2, filter_flip=False)
    found = theano.function([X, w6], out, mode=REWRITTEN)(x, w)
    for i in range(3):
        for j in range(5):
            wanted = oracles.convolve(x[:, :, i:i + 3, j:j + 2], w[:, i, j], groups=2, flip=False)
            np.testing.assert_allclose(found[:, :, i, j], wanted[:, :, 0, 0])
    theano.gradient.verify_grad(
        lambda a, b: nnet.conv2d(a, b, unshared=True, num_groups=2), [x, w], rng=np.random.RandomState(0), mode=PLAIN)


def test_transposed_convolution_is_the_gradient():
    top, w = rng.randn(2, 3, 4, 4), rng.randn(3, 2, 3, 3)
    f = theano.function([X, W], nnet.conv2d_transpose(X, W, (2, 2, 9, 9), input_dilation=(2, 2)), mode=PLAIN)
    found = f(top, w)
    # <conv(x), top> == <x, transpose(top)> for any x
    x = rng.randn(2, 2, 9, 9)
    out = oracles.convolve(x, w, "valid", (2, 2))
    np.testing.assert_allclose((out * top).sum(), (x * found).sum())


def test_separable_convolution():
    depth, point = T.dtensor4("d"), T.dtensor4("p")
    x, d, p = rng.randn(2, 3, 6, 5), rng.randn(6, 1, 2, 3), rng.randn(4, 6, 1, 1)
    f = theano.function([X, depth, point], nnet.separable_conv2d(X, depth, point, 3), mode=PLAIN)
    wanted = oracles.convolve(oracles.convolve(x, d, groups=3), p)
    np.testing.assert_allclose(f(x, d, p), wanted)


def test_causal_convolution_sees_no_later_input():
    signal, taps = T.dtensor3("s"), T.dtensor3("k")
    f = theano.function([signal, taps], ac.causal_conv1d(signal, taps, (2, 3, 4), filter_dilation=2), mode=PLAIN)
    s, k = rng.randn(2, 3, 12), rng.randn(2, 3, 4)
    before = f(s, k)
    assert before.shape == (2, 2, 12)
    s[:, :, 7:] += 1
    after = f(s, k)
    np.testing.assert_allclose(after[:, :, :7], before[:, :, :7])
    assert not np.allclose(after[:, :, 7], before[:, :, 7])


@pytest.mark.parametrize("use_1D_kernel", [True, False])
@pytest.mark.parametrize("ratio", [1, 2, 3, 4])
def test_bilinear_upsampling_interpolates_and_repeats_the_ends(ratio, use_1D_kernel):
    x = rng.randn(2, 3, 3, 4)
    found = theano.function([X], ac.bilinear_upsampling(X, ratio=ratio, use_1D_kernel=use_1D_kernel), mode=PLAIN)(x)

    def line(values):
        places = (np.arange(len(values) * ratio) - (ratio - 1) // 2) / ratio
        return np.interp(places, np.arange(len(values)), values)

    wanted = np.apply_along_axis(line, 3, np.apply_along_axis(line, 2, x))
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_fractional_upsampling_takes_every_other_place():
    x = rng.randn(1, 2, 3, 4)
    whole = theano.function([X], ac.bilinear_upsampling(X, ratio=3), mode=PLAIN)(x)
    part = theano.function([X], ac.bilinear_upsampling(X, frac_ratio=(3, 2), use_1D_kernel=False), mode=PLAIN)(x)
    np.testing.assert_allclose(part, whole[:, :, ::2, ::2], atol=1e-12)


@pytest.mark.parametrize("border_mode", ["valid", "full"])
def test_old_conv2d_agrees_and_checks_what_it_was_told(border_mode):
    with pytest.warns(UserWarning, match="deprecated"):
        out = old_conv.conv2d(X, W, image_shape=(2, 3, 6, 5), filter_shape=(4, 3, 3, 2), border_mode=border_mode, subsample=(2, 1))
    f = theano.function([X, W], out, mode=PLAIN)
    x, w = rng.randn(2, 3, 6, 5), rng.randn(4, 3, 3, 2)
    np.testing.assert_allclose(f(x, w), oracles.convolve(x, w, border_mode, (2, 1)))
    with pytest.raises(ValueError, match="ConvOp was told"):
        f(x[:1], w)


def test_convolution_of_images_without_channels():
    a, k = T.dtensor3("a"), T.dmatrix("k")
    with pytest.warns(UserWarning):
        f = theano.function([a, k], signal_conv2d(a, k), mode=PLAIN)
    x, w = rng.randn(3, 5, 6), rng.randn(2, 3)
    np.testing.assert_allclose(f(x, w), oracles.convolve(x[:, None], w[None, None])[:, 0])


@pytest.mark.parametrize("mode", ["valid", "full", "half"])
def test_conv3d_by_2d_convolutions(mode):
    signals, filters = T.dtensor5("s"), T.dtensor5("f")
    s, w = rng.randn(2, 4, 3, 5, 4), rng.randn(2, 3, 3, 3, 3)
    f = theano.function([signals, filters], conv3d_by_2d(signals, filters, border_mode=mode), mode=PLAIN)
    wanted = oracles.convolve(s.transpose(0, 2, 1, 3, 4), w.transpose(0, 2, 1, 3, 4), mode).transpose(0, 2, 1, 3, 4)
    np.testing.assert_allclose(f(s, w), wanted)

"""Neural-net ops: activations, softmax and crossentropies, convolution, pooling, patches, batch normalisation."""
from __future__ import annotations

import numpy as np
from scipy import special

import theano_compat.tensor as T
from tests.specs.spec import FLOATS, REAL, Case, OpSpec, cases, sample, stretched
from tests.tensor.nnet import oracles
from theano_compat.tensor import nnet
from theano_compat.tensor.nnet import abstract_conv, corr, corr3d, neighbours
from theano_compat.tensor.nnet.nnet import (
    crossentropy_categorical_1hot,
    crossentropy_softmax_1hot_with_bias_dx,
    crossentropy_softmax_argmax_1hot_with_bias,
    logsoftmax_op,
    softmax_grad,
    softmax_op,
    softmax_with_bias,
)
from theano_compat.tensor.signal.pool import AveragePoolGrad, MaxPoolGrad, Pool

SINGLE_AND_DOUBLE = ("float32", "float64")


def activation(name, build, reference, domain=(-4.0, 4.0), dtypes=REAL, extremes=True, **more):
    found = [*cases([(3, 4)], dtypes, domain), *stretched([domain])]
    if extremes:
        found.append(Case("extremes", (np.array([-1e4, -800.0, -40.0, -1e-20, 0.0, 1e-20, 40.0, 800.0, 1e4, np.nan]),)))
    return OpSpec(name, build, reference, tuple(found), **more)


ACTIVATIONS = [
    activation("sigmoid", nnet.sigmoid, special.expit, elementwise=True, rtol=1e-12),
    activation("softplus", nnet.softplus, lambda x: np.logaddexp(0, x), elementwise=True, rtol=1e-12),
    activation("softsign", nnet.softsign, lambda x: x / (1 + np.abs(x)), elementwise=True, grad=True),
    activation("hard_sigmoid", nnet.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1), (-2.0, 2.0)),
    activation("relu", nnet.relu, lambda x: np.where(np.isnan(x), x, np.maximum(x, 0)), (0.1, 3.0)),
    activation("leaky relu", lambda x: nnet.relu(x, 0.1), lambda x: np.where(x > 0, x, 0.1 * x), (0.1, 3.0), ("float64",)),
    activation("elu", lambda x: nnet.elu(x, 1.5), lambda x: np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0))), (0.1, 3.0),
               ("float64",), extremes=False),
    activation("selu", nnet.selu, lambda x: 1.0507009873554805 * np.where(
        x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))), (-3.0, -0.1), ("float64",), extremes=False),
]  # fmt: skip


def matrices(dtypes=SINGLE_AND_DOUBLE, others=(), domain=(-3.0, 3.0)):
    """Cases of one matrix in several layouts, with further fixed inputs made from its shape."""
    base = [
        ("plain", sample((4, 7), "float64", domain)),
        ("transposed", sample((7, 4), "float64", domain).T),
        ("reversed", sample((4, 7), "float64", domain)[::-1, ::-1]),
        ("strided", sample((8, 14), "float64", domain)[::2, ::2]),
        ("one column", sample((5, 2), "float64", domain)),
        ("long rows", sample((2, 3000), "float64", domain)),
        ("many rows", sample((700, 3), "float64", domain)),
        ("no rows", np.zeros((0, 3))),
    ]
    found = [Case(label, (x, *(make(x) for make in others)), x.size < 50 and x.size > 0) for label, x in base]
    for dtype in dtypes:
        if dtype != "float64":
            x = sample((4, 7), dtype, domain)
            found.append(Case(dtype, (x, *(make(x) for make in others))))
    return found


def bias(x):
    return sample((x.shape[1],), x.dtype.name, key=("bias",))


def labels(x):
    return np.arange(x.shape[0]) * 3 % x.shape[1]


def small_labels(x):
    return labels(x).astype("uint8")


def row_weights(x):
    return sample((x.shape[0],), x.dtype.name, key=("weights",))


def like(x):
    return sample(x.shape, x.dtype.name, key=("like",))


HUGE = [Case("huge", (np.array([[1e4, -1e4, 0.0], [-2e5, -2e5, -1e5]]),)), Case("with minus infinity", (
    np.array([[-np.inf, 0.0, 1.0]]),), False, ((False, False),)), Case("with NaN", (np.array([[0.0, np.nan], [1.0, 2.0]]),))]


def crossentropy_reference(x, b, y):
    row = x + b
    return [oracles.nll(row, y), oracles.softmax(row), np.argmax(row, axis=1)]


def one_hot(y, k):
    return (np.arange(k) == np.asarray(y)[:, None]).astype(float)


SOFTMAX = [
    OpSpec("softmax", softmax_op, oracles.softmax, (*matrices(FLOATS), *HUGE[:1], *HUGE[1:2]), rtol=1e-11),
    OpSpec("log_softmax", logsoftmax_op, oracles.log_softmax, (*matrices(FLOATS), *HUGE[:1]), rtol=1e-11),
    OpSpec("softmax_with_bias", softmax_with_bias, lambda x, b: oracles.softmax(x + b), tuple(matrices(others=[bias])),
           rop=False, rtol=1e-11),
    OpSpec("softmax_grad", lambda dy, sm: softmax_grad(dy, sm), lambda dy, sm: (dy - (dy * sm).sum(1, keepdims=True)) * sm,
           tuple(matrices(others=[like])), rop=False),
    OpSpec("crossentropy_softmax_argmax", lambda x, b, y: crossentropy_softmax_argmax_1hot_with_bias(x, b, y),
           crossentropy_reference, tuple(matrices(others=[bias, labels])), grad=False, rop=False, rtol=1e-11),
    OpSpec("crossentropy nll", lambda x, b: crossentropy_softmax_argmax_1hot_with_bias(x, b, T.arange(x.shape[0]) % 2)[0],
           lambda x, b: oracles.nll(x + b, np.arange(len(x)) % 2), tuple(matrices(others=[bias])), rop=False, rtol=1e-11),
    OpSpec("crossentropy_dx", lambda sm, dy, y: crossentropy_softmax_1hot_with_bias_dx(dy, sm, y),
           lambda sm, dy, y: dy[:, None] * (sm - one_hot(y, sm.shape[1])),
           tuple(matrices(others=[row_weights, small_labels])), grad=False, rop=False),
    OpSpec("crossentropy_categorical", lambda p: crossentropy_categorical_1hot(p, T.arange(p.shape[0]) % 2),
           lambda p: -np.log(p[np.arange(len(p)), np.arange(len(p)) % 2]), tuple(matrices(domain=(0.1, 1.0))), rop=False),
    OpSpec("categorical_crossentropy", lambda p, t: nnet.categorical_crossentropy(p, t),
           lambda p, t: -(t * np.log(p)).sum(axis=-1), tuple(matrices(others=[np.abs], domain=(0.1, 1.0)))),
    OpSpec("binary_crossentropy", nnet.binary_crossentropy, lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
           tuple(matrices(others=[lambda x: 1 - x], domain=(0.1, 0.9)))),
]  # fmt: skip


# --- convolution: border mode, stride, dilation, groups, flip ---

CONV2D = [
    ("valid", (1, 1), (1, 1), 1, True), ("full", (1, 1), (1, 1), 1, True), ("half", (1, 1), (1, 1), 1, False),
    ((1, 2), (2, 1), (1, 1), 1, True), (((1, 2), (0, 3)), (1, 2), (1, 1), 1, False), ("valid", (2, 3), (2, 1), 1, True),
    ("full", (2, 2), (1, 2), 2, False), ("half", (1, 2), (2, 2), 2, True),
]  # fmt: skip
CONV3D = [("valid", (1, 1, 1), (1, 1, 1), 1, True), ("half", (2, 1, 1), (1, 2, 1), 1, False),
          ("full", (1, 2, 1), (1, 1, 1), 2, True), ((1, 0, 2), (1, 1, 2), (1, 1, 1), 1, True)]


def images(x_shape, w_shape):
    x, w = sample(x_shape, "float64", key=("x",)), sample(w_shape, "float64", key=("w",))
    return (
        Case("plain", (x, w), True),
        Case("float32", (x.astype("float32"), w.astype("float32"))),
        Case("other layout", (np.asfortranarray(x[::-1, ::-1]), w[..., ::-1])),
    )


def convolution(conv, corr_op, settings, x_shape, w_shape):
    mode, subsample, dilation, groups, flip = settings
    x_shape = (x_shape[0], x_shape[1] * groups, *x_shape[2:])
    w_shape = (w_shape[0] * groups, *w_shape[1:])
    kwargs = dict(border_mode=mode, subsample=subsample, filter_dilation=dilation, num_groups=groups)

    def reference(x, w, flip=flip):
        return oracles.convolve(x, w, mode, subsample, dilation, groups, flip)

    found = images(x_shape, w_shape)
    return [
        # The abstract op waits for a rewrite, so it has no compiled form of its own.
        OpSpec(f"{conv.__name__} {settings}", lambda x, w: conv(x, w, filter_flip=flip, **kwargs), reference, found, compiled=False),
        OpSpec(f"{corr_op.__name__} {settings}", corr_op(**kwargs), lambda x, w: reference(x, w, False), found, rop=False),
    ]


CONVOLUTION = [
    record for settings in CONV2D
    for record in convolution(nnet.conv2d, corr.CorrMM, settings, (3, 2, 7, 6), (2, 2, 3, 2))
] + [
    record for settings in CONV3D
    for record in convolution(abstract_conv.conv3d, corr3d.Corr3dMM, settings, (2, 1, 4, 5, 4), (2, 1, 2, 3, 2))
]  # fmt: skip

# --- pooling ---

POOLING = [
    ((6, 8), (2, 2), True, None, None), ((7, 9), (2, 2), True, None, None), ((7, 9), (2, 2), False, None, None),
    ((6, 7), (3, 3), True, (2, 2), (1, 1)), ((5, 5), (3, 2), True, (1, 1), None), ((7, 9), (2, 3), False, (3, 4), None),
    ((5, 6), (3, 3), False, (2, 1), None), ((4, 5, 6), (2, 3, 2), True, (1, 2, 3), (1, 1, 0)), ((4, 4, 5), (2, 2, 2), False, None, None),
]  # fmt: skip


def pooling(setting, mode):
    shape, ws, ignore_border, stride, pad = setting
    nd = len(ws)
    op = Pool(ignore_border, mode, nd)
    # All values differ, so that the maximum is smooth.
    x = np.random.RandomState(1).permutation(int(np.prod((2, 3, *shape)))).reshape(2, 3, *shape) / 7.0
    found = (Case("plain", (x,), True), Case("float32", (x.astype("float32"),)), Case("other layout", (np.asfortranarray(x[::-1]),)))
    windows = dict(ignore_border=ignore_border, stride=stride, pad=pad, mode=mode)
    return OpSpec(f"pool {mode} {setting}", lambda x: op(x, ws, stride, pad), lambda x: oracles.pool(x, ws, **windows), found, rop=False)


def max_gradient_with_ties(x, g):
    """Every element that equals the maximum of its 2 x 2 window gets that window's gradient."""
    spread_max = np.repeat(np.repeat(oracles.pool(x, (2, 2)), 2, axis=-2), 2, axis=-1)
    spread_g = np.repeat(np.repeat(g, 2, axis=-2), 2, axis=-1)
    return np.where(x == spread_max, spread_g, 0)


TIED = np.array([[[1.0, 1.0, 2.0, 0.0], [1.0, 0.0, 2.0, 2.0], [3.0, 3.0, 4.0, 5.0], [3.0, 3.0, 5.0, 1.0]]])

POOL = [pooling(setting, mode) for setting in POOLING for mode in ("max", "sum", "average_inc_pad", "average_exc_pad")] + [
    OpSpec("max pooling gradient with ties", lambda x, g: MaxPoolGrad(True)(x, Pool(True)(x, (2, 2)), g, (2, 2)),
           max_gradient_with_ties, (Case("ties", (TIED, np.arange(1.0, 5.0).reshape(1, 2, 2)), False,
                                         ((False,) * 3, (False,) * 3)),), grad=False, rop=False),
    OpSpec("average pooling gradient", lambda x, g: AveragePoolGrad(True, "average_inc_pad")(x, g, (2, 2)),
           lambda x, g: np.repeat(np.repeat(g / 4, 2, axis=-2), 2, axis=-1),
           (Case("plain", (np.ones((2, 4, 6)), sample((2, 2, 3), "float64")), True),), rop=False),
]  # fmt: skip


def neibs(x, shape, step):
    """Patches of a 4-d array as rows."""
    rows = []
    for image in x.reshape(-1, *x.shape[2:]):
        for i in range(0, image.shape[0] - shape[0] + 1, step[0]):
            for j in range(0, image.shape[1] - shape[1] + 1, step[1]):
                rows.append(image[i : i + shape[0], j : j + shape[1]].ravel())
    return np.array(rows)


NEIGHBOURS = [
    OpSpec(f"images2neibs {shape} {step}", lambda x, shape=shape, step=step: neighbours.images2neibs(x, shape, step),
           lambda x, shape=shape, step=step: neibs(x, shape, step or shape), cases([(2, 3, 4, 6)], SINGLE_AND_DOUBLE),
           rop=False, compiled=False)  # runs through NumPy
    for shape, step in (((2, 3), None), ((2, 2), (1, 2)), ((3, 3), (1, 1)))
]  # fmt: skip


def normalised(x, gamma, beta, axes, epsilon=1e-4):
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(var + epsilon) * gamma + beta


def bn_cases(shape, param):
    arrays = (sample(shape, "float64"), sample(param, "float64", (0.5, 2.0), ("g",)), sample(param, "float64", key=("b",)))
    return (Case("plain", arrays, True), Case("float32", tuple(a.astype("float32") for a in arrays)))


NORMALISATION = [
    # Abstract ops: a rewrite replaces them before anything is compiled.
    OpSpec("batch_normalization_train", lambda x, g, b: nnet.bn.batch_normalization_train(x, g, b)[0],
           lambda x, g, b: normalised(x, g, b, 0), bn_cases((6, 4), (1, 4)), rop=False, compiled=False, rtol=1e-9),
    OpSpec("batch_normalization_train spatial", lambda x, g, b: nnet.bn.batch_normalization_train(x, g, b, axes="spatial")[0],
           lambda x, g, b: normalised(x, g, b, (0, 2, 3)), bn_cases((3, 2, 3, 4), (1, 2, 1, 1)), rop=False, compiled=False, rtol=1e-9),
    OpSpec("batch_normalization_test", lambda x, g, b: nnet.bn.batch_normalization_test(x, g, b, b, g),
           lambda x, g, b: (x - b) / np.sqrt(g + 1e-4) * g + b, bn_cases((6, 4), (1, 4)), rop=False, compiled=False),
]  # fmt: skip

RECORDS = [*ACTIVATIONS, *SOFTMAX, *CONVOLUTION, *POOL, *NEIGHBOURS, *NORMALISATION]

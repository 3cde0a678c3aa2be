"""Abstract batch normalisation: training, its gradient, and inference, to be rewritten for the device in use."""
from __future__ import annotations

import numpy as np

from theano_compat.gof import Apply, Op
from theano_compat.gradient import DisconnectedType
from theano_compat.scalar import upcast
from theano_compat.tensor import basic as T


def as_common_dtype(*variables):
    """Cast tensors to the dtype that holds all of them."""
    dtype = upcast(*[v.dtype for v in variables])
    return tuple(v if v.dtype == dtype else v.astype(dtype) for v in variables)


def _scalar(value, who):
    value = T.as_tensor_variable(value)
    if value.ndim != 0:
        raise ValueError(f"{who} should be a scalar, but has {value.ndim} dimensions")
    return value


def _check_params(x, **params):
    for name, v in params.items():
        if v.ndim != x.ndim:
            raise ValueError(f"{name} should have as many dimensions as x ({x.ndim}), but has {v.ndim}")


class AbstractBatchNormTrain(Op):
    r"""Normalise by the mean and variance of the batch.

    Parameters
    ----------
    axes : tuple of int
        Axes to reduce over.

    Notes
    -----
    Outputs: :math:`(x - \mu)\,\gamma\,\mathrm{invstd} + \beta`, the mean :math:`\mu`, and
    :math:`\mathrm{invstd} = (\sigma^2 + \epsilon)^{-1/2}`; with running averages given, also their new values, the
    variance corrected by :math:`m / (m - 1)`.
    """

    __props__ = ("axes",)

    def __init__(self, axes=(0,)):
        if not axes:
            raise ValueError("there should be at least one normalization axis")
        self.axes = tuple(axes)

    def infer_shape(self, node, shape):
        return [shape[0]] + [shape[1]] * (len(node.outputs) - 1)

    def make_node(self, x, scale, bias, epsilon=1e-4, running_average_factor=0.1, running_mean=None, running_var=None):
        x, scale, bias = (T.as_tensor_variable(v) for v in (x, scale, bias))
        epsilon = _scalar(epsilon, "epsilon")
        running_average_factor = _scalar(running_average_factor, "running_average_factor")
        _check_params(x, scale=scale, bias=bias)
        if (running_mean is None) != (running_var is None):
            raise ValueError("running_mean and running_var must either both be given or both be None")
        inputs = [x, scale, bias]
        if running_mean is not None:
            running = [T.as_tensor_variable(v) for v in (running_mean, running_var)]
            _check_params(x, running_mean=running[0], running_var=running[1])
            inputs += running
        inputs = list(as_common_dtype(*inputs))
        outputs = [inputs[0].type(), inputs[1].type(), inputs[1].type()]
        outputs += [v.type() for v in inputs[3:]]
        return Apply(self, inputs[:3] + [epsilon, running_average_factor] + inputs[3:], outputs)

    def L_op(self, inputs, outputs, grads):
        x, scale, bias, epsilon, _ = inputs[:5]
        _, x_mean, x_invstd = outputs[:3]
        dy, d_mean, d_invstd = grads[:3]
        if isinstance(dy.type, DisconnectedType):
            g_x, g_scale, g_bias = x.zeros_like(), scale.zeros_like(), bias.zeros_like()
        else:
            g_x, g_scale, g_bias = AbstractBatchNormTrainGrad(self.axes)(x, dy, scale, x_mean, x_invstd, epsilon)
        # The mean and the inverse deviation are outputs too, and second derivatives go through them.
        if not isinstance(d_mean.type, DisconnectedType) or not isinstance(d_invstd.type, DisconnectedType):
            count = T.cast(T.prod([x.shape[a] for a in self.axes]), x.dtype)
            if not isinstance(d_mean.type, DisconnectedType):
                g_x = g_x + d_mean / count
            if not isinstance(d_invstd.type, DisconnectedType):
                g_x = g_x - d_invstd * (x - x_mean) * x_invstd ** 3 / count
        return [g_x, g_scale, g_bias] + [DisconnectedType()() for _ in inputs[3:]]

    def connection_pattern(self, node):
        pattern = [[True, True, True]] * 3 + [[False, False, False]] * 2
        if len(node.inputs) == 7:
            # The new running averages are for updates; no gradient goes through them.
            pattern = [row + [False, False] for row in pattern] + [[False] * 5] * 2
        return pattern

    def perform(self, node, inputs, output_storage):
        x, scale, bias, epsilon, factor = inputs[:5]
        mean = x.mean(axis=self.axes, keepdims=True)
        var = x.var(axis=self.axes, keepdims=True)
        invstd = 1.0 / np.sqrt(var + epsilon)
        results = [(x - mean) * (scale * invstd) + bias, mean, invstd]
        if len(inputs) == 7:
            running_mean, running_var = inputs[5:]
            count = x.size / scale.size if scale.size else 1.0
            results.append(running_mean * (1.0 - factor) + mean * factor)
            results.append(running_var * (1.0 - factor) + (count / (count - 1)) * var * factor)
        for cell, value, out in zip(output_storage, results, node.outputs):
            cell[0] = np.asarray(value, dtype=out.dtype)


class AbstractBatchNormTrainGrad(Op):
    r"""Gradient of `AbstractBatchNormTrain` with respect to its input, scale and bias.

    Notes
    -----
    With :math:`d = x - \mu` and :math:`c = dy\,\mathrm{invstd} - d\,\overline{dy\,d}\,\mathrm{invstd}^3`:
    :math:`dx = \gamma (c - \bar c)`, :math:`d\gamma = \sum dy\,\mathrm{invstd}\,d`, :math:`d\beta = \sum dy`, bars and
    sums over the axes.
    """

    __props__ = ("axes",)

    def __init__(self, axes=(0,)):
        if not axes:
            raise ValueError("there should be at least one normalization axis")
        self.axes = tuple(axes)

    def make_node(self, x, dy, scale, x_mean, x_invstd, epsilon=1e-4):
        x, dy, scale, x_mean, x_invstd = (T.as_tensor_variable(v) for v in (x, dy, scale, x_mean, x_invstd))
        epsilon = _scalar(epsilon, "epsilon")
        x, dy, scale, x_mean, x_invstd = as_common_dtype(x, dy, scale, x_mean, x_invstd)
        _check_params(x, dy=dy, scale=scale, x_mean=x_mean, x_invstd=x_invstd)
        return Apply(self, [x, dy, scale, x_mean, x_invstd, epsilon], [x.type(), scale.type(), scale.type()])

    def grad(self, inp, grads):
        x, dy, scale, x_mean, x_invstd, _ = inp
        ddx, ddscale, ddbias = grads
        axes = self.axes

        def connected(g):
            return not isinstance(g.type, DisconnectedType)

        def mean(v):
            return T.mean(v, axis=axes, keepdims=True)

        x_diff = x - x_mean
        mean_dy_diff = mean(dy * x_diff)
        g_x = g_dy = g_scale = g_mean = g_invstd = 0
        if connected(ddbias):
            g_dy = g_dy + T.fill(x, ddbias)
        if connected(ddscale):
            weighted = ddscale * dy
            g_dy = g_dy + ddscale * x_invstd * x_diff
            g_x = g_x + weighted * x_invstd
            g_mean = g_mean - T.sum(weighted * x_invstd, axis=axes, keepdims=True)
            g_invstd = g_invstd + T.sum(weighted * x_diff, axis=axes, keepdims=True)
        if connected(ddx):
            # dx = scale * (c - mean(c)), c = dy * invstd - x_diff * mean(dy * x_diff) * invstd ** 3
            c = dy * x_invstd - x_diff * mean_dy_diff * x_invstd ** 3
            g_scale = g_scale + T.sum(ddx * (c - mean(c)), axis=axes, keepdims=True)
            g_c = ddx * scale
            g_c = g_c - mean(g_c)
            cube = x_invstd ** 3
            # Through the product of x_diff with the mean over the batch; the mean's own factor is 1 / count.
            g_inner = -mean(g_c * x_diff) * cube
            g_dy = g_dy + g_c * x_invstd + g_inner * x_diff
            g_diff = -g_c * mean_dy_diff * cube + g_inner * dy
            g_x = g_x + g_diff
            g_mean = g_mean - T.sum(g_diff, axis=axes, keepdims=True)
            g_invstd = g_invstd + T.sum(
                g_c * (dy - 3 * x_diff * mean_dy_diff * x_invstd ** 2), axis=axes, keepdims=True)

        def finish(g, like):
            return like.zeros_like() if isinstance(g, int) else T.patternbroadcast(g, like.broadcastable)

        return [finish(g_x, x), finish(g_dy, dy), finish(g_scale, scale), finish(g_mean, x_mean),
                finish(g_invstd, x_invstd), DisconnectedType()()]

    def connection_pattern(self, node):
        return [[True] * 3] * 5 + [[False] * 3]

    def infer_shape(self, node, shape):
        return [shape[0], shape[2], shape[2]]

    def perform(self, node, inputs, output_storage):
        x, dy, scale, x_mean, x_invstd, _ = inputs
        axes = self.axes
        x_diff = x - x_mean
        mean_dy_diff = np.mean(dy * x_diff, axis=axes, keepdims=True)
        c = dy * x_invstd - x_diff * (mean_dy_diff * x_invstd ** 3)
        results = (scale * (c - np.mean(c, axis=axes, keepdims=True)),
                   np.sum(dy * x_invstd * x_diff, axis=axes, keepdims=True),
                   np.sum(dy, axis=axes, keepdims=True))
        for cell, value, out in zip(output_storage, results, node.outputs):
            cell[0] = np.asarray(value, dtype=out.dtype)


class AbstractBatchNormInference(Op):
    r"""Normalise by given (estimated) mean and variance.

    Notes
    -----
    :math:`(x - \mu)\,\gamma / \sqrt{\sigma^2 + \epsilon} + \beta`
    """

    __props__ = ("axes",)

    def __init__(self, axes=(0,)):
        if not axes:
            raise ValueError("there should be at least one normalization axis")
        self.axes = tuple(axes)

    def infer_shape(self, node, shape):
        return [shape[0]]

    def make_node(self, x, scale, bias, estimated_mean, estimated_variance, epsilon=1e-4):
        tensors = [T.as_tensor_variable(v) for v in (x, scale, bias, estimated_mean, estimated_variance)]
        epsilon = _scalar(epsilon, "epsilon")
        tensors = list(as_common_dtype(*tensors))
        _check_params(tensors[0], scale=tensors[1], bias=tensors[2], estimated_mean=tensors[3],
                      estimated_variance=tensors[4])
        return Apply(self, tensors + [epsilon], [tensors[0].type()])

    def grad(self, inputs, grads):
        x, scale, bias, est_mean, est_var, epsilon = inputs
        (dy,) = grads
        axes = self.axes
        var_eps = est_var + epsilon
        std = T.sqrt(var_eps)
        centred = x - est_mean
        dx = dy * (scale / std)
        dscale = (dy * centred).sum(axes, keepdims=True) / std
        dbias = dy.sum(axes, keepdims=True)
        dmean = -dy.sum(axes, keepdims=True) * (scale / std)
        dvar = -(dy * centred).sum(axes, keepdims=True) * (scale / (2.0 * var_eps * std))
        return [dx, dscale, dbias, dmean, dvar, DisconnectedType()()]

    def connection_pattern(self, node):
        return [[True]] * 5 + [[False]]

    def perform(self, node, inputs, output_storage):
        x, scale, bias, est_mean, est_var, epsilon = inputs
        out = (x - est_mean) * (scale / np.sqrt(est_var + epsilon)) + bias
        output_storage[0][0] = np.asarray(out, dtype=node.outputs[0].dtype)
